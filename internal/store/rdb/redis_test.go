package rdb

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/testkit"
)

// startRedis runs redis-server behind a unix socket and connects to it. It skips
// the test where there is none, but not in CI.
func startRedis(t *testing.T) (net.Conn, *resp.Reader) {
	program := testkit.Program(t, "redis-server")
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	cmd := exec.Command(program, "--port", "0", "--unixsocket", path, "--dir", dir, "--save", "", "--enable-debug-command", "yes", "--enable-protected-configs", "yes")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("unix", path)
		if err == nil {
			t.Cleanup(func() { conn.Close() })
			return conn, resp.NewReader(conn)
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// texts are strings of every form and on both sides of every limit.
func texts() (all [][]byte) {
	for _, n := range []int64{0, 127, 128, 32767, 32768, 1<<31 - 1, 1 << 31, 1<<63 - 1} {
		all = append(all, fmt.Append(nil, n), fmt.Append(nil, -n), fmt.Append(nil, -n-1))
	}
	for _, s := range []string{"", "x", "-0", "00", "+1", "1.5", "a string"} {
		all = append(all, []byte(s))
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{19, 20, 21, 22, 30, 63, 64, 100, 500, 16383, 16384, 70_000} {
		for _, letters := range []int{1, 2, 4, 20, 256} {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte('a' + rnd.IntN(letters))
			}
			all = append(all, b)
		}
	}
	var lines strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&lines, `{"id":%d,"name":"user %d","score":%d},`, i, i*7, rnd.IntN(1000))
		if i%100 == 0 {
			all = append(all, []byte(lines.String()))
		}
	}
	return all
}

// TestDumpAsRedis asks redis for the dump of many strings, which must be ours
// byte for byte, and gives it ours to restore.
func TestDumpAsRedis(t *testing.T) {
	conn, in := startRedis(t)
	do := func(argv ...[]byte) resp.Value {
		t.Helper()
		if _, err := conn.Write(resp.AppendCommandBytes(nil, argv...)); err != nil {
			t.Fatal(err)
		}
		v, err := in.Read()
		if err != nil || v.IsError() {
			t.Fatal(v.Text(), err)
		}
		return v
	}
	var e Encoder
	for _, text := range texts() {
		do([]byte("SET"), []byte("k"), text)
		theirs := do([]byte("DUMP"), []byte("k")).Str
		ours := e.DumpString(nil, text)
		if !bytes.Equal(ours, theirs) {
			t.Errorf("dump of %.40q (%d bytes)\nours   %.200s\ntheirs %.200s", text, len(text), hex.EncodeToString(ours), hex.EncodeToString(theirs))
		}
		if v, err := Undump(theirs, usual); err != nil || !bytes.Equal(v.Str, text) {
			t.Errorf("%.40q came back as %.40q, %v", text, v.Str, err)
		}
		do([]byte("RESTORE"), []byte("k"), []byte("0"), ours, []byte("REPLACE"))
		if back := do([]byte("GET"), []byte("k")); !bytes.Equal(back.Str, text) {
			t.Errorf("redis restores %.40q as %.40q", text, back.Str)
		}
	}
}

// client of a redis-server.
type client struct {
	t    *testing.T
	conn net.Conn
	in   *resp.Reader
}

func (c *client) do(argv ...string) *resp.Value {
	c.t.Helper()
	if _, err := c.conn.Write(resp.AppendCommand(nil, argv...)); err != nil {
		c.t.Fatal(err)
	}
	v, err := c.in.Read()
	if err != nil || v.IsError() {
		c.t.Fatalf("%.60q: %s %v", argv, v.Text(), err)
	}
	return &v
}

