package node

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/testkit"
)

// running is a node of a test and a client of it.
type running struct {
	*Node
	t    testing.TB
	port int
	conn *testkit.Conn
}

// run starts a node on a free port with the directives given, "name value".
func run(t testing.TB, directives ...string) *running {
	t.Helper()
	return runLoops(t, 2, directives...)
}

// runLoops is run for a node with so many event loops.
func runLoops(t testing.TB, loops int, directives ...string) *running {
	t.Helper()
	r := &running{t: t, port: testkit.FreePort(t)}
	file := filepath.Join(t.TempDir(), "redis.conf")
	lines := append([]string{"port " + strconv.Itoa(r.port), "bind 127.0.0.1", "save ''"}, directives...)
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r.Node = madeLoops(t, file, loops)
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	r.conn = r.dial(r.port)
	return r
}

// made is a node that is not started yet.
func made(t testing.TB, file string) *Node { return madeLoops(t, file, 2) }

func madeLoops(t testing.TB, file string, loops int) *Node {
	t.Helper()
	cfg, err := config.Load([]string{file}, config.Env{Dir: filepath.Dir(file)})
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	n, err := New(Options{Config: cfg, Loops: loops, Log: NewLog(log, log)})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (r *running) dial(port int) *testkit.Conn {
	r.t.Helper()
	c, err := testkit.Dial(net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Close)
	return c
}

// do runs a command and returns the reply as testkit.Show shows it.
func (r *running) do(args ...string) string {
	r.t.Helper()
	v, err := r.conn.Do(args...)
	if err != nil {
		r.t.Fatal(args, err)
	}
	return testkit.Show(v)
}

func (r *running) expect(want string, args ...string) {
	r.t.Helper()
	if got := r.do(args...); got != want {
		r.t.Errorf("%q answers %q, not %q", args, got, want)
	}
}

// info is a field of INFO.
func (r *running) info(field string) string {
	r.t.Helper()
	_, after, found := strings.Cut(r.do("INFO", "everything"), "\n"+field+":")
	if !found {
		r.t.Fatalf("INFO has no field %s", field)
	}
	value, _, _ := strings.Cut(after, "\r")
	return value
}

func (r *running) number(field string) int64 {
	r.t.Helper()
	n, err := strconv.ParseInt(r.info(field), 10, 64)
	if err != nil {
		r.t.Fatal(field, err)
	}
	return n
}

func serves(port int) bool {
	c, err := testkit.Dial(net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	defer c.Close()
	_, err = c.Do("PING")
	return err == nil
}

func TestPortMoves(t *testing.T) {
	r := run(t)
	other, taken := testkit.FreePort(t), testkit.FreePort(t)
	squatter, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(taken)))
	if err != nil {
		t.Fatal(err)
	}
	defer squatter.Close()

	r.expect("+OK", "CONFIG", "SET", "port", strconv.Itoa(other))
	if serves(r.port) || !serves(other) {
		t.Error("the port has not moved")
	}
	r.expect("-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.",
		"CONFIG", "SET", "port", strconv.Itoa(taken))
	if !serves(other) {
		t.Error("a port that is taken costs the port that was")
	}
	r.expect("[port "+strconv.Itoa(other)+"]", "CONFIG", "GET", "port")
	r.expect("+OK", "CONFIG", "SET", "port", "0")
	if serves(other) {
		t.Error("port 0 is served")
	}
	r.expect("+PONG", "PING") // who is connected stays
}

func TestBindMoves(t *testing.T) {
	r := run(t)
	r.expect("-ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified addresses.",
		"CONFIG", "SET", "bind", "192.0.2.1") // an address that no machine has
	if !serves(r.port) {
		t.Error("an address that is not ours costs the address that was")
	}
	r.expect("+OK", "CONFIG", "SET", "bind", "* -::*") // contains the address that was
	if !serves(r.port) {
		t.Error("all addresses are not served")
	}
	r.expect("+OK", "CONFIG", "SET", "bind", "127.0.0.1 -192.0.2.1") // may be missing
	if !serves(r.port) {
		t.Error("an address that may be missing is missed")
	}
	r.expect("+OK", "CONFIG", "SET", "bind", "")
	if serves(r.port) {
		t.Error("no address is served")
	}
}

func TestStartFails(t *testing.T) {
	r := run(t)
	n := made(t, r.cfg.File())
	if err := n.Start(); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("two nodes on one port: %v", err)
	}
}

func TestRestartAfterRewrite(t *testing.T) {
	r := run(t)
	for _, pair := range [][2]string{{"maxmemory", "123mb"}, {"requirepass", "se cret"}, {"notify-keyspace-events", "KEA"}, {"save", "60 1"}} {
		r.expect("+OK", "CONFIG", "SET", pair[0], pair[1])
	}
	r.conn = r.dial(r.port)
	r.expect("+OK", "AUTH", "se cret")
	r.expect("+OK", "CONFIG", "REWRITE")
	cfg, err := config.Load([]string{r.cfg.File()}, config.Env{})
	if err != nil {
		t.Fatal(err)
	}
	v := cfg.Values()
	if config.MaxMemory.Get(v) != 123<<20 || config.RequirePass.Get(v) != "se cret" || config.NotifyKeyspaceEvents.Get(v) != "AKE" || len(config.Save.Get(v)) != 1 {
		t.Error("a rewritten file says something else")
	}
}

