package migrate

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/testkit/commandfacts"
)

func TestFacts(t *testing.T) {
	table, err := command.NewTable(newNode(t, false).m.Specs())
	if err != nil {
		t.Fatal(err)
	}
	commandfacts.Check(t, table)
}

// target answers each command with the next of lines, and closes the connection
// behind the last one. "-" stands for no answer. What it was sent goes to got.
func target(t *testing.T, got chan<- string, lines ...string) (port string) {
	return listen(t, func(conn net.Conn) {
		in := resp.NewReader(conn)
		for _, line := range lines {
			v, err := in.Read()
			if err != nil {
				return
			}
			if got != nil {
				got <- words(v)
			}
			if line != "-" {
				fmt.Fprintf(conn, "%s\r\n", line)
			}
		}
	})
}

func TestArguments(t *testing.T) {
	c := newNode(t, false).client()
	c.want("+OK", "SET", "k", "v")
	for _, test := range []struct{ line, reply string }{
		{"MIGRATE h p k 0", "-ERR wrong number of arguments for 'migrate' command"},
		{"MIGRATE h p k 0 x", "-ERR value is not an integer or out of range"},
		{"MIGRATE h p k x 1", "-ERR value is not an integer or out of range"},
		{"MIGRATE h p k 0 1 BOGUS", "-ERR syntax error"},
		{"MIGRATE h p k x x BOGUS", "-ERR syntax error"},
		{"MIGRATE h p k 0 1 AUTH", "-ERR syntax error"},
		{"MIGRATE h p k 0 1 AUTH2 u", "-ERR syntax error"},
		{"MIGRATE h p k 0 1 KEYS k", "-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"},
		{"MIGRATE h p k 0 1 AUTH KEYS KEYS k", "-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"},
		{"MIGRATE h p nokey 0 1", "+NOKEY"},
		{"MIGRATE h p nokey 0 1 COPY REPLACE AUTH p", "+NOKEY"},
	} {
		got, _ := c.start(strings.Fields(test.line)...)
		if got = strings.TrimSuffix(got, "\r\n"); got != test.reply {
			t.Errorf("%s: %q", test.line, got)
		}
	}
	c.want("+NOKEY", "MIGRATE", "h", "p", "", "0", "1", "KEYS", "a", "b")
	c.want("+NOKEY", "MIGRATE", "h", "p", "", "0", "1", "KEYS")
	c.want("+NOKEY", "MIGRATE", "h", "p", "", "0", "1")
}

func TestKeyPositions(t *testing.T) {
	for _, test := range []struct {
		line string
		want []int
	}{
		{"MIGRATE h p k 0 1", []int{3}},
		{"MIGRATE h p keys 0 1", []int{3}},
		{"MIGRATE h p k 0 1 COPY", []int{3}},
		{"MIGRATE h p _ 0 1 KEYS a b", []int{7, 8}},
		{"MIGRATE h p _ 0 1 KEYS keys keys", []int{7, 8}},
		{"MIGRATE h p _ 0 1 AUTH keys KEYS a", []int{9}},
		{"MIGRATE h p _ 0 1 AUTH2 keys keys REPLACE keys a", []int{11}},
		{"MIGRATE h p k 0 1 KEYS a b", nil},
		{"MIGRATE h p k 0 1 AUTH keys", []int{3}},
	} {
		argv := bytes.Fields([]byte(test.line))
		if string(argv[3]) == "_" {
			argv[3] = nil
		}
		pos, err := migrateKeys(nil, argv)
		var got []int
		for _, p := range pos {
			got = append(got, p.Index)
		}
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, %v", test.line, got, err)
		}
	}
	var hidden []int
	hideSecrets(bytes.Fields([]byte("MIGRATE h p k 0 1 COPY AUTH2 u p AUTH x KEYS AUTH y")), func(i int) { hidden = append(hidden, i) })
	if !slices.Equal(hidden, []int{8, 9, 11}) {
		t.Errorf("hidden: %v", hidden)
	}
}

// TestWire looks at what is sent.
func TestWire(t *testing.T) {
	for _, test := range []struct {
		cluster bool
		options []string
		want    []string
	}{
		{false, nil, []string{"SELECT 5", "RESTORE k 0 *"}},
		{true, []string{"REPLACE"}, []string{"SELECT 5", "RESTORE-ASKING k 0 * REPLACE"}},
		{true, []string{"COPY", "AUTH", "p"}, []string{"AUTH p", "SELECT 5", "RESTORE-ASKING k 0 *"}},
		{false, []string{"AUTH2", "u", "p"}, []string{"AUTH u p", "SELECT 5", "RESTORE k 0 *"}},
	} {
		c := newNode(t, test.cluster).client()
		c.want("+OK", "SET", "k", "v")
		got := make(chan string, 10)
		port := target(t, got, slices.Repeat([]string{"+OK"}, len(test.want))...)
		c.want("+OK", append([]string{"MIGRATE", "127.0.0.1", port, "k", "5", "5000"}, test.options...)...)
		for _, want := range test.want {
			line := <-got
			if i := strings.Index(line, " \x00\x01v"); i >= 0 {
				line = line[:i] + " *" + line[i+len(" \x00\x01v")+10:]
			}
			if line != want {
				t.Errorf("sent %q instead of %q", line, want)
			}
		}
	}
}

