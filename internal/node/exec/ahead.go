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
	n   int // of Turn.hints
	who [AheadMax]struct {
		spec *command.Spec
		data []byte // which begins with the command
	}
	words [][]byte
}

// Ahead notes the key of the first command in data, which s is to be fed soon,
// for Prefetch. Clients that do not pipeline make their batches together: while
// the keys of all that are ready come nearer, none is waited for.
func (e *Engine) Ahead(t *Turn, s *session.Session, data []byte) {
	a := &t.ahead
	if a.n == AheadMax || s.Parser.Known() > 0 {
		return
	}
	name, key, ok := resp.First(data)
	if !ok {
		return
	}
	if spec := e.Table.Lookup(name); spec != nil && spec.FirstArgIsKey() {
		e.Keyspace.Hint(&t.hints[a.n], s.DB(), key)
		a.who[a.n].spec, a.who[a.n].data = spec, data
		a.n++
	}
}

// Prefetch loads the cache lines that the noted keys lie in, if they are several, and
// those of what is sought inside a collection, if several go to the same one.
func (e *Engine) Prefetch(t *Turn) {
	if a := &t.ahead; a.n > 1 {
		e.Keyspace.Prefetch(t.hints[:a.n])
		for i := range a.who[:a.n] {
			e.prefetchElementsAhead(t, i)
		}
	}
	clear(t.ahead.who[:t.ahead.n])
	t.ahead.n = 0
}

// prefetchElementsAhead is prefetchElements for the noted command i and those behind it
// that go to the same key.
func (e *Engine) prefetchElementsAhead(t *Turn, i int) {
	a := &t.ahead
	t.sought.Reset()
	var key []byte
	for j := i; j < a.n; j++ {
		w := &a.who[j]
		if w.spec == nil || w.spec.Elements.First == 0 || t.hints[j].Hash != t.hints[i].Hash {
			if j == i {
				return
			}
			continue
		}
		a.words = resp.AppendWords(a.words[:0], w.data, aheadWords)
		w.spec.Elements.Add(&t.sought, a.words, batchMax)
		w.spec = nil
		if j == i {
			key = a.words[1]
		}
	}
	if len(t.sought.Elements) > 1 {
		e.Keyspace.PrefetchElements(&t.hints[i], key, &t.sought)
	}
}
