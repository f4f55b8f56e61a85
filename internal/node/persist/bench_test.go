package persist

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/skeindb/skein/internal/store/keyspace"
)

// benchKeys is how many keys the benchmarks have, of 16 bytes and values of 32.
const benchKeys = 300_000

func benchServer(b *testing.B) *server {
	s := newServer(b)
	s.write(0, func(tx *keyspace.WriteTx) {
		for i := range benchKeys {
			if err := tx.SetStr(fmt.Appendf(nil, "key:%012d", i), fmt.Appendf(nil, "value:%026d", i*7919), keyspace.NoExpiry); err != nil {
				b.Fatal(err)
			}
		}
	})
	return s
}

func BenchmarkSave(b *testing.B) {
	s := benchServer(b)
	b.ReportAllocs()
	for b.Loop() {
		var snap *Snapshot
		s.world(func() { snap, _ = s.Snapshot(Aux{}) })
		if err := snap.Save(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchKeys, "ns/key")
}

func BenchmarkLoad(b *testing.B) {
	s := benchServer(b)
	var file bytes.Buffer
	var snap *Snapshot
	s.world(func() { snap, _ = s.Snapshot(Aux{}) })
	if err := snap.Save(&file); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d, err := s.Load(bytes.NewReader(file.Bytes()))
		if err != nil {
			b.Fatal(err)
		}
		d.Discard()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchKeys, "ns/key")
}
