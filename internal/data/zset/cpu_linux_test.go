package zset

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
)

// BenchmarkPut gives members of a set that is about as large as a processor's cache other scores, each sixteen after a
// Prefetch or none. It reports the benchmark's own processor time too, whatever else the machine does.
func BenchmarkPut(b *testing.B) {
	const n = 100_000
	r := rand.New(rand.NewPCG(1, 1))
	members, scores := make([][]byte, 1<<16), make([]float64, 1<<16)
	for i := range members {
		members[i], scores[i] = fmt.Appendf(nil, "member:%012d", r.IntN(n)), float64(r.IntN(n))
	}
	for _, atOnce := range []int{0, 16} {
		b.Run(fmt.Sprint("prefetch=", atOnce), func(b *testing.B) {
			z := New(0, 0, Limits{})
			for i := range n {
				z.Set(fmt.Appendf(nil, "member:%012d", i), float64(r.IntN(n)), Limits{})
			}
			var from, to syscall.Rusage
			syscall.Getrusage(syscall.RUSAGE_SELF, &from)
			i := 0
			for b.Loop() {
				if atOnce > 0 && i%atOnce == 0 {
					z.Prefetch(members[i : i+atOnce])
					z.PrefetchScores(scores[i : i+atOnce])
				}
				z.Put(members[i], scores[i], Limits{})
				i = (i + 1) % len(members)
			}
			syscall.Getrusage(syscall.RUSAGE_SELF, &to)
			b.ReportMetric(float64(to.Utime.Nano()-from.Utime.Nano())/float64(b.N), "user-ns/op")
		})
	}
}
