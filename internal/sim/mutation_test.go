package sim

import (
	"slices"
	"testing"

	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
)

// A rule that nothing can break proves nothing. Each test here makes a node or its world go wrong in one way, and the watch
// must say which rule that breaks.
func TestEachRuleCanBreak(t *testing.T) {
	for _, c := range []struct {
		rule   string
		script string
		crime  func(w *World)
	}{
		{ruleOneVote, "cluster masters=5 replicas=1\nat 1s: kill m1", func(w *World) {
			w.hooks.effects = func(s *server, out *core.Effects) { // a vote goes to two candidates
				for _, x := range slices.Clone(out.Sends) {
					if x.Msg.Type == bus.TypeAuthAck {
						for _, l := range s.outLinks {
							if l != nil && l.names[0] != x.Link {
								out.Sends = append(out.Sends, core.Send{Link: l.names[0], Msg: x.Msg, After: x.After})
								return
							}
						}
					}
				}
			}
		}},
		{ruleMajority, "cluster masters=5 replicas=1\nat 1s: kill m1", forgeVotes},
		{ruleOneWinner, "cluster masters=5 replicas=1\nat 1s: kill m1\nat 1s: kill m2\nfor 40s", votesTwice(6)},
		{ruleOneWinner, "cluster masters=5 replicas=1\nat 1s: failover r5 takeover\nat 20s: kill m1\nat 20s: kill m2\nfor 60s", votesTwice(7)},
		{ruleDurable, "cluster masters=3 replicas=1 disk=100ms\nat 1s: kill m1", func(w *World) { w.hooks.noBarrier = true }},
		{ruleDurable, "cluster masters=3 replicas=1\nat 1s: kill m1\nat 20s: restart m2 1s", func(w *World) {
			w.hooks.restarted = func(_ *server, saved *core.State) { saved.LastVoteEpoch = 0 }
		}},
		{ruleEpochs, "cluster masters=3 replicas=1\nat 1s: restart m2 100ms", func(w *World) {
			w.hooks.restarted = func(s *server, saved *core.State) {
				if len(saved.Nodes) > 0 && s.life > 2 {
					saved.Nodes = slices.Clone(saved.Nodes)
					saved.Nodes[saved.Me].ConfigEpoch = 0
				}
			}
		}},
		{ruleOneOwner, "cluster masters=3 replicas=0", claimsAsAnother},
		{ruleOneOwner, "cluster masters=3 replicas=1\nat 1s: failover r3 takeover\nfor 10s", claimsAsAnother},
		{ruleFail, "cluster masters=5 replicas=1\nat 1s: cut m1 m2 20s", func(w *World) {
			w.hooks.event = func(s *server, ev core.Event) core.Event { // m2 hears what nobody said
				r, ok := ev.(core.Received)
				if !ok || s.name != "m2" || len(r.Msg.Gossip) == 0 {
					return ev
				}
				m := *r.Msg
				m.Gossip = append(slices.Clone(m.Gossip), bus.Gossip{Node: w.servers[0].id, IP: w.servers[0].ip, Flags: bus.FlagMaster | bus.FlagPFail})
				r.Msg = &m
				return r
			}
		}},
		{ruleHandOver, "cluster masters=3 replicas=1 writes=2ms disk=100ms\nat 1s: failover r1", func(w *World) {
			w.hooks.effects = func(_ *server, out *core.Effects) { // the pause ends before the election
				for i := range out.History {
					if out.History[i].What == core.ManualCanStart {
						w.servers[0].pausedUntil = 0
					}
				}
			}
		}},
		{ruleForgotten, "cluster masters=3 replicas=1", forgetsTheBan},
		{ruleNoMinority, "cluster masters=3 replicas=0\nat 1s: isolate m1 30s", deafToSilence},
		{ruleLives, "cluster masters=3 replicas=1\nat 1s: destroy m1", func(w *World) {
			w.hooks.event = func(_ *server, ev core.Event) core.Event {
				if r, ok := ev.(core.Received); ok && r.Msg.Type == bus.TypeAuthAck {
					return nil
				}
				return ev
			}
		}},
		{ruleBegins, "cluster masters=3 replicas=0 form=yes", func(w *World) {
			w.hooks.event = func(s *server, ev core.Event) core.Event {
				if r, ok := ev.(core.Received); ok && r.Msg.Type == bus.TypeMeet && s.name == "m2" {
					return nil
				}
				return ev
			}
		}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			script, err := Parse(c.script, nil)
			if err != nil {
				t.Fatal(err)
			}
			hook := func(w *World) {
				w.watch.only = c.rule
				c.crime(w)
			}
			w, err := script.Plan(1).Run(hook)
			if err != nil {
				t.Fatal(err)
			}
			if v := w.Violation(); v == nil || v.Rule != c.rule {
				t.Fatalf("not noticed: %v, %+v", v, w.Stats)
			}
			innocent, _ := script.Plan(1).Run(func(w *World) { w.watch.only = c.rule })
			if v := innocent.Violation(); v != nil {
				t.Errorf("noticed without a crime: %v", v)
			}
		})
	}
}

