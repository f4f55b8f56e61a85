package keyspace

import (
	"testing"

	"github.com/skeindb/skein/internal/data/arena"
	"github.com/skeindb/skein/internal/data/value"
)

// check asks that everything kept beside the tables agrees with them. Nobody
// works on the keyspace meanwhile.
func (ks *Keyspace) check(t testing.TB) {
	t.Helper()
	ks.graves.done.Wait()
	var bytes int64
	for i := range ks.stripes {
		for db := range ks.opt.Databases {
			if sh := ks.stripes[i].shelves[db].Load(); sh != nil {
				ks.checkShelf(t, &ks.stripes[i], sh)
				bytes += sh.bytes
			}
		}
	}
	if beside := ks.beside.Load(); beside != bytes {
		t.Errorf("%d bytes are accounted for beside the arena, the shelves have %d", beside, bytes)
	}
}

func (ks *Keyspace) checkShelf(t testing.TB, st *stripe, sh *shelf) {
	t.Helper()
	var keys, live, sum, objects, weight int64
	items := map[uint64]int64{} // earliest of each hash
	for i, it := range sh.due.heap {
		if at, ok := items[it.hash]; !ok || it.at() < at {
			items[it.hash] = it.at()
		}
		if i > 0 && sh.due.heap[(i-1)/4].when > it.when {
			t.Error("the index of deadlines is no heap")
		}
	}
	next, volatile := map[uint64]int64{}, int64(0)
	for i, it := range sh.fields.heap {
		if at, ok := next[it.hash]; !ok || it.at() < at {
			next[it.hash] = it.at()
		}
		if i > 0 && sh.fields.heap[(i-1)/4].when > it.when {
			t.Error("the index of fields is no heap")
		}
	}
	for i := range sh.tables {
		tb := sh.tables[i].Load()
		if tb == nil {
			continue
		}
		weight += tableBytes
		keys += int64(tb.Len())
		if int64(tb.Len()) > ks.fullest.Load() {
			t.Error("there is a fuller table than the fullest")
		}
		eachEntry(tb.Scan, func(h arena.Handle) {
			e := tb.Entry(h)
			if e.Kind() == kindObject {
				objects++
				weight += int64(sh.object(e).bytes)
				if at := nextField(sh.object(e).object); at != sh.object(e).next {
					t.Errorf("%s: the next field ends at %d, noted is %d", e.Key(), at, sh.object(e).next)
				} else if at >= 0 {
					volatile++
					if item, ok := next[ks.Hash(e.Key())]; !ok || item > at {
						t.Errorf("%s has no item among the fields that is early enough", e.Key())
					}
				}
				if s, ok := sh.object(e).object.(*value.String); ok && s.Len() <= inlineMax/2 {
					t.Logf("a short string as object: %d", s.Len())
				}
				// A hash whose last deadline has passed stays an object until its next change.
				if _, b := pack(sh.object(e).object); b != nil && len(b) <= repackMax && sh.object(e).object.Type() != value.TypeHash {
					t.Errorf("%s is a small collection of %d bytes, but an object", e.Key(), len(b))
				}
				if k := sh.object(e); k.bytes != k.object.Bytes() {
					t.Errorf("%s takes %d bytes, %d are accounted for", e.Key(), k.object.Bytes(), k.bytes)
				}
			}
			if e.Expires() {
				live++
				sum += min(e.Expiry(), sumMax)
				if at, ok := items[ks.Hash(e.Key())]; !ok || at > e.Expiry() {
					t.Errorf("%s has no item that is early enough", e.Key())
				}
			}
		})
	}
	weight += shelfBytes + int64(len(sh.tables))*wordBytes + int64(cap(sh.due.heap)+cap(sh.fields.heap))*dueBytes +
		int64(cap(sh.objects))*keptBytes + int64(cap(sh.holes))*holeBytes
	for _, c := range []struct {
		what      string
		got, want int64
	}{
		{"keys", sh.keys.Load(), keys}, {"live", sh.due.live.Load(), live}, {"sum", sh.due.sum.Load(), sum},
		{"items", sh.due.items.Load(), int64(len(sh.due.heap))}, {"bytes", sh.bytes, weight},
		{"hashes with volatile fields", sh.fields.live.Load(), volatile},
		{"objects", int64(len(sh.objects) - len(sh.holes)), objects},
	} {
		if c.got != c.want {
			t.Errorf("%s: noted %d, there are %d", c.what, c.got, c.want)
		}
	}
	if len(sh.due.heap) > 64+2*int(live)+sweepSteps+int(live)/2 {
		t.Errorf("%d items for %d deadlines", len(sh.due.heap), live)
	}
	if first := sh.due.first.Load(); len(sh.due.heap) > 0 && first != sh.due.heap[0].at() {
		t.Errorf("first is %d", first)
	}
}

func eachEntry(scan func(uint64, func(arena.Handle)) uint64, fn func(arena.Handle)) {
	for at := uint64(0); ; {
		if at = scan(at, fn); at == 0 {
			return
		}
	}
}
