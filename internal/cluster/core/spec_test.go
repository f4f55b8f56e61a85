package core

import (
	"errors"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/topology"
)

// One test per rule of the Redis Cluster specification, of the documents of CLUSTER RESET, FORGET and FAILOVER, and
// of what is known of 7.2.4's behaviour beyond them. Each opens with the sentence that it proves.

const stranger = "10.1.0.99"

// strangerSays is a packet from a node that we do not know.
func strangerSays(p *probe, t bus.Type, change ...func(*bus.Msg)) {
	link := Link(99)
	p.step(LinkUp{Link: link})
	msg := bus.Msg{Type: t, Sender: nodeid.ID{99}, Port: 7000, CPort: 17000, Flags: bus.FlagMaster, Slots: new(slot.Set), CurrentEpoch: 10}
	for _, c := range change {
		c(&msg)
	}
	p.step(Received{Link: link, Msg: &msg, RemoteIP: stranger, LocalIP: "10.1.0.200"})
}

// "Nodes always accept connections on the cluster bus port, and even reply to pings when received, even if the
// pinging node is not trusted. However, all other packets will be discarded by the receiving node if the sending
// node is not considered part of the cluster."
func TestStrangersGetAPongAndNothingElse(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	strangerSays(p, bus.TypePing)
	p.want(len(p.sent) == 1 && p.sent[0].msg.Type == bus.TypePong, "a PING gets a PONG")
	p.forget()
	for _, kind := range []bus.Type{bus.TypePong, bus.TypeFail, bus.TypePublish, bus.TypeAuthRequest, bus.TypeAuthAck,
		bus.TypeUpdate, bus.TypeMFStart, bus.TypeModule, bus.TypePublishShard} {
		strangerSays(p, kind, func(m *bus.Msg) {
			m.Fail, m.CurrentEpoch, m.MFlags = p.find("m2").id, 99, bus.MFlagForceAck
			m.Update = &bus.Update{ConfigEpoch: 99, Node: p.find("m2").id, Slots: new(slot.Set)}
		})
		p.want(len(p.sent) == 0 && !p.out.Deliver, kind.String()+" gets no answer")
	}
	p.want(len(p.n.order) == 3 && p.n.currentEpoch == 10 && !p.peer("m2").failed(), "nothing was believed")
}

// "A node will accept another node as part of the cluster only … if a node presents itself with a MEET message."
func TestMeetIntroduces(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	strangerSays(p, bus.TypeMeet)
	p.want(len(p.n.order) == 4 && p.n.order[3].inHandshake(), "a node in handshake")
	p.want(p.n.order[3].id != nodeid.ID{99}, "under a provisional id")
	p.want(p.n.order[3].ip == stranger, "at the address of the connection")
	p.want(p.sent[0].msg.Type == bus.TypePong, "a PONG")
	p.want(p.n.me.ip == "10.1.0.200", "our own address is that of the connection by which a MEET came")
	p.tick(100)
	p.want(len(p.out.Dials) == 1 && p.out.Dials[0].Host == stranger, "we dial back")
}

// "Nodes will send MEET messages to other nodes only if the system administrator requests this." One MEET is sent
// for one request: when the connection breaks, the next packet is a PING.
func TestMeetIsSentOnce(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.want(p.step(Meet{IP: stranger, Port: 7000, BusPort: 17000}) == nil, "OK")
	p.tick(100)
	p.step(LinkUp{Link: p.out.Dials[0].Link})
	p.want(p.out.Sends[0].Msg.Type == bus.TypeMeet, "a MEET")
	p.step(LinkDown{Link: p.out.Sends[0].Link})
	p.tick(100)
	p.step(LinkUp{Link: p.out.Dials[0].Link})
	p.want(p.out.Sends[0].Msg.Type == bus.TypePing, "a PING")
}

// "A node will also register another node as part of the cluster if a node that is already trusted will gossip
// about this other node."
func TestGossipIntroduces(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	about := func(flags bus.Flags, ip string) func(*bus.Msg) {
		return func(m *bus.Msg) {
			m.Gossip = []bus.Gossip{{Node: nodeid.ID{77}, IP: ip, Port: 1, CPort: 2, Flags: flags}}
		}
	}
	strangerSays(p, bus.TypeMeet, about(bus.FlagMaster, "10.9.9.9"))
	p.want(p.n.lookup(nodeid.ID{77}) == nil, "not if a stranger says so, even in a MEET")
	p.hear("m2", bus.TypePing, about(bus.FlagMaster|bus.FlagNoAddr, "10.9.9.9"))
	p.want(p.n.lookup(nodeid.ID{77}) == nil, "not without an address")
	p.hear("m2", bus.TypePing, about(bus.FlagMaster|bus.FlagFail|bus.FlagMyself, "10.9.9.9"))
	q := p.n.lookup(nodeid.ID{77})
	p.want(q != nil && q.failed() && !q.flags.Has(bus.FlagMyself), "with the flags it is said to have")
}

// "Usually a node will ping a few random nodes every second … However every node makes sure to ping every other
// node that hasn't sent a ping or received a pong for longer than half the NODE_TIMEOUT time."
func TestEverybodyIsPingedWithinHalfTheTimeout(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 m4 m5 r1a r2a r3a", func(c *Config) { c.NodeTimeout = 10000 })
	p.live(5200)
	for _, x := range p.nodes[1:] {
		p.want(strings.Contains(p.sentTo(bus.TypePing), x.name), x.name+" was pinged")
	}
	p.forget()
	p.live(4000)
	p.want(len(p.sent) >= 3, "and somebody once a second")
}

// cluster-ping-interval takes the place of half the node timeout.
func TestPingInterval(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3", func(c *Config) { c.NodeTimeout, c.PingInterval = 15000, 300 })
	p.live(1000)
	p.want(strings.Count(p.sentTo(bus.TypePing), "m2") >= 2, "pinged every 300 ms")
}

// "Before NODE_TIMEOUT has elapsed, nodes also try to reconnect the TCP link with another node to make sure nodes are
// not believed to be unreachable only because there is a problem in the current TCP connection."
func TestLinkIsRenewedBeforeSuspicion(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.live(1500)
	old := p.find("m2").outAs
	for p.find("m2").outAs == old {
		p.live(100, "m2")
		p.want(!p.peer("m2").suspected(), "no suspicion yet")
		if t.Failed() {
			return
		}
	}
	since := p.peer("m2").pingSent
	p.step(LinkUp{Link: p.find("m2").outAs})
	p.want(p.last(bus.TypePing).to == "m2", "a PING goes out on the new link")
	p.want(p.peer("m2").pingSent == since, "and the older ping still counts")
}

// "A node flags another node with the PFAIL flag when the node is not reachable for more than NODE_TIMEOUT time.
// Both master and replica nodes can flag another node as PFAIL, regardless of its type."
func TestSuspicion(t *testing.T) {
	for _, me := range []string{"m1", "r1a"} {
		for _, other := range []string{"m2", "r2a"} {
			p := newProbe(t, me, "m1 m2 m3 r1a r2a")
			for p.peer(other).pingSent == 0 {
				p.live(100, other)
			}
			p.live(2000, other)
			p.want(!p.peer(other).suspected(), "not at the timeout")
			p.live(100, other)
			p.want(p.peer(other).suspected(), me+" suspects "+other+" after it")
			p.want(!p.peer(other).failed(), "which is no failure")
		}
	}
}

// Every packet is a sign of life, not only a PONG (7.2.4: min(now−ping_sent, now−data_received)).
func TestAnyPacketIsASignOfLife(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	for range 50 {
		p.live(100, "m2")
		p.hear("m2", bus.TypePublish)
		p.want(p.out.Deliver, "the message is delivered")
	}
	p.want(!p.peer("m2").suspected() && p.peer("m2").pingSent != 0, "an unanswered ping alone is no reason")
}

// Only a PONG on our own link proves that we reach the node.
func TestPongOnTheirLinkProvesNothing(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.suspect("m2")
	p.hear("m2", bus.TypePong)
	p.want(p.peer("m2").suspected() && p.peer("m2").pingSent != 0, "still suspected")
	p.step(LinkUp{Link: p.find("m2").outAs})
	p.answer("m2")
	p.want(!p.peer("m2").suspected() && p.peer("m2").pingSent == 0, "not any more")
}

// "Node A collected, via gossip sections, information about the state of B from the point of view of the majority of
// masters in the cluster." I count too, if I am a master.
func TestFailureNeedsAMajority(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 m4 m5 r3a")
	p.suspect("m2")
	p.hear("r3a", bus.TypePing, p.says("m2", bus.FlagPFail))
	p.want(p.peer("m2").reports == nil, "replicas have no voice")
	p.hear("m3", bus.TypePing, p.says("m2", bus.FlagPFail))
	p.hear("m3", bus.TypePing, p.says("m2", bus.FlagPFail))
	p.want(!p.peer("m2").failed(), "one witness and I are two of five")
	p.forget()
	p.hear("m4", bus.TypePing, p.says("m2", bus.FlagFail))
	p.want(p.peer("m2").failed() && !p.peer("m2").suspected(), "two and I are a majority")
	p.want(p.sentTo(bus.TypeFail) == "m2 m3 m4 m5 r3a", "\"Send a FAIL message … to all the reachable nodes.\"")
	r := newProbe(t, "r3a", "m1 m2 m3 m4 m5 r3a")
	r.suspect("m2")
	r.hear("m3", bus.TypePing, r.says("m2", bus.FlagPFail))
	r.hear("m4", bus.TypePing, r.says("m2", bus.FlagPFail))
	r.want(!r.peer("m2").failed(), "a replica does not count itself")
	r.hear("m5", bus.TypePing, r.says("m2", bus.FlagPFail))
	r.want(r.peer("m2").failed(), "three masters of five")
}

