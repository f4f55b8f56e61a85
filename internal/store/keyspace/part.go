package keyspace

import "github.com/skeindb/skein/internal/data/table"

// part is what a shelf has in a cut, under the stripe's lock like the shelf. It
// stays with the shelf when that moves to another database or is taken away.
type part struct {
	cut    *Cut
	shelf  *shelf
	db     int
	stripe int

	orphan bool  // the keyspace has done with the shelf
	bytes  int64 // that an orphan takes off the keyspace's account

	// The shares of table i of the shelf are those from first[i] to first[i+1].
	// They are counted when one is taken for the first time: until then nothing has changed.
	first []int
	taken []uint64 // a bit for each share
	table int      // where the walk is
	share int
}

// count divides the tables into shares.
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
	p.taken = make([]uint64, (sum+63)/64)
}

// claim tells whether the share was not taken before, and notes that it is now.
func (p *part) claim(share int) bool {
	word, bit := &p.taken[share/64], uint64(1)<<(share%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
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
	first := p.first[i]
	n := uint64(p.first[i+1] - first)
	if n == 0 {
		return
	}
	if share := table.ShareOf(hash, n); p.claim(first + int(share)) {
		p.cut.put(p, i, share, n)
	}
}

// slice takes some of the shares that are left, and closes the part after the last.
// It locks the stripe.
func (p *part) slice(b *batch) (more bool) {
	st := &p.cut.ks.stripes[p.stripe]
	st.mu.Lock()
	defer st.mu.Unlock()
	if p.cut.over.Load() {
		return false
	}
	p.count()
	for taken, seen := 0, 0; p.share < p.first[len(p.first)-1]; p.share++ {
		if seen++; taken == sliceShares || seen > sliceSeen || len(b.buf) >= sliceBytes {
			return true
		}
		for p.share >= p.first[p.table+1] {
			p.table++
		}
		if !p.claim(p.share) {
			continue
		}
		first := p.first[p.table]
		b.take(p, p.table, uint64(p.share-first), uint64(p.first[p.table+1]-first))
		taken++
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
