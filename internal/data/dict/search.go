package dict

import (
	"math"
	"unsafe"

	"github.com/skeindb/skein/internal/data/arena"
	"github.com/skeindb/skein/internal/data/tree"
)

// To find a key is most of what a dictionary does, so it does not ask the tree, which would call a function for each
// comparison. Since hashes are spread evenly, the place of a word in a node can be guessed, and is near the guess.

// target is a word to be found, and how far the way to it is known.
type target struct {
	want      uint64 // above all words of the hash
	node      tree.Node[uint64]
	low, high uint64 // the node's words lie between them
	at        int    // guessed
}

const anyID = 1<<idBits - 1

// aim makes t, which is empty, begin the way to the last word of a hash. The index is not empty.
func (d *Dict) aim(t *target, hash uint64) {
	t.want, t.node, t.high = hash<<idBits|anyID, d.index.Root(), math.MaxUint64
}

// down goes from an inner node to the kid in which the last word lies that is not above want.
func (t *target) down() {
	firsts := t.node.Items()
	k := max(t.last(firsts, t.guess(len(firsts))), 0)
	t.low = firsts[k]
	if k+1 < len(firsts) {
		t.high = firsts[k+1]
	}
	t.node = t.node.Kid(k)
}

// guess is about where want lies among so many words.
func (t *target) guess(words int) int {
	if t.want < t.low {
		return 0
	}
	return int((t.want - t.low) >> idBits * uint64(words) / ((t.high-t.low)>>idBits + 1))
}

// last is the index of the last word that is not above want, -1 if there is none.
func (t *target) last(words []uint64, guess int) int {
	i := min(guess, len(words)-1)
	if words[i] > t.want {
		for i--; i >= 0 && words[i] > t.want; i-- {
		}
		return i
	}
	for i+1 < len(words) && words[i+1] <= t.want {
		i++
	}
	return i
}

// recent are words that Prefetch has found, by the last bits of their hash, so that Find need not look for them again.
// A word goes when its entry goes. The hash 0 stands for no word.
type recent [64]uint64

func (r *recent) of(hash uint64) *uint64 { return &r[hash%uint64(len(r))] }

// forget is told that the entry of a word is about to go.
func (r *recent) forget(word uint64) {
	if r != nil {
		if w := r.of(word >> idBits); *w == word {
			*w = 0
		}
	}
}

// Find is the entry with a key.
func (d *Dict) Find(key []byte) (id ID, ok bool) { return d.lookup(d.hash(key), key) }

func (d *Dict) lookup(hash uint64, key []byte) (id ID, ok bool) {
	if d.recent != nil && hash != 0 {
		if w := *d.recent.of(hash); w>>idBits == hash && string(d.Key(ID(w))) == string(key) {
			return ID(w), true
		}
	}
	if d.index.Len() == 0 {
		return 0, false
	}
	var t target
	d.aim(&t, hash)
	for t.node.Inner() {
		t.down()
	}
	words := t.node.Items()
	i := t.last(words, t.guess(len(words)))
	for ; i >= 0; i-- {
		w := words[i]
		if w>>idBits != hash {
			return 0, false
		}
		if string(d.Key(ID(w))) == string(key) {
			return ID(w), true
		}
	}
	_, id, ok = d.find(hash, key) // others of the hash may lie in the leaf before
	return id, ok
}

// atOnce is how many keys Prefetch has on their way together.
const atOnce = 16

// Prefetch asks the processor for all that Find and Get read of these keys. What one key waits for comes nearer
// together with what others wait for. It appends to found the entries that most probably have one of the keys.
func (d *Dict) Prefetch(keys [][]byte, found []ID) []ID {
	if d.index.Len() == 0 {
		return found
	}
	if d.recent == nil {
		d.recent = new(recent)
		d.mem += int(unsafe.Sizeof(recent{}))
	}
	for len(keys) > 0 {
		n := min(len(keys), atOnce)
		found = d.prefetch(keys[:n], found)
		keys = keys[n:]
	}
	return found
}

func (d *Dict) prefetch(keys [][]byte, found []ID) []ID {
	var room [atOnce]target
	targets := room[:len(keys)]
	for i, key := range keys {
		t := &targets[i]
		d.aim(t, d.hash(key))
		if t.node.Inner() { // the root is near
			t.down()
			t.node.Prefetch()
		}
	}
	for targets[0].node.Inner() { // all leaves are equally deep
		prefetchGuesses(targets)
		for i := range targets {
			t := &targets[i]
			t.down()
			t.node.Prefetch()
		}
	}
	prefetchGuesses(targets)
	old := len(found)
	for i := range targets {
		t := &targets[i]
		words := t.node.Items()
		if at := t.last(words, t.at); at >= 0 && words[at]>>idBits == t.want>>idBits {
			found = append(found, ID(words[at]))
			*d.recent.of(words[at] >> idBits) = words[at]
		}
	}
	d.PrefetchEntries(found[old:])
	return found
}

// prefetchGuesses guesses where the targets are in their nodes, and asks for what is around.
func prefetchGuesses(targets []target) {
	for i := range targets {
		t := &targets[i]
		n := len(t.node.Items())
		t.at = min(t.guess(n), n-1)
		t.node.PrefetchAround(max(t.at-guessOff, 0), min(t.at+guessOff, n-1))
	}
}

// PrefetchEntries asks the processor for entries that there are.
func (d *Dict) PrefetchEntries(ids []ID) {
	for _, id := range ids {
		d.page(id).prefetch(int(id % pagePlaces))
	}
	for _, id := range ids {
		p := d.page(id)
		from, to := p.span(int(id % pagePlaces))
		arena.PrefetchPair(&p.data[from], &p.data[to-1])
	}
}

// guessOff is how many words off a guess usually is, at most.
const guessOff = 3
