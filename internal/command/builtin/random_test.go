package builtin

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var randomSteps = flag.Int("random", 3000, "how many random commands to compare with redis-server")

// TestRandomAgainstRedis plays random commands on few keys, with arguments near
// every edge, to the handlers and to redis-server, and compares all that comes
// of them.
func TestRandomAgainstRedis(t *testing.T) {
	o, s := startOracle(t), newServer(t)
	for _, p := range []player{o, s} {
		p.set("proto-max-bulk-len", "1048576") // or a random offset makes half a gigabyte
	}
	seed := rand.Uint64()
	g := generator{rand.New(rand.NewPCG(seed, 0))}
	for range *randomSteps {
		words := g.command()
		var argv [][]byte
		for _, w := range words {
			argv = append(argv, []byte(w))
		}
		redis, ours := o.play(argv), s.play(argv)
		if words[0] == "BITFIELD" && slices.Contains(words, "FAIL") && redis.logged == nil {
			// It may have made the key or lengthened it. Redis keeps that from its
			// replicas, which differ from then on; we do not.
			ours.logged = nil
		}
		want, got := redis.lines(), ours.lines()
		if !slices.Equal(want, got) {
			t.Fatalf("seed %d: %.300q\nredis\n%.2000s\nours\n%.2000s",
				seed, words, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
}

// generator makes random commands.
type generator struct{ *rand.Rand }

func (g generator) pick(of ...string) string { return of[g.IntN(len(of))] }

func (g generator) command() []string {
	if g.IntN(4) == 0 {
		return g.zset()
	}
	if g.IntN(4) == 0 {
		return g.hash()
	}
	key := g.pick("a", "b", "c", "d")
	switch g.IntN(16) {
	case 0:
		return []string{"SET", key, g.bytes()}
	case 1:
		return []string{"SET", key, g.float()}
	case 2, 3:
		return []string{"INCRBYFLOAT", key, g.float()}
	case 4:
		return []string{"SETRANGE", key, g.offset(), g.bytes()}
	case 5:
		return []string{"APPEND", key, g.bytes()}
	case 6:
		return []string{"SETBIT", key, g.offset(), g.pick("0", "1")}
	case 7:
		return []string{"GETRANGE", key, g.index(), g.index()}
	case 8:
		return append([]string{"BITCOUNT", key}, g.span()...)
	case 9, 10:
		return append([]string{"BITPOS", key, g.pick("0", "1")}, g.span()...)
	case 11:
		return g.bitop()
	case 12, 13:
		return g.bitfield(key)
	case 14:
		return append([]string{"LCS", g.pick("x", "y"), g.pick("x", "y")}, g.lcs()...)
	}
	switch g.IntN(3) {
	case 0:
		return []string{"DEL", key}
	case 1:
		return []string{"INCRBY", key, g.integer()}
	}
	return []string{"SET", g.pick("x", "y"), g.letters()}
}

// bytes is a value, mostly short, seldom large enough to leave its entry.
func (g generator) bytes() string {
	n := g.IntN(12)
	switch g.IntN(12) {
	case 0:
		n = g.IntN(200)
	case 1:
		n = 4000 + g.IntN(200)
	}
	b := make([]byte, n)
	kind := g.IntN(4)
	for i := range b {
		b[i] = []byte{0, 0xff, byte(g.Uint32()), byte('0' + g.IntN(10))}[kind]
	}
	if n > 0 && g.IntN(2) == 0 {
		b[g.IntN(n)] = byte(g.Uint32())
	}
	return string(b)
}

func (g generator) letters() string {
	b := make([]byte, g.IntN(40))
	for i := range b {
		b[i] = byte('a' + g.IntN(4))
	}
	return string(b)
}

func (g generator) offset() string {
	switch g.IntN(20) {
	case 0:
		return strconv.Itoa(65530 + g.IntN(12)) // where a large string's first piece ends
	case 1:
		return g.integer()
	}
	return strconv.Itoa(g.IntN(80))
}

func (g generator) index() string { return strconv.Itoa(g.IntN(60) - 30) }

func (g generator) integer() string {
	switch g.IntN(5) {
	case 0:
		return g.pick("9223372036854775807", "-9223372036854775808", "9223372036854775808", "-1", "0", "", "x", "-0", "01")
	case 1:
		return strconv.FormatInt(int64(g.Uint64()), 10)
	case 2:
		return strconv.FormatInt(int64(g.Uint64())>>g.IntN(64), 10)
	}
	return strconv.Itoa(g.IntN(600) - 300)
}

// span is a range of BITCOUNT and BITPOS, or a part of one.
func (g generator) span() []string {
	all := []string{g.index(), g.index(), g.pick("BIT", "BIT", "BYTE", "byte", "FOO")}
	if g.IntN(3) == 0 {
		all[0], all[1] = strconv.Itoa(g.IntN(800)-400), strconv.Itoa(g.IntN(800)-400)
	}
	return all[:g.IntN(4)]
}

func (g generator) bitop() []string {
	words := []string{"BITOP", g.pick("AND", "OR", "XOR", "NOT"), g.pick("a", "b", "c", "d")}
	for range 1 + g.IntN(4) {
		words = append(words, g.pick("a", "b", "c", "d", "none"))
	}
	return words
}

func (g generator) bitfield(key string) []string {
	words := []string{"BITFIELD", key}
	for range g.IntN(5) {
		encoding := g.pick("i", "u") + strconv.Itoa(1+g.IntN(63))
		if g.IntN(20) == 0 {
			encoding = g.pick("i64", "u64", "i65", "i0", "u", "x8", "")
		}
		at := g.offset()
		if g.IntN(3) == 0 {
			at = "#" + strconv.Itoa(g.IntN(10))
		}
		switch g.IntN(4) {
		case 0:
			words = append(words, "GET", encoding, at)
		case 1:
			words = append(words, "SET", encoding, at, g.integer())
		case 2:
			words = append(words, "INCRBY", encoding, at, g.integer())
		case 3:
			words = append(words, "OVERFLOW", g.pick("WRAP", "SAT", "FAIL"))
		}
	}
	return words
}

func (g generator) lcs() (words []string) {
	for _, w := range []string{"IDX", "LEN", "WITHMATCHLEN"} {
		if g.IntN(3) == 0 {
			words = append(words, w)
		}
	}
	if g.IntN(3) == 0 {
		words = append(words, "MINMATCHLEN", strconv.Itoa(g.IntN(6)-1))
	}
	return words
}

// float is a number that a long double may or may not hold.
func (g generator) float() string {
	switch g.IntN(8) {
	case 0:
		return g.integer()
	case 1:
		return strconv.FormatFloat(g.NormFloat64(), 'g', -1, 64)
	case 2:
		return fmt.Sprintf("%.*f", g.IntN(25), g.NormFloat64()*float64(g.IntN(1_000_000)))
	case 3:
		return g.hexFloat()
	case 4:
		return g.digits(40) + "." + g.digits(40)
	}
	exponent := g.IntN(40) - 20
	if g.IntN(6) == 0 {
		exponent = g.IntN(10_000) - 5_000
	}
	return fmt.Sprintf("%s%s.%s%s%d", g.pick("", "-", "+"), g.digits(20), g.digits(25), g.pick("e", "E"), exponent)
}

func (g generator) hexFloat() string {
	text := fmt.Sprintf("%s0x%x.%x", g.pick("", "-"), g.Uint64()>>g.IntN(64), g.Uint64()>>g.IntN(64))
	if g.IntN(2) == 0 {
		return text
	}
	return fmt.Sprintf("%sp%d", text, g.IntN(200)-100)
}

func (g generator) digits(most int) string {
	b := make([]byte, g.IntN(most))
	for i := range b {
		b[i] = byte('0' + g.IntN(10))
	}
	return string(b)
}
