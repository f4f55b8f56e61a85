package sim

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
)

func TestQueueIsInOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var q queue
	for i := range uint64(2000) {
		q.push(event{at: Time(rnd.IntN(100)), seq: i})
		if rnd.IntN(3) == 0 {
			q.pop()
		}
	}
	var last event
	for len(q) > 0 {
		e := q.pop()
		if e.before(&last) {
			t.Fatalf("%d/%d comes after %d/%d", e.at, e.seq, last.at, last.seq)
		}
		last = e
	}
}

// small is a cluster of three masters with a replica each that is well.
func small(t *testing.T, change func(*Options)) *World {
	t.Helper()
	opt := DefaultOptions()
	opt.Hiccup = 0
	if change != nil {
		change(&opt)
	}
	w := New(1, opt)
	w.begin()
	if v := w.Violation(); v != nil {
		t.Fatal(v)
	}
	return w
}

func TestWireLenIsWhatTheCodecMakes(t *testing.T) {
	w := small(t, func(o *Options) { o.Config.Nodename, o.Config.Hostname = "shelf-1", "a.example" })
	kinds := map[bus.Type]bool{}
	w.hooks.effects = func(_ *server, out *core.Effects) {
		for _, s := range out.Sends {
			kinds[s.Msg.Type] = true
			if got, want := wireLen(s.Msg), len(bus.Append(nil, s.Msg)); got != want {
				t.Fatalf("%s takes %d bytes, not %d", s.Msg.Type, want, got)
			}
		}
	}
	w.act("kill m1")
	w.Run(w.Now() + 20*Second)
	w.act("start m1")
	w.act("forget r2 kill")
	w.Run(w.Now() + 10*Second)
	for _, kind := range []bus.Type{bus.TypePing, bus.TypePong, bus.TypeFail, bus.TypeAuthRequest, bus.TypeAuthAck} {
		if !kinds[kind] {
			t.Errorf("no %s was sent", kind)
		}
	}
	update := &bus.Msg{Type: bus.TypeUpdate, Update: &bus.Update{}}
	if got, want := wireLen(update), len(bus.Append(nil, update)); got != want {
		t.Errorf("an UPDATE takes %d bytes, not %d", want, got)
	}
}

// A link delivers in order, holds what a cut keeps back, and loses what was under way when it breaks.
func TestLinkIsTCP(t *testing.T) {
	w := small(t, func(o *Options) { o.NoWatch = true })
	a, b := w.servers[0], w.servers[1]
	var l *link
	for _, x := range a.outLinks {
		if x != nil && x.ends[1] == b {
			l = x
		}
	}
	var got []uint64
	w.hooks.event = func(s *server, ev core.Event) core.Event {
		if r, ok := ev.(core.Received); ok && s == b && r.Link == l.names[1] && r.Msg.Type == bus.TypeModule {
			got = append(got, r.Msg.Offset)
			return nil
		}
		return ev
	}
	send := func(n uint64) {
		w.transmit(a, core.Send{Link: l.names[0], Msg: &bus.Msg{Type: bus.TypeModule, Offset: n, Module: &bus.Module{}}})
	}
	w.opt.Codec = 0
	for n := range uint64(50) {
		send(n)
	}
	w.setCut(a, b, true)
	send(50)
	w.Run(w.Now() + 300*Millisecond)
	if len(got) != 50 || !slices.IsSorted(got) {
		t.Fatalf("before the cut came %v", got)
	}
	w.setCut(a, b, false)
	send(51)
	w.Run(w.Now() + Second)
	if len(got) != 52 || !slices.IsSorted(got) {
		t.Fatalf("after the cut came %v", got[50:])
	}
	send(52)
	w.breakLink(l, nil)
	w.Run(w.Now() + 10*Millisecond)
	if len(got) != 52 {
		t.Fatal("a packet came over a broken link")
	}
}

