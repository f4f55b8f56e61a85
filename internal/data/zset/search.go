package zset

import (
	"bytes"
	"math"
	"math/bits"

	"github.com/skeindb/skein/internal/data/dict"
	"github.com/skeindb/skein/internal/data/tree"
)

// To find a place by its score is most of what an order does, so it does not ask the tree, which would call a function
// for each comparison; and members, which lie elsewhere, are compared only where scores are equal.

// target is a score to be found, and how far the way to it is known.
type target struct {
	score     uint64
	node      tree.Node[place]
	low, high uint64 // the scores of the node lie between them
	before    int    // places before the node, if they were counted
}

// target begins the way to a score. The order is not empty.
func (b *big) target(score float64) target {
	return target{score: sortable(score), node: b.order.Root(), high: math.MaxUint64}
}

// down goes from an inner node to the kid in which the first place lies that does not come before the score, or which
// ends there. It returns the number of the kid.
func (t *target) down() (k int) {
	firsts := t.node.Items()
	k = max(lower(firsts, t.score)-1, 0)
	t.low = firsts[k].score()
	if k+1 < len(firsts) {
		t.high = firsts[k+1].score()
	}
	t.node = t.node.Kid(k)
	return k
}

// leaf goes all the way, counting.
func (t *target) leaf() (places []place) {
	for t.node.Inner() {
		above := t.node
		t.before += above.Before(t.down())
	}
	return t.node.Items()
}

// lower is how many of the places, which ascend, come before score.
func lower(places []place, score uint64) (n int) {
	for left := len(places); left > 0; {
		half := (left + 1) / 2
		_, below := bits.Sub64(places[n+half-1].score(), score, 0)
		n += half & -int(below)
		left -= half
	}
	return n
}

// guess is about where the score is in a node of so many places.
func (t *target) guess(places int) int {
	if t.score <= t.low || t.low >= t.high {
		return 0
	}
	part := float64(t.score-t.low) / float64(t.high-t.low)
	return min(int(part*float64(places)), places-1)
}

// lower is lower of the node's places, looking near the guess first.
func (t *target) lower(places []place) int {
	from, to := 0, len(places)
	g := t.guess(to)
	if places[g].score() < t.score {
		from = g + 1
		for step := guessOff; g+step < to; step *= 2 {
			if places[g+step].score() >= t.score {
				to = g + step
				break
			}
			from = g + step + 1
		}
	} else {
		to = g
		for step := guessOff; g-step >= 0; step *= 2 {
			if places[g-step].score() < t.score {
				from = g - step + 1
				break
			}
			to = g - step
		}
	}
	return from + lower(places[from:to], t.score)
}

const (
	guessOff = 4 // how many places a guess is usually off, at most
	tiesMax  = 4 // of equal scores so many members are compared one after the other
)

// below is how many members come before m with a score.
func (b *big) below(score float64, m []byte) int {
	if b.order.Len() == 0 {
		return 0
	}
	t := b.target(score)
	places := t.leaf()
	at := t.lower(places)
	for i := at; i < len(places) && i-at < tiesMax; i++ {
		if places[i].score() != t.score || bytes.Compare(b.dict.Key(places[i].id), m) >= 0 {
			return t.before + i
		}
	}
	if at == len(places) && t.high > t.score {
		return t.before + at
	}
	return b.seek(t.score, m)
}

// rank is how many members come before m, which is there with a score and a number.
func (b *big) rank(score float64, id dict.ID, m []byte) int {
	t := b.target(score)
	places := t.leaf()
	for i := t.lower(places); i < len(places) && places[i].score() == t.score; i++ {
		if places[i].id == id {
			return t.before + i
		}
	}
	return b.seek(t.score, m)
}

// seek is below wherever scores and members lie.
func (b *big) seek(score uint64, m []byte) int {
	return b.order.Seek(func(p *place) bool {
		s := p.score()
		return s < score || s == score && bytes.Compare(b.dict.Key(p.id), m) < 0
	})
}

// atOnce is how many members or scores Prefetch and PrefetchScores have on their way together.
const atOnce = 16

// Prefetch asks the processor for what Score, Rank and changes will read of these members.
func (z *ZSet) Prefetch(members [][]byte) {
	if z.big == nil || z.Len() == 0 {
		return
	}
	var room [atOnce]dict.ID
	var way [atOnce]target
	for len(members) > 0 {
		n := min(len(members), atOnce)
		ids := z.big.dict.Prefetch(members[:n], room[:0])
		for i, id := range ids {
			way[i] = z.big.target(z.big.scoreOf(id))
		}
		prefetch(way[:len(ids)])
		members = members[n:]
	}
}

// PrefetchScores asks the processor for what changes will read to give members these scores.
func (z *ZSet) PrefetchScores(scores []float64) {
	if z.big == nil || z.Len() == 0 {
		return
	}
	var way [atOnce]target
	for len(scores) > 0 {
		n := min(len(scores), atOnce)
		for i, score := range scores[:n] {
			way[i] = z.big.target(score)
		}
		prefetch(way[:n])
		z.big.prefetchTies(way[:n])
		scores = scores[n:]
	}
}

// prefetch goes all the ways together, asking for what is around the places where the targets probably are.
func prefetch(way []target) {
	if len(way) == 0 {
		return
	}
	for near := true; way[0].node.Inner(); near = false { // all leaves are equally deep, and the root is near
		if !near {
			prefetchGuesses(way)
		}
		for i := range way {
			way[i].down()
			way[i].node.Prefetch()
		}
	}
	prefetchGuesses(way)
}

func prefetchGuesses(way []target) {
	for i := range way {
		t := &way[i]
		n := len(t.node.Items())
		at := t.guess(n)
		t.node.PrefetchAround(max(at-guessOff, 0), min(at+guessOff, n-1))
	}
}

// prefetchTies asks for the members that have the scores.
func (b *big) prefetchTies(way []target) {
	var room [2 * atOnce]dict.ID
	ids := room[:0]
	for i := range way {
		t, places := &way[i], way[i].node.Items()
		at := t.lower(places)
		for n := 0; n < len(room)/len(way) && at+n < len(places) && places[at+n].score() == t.score; n++ {
			ids = append(ids, places[at+n].id)
		}
	}
	b.dict.PrefetchEntries(ids)
}
