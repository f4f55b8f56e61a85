package core

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
)

var (
	seeds     = flag.Int("seeds", 4, "how many random courses TestSafety runs")
	firstSeed = flag.Uint64("seed", 1, "the first of them")
)

// TestSafety lets clusters run through crashes, partitions, frozen processes, slow disks and hand-overs drawn at
// random, and tests after every step what must never happen:
//
//   - a node votes twice in an epoch, across crashes;
//   - an epoch of a node goes back: the current one in one life, the config epoch that it announces ever;
//   - two nodes own a slot under one config epoch (unless administrators take over or bump epochs, in every third course);
//   - a hand-over loses a write that a client was told is done;
//   - the tables of a node contradict each other;
//   - a forgotten node is known again within its ban.
//
// Then the faults stop, and the cluster must come to rest: one view, all slots served.
func TestSafety(t *testing.T) {
	for i := range *seeds {
		seed := *firstSeed + uint64(i)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { runCourse(t, seed) })
	}
}

// course is one random run and what its witnesses saw.
type course struct {
	*miniNet
	rnd     *rand.Rand
	votes   map[vote]nodeid.ID // whom a voter chose in an epoch
	claimed map[nodeid.ID]uint64
	owners  map[claim]nodeid.ID
	epochs  map[*miniNode]uint64 // current epoch in this life
	lives   map[*miniNode]int
	byHand  bool // administrators take over and bump epochs: epochs may collide for a while
}

type vote struct {
	voter nodeid.ID
	epoch uint64
}

type claim struct {
	slot  uint16
	epoch uint64
}

func runCourse(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 77))
	masters := 3 + rnd.IntN(3)
	w := newCluster(t, seed, masters, masters+rnd.IntN(masters+1))
	c := &course{
		miniNet: w, rnd: rnd, votes: map[vote]nodeid.ID{}, claimed: map[nodeid.ID]uint64{},
		owners: map[claim]nodeid.ID{}, epochs: map[*miniNode]uint64{}, lives: map[*miniNode]int{},
	}
	w.codec = seed%4 == 0
	c.byHand = seed%3 == 0
	w.delay = func() Millis { return 1 + Millis(rnd.Int64N(20)) }
	w.saveTime = func() Millis { return 1 + Millis(rnd.Int64N(50)) }
	w.check = c.checkStep
	w.onSend = c.checkSend
	for range 60 {
		c.trouble()
		for range 3 + rnd.IntN(8) {
			w.run(100)
			c.clientsWrite()
		}
	}
	c.peace()
	if !w.runUntil(120_000, w.healthy) {
		t.Fatalf("seed %d: the cluster does not come to rest: %s", seed, w.agree())
	}
	if *seeds > 100 {
		return
	}
	c.forgetOne()
}

// trouble does one bad thing, or ends one.
func (c *course) trouble() {
	m := c.nodes[c.rnd.IntN(len(c.nodes))]
	other := c.nodes[c.rnd.IntN(len(c.nodes))]
	switch c.rnd.IntN(12) {
	case 0, 1:
		if m.core != nil && c.running() > len(c.nodes)*2/3 {
			m.stop()
		}
	case 2, 3:
		for _, m := range c.nodes {
			if m.core == nil && c.rnd.IntN(2) == 0 {
				m.start()
			}
		}
	case 4:
		c.blocked[[2]string{m.name, other.name}] = true
	case 5:
		for _, from := range c.nodes {
			for _, to := range c.nodes {
				if from.ip < m.ip && to.ip >= m.ip {
					c.blocked[[2]string{from.name, to.name}] = true
					c.blocked[[2]string{to.name, from.name}] = true
				}
			}
		}
	case 6, 7:
		clear(c.blocked)
	case 8:
		m.frozen = true
	case 9:
		for _, m := range c.nodes {
			m.frozen = false
		}
	default:
		modes := 2
		if c.byHand {
			modes = 3
		}
		switch mode := FailoverMode(c.rnd.IntN(modes)); {
		case m.core == nil || m.frozen:
		case m.core.me.isReplica():
			m.step(Failover{Mode: mode})
		case mode == FailoverTakeover:
			m.step(BumpEpoch{})
		}
	}
}

func (c *course) running() int {
	running := 0
	for _, m := range c.nodes {
		if m.core != nil {
			running++
		}
	}
	return running
}

// peace ends all trouble.
func (c *course) peace() {
	clear(c.blocked)
	for _, m := range c.nodes {
		m.frozen = false
		if m.core == nil {
			m.start()
		}
	}
}

// clientsWrite writes on every master that takes writes.
func (c *course) clientsWrite() {
	for _, m := range c.nodes {
		if m.core != nil && !m.frozen && m.core.me.isMaster() && m.core.me.slots > 0 && m.core.state == bus.StateOK {
			m.write(1 + c.rnd.Int64N(100))
		}
	}
}

// checkStep looks at a node after each of its steps.
func (c *course) checkStep(m *miniNode) {
	n := m.core
	if c.lives[m] != m.lives {
		c.lives[m], c.epochs[m] = m.lives, 0
	}
	if n.currentEpoch < c.epochs[m] {
		c.t.Fatalf("%s: the current epoch went back from %d to %d", m.name, c.epochs[m], n.currentEpoch)
	}
	c.epochs[m] = n.currentEpoch
	if n.lastVoteEpoch > n.currentEpoch {
		c.t.Fatalf("%s voted in epoch %d, which is still to come", m.name, n.lastVoteEpoch)
	}
	for _, b := range n.bans {
		if !b.private && b.until >= c.now && n.lookup(b.id) != nil {
			c.t.Fatalf("%s knows %s again within its ban", m.name, c.nameOf(b.id))
		}
	}
	if m.out.Change.Any() || m.out.Save.Seq != 0 {
		checkTables(c.t, n)
	}
	if m.out.Change.Repl == ReplPromote {
		c.checkHandOver(m)
	}
}

