package core

import (
	"testing"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
)

func at(offset uint64) func(*bus.Msg)          { return func(m *bus.Msg) { m.Offset = offset } }
func forced(m *bus.Msg)                        { m.MFlags |= bus.MFlagForceAck }
func refuses(why bus.Refusal) func(m *bus.Msg) { return func(m *bus.Msg) { m.Refusal = why } }
func (p *probe) facts(offset int64, linkUp bool) {
	p.step(ReplicationFacts{Offset: offset, LinkUp: linkUp, LastIO: p.now, DownSince: p.now})
}

// A voter refuses a candidate while it reaches a sibling with more data that may stand, unless an administrator
// wants that candidate. It says so to the candidate (where we differ from redis).
func TestNoVoteForLessData(t *testing.T) {
	p := voter(t)
	p.hear("r3b", bus.TypePing, at(101))
	p.forget()
	asks(p, at(100))
	p.want(p.noted(VoteDenied) && p.sentTo(bus.TypeAuthAck) == "", "refused")
	pong := p.last(bus.TypePong)
	p.want(pong.to == "r3a" && pong.msg.Refusal == bus.RefusalLessData, "and told why")
	p.forget()
	asks(p, at(100), forced)
	p.want(p.sentTo(bus.TypeAuthAck) == "r3a", "but not against an administrator")

	for name, change := range map[string]func(*probe){
		"equal":      func(p *probe) { p.peer("r3b").replOffset = 100 },
		"failed":     func(p *probe) { p.peer("r3b").flags |= bus.FlagFail },
		"suspected":  func(p *probe) { p.peer("r3b").flags |= bus.FlagPFail },
		"cut off":    func(p *probe) { p.step(LinkDown{Link: p.find("r3b").outAs}) },
		"not to run": func(p *probe) { p.peer("r3b").flags |= bus.FlagNoFailover },
	} {
		p := voter(t)
		p.hear("r3b", bus.TypePing, at(101))
		change(p)
		asks(p, at(100))
		if p.sentTo(bus.TypeAuthAck) != "r3a" {
			t.Errorf("a sibling that is %s stands in the way", name)
		}
	}
}

