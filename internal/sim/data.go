package sim

import (
	"slices"

	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
)

// Replication, in small. The data of a server is a position: so many bytes of one branch of history. Branch 0 is the
// empty data set. A server that becomes a master begins a branch where it stands. A replica that
// connects gets the master's position at once if its own is a part of it, else after a full synchronisation;
// then the stream follows with the delay of the network.
//
// Invariant: a position contains what it was copied from, as of then; what a client got an OK for is
// contained in its master's position at that moment.

type position struct {
	branch int32
	offset int64
}

// branch is one history: the parent's up to fork, then its own bytes.
type branch struct {
	parent int32
	fork   int64
}

type history struct{ branches []branch }

// fork begins a branch at p.
func (h *history) fork(p position) position {
	h.branches = append(h.branches, branch{p.branch, p.offset})
	return position{int32(len(h.branches) - 1), p.offset}
}

// common is how many bytes two positions share.
func (h *history) common(a, b position) int64 {
	for a.branch != b.branch {
		if a.branch < b.branch { // a branch is younger than its parent
			a, b = b, a
		}
		parent := h.branches[a.branch]
		a = position{parent.parent, min(a.offset, parent.fork)}
	}
	return min(a.offset, b.offset)
}

// contains reports whether everything of part is in whole.
func (h *history) contains(whole, part position) bool { return h.common(whole, part) >= part.offset }

const (
	syncPause   = Second      // between tries to connect
	replTimeout = 60 * Second // silence after which a replication link is given up
	replPing    = 10 * Second
)

// replica is the state of following a master.
type replica struct {
	source    core.Source
	master    *server // at the other end, while the link is up or being made
	gen       uint64  // numbers connections: what belongs to an older one is void
	up        bool
	synced    bool // since the start: the offset means something
	lastIO    Time
	downSince Time
}

// promote ends following.
func (s *server) promote() {
	s.detach()
	s.repl = replica{gen: s.repl.gen + 1}
	s.following = false
	s.pos = s.w.data.fork(s.pos)
	s.acked = 0
}

// follow begins to follow a source, or goes on with another one.
func (s *server) follow(source core.Source) {
	s.detach()
	gen := s.repl.gen + 1
	synced := s.repl.synced && s.following
	s.following = true
	s.repl = replica{source: source, gen: gen, downSince: s.w.now, synced: synced}
	s.w.after(Span{Millisecond, 50 * Millisecond}.draw(s.w.rnd), event{kind: evSync, s: s, life: s.life, x: gen})
}

// detach takes the server from its master's list.
func (s *server) detach() {
	if m := s.repl.master; m != nil {
		m.replicas = slices.DeleteFunc(m.replicas, func(r *server) bool { return r == s })
		s.repl.master = nil
	}
	if s.repl.up {
		s.repl.up, s.repl.downSince = false, s.w.now
	}
}

// reachesForData reports whether a replication link between two servers would work.
func (w *World) reachesForData(a, b *server) bool {
	return a.core != nil && !a.frozen && !w.cut(a, b) && !w.cut(b, a)
}

// sync tries to connect, and looks after a link that is up.
func (s *server) sync() {
	w, r := s.w, &s.repl
	if !s.following {
		return
	}
	again := func(d Time) { w.after(d, event{kind: evSync, s: s, life: s.life, x: r.gen}) }
	if r.up {
		if w.reachesForData(r.master, s) {
			if w.now-r.lastIO > replPing {
				r.lastIO = w.now
			}
		} else if w.now-r.lastIO > replTimeout {
			s.detach()
		}
		again(syncPause)
		return
	}
	m := w.byAddr[address{r.source.Host, r.source.Port + busPortOffset}]
	if r.source.Host == "" || m == nil || m == s || !w.reachesForData(m, s) || m.following && !m.repl.up {
		again(syncPause)
		return
	}
	r.master = m
	took := w.delay(m, s) * 4
	if !w.data.contains(m.pos, s.pos) || s.pos.offset == 0 && m.pos.offset > 0 {
		took += w.opt.SyncTime.draw(w.rnd)
	}
	gen, life := r.gen, m.life
	w.after(took, event{kind: evSynced, s: s, life: s.life, x: gen, call: func() { s.complete(m, life) }})
	again(took + syncPause)
}

func (s *server) synced(e *event) {
	if e.x == s.repl.gen {
		e.call()
	}
}

// complete ends a synchronisation: the data is the master's from now on.
func (s *server) complete(m *server, life int32) {
	w, r := s.w, &s.repl
	if m.life != life || !w.reachesForData(m, s) || m.following && !m.repl.up {
		return
	}
	if r.up {
		return
	}
	if s.steppedDown {
		w.Stats.WritesLost += s.pos.offset - w.data.common(s.pos, m.pos)
	}
	s.steppedDown = false
	s.pos, r.up, r.synced, r.lastIO, r.master = m.pos, true, true, w.now, m
	m.replicas = append(m.replicas, s)
	s.tellFacts()
}

// write lets every master that serves take a write.
func (w *World) write() {
	for _, s := range w.servers {
		if s.core == nil || s.frozen || s.following || s.pausedUntil > w.now {
			continue
		}
		if g := s.core.Glance(); g.Replica || g.Slots == 0 || g.State != bus.StateOK {
			continue
		}
		bytes := 1 + w.rnd.Int64N(200)
		if s.pos.branch == 0 {
			s.pos = w.data.fork(s.pos)
		}
		s.pos.offset += bytes
		w.Stats.WritesAcked += bytes
		if w.watch != nil {
			w.watch.wrote(s)
		}
		s.stream()
	}
	w.after(w.opt.Writes, event{kind: evWrite})
}

// stream sends what is new to the replicas.
func (s *server) stream() {
	for _, r := range s.replicas {
		if s.w.cut(s, r) {
			continue // it gets all of it with the next write after the cut
		}
		r.dataDue = max(r.dataDue, s.w.now+s.w.delay(s, r))
		pos := s.pos
		s.w.after(r.dataDue-s.w.now, event{kind: evData, s: r, life: r.life, x: r.repl.gen, call: func() { r.take(s, pos) }})
	}
}

func (s *server) dataArrived(e *event) {
	if e.x == s.repl.gen && s.repl.up {
		e.call()
	}
}

// take applies the stream, and passes it on to replicas of its own.
func (s *server) take(from *server, pos position) {
	if s.repl.master != from || pos.branch == s.pos.branch && pos.offset <= s.pos.offset {
		return
	}
	s.pos, s.repl.lastIO = pos, s.w.now
	from.acked = max(from.acked, pos.offset)
	s.stream()
	if awaited, ok := s.core.AwaitedOffset(); ok && pos.offset >= awaited {
		s.tellFacts()
	}
}

// facts is what the core hears of replication.
func (s *server) facts() core.ReplicationFacts {
	if !s.following {
		return core.ReplicationFacts{Offset: s.pos.offset, Acked: s.acked}
	}
	f := core.ReplicationFacts{LinkUp: s.repl.up}
	if s.repl.synced {
		f.Offset = s.pos.offset
	}
	if f.LinkUp {
		f.LastIO = s.clock(s.repl.lastIO)
	} else {
		f.DownSince = s.clock(s.repl.downSince)
	}
	return f
}

// tellFacts tells the core how replication stands, if that is news.
func (s *server) tellFacts() {
	if f := s.facts(); f != s.lastFacts {
		s.lastFacts = f
		s.step(f)
	}
}
