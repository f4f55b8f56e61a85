package sim

import (
	"fmt"
	"math/rand/v2"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/cluster/topology"
)

const (
	epochMs       core.Millis = 1_700_000_000_000
	busPortOffset             = 10000
)

// server is one machine: an address, a clock, a disk, data, and a core while its process runs. It has the duties of
// the driver, as package core lists them, in the same order.
type server struct {
	w      *World
	number int
	name   string
	region int
	ip     string
	port   uint16 // of clients; the bus has its port above it
	cfg    core.Config

	drift  float64     // how much faster its clock runs than the world's
	ahead  core.Millis // of the world's clock
	core   *core.Node  // nil: the process does not run
	id     nodeid.ID   // of the core, or of the one that ran last
	life   int32       // counts starts and ends
	frozen bool
	dark   bool // does not run, and its machine does not answer either
	gone   bool // does not run and never will
	inbox  []event

	outLinks, inLinks []*link // by the low 16 bits of their names
	freeIn            []uint16
	accepted          uint64

	tickNumber uint64
	tickAt     Time
	tickMissed bool

	disk disk

	pos         position
	following   bool
	repl        replica
	replicas    []*server
	acked       int64
	dataDue     Time
	lastFacts   core.ReplicationFacts
	pausedUntil Time
	steppedDown bool // it was the master of its shard and has not yet got its successor's data

	packets   uint64
	okay      bool // the cluster is up, as this node sees it
	since     Time // of the last start or thaw
	disturbed Time // when a fault that concerns it last began or ended
}

// populate makes the servers of the beginning.
func (w *World) populate() {
	for i := range w.opt.Masters {
		w.addServer(fmt.Sprintf("m%d", i+1))
	}
	for i := range w.opt.Replicas {
		w.addServer(fmt.Sprintf("r%d", i+1))
	}
	if !w.opt.Form {
		w.writeConfs()
	}
	for _, s := range w.servers {
		w.call(Span{0, 100 * Millisecond}.draw(w.rnd), func() { s.start() })
	}
	if w.opt.Form {
		w.form()
	}
}

// addServer makes a server that does not run yet.
func (w *World) addServer(name string) *server {
	s := &server{w: w, number: len(w.servers), name: name, cfg: w.opt.Config, port: 7000}
	if w.opt.Regions > 1 {
		s.region = s.number % w.opt.Regions
	}
	s.drift = 1 + float64(w.rnd.IntN(2*w.opt.DriftPPM+1)-w.opt.DriftPPM)/1e6
	if w.opt.DriftPPM > 0 {
		s.ahead = core.Millis(w.rnd.Int64N(4001) - 2000)
	}
	s.cfg.Port, s.cfg.BusPort = s.port, s.port+busPortOffset
	w.servers = append(w.servers, s)
	w.readdress(s)
	return s
}

// readdress gives a server an address that nobody had before.
func (w *World) readdress(s *server) {
	if s.ip != "" {
		delete(w.byAddr, address{s.ip, s.cfg.BusPort})
	}
	n := len(w.byAddr) + 1
	for {
		s.ip = fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
		if _, taken := w.byAddr[address{s.ip, s.cfg.BusPort}]; !taken {
			break
		}
		n++
	}
	w.byAddr[address{s.ip, s.cfg.BusPort}] = s
}

// writeConfs gives every server the nodes.conf of a cluster that is at work.
func (w *World) writeConfs() {
	masters := w.opt.Masters
	state := core.State{Cluster: topology.Cluster{Owners: new(topology.Owners)}, CurrentEpoch: uint64(masters)}
	for i, s := range w.servers {
		node := topology.Node{
			ID: nodeid.Random(w.rnd), ShardID: nodeid.Random(w.rnd), Flags: bus.FlagMaster, Master: topology.NoNode,
			IP: s.ip, Port: s.port, BusPort: s.cfg.BusPort, PongReceivedMs: 1,
		}
		if i < masters {
			node.ConfigEpoch = uint64(i + 1)
			r := share(i, masters)
			for slot := r.Start; ; slot++ {
				state.Owners[slot] = uint16(i)
				if slot == r.End {
					break
				}
			}
		} else {
			node.Flags, node.Master = bus.FlagSlave, uint16((i-masters)%masters)
			node.ShardID = state.Nodes[node.Master].ShardID
		}
		state.Nodes = append(state.Nodes, node)
	}
	for i, s := range w.servers {
		own := state
		own.Nodes = append([]topology.Node(nil), state.Nodes...)
		own.Me = uint16(i)
		own.Nodes[i].Flags |= bus.FlagMyself
		s.disk.synced, s.disk.cached = own, own
	}
}

