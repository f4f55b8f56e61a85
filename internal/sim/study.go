package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/core"
)

// Study is what an operator asks before an outage: the same accident happens to the same cluster under many seeds.
type Study struct {
	Masters      int
	Replicas     int // of each master
	NodeTimeout  Time
	PingInterval Time // 0: half the node timeout
	Scenario     string
	Seed         uint64 // the first
	Seeds        int
	Delay        Time // greatest of a packet between two nodes; 0: 2 ms
	Form         bool // form the cluster by MEETs first, instead of beginning with one that is at work
	Rush         bool // strike as soon as the cluster is well, without a quiet time in which to count what the bus carries
	Check        bool // check the rules at every step; slower
	Sparse       bool // of Check: see Options.Sparse, and nothing of disks, for thousands of nodes
	Workers      int  // courses at a time; 0: one per core

	noted func(Time, *core.Record) // hears of every record, from several goroutines
}

// Accident is one way in which a cluster suffers.
type Accident struct {
	Name, Text string
	script     func(s *Study) string
}

// Accidents are the scenarios of studies.
func Accidents() []Accident {
	return []Accident{
		{"one-master", "the process of one master ends", func(*Study) string { return "at 0s: kill m1" }},
		{"one-machine", "the machine of one master ends: nobody is told", func(*Study) string { return "at 0s: poweroff m1" }},
		{"mass-failure", "the most masters that leave a majority end at once", func(*Study) string { return "at 0s: half 0..1000000" }},
		{"frozen-master", "one master stands still for four node timeouts", func(s *Study) string {
			return fmt.Sprintf("at 0s: freeze m1 %s", 4*s.NodeTimeout)
		}},
		{"isolated-master", "one master is cut off for four node timeouts", func(s *Study) string {
			return fmt.Sprintf("at 0s: isolate m1 %s", 4*s.NodeTimeout)
		}},
		{"hand-over", "one master hands over by CLUSTER FAILOVER", func(*Study) string { return "at 0s: failover r1" }},
	}
}

// Outcome is how one course went. Times are counted from the accident.
type Outcome struct {
	Seed      uint64
	Victims   int    // masters that were struck
	Failed    []Time // when each was marked as failed by the first node
	Promoted  []Time // when each was replaced
	Served    Time   // when every node saw the cluster up, and every victim was replaced; -1: not within the limit
	Limit     Time
	Lost      int64   // bytes of acknowledged writes that are gone
	Packets   float64 // per node and second, before the accident
	Bytes     float64
	OutPkts   float64 // the same until all was served
	OutBytes  float64
	Simulated Time
	Violation string
}

// Report is the outcome of a study.
type Report struct {
	Study    Study
	Outcomes []Outcome
	Fail     Quantiles // of all victims in all courses
	Promote  Quantiles
	Serve    Quantiles // of all courses
	Unserved int       // courses that were not served within the limit
	Packets  float64   // means over the courses
	Bytes    float64
	OutPkts  float64
	OutBytes float64
	Lost     int64
	Broken   int // courses that broke a rule
}

// Quantiles of a set of times.
type Quantiles struct {
	N                  int
	Median, P99, Worst Time
	Sorted             []Time `json:"-"`
}

func quantiles(times []Time) Quantiles {
	slices.Sort(times)
	q := Quantiles{N: len(times), Sorted: times}
	if q.N > 0 {
		q.Median, q.P99, q.Worst = times[(q.N-1)/2], times[(q.N*99+99)/100-1], times[q.N-1]
	}
	return q
}

// ErrStudy wraps what makes no sense in a study.
var ErrStudy = errors.New("no such study")

// Run plays all seeds. done, if not nil, is called after each, from several goroutines.
func (s Study) Run(ctx context.Context, done func()) (*Report, error) {
	accident := slices.IndexFunc(Accidents(), func(a Accident) bool { return a.Name == s.Scenario })
	switch {
	case accident < 0:
		var names []string
		for _, a := range Accidents() {
			names = append(names, a.Name)
		}
		return nil, fmt.Errorf("%w: the scenarios are %s", ErrStudy, strings.Join(names, ", "))
	case s.Masters < 1 || s.Masters > 2000 || s.Replicas < 0 || s.Replicas > 10 || s.Masters*(1+s.Replicas) > 4000:
		return nil, fmt.Errorf("%w: up to 2000 masters, 10 replicas each and 4000 nodes can be simulated", ErrStudy)
	case s.NodeTimeout < 100*Millisecond || s.NodeTimeout > 3600*Second || s.Seeds < 1:
		return nil, fmt.Errorf("%w: the node timeout is 100ms to 1h, and there is at least one seed", ErrStudy)
	}
	s.Delay = cmp.Or(s.Delay, 2*Millisecond)
	script, err := Parse(Accidents()[accident].script(&s), nil)
	if err != nil {
		return nil, err
	}
	r := &Report{Study: s, Outcomes: make([]Outcome, s.Seeds)}
	if err := s.playAll(ctx, r, script, done); err != nil {
		return nil, err
	}
	r.summarize()
	return r, nil
}

func (s *Study) playAll(ctx context.Context, r *Report, script *Script, done func()) error {
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(cmp.Or(s.Workers, runtime.GOMAXPROCS(0)), s.Seeds) {
		workers.Go(func() {
			for i := range next {
				r.Outcomes[i] = s.play(script, s.Seed+uint64(i))
				if done != nil {
					done()
				}
			}
		})
	}
	var err error
	for i := range s.Seeds {
		select {
		case next <- i:
			continue
		case <-ctx.Done():
			err = ctx.Err()
		}
		break
	}
	close(next)
	workers.Wait()
	return err
}

