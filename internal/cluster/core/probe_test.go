package core

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/topology"
)

// probe is one core among nodes that exist only as packets: it shows what the core does with each event. The
// others are described by names: m1, m2, … are masters with equal shares of the slots and the epochs 1, 2, …;
// r1a, r1b, … are replicas of m1. Ids ascend in the order in which the nodes are given.
type probe struct {
	t     *testing.T
	n     *Node
	now   Millis
	out   Effects
	nodes []*probed
	sent  []probedSend // not yet looked at
	log   []Record
	gated []probedSend // waiting for a save
}

type probed struct {
	name  string
	id    nodeid.ID
	msg   bus.Msg // header of its packets
	in    Link    // its link to us
	outAs Link    // our link to it, once dialled
}

type probedSend struct {
	to    string
	msg   *bus.Msg
	after SaveSeq
	in    bool // on the link by which the other reached us
}

// newProbe makes the core that is called me in the given nodes. It is connected with everybody, and all is well.
func newProbe(t *testing.T, me string, names string, options ...func(*Config)) *probe {
	t.Helper()
	p := &probe{t: t, now: miniEpoch}
	saved := State{Cluster: topology.Cluster{Owners: new(topology.Owners)}, CurrentEpoch: 10}
	for s := range saved.Owners {
		saved.Owners[s] = topology.NoNode
	}
	masters := 0
	for name := range strings.FieldsSeq(names) {
		masters += strings.Count(name[:1], "m")
	}
	seen := 0
	for name := range strings.FieldsSeq(names) {
		x := &probed{name: name, id: nodeid.ID{byte(len(p.nodes) + 1)}, in: Link(len(p.nodes) + 1)}
		node := topology.Node{
			ID: x.id, ShardID: nodeid.ID{100 + name[1] - '0'}, Flags: bus.FlagMaster, Master: topology.NoNode,
			IP: "10.1.0." + name[1:2], Port: 7000, BusPort: 17000, PongReceivedMs: 1,
		}
		x.msg = bus.Msg{Sender: x.id, Port: 7000, CPort: 17000, Flags: bus.FlagMaster | bus.FlagMyself, CurrentEpoch: 10, MyIP: node.IP}
		x.msg.Slots = new(slot.Set)
		if name[0] == 'm' {
			node.ConfigEpoch = uint64(name[1] - '0')
			r := spread(seen, masters)[0]
			seen++
			for s := r[0]; s <= r[1]; s++ {
				saved.Owners[s] = uint16(len(p.nodes))
				x.msg.Slots.Add(uint16(s))
			}
			x.msg.ConfigEpoch = node.ConfigEpoch
		} else {
			master := p.find("m" + name[1:2])
			node.Flags, x.msg.Flags = bus.FlagSlave, bus.FlagSlave|bus.FlagMyself
			node.Master = uint16(slices.Index(p.nodes, master))
			x.msg.SlaveOf, x.msg.Slots, x.msg.ConfigEpoch = master.id, master.msg.Slots, master.msg.ConfigEpoch
		}
		x.msg.Ext.ShardID, x.msg.MFlags = node.ShardID, bus.MFlagExtData
		if name == me {
			saved.Me = uint16(len(p.nodes))
			node.Flags |= bus.FlagMyself
		}
		p.nodes = append(p.nodes, x)
		saved.Nodes = append(saved.Nodes, node)
	}
	cfg := miniConfig()
	cfg.Port, cfg.BusPort = 7000, 17000
	for _, option := range options {
		option(&cfg)
	}
	p.n = New(cfg, saved, rand.New(rand.NewPCG(3, 4)))
	p.n.me.ip = "10.1.0." + me[1:2]
	p.step(ReplicationFacts{LinkUp: true, LastIO: p.now})
	p.tick(1)
	for _, x := range p.nodes {
		if x.name != me {
			p.step(LinkUp{Link: x.outAs})
			p.step(LinkUp{Link: x.in})
			p.answer(x.name)
		}
	}
	p.live(2500)
	p.forget()
	return p
}

func (p *probe) find(name string) *probed {
	for _, x := range p.nodes {
		if x.name == name {
			return x
		}
	}
	p.t.Fatalf("no node %q", name)
	return nil
}

func (p *probe) peer(name string) *peer { return p.n.lookup(p.find(name).id) }

