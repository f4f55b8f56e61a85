package persist

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/skeindb/skein/internal/base/vfs"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/store/rdb"
	"github.com/skeindb/skein/internal/testkit"
)

// put writes a file as it stands.
func (s *server) file(text string) {
	if err := vfs.WriteAtomic(s.disk, dumpFile, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// dump is what the last save has written.
func (s *server) dump() []byte {
	b, err := vfs.ReadFile(s.disk, dumpFile)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

func TestNoFile(t *testing.T) {
	s := newServer(t)
	if d, err := s.LoadFile(Start{}); d != nil || err != nil {
		t.Error(d, err)
	}
	s.disk.SetFault(vfs.FailNth(1, os.ErrPermission, false, vfs.OpOpen))
	if _, err := s.LoadFile(Start{}); !errors.Is(err, os.ErrPermission) || !strings.Contains(s.log.String(), "Fatal error: can't open the RDB file /data/dump.rdb for reading: permission denied") {
		t.Error(err, s.log.String())
	}
}

// TestDamage: what is damaged changes nothing, and the error names file and offset.
func TestDamage(t *testing.T) {
	s := newServer(t)
	all := s.fill(50)
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	good := s.dump()
	for _, c := range []struct {
		change func([]byte) []byte
		want   error
		text   string
		log    string
	}{
		{func(b []byte) []byte { return b[:len(b)-20] }, rdb.ErrShort, "at byte ", "Short read"},
		{func(b []byte) []byte { return b[:0] }, rdb.ErrShort, "at byte 0", "Short read"},
		{func(b []byte) []byte { b[0] = 'X'; return b }, rdb.ErrSignature, "at byte 0", "Wrong signature"},
		{func(b []byte) []byte { b[5] = '9'; return b }, rdb.ErrVersion, "at byte 5", "Can't handle RDB format version"},
		{func(b []byte) []byte { b[len(b)-1]++; return b }, rdb.ErrChecksum, fmt.Sprint("at byte ", len(good)-8), "RDB CRC error"},
		{func(b []byte) []byte { return append(b[:9:9], "\xfe\x10\x00\x01k\x01v\xff"...) }, keyspace.ErrNoDatabase, `key "k" in database 16 at byte 11`, "more than 16 databases"},
		{func(b []byte) []byte { return append(b[:9:9], "\x00\x01k\x01v\x00\x01k\x01v\xff"...) }, keyspace.ErrExists, `key "k" in database 0 at byte 14`, ""},
		{func(b []byte) []byte { return append(b[:9:9], "\x06\x01k\x01\x01v\xff"...) }, rdb.ErrType, `type 6 (module value) at byte 12`, ""},
	} {
		s.file(string(c.change(bytes.Clone(good))))
		err := s.start(Start{})
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), dumpFile) || !strings.Contains(err.Error(), c.text) {
			t.Error(err)
		}
		if log := s.log.String(); !strings.Contains(log, c.log) || !strings.Contains(log, "Internal error in RDB reading offset ") {
			t.Errorf("no %q in %s", c.log, log)
		}
		s.wantAll(all)
	}
	bad := bytes.Clone(good)
	bad[len(bad)-1]++
	s.file(string(bad))
	s.SkipChecksums(true)
	if err := s.start(Start{}); err != nil {
		t.Error(err)
	}
	s.SkipChecksums(false)
	s.change(func(t *Tuning) { t.NoChecksum = true })
	if err := s.start(Start{}); err != nil {
		t.Error(err)
	}
	if err := s.save(); err != nil || !bytes.HasSuffix(s.dump(), make([]byte, 8)) {
		t.Error(err)
	}
}

// TestExpiredKeys: a master leaves them out and tells of them, a replica loads them.
func TestExpiredKeys(t *testing.T) {
	s := newServer(t)
	s.set(0, "stays", "x", 0)
	s.set(1, "due", "x", -1000)
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	master := newServerOn(t, s.disk)
	var told []string
	if err := master.start(Start{Expired: func(db int, key []byte) { told = append(told, fmt.Sprint(db, string(key))) }}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(told, []string{"1due"}) {
		t.Error(told)
	}
	master.wantInfo(map[string]string{"rdb_last_load_keys_expired": "1", "rdb_last_load_keys_loaded": "1", "rdb_changes_since_last_save": "0"})
	replica := newServerOn(t, s.disk)
	replica.ks.Replica.Store(true)
	if err := replica.start(Start{}); err != nil {
		t.Fatal(err)
	}
	replica.want(1, "due", "x")
}

// TestFactsAboutReplication: half of them tell nothing.
func TestFactsAboutReplication(t *testing.T) {
	id := strings.Repeat("0123456789", 4)
	field := func(name, value string) string {
		return "\xfa" + string(rdb.AppendLen(nil, uint64(len(name)))) + name + string(rdb.AppendLen(nil, uint64(len(value)))) + value
	}
	db, at := field("repl-stream-db", "2"), field("repl-offset", "99")
	for body, want := range map[string]Aux{
		db + field("repl-id", id) + at:                            {ID: id, Offset: 99, StreamDB: 2},
		field("repl-id", id) + at:                                 {},
		db + field("repl-id", id):                                 {},
		db + field("repl-id", id[1:]) + at:                        {},
		field("repl-stream-db", "-1") + field("repl-id", id) + at: {},
		field("%note", "x") + field("", "") + field("what", ""):   {},
	} {
		s := newServer(t)
		d, err := s.Load(strings.NewReader("REDIS0004" + body + "\x00\x01k\x01v\xff"))
		if err != nil || d.Aux() != want {
			t.Errorf("%q: %+v, %v", body, d.Aux(), err)
			continue
		}
		d.Discard()
		s.want(0, "k", "")
	}
}

// TestFunctionsAreKept through load and save.
func TestFunctionsAreKept(t *testing.T) {
	s := newServer(t)
	s.file("REDIS0004\xf5\x04code\xf5\x05other\x00\x01k\x01v\xff")
	if err := s.start(Start{}); err != nil {
		t.Fatal(err)
	}
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	if dump := s.dump(); !bytes.Contains(dump, []byte("\xf5\x04code\xf5\x05other\xfe\x00")) {
		t.Errorf("%q", dump)
	}
	var text bytes.Buffer
	if err := s.NoKeys().Save(&text); err != nil || !bytes.Contains(text.Bytes(), []byte("\xf5\x04code\xf5\x05other\xff")) {
		t.Errorf("%q %v", text.Bytes(), err)
	}
}

// TestBehindAStream: what follows is left to whoever gave the reader.
func TestBehindAStream(t *testing.T) {
	s := newServer(t)
	s.fill(100)
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(iotest.HalfReader(strings.NewReader(string(s.dump()) + "behind")))
	d, err := s.Load(r)
	if err != nil {
		t.Fatal(err)
	}
	d.Discard()
	if rest, _ := io.ReadAll(r); string(rest) != "behind" {
		t.Errorf("%q", rest)
	}
}

// TestCloseEndsALoad, however long it would take.
func TestCloseEndsALoad(t *testing.T) {
	s := newServer(t)
	s.fill(10)
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	s.change(func(t *Tuning) { t.LoadDelay = 100_000_000 })
	result := make(chan error)
	go func() { result <- s.start(Start{}) }()
	testkit.Eventually(t, "the load has begun", func() bool { l := s.load.Load(); return l != nil && l.read.Load() > 0 })
	s.Close()
	if err := <-result; !errors.Is(err, ErrClosing) {
		t.Error(err)
	}
}

func TestReload(t *testing.T) {
	s := newServer(t)
	all := s.fill(200)
	s.set(0, "passed", "x", -1000)
	full := Reload{Save: true, Flush: true}
	if got := s.debugReload(full); got != "+OK\r\n" {
		t.Fatal(got)
	}
	s.wantAll(all)
	s.wantInfo(map[string]string{"rdb_changes_since_last_save": "0", "rdb_last_load_keys_expired": "1"})

	s.set(0, "another", "x", 0)
	if got := s.debugReload(Reload{Flush: true}); got != "+OK\r\n" {
		t.Fatal(got)
	}
	s.wantAll(all)

	if got := s.debugReload(Reload{}); !strings.HasPrefix(got, "-ERR Error trying to load the RDB dump, check server logs.") {
		t.Error(got)
	}
	s.set(0, "key:0", "changed", 0)
	if got := s.debugReload(Reload{Merge: true}); got != "+OK\r\n" {
		t.Error(got)
	}
	s.wantAll(all)

	if err := s.disk.Remove(dumpFile); err != nil {
		t.Fatal(err)
	}
	if got := s.debugReload(Reload{Flush: true}); !strings.Contains(got, "/data/dump.rdb: file does not exist") {
		t.Error(got)
	}
	s.wantAll(all)
}