// checkHandOver compares the data of a replica that was promoted by a plain hand-over with that of its master. If
// the master stands still in a pause that the replica knows of, nothing that it acknowledged may be missing.
func (c *course) checkHandOver(m *miniNode) {
	plain, forced := 0, 0
	for i, r := range m.history {
		switch r.What {
		case ManualCanStart:
			plain = i + 1
		case ManualFailoverForced, ElectionScheduled:
			if r.What == ManualFailoverForced {
				forced = i + 1
			}
		}
	}
	won := slices.ContainsFunc(m.out.History, func(r Record) bool { return r.What == ElectionWon })
	if !won || plain == 0 || forced > plain || c.now-m.history[plain-1].At > manualTime {
		return
	}
	for _, old := range c.nodes {
		if old.core != nil && old.paused && old.core.manual.paused && old.core.manual.replica.id == m.id() && old.offset != m.offset {
			c.t.Fatalf("%s took over from %s at offset %d, but %d were acknowledged", m.name, old.name, m.offset, old.offset)
		}
	}
}

// checkDurable compares what a packet claims with what would be left after a crash.
func (c *course) checkDurable(from *miniNode, m *bus.Msg) {
	disk := &from.disk
	me := &disk.Nodes[disk.Me]
	master := m.SlaveOf.IsZero()
	overtaken := master != from.core.me.isMaster() // it waited for the disk, and meanwhile the role changed: that is no promise any more
	switch {
	case m.Type == bus.TypeAuthAck && disk.LastVoteEpoch < m.CurrentEpoch:
		c.t.Fatalf("%s sends a vote for epoch %d before it is on disk", from.name, m.CurrentEpoch)
	case m.Type == bus.TypeAuthRequest && disk.CurrentEpoch < m.CurrentEpoch:
		c.t.Fatalf("%s asks for votes in epoch %d before that is on disk", from.name, m.CurrentEpoch)
	case master != me.Flags.Has(bus.FlagMaster) && !overtaken:
		c.t.Fatalf("%s announces a role that is not on disk", from.name)
	case master && m.ConfigEpoch > me.ConfigEpoch:
		c.t.Fatalf("%s announces config epoch %d before it is on disk", from.name, m.ConfigEpoch)
	}
	for r := range m.Slots.Ranges() {
		if owner := disk.Owners[r.Start]; master && !overtaken && (int(owner) >= len(disk.Nodes) || owner != disk.Me) {
			c.t.Fatalf("%s announces slots before they are on disk", from.name)
		}
	}
}

// checkSend looks at a packet when it leaves its node.
func (c *course) checkSend(from, to *miniNode, m *bus.Msg) {
	c.checkDurable(from, m)
	if m.Type == bus.TypeAuthAck {
		v := vote{m.Sender, m.CurrentEpoch}
		if chosen, voted := c.votes[v]; voted && chosen != to.id() {
			c.t.Fatalf("%s voted twice in epoch %d", from.name, m.CurrentEpoch)
		}
		c.votes[v] = to.id()
	}
	if !m.SlaveOf.IsZero() || !m.Type.Heartbeat() {
		return
	}
	if m.ConfigEpoch < c.claimed[m.Sender] {
		c.t.Fatalf("%s announced config epoch %d after %d", from.name, m.ConfigEpoch, c.claimed[m.Sender])
	}
	c.claimed[m.Sender] = m.ConfigEpoch
	for r := range m.Slots.Ranges() {
		key := claim{r.Start, m.ConfigEpoch} // shards move as a whole here: the first slot of a range stands for it
		if owner, taken := c.owners[key]; taken && owner != m.Sender && !c.byHand {
			c.t.Fatalf("slot %d has two owners under epoch %d: %s and %s", r.Start, m.ConfigEpoch, c.nameOf(owner), from.name)
		}
		c.owners[key] = m.Sender
	}
}

// forgetOne takes a replica out of a healthy cluster: nobody may know it again within a minute.
func (c *course) forgetOne() {
	i := slices.IndexFunc(c.nodes, func(m *miniNode) bool { return m.core.me.isReplica() })
	if i < 0 {
		return
	}
	gone := c.nodes[i]
	by := c.nodes[(i+1)%len(c.nodes)]
	c.must(by, Forget{Node: gone.id().String()})
	forgotten := func() bool {
		return !slices.ContainsFunc(c.nodes, func(m *miniNode) bool { return m != gone && m.peer(gone) != nil })
	}
	if !c.runUntil(10_000, forgotten) {
		c.t.Fatalf("%s is not forgotten by all", gone.name)
	}
	for range 40 {
		c.run(1000)
		if !forgotten() {
			c.t.Fatalf("%s is back", gone.name)
		}
	}
	var all slot.Set
	for _, m := range c.nodes {
		if m != gone && m.core.me.isMaster() {
			all.Union(m.core.slotsOf(m.core.me))
		}
	}
	if all.Len() != slot.Count {
		c.t.Fatalf("%d slots are served", all.Len())
	}
}