func (s *Study) options() Options {
	o := DefaultOptions()
	o.Masters, o.Replicas = s.Masters, s.Masters*s.Replicas
	o.Config.NodeTimeout = core.Millis(s.NodeTimeout / Millisecond)
	o.Config.PingInterval = core.Millis(s.PingInterval / Millisecond)
	o.Delay = Span{s.Delay / 20, s.Delay}
	o.Form, o.NoWatch = s.Form, !s.Check
	o.Sparse = s.Sparse
	if o.Masters+o.Replicas > 100 {
		o.NoDisk, o.Codec, o.Writes = !s.Check || s.Sparse, 1000, Second
	}
	return o
}

// measured follows one course.
type measured struct {
	w        *World
	out      *Outcome
	start    Time
	victims  map[nodeid.ID]bool
	failed   map[nodeid.ID]Time
	promoted map[nodeid.ID]Time
	up       int // nodes that see the cluster up
	noted    func(Time, *core.Record)
}

// play plays one seed.
func (s *Study) play(script *Script, seed uint64) Outcome {
	out := Outcome{Seed: seed, Served: -1}
	w := New(seed, s.options())
	m := &measured{w: w, out: &out, victims: map[nodeid.ID]bool{}, failed: map[nodeid.ID]Time{}, promoted: map[nodeid.ID]Time{}, noted: s.noted}
	w.OnRecord = m.record
	w.begin()
	if !s.Rush {
		m.settle(s)
	}
	m.strike(script.Plan(seed))
	out.Limit = 20*s.NodeTimeout + 120*Second
	m.await()
	out.Simulated, out.Lost = w.now, w.Stats.WritesLost
	if w.broken != nil {
		out.Violation = w.broken.Error()
	}
	return out
}

func (m *measured) record(at Time, server string, r *core.Record) {
	if m.noted != nil {
		m.noted(at, r)
	}
	switch r.What {
	case core.StateOK:
		m.up++
	case core.StateFail:
		m.up--
	case core.NodeFailed:
		if _, known := m.failed[r.Node]; !known && m.victims[r.Node] {
			m.failed[r.Node] = at - m.start
		}
	case core.Promoted:
		if m.victims[r.Node] {
			m.promoted[r.Node] = at - m.start
		}
	}
}

// settle lets a quiet time pass, and counts what the bus carries in it.
func (m *measured) settle(s *Study) {
	quiet := max(s.NodeTimeout, 5*Second)
	m.w.Run(m.w.now + quiet + Time(mix(m.out.Seed)%uint64(s.NodeTimeout)))
	before := m.w.Stats
	m.w.Run(m.w.now + quiet)
	m.out.Packets, m.out.Bytes = m.rates(before, quiet)
}

func (m *measured) rates(before Stats, d Time) (packets, bytes float64) {
	per := float64(max(d, Millisecond)) / float64(Second) * float64(len(m.w.servers))
	return float64(m.w.Stats.Packets-before.Packets) / per, float64(m.w.Stats.Bytes-before.Bytes) / per
}

// strike is the accident: it happens to who is a master and does not run, or is out of reach, right after it.
func (m *measured) strike(p *Plan) {
	w := m.w
	m.start = w.now
	masters := map[*server]bool{}
	for _, s := range w.servers {
		masters[s] = s.core != nil && owns(s)
	}
	for _, l := range p.Lines {
		verb, rest, _ := strings.Cut(l.Text, " ")
		switch s := words(strings.Fields(rest)).server(w, 0); {
		case verb == "failover":
			m.victims[s.core.Glance().Master] = true
		case s != nil && masters[s]:
			m.victims[s.id] = true
		}
		w.act(l.Text)
	}
	m.up = 0
	for _, s := range w.servers {
		if s.core == nil && masters[s] {
			m.victims[s.id] = true
		}
		if s.core != nil && s.okay {
			m.up++
		}
	}
	m.out.Victims = len(m.victims)
}

// await lets time pass until everything is served again.
func (m *measured) await() {
	w, before := m.w, m.w.Stats
	served := func() bool { return len(m.promoted) == len(m.victims) && m.up >= m.reachable() }
	if w.runUntil(m.start+m.out.Limit, served) {
		m.out.Served = w.now - m.start
	}
	m.out.OutPkts, m.out.OutBytes = m.rates(before, w.now-m.start)
	for id := range m.victims {
		if at, ok := m.failed[id]; ok {
			m.out.Failed = append(m.out.Failed, at)
		}
		if at, ok := m.promoted[id]; ok {
			m.out.Promoted = append(m.out.Promoted, at)
		}
	}
	slices.Sort(m.out.Failed)
	slices.Sort(m.out.Promoted)
}

// reachable counts the nodes that can know that the cluster is up: those that run and are not victims themselves.
func (m *measured) reachable() (n int) {
	for _, s := range m.w.servers {
		if s.core != nil && !m.victims[s.id] {
			n++
		}
	}
	return n
}

func (r *Report) summarize() {
	var fail, promote, serve []Time
	n := float64(len(r.Outcomes))
	for i := range r.Outcomes {
		o := &r.Outcomes[i]
		fail, promote = append(fail, o.Failed...), append(promote, o.Promoted...)
		if o.Served < 0 {
			r.Unserved++
		} else {
			serve = append(serve, o.Served)
		}
		if o.Violation != "" {
			r.Broken++
		}
		r.Packets, r.Bytes = r.Packets+o.Packets/n, r.Bytes+o.Bytes/n
		r.OutPkts, r.OutBytes = r.OutPkts+o.OutPkts/n, r.OutBytes+o.OutBytes/n
		r.Lost += o.Lost
	}
	r.Fail, r.Promote, r.Serve = quantiles(fail), quantiles(promote), quantiles(serve)
}