// A replica does not stand while it reaches a sibling with more data; its time does not run out meanwhile.
func TestNoCandidateWithLessData(t *testing.T) {
	p := newProbe(t, "r3a", "m1 m2 m3 r3a r3b")
	p.facts(100, true)
	p.hear("r3b", bus.TypePing, at(101))
	p.hear("m1", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m3").id })
	p.hear("r3b", bus.TypePing, at(101), p.says("m3", bus.FlagMaster|bus.FlagFail))
	p.find("r3b").msg.Offset = 101
	p.live(20000, "m3")
	p.want(p.sentTo(bus.TypeAuthRequest) == "" && p.noted(CannotFailover), "it waits, and says so")
	p.live(4000, "m3", "r3b")
	p.want(p.sentTo(bus.TypeAuthRequest) != "", "but not for one that cannot be reached any more")
}

// A voter that refuses because somebody owns a slot under a greater epoch tells the candidate about him.
func TestRefusalBringsUpdate(t *testing.T) {
	p := voter(t)
	p.hear("m2", bus.TypePing, claims(p, "m2", 9, 16383))
	p.forget()
	asks(p)
	update := p.last(bus.TypeUpdate)
	p.want(update.to == "r3a" && update.msg.Update.Node == p.find("m2").id && update.msg.Update.ConfigEpoch == 9, "an UPDATE")
	p.want(p.last(bus.TypePong).msg.Refusal == bus.RefusalOldSlots, "and the reason")
}

// Every refusal is told.
func TestRefusalsAreTold(t *testing.T) {
	told := func(why bus.Refusal, prepare func(*probe), change ...func(*bus.Msg)) {
		t.Helper()
		p := voter(t)
		if prepare != nil {
			prepare(p)
		}
		p.forget()
		asks(p, change...)
		p.want(p.last(bus.TypePong).msg.Refusal == why && p.peer("r3a").denied == why, why.String())
		p.want(p.last(bus.TypePong).msg.CurrentEpoch == p.n.currentEpoch, "with the epoch that it is about")
	}
	told(bus.RefusalOldEpoch, nil, epoch(9))
	told(bus.RefusalVoted, func(p *probe) { p.hear("r3b", bus.TypeAuthRequest, epoch(11)) }, epoch(11))
	told(bus.RefusalNotReplica, func(p *probe) { p.n.turnMaster(p.peer("r3a")) })
	told(bus.RefusalUnknownMaster, func(p *probe) { p.n.setMasterOf(p.peer("r3a"), nil) })
	told(bus.RefusalMasterUp, func(p *probe) { p.peer("m3").flags &^= bus.FlagFail })
}

// An election that so many voters refused that no majority is left is over, and the next begins soon, in a new epoch.
func TestLostElection(t *testing.T) {
	p := candidate(t) // r3a: m3 has failed, m1 m2 m4 m5 may vote, three are needed
	p.hear("m1", bus.TypePong, epoch(11), refuses(bus.RefusalVoted))
	p.hear("m1", bus.TypePong, epoch(11), refuses(bus.RefusalVoted))
	p.hear("r4a", bus.TypePong, epoch(11), refuses(bus.RefusalVoted))
	p.want(p.n.election.sent && len(p.n.election.refused) == 1, "one of four, counted once; a replica's word is nothing")
	p.hear("m2", bus.TypePong, epoch(10), refuses(bus.RefusalVoted))
	p.hear("m2", bus.TypePong, epoch(11), refuses(bus.RefusalOldEpoch))
	p.want(p.n.election.sent, "words about an older election")
	p.hear("m2", bus.TypePong, epoch(12), refuses(bus.RefusalOldEpoch))
	p.want(!p.n.election.sent && p.noted(ElectionLost), "two of four")
	p.hear("m4", bus.TypeAuthAck, epoch(12))
	p.hear("m5", bus.TypeAuthAck, epoch(12))
	p.want(len(p.n.election.voters) == 0 && p.n.me.isReplica(), "its votes are worth nothing any more")
	p.forget()
	p.live(200, "m3")
	p.want(p.sentTo(bus.TypeAuthRequest) == "m1 m2 m3 m4 m5 r4a" && p.n.election.epoch == 13, "the next, in its own epoch")
	p.hear("m1", bus.TypePong, epoch(13), refuses(bus.RefusalMasterUp))
	p.hear("m2", bus.TypePong, epoch(13), refuses(bus.RefusalMasterUp))
	p.forget()
	p.live(400, "m3")
	p.want(p.sentTo(bus.TypeAuthRequest) == "", "when the voters have better reasons it takes longer")
	p.live(800, "m3")
	p.want(p.sentTo(bus.TypeAuthRequest) != "", "but not for ever")
}

// Who did not answer is noted when the time of an election is over.
func TestMissingVotes(t *testing.T) {
	p := candidate(t)
	p.hear("m1", bus.TypeAuthAck, epoch(11))
	p.hear("m2", bus.TypePong, epoch(11), refuses(bus.RefusalMasterUp))
	p.live(5000, "m3", "m4")
	missing := map[nodeid.ID]string{}
	for _, r := range p.log {
		if r.What == VoteMissing && r.A == 11 {
			missing[r.Node] = r.Detail
		}
	}
	p.want(len(missing) == 3 && missing[p.find("m3").id] == "it has failed" && missing[p.find("m5").id] == "it did not answer" &&
		missing[p.find("m4").id] == "it did not answer", "each with a reason")
}

// A packet from before a node became a master that comes late, by the other link, does not take its slots away. (The
// replica answers a PING while its promotion is being saved; its news is on the other link, and quicker.)
func TestLatePacketOfANewMaster(t *testing.T) {
	promoted := func(p *probe) func(*bus.Msg) {
		return func(m *bus.Msg) { m.SlaveOf, m.Flags, m.ConfigEpoch = nodeid.ID{}, bus.FlagMaster|bus.FlagMyself, 11 }
	}
	p := newProbe(t, "m1", "m1 m2 m3 r3a")
	p.hear("r3a", bus.TypePong, promoted(p))
	p.want(p.n.ownerOf(16383) == p.peer("r3a"), "promoted")
	p.answer("r3a")
	p.want(p.n.ownerOf(16383) == p.peer("r3a") && p.peer("r3a").isMaster(), "the late packet is ignored")
	p.now += 1000
	p.answer("r3a")
	p.want(p.peer("r3a").isReplica(), "a second later it is no late packet")

	q := newProbe(t, "m1", "m1 m2 m3 r3a")
	q.hear("r3a", bus.TypePong, promoted(q))
	q.answer("r3a", func(m *bus.Msg) { m.SlaveOf, m.ConfigEpoch = q.find("m2").id, 12 })
	q.want(q.peer("r3a").master == q.peer("m2"), "whose master has a greater epoch became a replica since")
}

// The offset of a master that others replaced, or of a replica that came from another shard, means nothing until it is
// in step with its master.
func TestStaleData(t *testing.T) {
	p := newProbe(t, "m3", "m1 m2 m3 r3a r3b")
	p.facts(500, false)
	p.hear("r3a", bus.TypePong, func(m *bus.Msg) {
		m.SlaveOf, m.Flags, m.ConfigEpoch = nodeid.ID{}, bus.FlagMaster|bus.FlagMyself, 11
		m.Slots = p.find("m3").msg.Slots
	})
	p.want(p.n.me.isReplica() && p.out.Change.Demoted, "replaced")
	p.facts(500, false)
	p.save()
	p.hear("m1", bus.TypePing)
	p.want(p.last(bus.TypePong).msg.Offset == 0, "what it has is not its master's")
	p.facts(300, true)
	p.hear("m1", bus.TypePing)
	p.want(p.last(bus.TypePong).msg.Offset == 300, "until it is in step")

	q := newProbe(t, "r3a", "m1 m2 m3 r3a")
	q.facts(500, true)
	q.step(Replicate{Node: q.find("m2").id.String()})
	q.facts(500, false)
	q.save()
	q.hear("m1", bus.TypePing)
	q.want(q.last(bus.TypePong).msg.Offset == 0, "data of another shard")
	q.step(ReplicationFacts{Offset: 700, InStep: true, DownSince: q.now})
	q.hear("m1", bus.TypePing)
	q.want(q.last(bus.TypePong).msg.Offset == 700, "it was in step between two looks, before its master died")
}

// What only the old master has is counted when it steps down: to what its replica told or acknowledged. Slots that were
// given away one by one took their keys with them.
func TestDroppedWrites(t *testing.T) {
	dropped := func(told uint64, acked int64) (uint64, bool) {
		p := newProbe(t, "m3", "m1 m2 m3 r3a")
		p.facts(500, false)
		p.hear("r3a", bus.TypePing, at(told))
		p.hear("r3a", bus.TypePong, at(900), func(m *bus.Msg) {
			m.SlaveOf, m.Flags, m.ConfigEpoch = nodeid.ID{}, bus.FlagMaster|bus.FlagMyself, 11
			m.Slots = p.find("m3").msg.Slots
		})
		p.want(p.out.Change.Kept == int64(told), "what the new master has")
		p.step(Demoted{Offset: 512, Acked: acked})
		for _, r := range p.log {
			if r.What == WritesDropped {
				return r.C, true
			}
		}
		return 0, p.noted(StepsDown)
	}
	for _, c := range []struct {
		told  uint64
		acked int64
		want  uint64
	}{{500, 490, 12}, {480, 490, 22}, {512, 0, 0}, {0, 600, 0}} {
		if got, noted := dropped(c.told, c.acked); got != c.want || !noted {
			t.Errorf("told %d, acknowledged %d: %d dropped, noted %v", c.told, c.acked, got, noted)
		}
	}
	p := newProbe(t, "m3", "m1 m2 m3")
	p.facts(500, false)
	p.hear("m1", bus.TypePing, func(m *bus.Msg) {
		all := new(slot.Set)
		all.Union(m.Slots)
		all.Union(p.find("m3").msg.Slots)
		m.Slots, m.ConfigEpoch = all, 11
	})
	p.want(p.n.me.isReplica() && p.out.Change.Demoted && p.out.Change.Kept == -1, "given away")
	p.step(Demoted{Offset: 500})
	p.want(!p.noted(WritesDropped), "nothing is dropped")
}

// A link that breaks starts the time after which its peer is suspected.
func TestBrokenLinkStartsTheClock(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3")
	for p.peer("m3").pingSent != 0 {
		p.live(100)
	}
	p.step(LinkDown{Link: p.find("m3").outAs})
	p.tick(2000)
	p.want(!p.peer("m3").suspected(), "not before the node timeout")
	p.tick(200)
	p.want(p.peer("m3").suspected(), "right behind it")
}

// tell logs what happened last.
func tell(w *miniNet) {
	for _, m := range w.nodes {
		for _, r := range m.history {
			if r.At > w.now-5200 {
				w.t.Log(m.name, r.At%100000, r.Text(), r.Detail)
			}
		}
	}
}

// Twenty manual failovers of a shard, each as soon as the node is a replica, all succeed; so do three of different shards
// at the same moment, which want the same epoch.
func TestBackToBackFailovers(t *testing.T) {
	for seed := range uint64(2) {
		w := newCluster(t, seed, 3, 6)
		w.saveTime = func() Millis { return 1 + Millis(w.rnd.Int64N(20)) }
		w.delay = func() Millis { return 1 + Millis(w.rnd.Int64N(3)) }
		shard := []*miniNode{w.node("m1"), w.node("r1"), w.node("r4")}
		for i := range 20 {
			next := shard[(i+1)%3]
			if !w.runUntil(5000, func() bool { return next.core.me.isReplica() && next.step(Failover{}) == nil }) {
				t.Fatalf("seed %d, %d: %s cannot be asked", seed, i, next.name)
			}
			if !w.runUntil(manualTime, next.core.me.isMaster) {
				tell(w)
				t.Fatalf("seed %d, %d: %s does not take over", seed, i, next.name)
			}
		}
		w.settle(20_000)
		for range 5 {
			var next []*miniNode // a replica of each master
			asked := map[nodeid.ID]bool{}
			for _, m := range w.nodes {
				if master := m.core.me.master; master != nil && !asked[master.id] {
					asked[master.id] = true
					next = append(next, m)
				}
			}
			for _, m := range next {
				w.must(m, Failover{})
			}
			done := func() bool {
				for _, m := range next {
					if !m.core.me.isMaster() {
						return false
					}
				}
				return true
			}
			if len(next) != 3 || !w.runUntil(manualTime, done) {
				tell(w)
				t.Fatalf("seed %d: three at once do not succeed, %d", seed, len(next))
			}
			w.settle(20_000)
		}
	}
}

// A replica that never got anything from a master that had data does not stand (valkey#4317): it would drop the data
// that the master still has on its disk. An administrator may want it all the same.
func TestNoCandidateWithoutData(t *testing.T) {
	p := newProbe(t, "r3a", "m1 m2 m3 r3a")
	p.facts(0, false)
	p.hear("m3", bus.TypePing, at(500))
	p.hear("m1", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m3").id })
	p.live(20000, "m3")
	p.want(p.sentTo(bus.TypeAuthRequest) == "" && p.noted(CannotFailover), "it waits, and says so")
	p.step(Failover{Mode: FailoverForce})
	p.want(p.sentTo(bus.TypeAuthRequest) != "", "an administrator may want it")
}

// The same when the master had no log, because it never had a replica: its offset says nothing about its data.
func TestNoCandidateWithAnothersData(t *testing.T) {
	p := newProbe(t, "r3a", "m1 m2 m3 r3a")
	p.step(ReplicationFacts{Hollow: true, DownSince: p.now})
	p.hear("m3", bus.TypePing, at(0))
	p.hear("m1", bus.TypeFail, func(m *bus.Msg) { m.Fail = p.find("m3").id })
	p.live(20000, "m3")
	p.want(p.sentTo(bus.TypeAuthRequest) == "" && p.noted(CannotFailover), "it waits, and says so")
}