// TestEndOfTime: the target adds what a key has to live to its clock, which may be ahead of ours.
func TestEndOfTime(t *testing.T) {
	c := newNode(t, false).client()
	c.want("+OK", "SET", "k", "v", "PXAT", fmt.Sprint(math.MaxInt64))
	got := make(chan string, 2)
	c.want("+OK", "MIGRATE", "127.0.0.1", target(t, got, "+OK", "+OK"), "k", "5", "5000")
	<-got
	ahead := time.Now().Add(time.Hour).UnixMilli()
	ttl, err := strconv.ParseInt(strings.Fields(<-got)[2], 10, 64)
	if err != nil || ttl > math.MaxInt64-ahead || ttl < math.MaxInt64/2 {
		t.Errorf("the key has %d ms to live (%v)", ttl, err)
	}
}

// fill sets k0, k1, … and forgets what was logged.
func (c *client) fill(n int) (keys []string) {
	for i := range n {
		key := fmt.Sprint("k", i)
		c.want("+OK", "SET", key, "v")
		keys = append(keys, key)
	}
	c.took()
	return keys
}

// TestPartly: keys go one by one, each by its own answer.
func TestPartly(t *testing.T) {
	for _, test := range []struct {
		lines  []string // to SELECT and three RESTORE
		reply  string
		logged string
	}{
		{[]string{"+OK", "+OK", "-BUSYKEY there", "+OK"}, "-ERR Target instance replied with error: BUSYKEY there", "DEL k0 k2"},
		{[]string{"+OK", "-ERR one", "-ERR two", "+OK"}, "-ERR Target instance replied with error: ERR one", "DEL k2"},
		{[]string{"-ERR no such database", "+OK", "+OK", "+OK"}, "-ERR Target instance replied with error: ERR no such database", ""},
		{[]string{"+OK", "+OK"}, "-IOERR error or timeout reading to target instance", "DEL k0"},
		{[]string{"+OK", "+OK", "-ERR then gone"}, "-ERR Target instance replied with error: ERR then gone", "DEL k0"},
	} {
		c := newNode(t, false).client()
		keys := c.fill(3)
		port := target(t, nil, test.lines...)
		c.want(test.reply, append([]string{"MIGRATE", "127.0.0.1", port, "", "0", "5000", "KEYS"}, keys...)...)
		logged, _ := c.took()
		if got := strings.Join(logged, "; "); got != test.logged {
			t.Errorf("%q: logged %q instead of %q", test.lines, got, test.logged)
		}
		if want := 3 - max(len(strings.Fields(test.logged))-1, 0); c.do("DBSIZE") != fmt.Sprint(":", want) {
			t.Errorf("%q: %s keys left instead of %d", test.lines, c.do("DBSIZE"), want)
		}
	}
}

// TestNotRedis: only what says +OK has confirmed anything.
func TestNotRedis(t *testing.T) {
	c := newNode(t, false).client()
	c.fill(1)
	port := target(t, nil, "+OK", "HTTP/1.1 400 Bad Request", "HTTP/1.1 400 Bad Request")
	c.want("-IOERR error or timeout reading to target instance", "MIGRATE", "127.0.0.1", port, "k0", "0", "5000")
	c.want(":1", "EXISTS", "k0")
}

// FuzzAnswers reads anything as answers: a key has moved only by a line of its own
// that begins with "+".
func FuzzAnswers(f *testing.F) {
	f.Add([]byte("+OK\r\n+OK\r\n-BUSYKEY there\r\n+OK\r\n"), true)
	f.Add([]byte("-ERR\r\n+OK\r\n\r\n:1\n"), false)
	f.Fuzz(func(t *testing.T, b []byte, prelude bool) {
		a := answers{c: &conn{Conn: quiet{}, in: bufio.NewReader(bytes.NewReader(b))}}
		if prelude {
			a.prelude()
		}
		moved := 0
		for range 5 {
			if a.next() {
				moved++
			}
		}
		if lines := bytes.Count(b, []byte("+")); moved > lines || moved > bytes.Count(b, []byte("\n")) {
			t.Fatalf("%q moved %d keys", b, moved)
		}
	})
}