// Where many find out at once, a few tell everybody; the others wait whether one of those did.
func TestHeraldsTellOfAFailure(t *testing.T) {
	const names, everybody = "m1 m2 m3 m4 m5 m6 m7 m8 m9 r9a", "m1 m2 m3 m4 m5 m7 m8 m9 r9a"
	found := func(me string, witnesses ...string) *probe {
		p := newProbe(t, me, names)
		p.suspect("m9")
		p.forget()
		for _, w := range witnesses {
			p.hear(w, bus.TypePing, p.says("m9", bus.FlagMaster|bus.FlagPFail))
		}
		p.want(p.peer("m9").failed(), "it has failed")
		return p
	}
	p := found("m3", "m1", "m2", "m4", "m5") // nearer to it are m8 and m1
	p.want(p.sentTo(bus.TypeFail) == "m1 m2 m4 m5 m6 m7 m8 m9 r9a", "a herald tells everybody")
	p.forget()
	p.tick(300)
	p.want(p.sentTo(bus.TypeFail) == "", "once")

	p = found("m6", "m1", "m2", "m4", "m5")
	p.want(p.sentTo(bus.TypeFail) == "r9a", "who is none tells the heirs")
	p.forget()
	p.tick(300)
	p.want(p.sentTo(bus.TypeFail) == everybody, "and in a while everybody, if no herald did")
	p.forget()
	p.tick(300)
	p.want(p.sentTo(bus.TypeFail) == "", "once")

	p = found("m6", "m1", "m2", "m4", "m5")
	p.forget()
	p.hear("m4", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m9").id })
	p.tick(300)
	p.want(p.sentTo(bus.TypeFail) == "", "else it need not")

	p = newProbe(t, "m5", names) // nearer are m8, m1, m3 and m2
	p.live(4000, "m9", "m8", "m1")
	p.forget()
	for _, w := range []string{"m2", "m3", "m4", "m6"} {
		p.hear(w, bus.TypePing, p.says("m9", bus.FlagMaster|bus.FlagPFail))
	}
	p.want(p.peer("m9").failed() && p.sentTo(bus.TypeFail) == "m1 m2 m3 m4 m6 m7 m8 m9 r9a", "whom we suspect is no herald")
}

// "Some node, that we'll call A, has another node B flagged as PFAIL": without our own suspicion reports do nothing.
func TestReportsAloneAreNoFailure(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.hear("m3", bus.TypePing, p.says("m2", bus.FlagPFail))
	p.want(!p.peer("m2").failed(), "we reach it")
	count, err := p.n.CountFailureReports(p.now, p.find("m2").id.String())
	p.want(count == 1 && err == nil, "but the report counts")
	p.hear("m3", bus.TypePing, p.says("m2", 0))
	count, _ = p.n.CountFailureReports(p.now, p.find("m2").id.String())
	p.want(count == 0 && p.noted(FailureWithdrawn), "until it is withdrawn")
	_, err = p.n.CountFailureReports(p.now, "nobody")
	p.want(err != nil && err.Error() == "Unknown node nobody", "Unknown node")
}

// "The majority of masters signaled the PFAIL or FAIL condition within NODE_TIMEOUT * FAIL_REPORT_VALIDITY_MULT
// time" (the factor is 2).
func TestReportsGrowOld(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 m4 m5")
	p.suspect("m2")
	p.hear("m3", bus.TypePing, p.says("m2", bus.FlagPFail))
	p.live(4000, "m2")
	count, _ := p.n.CountFailureReports(p.now, p.find("m2").id.String())
	p.want(count == 1, "after two timeouts it still counts")
	p.live(100, "m2")
	p.hear("m4", bus.TypePing, p.says("m2", bus.FlagPFail))
	count, _ = p.n.CountFailureReports(p.now, p.find("m2").id.String())
	p.want(count == 1 && !p.peer("m2").failed(), "then no more")
}

// "The FAIL message will force every receiving node to mark the node in FAIL state, whether or not it already flagged
// the node in PFAIL state." But nobody believes it about himself.
func TestFailIsBelieved(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 r2a")
	p.hear("r2a", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m2").id })
	p.want(p.peer("m2").failed() && p.noted(FailHeard), "from anybody we know")
	p.hear("m3", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m1").id })
	p.want(!p.n.me.failed(), "not about me")
}

// "The node is already reachable and is a replica. In this case the FAIL flag can be cleared as replicas are not
// failed over." "The node is already reachable and is a master not serving any slot. In this case the FAIL flag can
// be cleared".
func TestFailureEndsAtOnce(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 r2a")
	p.hear("m3", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("r2a").id })
	p.answer("r2a")
	p.want(!p.peer("r2a").failed() && p.noted(FailEndedReplica), "a replica")
	for s := range p.find("m3").msg.Slots.All() {
		p.n.unbind(s)
	}
	p.hear("r2a", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m3").id })
	p.answer("m3", func(m *bus.Msg) { m.Slots = new(slot.Set) })
	p.want(!p.peer("m3").failed() && p.noted(FailEndedNoSlots), "a master without slots")
}

// "The node is already reachable and is a master, but a long time (N times the NODE_TIMEOUT) has elapsed without any
// detectable replica promotion." N is 2.
func TestFailureOfAMasterEndsLate(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.hear("m3", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m2").id })
	p.live(4000)
	p.answer("m2")
	p.want(p.peer("m2").failed(), "not within two timeouts")
	p.live(100)
	p.answer("m2")
	p.want(!p.peer("m2").failed() && p.noted(FailEndedNobodyTookOver), "then it is")
}

// A master that newly suspects a node pings all masters at once (where we differ from redis).
func TestSuspicionIsSpreadAtOnce(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 m4 m5 r1a")
	for !p.peer("m2").suspected() {
		p.forget()
		p.live(100, "m2")
	}
	sent := p.sentTo(bus.TypePing)
	for _, name := range []string{"m3", "m4", "m5"} {
		p.want(strings.Contains(sent, name), name+" was pinged")
	}
	for _, s := range p.sent {
		if s.msg.Type == bus.TypePing && s.to == "m3" {
			p.want(gossips(s.msg, p.find("m2").id).Has(bus.FlagPFail), "the ping carries the suspicion")
		}
	}
}

// gossips is what a packet says of a node, 0 if nothing.
func gossips(m *bus.Msg, id nodeid.ID) bus.Flags {
	for _, g := range m.Gossip {
		if g.Node == id {
			return g.Flags
		}
	}
	return 0
}

// A gossip section speaks of max(3, N/10) nodes, at most of N-2, and of all suspected nodes besides; never of
// ourselves, of nodes in handshake or without an address.
func TestGossipSection(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 m4 m5 r1a r2a r3a")
	p.suspect("m5")
	p.peer("m4").flags |= bus.FlagNoAddr
	p.peer("r3a").flags |= bus.FlagHandshake
	for range 50 {
		p.forget()
		p.hear("m2", bus.TypePing)
		m := p.last(bus.TypePong).msg
		p.want(len(m.Gossip) <= 4, "three at most, and the suspected one")
		p.want(gossips(m, p.find("m5").id).Has(bus.FlagPFail), "the suspected one always")
		p.want(gossips(m, p.find("m1").id)|gossips(m, p.find("m4").id)|gossips(m, p.find("r3a").id) == 0, "nobody else")
		seen := map[nodeid.ID]bool{}
		for _, g := range m.Gossip {
			p.want(!seen[g.Node], "nobody twice")
			seen[g.Node] = true
		}
	}
}

// A pong time that others saw is taken over if we have no ping pending and no reports, if it is newer than ours, and if it is
// not more than half a second ahead.
func TestPongTimesTravel(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.live(1000)
	for p.peer("m2").pingSent != 0 {
		p.answer("m2")
	}
	at := func(ms Millis) func(*bus.Msg) {
		return func(m *bus.Msg) {
			p.says("m2", bus.FlagMaster)(m)
			m.Gossip[0].PongReceived = uint32(ms / 1000)
		}
	}
	p.peer("m2").pongReceived = p.now - 5000
	p.hear("m3", bus.TypePing, at(p.now+5000))
	p.want(p.peer("m2").pongReceived == p.now-5000, "not from the future")
	p.hear("m3", bus.TypePing, at(p.now-2000))
	p.want(p.peer("m2").pongReceived == (p.now-2000)/1000*1000, "newer")
	p.hear("m3", bus.TypePing, at(p.now-4000))
	p.want(p.peer("m2").pongReceived == (p.now-2000)/1000*1000, "not older")
}

// "At node creation every Redis Cluster node, both replicas and master nodes, set the currentEpoch to 0." "Every time a
// packet is received from another node, if the epoch of the sender … is greater than the local node epoch, the
// currentEpoch is updated to the sender epoch."
func TestCurrentEpoch(t *testing.T) {
	w := newMiniNet(t, 1)
	p := newProbe(t, "m1", "m1 m2 m3 r2a")
	if fresh := w.add("a", miniConfig()).core; fresh.currentEpoch != 0 || fresh.me.configEpoch != 0 {
		t.Error("a new node does not begin at epoch 0")
	}
	p.hear("r2a", bus.TypePublish, func(m *bus.Msg) { m.CurrentEpoch = 20 })
	p.want(p.n.currentEpoch == 20, "by any packet of anybody")
	p.hear("m2", bus.TypePing, func(m *bus.Msg) { m.CurrentEpoch = 15 })
	p.want(p.n.currentEpoch == 20, "never back")
}

// "Every master always advertises its configEpoch in ping and pong packets along with a bitmap advertising the set
// of slots it serves." "Replica nodes also advertise the configEpoch field …, but in the case of replicas the field
// represents the configEpoch of its master".
func TestHeaders(t *testing.T) {
	p := newProbe(t, "m2", "m1 m2 m3 r2a")
	p.hear("m1", bus.TypePing)
	m := p.last(bus.TypePong).msg
	p.want(m.ConfigEpoch == 2 && m.Slots.Equal(p.find("m2").msg.Slots) && m.SlaveOf.IsZero(), "a master's own")
	r := newProbe(t, "r2a", "m1 m2 m3 r2a")
	r.hear("m1", bus.TypePing)
	m = r.last(bus.TypePong).msg
	r.want(m.ConfigEpoch == 2 && m.Slots.Equal(r.find("m2").msg.Slots), "a replica's master's")
	r.want(m.SlaveOf == r.find("m2").id && m.Flags.Has(bus.FlagSlave), "and who that is")
}

// "Rule 1: If a hash slot is unassigned (set to NULL), and a known node claims it, I'll modify my hash slot table and
// associate the claimed hash slots to it."
func TestRule1(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.n.unbind(16383)
	p.hear("m2", bus.TypePing, claims(p, "m2", 2, 16383))
	p.want(p.n.ownerOf(16383) == p.peer("m2"), "m2 has it")
}

// claims is a header that claims further slots under an epoch.
func claims(p *probe, name string, epoch uint64, slots ...uint16) func(*bus.Msg) {
	return func(m *bus.Msg) {
		set := *p.find(name).msg.Slots
		for _, s := range slots {
			set.Add(s)
		}
		m.Slots, m.ConfigEpoch = &set, epoch
	}
}

// "Rule 2: If a hash slot is already assigned, and a known node is advertising it using a configEpoch that is greater
// than the configEpoch of the master currently associated with the slot, I'll rebind the hash slot to the new node."
func TestRule2(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 r2a")
	p.hear("m2", bus.TypePing, claims(p, "m2", 2, 16383))
	p.want(p.n.ownerOf(16383) == p.peer("m3"), "epoch 2 does not beat 3")
	p.hear("m2", bus.TypePing, claims(p, "m2", 3, 16383))
	p.want(p.n.ownerOf(16383) == p.peer("m3"), "nor does 3")
	p.hear("r2a", bus.TypePing, claims(p, "m2", 4, 16383))
	p.want(p.n.ownerOf(16383) == p.peer("m3"), "a replica claims nothing")
	p.hear("m2", bus.TypePing, claims(p, "m2", 4, 16383))
	p.want(p.n.ownerOf(16383) == p.peer("m2"), "4 does")
	p.want(p.out.Unsubscribe.Has(16383) && p.out.Unsubscribe.Len() == 1, "its subscribers must look elsewhere")
	p.want(p.out.Change.View && p.n.View().Owners[16383] == 1, "the view shows it")
}

// A slot that we import moves by the administrator's hand only.
func TestImportingSlotDoesNotMove(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.want(p.step(SetSlot{Slot: 16383, Action: SlotImporting, Node: p.find("m3").id.String()}) == nil, "OK")
	p.hear("m2", bus.TypePing, claims(p, "m2", 9, 16383))
	p.want(p.n.ownerOf(16383) == p.peer("m3"), "still m3's")
}

// A slot that its owner no longer claims stays bound, is left out of UPDATEs, and is free for any claimer.
func TestUnclaimedSlot(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 r3a")
	p.hear("m3", bus.TypePing, func(m *bus.Msg) {
		set := *m.Slots
		set.Remove(16383)
		m.Slots = &set
	})
	p.want(p.n.ownerOf(16383) == p.peer("m3") && p.n.unclaimed.Has(16383), "bound, and marked")
	p.forget()
	p.hear("m2", bus.TypePing, claims(p, "m2", 2, 16382))
	p.want(!p.last(bus.TypeUpdate).msg.Update.Slots.Has(16383), "not in the UPDATE about m3")
	p.hear("m3", bus.TypePing)
	p.want(!p.n.unclaimed.Has(16383), "claimed again, it is m3's as before")
	p.n.unclaimed.Add(16383)
	p.hear("m2", bus.TypePing, claims(p, "m2", 2, 16383))
	p.want(p.n.ownerOf(16383) == p.peer("m2"), "an older epoch gets it")
}

// Who claims a slot under an old epoch gets an UPDATE about the newer owner, on our own link, one per packet.
func TestUpdateIsSent(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 r1a")
	p.hear("m2", bus.TypePing, claims(p, "m2", 2, 16382, 16383))
	u := p.last(bus.TypeUpdate)
	p.want(u.to == "m2" && !u.in && u.msg.Update.Node == p.find("m3").id && u.msg.Update.ConfigEpoch == 3, "about m3")
	p.want(u.msg.Update.Slots.Equal(p.find("m3").msg.Slots), "with all its slots")
	p.want(p.sentTo(bus.TypeUpdate) == "m2", "once")
}

// An UPDATE is taken if its subject is known and its epoch is newer than what we know; a subject that was a replica
// becomes a master.
func TestUpdateIsTaken(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 r2a")
	update := func(about nodeid.ID, epoch uint64) func(*bus.Msg) {
		return func(m *bus.Msg) {
			m.Update = &bus.Update{ConfigEpoch: epoch, Node: about, Slots: p.find("m2").msg.Slots}
		}
	}
	p.hear("m3", bus.TypeUpdate, update(nodeid.ID{88}, 9))
	p.hear("m3", bus.TypeUpdate, update(p.find("m1").id, 9))
	p.want(p.noted(UpdateAboutMyself) && p.n.me.configEpoch == 1, "not about me")
	p.hear("m3", bus.TypeUpdate, update(p.find("r2a").id, 0))
	p.want(p.peer("r2a").isReplica(), "not an old one")
	p.hear("m3", bus.TypeUpdate, update(p.find("r2a").id, 9))
	p.want(p.peer("r2a").isMaster() && p.n.ownerOf(8000) == p.peer("r2a") && p.peer("r2a").configEpoch == 9, "r2a took over")
	p.want(p.out.Save.Seq != 0 && p.out.Save.Fsync, "and that is saved")
}

// "The node … that stole its last hash slot": a master that lost its last slot replicates the node that has it. Its
// replicas follow too. (CLUSTER FAILOVER: "The old master receives the configuration update".)
func TestMasterWithoutSlotsFollows(t *testing.T) {
	for _, me := range []string{"m3", "r3a"} {
		p := newProbe(t, me, "m1 m2 m3 r3a r3b", func(c *Config) { c.AllowReplicaMigration = false })
		all := func(m *bus.Msg) {
			m.SlaveOf, m.Flags, m.ConfigEpoch = nodeid.ID{}, bus.FlagMaster, 11
		}
		p.hear("r3b", bus.TypePong, all)
		p.want(p.n.me.master == p.peer("r3b") && p.n.me.isReplica(), me+" follows")
		p.want(p.out.Change.Repl == ReplFollow && p.out.Change.Follow.Node == p.find("r3b").id, "and replication is told")
		p.want(p.out.DropKeys == nil, "no keys are dropped: a synchronisation replaces them")
		p.want(p.n.me.shard == p.find("r3b").msg.Ext.ShardID, "the shard is the new master's")
	}
}

// Without cluster-allow-replica-migration a master that lost its last slot to a node with other slots stays a master;
// the keys of lost slots are dropped.
func TestMasterWithoutSlotsStays(t *testing.T) {
	p := newProbe(t, "m3", "m1 m2 m3", func(c *Config) { c.AllowReplicaMigration = false })
	p.hear("m2", bus.TypePong, func(m *bus.Msg) {
		set := *m.Slots
		set.Union(p.find("m3").msg.Slots)
		m.Slots, m.ConfigEpoch = &set, 11
	})
	p.want(p.n.me.isMaster() && p.n.me.slots == 0, "a master without slots")
	p.want(p.out.DropKeys != nil && p.out.DropKeys.Equal(p.find("m3").msg.Slots), "whose keys are dropped")
}

// "IF a master node detects another master node is advertising itself with the same configEpoch. AND IF the node has a
// lexicographically smaller Node ID … THEN it increments its currentEpoch by 1, and uses it as the new configEpoch."
func TestCollision(t *testing.T) {
	p := newProbe(t, "m2", "m1 m2 m3 r3a")
	p.hear("m1", bus.TypePing, claims(p, "m1", 2))
	p.want(p.n.me.configEpoch == 2, "the greater id stays")
	p.hear("r3a", bus.TypePing, claims(p, "m3", 2))
	p.want(p.n.me.configEpoch == 2, "a replica does not collide")
	p.hear("m3", bus.TypePing, func(m *bus.Msg) { m.ConfigEpoch = 2 })
	p.want(p.n.me.configEpoch == 2, "nor does an epoch that its owner has left behind")
	q := newProbe(t, "m1", "m1 m2 m3")
	q.n.me.configEpoch = 2
	q.hear("m2", bus.TypePing)
	q.want(q.n.me.configEpoch == 11 && q.n.currentEpoch == 11 && q.out.Save.Fsync, "the lower id moves on, and saves")
}

// "Mark: a master that turned into a replica": all its slots become unassigned at that moment.
func TestDemotedMasterLosesItsSlots(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.hear("m3", bus.TypePing, func(m *bus.Msg) {
		m.SlaveOf, m.Flags, m.Slots = p.find("m2").id, bus.FlagSlave, p.find("m2").msg.Slots
	})
	p.want(p.peer("m3").isReplica() && p.peer("m3").master == p.peer("m2") && p.n.ownerOf(16383) == nil, "no owner")
	p.hear("m2", bus.TypePing, func(m *bus.Msg) { m.SlaveOf, m.Flags = nodeid.ID{55}, bus.FlagSlave })
	p.want(p.peer("m2").isReplica() && p.peer("m2").master == nil, "an unknown master is nobody")
}

// A master that is a replica now has a master itself: its replicas follow that one.
func TestNoReplicaOfAReplica(t *testing.T) {
	p := newProbe(t, "r3a", "m1 m2 m3 r3a")
	p.hear("m3", bus.TypePing, func(m *bus.Msg) {
		m.SlaveOf, m.Flags, m.Slots = p.find("m2").id, bus.FlagSlave, p.find("m2").msg.Slots
	})
	p.want(p.n.me.master == p.peer("m3"), "not by the news alone")
	p.hear("m1", bus.TypePing, claims(p, "m1", 1, 16383))
	p.want(p.n.me.master == p.peer("m2") && p.noted(SubReplica), "but when slots move next")
}

// "The replica's master is in FAIL state. The master was serving a non-zero number of slots." and neither
// cluster-replica-no-failover.
func TestWhoMayStand(t *testing.T) {
	stands := func(prepare func(*probe), options ...func(*Config)) bool {
		p := newProbe(t, "r3a", "m1 m2 m3 r3a", options...)
		prepare(p)
		p.live(3000)
		return p.sentTo(bus.TypeAuthRequest) != ""
	}
	fail := func(p *probe) { p.hear("m1", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m3").id }) }
	if !stands(fail) {
		t.Error("it does not stand")
	}
	if stands(func(p *probe) { p.suspect("m3") }) {
		t.Error("it stands for a suspicion")
	}
	if stands(func(p *probe) { p.n.unbindAll(p.peer("m3")); fail(p) }) {
		t.Error("it stands for a master without slots")
	}
	if stands(fail, func(c *Config) { c.ReplicaNoFailover = true }) {
		t.Error("it stands in spite of no-failover")
	}
}

// "The replica replication link was disconnected from the master for no longer than a given amount of time": the ping
// period of replication and the validity factor times the node timeout; the first node timeout does not count.
func TestDataAge(t *testing.T) {
	stands := func(age Millis, factor int) bool {
		p := newProbe(t, "r3a", "m1 m2 m3 r3a", func(c *Config) { c.ReplicaValidityFactor = factor })
		p.step(ReplicationFacts{DownSince: p.now - age})
		p.hear("m1", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m3").id })
		return p.sentTo(bus.TypeAuthRequest) != ""
	}
	if limit := Millis(2000 + 10000 + 10*2000); !stands(limit, 10) || stands(limit+1, 10) || !stands(limit+100000, 0) {
		t.Error("the limit is elsewhere")
	}
}

// "DELAY = 500 milliseconds + random delay between 0 and 500 milliseconds + REPLICA_RANK * 1000 milliseconds."
func TestElectionDelay(t *testing.T) {
	for rank, ahead := range [][]string{{}, {"r3b"}, {"r3b", "r3c"}} {
		p := newProbe(t, "r3a", "m1 m2 m3 r3a r3b r3c")
		p.step(ReplicationFacts{Offset: 100, LinkUp: true, LastIO: p.now})
		for _, name := range ahead {
			p.hear(name, bus.TypePing, func(m *bus.Msg) { m.Offset = 101 })
		}
		p.forget()
		p.hear("m1", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m3").id })
		delay := p.n.election.at - p.now
		low := Millis(500 + 1000*rank)
		p.want(low <= delay && delay < low+500 && p.n.election.rank == rank, "the delay of its rank")
		p.want(p.sentTo(bus.TypePong) == "r3b r3c", "the siblings are told our offset")
	}
}

// A rank that worsens before the request adds a second for each place.
func TestRankWorsens(t *testing.T) {
	p := newProbe(t, "r3a", "m1 m2 m3 r3a r3b")
	p.hear("m1", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m3").id })
	before := p.n.election.at
	p.hear("r3b", bus.TypePong, func(m *bus.Msg) { m.Offset = 500 })
	p.step(Tick{})
	p.want(p.n.election.at == before+1000 && p.noted(ElectionRankChanged), "one second more")
}

// A candidate with the highest known offset whose reachable siblings all see the master failing starts at once (where
// we differ from redis).
func TestNothingToWaitFor(t *testing.T) {
	p := newProbe(t, "r3a", "m1 m2 m3 r3a r3b r3c")
	p.step(ReplicationFacts{Offset: 100, LinkUp: true, LastIO: p.now})
	p.hear("r3c", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m3").id })
	p.hear("r3b", bus.TypePing, p.says("m3", bus.FlagMaster|bus.FlagPFail))
	p.want(p.sentTo(bus.TypeAuthRequest) == "", "one sibling did not speak yet")
	p.hear("r3c", bus.TypePing, p.says("m3", bus.FlagMaster|bus.FlagFail))
	p.want(p.sentTo(bus.TypeAuthRequest) == "m1 m2 m3 r3b r3c", "now all have")
	p.want(p.sentTo(bus.TypeFail) == "m1 m2 m3 r3b r3c" && p.sent[len(p.sent)-1].msg.Type == bus.TypeAuthRequest,
		"and a FAIL goes before, so that no voter finds the master up")

	late := newProbe(t, "r3b", "m1 m2 m3 r3a r3b")
	late.hear("r3a", bus.TypeFail, func(m *bus.Msg) { m.Fail = late.find("m3").id })
	late.hear("r3a", bus.TypePing, late.says("m3", bus.FlagMaster|bus.FlagFail))
	late.want(late.sentTo(bus.TypeAuthRequest) == "", "of equals the one with the lowest id goes first")

	back := newProbe(t, "r3a", "m1 m2 m3 r3a")
	back.n.cfg.ReplicaNoFailover = true
	back.hear("m1", bus.TypeFail, func(m *bus.Msg) { m.Fail = back.find("m3").id })
	back.now += 10
	back.hear("m3", bus.TypePing)
	back.n.cfg.ReplicaNoFailover = false
	back.step(Tick{})
	back.want(back.n.election.at >= back.now+500, "nobody hurries once the failed master gave a sign of life")
}

// "In order to be elected, the first step for a replica is to increment its currentEpoch counter, and request votes
// from master instances." The new epoch is on disk before it is asked for.
func TestRequestForVotes(t *testing.T) {
	p := newProbe(t, "r3a", "m1 m2 m3 r3a")
	p.hear("m1", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m3").id })
	request := p.last(bus.TypeAuthRequest)
	p.want(p.n.currentEpoch == 11 && request.msg.CurrentEpoch == 11 && request.msg.ConfigEpoch == 3, "in the next epoch")
	p.want(request.msg.Slots.Equal(p.find("m3").msg.Slots), "claiming the master's slots")
	p.want(request.msg.MFlags&bus.MFlagForceAck == 0, "nobody is forced")
	p.want(request.after != 0 && request.after == p.out.Save.Seq && p.out.Save.Fsync, "after the save")
	p.forget()
	p.hear("m2", bus.TypePing)
	pong := p.last(bus.TypePong)
	p.want(pong.after == 0 && pong.msg.CurrentEpoch == 10, "while heartbeats go on with what is durable")
	p.save()
	p.hear("m2", bus.TypePing)
	p.want(p.last(bus.TypePong).msg.CurrentEpoch == 11, "until it is")
}

// candidate is a replica in the middle of its election, in epoch 11.
func candidate(t *testing.T) *probe {
	p := newProbe(t, "r3a", "m1 m2 m3 m4 m5 r3a r4a")
	p.hear("m1", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m3").id })
	p.save()
	p.want(p.n.election.sent, "the election is on")
	p.forget()
	return p
}

func epoch(e uint64) func(*bus.Msg) { return func(m *bus.Msg) { m.CurrentEpoch = e } }

// "A replica discards any AUTH_ACK replies with an epoch that is less than the currentEpoch at the time the vote
// request was sent." Only masters with slots vote, and each once.
func TestCountingVotes(t *testing.T) {
	p := candidate(t)
	p.hear("m1", bus.TypeAuthAck, epoch(10))
	p.want(len(p.n.election.voters) == 0, "an old vote")
	p.hear("r4a", bus.TypeAuthAck, epoch(11))
	p.want(len(p.n.election.voters) == 0, "a replica's")
	p.hear("m1", bus.TypeAuthAck, epoch(11))
	p.hear("m1", bus.TypeAuthAck, epoch(11))
	p.hear("m2", bus.TypeAuthAck, epoch(11))
	p.want(len(p.n.election.voters) == 2 && p.n.me.isReplica(), "two of five, one of them twice")
	p.hear("m4", bus.TypeAuthAck, epoch(11))
	p.want(p.n.me.isMaster(), "\"Once the replica receives ACKs from the majority of masters, it wins the election.\"")
}

// "Once a replica wins the election, it obtains a new unique and incremental configEpoch which is higher than that of
// any other existing master. It starts advertising itself as master in ping and pong packets". "In order to speedup
// the reconfiguration of other nodes, a pong packet is broadcast to all the nodes of the cluster." State and role are
// saved before.
func TestWinning(t *testing.T) {
	p := candidate(t)
	for _, m := range []string{"m1", "m2", "m4"} {
		p.hear(m, bus.TypeAuthAck, epoch(11))
	}
	p.want(p.n.me.configEpoch == 11 && p.n.me.slots == uint16(p.find("m3").msg.Slots.Len()), "all slots under the new epoch")
	p.want(p.out.Change.Repl == ReplPromote && p.out.Change.View, "replication and the view change together")
	p.want(p.sentTo(bus.TypePong) == "m1 m2 m3 m4 m5 r4a", "a PONG to all")
	pong := p.last(bus.TypePong)
	p.want(pong.msg.ConfigEpoch == 11 && pong.msg.SlaveOf.IsZero() && pong.msg.Flags.Has(bus.FlagMaster), "as a master")
	p.want(pong.after != 0 && pong.after == p.out.Save.Seq, "after the save")
	p.want(p.peer("m3").isMaster() && p.peer("m3").slots == 0, "the old master is one without slots for now")
	p.want(p.n.election.at == 0, "the next election begins with a clean slate")
	p.forget()
	p.hear("m1", bus.TypePing)
	p.want(p.last(bus.TypePong).msg.SlaveOf == p.find("m3").id, "until the save heartbeats say what is durable")
	p.save()
	p.forget()
	p.hear("r4a", bus.TypeAuthRequest, epoch(11), func(m *bus.Msg) { m.MFlags = bus.MFlagForceAck })
	p.want(p.noted(VoteDenied) && p.sentTo(bus.TypeAuthAck) == "", "who stood in an epoch has no vote in it: else it may have two winners")
}

// "Otherwise if the majority is not reached within the period of two times NODE_TIMEOUT (but always at least 2 seconds),
// the election is aborted and a new one will be tried again after NODE_TIMEOUT * 4 (and always at least 4 seconds)."
// Where we differ: the new one is tried after half a NODE_TIMEOUT (0.5 to 2 s), then after twice as long, and so on.
func TestElectionExpires(t *testing.T) {
	p := candidate(t)
	p.hear("m1", bus.TypeAuthAck, epoch(11))
	p.live(800, "m3")
	p.want(p.n.currentEpoch == 11, "no other election yet")
	p.live(500, "m3")
	p.want(p.n.currentEpoch == 12 && p.n.election.epoch == 12 && len(p.n.election.voters) == 0, "then the next")
	for _, m := range []string{"m2", "m4", "m5"} {
		p.hear(m, bus.TypeAuthAck, epoch(11))
	}
	p.want(p.n.me.isReplica(), "votes for the one before come too late")
	p.live(1500, "m3")
	p.want(p.n.currentEpoch == 12, "this one has more time")
	p.live(1000, "m3")
	p.want(p.n.currentEpoch == 13, "but not for ever")
}

// "Why did this replica not stand" is noted when the reason changes and every ten seconds, but not in the first
// moments of a failure.
func TestWhyItDoesNotStand(t *testing.T) {
	p := newProbe(t, "r3a", "m1 m2 m3 r3a")
	p.step(ReplicationFacts{DownSince: p.now - 100000})
	p.hear("m1", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m3").id })
	p.tick(7000 - 100)
	p.want(!p.noted(CannotFailover), "silence at first")
	p.tick(300)
	p.want(p.noted(CannotFailover), "then a note")
	p.forget()
	p.tick(9000)
	p.want(!p.noted(CannotFailover), "not again at once")
	p.tick(1100)
	p.want(p.noted(CannotFailover), "but after ten seconds")
}

// asks is a request for votes by r3a.
func asks(p *probe, change ...func(*bus.Msg)) {
	p.hear("r3a", bus.TypeAuthRequest, append([]func(*bus.Msg){epoch(p.n.currentEpoch + 1)}, change...)...)
}

// voter is a master who may vote for r3a.
func voter(t *testing.T) *probe {
	p := newProbe(t, "m1", "m1 m2 m3 r3a r3b")
	p.hear("m2", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m3").id })
	p.forget()
	return p
}

func (p *probe) denied(why string) {
	p.t.Helper()
	for _, r := range p.log {
		if r.What == VoteDenied && r.Detail == why {
			p.want(p.sentTo(bus.TypeAuthAck) == "", "no vote")
			return
		}
	}
	p.t.Errorf("not denied because %q: %+v", why, p.log)
}

// "A master only votes a single time for a given epoch, and refuses to vote for older epochs". "When a master replies
// positively to a vote request, the lastVoteEpoch is updated accordingly, and safely stored on disk."
func TestOneVotePerEpoch(t *testing.T) {
	p := voter(t)
	asks(p)
	vote := p.last(bus.TypeAuthAck)
	p.want(vote.to == "r3a" && !vote.in && vote.msg.CurrentEpoch == 11 && p.n.lastVoteEpoch == 11, "a vote")
	p.want(vote.after != 0 && vote.after == p.out.Save.Seq && p.out.Save.Fsync, "after the save")
	p.forget()
	p.hear("r3b", bus.TypeAuthRequest, epoch(11))
	p.denied("already voted for epoch 11")
	p.forget()
	p.hear("r3b", bus.TypeAuthRequest, epoch(10))
	p.denied("reqEpoch (10) < curEpoch(11)")
}

// A second vote about the same master is not refused for twice the node timeout (where we differ from redis).
func TestNextCandidateNeedNotWait(t *testing.T) {
	p := voter(t)
	asks(p)
	p.hear("r3b", bus.TypeAuthRequest, epoch(12))
	p.want(p.sentTo(bus.TypeAuthAck) == "r3a r3b", "another epoch, another vote")
}

// "A master votes for a replica only if the replica's master is flagged as FAIL." A manual failover asks for more.
func TestVotesAboutFailedMastersOnly(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 r3a")
	asks(p)
	p.denied("its master is up")
	p.forget()
	asks(p, func(m *bus.Msg) { m.MFlags |= bus.MFlagForceAck })
	p.want(p.sentTo(bus.TypeAuthAck) == "r3a", "by order of an administrator")
	p.forget()
	p.hear("m2", bus.TypeAuthRequest, epoch(30))
	p.denied("it is a master node")
	p.forget()
	p.n.setMasterOf(p.peer("r3a"), nil)
	asks(p)
	p.denied("I don't know its master")
}

// Masters don't vote for a replica whose slots somebody holds under a greater epoch than the request claims.
func TestNoVoteForOldClaims(t *testing.T) {
	p := voter(t)
	p.peer("m3").configEpoch = 5
	asks(p)
	p.denied("slot 10922 epoch (5) > reqEpoch (3)")
}

// Only masters with slots have a vote.
func TestNoSlotsNoVote(t *testing.T) {
	p := voter(t)
	p.n.unbindAll(p.n.me)
	asks(p)
	p.want(len(p.sent) == 0 && len(p.log) == 0, "silence")
	r := newProbe(t, "r2a", "m1 m2 m3 r2a r3a")
	r.hear("m2", bus.TypeFail, func(m *bus.Msg) { m.Fail = r.find("m3").id })
	r.forget()
	asks(r)
	r.want(r.sentTo(bus.TypeAuthAck) == "", "and from a replica too")
}

// CLUSTER FAILOVER: "The replica tells the master to stop processing queries from clients. The master replies to the
// replica with the current replication offset."
func TestHandOverOnTheMaster(t *testing.T) {
	p := newProbe(t, "m3", "m1 m2 m3 r3a r1a")
	p.hear("r1a", bus.TypeMFStart)
	p.want(!p.out.Change.Any(), "only a replica of mine may ask")
	p.hear("r3a", bus.TypeMFStart)
	pause := p.out.Change.Pause
	p.want(pause.Do == PauseStart && pause.Until == p.now+10000, "writes are paused for twice the time of the hand-over")
	p.tick(300)
	for _, s := range p.sent {
		p.want(s.msg.MFlags&bus.MFlagPaused == 0, "nothing is said before the pause stands")
	}
	p.forget()
	p.step(WritesPaused{Pause: pause.ID, Offset: 777})
	ping := p.last(bus.TypePing)
	p.want(ping.to == "r3a" && ping.in && ping.msg.Offset == 777 && ping.msg.MFlags&bus.MFlagPaused != 0, "then the offset, at once")
	p.forget()
	p.tick(100)
	ping = p.last(bus.TypePing)
	p.want(ping.to == "r3a" && ping.msg.Offset == 777 && ping.msg.MFlags&bus.MFlagPaused != 0, "and with every tick")
	for p.n.manual.end != 0 {
		p.live(100)
	}
	p.want(p.noted(ManualTimedOut) && p.out.Change.Pause.Do == PauseKeep, "after five seconds it is over")
	p.forget()
	p.step(WritesPaused{Pause: pause.ID, Offset: 888})
	p.want(len(p.sent) == 0, "a late report of the pause changes nothing")
}

// The pause ends when the hand-over does: given up, or done.
func TestPauseEnds(t *testing.T) {
	p := newProbe(t, "m3", "m1 m2 m3 r3a")
	p.hear("r3a", bus.TypeMFStart)
	ended := false
	for i := 0; i < 60 && !ended; i++ {
		p.now += 100
		p.step(Tick{})
		ended = p.out.Change.Pause.Do == PauseEnd
	}
	p.want(ended, "given up")
	q := newProbe(t, "m3", "m1 m2 m3 r3a")
	q.hear("r3a", bus.TypeMFStart)
	q.hear("r3a", bus.TypePong, func(m *bus.Msg) { m.SlaveOf, m.Flags, m.ConfigEpoch = nodeid.ID{}, bus.FlagMaster, 11 })
	q.want(q.n.me.isReplica() && q.out.Change.Pause.Do == PauseEnd && q.out.Change.Repl == ReplFollow, "done")
}

// "The replica waits for the replication offset to match on its side, to make sure it processed all the data from the
// master before it continues."
func TestHandOverOnTheReplica(t *testing.T) {
	p := newProbe(t, "r3a", "m1 m2 m3 r3a")
	p.want(p.step(Failover{}) == nil && p.sentTo(bus.TypeMFStart) == "m3", "MFSTART")
	p.hear("m3", bus.TypePing, func(m *bus.Msg) { m.Offset = 90 })
	_, waits := p.n.AwaitedOffset()
	p.want(!waits, "the master has not paused")
	paused := func(offset uint64) func(*bus.Msg) {
		return func(m *bus.Msg) { m.Offset, m.MFlags = offset, m.MFlags|bus.MFlagPaused }
	}
	p.hear("m2", bus.TypePing, paused(50))
	p.hear("m3", bus.TypePing, paused(100))
	p.hear("m3", bus.TypePing, paused(120))
	offset, waits := p.n.AwaitedOffset()
	p.want(waits && offset == 100, "the first offset of my master counts")
	p.step(ReplicationFacts{Offset: 99, LinkUp: true, LastIO: p.now})
	p.want(p.sentTo(bus.TypeAuthRequest) == "", "not yet")
	p.step(ReplicationFacts{Offset: 100, LinkUp: true, LastIO: p.now})
	p.want(p.last(bus.TypeAuthRequest).msg.MFlags&bus.MFlagForceAck != 0, "now, and masters may vote though the master is up")
}

// FORCE: "the replica does not perform any handshake with the master … but instead just starts a failover ASAP".
// TAKEOVER: "Generate a new configEpoch unilaterally"; "Assign itself all the hash slots of its master". Both whatever
// the age of the data and no-failover say.
func TestForceAndTakeover(t *testing.T) {
	old := func(c *Config) { c.ReplicaNoFailover = true }
	p := newProbe(t, "r3a", "m1 m2 m3 r3a", old)
	p.step(ReplicationFacts{})
	p.want(p.step(Failover{Mode: FailoverForce}) == nil && p.sentTo(bus.TypeMFStart) == "", "no talk")
	p.want(p.last(bus.TypeAuthRequest).msg.MFlags&bus.MFlagForceAck != 0, "but votes")
	q := newProbe(t, "r3a", "m1 m2 m3 r3a", old)
	q.step(ReplicationFacts{})
	q.want(q.step(Failover{Mode: FailoverTakeover}) == nil && q.n.me.isMaster() && q.n.me.configEpoch == 11, "no votes")
	q.want(q.sentTo(bus.TypePong) == "m1 m2 m3" && q.last(bus.TypePong).after == q.out.Save.Seq, "everybody is told")
}

// The refusals of CLUSTER FAILOVER.
func TestFailoverRefused(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.want(errors.Is(p.step(Failover{}), ErrFailoverMaster), "a master")
	r := newProbe(t, "r3a", "m1 m2 m3 r3a")
	r.step(LinkDown{Link: r.find("m3").outAs})
	r.want(errors.Is(r.step(Failover{}), ErrFailoverDown), "no link with the master")
	r.n.setMasterOf(r.n.me, nil)
	r.want(errors.Is(r.step(Failover{Mode: FailoverTakeover}), ErrFailoverUnknown), "an unknown master")
}

// Replica migration: "the acting replica is the replica among the masters with the maximum number of attached
// replicas, that is not in FAIL state and has the smallest node ID", and only above the barrier.
func TestReplicaMigration(t *testing.T) {
	moves := func(me, nodes string, options ...func(*Config)) bool {
		p := newProbe(t, me, nodes, options...)
		p.peer("m2").flags |= bus.FlagMigrateTo
		p.peer("m2").orphanedAt = 0
		p.live(5000)
		p.want(p.n.me.master == p.peer("m1"), "nobody moves within five seconds")
		p.live(500)
		return p.n.me.master == p.peer("m2")
	}
	const rich = "m1 m2 m3 r1a r1b r1c r3a"
	if !moves("r1a", rich) {
		t.Error("the lowest id does not move")
	}
	if moves("r1b", rich) {
		t.Error("another one moves")
	}
	if moves("r1a", rich, func(c *Config) { c.MigrationBarrier = 3 }) {
		t.Error("it moves in spite of the barrier")
	}
	if moves("r1a", rich, func(c *Config) { c.AllowReplicaMigration = false }) {
		t.Error("it moves although it must not")
	}
	if moves("r1a", "m1 m2 m3 r1a r3a") {
		t.Error("it moves although its master has no other")
	}
}

// CLUSTER FORGET: "The node ID of the removed node gets added to the ban-list, for 1 minute. The node will skip all the
// node IDs listed in the ban-list when processing gossip sections".
func TestForget(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 r1a")
	id := p.find("m3").id
	p.hear("m3", bus.TypePing)
	p.want(p.step(Forget{Node: id.String()}) == nil && p.n.lookup(id) == nil, "forgotten")
	p.want(len(p.out.HangUps) == 2 && p.n.ownerOf(16383) == nil, "with its links and its slots")
	p.forget()
	p.hear("m2", bus.TypePing, p.says("m3", bus.FlagMaster))
	p.want(p.n.lookup(id) == nil, "gossip does not bring it back")
	f := p.last(bus.TypePong).msg.Ext.Forgotten
	p.want(len(f) == 1 && f[0].Node == id && f[0].TTLSeconds == 60, "\"the ban-list is included in cluster gossip\"")
	p.live(59900)
	p.hear("m2", bus.TypePing, p.says("m3", bus.FlagMaster))
	p.want(p.n.lookup(id) == nil, "within its ban")
	p.live(200)
	p.hear("m2", bus.TypePing, p.says("m3", bus.FlagMaster))
	p.want(p.n.lookup(id) != nil && p.last(bus.TypePong).msg.Ext.Forgotten == nil, "and may after")
}

// "The specified node ID is not found in the nodes table." "The node receiving the command is a replica, and the
// specified node ID identifies its current master." "The node ID identifies the same node we are sending the command to."
func TestForgetRefused(t *testing.T) {
	p := newProbe(t, "r3a", "m1 m2 m3 r3a")
	err := p.step(Forget{Node: "nobody"})
	p.want(err != nil && err.Error() == "Unknown node nobody", "unknown")
	p.want(errors.Is(p.step(Forget{Node: p.find("m3").id.String()}), ErrForgetMaster), "my master")
	p.want(errors.Is(p.step(Forget{Node: p.find("r3a").id.String()}), ErrForgetMyself), "myself")
	p.want(p.step(Forget{Node: p.find("m1").id.String()}) == nil, "OK")
	p.want(p.step(Forget{Node: p.find("m1").id.String()}) == nil, "OK if it is banned already")
}

// A node that hears of the ban forgets too, but neither itself, nor its master, nor the one who says so.
func TestForgottenByGossip(t *testing.T) {
	p := newProbe(t, "r3a", "m1 m2 m3 r3a")
	p.hear("m2", bus.TypePong, func(m *bus.Msg) {
		for _, name := range []string{"m1", "m2", "m3", "r3a"} {
			m.Ext.Forgotten = append(m.Ext.Forgotten, bus.Forgotten{Node: p.find(name).id, TTLSeconds: 30})
		}
	})
	p.want(p.peer("m1") == nil && p.n.banned(p.find("m1").id), "m1 is forgotten")
	p.want(p.peer("m2") != nil && p.peer("m3") != nil && p.n.me != nil, "the others are not")
	p.hear("m2", bus.TypePong, func(m *bus.Msg) {
		m.Ext.Forgotten = []bus.Forgotten{{Node: nodeid.ID{66}, TTLSeconds: 1 << 63}}
	})
	p.want(!p.n.banned(nodeid.ID{66}), "a node that we do not know needs no ban")
}

// CLUSTER RESET: "this command does not work for masters if they hold one or more keys".
func TestResetRefused(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.want(errors.Is(p.step(Reset{HasKeys: true}), ErrResetKeys) && len(p.n.order) == 3, "refused")
}

// "All the other nodes in the cluster are forgotten." "All the assigned / open slots are reset". "Hard reset only: a new
// Node ID is generated." "Hard reset only: currentEpoch and configEpoch vars are set to 0." "The new configuration is
// persisted on disk".
func TestReset(t *testing.T) {
	for _, hard := range []bool{false, true} {
		p := newProbe(t, "m1", "m1 m2 m3 r1a")
		p.want(p.step(SetSlot{Slot: 0, Action: SlotMigrating, Node: p.find("m2").id.String()}) == nil, "OK")
		p.want(p.step(Forget{Node: p.find("m3").id.String()}) == nil, "OK")
		p.n.lastVoteEpoch = 7
		p.hear("m2", bus.TypePing)
		shard := p.n.me.shard
		p.want(p.step(Reset{Hard: hard}) == nil, "OK")
		p.want(len(p.n.order) == 1 && p.n.byID.used == 1 && len(p.out.HangUps) == 3, "nobody else, no links")
		p.want(p.n.me.slots == 0 && p.n.ownerOf(9000) == nil && p.n.open == nil, "no slots")
		p.want(p.n.state == bus.StateFail && p.out.Save.Fsync && p.out.Change.View && !p.out.Change.Flush, "saved, and down")
		p.want(!p.n.forgotten(p.find("m3").id), "the bans are forgotten too")
		kept := p.n.me.id == p.find("m1").id && p.n.me.shard == shard && p.n.me.configEpoch == 1 && p.n.currentEpoch == 10 && p.n.lastVoteEpoch == 7
		fresh := p.n.me.id != p.find("m1").id && p.n.me.shard != shard && p.n.me.configEpoch|p.n.currentEpoch|p.n.lastVoteEpoch == 0
		p.want(kept == !hard && fresh == hard, "ids and epochs are kept by soft, new by hard")
		p.want(p.n.lookup(p.n.me.id) == p.n.me, "the table knows the id")
	}
}

// "If the node is a replica it is turned into an (empty) master. Its dataset is flushed".
func TestResetOfAReplica(t *testing.T) {
	p := newProbe(t, "r1a", "m1 m2 m3 r1a")
	p.want(p.step(Reset{HasKeys: true}) == nil && p.n.me.isMaster() && p.n.me.master == nil, "a master")
	p.want(p.out.Change.Flush && p.out.Change.Repl == ReplPromote, "without data, following nobody")
	p.want(p.n.me.shard == (nodeid.ID{101}), "soft: still in its former master's shard")
}

// RESET bans for 60 s, against gossip only, the ids that it dropped (where we differ from redis).
func TestResetBans(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.want(p.step(Reset{}) == nil, "OK")
	p.want(p.n.banned(p.find("m2").id) && p.n.banned(p.find("m3").id), "banned")
	err := p.step(Forget{Node: p.find("m2").id.String()})
	p.want(err != nil, "but not forgotten by order")
	strangerSays(p, bus.TypePing)
	p.want(p.last(bus.TypePong).msg.Ext.Forgotten == nil, "and told to nobody")
	strangerSays(p, bus.TypeMeet)
	p.want(!p.n.banned(p.find("m2").id) && p.noted(BansLifted), "a MEET lifts the bans")
	p.want(p.step(Reset{}) == nil, "OK")
	q := newProbe(t, "m1", "m1 m2 m3")
	q.want(q.step(Reset{}) == nil && q.step(Meet{IP: stranger, Port: 1, BusPort: 2}) == nil, "OK")
	q.want(!q.n.banned(q.find("m2").id), "and so does CLUSTER MEET")
	r := newProbe(t, "m1", "m1 m2 m3")
	r.want(r.step(Reset{}) == nil, "OK")
	r.live(60100)
	r.want(!r.n.banned(r.find("m2").id), "and a minute")
}

// Wrong id on an outbound link: the node gets no address, is not dialled and not gossiped about, until it pings us, or
// gossip has an address for it.
func TestSomebodyElseAnswers(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.receive("m3", p.find("m2").outAs, bus.TypePong)
	m2 := p.peer("m2")
	p.want(m2.noAddr() && m2.ip == "" && m2.out == 0 && len(p.out.HangUps) == 1, "no address")
	p.tick(200)
	p.want(len(p.out.Dials) == 0, "no dial")
	p.hear("m2", bus.TypePing)
	p.want(!m2.noAddr() && m2.ip == "10.1.0.2", "a PING tells its address")
	p.tick(100)
	p.want(len(p.out.Dials) == 1, "and it is dialled")
}

// An address changes by a PING over another link than our own; then our link is renewed, and replication is
// re-pointed if it is our master's. Gossip tells a new address only of nodes that we do not reach.
func TestAddressChange(t *testing.T) {
	p := newProbe(t, "r3a", "m1 m2 m3 r3a")
	moved := func(m *bus.Msg) { m.MyIP, m.Port = "10.1.0.33", 7777 }
	p.answer("m3", moved)
	p.hear("m3", bus.TypePong, moved)
	p.want(p.peer("m3").ip == "10.1.0.3", "not by a PONG")
	p.hear("m3", bus.TypePing, moved)
	p.want(p.peer("m3").ip == "10.1.0.33" && p.peer("m3").port == 7777 && p.peer("m3").out == 0, "by a PING")
	p.want(p.out.Change.Repl == ReplFollow && p.out.Change.Follow == Source{p.find("m3").id, "10.1.0.33", 7777}, "replication follows")
	elsewhere := func(m *bus.Msg) {
		p.says("m2", bus.FlagMaster)(m)
		m.Gossip[0].IP = "10.1.0.22"
	}
	p.hear("m1", bus.TypePing, elsewhere)
	p.want(p.peer("m2").ip == "10.1.0.2", "gossip about a node that we reach")
	p.suspect("m2")
	p.hear("m1", bus.TypePing, elsewhere)
	p.want(p.peer("m2").ip == "10.1.0.22" && len(p.out.HangUps) == 1, "and about one that we do not")
}

// The first packet of a node binds its link; a second link from the same node replaces the first.
func TestSecondInboundLink(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.hear("m2", bus.TypePing)
	p.step(LinkUp{Link: 50})
	p.receive("m2", 50, bus.TypePing)
	p.want(len(p.out.HangUps) == 1 && p.out.HangUps[0] == p.find("m2").in && p.peer("m2").in == 50, "the first is closed")
}

// Names and shard ids travel in extensions; an absent name is no name, an absent shard id the master's.
func TestExtensions(t *testing.T) {
	p := newProbe(t, "r3a", "m1 m2 m3 r3a", func(c *Config) { c.Hostname, c.Nodename = "me.example", "me" })
	p.hear("m3", bus.TypePing, func(m *bus.Msg) { m.Ext.Hostname, m.Ext.Nodename = "m3.example", "third" })
	p.want(p.peer("m3").hostname == "m3.example" && p.peer("m3").nodename == "third", "names")
	ext := p.last(bus.TypePong).msg.Ext
	p.want(ext.Hostname == "me.example" && ext.Nodename == "me" && ext.ShardID == p.n.me.shard, "ours")
	p.hear("m3", bus.TypePing, func(m *bus.Msg) { m.Ext.ShardID = nodeid.ID{123} })
	p.want(p.peer("m3").hostname == "" && p.peer("m3").nodename == "", "gone")
	p.want(p.peer("m3").shard == nodeid.ID{123} && p.n.me.shard == nodeid.ID{123}, "a replica follows its master's shard")
	p.forget()
	p.hear("m2", bus.TypePing, func(m *bus.Msg) { m.Ext.ShardID, m.MFlags = nodeid.ID{}, 0 })
	ext = p.last(bus.TypePong).msg.Ext
	p.hear("m2", bus.TypePing, func(m *bus.Msg) { m.Ext.ShardID, m.MFlags = nodeid.ID{}, 0 })
	ext = p.last(bus.TypePong).msg.Ext
	p.want(ext.Hostname == "me.example" && ext.Nodename == "" && ext.ShardID.IsZero(), "a Redis 7.0 gets the host name only")
}

// The cluster is down if a slot has no owner, if an owner has failed, and among a minority; a suspicion alone does not
// matter, and neither does coverage if it is not asked for.
func TestState(t *testing.T) {
	down := func(me string, prepare func(*probe), options ...func(*Config)) bool {
		p := newProbe(t, me, "m1 m2 m3 r1a", options...)
		p.want(p.n.state == bus.StateOK, "up")
		prepare(p)
		return p.n.state == bus.StateFail
	}
	noCoverage := func(c *Config) { c.RequireFullCoverage = false }
	orphan := func(p *probe) { p.want(p.step(DelSlots{Slots: []int64{5}}) == nil, "OK") }
	failed := func(p *probe) { p.hear("m2", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m3").id }) }
	suspected := func(p *probe) { p.suspect("m3") }
	minority := func(p *probe) {
		p.live(4000, "m2", "m3")
		p.want(p.peer("m2").suspected() && p.peer("m3").suspected(), "two of three are suspected")
	}
	for _, me := range []string{"m1", "r1a"} {
		if !down(me, orphan) || down(me, orphan, noCoverage) {
			t.Error("a slot without an owner")
		}
		if !down(me, failed) || down(me, failed, noCoverage) {
			t.Error("a failed owner")
		}
		if down(me, suspected) {
			t.Error("a suspected owner")
		}
		if !down(me, minority) || !down(me, minority, noCoverage) {
			t.Error("a minority")
		}
	}
}

// After a minority a master waits for clamp(node timeout, 500, 5000) ms; a replica does not.
func TestRejoinDelay(t *testing.T) {
	for me, delay := range map[string]Millis{"m1": 2000, "r1a": 0} {
		p := newProbe(t, me, "m1 m2 m3 r1a")
		p.live(4000, "m2", "m3")
		p.want(p.n.state == bus.StateFail, "down")
		for _, name := range []string{"m2", "m3"} {
			p.step(LinkUp{Link: p.find(name).outAs})
			p.answer(name)
		}
		start := p.now
		for p.n.state != bus.StateOK && p.now < start+9000 {
			p.live(100)
		}
		p.want(p.now-start >= delay-200 && p.now-start <= delay+200, me+" is back in time")
	}
}

// ADDSLOTS, SETSLOT and the rest change no epoch but for the end of an import; a BUMPEPOCH tells what it did.
func TestEpochsOfTheAdministrator(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.want(p.step(DelSlots{Slots: []int64{5}}) == nil && p.step(AddSlots{Slots: []int64{5}}) == nil, "OK")
	p.want(p.n.me.configEpoch == 1 && p.sentTo(bus.TypePong) == "", "no epoch, no broadcast")
	p.want(p.step(SetSlot{Slot: 16383, Action: SlotImporting, Node: p.find("m3").id.String()}) == nil, "OK")
	p.want(p.step(SetSlot{Slot: 16383, Action: SlotNode, Node: p.find("m1").id.String()}) == nil, "OK")
	p.want(p.n.me.configEpoch == 11 && p.sentTo(bus.TypePong) == "m2 m3" && p.last(bus.TypePong).after != 0, "a new one, told to all")
	p.want(p.step(BumpEpoch{}) == nil && p.out.Reply == "STILL 11", "STILL")
	p.hear("m2", bus.TypePing, func(m *bus.Msg) { m.CurrentEpoch = 15 })
	p.want(p.step(BumpEpoch{}) == nil && p.out.Reply == "BUMPED 16", "BUMPED")
}

// SETSLOT NODE: a master that gives its last slot away becomes a replica of the one who has it, at once, if replica
// migration is allowed. The migrating mark goes only when no keys are left.
func TestLastSlotGivenAway(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	for s := uint16(1); s < 5461; s++ {
		p.n.unbind(s)
	}
	m2 := p.find("m2").id.String()
	p.want(p.step(SetSlot{Slot: 0, Action: SlotMigrating, Node: m2}) == nil, "OK")
	err := p.step(SetSlot{Slot: 0, Action: SlotNode, Node: m2, KeysInSlot: 1})
	p.want(err != nil && len(p.n.open) == 1 && p.n.me.slots == 1, "not with keys")
	p.want(p.step(SetSlot{Slot: 0, Action: SlotNode, Node: p.find("m1").id.String(), KeysInSlot: 1}) == nil && len(p.n.open) == 1, "mine already")
	p.want(p.step(SetSlot{Slot: 0, Action: SlotNode, Node: m2}) == nil && p.n.open == nil, "OK")
	p.want(p.n.me.master == p.peer("m2") && p.out.Change.Repl == ReplFollow, "a replica")
}

// CLUSTER REPLICATE and its refusals.
func TestReplicate(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 r3a")
	replicate := func(node string, keys bool) error { return p.step(Replicate{Node: node, HasKeys: keys}) }
	m2 := p.find("m2").id.String()
	p.want(replicate("nobody", false).Error() == "Unknown node nobody", "unknown")
	p.want(errors.Is(replicate(p.find("m1").id.String(), false), ErrReplicateMyself), "myself")
	p.want(errors.Is(replicate(p.find("r3a").id.String(), false), ErrReplicaOfSlave), "a replica")
	p.want(errors.Is(replicate(m2, false), ErrNotEmpty), "with slots")
	p.want(p.step(FlushSlots{}) == nil && errors.Is(replicate(m2, true), ErrNotEmpty), "with keys")
	p.want(replicate(m2, false) == nil && p.n.me.master == p.peer("m2") && p.n.me.shard == p.peer("m2").shard, "OK")
	p.want(p.out.Change.Follow == Source{p.find("m2").id, "10.1.0.2", 7000}, "and the source")
	p.want(replicate(p.find("m3").id.String(), true) == nil && p.n.me.master == p.peer("m3"), "a replica may change its master")
}

// At start: "keys in an unassigned slot: slot taken; in another's slot: set importing".
func TestKeysFoundAtStart(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.n.unbind(16382)
	found := new(slot.Set)
	for _, s := range []uint16{0, 16382, 16383} {
		found.Add(s)
	}
	p.step(KeysFound{Slots: found})
	p.want(p.n.ownerOf(16382) == p.n.me && p.noted(SlotTaken), "taken")
	p.want(len(p.n.open) == 1 && p.n.openFor(16383, true).peer == p.peer("m3") && p.noted(SlotSetImporting), "importing")
}

// What was saved comes back: ids, epochs, slots, marks; pings are dated anew; a replica has no epoch of its own.
func TestRestart(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 r1a r3a")
	p.want(p.step(SetSlot{Slot: 0, Action: SlotMigrating, Node: p.find("m2").id.String()}) == nil, "OK")
	p.want(p.step(Meet{IP: stranger, Port: 1, BusPort: 2}) == nil, "OK")
	p.fail("m3", "m2")
	p.n.lastVoteEpoch = 9
	state, seq := p.n.State()
	p.want(seq == p.n.lastSave && len(state.Nodes) == 5, "without the node in handshake")
	n := New(p.n.cfg, state, p.n.rnd)
	var out Effects
	if err := n.Step(p.now+5000, Tick{}, &out); err != nil {
		t.Fatal(err)
	}
	again, _ := n.State()
	p.want(*again.Owners == *state.Owners && again.LastVoteEpoch == 9 && again.CurrentEpoch == state.CurrentEpoch, "slots and epochs")
	p.want(len(again.Open) == 1 && again.Open[0] == state.Open[0], "marks")
	for i := range state.Nodes {
		a, b := state.Nodes[i], again.Nodes[i]
		p.want(a.ID == b.ID && a.ShardID == b.ShardID && a.Master == b.Master && a.IP == b.IP, "node "+a.ID.String())
	}
	p.want(n.lookup(p.find("m2").id).configEpoch == 2 && n.lookup(p.find("r3a").id).configEpoch == 0, "config epochs")
	m3 := n.lookup(p.find("m3").id)
	p.want(m3.failed() && m3.failedAt == p.now+5000 && m3.pingSent == p.now+5000, "times are those of the start")
	p.want(n.me.createdAt == p.now+5000 && len(out.Dials) == 4, "and it dials everybody")
	broken := state
	broken.CurrentEpoch = 0
	p.want(New(p.n.cfg, broken, p.n.rnd).currentEpoch == 3, "the current epoch is at least the greatest config epoch")
	var empty topology.Saved
	p.want(!New(p.n.cfg, empty, p.n.rnd).me.id.IsZero(), "nothing saved: a new id")
}

// CONFIG SET: names and the no-failover flag are saved; an announced address is used from the next header on.
func TestConfigChanges(t *testing.T) {
	p := newProbe(t, "r3a", "m1 m2 m3 r3a")
	cfg := p.n.cfg
	cfg.AnnounceIP, cfg.Port = "192.0.2.1", 9000
	p.step(ConfigChanged{Config: cfg})
	p.want(p.out.Save.Seq == 0 && p.n.me.ip == "192.0.2.1", "no save")
	p.hear("m1", bus.TypePing)
	m := p.last(bus.TypePong).msg
	p.want(m.MyIP == "192.0.2.1" && m.Port == 9000, "in the next header")
	cfg.Nodename = "me"
	p.step(ConfigChanged{Config: cfg})
	p.want(p.out.Save.Seq != 0, "a name is saved")
	cfg.ReplicaNoFailover = true
	p.step(ConfigChanged{Config: cfg})
	p.want(p.out.Save.Seq != 0, "the flag too")
	p.save()
	p.hear("m1", bus.TypePing)
	p.want(p.last(bus.TypePong).msg.Flags.Has(bus.FlagNoFailover), "and told")
	cfg.AnnounceIP = ""
	p.step(ConfigChanged{Config: cfg})
	p.want(p.n.me.ip == "", "found out anew")
}

// A replica without the address of its master waits for it.
func TestFollowingNeedsAnAddress(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.receive("m3", p.find("m2").outAs, bus.TypePong)
	p.want(p.step(FlushSlots{}) == nil && p.step(Replicate{Node: p.find("m2").id.String()}) == nil, "OK")
	p.want(p.out.Change.Repl == ReplFollow && p.out.Change.Follow.Host == "", "a replica, of nobody that can be reached")
	p.hear("m2", bus.TypePing)
	p.want(p.out.Change.Repl == ReplFollow && p.out.Change.Follow.Host == "10.1.0.2", "until the master tells where it is")
}

// A link that is closed because its send buffer is too large counts.
func TestLinkOverLimit(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.step(LinkDown{Link: p.find("m2").outAs, OverLimit: true, BufferLen: 5000})
	p.want(p.noted(LinkOverLimit) && p.n.Snapshot(nil).LinksBufferLimitExceeded == 1, "counted")
	p.tick(100)
	p.want(len(p.out.Dials) == 1, "and dialled again")
}

// Messages are counted by type, sent and received.
func TestCounters(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	before := p.n.Snapshot(nil)
	p.hear("m2", bus.TypePing)
	p.hear("m2", bus.TypeFail)
	after := p.n.Snapshot(nil)
	p.want(after.Received[bus.TypePing] == before.Received[bus.TypePing]+1, "received")
	p.want(after.Received[bus.TypeFail] == before.Received[bus.TypeFail]+1, "whatever it says")
	p.want(after.Sent[bus.TypePong] == before.Sent[bus.TypePong]+1, "sent")
	msg := bus.Msg{Type: bus.TypePublish}
	links := p.n.PublishLinks(nil, false)
	p.n.Stamp(&msg, len(links))
	p.want(len(links) == 2 && msg.Sender == p.n.me.id && p.n.Snapshot(nil).Sent[bus.TypePublish] == 2, "and what the driver publishes")
	p.want(len(p.n.PublishLinks(nil, true)) == 0, "to our shard: nobody")
}

// A node that refuses our dials is dialled less often, up to ten times in a node timeout, until it gives a sign of life
// (where we differ from redis).
func TestRedialsPause(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	p.n.cfg.NodeTimeout = 15000
	p.step(LinkDown{Link: p.peer("m2").out})
	refused := func(rounds int) (dials int) {
		for range rounds {
			p.now += 100
			p.step(Tick{})
			for _, d := range p.out.Dials {
				if d.Node == p.find("m2").id {
					dials++
				}
			}
			if l := p.peer("m2").out; l != 0 {
				p.step(LinkDown{Link: l})
			}
		}
		return dials
	}
	p.want(refused(20) >= 4, "often in the beginning")
	got := refused(100)
	p.want(got >= 9 && got <= 11, "once a second in the end")
	p.hear("m2", bus.TypePing)
	p.want(refused(2) == 2, "at once after a packet from it")
}
