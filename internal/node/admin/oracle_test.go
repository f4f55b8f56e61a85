package admin

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/testkit"
)

// oracle is a redis-server behind a unix socket.
type oracle struct {
	tb   testing.TB
	conn net.Conn
	in   *resp.Reader
	seen bytes.Buffer
}

// startOracle skips the test where there is no redis-server, but not in CI.
func startOracle(tb testing.TB) *oracle {
	program := testkit.Program(tb, "redis-server")
	dir := tb.TempDir()
	path := filepath.Join(dir, "s")
	cmd := exec.Command(program, "--port", "0", "--unixsocket", path, "--dir", dir, "--save", "", "--enable-debug-command", "yes")
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	o := &oracle{tb: tb}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var err error
		if o.conn, err = net.Dial("unix", path); err == nil {
			break
		}
		if time.Now().After(deadline) {
			tb.Fatal(err)
		}
	}
	tb.Cleanup(func() { o.conn.Close() })
	o.in = resp.NewReader(o)
	return o
}

func (o *oracle) Read(p []byte) (int, error) {
	n, err := o.conn.Read(p)
	o.seen.Write(p[:n])
	return n, err
}

func (o *oracle) call(argv ...[]byte) string {
	o.seen.Reset()
	if _, err := o.conn.Write(resp.AppendCommandBytes(nil, argv...)); err != nil {
		o.tb.Fatal(err)
	}
	v, err := o.in.Read()
	for err == nil && (v.Kind == resp.Push || v.Kind == resp.Attribute) { // not the reply yet
		v, err = o.in.Read()
	}
	if err != nil {
		o.tb.Fatal(err)
	}
	return o.seen.String()
}

func (o *oracle) do(line string) string { return o.call(bytes.Fields([]byte(line))...) }

// text is the text of a bulk or simple reply.
func (o *oracle) text(line string) string { return bulk(o.do(line)) }

func bulk(reply string) string {
	_, text, _ := strings.Cut(reply, "\r\n")
	if reply[0] != '$' {
		return strings.TrimSpace(reply[1:])
	}
	return strings.TrimSuffix(text, "\r\n")
}

// TestDigestIsRedis compares fingerprints of the same data, filled in by chance.
func TestDigestIsRedis(t *testing.T) {
	o, s := startOracle(t), newServer(t, nil)
	o.do("DEBUG SET-ACTIVE-EXPIRE 0")
	rnd := rand.New(rand.NewPCG(3, 4))
	compare := func(when string) {
		t.Helper()
		if want, got := o.do("DEBUG DIGEST"), s.do("DEBUG DIGEST"); want != got {
			t.Fatalf("%s: redis %q, we %q", when, want, got)
		}
	}
	compare("empty")
	if got := s.do("DEBUG DIGEST"); got != "+"+strings.Repeat("0", 40)+"\r\n" {
		t.Errorf("empty: %q", got)
	}
	for i := range 300 {
		db := []int{0, 0, 9, 15}[rnd.IntN(4)]
		key := fmt.Sprintf("key:%d:\x00\xff", i)
		var val string
		switch rnd.IntN(4) {
		case 0:
			val = strconv.FormatInt(int64(rnd.Uint64()), 10)
		case 1:
			val = strings.Repeat("long ", rnd.IntN(40_000))
		case 2:
			val = ""
		default:
			val = fmt.Sprintf("value \r\n %d", i)
		}
		ttl := int64(0)
		if rnd.IntN(3) == 0 {
			ttl = 1_000_000
		}
		s.set(db, key, val, ttl)
		o.do("SELECT " + strconv.Itoa(db))
		o.call([]byte("SET"), []byte(key), []byte(val))
		if ttl != 0 {
			o.call([]byte("PEXPIRE"), []byte(key), strconv.AppendInt(nil, ttl, 10))
		}
		if i%50 == 0 {
			compare("among")
		}
		s.db = db
		argv := [][]byte{[]byte("DEBUG"), []byte("DIGEST-VALUE"), []byte(key), []byte("none"), []byte(key)}
		if want, got := o.call(argv...), s.call(argv...); want != got {
			t.Fatalf("key %q: redis %q, we %q", key, want, got)
		}
	}
	compare("in the end")
}

