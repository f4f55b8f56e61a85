package netloop

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// fakeReplicas is a log whose offset counts effects, and who acknowledges it.
type fakeReplicas struct {
	end atomic.Int64

	mu    sync.Mutex
	ack   int64
	waits []*fakeWait
	rings []func() // of those who read
}

type fakeWait struct {
	offset int64
	done   func()
}

func (r *fakeReplicas) Active() bool { return true }

type effect = keyspace.Effect

func (r *fakeReplicas) Append(effects []effect, _ bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end.Add(int64(len(effects)))
	for _, ring := range r.rings {
		ring()
	}
}

func (r *fakeReplicas) acked() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ack
}

func (r *fakeReplicas) await(offset int64, done func()) (cancel func()) {
	r.mu.Lock()
	if offset <= r.ack {
		r.mu.Unlock()
		done()
		return func() {}
	}
	defer r.mu.Unlock()
	w := &fakeWait{offset, done}
	r.waits = append(r.waits, w)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.waits = slices.DeleteFunc(r.waits, func(o *fakeWait) bool { return o == w })
	}
}

// acknowledge makes the replicas have the log up to offset.
func (r *fakeReplicas) acknowledge(offset int64) {
	r.mu.Lock()
	r.ack = offset
	var ready []*fakeWait
	r.waits = slices.DeleteFunc(r.waits, func(w *fakeWait) bool {
		if w.offset <= offset {
			ready = append(ready, w)
		}
		return w.offset <= offset
	})
	r.mu.Unlock()
	for _, w := range ready {
		w.done()
	}
}

// serveSync is a server whose writes wait for replicas.
func serveSync(t *testing.T, loops int) *server {
	sv := serve(t, loops)
	sv.gates.Sync.Store(exec.SyncOn)
	return sv
}

// silent fails if anything comes. A PING of another client on the same loop, answered
// behind what the loop has done so far, is how it knows.
func (sv *server) silent(t *testing.T, c *client) {
	t.Helper()
	for range 2 {
		for _, l := range sv.loops {
			done := make(chan struct{})
			l.Do(func() { close(done) })
			<-done
		}
	}
	if n := c.in.Buffered(); n > 0 {
		got, _ := c.in.Peek(n)
		t.Fatalf("answered too early: %q", got)
	}
}

// ran waits until the log ends at offset.
func (sv *server) ran(t *testing.T, offset int64) {
	t.Helper()
	eventually(t, "the writes have run", func() bool { return sv.end.Load() == offset })
}

const uncertain = "-" + exec.ErrUncertain + "\r\n"

func TestWritesWaitForReplicas(t *testing.T) {
	sv := serveSync(t, 1)
	c, other := sv.dial(t), sv.dial(t)
	c.send(t, "GET k\r\nSET k 1\r\nGET k\r\nSET k 2\r\nSET k 3 NX\r\nGET k\r\n")
	c.expect(t, "$-1\r\n") // what comes before the first write waits for nobody
	sv.ran(t, 2)
	other.send(t, "GET k\r\n")
	other.expect(t, "$1\r\n2\r\n") // others see it already
	sv.silent(t, c)
	sv.acknowledge(1)
	c.expect(t, "+OK\r\n$1\r\n1\r\n")
	sv.silent(t, c)
	sv.acknowledge(2)
	c.expect(t, "+OK\r\n$-1\r\n$1\r\n2\r\n")
	c.send(t, "GET k\r\nSET k 3 NX\r\n") // nothing is owed: no change, no wait
	c.expect(t, "$1\r\n2\r\n$-1\r\n")
}

func TestTransactionsWaitForReplicas(t *testing.T) {
	sv := serveSync(t, 1)
	c := sv.dial(t)
	c.send(t, "MULTI\r\nSET a 1\r\nSET b 2\r\nEXEC\r\nMULTI\r\nGET a\r\nEXEC\r\n")
	c.expect(t, "+OK\r\n+QUEUED\r\n+QUEUED\r\n")
	sv.ran(t, 2)
	sv.silent(t, c)
	sv.acknowledge(2)
	c.expect(t, "*2\r\n+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n$1\r\n1\r\n")
}

func TestTooFewReplicas(t *testing.T) {
	sv := serveSync(t, 1)
	sv.gates.Sync.Store(exec.SyncFew)
	c := sv.dial(t)
	c.send(t, "SET k 1\r\nGET k\r\nMULTI\r\nSET k 1\r\nEXEC\r\n")
	few := "-NOREPLICAS Not enough good replicas to write.\r\n"
	c.expect(t, few+"$-1\r\n+OK\r\n"+few+"-EXECABORT Transaction discarded because of previous errors.\r\n")
	if sv.end.Load() != 0 {
		t.Error("something was written")
	}
}

func TestDemotedWhileWritesWait(t *testing.T) {
	sv := serveSync(t, 1)
	c := sv.dial(t)
	c.send(t, "SET k 1\r\nGET k\r\nSET k 2\r\nMULTI\r\nSET k 3\r\nEXEC\r\nGET k\r\n")
	sv.ran(t, 3)
	sv.silent(t, c)
	sv.gates.Sync.Store(exec.SyncOff)
	sv.engine.StepDown(1) // the new master has the first write
	sv.loops[0].Reconsider()
	c.expect(t, "+OK\r\n$1\r\n1\r\n"+uncertain+"+OK\r\n+QUEUED\r\n"+uncertain+"$1\r\n3\r\n")
	c.send(t, "SET k 4\r\n")
	c.expect(t, "+OK\r\n")
	sv.gates.Sync.Store(exec.SyncOn) // promoted again
	c.send(t, "SET k 5\r\n")
	sv.ran(t, 5)
	sv.silent(t, c)
	sv.acknowledge(5)
	c.expect(t, "+OK\r\n")
}

