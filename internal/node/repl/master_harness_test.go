package repl

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// newMaster is a node that replicas played by the test can follow.
func newMaster(tb testing.TB) *replicaNode {
	n := newReplicaNode(tb)
	dir := tb.TempDir()
	n.repl.opt.Dir = func() string { return dir }
	n.repl.opt.Snapshot = n.snapshot
	n.repl.opt.Empty = func(Aux) (Snapshot, error) { return emptySnapshot{}, nil }
	n.repl.opt.Engine.Stray = func(s *session.Session, _ []byte) { n.repl.opt.Clients.Kill(s) }
	n.tune(func(t *Tuning) { t.Diskless = true })
	return n
}

// testSnapshot writes the RDB of testRDB.
type testSnapshot struct {
	cut  *keyspace.Cut
	gate chan struct{} // if not nil, closed when the writing may begin
}

func (n *replicaNode) snapshot(Aux) (Snapshot, error) {
	c, err := n.ks.Cut()
	if err != nil {
		return nil, ErrBusy
	}
	return &testSnapshot{cut: c}, nil
}

func (s *testSnapshot) Save(w io.Writer) error {
	if s.gate != nil {
		<-s.gate
	}
	if err := s.cut.Walk(testSink{w}); err != nil {
		return err
	}
	_, err := w.Write(resp.AppendCommand(nil, "END"))
	return err
}

func (s *testSnapshot) Abort() { s.cut.Abort() }

type testSink struct{ io.Writer }

func (w testSink) Database(int, int64, int64) error { return nil }

func (w testSink) Put(it *keyspace.Item) error {
	_, err := w.Write(resp.AppendCommandBytes(nil, []byte("SET"), it.Key, it.Bytes))
	return err
}

type emptySnapshot struct{}

func (emptySnapshot) Save(w io.Writer) error {
	_, err := w.Write(resp.AppendCommand(nil, "END"))
	return err
}
func (emptySnapshot) Abort() {}

// client is a connection to the node, with a loop of its own.
type client struct {
	n     *replicaNode
	s     *session.Session
	turn  exec.Turn
	tasks chan func()
	bell  chan struct{}
	gone  chan struct{} // closed when the connection is
	deaf  atomic.Bool   // reads nothing

	mu  sync.Mutex
	got bytes.Buffer
}

func (n *replicaNode) connect() *client {
	n.tb.Helper()
	c := &client{n: n, tasks: make(chan func()), bell: make(chan struct{}, 1), gone: make(chan struct{})}
	at := netip.MustParseAddrPort(fmt.Sprintf("127.0.0.1:%d", 20000+n.ids.Add(1)))
	var refusal string
	if c.s, refusal = n.repl.opt.Clients.Open(c, at, at, ""); refusal != "" {
		n.tb.Fatal(refusal)
	}
	go c.run()
	n.tb.Cleanup(func() { c.s.Kill(); <-c.gone })
	return c
}

// Notify implements session.Home.
func (c *client) Notify(*session.Session) {
	select {
	case c.bell <- struct{}{}:
	default:
	}
}

func (*client) Carries() bool { return false }

func (c *client) run() {
	defer close(c.gone)
	for c.attend() {
		select {
		case task := <-c.tasks:
			task()
		case <-c.bell:
		}
	}
	c.n.repl.Closed(c.s)
	c.n.repl.opt.Clients.Closed(c.s)
}

// attend is what a loop does for a session; false: the connection is closed.
func (c *client) attend() bool {
	mail, knock := c.s.Open(nil)
	if knock.Kill {
		return false
	}
	if knock.Replied {
		c.n.repl.opt.Engine.Answer(&c.turn, c.s, knock.Reply)
	}
	if knock.Wake && len(c.s.Retry) > 0 {
		c.n.repl.opt.Engine.Retry(&c.turn, c.s)
	}
	c.take(mail)
	c.take(c.s.Out.Buf)
	c.s.Out.Buf = c.s.Out.Buf[:0]
	c.s.Publish()
	buf := make([]byte, 1000)
	for c.s.Source != nil && !c.deaf.Load() {
		k, ok := c.s.Pull(buf)
		if !ok {
			return false
		}
		if k == 0 {
			break
		}
		c.take(buf[:k])
	}
	return !c.s.Is(session.CloseAfterReply)
}

func (c *client) take(b []byte) {
	c.mu.Lock()
	c.got.Write(b)
	c.mu.Unlock()
}

