package builtin

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// BenchmarkZSets times commands on a sorted set of 100,000 members, and replies with all
// of a small one.
func BenchmarkZSets(b *testing.B) {
	const members = 100_000
	s := benchServer(b)
	member := func(n int) []byte { return fmt.Appendf(nil, "member:%012d", n) }
	word := func(words ...string) (argv [][]byte) {
		for _, w := range words {
			argv = append(argv, []byte(w))
		}
		return argv
	}
	for n := range members {
		s.play(append(word("ZADD", "z", fmt.Sprint(n)), member(n)))
	}
	for n := range 100 {
		s.play(append(word("ZADD", "z:100", fmt.Sprint(n)), fmt.Appendf(nil, "member:%d", n)))
	}
	pool := make([][]byte, 4096)
	numbers := make([][]byte, len(pool))
	for i := range pool {
		pool[i] = member(rand.IntN(members))
		numbers[i] = fmt.Appendf(nil, "%012d", rand.IntN(members))
	}
	for _, line := range []string{
		"ZADD z # @", "ZINCRBY z # @", "ZSCORE z @", "ZRANK z @", "ZRANGEBYSCORE z # inf LIMIT 0 10",
		"ZRANGE z:100 0 -1", "ZRANGE z:100 0 -1 WITHSCORES", "ZREVRANGE z:100 0 -1", "ZADD z:100 # member:50", "ZRANGE z 0 999", "ZREVRANGE z 0 999",
	} {
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) {
			argv := word(strings.Fields(line)...)
			random := func(sign string) int {
				return slices.IndexFunc(argv, func(w []byte) bool { return string(w) == sign })
			}
			number, name := random("#"), random("@")
			b.ReportAllocs()
			for i := 0; b.Loop(); i = (i + 1) % len(pool) {
				if number >= 0 {
					argv[number] = numbers[i]
				}
				if name >= 0 {
					argv[name] = pool[len(pool)-1-i]
				}
				s.out.Buf = s.out.Buf[:0]
				s.run(argv)
			}
		})
	}
}
