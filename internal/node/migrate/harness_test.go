package migrate

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/builtin"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/testkit"
)

// node is a keyspace with the data commands and MIGRATE, and just enough of an
// engine to run them.
type node struct {
	tb    testing.TB
	ks    *keyspace.Keyspace
	m     *Migrator
	table *command.Table

	mu     sync.Mutex
	logged []string
	events []string
}

func newNode(tb testing.TB, cluster bool) *node {
	n := &node{tb: tb}
	var err error
	n.ks, err = keyspace.New(keyspace.Options{Cluster: cluster, Log: n, Listener: n})
	if err != nil {
		tb.Fatal(err)
	}
	n.m = New(Options{Keyspace: n.ks})
	tb.Cleanup(func() {
		n.m.Close()
		n.ks.Close()
	})
	t := n.ks.Tuned()
	t.Events, _ = keyspace.ParseClasses("EA")
	n.ks.Tune(t)
	if n.table, err = command.NewTable(builtin.Specs(), n.m.Specs()); err != nil {
		tb.Fatal(err)
	}
	return n
}

func (n *node) Active() bool { return true }

func (n *node) Append(effects []keyspace.Effect, _ bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range effects {
		v, err := resp.NewReader(bytes.NewReader(e.Argv)).Read()
		if err != nil {
			n.tb.Error(err)
		}
		n.logged = append(n.logged, words(v))
	}
}

func (n *node) KeyEvent(_ int, _ keyspace.Class, event string, key []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, event+" "+string(key))
}

func words(v resp.Value) string {
	var w []string
	for _, e := range v.Elems {
		w = append(w, e.Text())
	}
	return strings.Join(w, " ")
}

// took returns what was logged and announced since the last call.
func (n *node) took() (logged, events []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	logged, events = n.logged, n.events
	n.logged, n.events = nil, nil
	return logged, events
}

// client calls commands of a node one after the other, as a session does.
type client struct {
	*node
	db      int
	inMulti bool
	hold    keyspace.Hold
	tx      keyspace.WriteTx
	parked  chan string
	awake   chan struct{}
}

func (n *node) client() *client {
	return &client{node: n, awake: make(chan struct{}, 1)}
}

func (c *client) ID() uint64                                { return 1 }
func (c *client) Name() string                              { return "" }
func (c *client) User() string                              { return "default" }
func (c *client) Addr() netip.AddrPort                      { return netip.AddrPort{} }
func (c *client) Proto() int                                { return 2 }
func (c *client) SelectDB(db int)                           { c.db = db }
func (c *client) InMulti() bool                             { return c.inMulti }
func (c *client) Block(call *command.Call, w *command.Wait) { w.Null(call.Out) }
func (c *client) Wake()                                     { c.awake <- struct{}{} }

func (c *client) Park() (func([]byte), bool) {
	if c.inMulti {
		return nil, false
	}
	c.parked = make(chan string, 1)
	return func(b []byte) { c.parked <- string(b) }, true
}

// start runs a command up to its reply, or up to where it is parked.
func (c *client) start(argv ...string) (reply string, parked bool) {
	var args [][]byte
	for _, a := range argv {
		args = append(args, []byte(a))
	}
	spec, err := c.table.Resolve(args)
	if err != nil {
		return "-" + err.Error(), false
	}
	keys, _ := command.AppendKeys(nil, spec, args)
	for ok := false; !ok; {
		c.hold.Reset(c.ks)
		for _, k := range keys {
			c.hold.AddSlot(slot.Of(args[k.Index]))
		}
		if spec.Is(command.Whole) {
			c.hold.AddAll()
		}
		if ok = c.ks.Acquire(&c.hold, c); !ok {
			<-c.awake
		}
	}
	defer c.ks.Release(&c.hold)
	out := resp.Writer{Proto: 2}
	call := command.Call{Spec: spec, Args: args, Out: &out, Now: time.Now().UnixMilli(), DB: c.db, Client: c}
	c.parked = nil
	c.tx.Begin(c.ks, &c.hold, c.db, call.Now, 0)
	if spec.Read != nil {
		spec.Read(&call, &c.tx.ReadTx)
		c.tx.Commit(nil)
	} else {
		spec.Write(&call, &c.tx)
		c.tx.Commit(args)
	}
	for _, a := range args { // the arguments are the engine's again
		clear(a)
	}
	return string(out.Buf), c.parked != nil
}

// do runs a command and returns its reply without the line end.
func (c *client) do(argv ...string) string {
	reply, parked := c.start(argv...)
	if parked {
		reply = <-c.parked
	}
	return strings.TrimSuffix(reply, "\r\n")
}

func (c *client) want(reply string, argv ...string) {
	c.tb.Helper()
	if got := c.do(argv...); got != reply {
		c.tb.Fatalf("%.200q: %q instead of %q", argv, got, reply)
	}
}

// serve answers commands on a port of 127.0.0.1, as a node that others migrate to.
func (n *node) serve() (port string) {
	return listen(n.tb, func(conn net.Conn) {
		c, in := n.client(), resp.NewReader(conn)
		for {
			v, err := in.Read()
			if err != nil {
				return
			}
			var argv []string
			for _, e := range v.Elems {
				argv = append(argv, e.Text())
			}
			reply := "+OK"
			if argv[0] != "SELECT" {
				reply = c.do(argv...)
			}
			fmt.Fprintf(conn, "%s\r\n", reply)
		}
	})
}

// listen serves each connection to a port of 127.0.0.1, and closes it then.
func listen(tb testing.TB, serve func(net.Conn)) (port string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// redis is a running redis-server.
type redis struct {
	tb   testing.TB
	port string
	conn net.Conn
	in   *resp.Reader
}

// firstPort and ports are the range in which the tests' servers listen.
const (
	firstPort = 20100
	ports     = 100
)

func startRedis(tb testing.TB, options ...string) *redis {
	program := testkit.Program(tb, "redis-server")
	for port := firstPort; port < firstPort+ports; port++ {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		if err != nil {
			continue
		}
		l.Close()
		if r := tryRedis(tb, program, strconv.Itoa(port), options); r != nil {
			return r
		}
	}
	tb.Fatal("no port is free")
	return nil
}

func tryRedis(tb testing.TB, program, port string, options []string) *redis {
	args := append([]string{"--port", port, "--bind", "127.0.0.1", "--dir", tb.TempDir(), "--save", "", "--enable-debug-command", "local"}, options...)
	if slices.Contains(options, "--cluster-enabled") {
		n, _ := strconv.Atoi(port)
		args = append(args, "--cluster-port", strconv.Itoa(n+1000))
	}
	cmd := exec.Command(program, args...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if strings.Contains(lines.Text(), "Ready to accept connections") {
			go func() {
				for lines.Scan() {
				}
			}()
			conn, err := net.Dial("tcp", "127.0.0.1:"+port)
			if err != nil {
				tb.Fatal(err)
			}
			tb.Cleanup(func() { conn.Close() })
			return &redis{tb, port, conn, resp.NewReader(conn)}
		}
	}
	return nil
}

func (r *redis) do(argv ...string) resp.Value {
	r.tb.Helper()
	if _, err := r.conn.Write(resp.AppendCommand(nil, argv...)); err != nil {
		r.tb.Fatal(err)
	}
	v, err := r.in.Read()
	if err != nil {
		r.tb.Fatal(err)
	}
	return v
}

func (r *redis) text(argv ...string) string {
	r.tb.Helper()
	v := r.do(argv...)
	if v.Kind == resp.Integer {
		return strconv.FormatInt(v.Int, 10)
	}
	return v.Text()
}