// send runs a command; its answer comes like all that the node sends.
func (c *client) send(words ...string) {
	done := make(chan struct{})
	select {
	case c.tasks <- func() {
		c.turn.NowMs = now()
		c.n.repl.opt.Engine.Feed(&c.turn, c.s, resp.AppendCommand(nil, words...))
		close(done)
	}:
		<-done
	case <-c.gone:
	}
}

// received is everything so far that was not taken by expect.
func (c *client) received() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got.String()
}

// expect takes text, which must come next.
func (c *client) expect(text string) {
	c.n.tb.Helper()
	c.n.eventually(fmt.Sprintf("the client reads %.200q", text), func() bool { return len(c.received()) >= len(text) })
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := string(c.got.Next(len(text))); got != text {
		c.n.tb.Fatalf("the client reads\n%.500q instead of\n%.500q", got, text)
	}
}

// line takes one line.
func (c *client) line() string {
	c.n.tb.Helper()
	c.n.eventually("the client reads a line", func() bool { return strings.Contains(c.received(), "\n") })
	c.mu.Lock()
	defer c.mu.Unlock()
	text, _ := c.got.ReadString('\n')
	return strings.TrimRight(text, "\r\n")
}

// do runs a command and returns its answer's first line.
func (c *client) do(words ...string) string {
	c.n.tb.Helper()
	c.send(words...)
	return c.line()
}

func (c *client) wantClosed() {
	c.n.tb.Helper()
	c.n.eventually("the connection is closed", func() bool {
		select {
		case <-c.gone:
			return true
		default:
			return false
		}
	})
}

// settled waits until the client has nothing to do, and tells what it has read.
func (c *client) settled() string {
	c.send("REPLCONF", "GETACK", "*") // has no answer
	return c.received()
}

// sync is a full sync up to the acknowledgement; it returns the offset and the RDB.
func (c *client) sync() (offset string, rdb string) {
	c.n.tb.Helper()
	if got := c.do("REPLCONF", "listening-port", "7001", "capa", "eof", "capa", "psync2"); got != "+OK" {
		c.n.tb.Fatal(got)
	}
	c.send("PSYNC", "?", "-1")
	return c.load()
}

// load reads an RDB that is marked by its end, and acknowledges.
func (c *client) load() (offset string, rdb string) {
	c.n.tb.Helper()
	words := strings.Fields(c.fullResync())
	if len(words) != 3 || words[0] != "+FULLRESYNC" || words[1] != c.n.repl.History().ID {
		c.n.tb.Fatal(words)
	}
	mark, ok := strings.CutPrefix(c.line(), "$EOF:")
	if !ok || len(mark) != 40 {
		c.n.tb.Fatalf("mark %q", mark)
	}
	c.n.eventually("the RDB ends", func() bool { return strings.HasSuffix(c.received(), mark) })
	rdb = strings.TrimSuffix(c.received(), mark)
	c.expect(rdb + mark)
	c.n.eventually("online", func() bool { return c.phase() == online })
	c.send("REPLCONF", "ACK", words[2])
	return words[2], rdb
}

// fullResync is the next line that is not empty.
func (c *client) fullResync() (line string) {
	for line == "" {
		line = c.line()
	}
	return line
}

func (c *client) phase() phase {
	c.n.repl.mu.Lock()
	defer c.n.repl.mu.Unlock()
	if p, ok := c.s.Following.(*replica); ok {
		return p.phase
	}
	return talking
}

// set writes a key in database 0.
func (n *replicaNode) set(key, value string) { n.setIn(0, key, value) }

func (n *replicaNode) setIn(db int, key, value string) {
	n.world(func() {
		var h keyspace.Hold
		h.Reset(n.ks)
		h.AddAll()
		var tx keyspace.WriteTx
		tx.Begin(n.ks, &h, db, now(), 0)
		tx.SetStr([]byte(key), []byte(value), keyspace.NoExpiry)
		tx.Commit([][]byte{[]byte("SET"), []byte(key), []byte(value)})
	})
}

// handshake is greet that returns all words of PSYNC.
func (m *playedMaster) handshake() []string {
	m.tb.Helper()
	m.expect("PING")
	m.say("+PONG\r\n")
	m.expect("REPLCONF", "listening-port", "7777")
	m.expect("REPLCONF", "capa", "eof", "capa", "psync2", "capa", "field-expiry")
	m.say("+OK\r\n+OK\r\n")
	return m.next()
}

func (n *replicaNode) offsetText() string { return strconv.FormatInt(n.repl.Offset(), 10) }

// offsetAfter is the offset of the byte behind at.
func offsetAfter(at int64) string { return strconv.FormatInt(at+1, 10) }
