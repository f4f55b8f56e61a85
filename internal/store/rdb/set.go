package rdb

import (
	"math"

	"github.com/skeindb/skein/internal/data/set"
)

// set writes members one by one, also those of a listpack, which is a form that
// only version 11 has.
func (p *pen) set(s *set.Set) {
	if is := s.Intset(); is != nil {
		p.text(is)
		return
	}
	p.length(uint64(s.Len()))
	for m := range s.All() {
		if !p.text(m) {
			return
		}
	}
}

// set is a set of members one by one. Redis makes it an intset as long as it can,
// unless there are too many from the beginning.
func (d *Decoder) set() *set.Set {
	n := d.counted()
	s := set.New([]byte("0"), 0, d.lim.Set)
	s.Expect(n, d.lim.Set)
	for range n {
		at := d.at
		m := d.String()
		if d.err != nil {
			return nil
		}
		if !s.Add(m, d.lim.Set) {
			d.fail(ErrCorrupt, at, "Duplicate set members detected: %.40q", m)
			return nil
		}
	}
	return s
}

func (d *Decoder) setIntset() *set.Set {
	at := d.at
	s, err := set.FromIntset(d.blob(), d.lim.Set)
	d.check(err, at, "Intset integrity check failed")
	return s
}

// setListpack, as redis, looks only at the number of members to decide whether
// they stay a listpack.
func (d *Decoder) setListpack() *set.Set {
	at := d.at
	lp := d.packed("Set", false)
	if d.err != nil {
		return nil
	}
	s, err := set.FromListpack(lp, set.Limits{Entries: d.lim.Set.Entries, Value: math.MaxInt})
	d.check(err, at, "Set listpack integrity check failed")
	return s
}