// share is what master i of n owns.
func share(i, n int) slot.Range {
	return slot.Range{Start: uint16(slot.Count * i / n), End: uint16(slot.Count*(i+1)/n - 1)}
}

// clock is a time of the world on the server's own clock.
func (s *server) clock(t Time) core.Millis {
	return epochMs + s.ahead + core.Millis(float64(t)*s.drift/float64(Millisecond))
}

// start runs the process. It finds what its disk has.
func (s *server) start() {
	if s.core != nil || s.gone {
		return
	}
	w := s.w
	s.life++
	w.Stats.Lives++
	saved := s.disk.cached
	if w.hooks.restarted != nil {
		w.hooks.restarted(s, &saved)
	}
	s.core = core.New(s.cfg, saved, rand.New(rand.NewPCG(w.rnd.Uint64(), uint64(s.number))))
	s.disk.busy, s.disk.held, s.disk.wanted, s.disk.durable, s.disk.wantSync = false, nil, 0, 0, false
	if w.opt.NoDisk {
		s.disk.cached, s.disk.synced = core.State{}, core.State{}
	}
	s.frozen, s.dark, s.inbox, s.tickMissed = false, false, nil, false
	s.following, s.repl = false, replica{gen: s.repl.gen + 1, downSince: w.now}
	s.lastFacts, s.pausedUntil, s.okay, s.acked, s.since = core.ReplicationFacts{}, 0, false, 0, w.now
	if s.pos.offset > 0 {
		s.pos = w.data.fork(s.pos)
	}
	if w.watch != nil {
		w.watch.started(s)
	}
	s.learnID()
	s.tick()
}

func (s *server) learnID() {
	if g := s.core.Glance(); g.ID != s.id {
		s.id = g.ID
		s.w.byID[g.ID] = s
	}
}

// stop ends the process; machine says that the machine ends with it, so that nobody is told.
func (s *server) stop(machine bool) {
	if s.core == nil {
		return
	}
	s.dark = machine
	s.detach()
	for _, r := range append([]*server(nil), s.replicas...) {
		if !machine {
			r.detach()
		}
	}
	s.replicas = nil
	for _, links := range [2][]*link{s.outLinks, s.inLinks} {
		for _, l := range append([]*link(nil), links...) {
			s.w.breakLink(l, s)
		}
	}
	s.outLinks, s.inLinks, s.freeIn = nil, nil, nil
	s.crash(machine)
	s.core, s.frozen, s.inbox = nil, false, nil
	s.life++
	if s.w.watch != nil {
		s.w.watch.stopped(s)
	}
}

// freeze stops the process for a while; its clock goes on.
func (s *server) freeze(d Time) {
	if s.core == nil || s.frozen {
		return
	}
	s.frozen = true
	life := s.life
	s.w.call(d, func() {
		if s.life == life {
			s.thaw()
		}
	})
}

func (s *server) thaw() {
	if s.frozen {
		s.w.after(0, event{kind: evDrain, s: s, life: s.life})
	}
}

// drain lets a process that was frozen go on: its timer may be first, or what arrived.
func (s *server) drain() {
	if !s.frozen {
		return
	}
	s.frozen, s.since = false, s.w.now
	inbox := s.inbox
	s.inbox = nil
	tick := s.tickMissed
	s.tickMissed = false
	if tick && s.w.rnd.IntN(2) == 0 {
		tick = false
		s.tick()
	}
	for i := range inbox {
		if s.core == nil || s.w.broken != nil {
			return
		}
		s.w.happen(&inbox[i])
	}
	if tick && s.core != nil {
		s.tick()
	}
}

// tick gives the core its time, and before it the facts about replication.
func (s *server) tick() {
	s.tickAt = 0
	s.tellFacts()
	s.step(core.Tick{})
}

// step takes one event and does the driver's duty.
func (s *server) step(ev core.Event) error {
	w := s.w
	if w.hooks.event != nil {
		if ev = w.hooks.event(s, ev); ev == nil {
			return nil
		}
	}
	w.Stats.Steps++
	now := s.clock(w.now)
	if w.hooks.now != nil {
		now = w.hooks.now(s, now)
	}
	out := &w.effects
	err := s.core.Step(now, ev, out)
	if err == nil {
		if w.hooks.effects != nil {
			w.hooks.effects(s, out)
		}
		s.learnID()
		s.observe(out.History)
		if w.watch != nil {
			w.watch.stepped(s, ev, out.History)
		}
		s.apply()
	}
	s.setTimer()
	return err
}

