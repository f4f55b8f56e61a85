package interop

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/testkit"
)

// What clients cost that mean harm, or are broken, as docs/hostile-clients.md states it.
const (
	idleConnBytes  = 4 << 10 // of used memory, a connection that has nothing under way
	announcedBytes = 3 << 20 // a connection that announces a huge argument
	queuedBytes    = 256     // a command of few bytes between MULTI and EXEC
)

// TestHostileClients lets clients misbehave, each kind in its turn, while another client
// goes on as if nothing were the matter.
func TestHostileClients(t *testing.T) {
	for name, abuse := range map[string]func(*siege){
		"idle connections":              (*siege).idle,
		"slow readers":                  (*siege).slowReaders,
		"half-open connections":         (*siege).halfOpen,
		"arguments that never come":     (*siege).announce,
		"an endless MULTI":              (*siege).longMulti,
		"an endless MULTI that is cut":  (*siege).cutMulti,
		"subscribers that never listen": (*siege).deafSubscribers,
	} {
		t.Run(name, func(t *testing.T) {
			s := besiege(t)
			abuse(s)
			s.served()
			s.relieved()
		})
	}
}

// siege is a server, and the client that goes on.
type siege struct {
	*testkit.Server
	t      *testing.T
	before int64 // used memory
	count  atomic.Int64
	conns  []net.Conn
}

func besiege(t *testing.T) *siege {
	s := &siege{Server: testkit.StartSkein(t, "maxclients 12000"), t: t}
	once, err := testkit.Dial(s.Addr()) // not the server's own connection, whose buffer would be large from now on
	if err == nil {
		_, err = once.Do("SET", "big", strings.Repeat("v", 1<<20))
		once.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := testkit.Dial(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(stop); <-done; c.Close() })
	go func() {
		defer close(done)
		for i := int64(1); ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			v, err := c.Do("INCR", "served")
			if err != nil || v.Int != i {
				t.Errorf("the client that goes on: %v, %v instead of %d", err, testkit.Show(v), i)
				return
			}
			s.count.Store(i)
		}
	}()
	s.served()
	s.before = s.used()
	return s
}

// served waits until the client that goes on has gone on.
func (s *siege) served() {
	s.t.Helper()
	from := s.count.Load()
	testkit.Eventually(s.t, "others are served", func() bool { return s.count.Load() > from+100 })
}

// relieved closes what is left of the connections and waits for memory to return.
func (s *siege) relieved() {
	s.t.Helper()
	for _, c := range s.conns {
		c.Close()
	}
	testkit.Eventually(s.t, "connections end", func() bool { return s.clients() <= 2 })
	testkit.Eventually(s.t, "memory returns", func() bool { return s.used() < s.before+(1<<20) })
}

func (s *siege) number(section, field string) int64 {
	s.t.Helper()
	n, err := strconv.ParseInt(testkit.Info(s.Do("INFO", section), field), 10, 64)
	if err != nil {
		s.t.Fatal(field, err)
	}
	return n
}

func (s *siege) used() int64    { return s.number("memory", "used_memory") }
func (s *siege) clients() int64 { return s.number("clients", "connected_clients") }

// within checks that memory has not grown by more than limit bytes.
func (s *siege) within(limit int64, what string) {
	s.t.Helper()
	if grown := s.used() - s.before; grown > limit {
		s.t.Errorf("%s take %d bytes, more than %d", what, grown, limit)
	}
}

// dial opens n connections that say what is given.
func (s *siege) dial(n int, words string) {
	s.t.Helper()
	for range n {
		c, err := net.DialTimeout("tcp", s.Addr(), testkit.Patience)
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { c.Close() })
		if s.conns = append(s.conns, c); words == "" {
			continue
		}
		if _, err := io.WriteString(c, words); err != nil {
			s.t.Fatal(err)
		}
	}
}

// arrived waits until the server has as many connections as were opened.
func (s *siege) arrived() {
	s.t.Helper()
	testkit.Eventually(s.t, "connections are accepted", func() bool { return s.clients() >= int64(len(s.conns))+2 })
}

func (s *siege) idle() {
	n := 2000
	if full() {
		n = 10000
	}
	s.dial(n, "")
	s.arrived()
	s.served()
	s.within(int64(n)*idleConnBytes, fmt.Sprint(n, " idle connections"))
	if rss := s.rss(); rss > 0 {
		s.t.Logf("%d idle connections: %d bytes each, %d MiB resident in all", n, (s.used()-s.before)/int64(n), rss>>20)
	}
}

// rss is the resident memory of the process in bytes, 0 if that cannot be told.
func (s *siege) rss() int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.number("server", "process_id")))
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// slowReaders ask for much and read nothing: the limit of output ends them.
func (s *siege) slowReaders() {
	const limit, n = 4 << 20, 20
	s.Want("+OK", "CONFIG", "SET", "client-output-buffer-limit", fmt.Sprintf("normal %d 0 0", limit))
	s.dial(n, strings.Repeat("GET big\r\n", 64))
	testkit.Eventually(s.t, "slow readers are cut off", func() bool {
		s.within(n*(2*limit), "slow readers")
		return s.clients() <= 2
	})
}

