package builtin

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/arena"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// TestNoAllocations holds the handlers of the hot path to it, with and without
// a log that is read.
func TestNoAllocations(t *testing.T) {
	long := strings.Repeat("x", 3000)
	for _, line := range []string{
		"GET text", "GET int", "GET missing", "GET long", "MGET text int missing", "STRLEN int",
		"SET text other", "SET int 77", "SET long " + long, "SET text v EX 100", "SET text v PX 100000",
		"SET text v NX", "SET text v XX", "SET text v KEEPTTL", "SET text v GET", "SET text v XX GET KEEPTTL",
		"SET text v EXAT 4102444800", "SET text v GET EX 100", "SETEX text 100 v", "SETNX text v", "GETSET text v",
		"MSET text v int 5", "INCR int", "DECRBY int 5", "GETEX text", "GETRANGE text 0 1",
		"SETRANGE raw 1 xx", "SETBIT raw 3 1", "GETBIT raw 3", "BITCOUNT long", "BITPOS raw 1 0 -1 BIT",
	} {
		argv, _ := resp.SplitArgs([]byte(line))
		for _, read := range []bool{false, true} {
			s := newServer(t)
			for _, setup := range []string{"SET text value", "SET int 12345", "SET long " + long, "SETRANGE raw 20 x"} {
				words, _ := resp.SplitArgs([]byte(setup))
				s.play(words)
			}
			s.silent, s.unread = true, !read
			s.out.Buf = make([]byte, 0, 64<<10)
			if n := testing.AllocsPerRun(100, func() {
				s.out.Buf = s.out.Buf[:0]
				s.run(argv)
			}); n != 0 {
				t.Errorf("%.40s allocates %v times (log read: %v)", line, n, read)
			}
			if bytes.HasPrefix(s.out.Buf, []byte("-")) {
				t.Errorf("%.40s: %s", line, s.out.Buf)
			}
		}
	}
}

// TestFullMemory: a change for which there is no memory is redis's error and
// nothing else, whatever was replied before.
func TestFullMemory(t *testing.T) {
	s := newServerWith(t, arena.Options{Limit: 8 << 20})
	play := func(words ...string) outcome {
		var argv [][]byte
		for _, w := range words {
			argv = append(argv, []byte(w))
		}
		return s.play(argv)
	}
	play("SET", "k", "value")
	play("SET", "n", "1")
	full := "-" + keyspace.ErrFull.Error() + "\r\n"
	fat := strings.Repeat("x", 3000)
	fill := 0
	for ; string(play("SET", "fill"+strconv.Itoa(fill), fat).reply) != full; fill++ {
	}
	for size := len(fat); size > 0; size -= 8 { // until there is no gap left for anything longer
		for string(play("SET", "fill"+strconv.Itoa(fill), fat[:size]).reply) != full {
			fill++
		}
	}
	for _, words := range [][]string{
		{"SET", "k", fat}, {"SET", "k", fat, "GET"}, {"SET", "k", fat, "EX", "100"}, {"SETEX", "k", "100", fat},
		{"SET", "new", fat}, {"SETNX", "new", fat}, {"GETSET", "k", fat}, {"GETEX", "k", "EX", "100"},
		{"APPEND", "k", fat}, {"SETRANGE", "k", "3000", "x"}, {"SETBIT", "k", "20000", "1"},
		{"BITFIELD", "k", "GET", "u8", "0", "SET", "u8", "20000", "1"}, {"BITOP", "NOT", "k", "fill0"},
		{"INCRBYFLOAT", "new", "1.5"}, {"INCR", "new"}, {"MSETNX", "new", fat, "new2", "v"},
	} {
		got := play(words...)
		if string(got.reply) != full || got.logged != nil || got.events != nil {
			t.Errorf("%.60q: %q, %q, %q", words, got.reply, got.events, got.logged)
		}
	}
	if got := play("MSET", "n", "2", "k", fat); string(got.reply) != full || !slices.Equal(got.logged, []string{"MSET n 2"}) {
		t.Errorf("MSET: %q, %.100q", got.reply, got.logged)
	}
	if got := play("MGET", "k", "n", "new"); string(got.reply) != "*3\r\n$5\r\nvalue\r\n$1\r\n2\r\n$-1\r\n" {
		t.Errorf("afterwards %q", got.reply)
	}
}

// TestKeyFlags: what COMMAND GETKEYSANDFLAGS and the ACL hear of commands whose
// key is read or written depending on the arguments.
func TestKeyFlags(t *testing.T) {
	write := command.KeyOW | command.KeyUpdate
	both := command.KeyRW | command.KeyAccess | command.KeyUpdate
	read := command.KeyRO | command.KeyAccess
	table := factsTable(t)
	for line, want := range map[string]command.KeyFlags{
		"SET k v":                             write,
		"SET k v NX EX 10":                    write,
		"SET get get":                         write,
		"SET k v gEt":                         both,
		"SET k v EX 10 GET":                   both,
		"BITFIELD k":                          read,
		"BITFIELD k GET u8 0":                 read,
		"BITFIELD k GET u8 0 OVERFLOW WRAP":   read,
		"BITFIELD k GET u8 0 SET u8 0 1":      both,
		"BITFIELD k get u8 0 incrby u8 0 1":   both,
		"BITFIELD k GET u8":                   both,
		"BITFIELD k OVERFLOW SAT GET u8 0 XX": both,
	} {
		argv, _ := resp.SplitArgs([]byte(line))
		spec, err := table.Resolve(argv)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := command.AppendKeys(nil, spec, argv)
		if err != nil || len(keys) != 1 || keys[0] != (command.KeyPos{Index: 1, Flags: want}) {
			t.Errorf("%s: %v, %v", line, keys, err)
		}
	}
}

// FuzzCommands runs argument lists that no client would send: each gets exactly
// one reply, and nothing panics. The lists are lines of SplitArgs words.
func FuzzCommands(f *testing.F) {
	for _, s := range Specs() {
		f.Add(s.Name+" k", "SET k 12345")
		f.Add(s.Name+" k 1 2", "SET k aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
		f.Add(s.Name+" k 0 1 x y z", "SETRANGE k 9000 x")
		f.Add(s.Name+" k k k", "RPUSH k x")
	}
	f.Add("SET k v GET PX 1 KEEPTTL NX XX", "")
	f.Add("BITFIELD k SET u8 #1000 -1 OVERFLOW FAIL INCRBY i64 3 -9223372036854775808 GET u63 77", "SET k abc")
	f.Add("BITPOS k 0 -5 -9 BIT", "SET k abc")
	f.Add("LCS k k IDX MINMATCHLEN 2 WITHMATCHLEN", "SET k abcabc")
	f.Add("INCRBYFLOAT k 0x1.8p-16445", "SET k 1e4932")
	f.Fuzz(func(t *testing.T, line, before string) {
		s := newServer(t)
		s.silent = true
		s.set("proto-max-bulk-len", "1048576") // or it is the memory that is tested
		for _, l := range []string{before, line, "GET k"} {
			argv, err := resp.SplitArgs([]byte(l))
			if err != nil || len(argv) == 0 {
				continue
			}
			reply := s.play(argv).reply
			r := resp.NewReader(bytes.NewReader(reply))
			if _, err := r.Read(); err != nil || r.Buffered() > 0 {
				t.Fatalf("%q: reply %q: %v", l, reply, err)
			}
		}
	})
}
