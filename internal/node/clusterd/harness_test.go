package clusterd

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/command/builtin"
	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// TestMain runs many tests at once: nearly all their time is the two seconds before a new master may serve.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "8")
	os.Exit(m.Run())
}

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// Ports of this package's tests. They begin at different places, so that two runs at once seldom meet.
const (
	portMin   = 16000
	portCount = 500
)

var portsUsed atomic.Int32

// freePort returns a port that nobody uses, and no other test of this run.
func freePort(t *testing.T) int {
	t.Helper()
	for {
		port := portMin + (os.Getpid()*37+int(portsUsed.Add(1)))%portCount
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			ln.Close()
			return port
		}
	}
}

// testNode is a node without network for clients: a keyspace, an engine and a driver.
type testNode struct {
	t      *testing.T
	dir    string
	bus    uint16
	config core.Config
	hooks  Hooks
	flight string

	preload func() // what is loaded from disk

	ks     *keyspace.Keyspace
	view   atomic.Pointer[topology.View]
	engine *exec.Engine
	gates  exec.Gates
	d      *Driver
	logged *logBuffer
	log    fakeLog
}

// option changes a node before it starts.
type nodeOption func(*testNode)

func startNode(t *testing.T, options ...nodeOption) *testNode {
	t.Helper()
	n := &testNode{t: t, dir: t.TempDir(), logged: &logBuffer{}}
	n.config = core.DefaultConfig()
	n.config.NodeTimeout = 2000
	n.hooks.Fatal = func(err error) { t.Errorf("fatal: %v", err) }
	n.bus = uint16(freePort(t))
	for _, change := range options {
		change(n)
	}
	n.config.Port, n.config.BusPort = n.bus-15000, n.bus // nobody listens for clients
	n.start()
	t.Cleanup(n.stop)
	return n
}

func (n *testNode) start() {
	n.t.Helper()
	var err error
	if n.ks, err = keyspace.New(keyspace.Options{Databases: 1, Cluster: true, Stripes: 16, Log: &n.log}); err != nil {
		n.t.Fatal(err)
	}
	n.engine = exec.New(exec.Options{
		Keyspace: n.ks, View: &n.view, Gates: &n.gates, Beside: func() int64 { return 0 },
		LogEnd:   func() int64 { return 0 },
		Recorder: func() func([]session.Record) { return func([]session.Record) {} },
		Monitor:  new(atomic.Pointer[exec.MonitorFunc]),
		Slow:     func(*session.Session, *command.Spec, [][]byte, int64, int64) {},
	})
	n.gates.SlowNanos.Store(-1)
	if n.d, err = New(n.options()); err != nil {
		n.t.Fatal(err)
	}
	table, err := command.NewTable(Specs(n.d), builtin.Specs(), n.engine.Specs())
	if err != nil {
		n.t.Fatal(err)
	}
	n.engine.Use(table)
	if n.preload != nil {
		n.preload()
	}
	if err := n.d.Start(); err != nil {
		n.t.Fatal(err)
	}
}

// set makes a key without asking whose it is.
func (n *testNode) set(key string) {
	var hold keyspace.Hold
	hold.Reset(n.ks)
	hold.AddSlot(slot.Of([]byte(key)))
	n.ks.Acquire(&hold, nil)
	var tx keyspace.WriteTx
	tx.Begin(n.ks, &hold, 0, time.Now().UnixMilli(), 0)
	if err := tx.SetStr([]byte(key), []byte("value"), keyspace.NoExpiry); err != nil {
		n.t.Fatal(err)
	}
	tx.Commit(nil)
	n.ks.Release(&hold)
}

// apply is what CONFIG SET does.
func (n *testNode) apply(c core.Config) {
	var all keyspace.Hold
	n.ks.AcquireAll(&all)
	n.d.Apply(c)
	n.ks.Release(&all)
}

