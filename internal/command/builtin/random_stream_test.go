package builtin

import (
	"flag"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var randomStreams = flag.Int("random-streams", 3000, "how many random commands of streams to compare with redis-server")

// TestRandomStreamsAgainstRedis is TestRandomAgainstRedis for streams. Before a command
// names a consumer, the consumer is made: redis 7.0 makes it only if it gets something,
// 7.2 in any case.
func TestRandomStreamsAgainstRedis(t *testing.T) {
	o, s := startOracle(t), newServer(t)
	for _, p := range []player{o, s} {
		p.set("stream-node-max-entries", "4")
	}
	seed := rand.Uint64()
	g := generator{rand.New(rand.NewPCG(seed, 0))}
	same := func(words []string) {
		var argv [][]byte
		for _, w := range words {
			argv = append(argv, []byte(w))
		}
		if want, got := o.play(argv).lines(), s.play(argv).lines(); !slices.Equal(want, got) {
			t.Fatalf("seed %d: %.300q\nredis\n%.2000s\nours\n%.2000s",
				seed, words, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
	for range *randomStreams {
		words := g.stream()
		switch words[0] {
		case "XCLAIM", "XAUTOCLAIM":
			same([]string{"XGROUP", "CREATECONSUMER", words[1], words[2], words[3]})
		case "XREADGROUP":
			same([]string{"XGROUP", "CREATECONSUMER", words[len(words)-2], words[2], words[3]})
		}
		same(words)
	}
}

// stream makes a random command of streams and their groups. Times stay out of it, but
// for those of the far past.
func (g generator) stream() []string {
	key := g.pick("s", "s", "t", "a")
	switch g.IntN(22) {
	case 0, 1, 2, 3:
		return g.xadd(key)
	case 4:
		return append([]string{"XTRIM", key}, g.trim()...)
	case 5:
		return []string{g.pick("XDEL", "XDEL", "XLEN"), key, g.streamID(), g.streamID()}
	case 6:
		return append([]string{"XRANGE", key, g.bound("-"), g.bound("+")}, g.streamCount()...)
	case 7:
		return append([]string{"XREVRANGE", key, g.bound("+"), g.bound("-")}, g.streamCount()...)
	case 8:
		return append(append([]string{"XREAD"}, g.streamCount()...), "STREAMS", key, g.pick("s", "t"), g.streamID(), g.pick("0", "$", g.streamID()))
	case 9:
		return []string{"XSETID", key, "8-9", g.pick("ENTRIESADDED", "MAXDELETEDID"), g.streamID()}
	case 10:
		return []string{"XGROUP", g.pick("CREATE", "CREATE", "SETID"), key, g.pick("g", "h"), g.pick("0", "0", "$", g.streamID()), "ENTRIESREAD", strconv.Itoa(g.IntN(12) - 1)}
	case 11:
		return []string{"XGROUP", "CREATECONSUMER", key, g.pick("g", "h"), g.consumer()}
	case 12:
		return g.dropped(key)
	case 13, 14, 15:
		return append(append([]string{"XREADGROUP", "GROUP", g.pick("g", "h"), "alice"}, g.streamCount()...),
			"STREAMS", key, g.pick(">", ">", "0", g.streamID()))
	case 16:
		return []string{"XACK", key, g.pick("g", "h"), g.streamID(), g.streamID()}
	case 17:
		return append([]string{"XPENDING", key, g.pick("g", "h")}, g.pendingSpan()...)
	case 18:
		return g.xclaim(key)
	case 19:
		return append([]string{"XAUTOCLAIM", key, g.pick("g", "h"), "alice", g.pick("0", "100000000"), g.bound("-")}, g.streamCount()...)
	case 20:
		return []string{"XINFO", g.pick("STREAM", "GROUPS"), key}
	}
	return []string{"XGROUP", "CREATECONSUMER", key, g.pick("g", "h"), "alice"}
}

func (g generator) consumer() string { return g.pick("alice", "bob") }

func (g generator) xadd(key string) []string {
	words := []string{"XADD", key}
	if g.IntN(4) == 0 {
		words = append(words, g.trim()...)
	}
	words = append(words, g.pick(g.streamID(), g.streamID()+"-*", strconv.Itoa(g.IntN(9))+"-*"))
	for range 1 + g.IntN(2) {
		words = append(words, g.pick("f", "g", "7"), g.pick("v", "-1", "", g.bytes()))
	}
	return words
}

// streamID is an ID among few.
func (g generator) streamID() string {
	ms := strconv.Itoa(g.IntN(9))
	return g.pick(ms, ms+"-"+strconv.Itoa(g.IntN(6)), ms+"-"+strconv.Itoa(g.IntN(6)))
}

func (g generator) bound(end string) string {
	return g.pick(end, end, g.streamID(), "("+g.streamID())
}

func (g generator) streamCount() []string {
	if g.IntN(2) == 0 {
		return nil
	}
	return []string{"COUNT", strconv.Itoa(1 + g.IntN(4))}
}

func (g generator) trim() []string {
	words := []string{"MAXLEN", g.pick("=", "~"), strconv.Itoa(g.IntN(9))}
	if g.IntN(2) == 0 {
		words = []string{"MINID", g.pick("=", "~"), g.streamID()}
	}
	if g.IntN(3) == 0 {
		words = append(words, "LIMIT", strconv.Itoa(g.IntN(4)))
	}
	return words
}

// dropped removes a consumer, a group or, seldom, the stream.
func (g generator) dropped(key string) []string {
	switch g.IntN(4) {
	case 0:
		return []string{"DEL", key}
	case 1:
		return []string{"XGROUP", "DESTROY", key, g.pick("g", "h")}
	}
	return []string{"XGROUP", "DELCONSUMER", key, g.pick("g", "h"), "bob"}
}

func (g generator) pendingSpan() []string {
	if g.IntN(2) == 0 {
		return nil
	}
	words := []string{g.bound("-"), g.bound("+"), strconv.Itoa(g.IntN(5))}
	if g.IntN(2) == 0 {
		words = append(words, g.consumer())
	}
	return words
}

func (g generator) xclaim(key string) []string {
	words := []string{"XCLAIM", key, g.pick("g", "h"), g.consumer(), g.pick("0", "100000000"), g.streamID(), g.streamID()}
	for _, option := range [][]string{
		{"TIME", "1000"}, {"RETRYCOUNT", strconv.Itoa(g.IntN(5))}, {"FORCE"}, {"JUSTID"}, {"LASTID", g.streamID()},
	} {
		if g.IntN(3) == 0 {
			words = append(words, option...)
		}
	}
	return words
}