// TestDigestOfExpired: what is past its deadline counts until it is removed.
func TestDigestOfExpired(t *testing.T) {
	o, s := startOracle(t), newServer(t, nil)
	o.do("DEBUG SET-ACTIVE-EXPIRE 0")
	o.do("SET k v PX 1")
	s.set(0, "k", "v", -1000)
	for _, line := range []string{"DEBUG DIGEST", "DEBUG DIGEST-VALUE k"} {
		if want, got := o.do(line), s.do(line); want != got {
			t.Errorf("%s: redis %q, we %q", line, want, got)
		}
	}
}

// TestPopulateIsRedis: the same arguments make the same data.
func TestPopulateIsRedis(t *testing.T) {
	o, s := startOracle(t), newServer(t, nil)
	for _, line := range []string{
		"DEBUG POPULATE 20", "DEBUG POPULATE 30 key 3", "DEBUG POPULATE 10 other 100", "DEBUG POPULATE 5 x 0",
		"DEBUG POPULATE 2 big 5000", "DEBUG POPULATE 0", "DEBUG POPULATE -1", "DEBUG POPULATE a", "DEBUG POPULATE 1 x -1",
		"DEBUG POPULATE 1 x b", "DEBUG POPULATE", "DEBUG POPULATE 1 2 3 4",
	} {
		if want, got := o.do(line), s.do(line); want != got {
			t.Errorf("%s: redis %q, we %q", line, want, got)
		}
		if want, got := o.do("DEBUG DIGEST"), s.do("DEBUG DIGEST"); want != got {
			t.Errorf("digest after %s: redis %q, we %q", line, want, got)
		}
	}
}

// TestObjectIsRedis compares DEBUG OBJECT but for addresses and clocks.
func TestObjectIsRedis(t *testing.T) {
	o, s := startOracle(t), newServer(t, nil)
	address := regexp.MustCompile(`at:\S+ refcount:\d+|lru:\d+|lru_seconds_idle:\d+`)
	for i, val := range []string{
		"", "1", "-128", "128", "32768", "-40000", "2147483648", "12345678901", "abc", "01", "+1",
		strings.Repeat("a", 20), strings.Repeat("a", 21), strings.Repeat("ab", 40), strings.Repeat("x", 63) + "y",
		strings.Repeat("0123456789", 2000), strings.Repeat("z", 70_000), strings.Repeat("The quick brown fox", 9000),
		"The quick brown fox jumps over the lazy dog", "short", "not so short", noise(63), noise(64), noise(16383), noise(16384), noise(70_000),
	} {
		key := []byte(fmt.Sprint(i))
		s.set(0, string(key), val, 0)
		o.call([]byte("SET"), key, []byte(val))
		argv := [][]byte{[]byte("DEBUG"), []byte("OBJECT"), key}
		want, got := address.ReplaceAllString(o.call(argv...), ""), address.ReplaceAllString(s.call(argv...), "")
		if want != got {
			t.Errorf("%.20q: redis %q, we %q", val, want, got)
		}
	}
}

// noise cannot be compressed.
func noise(n int) string {
	rnd := rand.NewChaCha8([32]byte{})
	b := make([]byte, n)
	rnd.Read(b)
	return string(b)
}

