//go:build linux && !portable

package netloop

import (
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/skeindb/skein/internal/node/session"
)

// fakeStream is the Source of a replica: one byte for each effect in the log.
type fakeStream struct {
	log  *fakeReplicas
	size int64 // of an effect, in bytes

	mu    sync.Mutex
	given int64
	waits bool
	ended bool
}

func (st *fakeStream) Live() bool { return true }

func (st *fakeStream) Waiting() int64 {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.log.end.Load()*st.size - st.given
}

func (st *fakeStream) Pull(p []byte) (int, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	n := int(min(int64(len(p)), st.log.end.Load()*st.size-st.given))
	for i := range n {
		p[i] = byte('a' + st.given%23)
		st.given++
	}
	st.waits = n == 0
	return n, !st.ended
}

func (st *fakeStream) grown() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	waited := st.waits
	st.waits = false
	return waited
}

// follow makes the i-th session a replica, which gets size bytes for each effect.
func (sv *server) follow(t *testing.T, i int, size int64) *fakeStream {
	s, st := sv.session(i), &fakeStream{log: &sv.fakeReplicas, size: size}
	done := make(chan struct{})
	s.Home.(*Loop).Do(func() {
		s.Source = st
		s.Set(session.Replica)
		close(done)
	})
	<-done
	sv.fakeReplicas.mu.Lock()
	sv.rings = append(sv.rings, func() {
		if st.grown() {
			s.Ring()
		}
	})
	sv.fakeReplicas.mu.Unlock()
	s.Ring()
	eventually(t, "it is carried", s.Carried.Load)
	return st
}

// stream reads n bytes of what a replica is sent, from the byte at.
func (c *client) stream(t *testing.T, at, n int64) {
	t.Helper()
	got := make([]byte, n)
	if _, err := io.ReadFull(c.in, got); err != nil {
		t.Fatal(err)
	}
	for i, b := range got {
		if want := byte('a' + (at+int64(i))%23); b != want {
			t.Fatalf("byte %d is %q, not %q", at+int64(i), b, want)
		}
	}
}

// onBothLoops returns a client on each of two loops, and the numbers of their sessions.
func (sv *server) onBothLoops(t *testing.T) (clients [2]*client, at [2]int) {
	t.Helper()
	for i := range clients {
		clients[i] = sv.dial(t)
		clients[i].send(t, "GET none\r\n")
		clients[i].expect(t, "$-1\r\n")
	}
	for i := range at {
		for k := range clients {
			if sv.session(i).Remote.String() == clients[k].LocalAddr().String() {
				at[k] = i
			}
		}
	}
	if sv.session(0).Home == sv.session(1).Home {
		t.Fatal("both are on one loop")
	}
	return clients, at
}

// The reply to a write comes when the write is on its way to the replica, although
// the replica's own loop is busy.
func TestRepliesLeaveBehindTheStream(t *testing.T) {
	sv := serve(t, 2)
	c, at := sv.onBothLoops(t)
	sv.follow(t, at[1], 1)
	busy, free := make(chan struct{}), make(chan struct{})
	sv.session(at[1]).Home.(*Loop).Do(func() { close(busy); <-free })
	<-busy
	for i := range int64(100) {
		c[0].send(t, "SET k v\r\n")
		c[0].expect(t, "+OK\r\n")
		c[1].stream(t, i, 1)
	}
	close(free)
}

// A replica that does not read holds nobody up, and gets everything in the end; its
// connection may end at any time.
func TestReplicaThatDoesNotRead(t *testing.T) {
	const size, rounds, batch = 1 << 10, 200, 100
	sv := serve(t, 2)
	c, at := sv.onBothLoops(t)
	sv.follow(t, at[1], size)
	text := strings.Repeat("SET k v\r\n", batch)
	for range rounds {
		c[0].send(t, text)
		c[0].expect(t, strings.Repeat("+OK\r\n", batch))
	}
	c[1].stream(t, 0, size*rounds*batch)
	c[0].send(t, text)
	c[0].expect(t, strings.Repeat("+OK\r\n", batch))
	c[1].Close()
	eventually(t, "the connection is closed", func() bool {
		c[0].send(t, text)
		c[0].expect(t, strings.Repeat("+OK\r\n", batch))
		return sv.closed.Load() == 1
	})
}

// Many write at once, on both loops and on none.
func TestCarryRace(t *testing.T) {
	const size, rounds = 7, 300
	sv := serve(t, 2)
	c, at := sv.onBothLoops(t)
	sv.follow(t, at[1], size)
	var writers sync.WaitGroup
	for range 4 {
		w := sv.dial(t)
		writers.Go(func() {
			for range rounds {
				w.send(t, "SET k v\r\n")
				w.expect(t, "+OK\r\n")
			}
		})
	}
	writers.Go(func() {
		for range rounds {
			sv.Append(make([]effect, 1), false)
		}
	})
	c[1].stream(t, 0, size*rounds*5)
	writers.Wait()
}

// What the Source has ended is closed by its home.
func TestEndedSourceIsClosed(t *testing.T) {
	sv := serve(t, 2)
	c, at := sv.onBothLoops(t)
	st := sv.follow(t, at[1], 1)
	st.mu.Lock()
	st.ended = true
	st.mu.Unlock()
	c[0].send(t, "SET k v\r\n")
	c[0].expect(t, "+OK\r\n")
	eventually(t, "the connection is closed", func() bool { return sv.closed.Load() == 1 })
}

// Who was killed gets nothing of what was done behind that, though his own loop does not know yet.
func TestKilledReplicaGetsNoMore(t *testing.T) {
	sv := serve(t, 2)
	c, at := sv.onBothLoops(t)
	sv.follow(t, at[1], 1)
	c[0].send(t, "SET k v\r\n")
	c[0].expect(t, "+OK\r\n")
	busy, free := make(chan struct{}), make(chan struct{})
	replica := sv.session(at[1])
	replica.Home.(*Loop).Do(func() { close(busy); <-free })
	<-busy
	replica.Kill()
	c[0].send(t, "SET k v\r\n")
	c[0].expect(t, "+OK\r\n")
	close(free)
	c[1].stream(t, 0, 1)
	if rest, err := io.ReadAll(c[1].in); len(rest) > 0 || err != nil {
		t.Errorf("%d bytes more, %v", len(rest), err)
	}
}
