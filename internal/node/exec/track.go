package exec

import (
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
)

// remember notes which keys a session that tracks has read by the command that has just
// run. Its stripes are still held: nobody can change a key between. The modes are those of
// s when the command began, which may be another goroutine's by now.
func (e *Engine) remember(t *Turn, s *session.Session, modes session.Flags, spec *command.Spec, args [][]byte) {
	m := s.Track.Load()
	if m == nil || m.Broadcast || !spec.Is(command.ReadOnly) || spec.Any(command.PubSub|command.NoMandatoryKeys) {
		return
	}
	caching := modes&session.Caching != 0
	if m.OptIn && !caching || m.OptOut && caching {
		return
	}
	pos, err := command.AppendKeys(t.pos[:0], spec, args)
	if err != nil {
		return
	}
	t.pos = pos
	for _, p := range pos {
		e.Keyspace.Track(slot.Of(args[p.Index]), args[p.Index], s.ID())
	}
}
