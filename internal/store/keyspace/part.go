package keyspace

import (
	"github.com/skeindb/skein/internal/data/arena"
	"github.com/skeindb/skein/internal/data/table"
)

// part is what a shelf has in a cut, under the stripe's lock like the shelf. It
// stays with the shelf when that moves to another database or is taken away.
type part struct {
	cut    *Cut
	shelf  *shelf
	db     int
	stripe int

	orphan bool  // the keyspace has done with the shelf
	bytes  int64 // that an orphan takes off the keyspace's account

	// The buckets that table i had are those from first[i] to first[i+1]. They are
	// counted when a share is taken for the first time: until then nothing has changed.
	first  []int
	taken  []uint8 // a bit for each eighth of a bucket
	table  int     // where the walk is
	bucket int
}

const wholeBucket = 0xff

// count counts the buckets of all tables.
func (p *part) count() {
	if p.first != nil {
		return
	}
	p.first = make([]int, len(p.shelf.tables)+1)
	sum := 0
	for i := range p.shelf.tables {
		p.first[i] = sum
		if t := p.shelf.tables[i].Load(); t != nil && t.Len() > 0 {
			sum += int(t.Buckets())
		}
	}
	p.first[len(p.shelf.tables)] = sum
	p.taken = make([]uint8, sum)
}

// preserve hands the share of a key over to the cut, if it has not got it yet: the
// key is about to change.
func (p *part) preserve(slot uint16, hash uint64) {
	if p.cut.over.Load() {
		p.shelf.cut = nil
		return
	}
	p.count()
	i := int(slot) >> p.cut.ks.shift
	n := uint64(p.first[i+1] - p.first[i])
	if n == 0 {
		return
	}
	bucket, eighth := table.ShareOf(hash, n)
	if taken := &p.taken[p.first[i]+int(bucket)]; *taken&eighth == 0 {
		*taken |= eighth
		p.cut.put(p, i, bucket, eighth)
	}
}

// take copies some eighths of a bucket of table i into b.
func (p *part) take(b *batch, i int, bucket uint64, eighths uint8) {
	t := p.shelf.tables[i].Load()
	if t == nil {
		return
	}
	before := len(b.ends)
	t.Share(bucket, uint64(p.first[i+1]-p.first[i]), eighths, func(h arena.Handle) { b.copy(p.shelf, t.Entry(h)) })
	if entries := len(b.ends) - before; entries > 0 {
		b.shares = append(b.shares, share{p.db, uint16(i<<p.cut.ks.shift | p.stripe), entries})
	}
}

// slice takes what is left of some buckets, and parts with the shelf after the last.
// It locks the stripe.
func (p *part) slice(b *batch) (more bool) {
	st := &p.cut.ks.stripes[p.stripe]
	st.mu.Lock()
	defer st.mu.Unlock()
	if p.cut.over.Load() {
		return false
	}
	p.count()
	for some, seen := 0, 0; p.bucket < len(p.taken); p.bucket++ {
		if seen++; some == sliceBuckets || seen > sliceSeen || len(b.buf) >= sliceBytes {
			return true
		}
		for p.bucket >= p.first[p.table+1] {
			p.table++
		}
		if left := wholeBucket &^ p.taken[p.bucket]; left != 0 {
			p.taken[p.bucket] = wholeBucket
			p.take(b, p.table, uint64(p.bucket-p.first[p.table]), left)
			some++
		}
	}
	p.leave()
	return false
}

// leave parts with the shelf. The stripe is locked.
func (p *part) leave() {
	if p.shelf == nil {
		return
	}
	if p.shelf.cut == p {
		p.shelf.cut = nil
	}
	if p.orphan {
		ks := p.cut.ks
		p.cut.weigh(-p.bytes)
		ks.beside.Add(p.bytes)
		ks.graves.add(ks, []*shelf{p.shelf})
	}
	p.shelf, p.first, p.taken = nil, nil, nil
}

// adopt leaves the shelf to the cut, which frees it in the end. Until then the
// bytes that it takes are not those of the keyspace: no key is to be evicted or
// refused for them.
func (p *part) adopt(bytes int64) {
	p.orphan, p.bytes = true, bytes
	p.cut.weigh(bytes)
	p.cut.ks.beside.Add(-bytes)
}

func (p *part) close() {
	st := &p.cut.ks.stripes[p.stripe]
	st.mu.Lock()
	p.leave()
	st.mu.Unlock()
}