// TestFileOfRedis reads what redis saves, under both kinds of policies, compressed
// or not, and asks redis-check-rdb and redis itself about ours of the same.
func TestFileOfRedis(t *testing.T) {
	for _, settings := range [][]string{
		{"rdbcompression", "yes", "maxmemory-policy", "noeviction"},
		{"rdbcompression", "no", "maxmemory-policy", "allkeys-lru"},
		{"rdbcompression", "yes", "maxmemory-policy", "allkeys-lfu"},
	} {
		conn, in := startRedis(t)
		c := &client{t, conn, in}
		c.do(append([]string{"CONFIG", "SET"}, settings...)...)
		c.do("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
		for i, text := range texts() {
			c.do("SELECT", fmt.Sprint(i%3))
			c.do("SET", fmt.Sprint("key", i), string(text))
			if i%4 == 0 {
				c.do("PEXPIREAT", fmt.Sprint("key", i), fmt.Sprint(4_000_000_000_000+i))
			}
		}
		c.do("SAVE")
		dir := c.do("CONFIG", "GET", "dir").Elems[1].Text()
		file, err := os.ReadFile(filepath.Join(dir, "dump.rdb"))
		if err != nil {
			t.Fatal(err)
		}
		var got taker
		if sum, err := Read(bytes.NewReader(file), ReadOptions{}, &got); err != nil || !sum.Checked || sum.Bytes != int64(len(file)) {
			t.Fatal(sum, err)
		}
		if len(got.keys) != len(texts()) || len(got.functions) != 1 {
			t.Errorf("%d keys, %d libraries", len(got.keys), len(got.functions))
		}
		for _, k := range got.keys {
			c.do("SELECT", fmt.Sprint(k.db))
			if want := c.do("GET", k.name).Text(); k.text != want {
				t.Errorf("%s is %.40q instead of %.40q", k.name, k.text, want)
			}
			if want := c.do("PEXPIRETIME", k.name).Int; k.expiryMs != want {
				t.Errorf("%s expires %d instead of %d", k.name, k.expiryMs, want)
			}
			if lru, lfu := settings[3] == "allkeys-lru", settings[3] == "allkeys-lfu"; (k.idle != Unknown) != lru || (k.freq != Unknown) != lfu {
				t.Errorf("%+v under %s", k.name, settings[3])
			}
		}
		ours := rewritten(t, &got)
		path := filepath.Join(dir, "ours.rdb")
		if err := os.WriteFile(path, ours, 0o644); err != nil {
			t.Fatal(err)
		}
		check, err := exec.Command(testkit.Program(t, "redis-check-rdb"), path).CombinedOutput()
		if err != nil || !bytes.Contains(check, []byte("RDB looks OK!")) {
			t.Errorf("redis-check-rdb: %v\n%s", err, check)
		}
		before := c.do("DEBUG", "DIGEST").Text()
		c.do("CONFIG", "SET", "dbfilename", "ours.rdb")
		c.do("DEBUG", "RELOAD", "NOSAVE")
		if after := c.do("DEBUG", "DIGEST").Text(); after != before {
			t.Errorf("redis has %s by our file and %s by its own", after, before)
		}
		if libs := c.do("FUNCTION", "LIST").Elems; len(libs) != 1 {
			t.Errorf("redis has %d libraries by our file", len(libs))
		}
	}
}

// rewritten is the same data as our own file.
func rewritten(t *testing.T, data *taker) []byte {
	var out bytes.Buffer
	w := NewWriter(&out, WriterOptions{})
	w.Aux("redis-ver", "7.2.4")
	for _, code := range data.functions {
		w.Function([]byte(code))
	}
	db := -1
	for _, k := range data.keys {
		if k.db != db {
			db = k.db
			w.Database(db)
			w.Sizes(1, 1)
		}
		key := Key{Name: []byte(k.name), Value: Value{Str: []byte(k.text)}, ExpiryMs: k.expiryMs, IdleSec: k.idle, Freq: k.freq}
		if len(k.text) > value.ChunkBytes {
			key.Value = Value{Object: value.NewString([]byte(k.text))}
		}
		if err := w.Key(&key); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