// claimsAsAnother lets m2 say what m1 says.
func claimsAsAnother(w *World) {
	w.hooks.effects = func(s *server, out *core.Effects) {
		for i := range out.Sends {
			if m := *out.Sends[i].Msg; s.name == "m2" && w.now > 8*Second && m.Slots != nil {
				slots := *m.Slots
				slots.Add(5)
				m.Slots, m.ConfigEpoch = &slots, 1
				out.Sends[i].Msg = &m
			}
		}
	}
}

// votesTwice lets r1 and r2 win the same epoch: r2 does not hear that r1 took it, and all masters vote for r2 too.
func votesTwice(epoch uint64) func(*World) {
	return func(w *World) { winsToo(w, epoch) }
}

func winsToo(w *World, epoch uint64) {
	w.hooks.event = func(s *server, ev core.Event) core.Event {
		if r, ok := ev.(core.Received); ok && s.name == "r2" && r.Msg.CurrentEpoch >= epoch && r.Msg.Type != bus.TypeAuthAck {
			return nil
		}
		return ev
	}
	w.hooks.effects = func(s *server, out *core.Effects) {
		if s.name != "r2" || !slices.ContainsFunc(out.Sends, func(x core.Send) bool { return x.Msg.Type == bus.TypeAuthRequest }) {
			return
		}
		w.call(500*Millisecond, func() {
			for _, l := range slices.Clone(s.inLinks) {
				if l == nil || l.ends[0].core == nil || !owns(l.ends[0]) {
					continue
				}
				s.step(core.Received{Link: l.names[1], RemoteIP: l.ends[0].ip, Msg: &bus.Msg{
					Type: bus.TypeAuthAck, Sender: l.ends[0].id, Flags: bus.FlagMaster | bus.FlagMyself, CurrentEpoch: epoch,
				}})
			}
		})
	}
}

// forgeVotes gives a candidate that got one vote the votes of all other masters.
func forgeVotes(w *World) {
	busy := false
	w.hooks.event = func(s *server, ev core.Event) core.Event {
		r, ok := ev.(core.Received)
		if !ok || busy || r.Msg.Type != bus.TypeAuthAck {
			return ev
		}
		busy = true
		for _, l := range slices.Clone(s.inLinks) {
			if l != nil && l.ends[0].core != nil && owns(l.ends[0]) {
				m := *r.Msg
				m.Sender, m.Flags = l.ends[0].id, bus.FlagMaster|bus.FlagMyself
				s.step(core.Received{Link: l.names[1], Msg: &m, RemoteIP: l.ends[0].ip})
			}
		}
		busy = false
		return nil
	}
}

// forgetsTheBan lets m1 forget r1, and its clock jump a minute ahead: gossip brings r1 back.
func forgetsTheBan(w *World) {
	jumped := false
	w.hooks.now = func(s *server, now core.Millis) core.Millis {
		if s.name == "m1" && jumped {
			return now + 61_000
		}
		return now
	}
	w.hooks.event = func(s *server, ev core.Event) core.Event {
		if r, ok := ev.(core.Received); ok && len(r.Msg.Ext.Forgotten) > 0 { // and tells nobody
			m := *r.Msg
			m.Ext.Forgotten = nil
			r.Msg = &m
			return r
		}
		return ev
	}
	w.call(5*Second, func() {
		w.ask(w.servers[0], core.Forget{Node: w.servers[3].id.String()})
		jumped = true
	})
}

// deafToSilence lets every node hear again and again what others said last.
func deafToSilence(w *World) {
	last := map[*link]core.Received{}
	busy := false
	w.hooks.event = func(s *server, ev core.Event) core.Event {
		switch ev := ev.(type) {
		case core.Received:
			if !busy && ev.Msg.Type == bus.TypePong && ev.Link.Outbound() {
				last[s.link(ev.Link)] = ev
			}
		case core.Tick:
			busy = true
			for _, l := range slices.Clone(s.outLinks) {
				if r, ok := last[l]; ok && l != nil && !l.broken {
					s.step(r)
				}
			}
			busy = false
		}
		return ev
	}
}

// TestShrink makes a long course short: of all that happens, one line matters.
func TestShrink(t *testing.T) {
	script, err := Parse(`include attrition.txt
at 20s: failover replica takeover
`, workloadFiles)
	if err != nil {
		t.Fatal(err)
	}
	const rule = "nobody takes over by hand"
	hook := func(w *World) {
		w.OnRecord = func(_ Time, _ string, r *core.Record) {
			if r.What == core.ManualTakeover {
				w.violate(rule, "it happened")
			}
		}
	}
	long := script.Plan(5)
	short, end := Shrink(long, hook, 200)
	if end == nil || end.Rule != rule {
		t.Fatal(end)
	}
	if len(short.Lines) != 1 || short.For > 30*Second {
		t.Errorf("%d lines became\n%s", len(long.Lines), short)
	}
	again, err := Parse(short.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if w, err := again.Plan(0).Run(hook); err != nil || w.Violation() == nil || w.Violation().Rule != rule {
		t.Errorf("what was written down does not break the rule: %v", err)
	}
}
