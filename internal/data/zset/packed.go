package zset

import (
	"bytes"
	"errors"
	"math"
	"strconv"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/data/listpack"
)

// ErrCorrupt: the listpack has a member without a score or with one that is no number, a member twice, or none.
var ErrCorrupt = errors.New("zset: corrupt data")

// FromListpack makes a sorted set of bytes from outside, which it checks and keeps. If they are out of order, as in a
// payload that was made by hand, they are sorted.
func FromListpack(lp []byte, lim Limits) (*ZSet, error) {
	n, err := listpack.Validate(lp)
	if err != nil {
		return nil, err
	}
	if n == 0 || n%2 != 0 {
		return nil, ErrCorrupt
	}
	z := &ZSet{lp: lp}
	seen := make(map[string]struct{}, n/2)
	sorted, longest, last := true, 0, ""
	before := math.Inf(-1)
	for p := listpack.First(lp); p != 0; {
		var scratch [20]byte
		m := string(view(listpack.Get(lp, p), scratch[:]))
		at := listpack.Next(lp, p)
		score, ok := parseScore(listpack.Get(lp, at))
		if _, twice := seen[m]; twice || !ok {
			return nil, ErrCorrupt
		}
		seen[m] = struct{}{}
		if len(seen) > 1 && (score < before || score == before && m < last) {
			sorted = false
		}
		before, last, longest = score, m, max(longest, len(m))
		p = listpack.Next(lp, at)
	}
	if n/2 > lim.Entries || longest > lim.Value || !sorted {
		z.convertUnsorted()
	}
	if !sorted {
		z.Pack(longest, lim)
	}
	return z, nil
}

// convertUnsorted is convert for a listpack in any order.
func (z *ZSet) convertUnsorted() {
	c := &ZSet{lp: listpack.New()}
	c.convert()
	for m, score := range z.Ascend(0) {
		c.big.put(m, score)
	}
	*z = *c
}

// insert puts a member that is not there in its place.
func (z *ZSet) insert(m []byte, score float64) {
	p := listpack.First(z.lp)
	for p != 0 {
		at := listpack.Next(z.lp, p)
		if s := packedScore(z.lp, at); s > score || s == score && greater(listpack.Get(z.lp, p), m) {
			z.lp = listpack.InsertBefore(z.lp, p, m)
			z.lp = insertScore(z.lp, listpack.Next(z.lp, p), score)
			return
		}
		p = listpack.Next(z.lp, at)
	}
	z.lp = appendScore(listpack.Append(z.lp, m), score)
}

func greater(e listpack.Entry, m []byte) bool {
	var scratch [20]byte
	return bytes.Compare(view(e, scratch[:]), m) > 0
}

func appendScore(lp []byte, score float64) []byte { return insertScore(lp, 0, score) }

// insertScore puts a score before p, as redis does: as an integer if it is one, else in decimal.
func insertScore(lp []byte, p int, score float64) []byte {
	var scratch [32]byte
	return listpack.InsertBefore(lp, p, resp.AppendDouble(scratch[:0], score+0))
}

// packedScore is the score at p.
func packedScore(lp []byte, p int) float64 {
	score, _ := parseScore(listpack.Get(lp, p))
	return score
}

// parseScore reads a score; false if it is none.
func parseScore(e listpack.Entry) (float64, bool) {
	if e.IsInt() {
		return float64(e.Int), true
	}
	score, err := strconv.ParseFloat(string(e.Str), 64)
	if errors.Is(err, strconv.ErrRange) {
		err = nil // what is too large is infinite, as for strtod
	}
	return score, err == nil && !math.IsNaN(score)
}
