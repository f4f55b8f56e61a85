package sim

import (
	"slices"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/cluster/topology"
)

// The rules that hold after every step. The watch sees every packet as it is sent and as it arrives, every step and every
// start, and keeps its own books: it does not ask a node whether it did right.
const (
	ruleOneVote    = "nobody votes twice in an epoch"
	ruleOneWinner  = "an epoch has one winner"
	ruleMajority   = "an election is won with the votes of a majority"
	ruleEpochs     = "epochs never go back"
	ruleOneOwner   = "a slot has one owner per epoch"
	ruleFail       = "a node fails when a majority says so"
	ruleHandOver   = "a hand-over loses no write"
	ruleForgotten  = "a forgotten node stays away"
	ruleDurable    = "what is said is on disk"
	ruleNoMinority = "a minority takes no writes"
)

type watch struct {
	w         *World
	only      string                // if set, the other rules are not checked: tests of the watch itself
	votes     map[voteKey]nodeid.ID // to whom
	lastVote  map[nodeid.ID]uint64
	winners   map[uint64]winner
	claims    map[uint64][]claim        // by epoch
	claimed   map[nodeid.ID]uint64      // greatest config epoch that a master announced
	reports   map[reportKey]core.Millis // on the clock of who heard it
	acks      map[voteKey]bool          // votes that arrived, by voter and epoch, see won
	bans      map[banKey]core.Millis
	heard     map[uint32]Time    // when the second last heard from the first
	last      []core.Glance      // by server: after the step before
	slots     []*slot.Set        // by server: the claim looked at last
	handOvers []handOver         // by server
	seized    map[claimKey]bool  // config epochs that a TAKEOVER took: nobody agreed
	touched   map[nodeid.ID]bool // who took over by TAKEOVER, from whom, and who replaced one of them since, see excused
	torn      map[uint64]bool    // epochs with two winners, of electorates that a TAKEOVER made different
}

// winner is who won an epoch, and who had a vote: the masters with slots in its table.
type winner struct {
	id         nodeid.ID
	electorate []nodeid.ID
}

type claimKey struct {
	id    nodeid.ID
	epoch uint64
}

type voteKey struct {
	voter nodeid.ID
	to    int // number of the candidate's server, where that matters
	epoch uint64
}

type claim struct {
	id    nodeid.ID
	slots *slot.Set
}

type reportKey struct {
	to          int // number of the server that heard it
	from, about nodeid.ID
}

type banKey struct {
	by int
	id nodeid.ID
}

// handOver is a plain CLUSTER FAILOVER on its way, or one that succeeded.
type handOver struct {
	asked    Time // 0: none
	canStart bool
	done     Time
	from     *server
}

func newWatch(w *World) *watch {
	return &watch{
		w: w, votes: map[voteKey]nodeid.ID{}, lastVote: map[nodeid.ID]uint64{}, winners: map[uint64]winner{},
		claims: map[uint64][]claim{}, claimed: map[nodeid.ID]uint64{}, reports: map[reportKey]core.Millis{},
		acks: map[voteKey]bool{}, bans: map[banKey]core.Millis{}, heard: map[uint32]Time{},
		seized: map[claimKey]bool{}, touched: map[nodeid.ID]bool{}, torn: map[uint64]bool{},
	}
}

func (c *watch) violate(rule, format string, args ...any) {
	if c.only == "" || c.only == rule {
		c.w.violate(rule, format, args...)
	}
}

func (c *watch) grow(s *server) {
	for len(c.last) <= s.number {
		c.last, c.slots, c.handOvers = append(c.last, core.Glance{}), append(c.slots, nil), append(c.handOvers, handOver{})
	}
}

// started compares what a node remembers with what it said before it ended.
func (c *watch) started(s *server) {
	c.grow(s)
	g := s.core.Glance()
	if g.LastVoteEpoch < c.lastVote[g.ID] {
		c.violate(ruleDurable, "%s forgot its vote in epoch %d", s.name, c.lastVote[g.ID])
	}
	if g.Slots > 0 && g.ConfigEpoch < c.claimed[g.ID] {
		c.violate(ruleEpochs, "%s starts with config epoch %d and had announced %d", s.name, g.ConfigEpoch, c.claimed[g.ID])
	}
	c.last[s.number], c.slots[s.number], c.handOvers[s.number] = g, nil, handOver{}
}