func (n *testNode) options() Options {
	return Options{
		Config: n.config, File: filepath.Join(n.dir, "nodes.conf"), Flight: n.flight, Bind: []string{"127.0.0.1"}, Port: n.bus,
		Keyspace: n.ks, View: &n.view, Costs: &n.engine.Costs, Log: slog.New(slog.NewTextHandler(n.logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Hooks: n.hooks,
	}
}

func (n *testNode) stop() {
	if n.d == nil {
		return
	}
	if err := n.d.Stop(); err != nil {
		n.t.Error(err)
	}
	n.ks.Close()
	n.d = nil
	if n.t.Failed() {
		n.t.Logf("log of the node at %d:\n%s", n.bus, n.logged)
	}
}

// restart stops the node and starts it on the same nodes.conf, without keys.
func (n *testNode) restart() {
	n.t.Helper()
	n.stop()
	n.start()
}

// client is a connection to the node.
type client struct {
	n    *testNode
	s    *session.Session
	turn exec.Turn
	told chan struct{}
}

// Notify implements session.Home.
func (c *client) Notify(*session.Session) {
	select {
	case c.told <- struct{}{}:
	default:
	}
}

func (*client) Carries() bool { return false }

func (n *testNode) client() *client {
	c := &client{n: n, told: make(chan struct{}, 1)}
	c.s = session.New(1, c)
	c.s.Account = acl.New(acl.Options{}).Default()
	return c
}

// send runs one command line; its reply may come later.
func (c *client) send(words ...string) {
	argv := make([][]byte, len(words))
	for i, w := range words {
		argv[i] = []byte(w)
	}
	c.s.Out.Buf = nil
	c.turn.NowMs = time.Now().UnixMilli()
	c.n.engine.Feed(&c.turn, c.s, resp.AppendCommandBytes(nil, argv...))
}

// do runs one command line and returns the reply, once it is there.
func (c *client) do(words ...string) string {
	c.n.t.Helper()
	c.send(words...)
	return c.await(strings.Join(words, " "))
}

// await waits for the reply to what was sent.
func (c *client) await(what string) string {
	c.n.t.Helper()
	deadline := time.After(patience)
	for c.s.Parked() {
		select {
		case <-c.told:
		case <-deadline:
			c.n.t.Fatalf("no answer to %s", what)
		}
		_, knock := c.s.Open(nil)
		if knock.Replied {
			c.s.Unpark()
			c.s.Out.Raw(knock.Reply)
		}
		if knock.Wake && len(c.s.Retry) > 0 {
			c.n.engine.Retry(&c.turn, c.s)
		}
	}
	return string(c.s.Out.Buf)
}

// do runs one command line on a new connection.
func (n *testNode) do(line string) string {
	n.t.Helper()
	return n.client().do(strings.Fields(line)...)
}

// ok runs a command that must answer OK.
func (n *testNode) ok(line string) {
	n.t.Helper()
	if got := n.do(line); got != "+OK\r\n" {
		n.t.Fatalf("%s: %q", line, got)
	}
}

func (n *testNode) id() string { return bulk(n.do("cluster myid")) }

// bulk is the content of a bulk reply.
func bulk(reply string) string {
	_, rest, _ := strings.Cut(reply, "\r\n")
	return strings.TrimSuffix(rest, "\r\n")
}

// links is the number of connections, those of strangers included.
func (n *testNode) links() int {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	return len(n.d.links)
}

// fact is a field of CLUSTER INFO.
func (n *testNode) fact(name string) string {
	for line := range strings.SplitSeq(n.do("cluster info"), "\r\n") {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return value
		}
	}
	return ""
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	if !within(patience, holds) {
		t.Fatalf("never: %s", what)
	}
}

func within(most time.Duration, holds func() bool) bool {
	for deadline := time.Now().Add(most); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// count is a field of CLUSTER INFO that is a number.
func (n *testNode) count(name string) int {
	number, _ := strconv.Atoi(n.fact(name))
	return number
}

// meet joins nodes with the first one. A MEET is sent once, and the handshake given up if the machine is too busy to
// answer in time: then it is tried again.
func meet(t *testing.T, nodes ...*testNode) {
	t.Helper()
	eventually(t, "all nodes joined", func() bool {
		for _, n := range nodes[1:] {
			nodes[0].ok(fmt.Sprintf("cluster meet 127.0.0.1 %d %d", n.config.Port, n.bus))
		}
		return within(2*time.Duration(nodes[0].config.NodeTimeout)*time.Millisecond, func() bool { return joined(nodes...) })
	})
}

// joined tells whether all nodes know and reach each other.
func joined(nodes ...*testNode) bool {
	for _, n := range nodes {
		list := bulk(n.do("cluster nodes"))
		if strings.Count(list, "\n") != len(nodes) || strings.Contains(list, "handshake") || strings.Count(list, " connected") != len(nodes) {
			return false
		}
	}
	return true
}

// makeCluster joins new nodes and shares the slots among them.
func makeCluster(t *testing.T, count int) []*testNode {
	t.Helper()
	var nodes []*testNode
	for i := range count {
		n := startNode(t)
		n.ok(fmt.Sprintf("cluster addslotsrange %d %d", i*slot.Count/count, (i+1)*slot.Count/count-1))
		n.ok(fmt.Sprintf("cluster set-config-epoch %d", i+1))
		nodes = append(nodes, n)
	}
	meet(t, nodes...)
	for _, n := range nodes {
		eventually(t, "cluster state ok", func() bool { return n.fact("cluster_state") == "ok" })
	}
	return nodes
}

// logBuffer collects log lines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// fakeLog is what replicas would receive.
type fakeLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *fakeLog) Active() bool { return true }

func (l *fakeLog) Append(effects []keyspace.Effect, _ bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range effects {
		l.text.Write(e.Argv)
	}
}

func (l *fakeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