// deafSubscribers are sent much and read nothing.
func (s *siege) deafSubscribers() {
	const limit, n = 2 << 20, 50
	s.Want("+OK", "CONFIG", "SET", "client-output-buffer-limit", fmt.Sprintf("pubsub %d 0 0", limit))
	s.dial(n, "SUBSCRIBE news\r\n")
	testkit.Eventually(s.t, "they have subscribed", func() bool { return s.Do("PUBSUB", "NUMSUB", "news") == fmt.Sprintf("[news :%d]", n) })
	news := strings.Repeat("n", 256<<10)
	testkit.Eventually(s.t, "deaf subscribers are cut off", func() bool {
		s.Do("PUBLISH", "news", news)
		s.within(n*(2*limit), "deaf subscribers")
		return s.clients() <= 2
	})
}

// halfOpen connections have begun a command: some close their half, which ends them,
// some are silent, which timeout ends.
func (s *siege) halfOpen() {
	s.dial(500, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10\r\nhalf")
	s.arrived()
	s.served()
	for i, c := range s.conns {
		if i%2 == 0 {
			c.(*net.TCPConn).CloseWrite()
		}
	}
	testkit.Eventually(s.t, "those that closed their half are gone", func() bool { return s.clients() <= int64(len(s.conns))/2+2 })
	s.Want("+OK", "CONFIG", "SET", "timeout", "1")
	testkit.Eventually(s.t, "those that are silent are gone", func() bool { return s.clients() <= 2 })
	s.Want("(nil)", "GET", "k")
}

// announce says that half a gigabyte will come, and sends a little of it.
func (s *siege) announce() {
	const n = 100
	s.dial(n, "*2\r\n$3\r\nGET\r\n$536870912\r\nxxxxxxxxxx")
	s.arrived()
	testkit.Eventually(s.t, "what came is read", func() bool { return strings.Count(s.Do("CLIENT", "LIST"), "qbuf=10 ") >= n })
	s.within(n*announcedBytes, "arguments that never come")
	s.served()
}

// long queues commands between MULTI and EXEC until n are queued or the server has had
// enough, and returns its answers.
func (s *siege) long(n int, end string) (answers *resp.Reader, err error) {
	c, err := net.DialTimeout("tcp", s.Addr(), testkit.Patience)
	if err != nil {
		s.t.Fatal(err)
	}
	s.conns = append(s.conns, c)
	one := resp.AppendCommand(nil, "INCR", "n")
	written := make(chan error, 1)
	go func() {
		_, err := io.WriteString(c, "MULTI\r\n")
		for chunk := bytes.Repeat(one, 1000); n > 0 && err == nil; n -= 1000 {
			_, err = c.Write(chunk)
		}
		if err == nil {
			_, err = io.WriteString(c, end)
		}
		written <- err
	}()
	answers = resp.NewReader(c)
	for range n + 1 { // OK, then QUEUED
		v, err := answers.Read()
		if err != nil {
			return nil, err
		}
		if v.Kind != resp.SimpleString {
			s.t.Fatal(testkit.Show(v))
		}
	}
	return answers, <-written
}

func millionOrLess() int {
	if full() {
		return 1_000_000
	}
	return 100_000
}

func (s *siege) longMulti() {
	n := millionOrLess()
	answers, err := s.long(n, "")
	if err != nil {
		s.t.Fatal(err)
	}
	s.within(int64(n)*queuedBytes, fmt.Sprint(n, " queued commands"))
	grown := s.used() - s.before
	if s.t.Logf("%d queued commands: %d bytes each, %d MiB resident in all", n, grown/int64(n), s.rss()>>20); grown < int64(n)*32 {
		s.t.Errorf("%d bytes cannot be all that %d queued commands take", grown, n)
	}
	s.served()
	if _, err := io.WriteString(s.conns[0], "EXEC\r\n"); err != nil {
		s.t.Fatal(err)
	}
	v, err := answers.Read()
	if err != nil || len(v.Elems) != n || v.Elems[n-1].Int != int64(n) {
		s.t.Fatalf("EXEC of %d commands: %d replies, %v", n, len(v.Elems), err)
	}
}

// cutMulti is more than all clients may take together.
func (s *siege) cutMulti() {
	s.Want("+OK", "CONFIG", "SET", "maxmemory-clients", "2mb")
	if _, err := s.long(millionOrLess(), "EXEC\r\n"); err == nil {
		s.t.Error("nobody stopped a MULTI of a million commands")
	}
	s.within(16<<20, "a MULTI that was cut")
	if n := s.number("stats", "evicted_clients"); n != 1 {
		s.t.Errorf("%d clients were evicted", n)
	}
	s.Want("(nil)", "GET", "n")
}
