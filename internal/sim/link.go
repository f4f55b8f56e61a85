package sim

import (
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
)

// A link is one TCP connection. What is sent arrives in order or not at all. A cut does not break a link: packets wait and
// are sent again after a pause that doubles, until the cut is healed or somebody hangs up. A reset breaks it, and
// what was under way is lost. Of a process that is frozen the kernel still answers: it takes connections and packets.
//
// Invariant: l.last is ascending, so the order is kept; held packets of a direction go before new ones.
type link struct {
	ends    [2]*server   // who dialled, who accepted
	names   [2]core.Link // what each core calls it
	last    [2]Time      // when the last packet by direction arrives: 0 from who dialled, 1 back
	held    *[2][]*bus.Msg
	tries   uint8
	up      bool
	broken  bool
	dialled Time
}

const (
	firstRetry = 200 * Millisecond
	lastRetry  = 4 * Second
	refusal    = 300 * Microsecond

	spareKept = 1024 // packets
)

func pair(from, to *server) uint32 { return uint32(from.number)<<16 | uint32(to.number) }

// cut reports whether nothing passes from one server to another.
func (w *World) cut(from, to *server) bool { return len(w.cuts) > 0 && w.cuts[pair(from, to)] > 0 }

func (w *World) setCut(from, to *server, on bool) {
	if from == to {
		return
	}
	if on {
		w.cuts[pair(from, to)]++
	} else if w.cuts[pair(from, to)]--; w.cuts[pair(from, to)] <= 0 {
		delete(w.cuts, pair(from, to))
	}
}

// delay draws how long a packet takes.
func (w *World) delay(from, to *server) Time {
	span := w.opt.Delay
	if from.region != to.region && w.opt.FarDelay.Max > 0 {
		span = w.opt.FarDelay
	}
	d := span.draw(w.rnd)
	if w.opt.Hiccup > 0 && w.rnd.Float64() < w.opt.Hiccup {
		d += firstRetry + Span{0, Second}.draw(w.rnd)
	}
	return d
}

// dial begins a connection.
func (w *World) dial(s *server, d core.Dial) {
	l := &link{ends: [2]*server{s, nil}, names: [2]core.Link{d.Link, 0}, dialled: w.now}
	s.setOut(d.Link, l)
	to := w.byAddr[address{d.Host, d.Port}]
	if to == nil {
		w.after(refusal, event{kind: evLinkDown, s: s, life: s.life, x: uint64(d.Link)})
		return
	}
	l.ends[1] = to
	w.after(w.delay(s, to)+w.delay(to, s), event{kind: evDialled, l: l, life: s.life})
}

// dialled is the end of a handshake, or of a try.
func (w *World) dialled(e *event) {
	l := e.l
	from, to := l.ends[0], l.ends[1]
	if l.broken || from.life != e.life || from.core == nil {
		return
	}
	switch {
	case w.cut(from, to) || w.cut(to, from) || to.dark:
		l.tries++ // neither connected nor refused: it is tried again after 1, 2, 4, … seconds
		w.after(min(Second<<(l.tries-1), 16*Second), event{kind: evDialled, l: l, life: e.life})
	case to.core == nil:
		l.broken = true
		from.dropLink(l.names[0])
		w.after(0, event{kind: evLinkDown, s: from, life: from.life, x: uint64(l.names[0])})
	default:
		l.up = true
		l.names[1] = to.setIn(l)
		w.after(0, event{kind: evAccepted, s: to, life: to.life, x: uint64(l.names[1])})
		w.after(0, event{kind: evAccepted, s: from, life: from.life, x: uint64(l.names[0])})
		if l.held != nil {
			w.after(0, event{kind: evRetry, l: l, x: uint64(firstRetry)})
		}
	}
}

// transmit puts a packet on its way.
func (w *World) transmit(s *server, send core.Send) {
	name, m := send.Link, send.Msg
	l := s.link(name)
	if l == nil || l.broken {
		return
	}
	dir := uint8(0)
	if s == l.ends[1] && name == l.names[1] {
		dir = 1
	}
	to := l.ends[1-dir]
	if to == nil {
		return // nobody has this address
	}
	w.Stats.Packets++
	w.Stats.Bytes += uint64(wireLen(m))
	s.packets++
	if w.watch != nil {
		w.watch.sent(s, to, m)
	}
	if w.opt.Codec > 0 && w.Stats.Packets%uint64(w.opt.Codec) == 0 {
		m = w.throughWire(m)
	}
	if l.held != nil && len(l.held[dir]) > 0 {
		l.held[dir] = append(l.held[dir], m)
		return
	}
	if !l.up { // it waits in the queue of the link, see dialled
		l.hold(dir, m)
		return
	}
	if w.cut(s, to) {
		l.hold(dir, m)
		w.after(firstRetry, event{kind: evRetry, l: l, dir: dir, x: uint64(firstRetry)})
		return
	}
	w.carry(l, dir, m, !send.Shared)
}

