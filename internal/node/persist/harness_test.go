package persist

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/base/vfs"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

const dumpFile = "/data/dump.rdb"

// server is a Persist with a keyspace and a disk in memory.
type server struct {
	*Persist
	t      testing.TB
	ks     *keyspace.Keyspace
	disk   *vfs.Mem
	log    logText
	tune   Tuning
	aux    Aux
	denied bool
	table  *command.Table
	client client
}

// logText is a log that several goroutines write to.
type logText struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// client is who calls.
type client struct {
	multi  bool
	answer chan string // of a parked call
}

func (c *client) ID() uint64                                { return 1 }
func (c *client) Name() string                              { return "" }
func (c *client) User() string                              { return "default" }
func (c *client) Addr() netip.AddrPort                      { return netip.AddrPort{} }
func (c *client) Proto() int                                { return 2 }
func (c *client) SelectDB(int)                              {}
func (c *client) InMulti() bool                             { return c.multi }
func (c *client) Block(call *command.Call, w *command.Wait) { w.Null(call.Out) }

func (c *client) Park() (func([]byte), bool) {
	if c.multi {
		return nil, false
	}
	return func(b []byte) { c.answer <- string(b) }, true
}

func newServer(t testing.TB) *server {
	t.Helper()
	disk := new(vfs.Mem)
	if err := disk.MkdirAll("/data", 0o755); err != nil {
		t.Fatal(err)
	}
	return newServerOn(t, disk)
}

// newServerOn is a server that starts on a disk that was there before.
func newServerOn(t testing.TB, disk *vfs.Mem) *server {
	t.Helper()
	ks, err := keyspace.New(keyspace.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, ks: ks, disk: disk, client: client{answer: make(chan string, 1)}}
	s.Persist = New(Options{Keyspace: ks, FS: disk, Version: "7.2.4", Log: slog.New(slog.NewTextHandler(&s.log, nil)),
		Aux: func() Aux { return s.aux }, Deny: func(on bool) { s.denied = on }})
	t.Cleanup(func() { s.Close(); ks.Close() })
	s.change(func(t *Tuning) { t.File = dumpFile })
	if s.table, err = command.NewTable(s.Specs()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *server) change(do func(*Tuning)) {
	do(&s.tune)
	s.Tune(s.tune)
}

// world runs do under all stripes.
func (s *server) world(do func()) {
	h, again := s.everything(), make(waker, 1)
	for !s.ks.Acquire(h, again) {
		<-again
	}
	do()
	s.ks.Release(h)
}

// set makes a key; ttl in ms, 0 for none.
func (s *server) set(db int, key, val string, ttl int64) {
	s.t.Helper()
	now, expiry := time.Now().UnixMilli(), keyspace.NoExpiry
	if ttl != 0 {
		expiry = now + ttl
	}
	var h keyspace.Hold
	var tx keyspace.WriteTx
	h.Reset(s.ks)
	h.AddSlot(slot.Of([]byte(key)))
	for again := make(waker, 1); !s.ks.Acquire(&h, again); {
		<-again
	}
	tx.Begin(s.ks, &h, db, now, 0)
	if err := tx.SetStr([]byte(key), []byte(val), expiry); err != nil {
		s.t.Error(err)
	}
	tx.Commit(nil)
	s.ks.Release(&h)
}

func (s *server) write(db int, do func(*keyspace.WriteTx)) {
	s.world(func() {
		var tx keyspace.WriteTx
		tx.Begin(s.ks, nil, db, time.Now().UnixMilli(), keyspace.SeeExpired)
		do(&tx)
		tx.Commit(nil)
	})
}

// get is the value of a key and its deadline, "" if it is not there.
func (s *server) get(db int, key string) (val string, expiry int64) {
	s.write(db, func(tx *keyspace.WriteTx) {
		if r, ok := tx.Peek([]byte(key)); ok {
			str, _, _ := tx.StrOf(r)
			val, expiry = string(str.Bytes()), r.Expiry()
		}
	})
	return val, expiry
}

func (s *server) want(db int, key, val string) {
	s.t.Helper()
	if got, _ := s.get(db, key); got != val {
		s.t.Errorf("%s in database %d is %.60q, not %.60q", key, db, got, val)
	}
}

// fill makes keys of all sizes and returns what they hold.
func (s *server) fill(n int) map[string]string {
	all := map[string]string{}
	for i := range n {
		key, val := fmt.Sprint("key:", i), fmt.Sprint("value:", i)
		switch i % 5 {
		case 1:
			val = fmt.Sprint(i * 1_000_003)
		case 2:
			val = string(bytes.Repeat([]byte(val), i%300))
		}
		all[key] = val
		s.set(i%3, key, val, 0)
	}
	return all
}

func (s *server) wantAll(all map[string]string) {
	s.t.Helper()
	n := 0
	s.write(0, func(tx *keyspace.WriteTx) {
		for i := range len(all) {
			key := fmt.Sprint("key:", i)
			tx.SelectDB(i % 3)
			r, ok := tx.Peek([]byte(key))
			if !ok {
				s.t.Errorf("%s is not there", key)
				continue
			}
			if val, _, _ := tx.StrOf(r); string(val.Bytes()) != all[key] {
				s.t.Errorf("%s is %.60q, not %.60q", key, val.Bytes(), all[key])
			}
		}
	})
	for db := range s.ks.Databases() {
		n += int(s.ks.Size(db))
	}
	if n != len(all) {
		s.t.Errorf("%d keys instead of %d", n, len(all))
	}
}

// do runs a command as the engine does and returns its reply.
func (s *server) do(words ...string) string {
	s.t.Helper()
	var argv [][]byte
	for _, w := range words {
		argv = append(argv, []byte(w))
	}
	spec, err := s.table.Resolve(argv)
	if err != nil {
		return err.Error()
	}
	var out resp.Writer
	c := command.Call{Spec: spec, Args: argv, Out: &out, Now: time.Now().UnixMilli(), Client: &s.client}
	s.world(func() { spec.Service(&c) })
	if len(out.Buf) > 0 {
		return string(out.Buf)
	}
	return <-s.client.answer
}

// reload is DEBUG RELOAD.
func (s *server) debugReload(how Reload) string {
	var out resp.Writer
	c := command.Call{Out: &out, Client: &s.client}
	s.world(func() { s.Reload(&c, how) })
	if len(out.Buf) > 0 {
		return string(out.Buf)
	}
	return <-s.client.answer
}

// save saves and waits.
func (s *server) save() error {
	result := make(chan error, 1)
	s.world(func() {
		if err := s.begin(func(err error) { result <- err }); err != nil {
			result <- err
		}
	})
	return <-result
}

// start loads the file as a node does at its start.
func (s *server) start(how Start) error {
	d, err := s.LoadFile(how)
	if d != nil {
		s.world(d.Install)
	}
	return err
}

// files are the names in the directory.
func (s *server) files() (names []string) {
	list, err := s.disk.ReadDir("/data")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}