func TestMinReplicas(t *testing.T) {
	r := run(t)
	r.expect("+OK", "CONFIG", "SET", "min-replicas-to-write", "1")
	r.expect("-NOREPLICAS Not enough good replicas to write.", "SET", "k", "v")
	r.expect("(nil)", "GET", "k")
	r.expect("+OK", "CONFIG", "SET", "min-replicas-max-lag", "0") // switches it off
	r.expect("+OK", "SET", "k", "v")
}

func TestPausedNodeDropsNothing(t *testing.T) {
	r := run(t)
	r.expect("+OK", "MULTI")
	r.expect("+QUEUED", "SET", "k", "v", "PX", "1")
	r.expect("+QUEUED", "CLIENT", "PAUSE", "60000", "WRITE")
	r.expect("[+OK +OK]", "EXEC")
	testkit.Eventually(t, "the key is past its deadline", func() bool { return r.do("GET", "k") == "(nil)" })
	if n := r.number("expired_keys"); n != 0 {
		t.Errorf("%d keys expired", n)
	}
	r.expect("+OK", "CLIENT", "UNPAUSE")
	testkit.Eventually(t, "the key expires", func() bool { return r.number("expired_keys") == 1 })
}

// TestPauseHasItsReason: a client cannot end the pause of a failover.
func TestPauseHasItsReason(t *testing.T) {
	r := run(t)
	var all keyspace.Hold
	r.keyspace.AcquireAll(&all)
	r.engine.Pause(exec.ByHandOver, exec.PauseWrite, 1<<60)
	r.keyspace.Release(&all)
	r.expect("+OK", "CLIENT", "PAUSE", "60000", "WRITE")
	r.expect("+OK", "CLIENT", "UNPAUSE")
	writer := r.dial(r.port)
	if err := writer.Send("SET", "k", "v"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the write waits", func() bool { return r.info("blocked_clients") == "1" })
	r.engine.Unpause(exec.ByHandOver)
	if v, err := writer.Receive(); err != nil || testkit.Show(v) != "+OK" {
		t.Error(v, err)
	}
}

func TestLoweredMaxMemoryEvicts(t *testing.T) {
	r := run(t, "maxmemory-policy allkeys-lru")
	for i := range 1000 {
		r.do("SET", strconv.Itoa(i), strings.Repeat("x", 1000))
	}
	r.expect("+OK", "CONFIG", "SET", "maxmemory", "500kb")
	testkit.Eventually(t, "keys go without a command", func() bool { return r.number("used_memory") < 500<<10+32<<10 })
	if n := r.keyspace.Size(0); n < 100 {
		t.Errorf("only %d keys are left", n)
	}
}

// TestBuffersCount: what a client does not read counts against maxmemory.
func TestBuffersCount(t *testing.T) {
	r := run(t)
	r.expect("+OK", "SET", "k", strings.Repeat("x", 1<<20))
	used, beside := r.number("used_memory"), r.beside()
	idle := r.dial(r.port)
	for range 16 {
		if err := idle.Send("GET", "k"); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, "replies wait in memory", func() bool {
		return r.number("used_memory") > used+4<<20 && r.beside() > beside+4<<20
	})
	idle.Close()
	testkit.Eventually(t, "they are gone with the client", func() bool { return r.beside() < beside+1<<20 })
}

func TestLimitsOfArguments(t *testing.T) {
	r := run(t)
	r.expect("+OK", "CONFIG", "SET", "proto-max-bulk-len", "1mb")
	r.expect("-ERR string exceeds maximum allowed size (proto-max-bulk-len)", "SETRANGE", "k", strconv.Itoa(1<<20), "x")
	c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(testkit.Patience))
	fmt.Fprintf(c, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n", 1<<20+1) // the length is refused before the bytes come
	if got, err := io.ReadAll(c); err != nil || string(got) != "-ERR Protocol error: invalid bulk length\r\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNotSupportedYet(t *testing.T) {
	r := run(t)
	r.expect("-ERR CONFIG SET failed (possibly related to argument 'appendonly') - the append-only file is not supported yet",
		"CONFIG", "SET", "appendonly", "yes")
}

func TestBrowserIsCutOff(t *testing.T) {
	r := run(t)
	for _, said := range []string{"POST / HTTP/1.1\r\n", "Host: 127.0.0.1\r\n"} {
		c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(testkit.Patience))
		io.WriteString(c, said+"SET k v\r\n")
		if got, err := io.ReadAll(c); len(got) > 0 {
			t.Errorf("%q is answered %q, %v", said, got, err)
		}
	}
	r.expect("(nil)", "GET", "k")
}
