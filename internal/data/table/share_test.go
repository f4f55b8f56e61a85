package table

import (
	"fmt"
	"testing"

	"github.com/skeindb/skein/internal/data/arena"
)

// TestShares: in whatever number of shares a table of whatever size is divided,
// each entry is in the one that its hash says, and in no other.
func TestShares(t *testing.T) {
	m := newModel(t)
	for keys := 1; keys < 3000; keys += 1 + keys/3 {
		for i := range keys {
			m.put(fmt.Sprintf("key:%d", i), "value", false)
		}
		for of := uint64(1); of < 600; of += 1 + of/4 {
			seen := map[string]bool{}
			for i := range of {
				m.tab.Share(i, of, func(h arena.Handle) {
					key := m.tab.Entry(h).Key()
					if seen[string(key)] {
						t.Fatalf("%s is shown twice", key)
					}
					if seen[string(key)] = true; ShareOf(Hash(m.seed, key), of) != i {
						t.Fatalf("%s is in share %d of %d", key, i, of)
					}
				})
			}
			if len(seen) != keys {
				t.Fatalf("%d entries of %d are shown, in %d shares of %d buckets", len(seen), keys, of, m.tab.Buckets())
			}
		}
	}
	m.tab.Drop(nil)
	m.tab.Share(3, 7, func(arena.Handle) { t.Error("an entry of an empty table") })
}