// stopped forgets what a node knows only while it runs.
func (c *watch) stopped(s *server) {
	for k := range c.bans {
		if k.by == s.number {
			delete(c.bans, k)
		}
	}
	for k := range c.reports {
		if k.to == s.number {
			delete(c.reports, k)
		}
	}
}

// sent looks at a packet when it leaves.
func (c *watch) sent(s, to *server, m *bus.Msg) {
	d := &s.disk
	onDisk := !c.w.opt.NoDisk && d.synchronised
	switch m.Type {
	case bus.TypeAuthAck:
		k := voteKey{m.Sender, 0, m.CurrentEpoch}
		if other, again := c.votes[k]; again {
			c.violate(ruleOneVote, "%s votes for %s in epoch %d, and did for %s", s.name, to.name, m.CurrentEpoch, c.w.nameOf(other))
		}
		c.votes[k] = to.id
		c.lastVote[m.Sender] = max(c.lastVote[m.Sender], m.CurrentEpoch)
		if onDisk && d.synced.LastVoteEpoch < m.CurrentEpoch {
			c.violate(ruleDurable, "%s sends its vote in epoch %d, on disk is %d", s.name, m.CurrentEpoch, d.synced.LastVoteEpoch)
		}
	case bus.TypeAuthRequest:
		if onDisk && d.synced.CurrentEpoch < m.CurrentEpoch {
			c.violate(ruleDurable, "%s asks for votes in epoch %d, on disk is %d", s.name, m.CurrentEpoch, d.synced.CurrentEpoch)
		}
	}
	if m.SlaveOf.IsZero() && m.Flags.Has(bus.FlagMaster) {
		c.claim(s, m, onDisk)
	}
}

// claim looks at what a master says of itself.
func (c *watch) claim(s *server, m *bus.Msg, onDisk bool) {
	if m.Slots == nil || m.Slots.Empty() {
		return // who owns nothing claims nothing, whatever its epoch
	}
	if m.ConfigEpoch < c.claimed[m.Sender] {
		c.violate(ruleEpochs, "%s announces config epoch %d, and had announced %d", s.name, m.ConfigEpoch, c.claimed[m.Sender])
	}
	if m.ConfigEpoch > c.claimed[m.Sender] {
		c.claimed[m.Sender] = m.ConfigEpoch
		if me := s.disk.synced.Me; onDisk && s.disk.synced.Nodes[me].ConfigEpoch < m.ConfigEpoch {
			c.violate(ruleDurable, "%s announces config epoch %d, on disk is %d", s.name, m.ConfigEpoch, s.disk.synced.Nodes[me].ConfigEpoch)
		}
	}
	if m.Slots == c.slots[s.number] {
		return
	}
	c.slots[s.number] = m.Slots
	agreed := m.ConfigEpoch <= uint64(c.w.opt.Masters) || c.winners[m.ConfigEpoch].id == m.Sender
	if m.ConfigEpoch == 0 || !agreed || c.seized[claimKey{m.Sender, m.ConfigEpoch}] {
		return // taken without a vote: a collision is resolved by the ids
	}
	list := c.claims[m.ConfigEpoch]
	for i := range list {
		if list[i].id == m.Sender {
			list[i].slots = m.Slots
			return
		}
		if list[i].slots.Intersects(m.Slots) && !c.torn[m.ConfigEpoch] {
			c.violate(ruleOneOwner, "%s and %s claim the same slot in epoch %d", s.name, c.w.nameOf(list[i].id), m.ConfigEpoch)
		}
	}
	c.claims[m.ConfigEpoch] = append(list, claim{m.Sender, m.Slots})
}

// listens tells whether the watch keeps what all others tell s. Among two thousand nodes of which five hundred fail that is
// a thousand million reports.
func (c *watch) listens(s *server) bool { return !c.w.opt.Sparse || s.number%1000 == 0 }

