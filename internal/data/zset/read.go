package zset

import (
	"bytes"
	"iter"

	"github.com/skeindb/skein/internal/data/dict"
	"github.com/skeindb/skein/internal/data/listpack"
)

// Rank is how many members come before m; false if there is no m.
func (z *ZSet) Rank(m []byte) (rank int, ok bool) {
	rank, _, ok = z.RankScore(m)
	return rank, ok
}

// RankScore is Rank and Score in one.
func (z *ZSet) RankScore(m []byte) (rank int, score float64, ok bool) {
	if z.big != nil {
		id, ok := z.big.dict.Find(m)
		if !ok {
			return 0, 0, false
		}
		score = z.big.scoreOf(id)
		return z.big.rank(score, id, m), score, true
	}
	for p := listpack.First(z.lp); p != 0; {
		at := listpack.Next(z.lp, p)
		if listpack.Get(z.lp, p).Equal(m) {
			return rank, packedScore(z.lp, at), true
		}
		rank++
		p = listpack.Next(z.lp, at)
	}
	return 0, 0, false
}

// At is the member of a rank, 0 <= i < Len, and its score. A number is written into scratch.
func (z *ZSet) At(i int, scratch []byte) (m []byte, score float64) {
	if z.big != nil {
		return z.big.get(z.big.order.At(i).id)
	}
	p := listpack.Seek(z.lp, 2*i)
	return view(listpack.Get(z.lp, p), scratch), packedScore(z.lp, listpack.Next(z.lp, p))
}

func (b *big) get(id dict.ID) (m []byte, score float64) { return b.dict.Key(id), b.scoreOf(id) }

// Below is how many members have a score less than the one given or, if orEqual, not more. It is also the rank of the
// first of the others. So the members with scores from a to b have the ranks from Below(a, false) to Below(b, true)-1.
func (z *ZSet) Below(score float64, orEqual bool) int {
	if z.big != nil {
		k := sortable(score)
		return z.big.order.Seek(func(p *place) bool { return p.score() < k || orEqual && p.score() == k })
	}
	n := 0
	for _, s := range z.Ascend(0) {
		if s > score || s == score && !orEqual {
			break
		}
		n++
	}
	return n
}

// LexBelow is how many members are less than m or, if orEqual, not greater; it is for sets in which all scores are
// equal, and says something of no use for others.
func (z *ZSet) LexBelow(m []byte, orEqual bool) int {
	under := func(member []byte) bool {
		c := bytes.Compare(member, m)
		return c < 0 || c == 0 && orEqual
	}
	if z.big != nil {
		return z.big.order.Seek(func(p *place) bool { return under(z.big.dict.Key(p.id)) })
	}
	n := 0
	for member := range z.Ascend(0) {
		if !under(member) {
			break
		}
		n++
	}
	return n
}

// Ascend yields members and scores from rank i on. The set must not change meanwhile.
func (z *ZSet) Ascend(i int) iter.Seq2[[]byte, float64] {
	return func(yield func([]byte, float64) bool) {
		if z.big != nil {
			for p := range z.big.order.Ascend(i) {
				if !yield(z.big.get(p.id)) {
					return
				}
			}
			return
		}
		z.walk(listpack.Seek(z.lp, 2*i), 1, yield)
	}
}

// Descend yields members and scores from rank i down to 0. The set must not change meanwhile.
func (z *ZSet) Descend(i int) iter.Seq2[[]byte, float64] {
	return func(yield func([]byte, float64) bool) {
		switch {
		case i < 0 || i >= z.Len():
		case z.big != nil:
			for p := range z.big.order.Descend(i) {
				if !yield(z.big.get(p.id)) {
					return
				}
			}
		default:
			z.walk(listpack.Seek(z.lp, 2*i), -1, yield)
		}
	}
}

// Members yields n members without their scores, from rank i on, up or down; all of them there are. The set must not
// change meanwhile.
func (z *ZSet) Members(i, n int, down bool) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) { z.members(i, n, down, yield) }
}

func (z *ZSet) members(i, n int, down bool, yield func([]byte) bool) {
	switch {
	case n <= 0:
	case z.big == nil:
		z.walkMembers(listpack.Seek(z.lp, 2*i), n, down, yield)
	case down:
		for p := range z.big.order.Descend(i) {
			if !yield(z.big.dict.Key(p.id)) {
				return
			}
			if n--; n == 0 {
				return
			}
		}
	default:
		for p := range z.big.order.Ascend(i) {
			if !yield(z.big.dict.Key(p.id)) {
				return
			}
			if n--; n == 0 {
				return
			}
		}
	}
}

// walkMembers goes through n members of the listpack from the one at p on, up or down.
func (z *ZSet) walkMembers(p, n int, down bool, yield func([]byte) bool) {
	var scratch [20]byte
	for ; n > 0 && yield(view(listpack.Get(z.lp, p), scratch[:])); n-- {
		if n == 1 {
			return
		}
		if down {
			p = listpack.Prev(z.lp, listpack.Prev(z.lp, p))
		} else {
			p = listpack.Next(z.lp, listpack.Next(z.lp, p))
		}
	}
}

// walk goes through the listpack from the member at p on, up or down.
func (z *ZSet) walk(p, step int, yield func([]byte, float64) bool) {
	var scratch []byte
	for p != 0 {
		at := listpack.Next(z.lp, p)
		if !yield(listpack.Get(z.lp, p).Text(&scratch), packedScore(z.lp, at)) {
			return
		}
		if step > 0 {
			p = listpack.Next(z.lp, at)
		} else if p = listpack.Prev(z.lp, p); p != 0 {
			p = listpack.Prev(z.lp, p)
		}
	}
}

// Scan shows about count members, from where the last call ended; see dict.Dict.Scan. Of a listpack it shows all at once.
func (z *ZSet) Scan(cursor uint64, count int, visit func(m []byte, score float64)) (next uint64) {
	if z.big != nil {
		return z.big.dict.Scan(cursor, count, func(id dict.ID) { visit(z.big.get(id)) })
	}
	for m, score := range z.Ascend(0) {
		visit(m, score)
	}
	return 0
}

func view(e listpack.Entry, scratch []byte) []byte {
	if e.IsInt() {
		return e.Append(scratch[:0])
	}
	return e.Str
}