// setTimer asks for a tick at the core's deadline, as the server's clock has it.
func (s *server) setTimer() {
	due := Time(float64(s.core.Deadline()-epochMs-s.ahead)/s.drift*float64(Millisecond)) + Microsecond
	due = max(due, s.w.now+Millisecond/2)
	if s.tickAt != 0 && s.tickAt <= due {
		return
	}
	s.tickAt = due
	s.tickNumber++
	s.w.after(due-s.w.now, event{kind: evTick, s: s, life: s.life, x: s.tickNumber})
}

// apply does what the package comment of core says, in its order.
func (s *server) apply() {
	w, out := s.w, &s.w.effects
	if out.Save.Seq != 0 {
		s.save(out.Save)
	}
	if out.Change.Any() {
		s.change(&out.Change)
	}
	for _, d := range out.Dials {
		w.dial(s, d)
	}
	for _, send := range out.Sends {
		if send.After > s.disk.durable && !w.hooks.noBarrier {
			s.disk.held = append(s.disk.held, send)
		} else {
			w.transmit(s, send)
		}
	}
	for _, name := range out.HangUps {
		w.breakLink(s.link(name), s)
	}
}

// change is what happens under the stripes. What the core must hear of it comes as the next event.
func (s *server) change(c *core.Change) {
	w := s.w
	report := func(ev core.Event) {
		w.after(0, event{kind: evReport, s: s, life: s.life, call: func() { s.step(ev) }})
	}
	if c.Flush {
		s.pos = position{}
	}
	switch c.Repl {
	case core.ReplPromote:
		s.promote()
	case core.ReplFollow:
		if c.Demoted {
			if w.watch != nil {
				w.watch.demoted(s, c.Follow.Node)
			}
			s.steppedDown = c.Kept >= 0
			report(core.Demoted{Offset: s.pos.offset, Acked: s.acked})
		}
		s.follow(c.Follow)
	}
	switch c.Pause.Do {
	case core.PauseStart:
		s.pausedUntil = w.now + Time(float64(c.Pause.Until-s.clock(w.now))/s.drift)*Millisecond
		report(core.WritesPaused{Pause: c.Pause.ID, Offset: s.pos.offset})
	case core.PauseEnd:
		s.pausedUntil = 0
	}
}

// observe counts, and hands on what a person would ask about.
func (s *server) observe(records []core.Record) {
	w := s.w
	for i := range records {
		r := &records[i]
		w.digest.add(uint64(r.What)<<32 ^ r.A<<8 ^ r.Epoch)
		switch r.What {
		case core.Promoted:
			w.Stats.Promotions++
		case core.NodeFailed:
			w.Stats.Failures++
		case core.ElectionLost:
			w.Stats.ElectionsLost++
		case core.EpochCollision:
			w.Stats.Collisions++
		case core.StateOK:
			s.okay = true
		case core.StateFail:
			s.okay = false
		}
		if w.OnRecord != nil {
			w.OnRecord(w.now, s.name, r)
		}
	}
}

// The links of a server stand in two lists, by a number in the low 16 bits of their names.

func (s *server) link(name core.Link) *link {
	list, end := s.inLinks, 1
	if name.Outbound() {
		list, end = s.outLinks, 0
	}
	if i := int(uint16(name)); i < len(list) && list[i] != nil && list[i].names[end] == name {
		return list[i]
	}
	return nil
}

func (s *server) setOut(name core.Link, l *link) {
	i := int(uint16(name))
	for i >= len(s.outLinks) {
		s.outLinks = append(s.outLinks, nil)
	}
	s.outLinks[i] = l
}

func (s *server) setIn(l *link) core.Link {
	s.accepted++
	if n := len(s.freeIn); n > 0 {
		i := s.freeIn[n-1]
		s.freeIn = s.freeIn[:n-1]
		s.inLinks[i] = l
		return core.Link(s.accepted<<16 | uint64(i))
	}
	s.inLinks = append(s.inLinks, l)
	return core.Link(s.accepted<<16 | uint64(len(s.inLinks)-1))
}

func (s *server) dropLink(name core.Link) {
	if s.link(name) == nil {
		return
	}
	i := uint16(name)
	if name.Outbound() {
		s.outLinks[i] = nil
	} else {
		s.inLinks[i] = nil
		s.freeIn = append(s.freeIn, i)
	}
}