// arrived looks at a packet just before the core gets it.
func (c *watch) arrived(s, from *server, m *bus.Msg) {
	if m.Type == bus.TypeAuthAck {
		c.acks[voteKey{m.Sender, s.number, m.CurrentEpoch}] = true
	}
	if !c.listens(s) {
		return
	}
	c.heard[pair(from, s)] = c.w.now
	replica := !m.SlaveOf.IsZero() // its opinion does not count, unless s holds it for a master yet
	if replica {
		if flags, _ := s.core.Knows(m.Sender); !flags.Has(bus.FlagMaster) {
			return
		}
	}
	for i := range m.Gossip {
		g := &m.Gossip[i]
		k := reportKey{s.number, m.Sender, g.Node}
		switch {
		case g.Flags.Has(bus.FlagFail | bus.FlagPFail):
			c.reports[k] = s.clock(c.w.now)
		case len(c.reports) > 0 && !replica:
			delete(c.reports, k)
		}
	}
}

// stepped looks at a node after a step, before its effects are applied.
func (c *watch) stepped(s *server, ev core.Event, records []core.Record) {
	g := s.core.Glance()
	last := &c.last[s.number]
	reset := false
	for i := range records {
		r := &records[i]
		switch r.What {
		case core.HardReset, core.SoftReset:
			reset = true
			for k := range c.bans {
				if k.by == s.number {
					delete(c.bans, k)
				}
			}
		case core.NodeFailed:
			c.failed(s, r)
		case core.ElectionWon:
			c.won(s, r)
		case core.NodeForgotten, core.NodeForgottenByGossip:
			c.bans[banKey{s.number, r.Node}] = core.Millis(r.A)
		case core.NodeMet:
			delete(c.bans, banKey{s.number, r.Node})
		case core.NodeAdded:
			if until, banned := c.bans[banKey{s.number, r.Node}]; banned && s.clock(c.w.now) < until {
				c.violate(ruleForgotten, "%s hears of %s again by gossip of %s, %d ms too early",
					s.name, c.w.nameOf(r.Node), c.w.nameOf(r.Other), until-s.clock(c.w.now))
			}
		case core.ManualFailoverAccepted:
			c.handOvers[s.number] = handOver{asked: c.w.now}
		case core.ManualTakeover:
			c.seized[claimKey{g.ID, g.ConfigEpoch}] = true
			c.touched[g.ID] = true
			c.touched[last.Master] = true
			c.handOvers[s.number] = handOver{}
		case core.ManualFailoverForced, core.ManualTimedOut:
			c.handOvers[s.number] = handOver{}
		case core.ManualCanStart:
			c.handOvers[s.number].canStart = true
		case core.Promoted:
			c.promoted(s, r)
		}
	}
	if !reset && g.CurrentEpoch < last.CurrentEpoch {
		c.violate(ruleEpochs, "%s goes from current epoch %d to %d", s.name, last.CurrentEpoch, g.CurrentEpoch)
	}
	if !reset && g.LastVoteEpoch < last.LastVoteEpoch {
		c.violate(ruleEpochs, "%s goes from a vote in epoch %d to %d", s.name, last.LastVoteEpoch, g.LastVoteEpoch)
	}
	if !reset && !g.Replica && !last.Replica && g.ConfigEpoch < last.ConfigEpoch {
		c.violate(ruleEpochs, "%s goes from config epoch %d to %d", s.name, last.ConfigEpoch, g.ConfigEpoch)
	}
	*last = g
	c.bansHold(s, ev)
}

// bansHold looks, now and then, whether somebody who is banned is in the table after all.
func (c *watch) bansHold(s *server, ev core.Event) {
	if _, tick := ev.(core.Tick); !tick || len(c.bans) == 0 {
		return
	}
	now := s.clock(c.w.now)
	for k, until := range c.bans {
		if k.by != s.number {
			continue
		}
		if now >= until {
			delete(c.bans, k)
		} else if _, known := s.core.Knows(k.id); known {
			c.violate(ruleForgotten, "%s has %s in its table, which it forgot", s.name, c.w.nameOf(k.id))
		}
	}
}

// masters counts those that own slots in the table of s.
func (s *server) masters() int { return len(s.electorate()) }

// electorate is those masters that own slots in the table of s.
func (s *server) electorate() (ids []nodeid.ID) {
	snapshot := s.core.Snapshot(nil)
	owned := make([]bool, len(snapshot.Nodes))
	for _, o := range snapshot.Owners {
		if o != topology.NoNode && !owned[o] && snapshot.Nodes[o].Flags.Has(bus.FlagMaster) {
			owned[o] = true
			ids = append(ids, snapshot.Nodes[o].ID)
		}
	}
	return ids
}