func (l *link) hold(dir uint8, m *bus.Msg) {
	if l.held == nil {
		l.held = new([2][]*bus.Msg)
	}
	l.held[dir] = append(l.held[dir], m)
}

// carry schedules the arrival, after everything that was sent before.
func (w *World) carry(l *link, dir uint8, m *bus.Msg, sole bool) {
	l.last[dir] = max(l.last[dir], w.now+w.delay(l.ends[dir], l.ends[1-dir]))
	w.after(l.last[dir]-w.now, event{kind: evPacket, l: l, dir: dir, msg: m, sole: sole})
}

// retry sends again what a cut held back.
func (w *World) retry(e *event) {
	l := e.l
	if l.broken {
		return
	}
	if w.cut(l.ends[e.dir], l.ends[1-e.dir]) {
		pause := min(Time(e.x)*2, lastRetry)
		w.after(pause, event{kind: evRetry, l: l, dir: e.dir, x: uint64(pause)})
		return
	}
	for _, m := range l.held[e.dir] {
		w.carry(l, e.dir, m, false)
	}
	l.held[e.dir] = nil
}

// arrive hands a packet to the core, or to the kernel of a process that stands still.
func (w *World) arrive(e *event) {
	l := e.l
	to, from := l.ends[1-e.dir], l.ends[e.dir]
	if l.broken || to.core == nil {
		return
	}
	if to.frozen {
		to.inbox = append(to.inbox, *e)
		return
	}
	if w.watch != nil {
		w.watch.arrived(to, from, e.msg)
	}
	to.step(core.Received{Link: l.names[1-e.dir], Msg: e.msg, RemoteIP: from.ip, LocalIP: to.ip})
	if e.sole {
		w.recycle(e.msg)
	}
}

// recycle gives the memory of a packet to the next ones. In a big cluster that is most of all garbage, and to find garbage
// among millions of nodes that are known is most of the work.
func (w *World) recycle(m *bus.Msg) {
	if spare := &w.effects.Spare; len(*spare) < spareKept {
		*spare = append(*spare, m)
	}
}

// breakLink ends a connection and tells everybody but who ended it. A cut keeps the news back.
func (w *World) breakLink(l *link, by *server) {
	if l == nil || l.broken {
		return
	}
	l.broken = true
	l.held = nil
	for end, s := range l.ends {
		if s == nil || l.names[end] == 0 {
			continue
		}
		s.dropLink(l.names[end])
		other := l.ends[1-end]
		if s != by && s.core != nil && (l.up || end == 0) && other != nil {
			w.tellDown(other, s, uint64(l.names[end]), s.life)
		}
	}
}

func (w *World) tellDown(from, to *server, name uint64, life int32) {
	if to.life != life {
		return
	}
	if w.cut(from, to) || from.dark {
		w.call(5*Second, func() { w.tellDown(from, to, name, life) })
		return
	}
	w.after(w.delay(from, to), event{kind: evLinkDown, s: to, life: life, x: name})
}

// throughWire encodes and decodes a packet.
func (w *World) throughWire(m *bus.Msg) *bus.Msg {
	decoded, _, err := bus.Decode(bus.Append(nil, m))
	if err != nil {
		w.violate("a packet of ours can be read", "%s: %v", m.Type, err)
		return m
	}
	return decoded
}

// Sizes on the wire; a test compares them with what the codec makes.
const (
	headerLen = 2256
	gossipLen = 104
)

// wireLen is the size of a packet in bytes.
func wireLen(m *bus.Msg) int {
	n := headerLen
	switch {
	case m.Type.Heartbeat():
		n += gossipLen * len(m.Gossip)
		if m.MFlags&bus.MFlagExtData != 0 {
			text := func(s string) int {
				if s == "" {
					return 0
				}
				return 8 + (len(s)+8)/8*8
			}
			n += text(m.Ext.Hostname) + text(m.Ext.Nodename) + len(m.Ext.Forgotten)*56
			if !m.Ext.ShardID.IsZero() {
				n += 48
			}
		}
	case m.Type == bus.TypeFail:
		n += 40
	case m.Type == bus.TypeUpdate:
		n += 8 + 40 + 2048
	}
	return n
}
