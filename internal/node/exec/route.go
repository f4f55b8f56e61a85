package exec

import (
	"bytes"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// route decides by the view whether the command is served here; "" or the
// error. It is called under the command's stripes, so that a slot cannot change
// hands between the decision and the command.
func (e *Engine) route(t *Turn, s *session.Session, spec *command.Spec, args [][]byte, v *topology.View) string {
	if i := spec.OnlyKey(); i > 0 && i < len(args) && v.Serves(t.slotOf(args, i)) {
		return "" // the slot is ours and not on its way, the cluster is up
	}
	var r topology.Request
	keys := e.routed(t, s, spec, args)
	if len(keys) == 0 {
		return ""
	}
	r.Slot = slot.Of(keys[0])
	for _, k := range keys[1:] {
		if slot.Of(k) != r.Slot {
			r.CrossSlot = true
			break
		}
	}
	isExec := spec == e.exec
	r.Write = spec.FlagsOf(args).Is(command.Write)
	r.ExecWrites = isExec && queuedAny(s, command.Write)
	r.Asking = s.Is(session.Asking) || spec.Is(command.Asking)
	r.ReadOnly = s.Is(session.Readonly)
	r.ShardPubSub = spec.Is(command.PubSub)
	r.Migrate = spec.FullName() == "migrate"
	r.Keys = func() topology.KeyFacts { return e.facts(s, t.NowMs, keys) }
	d := v.Route(&r)
	if d.Verdict == topology.Serve {
		return ""
	}
	return string(v.AppendError(nil, d, s.ByTLS()))
}

// routed are the keys (or shard channels) that decide where a command goes: of
// EXEC, those of all queued commands.
func (e *Engine) routed(t *Turn, s *session.Session, spec *command.Spec, args [][]byte) (keys [][]byte) {
	if spec != e.exec {
		return e.appendRouted(t, nil, spec, args)
	}
	for i := range s.Queue {
		keys = e.appendRouted(t, keys, s.Queue[i].Spec, s.Queue[i].Args)
	}
	return keys
}

func (e *Engine) appendRouted(t *Turn, keys [][]byte, spec *command.Spec, args [][]byte) [][]byte {
	pos, err := command.AppendRouted(t.pos[:0], spec, args)
	if err != nil {
		return keys
	}
	t.pos = pos
	for _, p := range pos {
		keys = append(keys, args[p.Index])
	}
	return keys
}

// facts counts which keys are here, leaving no trace: a key past its deadline is
// not here, and not removed either.
func (e *Engine) facts(s *session.Session, nowMs int64, keys [][]byte) (f topology.KeyFacts) {
	s.Tx.Begin(e.Keyspace, &s.Hold, 0, nowMs, keyspace.NoTouch|keyspace.SeeExpired)
	for _, k := range keys {
		if r, ok := s.Tx.Peek(k); ok && (r.Expiry() < 0 || r.Expiry() >= nowMs) {
			f.Present++
		} else {
			f.Missing++
		}
		f.Distinct = f.Distinct || !bytes.Equal(k, keys[0])
	}
	return f
}
