package builtin

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/glob"
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/data/arena"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// scanAll iterates with SCAN to the end, calling between after each call, and
// counts how often each key was shown.
func (s *server) scanAll(t *testing.T, between func(), options ...string) map[string]int {
	seen := map[string]int{}
	cursor := "0"
	for {
		v, err := resp.NewReader(bytes.NewReader(s.command(append([]string{"SCAN", cursor}, options...)...))).Read()
		if err != nil || len(v.Elems) != 2 {
			t.Fatal(v, err)
		}
		for _, key := range v.Elems[1].Elems {
			seen[key.Text()]++
		}
		if cursor = v.Elems[0].Text(); cursor == "0" {
			return seen
		}
		between()
	}
}

// TestScanIsComplete changes the keyspace between the calls of an iteration: the
// keys that are there throughout are all shown, those that never were are not.
func TestScanIsComplete(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"key:%d", "{tag}%d"} { // over all slots, and all in one
		s := newServer(t)
		s.silent = true
		for i := range 3000 {
			s.command("SET", "stays:"+fmt.Sprintf(name, i), "v")
			s.command("SET", "goes:"+fmt.Sprintf(name, i), "v")
		}
		goes := 0
		seen := s.scanAll(t, func() {
			for range 40 { // shrink, and grow elsewhere
				s.command("DEL", "goes:"+fmt.Sprintf(name, goes))
				goes++
			}
			s.command("SET", "comes:"+fmt.Sprintf(name, rnd.IntN(100_000)), "v")
		}, "COUNT", "50")
		for i := range 3000 {
			if seen["stays:"+fmt.Sprintf(name, i)] == 0 {
				t.Fatalf("stays:"+name+" was not shown", i)
			}
		}
		for key := range seen {
			if !strings.HasPrefix(key, "stays:") && !strings.HasPrefix(key, "goes:") && !strings.HasPrefix(key, "comes:") {
				t.Fatalf("%q was shown", key)
			}
		}
	}
}

// TestScanOneSlot: a pattern that settles the slot looks at no other, and finds
// the same.
func TestScanOneSlot(t *testing.T) {
	s := newServer(t)
	for i := range 500 {
		s.command("SET", fmt.Sprint("other", i), "v")
		s.command("SET", fmt.Sprint("{tag}", i), "v")
	}
	calls := 0
	seen := s.scanAll(t, func() { calls++ }, "MATCH", "{tag}*", "COUNT", "100")
	if len(seen) != 500 || calls > 5 {
		t.Errorf("%d keys in %d calls", len(seen), calls)
	}
}

// FuzzSlotsOf: every name that matches a pattern lies in the slots of the pattern.
func FuzzSlotsOf(f *testing.F) {
	for _, s := range []struct{ pattern, name string }{
		{"{tag}*", "{tag}1"}, {"a{tag}b?", "a{tag}bc"}, {"{}*", "{}x"}, {"{t*}", "{tag}"}, {"name", "name"},
		{`\{tag}*`, "{tag}1"}, {"{[t]ag}", "{tag}"}, {"{tag}{other}*", "{tag}{other}1"}, {"", ""}, {"x}{y*", "x}{yz}"},
	} {
		f.Add([]byte(s.pattern), []byte(s.name))
	}
	f.Fuzz(func(t *testing.T, pattern, name []byte) {
		in := slotsOf(pattern)
		if n := slot.Of(name); glob.Match(pattern, name, false) && (n < in.Start || n > in.End) {
			t.Fatalf("%q matches %q but lies in %d", name, pattern, n)
		}
	})
}

// TestReplicaHides: on a node that only follows, keys past their deadline are
// hidden and stay.
func TestReplicaHides(t *testing.T) {
	s := newServer(t)
	s.command("SET", "gone", "v", "PXAT", "1")
	s.ks.Replica.Store(true)
	for _, test := range []struct{ line, reply string }{
		{"EXISTS gone", ":0\r\n"}, {"TTL gone", ":-2\r\n"}, {"TYPE gone", "+none\r\n"}, {"KEYS *", "*0\r\n"},
		{"SCAN 0 COUNT 10000", "*2\r\n$1\r\n0\r\n*0\r\n"}, {"RANDOMKEY", "$4\r\ngone\r\n"}, {"DUMP gone", "$-1\r\n"},
		{"DBSIZE", ":1\r\n"}, {"OBJECT ENCODING gone", "$-1\r\n"},
	} {
		if got := s.command(strings.Fields(test.line)...); string(got) != test.reply {
			t.Errorf("%s: %q", test.line, got)
		}
	}
	s.command("SET", "k", "v")
	s.command("EXPIRE", "k", "-1")
	if got := s.command("EXISTS", "k"); string(got) != ":0\r\n" || s.ks.Size(0) != 2 {
		t.Errorf("%q, %d keys", got, s.ks.Size(0))
	}
}