// What a wait was told counts, though nobody can be asked any more.
func TestAcknowledgedAndThenDemoted(t *testing.T) {
	sv := serveSync(t, 1)
	c := sv.dial(t)
	c.send(t, "SET k 1\r\n")
	sv.ran(t, 1)
	sv.silent(t, c)
	sv.onLoop(func() {
		sv.acknowledge(1)
		sv.fakeReplicas.mu.Lock()
		sv.ack = -1
		sv.fakeReplicas.mu.Unlock()
	})
	c.expect(t, "+OK\r\n")
}

func TestWantedNumberChanges(t *testing.T) {
	sv := serveSync(t, 2)
	c := sv.dial(t)
	c.send(t, "SET k 1\r\n")
	sv.ran(t, 1)
	sv.silent(t, c)
	sv.fakeReplicas.mu.Lock()
	sv.ack = 1 // by as many as are wanted now; nobody is told
	sv.fakeReplicas.mu.Unlock()
	for _, l := range sv.loops {
		l.Reconsider()
	}
	c.expect(t, "+OK\r\n")
}

func TestGoodbyeOfWhoWaits(t *testing.T) {
	sv := serveSync(t, 1)
	c := sv.dial(t)
	c.send(t, "SET k 1\r\nBYE\r\n")
	sv.ran(t, 1)
	sv.silent(t, c)
	sv.acknowledge(1)
	c.expect(t, "+OK\r\n+BYE\r\n")
	if _, err := c.in.ReadByte(); err == nil {
		t.Fatal("the connection is still open after its goodbye")
	}
	k := sv.dial(t)
	k.send(t, "SET k 2\r\nGET k\r\n")
	sv.ran(t, 2)
	sv.silent(t, k)
	sv.session(1).Kill()
	k.expect(t, uncertain+"$1\r\n2\r\n")
	gone := sv.dial(t)
	gone.send(t, "SET k 3\r\n")
	sv.ran(t, 3)
	gone.Close()
	eventually(t, "all are closed", func() bool { return sv.closed.Load() == 3 })
	eventually(t, "nobody waits", func() bool {
		sv.fakeReplicas.mu.Lock()
		defer sv.fakeReplicas.mu.Unlock()
		return len(sv.waits) == 0
	})
	sv.acknowledge(3)
	last := sv.dial(t)
	last.send(t, "CLIENT\r\nSET k 4\r\n")
	sv.ran(t, 4)
	sv.acknowledge(4)
	if line, err := last.in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "-ERR") {
		t.Fatal(line, err)
	}
	last.expect(t, "+OK\r\n")
}

func TestManyWhoWait(t *testing.T) {
	sv := serveSync(t, 3)
	quit := make(chan struct{})
	var replicas sync.WaitGroup
	replicas.Go(func() {
		for {
			select {
			case <-quit:
				return
			default:
				sv.acknowledge(sv.end.Load())
			}
		}
	})
	var clients sync.WaitGroup
	for range 20 {
		c := sv.dial(t)
		clients.Go(func() {
			for range 100 {
				c.send(t, "INCR shared\r\nGET none\r\nINCR shared\r\n")
				for _, kind := range []byte(":$:") {
					if line, err := c.in.ReadString('\n'); err != nil || line[0] != kind {
						t.Errorf("%q, %v", line, err)
						return
					}
				}
			}
		})
	}
	clients.Wait()
	close(quit)
	replicas.Wait()
}

// TestRelease compares withheld with a list of replies.
func TestRelease(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	type reply struct {
		text string
		owed int64
	}
	for range 200 {
		var w withheld
		var model []reply
		var got, want []byte
		offset, acked, lostUpTo := int64(0), int64(0), int64(-1)
		settle := func(o *session.Owed) exec.Debt {
			switch {
			case o.Offset <= acked:
				return exec.Paid
			case o.Offset <= lostUpTo:
				return exec.Lost
			}
			return exec.Unpaid
		}
		for range 50 {
			var made []byte
			var owed []session.Owed
			for range rnd.IntN(4) {
				r := reply{text: strings.Repeat(string(rune('a'+rnd.IntN(26))), rnd.IntN(5))}
				if rnd.IntN(2) == 0 && r.text != "" {
					offset++
					r.owed = offset
					owed = append(owed, session.Owed{From: len(made), To: len(made) + len(r.text), Offset: offset})
				}
				made = append(made, r.text...)
				model = append(model, r)
			}
			w.add(made, owed)
			switch rnd.IntN(3) {
			case 0:
				acked = acked + rnd.Int64N(offset-acked+1)
			case 1:
				lostUpTo = max(acked, lostUpTo, rnd.Int64N(offset+1))
			}
			got = w.release(got, settle)
			for len(model) > 0 && (model[0].owed <= acked || model[0].owed <= lostUpTo) {
				if model[0].owed > acked {
					want = append(want, uncertain...)
				} else {
					want = append(want, model[0].text...)
				}
				model = model[1:]
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("left: %q, want %q", got, want)
			}
		}
	}
}
