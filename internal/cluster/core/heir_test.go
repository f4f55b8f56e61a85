package core

import (
	"testing"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// replaced makes a packet of a master one that says that it became a replica of p's node of that name, under epoch 11.
func replaced(p *probe, by string) func(*bus.Msg) {
	return func(m *bus.Msg) {
		m.SlaveOf, m.Flags, m.ConfigEpoch, m.CurrentEpoch = p.find(by).id, bus.FlagSlave|bus.FlagMyself, 11, 11
	}
}

// The old master's packet overtakes that of its successor, which comes by another connection: no slot is without an
// owner meanwhile, and what the successor said before is old.
func TestSlotsGoToTheHeir(t *testing.T) {
	p := newProbe(t, "m2", "m1 m2 m3 r1a")
	p.answer("m1", replaced(p, "r1a"))
	heir := p.peer("r1a")
	p.want(p.n.ownerOf(0) == heir && p.n.bound == slot.Count, "the slots go to the successor")
	p.want(heir.isMaster() && heir.configEpoch == 11, "which is a master")
	p.want(p.peer("m1").master == heir, "whose replica the old master is")
	p.answer("r1a")
	p.want(p.n.ownerOf(0) == heir, "what the successor said before is ignored")
	p.want(!p.noted(StateFail), "the cluster was never down")

	sibling := newProbe(t, "r1b", "m1 m2 m3 r1a r1b")
	sibling.answer("m1", replaced(sibling, "r1a"))
	sibling.want(sibling.n.me.master == sibling.peer("r1a") && sibling.n.bound == slot.Count, "the other replica follows too")
}

// A claim for another that is not newer, or not about the slots in question, is none: the old master has given its
// slots up, and they wait for an owner.
func TestNoHeir(t *testing.T) {
	for what, change := range map[string]func(*bus.Msg){
		"an old epoch": func(m *bus.Msg) { m.ConfigEpoch = 0 },
		"other slots":  func(m *bus.Msg) { m.Slots = new(slot.Set) },
		"a stranger":   func(m *bus.Msg) { m.SlaveOf = nodeid.ID{99} },
	} {
		p := newProbe(t, "m2", "m1 m2 m3 r1a")
		p.answer("m1", replaced(p, "r1a"), change)
		p.want(p.n.ownerOf(0) == nil && p.peer("r1a").isReplica(), what)
	}
}

// Who was replaced tells of its successor while it still says that it is a master: the node that hears it takes the claim
// only if it is newer than the header's.
func TestReplacedTellsOfTheHeir(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 r1a")
	p.forget()
	p.hear("r1a", bus.TypePong, func(m *bus.Msg) {
		m.SlaveOf, m.Flags, m.ConfigEpoch = nodeid.ID{}, bus.FlagMaster|bus.FlagMyself, 11
	})
	p.want(p.n.me.isReplica(), "replaced")
	p.save()
	told := map[string]bool{}
	for _, s := range p.sent {
		switch u := s.msg.Update; {
		case u != nil:
			p.want(u.Node == p.find("r1a").id && u.ConfigEpoch == 11 && u.Slots.Has(0), "an UPDATE about the successor")
			p.want(s.msg.SlaveOf.IsZero() && s.msg.ConfigEpoch < 11, "from the master that we were")
			told[s.to] = true
		case !s.msg.SlaveOf.IsZero():
			p.want(told[s.to], "the UPDATE goes first to "+s.to)
		}
	}
	p.want(told["m2"] && told["m3"], "all are told")
}
