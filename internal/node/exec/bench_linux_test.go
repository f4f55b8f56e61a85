package exec

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// cpuLoop runs f b.N times and reports the processor time per command of the best
// tenth of the pieces, which other processes on the machine disturb less than the
// time on the wall.
func cpuLoop(b *testing.B, commands int, f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const pieces = 50
	var took []time.Duration
	each := max(b.N/pieces, 1)
	for range pieces {
		start := threadCPU(b)
		for range each {
			f()
		}
		took = append(took, threadCPU(b)-start)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[pieces/10])/float64(each*commands), "cpu-ns/command")
}

// threadCPU is the processor time of this thread.
func threadCPU(b *testing.B) time.Duration {
	const clockThreadCPU = 3
	var ts syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockThreadCPU, uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		b.Fatal(errno)
	}
	return time.Duration(ts.Nano())
}

// BenchmarkFeed runs pipelined GETs and SETs of 16-byte keys and 3-byte values on
// random keys of so many.
func BenchmarkFeed(b *testing.B) {
	for _, keys := range []int{1000, 1_000_000, 5_000_000} {
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			r := newRig(b)
			s := r.client()
			for i := 0; i < keys; i += 50 {
				var in []byte
				for j := i; j < i+50; j++ {
					in = append(in, say("SET", benchKey(j), "xxx")...)
				}
				r.feed(b, s, in)
			}
			for _, name := range []string{"GET", "SET"} {
				for _, pipeline := range []int{1, 16, 64} {
					b.Run(fmt.Sprintf("%s/P=%d", name, pipeline), func(b *testing.B) {
						inputs := requests(name, keys, pipeline)
						i := 0
						cpuLoop(b, pipeline, func() {
							if i++; i == len(inputs) {
								i = 0
							}
							r.feed(b, s, inputs[i])
						})
					})
				}
			}
		})
	}
}

func benchKey(i int) string { return fmt.Sprintf("key:%012d", i) }

func requests(name string, keys, pipeline int) (list [][]byte) {
	x := uint64(1)
	for range 1 + 200_000/pipeline {
		var in []byte
		for range pipeline {
			x = x*6364136223846793005 + 1442695040888963407
			key := benchKey(int(x>>33) % keys)
			if name == "SET" {
				in = append(in, say(name, key, "xxx")...)
			} else {
				in = append(in, say(name, key)...)
			}
		}
		list = append(list, in)
	}
	return list
}

// BenchmarkTypes runs pipelined commands on one large collection, which many clients
// share. A # stands for another random number of twelve digits each time.
func BenchmarkTypes(b *testing.B) {
	for _, line := range []string{
		"LPUSH list #", "LPOP list", "SADD set member:#", "HSET hash field:# abc", "ZADD zset # member:#", "XADD stream * field #",
	} {
		words := strings.Fields(line)
		for _, pipeline := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/P=%d", words[0], pipeline), func(b *testing.B) {
				r := newRig(b)
				s := r.client()
				inputs := linesOf(words, pipeline)
				if words[0] == "LPOP" { // of more than are ever popped
					for range max(b.N*pipeline, 1)/100 + 1 {
						r.feed(b, s, say(append([]string{"RPUSH", "list"}, strings.Fields(strings.Repeat("000000012345 ", 100))...)...))
					}
				} else {
					for _, in := range inputs {
						r.feed(b, s, in)
					}
				}
				i := 0
				cpuLoop(b, pipeline, func() {
					if i++; i == len(inputs) {
						i = 0
					}
					r.feed(b, s, inputs[i])
				})
			})
		}
	}
}

// linesOf are inputs of so many commands each, made of words.
func linesOf(words []string, pipeline int) (list [][]byte) {
	x := uint64(1)
	for range 1 + 200_000/pipeline {
		var in []byte
		for range pipeline {
			var filled []string
			for _, w := range words {
				x = x*6364136223846793005 + 1442695040888963407
				filled = append(filled, strings.ReplaceAll(w, "#", fmt.Sprintf("%012d", (x>>33)%100_000)))
			}
			in = append(in, say(filled...)...)
		}
		list = append(list, in)
	}
	return list
}
