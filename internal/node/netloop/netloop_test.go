package netloop

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/command/builtin"
	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// server is loops, an engine and the data commands, with more: PARK is answered from
// another goroutine, BYE closes after its reply, STALL keeps the loop until it is let
// go, KILL ends the session that was opened first.
type server struct {
	addr   string
	loops  []*Loop
	closed atomic.Int64
	limit  atomic.Int64 // of waiting output, 0: none
	query  atomic.Int64 // limit of the query buffer
	engine *exec.Engine
	gates  exec.Gates
	fakeReplicas

	mu       sync.Mutex
	sessions []*session.Session
	parked   []func([]byte)
	stalled  chan struct{}
}

func serve(t *testing.T, loops int) *server {
	t.Helper()
	sv := &server{stalled: make(chan struct{})}
	sv.query.Store(1 << 20)
	ks, err := keyspace.New(keyspace.Options{Log: &sv.fakeReplicas})
	if err != nil {
		t.Fatal(err)
	}
	engine := exec.New(exec.Options{
		Keyspace: ks, View: &atomic.Pointer[topology.View]{}, Gates: &sv.gates,
		Beside:   func() int64 { return 0 },
		LogEnd:   sv.end.Load,
		Recorder: func() func([]session.Record) { return func([]session.Record) {} },
		Monitor:  &atomic.Pointer[exec.MonitorFunc]{},
		Slow:     func(*session.Session, *command.Spec, [][]byte, int64, int64) {},
	})
	table, err := command.NewTable(builtin.Specs(), engine.Specs(), sv.specs())
	if err != nil {
		t.Fatal(err)
	}
	engine.Use(table)
	sv.engine = engine
	opt := &Options{
		Engine: engine, Open: sv.open(acl.New(acl.Options{})), Closed: func(*session.Session) { sv.closed.Add(1) },
		OverLimit: sv.overLimit, Received: func(int) {}, Sent: func(int) {}, ReplSent: func(int) {},
		MaxQuery: func() int { return int(sv.query.Load()) }, MaxBulk: func() int64 { return 0 }, KeepAlive: func() int { return 60 },
		Acked: sv.acked, Await: sv.await, LogEnd: sv.end.Load,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for range loops {
		l, err := New(opt)
		if err != nil {
			t.Fatal(err)
		}
		sv.loops = append(sv.loops, l)
		go l.Run()
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := Listen(ln, sv.loops); err != nil {
		t.Fatal(err)
	}
	sv.addr = ln.Addr().String()
	t.Cleanup(func() {
		Unlisten(ln, sv.loops)
		for i := len(sv.loops) - 1; i >= 0; i-- {
			sv.loops[i].Stop()
		}
		ks.Close()
	})
	return sv
}

func (sv *server) specs() []*command.Spec {
	return []*command.Spec{
		{Name: "park", Group: "server", Since: "1.0.0", Summary: "Waits.", Complexity: "O(1)", Arity: 1, Service: func(c *command.Call) {
			resume, _ := c.Client.Park()
			sv.mu.Lock()
			sv.parked = append(sv.parked, resume)
			sv.mu.Unlock()
		}},
		{Name: "bye", Group: "server", Since: "1.0.0", Summary: "Ends.", Complexity: "O(1)", Arity: 1, Service: func(c *command.Call) {
			c.Out.SimpleString("BYE")
			c.Client.(*session.Session).Set(session.CloseAfterReply)
		}},
		{Name: "stall", Group: "server", Since: "1.0.0", Summary: "Keeps the loop.", Complexity: "O(1)", Arity: 1, Service: func(c *command.Call) {
			sv.stalled <- struct{}{}
			<-sv.stalled
		}},
		{Name: "kill", Group: "server", Since: "1.0.0", Summary: "Kills.", Complexity: "O(1)", Arity: 1, Service: func(c *command.Call) {
			sv.session(0).Kill()
			c.Out.SimpleString("OK")
		}},
	}
}

func (sv *server) open(users *acl.Accounts) func(session.Home, netip.AddrPort, netip.AddrPort, string) (*session.Session, string) {
	var id atomic.Uint64
	return func(home session.Home, remote, local netip.AddrPort, _ string) (*session.Session, string) {
		s := session.New(id.Add(1), home)
		s.Remote, s.Local, s.Account = remote, local, users.Default()
		sv.mu.Lock()
		sv.sessions = append(sv.sessions, s)
		sv.mu.Unlock()
		return s, ""
	}
}

// session is the i-th that was opened.
func (sv *server) session(i int) *session.Session {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	return sv.sessions[i]
}

func (sv *server) overLimit(_ *session.Session, waiting int, _ int64) string {
	if limit := sv.limit.Load(); limit > 0 && int64(waiting) > limit {
		return "too much"
	}
	return ""
}

// client is one connection to the server.
type client struct {
	net.Conn
	in *bufio.Reader
}

func (sv *server) dial(t *testing.T) *client {
	t.Helper()
	c, err := net.Dial("tcp", sv.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(30 * time.Second))
	return &client{c, bufio.NewReader(c)}
}

func (c *client) send(t *testing.T, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func (c *client) expect(t *testing.T, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.in, got); err != nil {
		t.Fatalf("got %q (%v), want %q", got, err, want)
	}
	if string(got) != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// eventually waits for a condition with a deadline.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("in vain: ", what)
		}
	}
}

