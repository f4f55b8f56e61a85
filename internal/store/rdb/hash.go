package rdb

import (
	"encoding/binary"
	"math"

	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/listpack"
)

// maxFieldExpiry is the latest deadline of a field, in Unix ms.
const maxFieldExpiry = 1<<48 - 1

func (p *pen) hash(h *hash.Hash) {
	if lp := h.Listpack(); lp != nil {
		p.text(lp)
		return
	}
	p.length(uint64(h.Len()))
	for field, val := range h.All() {
		p.text(field)
		if !p.text(val) {
			return
		}
	}
}

// volatileHash writes a hash with deadlines: they are counted from the earliest,
// which is 1; 0 is none.
func (p *pen) volatileHash(h *hash.Hash) {
	first, _ := h.NextExpiry()
	p.buf = binary.LittleEndian.AppendUint64(p.buf, uint64(first))
	p.length(uint64(h.Len()))
	for field, val := range h.All() {
		after := uint64(0)
		if ms, ok := h.Expiry(field); ok {
			after = uint64(ms-first) + 1
		}
		p.length(after)
		p.text(field)
		if !p.text(val) {
			return
		}
	}
}

// hash is a hash of fields and values one by one, in front of each its deadline if
// it is volatile.
func (d *Decoder) hash(volatile bool) *hash.Hash {
	var first uint64
	if volatile {
		first = d.unsigned()
	}
	n := d.counted()
	h := hash.New()
	h.Expect(n, 0, 0, d.lim.Hash)
	for range n {
		at, due := d.at, uint64(0)
		if volatile {
			if due = d.Len(); due > 0 {
				due += first - 1
			}
		}
		field := d.kept()
		val := d.String()
		if d.err != nil {
			return nil
		}
		if !h.Set(field, val, d.lim.Hash) {
			d.fail(ErrCorrupt, at, "Duplicate hash fields detected: %.40q", field)
			return nil
		}
		if !d.expire(h, at, field, due) {
			return nil
		}
	}
	return h
}

// expire gives a field its deadline, 0 for none.
func (d *Decoder) expire(h *hash.Hash, at int64, field []byte, due uint64) bool {
	if due > maxFieldExpiry {
		d.fail(ErrCorrupt, at, "deadline %d of field %.40q", due, field)
		return false
	}
	if due > 0 {
		h.SetExpiry(field, int64(due))
	}
	return true
}

// hashListpack is a hash in a listpack or, if zipped, a ziplist. Redis looks only
// at the number of fields to decide whether they stay one.
func (d *Decoder) hashListpack(zipped bool) *hash.Hash {
	at := d.at
	lp := d.packed("Hash", zipped)
	if d.err != nil {
		return nil
	}
	h, err := hash.FromListpack(lp, hash.Limits{Entries: d.lim.Hash.Entries, Value: math.MaxInt})
	d.check(err, at, "Hash integrity check failed")
	return h
}

// volatileListpack is a hash in a listpack of fields, values and deadlines.
func (d *Decoder) volatileListpack() *hash.Hash {
	d.unsigned() // the earliest deadline: a hint
	at := d.at
	lp := d.packed("Hash", false)
	if d.err != nil {
		return nil
	}
	if n := listpack.Len(lp); n%3 != 0 {
		d.fail(ErrCorrupt, at, "Hash listpack integrity check failed: %d elements with deadlines", n)
		return nil
	}
	h := hash.New()
	h.Expect(listpack.Len(lp)/3, 0, 0, d.lim.Hash)
	for p := listpack.First(lp); p != 0; {
		field := listpack.Get(lp, p).Append(nil)
		p = listpack.Next(lp, p)
		val := listpack.Get(lp, p).Append(nil)
		p = listpack.Next(lp, p)
		due, ok := listpack.Get(lp, p).Integer()
		p = listpack.Next(lp, p)
		if !ok || due < 0 || !h.Set(field, val, d.lim.Hash) {
			d.fail(ErrCorrupt, at, "Hash listpack integrity check failed: field %.40q with a deadline", field)
			return nil
		}
		if !d.expire(h, at, field, uint64(due)) {
			return nil
		}
	}
	return h
}

// hashZipmap is a hash in a zipmap, as redis before 2.6 has it.
func (d *Decoder) hashZipmap() *hash.Hash {
	at := d.at
	h := hash.New()
	err := eachInZipmap(d.String(), func(field, val []byte) bool { return h.Set(field, val, d.lim.Hash) })
	d.check(err, at, "Zipmap integrity check failed")
	return h
}