// quiet is a connection that takes deadlines.
type quiet struct{ net.Conn }

func (quiet) SetReadDeadline(time.Time) error { return nil }

func TestCopy(t *testing.T) {
	c := newNode(t, false).client()
	c.fill(1)
	c.want("+OK", "MIGRATE", "127.0.0.1", target(t, nil, "+OK", "+OK"), "k0", "0", "5000", "COPY")
	logged, events := c.took()
	if len(logged)+len(events) > 0 {
		t.Errorf("logged %q, announced %q", logged, events)
	}
	c.want(":1", "EXISTS", "k0")
}

func TestUnreachable(t *testing.T) {
	c := newNode(t, false).client()
	c.fill(1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	c.want("-IOERR error or timeout connecting to the client", "MIGRATE", "127.0.0.1", port, "k0", "0", "5000")
	c.want("-IOERR error or timeout connecting to the client", "MIGRATE", "127.0.0.1", "bogus", "k0", "0", "5000")
	c.want(":1", "EXISTS", "k0")
}

// TestTimeout: a target that takes everything and says nothing, and one that does
// not even take it.
func TestTimeout(t *testing.T) {
	c := newNode(t, false).client()
	c.fill(1)
	silent := listen(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
	c.want("-IOERR error or timeout reading to target instance", "MIGRATE", "127.0.0.1", silent, "k0", "0", "20")
	c.want("+OK", "SET", "big", strings.Repeat("x", 30<<20))
	done := make(chan struct{})
	defer close(done)
	deaf := listen(t, func(net.Conn) { <-done })
	c.want("-IOERR error or timeout writing to target instance", "MIGRATE", "127.0.0.1", deaf, "big", "0", "20")
	c.want(":2", "EXISTS", "k0", "big")
	if n := c.m.Connections(); n != 0 {
		t.Errorf("%d connections kept", n)
	}
}

// TestKeptConnection: a connection is used again, without another SELECT; one
// that the target has closed meanwhile is replaced without anybody noticing.
func TestKeptConnection(t *testing.T) {
	c := newNode(t, false).client()
	c.fill(3)
	got := make(chan string, 20)
	port := target(t, got, "+OK", "+OK", "+OK") // and closes it
	for i, key := range []string{"k0", "k1", "k2"} {
		c.want("+OK", "MIGRATE", "127.0.0.1", port, key, "7", "5000")
		if n := c.m.Connections(); n != 1 {
			t.Errorf("%d connections after %d keys", n, i+1)
		}
	}
	var begins []string
	for range 5 {
		word, _, _ := strings.Cut(<-got, " ")
		begins = append(begins, word)
	}
	if want := []string{"SELECT", "RESTORE", "RESTORE", "SELECT", "RESTORE"}; !slices.Equal(begins, want) {
		t.Errorf("sent %q", begins)
	}
}

// TestNoThirdTry: a target that closes every connection at once is tried twice.
func TestNoThirdTry(t *testing.T) {
	c := newNode(t, false).client()
	c.fill(1)
	tries := make(chan struct{}, 10)
	port := listen(t, func(conn net.Conn) {
		tries <- struct{}{}
		resp.NewReader(conn).Read()
	})
	got := c.do("MIGRATE", "127.0.0.1", port, "k0", "0", "5000")
	if !strings.HasPrefix(got, "-IOERR error or timeout ") || len(tries) != 2 {
		t.Errorf("%s after %d tries", got, len(tries))
	}
	c.want(":1", "EXISTS", "k0")
}

// TestOwned: while a key is on its way nobody can reach it; others are served.
func TestOwned(t *testing.T) {
	n := newNode(t, false)
	c, other := n.client(), n.client()
	c.fill(1)
	arrived, answer := make(chan struct{}), make(chan struct{})
	port := listen(t, func(conn net.Conn) {
		in := resp.NewReader(conn)
		in.Read()
		in.Read()
		close(arrived)
		<-answer
		io.WriteString(conn, "+OK\r\n+OK\r\n")
		in.Read()
	})
	if reply, parked := c.start("MIGRATE", "127.0.0.1", port, "k0", "0", "5000"); !parked {
		t.Fatal(reply)
	}
	<-arrived
	other.want("+OK", "SET", elsewhere("k0"), "v")
	other.hold.Reset(n.ks)
	other.hold.AddSlot(slot.OfString("k0"))
	if n.ks.Acquire(&other.hold, other) {
		t.Fatal("the key could be reached")
	}
	close(answer)
	<-other.awake
	other.want("$-1", "GET", "k0")
	if got := <-c.parked; got != "+OK\r\n" {
		t.Error(got)
	}
}

// elsewhere is a key in another stripe than that of key.
func elsewhere(key string) string {
	for i := 0; ; i++ {
		other := fmt.Sprint("other", i)
		if slot.OfString(other)%256 != slot.OfString(key)%256 {
			return other
		}
	}
}

// TestInsideMulti: what cannot be parked is done on the spot, as part of the
// transaction.
func TestInsideMulti(t *testing.T) {
	c := newNode(t, false).client()
	keys := c.fill(2)
	c.inMulti = true
	argv := append([]string{"MIGRATE", "127.0.0.1", target(t, nil, "+OK", "+OK", "-ERR no"), "", "0", "5000", "KEYS"}, keys...)
	reply, parked := c.start(argv...)
	if parked || reply != "-ERR Target instance replied with error: ERR no\r\n" {
		t.Errorf("%q, parked %v", reply, parked)
	}
	if logged, _ := c.took(); len(logged) != 1 || logged[0] != "DEL k0" {
		t.Errorf("logged %q", logged)
	}
}

// TestFrozen: nothing is deleted while nothing may enter the log.
func TestFrozen(t *testing.T) {
	c := newNode(t, false).client()
	c.fill(1)
	c.ks.Frozen.Store(true)
	answered := make(chan struct{})
	port := listen(t, func(conn net.Conn) {
		in := resp.NewReader(conn)
		in.Read()
		in.Read()
		io.WriteString(conn, "+OK\r\n+OK\r\n")
		close(answered)
		in.Read()
	})
	c.start("MIGRATE", "127.0.0.1", port, "k0", "0", "5000")
	<-answered
	select {
	case got := <-c.parked:
		t.Fatal(got)
	case <-time.After(3 * frozenPause):
	}
	c.ks.Frozen.Store(false)
	if got := <-c.parked; got != "+OK\r\n" {
		t.Error(got)
	}
	c.want(":0", "EXISTS", "k0")
}

// TestDemoted: a node that became a replica leaves the keys to its master.
func TestDemoted(t *testing.T) {
	c := newNode(t, false).client()
	c.fill(1)
	port := listen(t, func(conn net.Conn) {
		in := resp.NewReader(conn)
		in.Read()
		in.Read()
		c.ks.Replica.Store(true)
		io.WriteString(conn, "+OK\r\n+OK\r\n")
		in.Read()
	})
	c.want("-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
		"MIGRATE", "127.0.0.1", port, "k0", "0", "5000")
	c.want(":1", "EXISTS", "k0")
}

// TestClose ends a MIGRATE whose target says nothing.
func TestClose(t *testing.T) {
	n := &node{tb: t}
	var err error
	if n.ks, err = keyspace.New(keyspace.Options{}); err != nil {
		t.Fatal(err)
	}
	defer n.ks.Close()
	n.m = New(Options{Keyspace: n.ks})
	if n.table, err = command.NewTable(n.m.Specs()); err != nil {
		t.Fatal(err)
	}
	c := n.client()
	c.hold.Reset(n.ks)
	c.hold.AddAll()
	n.ks.Acquire(&c.hold, c)
	c.tx.Begin(n.ks, &c.hold, 0, time.Now().UnixMilli(), 0)
	c.tx.SetStr([]byte("k"), []byte("v"), keyspace.NoExpiry)
	n.ks.Release(&c.hold)
	arrived := make(chan struct{})
	port := listen(t, func(conn net.Conn) {
		resp.NewReader(conn).Read()
		close(arrived)
		io.Copy(io.Discard, conn)
	})
	c.start("MIGRATE", "127.0.0.1", port, "k", "0", "60000")
	<-arrived
	n.m.Close()
	if got := <-c.parked; !strings.HasPrefix(got, "-IOERR ") {
		t.Error(got)
	}
}

// TestPool: the connection idle the longest makes room.
func TestPool(t *testing.T) {
	var p pool
	var first net.Conn
	for i := range keepMax + 1 {
		near, far := net.Pipe()
		defer far.Close()
		if i == 0 {
			first = near
		}
		c, err := p.adopt(near, fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		p.give(c)
	}
	if _, err := first.Write([]byte("x")); err != io.ErrClosedPipe || p.len() != keepMax {
		t.Errorf("%v, %d connections", err, p.len())
	}
	c, _ := p.take("5")
	if c == nil || p.len() != keepMax-1 {
		t.Fatal("no connection")
	}
	p.expire(c) // its timer went off while it was taken
	p.give(c)
	p.expire(c)
	if c, err := p.take("5"); c != nil || err != nil {
		t.Error("an old connection was kept", err)
	}
	p.close()
	if _, err := p.take("6"); err != net.ErrClosed {
		t.Error(err)
	}
}