// failed counts who told s of a failure.
func (c *watch) failed(s *server, r *core.Record) {
	if !c.listens(s) {
		return
	}
	window := 2*s.cfg.NodeTimeout + 20
	now, count := s.clock(c.w.now), 0
	for k, at := range c.reports {
		if k.to == s.number && k.about == r.Node && now-at <= window {
			count++
		}
	}
	if !s.core.Glance().Replica {
		count++
	}
	size := min(s.masters(), max(1, c.last[s.number].Size)) // the step itself may have brought another master
	if need := size/2 + 1; count < need {
		c.violate(ruleFail, "%s marks %s as failed with %d of %d reports (it counts %d of %d)", s.name, c.w.nameOf(r.Node), count, need, r.A, r.B)
	}
}

// won counts the votes that reached the winner.
func (c *watch) won(s *server, r *core.Record) {
	electorate := s.electorate()
	if other, twice := c.winners[r.A]; twice && other.id != s.id {
		if c.excused(other.electorate, electorate) {
			c.torn[r.A] = true
		} else {
			c.violate(ruleOneWinner, "%s and %s won epoch %d", s.name, c.w.nameOf(other.id), r.A)
		}
	}
	c.winners[r.A] = winner{s.id, electorate}
	voters := map[nodeid.ID]bool{}
	for k := range c.acks {
		if k.to == s.number && k.epoch >= r.A {
			voters[k.voter] = true
		}
	}
	if need := len(electorate)/2 + 1; len(voters) < need {
		c.violate(ruleMajority, "%s won epoch %d with %d of %d votes", s.name, r.A, len(voters), need)
	}
}

// excused reports whether a TAKEOVER made two electorates different: it asks nobody, so two majorities can stand apart
// that do not know of each other, and each may elect somebody in one epoch.
func (c *watch) excused(a, b []nodeid.ID) bool {
	differ := func(a, b []nodeid.ID) bool {
		return slices.ContainsFunc(a, func(id nodeid.ID) bool { return c.touched[id] && !slices.Contains(b, id) })
	}
	return differ(a, b) || differ(b, a)
}

// promoted looks at the data of a node that takes over by hand: its master's must be a part of it.
func (c *watch) promoted(s *server, r *core.Record) {
	if c.touched[r.Node] {
		c.touched[s.id] = true
	}
	h := &c.handOvers[s.number]
	old := c.w.byID[r.Node]
	if h.asked == 0 || !h.canStart || old == nil || old.id != r.Node {
		*h = handOver{}
		return
	}
	c.w.Stats.HandOvers++
	h.done, h.from = c.w.now, old
	if old.disturbed < h.asked && s.disturbed < h.asked && !c.w.data.contains(s.pos, old.pos) {
		c.violate(ruleHandOver, "%s takes over at %d, %s is at %d", s.name, s.pos.offset, old.name, old.pos.offset)
	}
}

// demoted looks at the data of a master that handed over, when it steps down: it must not have gone on writing.
func (c *watch) demoted(s *server, to nodeid.ID) {
	heir := c.w.byID[to]
	if heir == nil || heir.id != to {
		return
	}
	h := &c.handOvers[heir.number]
	if h.done == 0 || h.from != s || s.disturbed >= h.asked || heir.disturbed >= h.asked {
		return
	}
	if !c.w.data.contains(heir.pos, s.pos) {
		c.violate(ruleHandOver, "%s steps down at %d, %s has %d of it", s.name, s.pos.offset, heir.name, c.w.data.common(heir.pos, s.pos))
	}
	h.done = 0
}

// wrote looks at a master that takes a write: it must have heard from a majority not long ago.
func (c *watch) wrote(s *server) {
	window := 3*Time(s.cfg.NodeTimeout)*Millisecond + Second
	if !c.listens(s) || c.w.now-s.since < window {
		return
	}
	count := 1
	for _, o := range c.w.servers {
		if at, ever := c.heard[pair(o, s)]; o != s && ever && c.w.now-at <= window {
			count++
		}
	}
	if need := s.core.Glance().Size/2 + 1; count < need {
		c.violate(ruleNoMinority, "%s takes a write and heard from %d of %d", s.name, count, need)
	}
}
