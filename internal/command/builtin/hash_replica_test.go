package builtin

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/store/keyspace"
)

// line runs a command line at the server's own time and returns the reply in words.
func (s *server) line(text string) string {
	s.tb.Helper()
	s.out.Buf = nil
	var argv [][]byte
	for _, word := range strings.Fields(text) {
		argv = append(argv, []byte(word))
	}
	s.run(argv)
	return strings.ReplaceAll(strings.TrimSuffix(string(s.out.Buf), "\r\n"), "\r\n", " ")
}

// follow makes replica a replica of s: it runs what s logs.
func (s *server) follow(replica *server) {
	replica.ks.Replica.Store(true)
	s.tee = func(argv [][]byte) {
		replica.access = keyspace.SeeExpired | keyspace.Applied
		replica.nowMs, replica.out.Buf = s.nowMs, nil
		replica.run(argv)
		if strings.HasPrefix(string(replica.out.Buf), "-") {
			s.tb.Errorf("%q: the replica answers %q", argv, replica.out.Buf)
		}
		replica.access = 0
	}
}

// TestFieldsEndByAClock follows fields over their deadlines, on a master and a replica.
func TestFieldsEndByAClock(t *testing.T) {
	master, replica := newServer(t), newServer(t)
	master.follow(replica)
	now := func(ms int64) { master.nowMs, replica.nowMs = ms, ms }
	both := func(text, want string) {
		t.Helper()
		for who, s := range map[string]*server{"master": master, "replica": replica} {
			if got := s.line(text); got != want {
				t.Errorf("at %d the %s answers %s with %q, want %q", s.nowMs, who, text, got, want)
			}
		}
	}
	now(1_000_000)
	master.line("HSET h a 1 b 2 c 3 d 4")
	master.line("HPEXPIRE h 100 FIELDS 1 a")
	master.line("HEXPIRE h 1 FIELDS 1 b")
	both("HPEXPIRETIME h FIELDS 4 a b c nope", "*4 :1000100 :1001000 :-1 :-2")
	both("HPTTL h FIELDS 1 a", "*1 :100")
	now(1_000_100)
	both("HPTTL h FIELDS 1 a", "*1 :0")
	both("HLEN h", ":4")
	now(1_000_101)
	for _, c := range [][2]string{ // the replica first: the master removes what it meets
		{"HGET h a", "$-1"}, {"HLEN h", ":3"}, {"HEXISTS h a", ":0"}, {"HSTRLEN h a", ":0"}, {"HTTL h FIELDS 1 a", "*1 :-2"},
		{"HKEYS h", "*3 $1 b $1 c $1 d"}, {"HVALS h", "*3 $1 2 $1 3 $1 4"}, {"HMGET h a b", "*2 $-1 $1 2"},
		{"HRANDFIELD h 9", "*3 $1 b $1 c $1 d"}, {"HSCAN h 0", "*2 $1 0 *6 $1 b $1 2 $1 c $1 3 $1 d $1 4"},
		{"HGETALL h", "*6 $1 b $1 2 $1 c $1 3 $1 d $1 4"},
	} {
		if got := replica.line(c[0]); got != c[1] {
			t.Errorf("the replica answers %s with %q", c[0], got)
		}
	}
	master.got = outcome{}
	both("HGETALL h", "*6 $1 b $1 2 $1 c $1 3 $1 d $1 4")
	if want := []string{"HDEL h a"}; !slices.Equal(master.got.logged, want) || !slices.Equal(master.got.events, []string{"hexpired h"}) {
		t.Errorf("the master logs %q and tells %q", master.got.logged, master.got.events)
	}
	now(1_001_001)
	if got := master.line("HINCRBY h b 5"); got != ":5" { // not 7
		t.Error("HINCRBY begins with", got)
	}
	both("HPTTL h FIELDS 1 b", "*1 :-1")
	master.line("HDEL h c d")
	master.line("HPEXPIRE h 10 FIELDS 1 b")
	now(1_001_100)
	if got := replica.line("EXISTS h"); got != ":1" {
		t.Error("the replica has deleted the hash by its own clock")
	}
	both("HLEN h", ":0")
	both("EXISTS h", ":0")
}

