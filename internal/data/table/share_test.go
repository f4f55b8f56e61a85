package table

import (
	"fmt"
	"testing"

	"github.com/skeindb/skein/internal/data/arena"
)

// TestShares: by whatever number of buckets a table of whatever size is divided,
// each entry is in the share that its hash says, and in no other.
func TestShares(t *testing.T) {
	m := newModel(t)
	for keys := 1; keys < 3000; keys += 1 + keys/3 {
		for i := range keys {
			m.put(fmt.Sprintf("key:%d", i), "value", false)
		}
		for of := uint64(1); of < 600; of += 1 + of/4 {
			seen := map[string]bool{}
			for i := range of {
				once := uint8(keys * int(i+1)) // some eighths, then the others
				for _, eighths := range []uint8{once, ^once} {
					m.tab.Share(i, of, eighths, func(h arena.Handle) {
						key := m.tab.Entry(h).Key()
						if seen[string(key)] {
							t.Fatalf("%s is shown twice", key)
						}
						seen[string(key)] = true
						if bucket, eighth := ShareOf(Hash(m.seed, key), of); bucket != i || eighth&eighths == 0 {
							t.Fatalf("%s is in share %d of %d, eighths %b", key, i, of, eighths)
						}
					})
				}
			}
			if len(seen) != keys {
				t.Fatalf("%d entries of %d are shown, in %d shares of %d buckets", len(seen), keys, of, m.tab.Buckets())
			}
		}
	}
	m.tab.Drop(nil)
	m.tab.Share(3, 7, 0xff, func(arena.Handle) { t.Error("an entry of an empty table") })
}
