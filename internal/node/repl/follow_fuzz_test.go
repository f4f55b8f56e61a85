package repl

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
)

// Whatever a master frames comes out, and not a byte more.
func FuzzPayload(f *testing.F) {
	f.Add([]byte("REDIS0010"), []byte("*1\r\n$4\r\nPING\r\n"), uint8(3), true)
	f.Add([]byte(strings.Repeat("m", 39)), []byte{}, uint8(1), true)
	f.Add([]byte{}, []byte("x"), uint8(0), false)
	f.Fuzz(func(t *testing.T, data, behind []byte, piece uint8, marked bool) {
		mark := bytes.Repeat([]byte("mM"), markLen/2)
		framed := append(bytes.Clone(data), mark...)
		p := payload{left: -1, mark: mark}
		if !marked {
			framed, p = bytes.Clone(data), payload{left: int64(len(data))}
		} else if bytes.Index(framed, mark) != len(data) {
			t.Skip("the data hold the mark")
		}
		var in io.Reader = bytes.NewReader(append(framed, behind...))
		if piece > 0 {
			in = &pieces{in, int(piece)}
		}
		p.in = bufio.NewReaderSize(in, 64)
		got, err := io.ReadAll(iotest.OneByteReader(&p))
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%q, %v instead of %q", got, err, data)
		}
		if rest, _ := io.ReadAll(p.in); !bytes.Equal(rest, behind) {
			t.Fatalf("%q is left instead of %q", rest, behind)
		}
	})
}

// pieces reads at most so many bytes at once.
type pieces struct {
	in   io.Reader
	most int
}

func (p *pieces) Read(b []byte) (int, error) { return p.in.Read(b[:min(len(b), p.most)]) }

// What a hostile master answers is refused or understood, and ends.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{"+FULLRESYNC " + idA + " 12", "+CONTINUE", "+CONTINUE " + idA, "$EOF:" + idA, "$12", "$-1", "-ERR x", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if a, ok := parseFullResync(line); ok && (len(a.id) != idLen || a.offset < 0 || a.partial) {
			t.Errorf("%+v", a)
		}
		if a := parseContinue(line); !a.partial || len(a.id) != 0 && len(a.id) != idLen {
			t.Errorf("%+v", a)
		}
		if fr, ok := parseFrame(line); ok && (fr.mark == nil) == (fr.length < 0) {
			t.Errorf("%+v", fr)
		}
	})
}

// Whatever comes as a stream, what is in the log is what has come, from its beginning
// and up to the end of a command.
func FuzzStream(f *testing.F) {
	f.Add([]byte(cmd("SET", "a", "1")+cmd("MULTI")+cmd("INCR", "a")+cmd("EXEC")+cmd("SELECT", "3")), uint8(5))
	f.Add([]byte(cmd("MULTI")+cmd("MULTI")+cmd("SELECT", "99")+cmd("DISCARD")+cmd("EXEC")+"\n\n"+cmd("PING")), uint8(0))
	f.Add([]byte(cmd("REPLCONF", "GETACK", "*")+cmd("WATCH", "a")+cmd("FLUSHALL")+cmd("CLIENT", "REPLY", "OFF")+cmd("GET", "a")), uint8(1))
	f.Add([]byte(cmd("SYNC")+cmd("PSYNC", "?", "-1")+cmd("WAIT", "1", "0")+cmd("REPLICAOF", "NO", "ONE")+cmd("SET", "a", "b")), uint8(0))
	f.Add([]byte("*1\r\n$99999999999\r\nx"), uint8(2))
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8) {
		n := newReplicaNode(t)
		n.tune(func(o *Tuning) { o.BacklogBytes = 64 << 20 })
		a := n.applier(t)
		defer a.close()
		for rest := stream; len(rest) > 0 && a.broken == nil; {
			k := len(rest)
			if piece > 0 {
				k = min(k, int(piece))
			}
			a.makeRoom()
			k = min(k, cap(a.buf)-len(a.buf))
			a.buf = append(a.buf, rest[:k]...)
			rest = rest[k:]
			if a.feed() != nil || a.s.Parked() || !a.May() {
				break
			}
			if a.logged > a.noted || a.noted > a.fed || a.fed > len(a.buf) {
				t.Fatalf("%d %d %d %d", a.logged, a.noted, a.fed, len(a.buf))
			}
		}
		if a.f.over.Load() {
			return // it made us a master
		}
		if got := n.repl.Offset(); got > 0 {
			n.stream(0, string(stream[:got]))
		}
	})
}

// applier is one that the test feeds.
func (n *replicaNode) applier(tb testing.TB) *applier {
	ours, theirs := net.Pipe()
	go io.Copy(io.Discard, theirs)
	tb.Cleanup(func() { ours.Close(); theirs.Close() })
	f := &follower{r: n.repl, host: "master", port: 1, done: make(chan struct{}), bell: make(chan struct{}, 1)}
	close(f.done)
	f.ctx, f.quit = context.WithCancel(context.Background())
	n.world(func() {
		n.repl.mu.Lock()
		n.repl.link, n.repl.last = f, f
		n.repl.openBacklog()
		n.repl.mu.Unlock()
	})
	f.enter(connected)
	a := &applier{f: f, w: newWire(f, ours), buf: make([]byte, 0, applyBytes)}
	if !a.open() {
		tb.Fatal("stopped")
	}
	return a
}