func TestClusterRefusals(t *testing.T) {
	s := newServer(t)
	ks, err := keyspace.New(keyspace.Options{Databases: 1, Cluster: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ks.Close)
	s.ks = ks
	for _, test := range []struct{ line, reply string }{
		{"MOVE k 0", "-ERR MOVE is not allowed in cluster mode\r\n"},
		{"MOVE k x", "-ERR MOVE is not allowed in cluster mode\r\n"},
		{"SWAPDB 0 1", "-ERR SWAPDB is not allowed in cluster mode\r\n"},
		{"COPY a b DB 1", "-ERR DB index is out of range\r\n"},
		{"COPY a b DB 0", ":0\r\n"},
		{"SORT a BY w_*", "-ERR BY option of SORT denied in Cluster mode.\r\n"},
		{"SORT_RO a GET #", "-ERR GET option of SORT denied in Cluster mode.\r\n"},
		{"SORT a BY nosort", "*0\r\n"},
	} {
		if got := s.command(strings.Fields(test.line)...); string(got) != test.reply {
			t.Errorf("%s: %q", test.line, got)
		}
	}
}

// TestFullMemoryMovesNothing: what renames, copies or restores without memory
// for it leaves both names as they were.
func TestFullMemoryMovesNothing(t *testing.T) {
	s := newServerWith(t, arena.Options{Limit: 8 << 20})
	fat := strings.Repeat("x", 3000)
	s.command("SET", "src", fat)
	s.command("SET", "dst", "v")
	payload, _ := resp.NewReader(bytes.NewReader(s.command("DUMP", "src"))).Read()
	full := "-" + keyspace.ErrFull.Error() + "\r\n"
	fill := 0
	for size := len(fat); size > 0; size -= 8 {
		for string(s.command("SET", fmt.Sprint("fill", fill), strings.Repeat("x", size))) != full {
			fill++
		}
	}
	long := strings.Repeat("n", 2000)
	for _, words := range [][]string{
		{"RENAME", "src", long}, {"RENAMENX", "src", long}, {"COPY", "src", "other"}, {"COPY", "src", "dst", "REPLACE"},
		{"RENAME", "src", "dst"}, {"MOVE", "src", "1"}, {"RESTORE", "other", "0", payload.Text()},
		{"RESTORE", "dst", "0", payload.Text(), "REPLACE"},
	} {
		if got := s.command(words...); string(got) != full {
			t.Errorf("%.40q: %q", words, got)
		}
		if len(s.got.logged) > 0 {
			t.Errorf("%.40q logged %.80q", words, s.got.logged)
		}
		if string(s.command("STRLEN", "src")) != ":3000\r\n" || string(s.command("GET", "dst")) != "$1\r\nv\r\n" {
			t.Fatalf("%.40q changed something", words)
		}
	}
}

// TestGenericNoAllocations holds the handlers that are called often to it.
func TestGenericNoAllocations(t *testing.T) {
	s := newServer(t)
	s.silent, s.unread = true, true
	s.command("SET", "k", "v")
	s.out.Buf = make([]byte, 0, 4096)
	for _, line := range []string{
		"EXISTS k", "DEL missing", "TTL k", "PTTL k", "TYPE k", "TOUCH k", "EXPIRE k 100", "PEXPIREAT k 4102444800000 GT",
		"PERSIST k", "DBSIZE", "OBJECT ENCODING k",
	} {
		argv, _ := resp.SplitArgs([]byte(line))
		if n := testing.AllocsPerRun(100, func() {
			s.out.Buf = s.out.Buf[:0]
			s.run(argv)
		}); n != 0 {
			t.Errorf("%s allocates %v times", line, n)
		}
	}
}