// step takes one event and keeps what came of it.
func (p *probe) step(ev Event) error {
	err := p.n.Step(p.now, ev, &p.out)
	for _, d := range p.out.Dials {
		for _, x := range p.nodes {
			if x.id == d.Node {
				x.outAs = d.Link
			}
		}
	}
	for _, s := range p.out.Sends {
		sent := probedSend{msg: s.Msg, after: s.After, in: !s.Link.Outbound()}
		for _, x := range p.nodes {
			if x.outAs == s.Link || x.in == s.Link {
				sent.to = x.name
			}
		}
		p.sent = append(p.sent, sent)
	}
	p.log = append(p.log, p.out.History...)
	return err
}

// save makes everything durable that was to be saved.
func (p *probe) save() { p.step(Saved{Seq: p.n.lastSave}) }

// tick lets d milliseconds pass, tick by tick, while nobody says a word.
func (p *probe) tick(d Millis) {
	for end := p.now + d; p.now < end; {
		p.now = min(p.now+100, end)
		p.step(Tick{})
	}
}

// live lets d milliseconds pass while everybody but those named answers pings, and saves succeed.
func (p *probe) live(d Millis, except ...string) {
	for end := p.now + d; p.now < end; {
		p.now += 100
		was := p.n.facts
		p.step(ReplicationFacts{LinkUp: !was.Hollow, LastIO: p.now, DownSince: was.DownSince, Offset: was.Offset, Hollow: was.Hollow})
		p.step(Tick{})
		p.save()
		for _, x := range p.nodes {
			if q := p.n.lookup(x.id); q != nil && q != p.n.me && q.pingSent != 0 && q.outUp && !slices.Contains(except, x.name) {
				p.answer(x.name)
			}
		}
	}
}

// answer is a PONG on our link to the node.
func (p *probe) answer(name string, change ...func(*bus.Msg)) {
	p.receive(name, p.find(name).outAs, bus.TypePong, change...)
}

// hear is a packet on the link by which the node reached us.
func (p *probe) hear(name string, t bus.Type, change ...func(*bus.Msg)) {
	p.receive(name, p.find(name).in, t, change...)
}

func (p *probe) receive(name string, l Link, t bus.Type, change ...func(*bus.Msg)) {
	x := p.find(name)
	msg := x.msg
	msg.Type = t
	for _, c := range change {
		c(&msg)
	}
	p.step(Received{Link: l, Msg: &msg, RemoteIP: "10.1.0." + name[1:2], LocalIP: p.n.me.ip})
}

// forget throws away what was sent and noted so far.
func (p *probe) forget() { p.sent, p.log = nil, nil }

// sentTo takes the packets of a type that were sent, and says to whom, in order.
func (p *probe) sentTo(t bus.Type) string {
	var names []string
	for _, s := range p.sent {
		if s.msg.Type == t {
			names = append(names, s.to)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// last is the last packet of a type that was sent.
func (p *probe) last(t bus.Type) probedSend {
	p.t.Helper()
	for i := len(p.sent) - 1; i >= 0; i-- {
		if p.sent[i].msg.Type == t {
			return p.sent[i]
		}
	}
	p.t.Fatalf("no %s was sent", t)
	return probedSend{}
}

func (p *probe) noted(w What) bool {
	return slices.ContainsFunc(p.log, func(r Record) bool { return r.What == w })
}

// says is gossip about a node.
func (p *probe) says(about string, flags bus.Flags) func(*bus.Msg) {
	x := p.find(about)
	return func(m *bus.Msg) {
		m.Gossip = append(m.Gossip, bus.Gossip{Node: x.id, IP: x.msg.MyIP, Port: x.msg.Port, CPort: x.msg.CPort, Flags: flags})
	}
}

// want fails the test unless ok.
func (p *probe) want(ok bool, what string) {
	p.t.Helper()
	if !ok {
		p.t.Errorf("not so: %s", what)
	}
}

// suspect lets name be silent until we suspect it.
func (p *probe) suspect(name string) {
	p.live(4000, name)
	p.want(p.peer(name).suspected(), "we suspect "+name)
}

// fail lets name be silent until a majority says that it failed.
func (p *probe) fail(name string, witnesses ...string) {
	p.suspect(name)
	for _, w := range witnesses {
		p.hear(w, bus.TypePing, p.says(name, bus.FlagMaster|bus.FlagPFail))
	}
	p.want(p.peer(name).failed(), name+" has failed")
}
