package rdb

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/testkit"
)

// startRedis runs redis-server behind a unix socket and connects to it. It skips
// the test where there is none, but not in CI.
func startRedis(t *testing.T) (net.Conn, *resp.Reader) {
	program := testkit.Program(t, "redis-server")
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	cmd := exec.Command(program, "--port", "0", "--unixsocket", path, "--dir", dir, "--save", "")
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
		if v, err := Undump(theirs); err != nil || !bytes.Equal(v.Str, text) {
			t.Errorf("%.40q came back as %.40q, %v", text, v.Str, err)
		}
		do([]byte("RESTORE"), []byte("k"), []byte("0"), ours, []byte("REPLACE"))
		if back := do([]byte("GET"), []byte("k")); !bytes.Equal(back.Str, text) {
			t.Errorf("redis restores %.40q as %.40q", text, back.Str)
		}
	}
}
