package rdb

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"

	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/zset"
)

// zset writes a large set from its greatest member down, as redis does.
func (p *pen) zset(z *zset.ZSet) {
	if lp := z.Listpack(); lp != nil {
		p.text(lp)
		return
	}
	p.length(uint64(z.Len()))
	for m, score := range z.Descend(z.Len() - 1) {
		p.text(m)
		p.buf = binary.LittleEndian.AppendUint64(p.buf, math.Float64bits(score))
		if p.err != nil {
			return
		}
	}
}

// zset is a set of members with scores, which score reads. As in redis, it is large
// until all members are there: a listpack on the way would make a -0 that a later
// member keeps out of listpacks into a 0.
func (d *Decoder) zset(score func() float64) *zset.ZSet {
	n := d.counted()
	z := zset.New(n, math.MaxInt, d.lim.ZSet)
	longest, all := 0, 0
	for range n {
		at := d.at
		m := d.kept()
		s := score()
		switch {
		case d.err != nil:
			return nil
		case math.IsNaN(s):
			d.fail(ErrCorrupt, at, "Zset with NAN score detected: %.40q", m)
			return nil
		case !z.Set(m, s, d.lim.ZSet):
			d.fail(ErrCorrupt, at, "Duplicate zset fields detected: %.40q", m)
			return nil
		}
		longest, all = max(longest, len(m)), all+len(m)
	}
	if listpack.SafeToAdd(nil, all) {
		z.Pack(longest, d.lim.ZSet)
	}
	return z
}

// double is a score in binary.
func (d *Decoder) double() float64 {
	if b := d.take(8); b != nil {
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	return 0
}

// What stands in place of the length of a score that is no text.
const (
	scoreNaN    = 253
	scoreMax    = 254
	scoreLowest = 255
)

// decimalDouble is a score as text, its length in one byte.
func (d *Decoder) decimalDouble() float64 {
	at := d.at
	switch n := d.byte(); n {
	case scoreNaN:
		return math.NaN()
	case scoreMax:
		return math.Inf(1)
	case scoreLowest:
		return math.Inf(-1)
	default:
		text := d.take(uint64(n))
		score, err := strconv.ParseFloat(string(text), 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			d.fail(ErrCorrupt, at, "score %.40q", text)
		}
		return score
	}
}

// zsetListpack is a sorted set in a listpack or, if zipped, a ziplist. Redis looks
// only at the number of members to decide whether they stay one.
func (d *Decoder) zsetListpack(zipped bool) *zset.ZSet {
	at := d.at
	lp := d.packed("Zset", zipped)
	if d.err != nil {
		return nil
	}
	z, err := zset.FromListpack(lp, zset.Limits{Entries: d.lim.ZSet.Entries, Value: math.MaxInt})
	d.check(err, at, "Zset integrity check failed")
	return z
}