// TestFieldBehindManyOthers changes a field whose end is later than those of more others
// than go in one piece: it begins anew all the same, on the replica too.
func TestFieldBehindManyOthers(t *testing.T) {
	master, replica := newServer(t), newServer(t)
	master.follow(replica)
	master.nowMs = 1_000_000
	for i := range 500 {
		master.line(fmt.Sprintf("HSETEX h PX %d FIELDS 1 f%d 7", 100+i, i))
	}
	master.nowMs += 1000
	replica.nowMs = master.nowMs
	for _, c := range [][2]string{{"HINCRBY h f499 1", ":1"}, {"HSETNX h f498 x", ":1"}, {"HPERSIST h FIELDS 1 f497", "*1 :-2"},
		{"HGETDEL h FIELDS 1 f496", "*1 $-1"}, {"HSETEX h KEEPTTL FIELDS 1 f495 y", ":1"}, {"HLEN h", ":3"}} {
		if got := master.line(c[0]); got != c[1] {
			t.Errorf("%s answers %q, want %q", c[0], got, c[1])
		}
	}
	want := "*5 $1 1 $1 x $-1 $-1 $1 y"
	for who, s := range map[string]*server{"master": master, "replica": replica} {
		if got := s.line("HMGET h f499 f498 f497 f496 f495"); got != want {
			t.Errorf("the %s has %q", who, got)
		}
		if got := s.line("HTTL h FIELDS 2 f499 f495"); got != "*2 :-1 :-1" {
			t.Errorf("the %s tells %q", who, got)
		}
	}
}

// TestFieldsAgreeOnReplica runs random commands over fields that end all the time. What
// a master logs must bring its replica to the same data.
func TestFieldsAgreeOnReplica(t *testing.T) {
	master, replica := newServer(t), newServer(t)
	master.follow(replica)
	master.nowMs = 1_000_000
	g := generator{rand.New(rand.NewPCG(7, 7))}
	for step := range 3000 {
		master.nowMs += g.Int64N(4)
		line := strings.Join(g.fieldLife(), " ")
		master.line(line)
		if g.IntN(20) == 0 {
			master.ks.ExpireCycle(master.nowMs, time.Second)
		}
		replica.nowMs = master.nowMs
		for _, key := range []string{"x", "y", "z"} {
			for _, ask := range []string{"HGETALL ", "HLEN ", "TYPE "} {
				if ask == "TYPE " && replica.line("HLEN "+key) == ":0" {
					continue // what only hidden fields are left of is there yet
				}
				if a, b := master.line(ask+key), replica.line(ask+key); a != b {
					t.Fatalf("step %d, %s: %s%s\nmaster  %s\nreplica %s", step, line, ask, key, a, b)
				}
			}
			ask := "HPEXPIRETIME " + key + " FIELDS 5 a b c d e"
			if a, b := master.line(ask), replica.line(ask); a != b {
				t.Fatalf("step %d, %s: %s\nmaster  %s\nreplica %s", step, line, ask, a, b)
			}
		}
	}
	master.nowMs += 1_000_000
	for range 100 {
		master.ks.ExpireCycle(master.nowMs, time.Second)
	}
	for _, key := range []string{"x", "y", "z"} {
		if a, b := master.line("EXISTS "+key), replica.line("EXISTS "+key); a != b {
			t.Errorf("%s: %s on the master, %s on the replica", key, a, b)
		}
	}
}

// fieldLife is a random command about fields that do not live long.
func (g generator) fieldLife() []string {
	key, ms := g.pick("x", "y", "z"), strconv.Itoa(g.IntN(60))
	field := func() string { return g.pick("a", "b", "c", "d", "e") }
	switch g.IntN(16) {
	case 0, 1:
		return []string{"HSET", key, field(), "1", field(), "2"}
	case 2:
		return []string{"HSETNX", key, field(), "3"}
	case 3:
		return []string{"HINCRBY", key, field(), "10"}
	case 4:
		return []string{"HINCRBYFLOAT", key, field(), "0.5"}
	case 5:
		return []string{"HDEL", key, field(), field()}
	case 6, 7, 8:
		words := []string{"HPEXPIRE", key, ms}
		if g.IntN(2) == 0 {
			words = append(words, g.pick("NX", "XX", "GT", "LT"))
		}
		return append(words, "FIELDS", "2", field(), field())
	case 9:
		return []string{"HPERSIST", key, "FIELDS", "2", field(), field()}
	case 10:
		return []string{"HGETDEL", key, "FIELDS", "2", field(), field()}
	case 11:
		return append([]string{"HGETEX", key}, g.pick("PX", "PX", "PERSIST"), ms, "FIELDS", "2", field(), field())
	case 12, 13:
		words := []string{"HSETEX", key}
		if g.IntN(2) == 0 {
			words = append(words, g.pick("FNX", "FXX"))
		}
		if g.IntN(4) == 0 {
			words = append(words, "KEEPTTL")
		} else {
			words = append(words, "PX", ms)
		}
		return append(words, "FIELDS", "2", field(), "7", field(), "8")
	case 14:
		return []string{"RENAME", key, g.pick("x", "y", "z")}
	}
	return []string{"COPY", key, g.pick("x", "y", "z"), "REPLACE"}
}
