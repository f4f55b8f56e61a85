package interop

import (
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/testkit"
)

// narrows is a link between a replica and its master that lets through a number of bytes at once, until it is opened.
type narrows struct {
	addr   net.TCPAddr
	to     string
	passed atomic.Int64 // from the master, on the connections so far
	open   atomic.Bool

	mu    sync.Mutex
	conns []net.Conn
}

// narrow makes a link to a master. Closed it is slow enough that a test comes in time for the middle of a full synchronization.
func narrow(t *testing.T, master *server) *narrows {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &narrows{addr: *l.Addr().(*net.TCPAddr), to: master.Addr()}
	t.Cleanup(func() {
		l.Close()
		p.cut()
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *narrows) serve(from net.Conn) {
	to, err := net.Dial("tcp", p.to)
	if err != nil {
		from.Close()
		return
	}
	p.mu.Lock()
	p.conns = append(p.conns, from, to)
	p.mu.Unlock()
	go func() {
		io.Copy(to, from)
		to.Close()
		from.Close()
	}()
	buffer := make([]byte, 16<<10)
	for {
		n, err := to.Read(buffer)
		if err != nil {
			break
		}
		p.passed.Add(int64(n))
		if _, err := from.Write(buffer[:n]); err != nil {
			break
		}
		if !p.open.Load() {
			time.Sleep(5 * time.Millisecond) // about 3 MB a second
		}
	}
	to.Close()
	from.Close()
}

// cut closes the connections.
func (p *narrows) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// pair is a master with data and a replica that is in the middle of a full synchronization with it.
type pair struct {
	shard
	link *narrows
}

// syncing starts a pair. As a value does not compress, the file is as large as the data: 12 MB.
func syncing(t *testing.T, master, replica *server) *pair {
	t.Helper()
	p := &pair{shard{master, replica}, narrow(t, master)}
	fillPlain(t, master, size(3000, 12000))
	p.replica.Want("+OK", "REPLICAOF", "127.0.0.1", fmt.Sprint(p.link.addr.Port))
	p.middle(t)
	return p
}

// fillPlain writes values of 4 kB to a node that stands alone.
func fillPlain(t *testing.T, n *server, keys int) {
	t.Helper()
	testkit.Eventually(t, "the node has loaded what it has", func() bool { return testkit.Info(n.Do("INFO", "persistence"), "loading") == "0" })
	for i := range keys {
		if reply := n.Do("SET", fmt.Sprint("key:", i), stockValue(fmt.Sprint("stock:", i))+strings.Repeat("x", i%7)); reply != "+OK" {
			t.Fatal(reply)
		}
	}
}

// middle waits until some of the data has come through.
func (p *pair) middle(t *testing.T) {
	t.Helper()
	before := p.link.passed.Load()
	testkit.Eventually(t, "the full synchronization is under way", func() bool { return p.link.passed.Load() > before+1<<20 })
}

// ends opens the link, and waits until replica and master hold the same, and the link carries writes.
func (p *pair) ends(t *testing.T) {
	t.Helper()
	p.link.open.Store(true)
	testkit.Eventually(t, "the link is up", func() bool {
		return testkit.Info(p.replica.Do("INFO", "replication"), "master_link_status") == "up"
	})
	p.master.Want("+OK", "SET", "afterwards", "value")
	testkit.Eventually(t, "the write arrives", func() bool { return p.replica.Do("GET", "afterwards") == "value" })
	testkit.Eventually(t, "both hold the same", func() bool { return p.master.Do("DEBUG", "DIGEST") == p.replica.Do("DEBUG", "DIGEST") })
	if got := p.master.Do("DBSIZE"); got == ":1" {
		t.Error("the master holds nothing else")
	}
}

// Everything that can break in the middle of a full synchronization breaks. It begins again by itself, and ends well.
func TestBrokenFullSync(t *testing.T) {
	standalone := func(start func(testing.TB, ...string) *server, more ...string) func(*testing.T) *server {
		return func(t *testing.T) *server {
			return start(t, slices.Concat([]string{"enable-debug-command yes", "repl-diskless-sync-delay 0", "repl-timeout 5"}, more)...)
		}
	}
	skein, redis := testkit.StartSkein, testkit.StartRedis
	for name, c := range map[string]struct{ master, replica func(*testing.T) *server }{
		"skein to skein, disk-less":  {standalone(skein), standalone(skein, "repl-diskless-load swapdb")},
		"skein to skein, by files":   {standalone(skein, "repl-diskless-sync no"), standalone(skein)},
		"skein to redis":             {standalone(skein), standalone(redis)},
		"skein to redis, disk-less":  {standalone(skein), standalone(redis, "repl-diskless-load swapdb")},
		"redis to skein":             {standalone(redis), standalone(skein)},
		"redis to skein, from files": {standalone(redis, "repl-diskless-sync no"), standalone(skein, "repl-diskless-load on-empty-db")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := syncing(t, c.master(t), c.replica(t))

			p.link.cut()
			p.middle(t)

			p.replica.Kill()
			p.master.Want("PONG", "ECHO", "PONG")
			p.replica.Start()
			p.replica.Want("+OK", "REPLICAOF", "127.0.0.1", fmt.Sprint(p.link.addr.Port))
			p.middle(t)

			p.master.Kill()
			testkit.Eventually(t, "the replica sees it", func() bool {
				return testkit.Info(p.replica.Do("INFO", "replication"), "master_link_status") == "down"
			})
			p.master.Start()
			fillPlain(t, p.master, 500)
			p.ends(t)

			// And once more, with writers, to the end.
			w := writing(t, p.master)
			p.link.cut()
			p.replica.Want("+OK", "REPLICAOF", "NO", "ONE")
			testkit.Eventually(t, "the replica is on its own", func() bool { return p.replica.Do("SET", "of the replica alone", "value") == "+OK" })
			p.replica.Want("+OK", "REPLICAOF", "127.0.0.1", fmt.Sprint(p.link.addr.Port))
			testkit.Eventually(t, "the link is up", func() bool {
				return testkit.Info(p.replica.Do("INFO", "replication"), "master_link_status") == "up"
			})
			w()
			p.ends(t)
			p.replica.Want(":0", "EXISTS", "of the replica alone")
		})
	}
}

// writing writes to a node until the returned function is called.
func writing(t *testing.T, n *server) (stop func()) {
	t.Helper()
	c, err := testkit.Dial(n.Addr())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		defer c.Close()
		for i := 0; ctx.Err() == nil; i++ {
			if v, err := c.Do("SET", fmt.Sprint("written:", i%1000), fmt.Sprint(i)); err != nil || v.IsError() {
				done <- fmt.Errorf("SET: %v %s", err, v.Text())
				return
			}
		}
		done <- nil
	}()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// redis-cli --rdb fetches a file that redis-server loads.
func TestRedisCLIFetchesRDB(t *testing.T) {
	t.Parallel()
	s := testkit.StartSkein(t, "enable-debug-command yes")
	fillPlain(t, s, 500)
	s.Want("+OK", "SET", "mortal", "value", "EX", "3600")
	r := testkit.StartRedis(t, "enable-debug-command yes")
	r.Stop()
	file := filepath.Join(r.Dir, "dump.rdb")
	mustContain(t, testkit.RedisCLI(t, "-p", fmt.Sprint(s.Port), "--rdb", file), "Transfer finished with success")
	r.Start()
	if a, b := s.Do("DEBUG", "DIGEST"), r.Do("DEBUG", "DIGEST"); a != b {
		t.Errorf("Skein holds %s, redis loaded %s", a, b)
	}
}

// redis-cli --replica shows what is written.
func TestRedisCLIReplica(t *testing.T) {
	t.Parallel()
	s := testkit.StartSkein(t, "repl-diskless-sync-delay 0")
	s.Want("+OK", "SET", "before", "value")
	stop := writing(t, s)
	defer stop()
	shown := func(out string) bool {
		return strings.Contains(out, "SYNC with master, discarding") && strings.Contains(out, "Logging commands from master.") &&
			strings.Contains(out, `"SET","written:1","`)
	}
	runUntil(t, shown, testkit.Program(t, "stdbuf"), "-oL", testkit.Program(t, "redis-cli"), "-p", fmt.Sprint(s.Port), "--replica")
}