// What a save had not finished is lost with the process or not, what was not synchronised with the machine.
func TestDiskCrashes(t *testing.T) {
	w := small(t, nil)
	s := w.servers[0]
	old, cached, written := s.disk.synced, s.disk.synced, s.disk.synced
	old.CurrentEpoch, cached.CurrentEpoch, written.CurrentEpoch = 100, 101, 102
	lost, kept := 0, 0
	for range 100 {
		s.disk = disk{synced: old, cached: cached, writing: written, busy: true}
		s.crash(false)
		switch s.disk.cached.CurrentEpoch {
		case 101:
			lost++
		case 102:
			kept++
		default:
			t.Fatal("the end of a process lost what was written")
		}
	}
	if lost == 0 || kept == 0 {
		t.Errorf("a save under way was lost %d times and kept %d times", lost, kept)
	}
	s.disk = disk{synced: old, cached: cached}
	s.crash(true)
	if s.disk.cached.CurrentEpoch != 100 {
		t.Error("the end of the machine kept what was not synchronised")
	}
}

func TestHistoryIsATree(t *testing.T) {
	h := history{branches: []branch{{parent: -1}}}
	a := h.fork(position{})
	a.offset = 100
	b := h.fork(position{a.branch, 60})
	b.offset = 90
	c := h.fork(b)
	c.offset = 95
	for _, x := range []struct {
		p, q position
		want int64
	}{{a, a, 100}, {a, b, 60}, {b, c, 90}, {a, c, 60}, {position{}, c, 0}} {
		if got := h.common(x.p, x.q); got != x.want || h.common(x.q, x.p) != got {
			t.Errorf("%v and %v share %d bytes, not %d", x.p, x.q, got, x.want)
		}
	}
	if h.contains(a, b) || !h.contains(c, b) || !h.contains(b, position{a.branch, 60}) {
		t.Error("contains is wrong")
	}
}

func TestClocksDriftApart(t *testing.T) {
	w := small(t, func(o *Options) { o.DriftPPM = 500 })
	a, b := w.servers[0], w.servers[1]
	first := a.clock(0) - b.clock(0)
	if later := a.clock(Time(24*3600)*Second) - b.clock(Time(24*3600)*Second); first == later || first == 0 {
		t.Errorf("two clocks are %d ms apart and a day later %d", first, later)
	}
}

// Who is frozen answers late and is taken for dead meanwhile; its clock goes on.
func TestFreeze(t *testing.T) {
	w := small(t, nil)
	m := w.servers[0]
	w.act("freeze m1 8s")
	w.Run(w.Now() + 7*Second)
	if flags, _ := w.servers[1].core.Knows(m.id); !flags.Has(bus.FlagFail) {
		t.Fatalf("a frozen master is %s", flags)
	}
	w.Run(w.Now() + 10*Second)
	if !m.core.Glance().Replica {
		t.Error("the master that was replaced while it stood still is no replica")
	}
	if w.Stats.Promotions != 1 {
		t.Errorf("%d promotions", w.Stats.Promotions)
	}
}

func TestPlainFailoverKeepsEverything(t *testing.T) {
	w := small(t, func(o *Options) { o.Writes = 5 * Millisecond })
	w.act("failover r1")
	w.Run(w.Now() + 10*Second)
	if w.Stats.HandOvers != 1 || w.Stats.WritesLost != 0 || !owns(w.servers[3]) {
		t.Errorf("%+v", w.Stats)
	}
}

func TestPowerCutLosesWhatWasNotReplicated(t *testing.T) {
	w := small(t, func(o *Options) { o.Writes = 10 * Millisecond })
	w.act("cut m1 r1 30s")
	w.Run(w.Now() + Second)
	w.act("kill m1")
	w.Run(w.Now() + 20*Second)
	w.act("start m1")
	w.Run(w.Now() + 40*Second)
	if w.Stats.WritesLost == 0 || w.Stats.Promotions == 0 {
		t.Errorf("%+v", w.Stats)
	}
	if v := w.Violation(); v != nil {
		t.Error(v)
	}
}

func TestStrangersFormACluster(t *testing.T) {
	small(t, func(o *Options) { o.Form, o.Masters, o.Replicas = true, 5, 5 })
}