// TestRepliesAreRedis compares replies byte for byte, in both protocols.
func TestRepliesAreRedis(t *testing.T) {
	lines := []string{
		"DEBUG PROTOCOL string", "DEBUG PROTOCOL integer", "DEBUG PROTOCOL double", "DEBUG PROTOCOL bignum",
		"DEBUG PROTOCOL null", "DEBUG PROTOCOL array", "DEBUG PROTOCOL set", "DEBUG PROTOCOL map", "DEBUG PROTOCOL attrib",
		"DEBUG PROTOCOL push", "DEBUG PROTOCOL verbatim", "DEBUG PROTOCOL TRUE", "DEBUG PROTOCOL False", "DEBUG PROTOCOL bogus",
		"DEBUG PROTOCOL", "DEBUG", "DEBUG bogus", "debug Bogus x", "DEBUG SLEEP 0", "DEBUG SLEEP 0.001", "DEBUG SLEEP x", "DEBUG SLEEP",
		"DEBUG SET-ACTIVE-EXPIRE 0", "DEBUG SET-ACTIVE-EXPIRE 1", "DEBUG SET-ACTIVE-EXPIRE", "DEBUG ERROR ERR_some_text", "DEBUG ERROR",
		"DEBUG LOG hello", "DEBUG LEAK x", "DEBUG OBJECT missing", "DEBUG OBJECT", "DEBUG HTSTATS x", "DEBUG HTSTATS 99", "DEBUG HTSTATS",
		"DEBUG HTSTATS -1", "DEBUG HTSTATS-KEY missing", "DEBUG DIGEST", "DEBUG DIGEST x", "DEBUG DIGEST-VALUE", "DEBUG DIGEST-VALUE x",
		"DEBUG CLUSTERLINK KILL all x", "DEBUG CLUSTERLINK KILL", "DEBUG HTSTATS 3",
		"CONFIG SET a", "CONFIG SET a 1 b", "CONFIG", "CONFIG bogus", "CONFIG GET", "CONFIG RESETSTAT", "CONFIG RESETSTAT x", "CONFIG REWRITE x",
		"MEMORY USAGE missing", "MEMORY USAGE k SAMPLES", "MEMORY USAGE k SAMPLES x", "MEMORY USAGE k SAMPLES -1", "MEMORY USAGE k x 1",
		"MEMORY USAGE missing SAMPLES 0 SAMPLES 1", "MEMORY bogus", "MEMORY USAGE",
		"SHUTDOWN ABORT", "SHUTDOWN x", "SHUTDOWN SAVE NOSAVE", "SHUTDOWN NOW ABORT", "SHUTDOWN ABORT FORCE",
		"MODULE LIST", "MODULE LIST x", "MODULE", "MODULE bogus",
		"TIME x", "LOLWUT VERSION x", "INFO nosuchsection",
		"INFO cluster", "INFO keyspace", "INFO modules", "INFO module_list", "INFO CLUSTER keyspace Modules bogus", "INFO modules modules",
	}
	o, s := startOracle(t), newServer(t, nil)
	for _, proto := range []int{2, 3} {
		o.do("HELLO " + strconv.Itoa(proto))
		s.out.Proto = proto
		for _, line := range lines {
			if want, got := o.do(line), s.do(line); want != got {
				t.Errorf("RESP%d %s: redis %q, we %q", proto, line, want, got)
			}
		}
	}
}

// fieldNames are the names of the lines of INFO, in order.
func fieldNames(info string) (names []string) {
	for line := range strings.Lines(info) {
		name, _, ok := strings.Cut(line, ":")
		if ok {
			names = append(names, name)
		}
	}
	return names
}

// TestInfoFieldsAreRedis: every field of redis 7.0's sections is there, in its
// order. Those of 7.2 are more.
func TestInfoFieldsAreRedis(t *testing.T) {
	o := startOracle(t)
	s := newServer(t, func(o *Options) {
		o.Listeners = func() []Listener { return []Listener{{Kind: "tcp", Bind: []string{"127.0.0.1", "-::1"}, Port: 7000}} }
	})
	for _, section := range []string{"server", "memory", "cpu", "cluster"} {
		want, got := fieldNames(o.text("INFO "+section)), fieldNames(bulk(s.do("INFO "+section)))
		for _, name := range want {
			i := slices.Index(got, name)
			if i < 0 {
				t.Errorf("%s: no %s, or not in redis's order", section, name)
				continue
			}
			got = got[i+1:]
		}
	}
}
