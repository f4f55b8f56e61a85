package table

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// cpuLoop runs f b.N times and reports the processor time per call, which other processes on the
// machine disturb less than the time on the wall.
func cpuLoop(b *testing.B, f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := threadCPU(b)
	for range b.N {
		f()
	}
	b.ReportMetric(float64(threadCPU(b)-start)/float64(b.N), "cpu-ns/op")
}

// threadCPU is the processor time of this thread.
func threadCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(1, &u); err != nil { // RUSAGE_THREAD
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkInsert(b *testing.B) {
	k := newKeyspace(b, 16384)
	i := 0
	var buf [16]byte
	cpuLoop(b, func() {
		key := testKey(&buf, i)
		i++
		hash := Hash(k.seed, key)
		h, _, _ := New(k.a, 0, key, 32, false)
		if err := k.table(hash).Insert(hash, h); err != nil {
			b.Fatal(err)
		}
	})
	b.ReportMetric(float64(k.a.Resident())/float64(i), "resident/key")
}

// BenchmarkFind looks up random keys among 5 million in 16384 tables, in batches that prefetch.
func BenchmarkFind(b *testing.B) {
	const keys = 5_000_000
	k := newKeyspace(b, 16384)
	k.fill(b, keys, 32)
	index := float64(k.memory()+len(k.tables)*tableBytes) / keys
	b.Logf("index %.2f, resident %.2f bytes per key", index, float64(k.a.Resident())/keys)
	for _, batch := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("batch", batch), func(b *testing.B) {
			bufs := make([][16]byte, batch)
			hashes := make([]uint64, batch)
			hints := make([]Hint, batch)
			tables := make([]*Table, batch)
			x := uint64(1)
			sum := 0
			n := 0
			cpuLoop(b, func() {
				if n++; n%batch != 0 {
					return
				}
				for j := range batch {
					x = x*6364136223846793005 + 1442695040888963407
					hashes[j] = Hash(k.seed, testKey(&bufs[j], int(x>>33)%keys))
					tables[j] = k.table(hashes[j])
				}
				if batch > 1 {
					for j := range batch {
						hints[j] = tables[j].PrefetchBucket(hashes[j])
					}
					for j := range batch {
						PrefetchEntryAt(k.a, hints[j], hashes[j])
					}
				}
				for j := range batch {
					h := tables[j].Find(hashes[j], bufs[j][:])
					if h == 0 {
						b.Fatal("lost")
					}
					v := tables[j].Entry(h).Value()
					sum += int(v[0]) + int(v[len(v)-1])
				}
			})
		})
	}
}

// BenchmarkHot is the cost of the operations themselves, with everything in the cache.
func BenchmarkHot(b *testing.B) {
	k := newKeyspace(b, 1)
	k.fill(b, 300, 32)
	t := &k.tables[0]
	var bufs [300][16]byte
	for i := range bufs {
		testKey(&bufs[i], i)
	}
	run := func(name string, f func(key []byte, hash uint64)) {
		b.Run(name, func(b *testing.B) {
			i := 0
			cpuLoop(b, func() {
				if i++; i == len(bufs) {
					i = 0
				}
				key := bufs[i][:]
				f(key, Hash(k.seed, key))
			})
		})
	}
	run("hash", func(key []byte, hash uint64) {})
	run("find", func(key []byte, hash uint64) { t.Find(hash, key) })
	run("prefetch", func(key []byte, hash uint64) { t.PrefetchBucket(hash); t.PrefetchEntry(hash) })
	run("delete-insert", func(key []byte, hash uint64) {
		h := t.Find(hash, key)
		t.Delete(hash, h)
		Free(k.a, h)
		h, _, _ = New(k.a, 0, key, 32, false)
		t.Insert(hash, h)
	})
	run("free-new", func(key []byte, hash uint64) {
		h, _, _ := New(k.a, 0, key, 32, false)
		Free(k.a, h)
	})
}
