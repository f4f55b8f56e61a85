package exec

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/node/session"
)

// AheadMax is how many sessions one Prefetch serves.
const AheadMax = batchMax

// Ahead notes the key of the first command in data, which s is to be fed soon,
// for Prefetch. Clients that do not pipeline make their batches together: while
// the keys of all that are ready come nearer, none is waited for.
func (e *Engine) Ahead(t *Turn, s *session.Session, data []byte) {
	if t.ahead == batchMax || s.Parser.Known() > 0 {
		return
	}
	name, key, ok := resp.First(data)
	if !ok {
		return
	}
	if spec := e.Table.Lookup(name); spec != nil && spec.FirstArgIsKey() {
		e.Keyspace.Hint(&t.hints[t.ahead], s.DB(), key)
		t.ahead++
	}
}

// Prefetch loads the cache lines that the noted keys lie in, if they are several.
func (e *Engine) Prefetch(t *Turn) {
	if t.ahead > 1 {
		e.Keyspace.Prefetch(t.hints[:t.ahead])
	}
	t.ahead = 0
}