func TestPipelineInPieces(t *testing.T) {
	sv := serve(t, 1)
	c := sv.dial(t)
	text := strings.Repeat("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nAPPEND k \"\"\r\n", 100)
	for len(text) > 0 {
		n := min(len(text), 1+len(text)%17)
		c.send(t, text[:n])
		text = text[n:]
	}
	c.expect(t, strings.Repeat("+OK\r\n$5\r\nhello\r\n:5\r\n", 100))
}

func TestLargeValues(t *testing.T) {
	sv := serve(t, 2)
	c := sv.dial(t)
	big := bytes.Repeat([]byte("0123456789"), 90_000)
	go fmt.Fprintf(c, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n%s\r\n", len(big), big)
	c.expect(t, "+OK\r\n")
	c.send(t, strings.Repeat("GET k\r\n", 20)) // more than a socket takes at once
	for range 20 {
		c.expect(t, fmt.Sprintf("$%d\r\n%s\r\n", len(big), big))
	}
}

// An argument of many megabytes makes its buffer grow in steps, beside the loop: what was before it and what is behind
// it keeps its place, also when the command before it ends meanwhile.
func TestArgumentThatMoves(t *testing.T) {
	sv := serve(t, 1)
	sv.query.Store(1 << 30)
	c := sv.dial(t)
	big := strings.Repeat("0123456789abcdef", 1<<20)
	const piece = 300_001 // more than what is moved on the loop
	c.send(t, "PARK\r\n")
	eventually(t, "the command parks", func() bool { sv.mu.Lock(); defer sv.mu.Unlock(); return len(sv.parked) == 1 })
	text := fmt.Sprintf("SET k 1\r\n*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%d\r\n%s\r\nSTRLEN big\r\nGET k\r\n", len(big), big)
	other := sv.dial(t)
	for at := 0; at < len(text); at += piece {
		c.send(t, text[at:min(at+piece, len(text))])
		other.send(t, "GET none\r\n")
		other.expect(t, "$-1\r\n")
		if at/piece == len(text)/piece/2 {
			sv.parked[0]([]byte("+late\r\n"))
		}
	}
	c.expect(t, fmt.Sprintf("+late\r\n+OK\r\n+OK\r\n:%d\r\n$1\r\n1\r\n", len(big)))
	other.send(t, "GET big\r\n")
	other.expect(t, fmt.Sprintf("$%d\r\n%s\r\n", len(big), big))
}

// Who goes away while his buffer moves leaves nothing behind.
func TestGoneWhileMoving(t *testing.T) {
	sv := serve(t, 1)
	sv.query.Store(1 << 30)
	for range 20 {
		c := sv.dial(t)
		c.send(t, fmt.Sprintf("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%d\r\n%s", 64<<20, strings.Repeat("x", 2<<20)))
		c.Close()
	}
	eventually(t, "all are closed", func() bool { return sv.closed.Load() == 20 })
	c := sv.dial(t)
	c.send(t, "EXISTS big\r\n")
	c.expect(t, ":0\r\n")
}

func TestParkedCommandHoldsItsPipeline(t *testing.T) {
	sv := serve(t, 1)
	c := sv.dial(t)
	c.send(t, "SET k 1\r\nPARK\r\nINCR k\r\n")
	c.expect(t, "+OK\r\n")
	eventually(t, "the command parks", func() bool { sv.mu.Lock(); defer sv.mu.Unlock(); return len(sv.parked) == 1 })
	c.send(t, "INCR k\r\n")
	other := sv.dial(t)
	other.send(t, "GET k\r\n")
	other.expect(t, "$1\r\n1\r\n")
	sv.mu.Lock()
	resume := sv.parked[0]
	sv.mu.Unlock()
	resume([]byte("+late\r\n"))
	c.expect(t, "+late\r\n:2\r\n:3\r\n")
}

// onLoop runs f on the first loop and waits for it.
func (sv *server) onLoop(f func()) {
	done := make(chan struct{})
	sv.loops[0].Do(func() { f(); close(done) })
	<-done
}

func TestAskingLastsForOneParkedCommand(t *testing.T) {
	sv := serve(t, 1)
	c := sv.dial(t)
	c.send(t, "SET k 1\r\n")
	c.expect(t, "+OK\r\n")
	s := sv.session(0)
	sv.onLoop(func() { s.Set(session.Asking | session.ReplyOff) })
	c.send(t, "PARK\r\n")
	eventually(t, "the command parks", func() bool { sv.mu.Lock(); defer sv.mu.Unlock(); return len(sv.parked) == 1 })
	sv.onLoop(func() {
		if s.Is(session.Asking) {
			t.Error("ASKING outlived the command behind it")
		}
	})
	sv.parked[0]([]byte("+not wanted\r\n"))
	eventually(t, "the command is answered", func() (answered bool) {
		sv.onLoop(func() { answered = !s.Parked() })
		return answered
	})
	sv.onLoop(func() { s.Clear(session.ReplyOff) })
	c.send(t, "GET k\r\n")
	c.expect(t, "$1\r\n1\r\n")
}

func TestMailComesBehindReplies(t *testing.T) {
	sv := serve(t, 2)
	c := sv.dial(t)
	c.send(t, "SET k 1\r\n")
	c.expect(t, "+OK\r\n")
	for range 100 {
		sv.session(0).Deliver([]byte("+mail\r\n"))
	}
	c.expect(t, strings.Repeat("+mail\r\n", 100))
}

func TestGoodbyeAndKill(t *testing.T) {
	sv := serve(t, 1)
	c := sv.dial(t)
	c.send(t, "BYE\r\nSET k 1\r\n")
	c.expect(t, "+BYE\r\n")
	if _, err := c.in.ReadByte(); err == nil {
		t.Fatal("the connection is still open after its goodbye")
	}
	k := sv.dial(t)
	k.send(t, "SET k 1\r\n")
	k.expect(t, "+OK\r\n")
	sv.session(1).Kill()
	if _, err := k.in.ReadByte(); err == nil {
		t.Fatal("the connection is still open after a kill")
	}
	eventually(t, "both sessions are reported closed", func() bool { return sv.closed.Load() == 2 })
}

// What a killed client has said after its killer was answered is not done, though both
// were read in one turn.
func TestKilledInTheSameTurn(t *testing.T) {
	sv := serve(t, 1)
	victim, killer, other := sv.dial(t), sv.dial(t), sv.dial(t)
	victim.send(t, "GET k\r\n")
	victim.expect(t, "$-1\r\n")
	other.send(t, "STALL\r\n")
	<-sv.stalled
	killer.send(t, "KILL\r\n")
	victim.send(t, "SET k 1\r\n")
	sv.stalled <- struct{}{}
	killer.expect(t, "+OK\r\n")
	if _, err := victim.in.ReadByte(); err == nil {
		t.Error("a killed client is answered")
	}
	killer.send(t, "GET k\r\n")
	killer.expect(t, "$-1\r\n")
}

func TestWhoDoesNotReadIsCutOff(t *testing.T) {
	sv := serve(t, 1)
	sv.limit.Store(1 << 20)
	c := sv.dial(t)
	c.send(t, fmt.Sprintf("SET k %s\r\n", strings.Repeat("x", 50_000)))
	c.expect(t, "+OK\r\n")
	go io.WriteString(c, strings.Repeat("GET k\r\n", 1000))
	eventually(t, "the client is closed", func() bool { return sv.closed.Load() == 1 })
}

func TestQueryBufferLimit(t *testing.T) {
	sv := serve(t, 1)
	c := sv.dial(t)
	go io.WriteString(c, "*2\r\n$3\r\nGET\r\n$400000000\r\n"+strings.Repeat("x", 4<<20))
	eventually(t, "the client is closed", func() bool { return sv.closed.Load() == 1 })
}

func TestProtocolErrorEndsTheConnection(t *testing.T) {
	sv := serve(t, 1)
	c := sv.dial(t)
	c.send(t, "SET k 1\r\n*x\r\n")
	c.expect(t, "+OK\r\n-ERR Protocol error: invalid multibulk length\r\n")
	if _, err := c.in.ReadByte(); err == nil {
		t.Fatal("the connection is still open after a protocol error")
	}
}

func TestManyClients(t *testing.T) {
	sv := serve(t, 3)
	var wg sync.WaitGroup
	for i := range 30 {
		c := sv.dial(t)
		wg.Go(func() {
			for j := range 200 {
				fmt.Fprintf(c, "SET k%d %d\r\nGET k%d\r\n", i, j, i)
				n := len(fmt.Sprint(j))
				c.expect(t, fmt.Sprintf("+OK\r\n$%d\r\n%d\r\n", n, j))
			}
		})
	}
	wg.Wait()
}
