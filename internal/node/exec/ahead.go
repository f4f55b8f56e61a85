package exec

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
)

// AheadMax is how many sessions one Prefetch serves.
const AheadMax = batchMax

// aheadWords is how many words of a command Prefetch looks at: the elements behind are not worth it.
const aheadWords = 8

// ahead are the first commands of sessions that will be fed soon.
type ahead struct {
	n       int // of Turn.hints
	seekers [AheadMax]seeker
	words   [][]byte
}

// seeker is a command that goes to elements inside a collection; the others have no spec.
type seeker struct {
	spec *command.Spec
	key  []byte
	data []byte // which begins with the command
}

// Ahead notes the key of the first command in data, which s is to be fed soon,
// for Prefetch. Clients that do not pipeline make their batches together: while
// the keys of all that are ready come nearer, none is waited for.
func (e *Engine) Ahead(t *Turn, s *session.Session, data []byte) {
	a := &t.ahead
	if a.n == AheadMax || s.Parser.Known() > 0 {
		return
	}
	a.words = resp.AppendWords(a.words[:0], data, 2)
	if len(a.words) < 2 {
		return
	}
	name, key := a.words[0], a.words[1]
	if spec := e.Table.Lookup(name); spec != nil && spec.FirstArgIsKey() {
		e.Keyspace.Hint(&t.hints[a.n], s.DB(), key)
		if spec.Elements.First > 0 {
			a.seekers[a.n] = seeker{spec, key, data}
		}
		a.n++
	}
}

// Prefetch loads the cache lines that the noted keys lie in, if they are several, and
// those of what is sought inside a collection, if several go to the same one.
func (e *Engine) Prefetch(t *Turn) {
	a := &t.ahead
	if a.n > 1 {
		e.Keyspace.Prefetch(t.hints[:a.n])
		for i := range a.n {
			if a.seekers[i].spec != nil {
				e.prefetchElementsAhead(t, i)
			}
		}
	}
	clear(a.seekers[:a.n])
	a.n = 0
}

// prefetchElementsAhead is prefetchElements for the noted command i and those behind it
// that go to the same key, which need not be looked at again.
func (e *Engine) prefetchElementsAhead(t *Turn, i int) {
	a := &t.ahead
	t.sought.Reset()
	for j := i; j < a.n; j++ {
		w := &a.seekers[j]
		if w.spec == nil || t.hints[j].Hash != t.hints[i].Hash {
			continue
		}
		a.words = resp.AppendWords(a.words[:0], w.data, aheadWords)
		w.spec.Elements.Add(&t.sought, a.words, batchMax)
		w.spec = nil
	}
	if len(t.sought.Elements) > 1 {
		e.Keyspace.PrefetchElements(&t.hints[i], a.seekers[i].key, &t.sought)
	}
}
