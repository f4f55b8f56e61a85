//go:build linux

package main

import (
	"fmt"
	"path"
	"slices"
	"time"
)

// A Cell is one kind of load, measured on both servers in the same rounds.
type Cell struct {
	Op         string // "GET" or "SET", or the name of one of the ops
	ValueBytes int
	Pipeline   int // requests that a client sends before it waits for the replies
	Pinned     bool
	Cluster    bool
	Asked      float64 // least e that Skein should reach; 0 when the cell is only printed
	Rounds     int
	RunTime    time.Duration // aim for one run against the slower server
	Command    string        // what redis-benchmark sends; "" for its own test of the name Op
	Elements   int           // of its reply, if that is a long one
}

// Name returns the cell's name, as in GET/3/P16/pinned/standalone.
func (c Cell) Name() string {
	return fmt.Sprintf("%s/%d/P%d/%s/%s", c.Op, c.ValueBytes, c.Pipeline, pinning(c.Pinned), mode(c.Cluster))
}

// A Stage is one pair of fresh servers with the same keys, and the cells measured on them.
type Stage struct {
	Keys, ValueBytes int
	Pinned, Cluster  bool
	Collections      bool // beside the keys there are collections
	Cells            []Cell
}

// Name returns what the stage's cells have in common.
func (s Stage) Name() string {
	if s.Collections {
		return fmt.Sprintf("%d keys of %d B and collections, %s, %s", s.Keys, s.ValueBytes, pinning(s.Pinned), mode(s.Cluster))
	}
	return fmt.Sprintf("%d keys of %d B, %s, %s", s.Keys, s.ValueBytes, pinning(s.Pinned), mode(s.Cluster))
}

// A MemoryCell asks how many resident bytes a key costs, or an element of a collection.
type MemoryCell struct {
	Keys, ValueBytes int
	Cluster          bool
	Asked            float64 // most bytes per key that Skein may take
	Type             string  // of a collection; empty for strings
	Elements         int     // of each collection
}

// Name returns the cell's name, as in memory/cluster or memory/hash-10.
func (m MemoryCell) Name() string {
	if m.Type != "" {
		return fmt.Sprintf("memory/%s-%d", m.Type, m.Elements)
	}
	return "memory/" + mode(m.Cluster)
}

// things is how many keys, or elements, share the memory.
func (m MemoryCell) things() int { return m.Keys * max(1, m.Elements) }

// A Plan is all that one call of the program measures, the most important first: what the
// budget cuts off is at the end.
type Plan struct {
	Budget time.Duration // no round starts after it, and all is stopped shortly after
	Memory []MemoryCell
	Stages []Stage
	Apply  []ApplyCell
}

func pinning(pinned bool) string {
	if pinned {
		return "pinned"
	}
	return "unpinned"
}

func mode(cluster bool) string {
	if cluster {
		return "cluster"
	}
	return "standalone"
}

// asked returns the least e wanted of a cell, 0 if none is. Below pipeline 16 the kernel's share
// is most of the price of a request, which is why so little is asked there.
func asked(c Cell) float64 {
	if c.ValueBytes != 3 || !c.Pinned || c.Cluster {
		return 0
	}
	switch {
	case c.Pipeline == 1:
		return 0.95
	case c.Pipeline == 16:
		return 1.8
	case c.Pipeline == 64 && c.Op == "GET":
		return 2.2
	}
	return 0
}

// A pace says how long and how often cells are run; asked cells get more of both.
type pace struct {
	rounds, askedRounds   int
	runTime, askedRunTime time.Duration
}

func (p pace) stage(keys, valueBytes int, pinned, cluster bool, pipelines ...int) Stage {
	s := Stage{Keys: keys, ValueBytes: valueBytes, Pinned: pinned, Cluster: cluster}
	for _, pipeline := range pipelines {
		for _, op := range []string{"GET", "SET"} {
			c := Cell{Op: op, ValueBytes: valueBytes, Pipeline: pipeline, Pinned: pinned, Cluster: cluster}
			c.Asked, c.Rounds, c.RunTime = asked(c), p.rounds, p.runTime
			if c.Asked > 0 {
				c.Rounds, c.RunTime = p.askedRounds, p.askedRunTime
			}
			s.Cells = append(s.Cells, c)
		}
	}
	return s
}

// memoryCell is the memory that Skein is asked to save: 48 bytes of payload at 5 million keys. It
// keeps its number of keys in a quick run, since fixed costs would weigh more on fewer.
func memoryCell(cluster bool) MemoryCell {
	return MemoryCell{Keys: 5_000_000, ValueBytes: 32, Cluster: cluster, Asked: 76}
}

// collectionCells are small collections, many, and a large one of each type, all with two million
// or one million elements of 16 bytes. No plan has time for them; they are measured when -only names
// them.
func collectionCells() (cells []MemoryCell) {
	for _, typ := range collectionTypes {
		cells = append(cells,
			MemoryCell{Type: typ, Keys: 200_000, Elements: 10, ValueBytes: elementBytes},
			MemoryCell{Type: typ, Keys: 1, Elements: 1_000_000, ValueBytes: elementBytes})
	}
	return cells
}

// FullPlan measures everything: two operations, three pipelines, three sizes of value, pinned and
// not, standalone and in cluster mode.
func FullPlan() Plan {
	p := pace{rounds: 5, askedRounds: 7, runTime: 1800 * time.Millisecond, askedRunTime: 3 * time.Second}
	plan := Plan{Budget: 39 * time.Minute, Memory: []MemoryCell{memoryCell(false), memoryCell(true)},
		Apply: []ApplyCell{applyCell(3, 2_000_000)}}
	for _, cluster := range []bool{false, true} {
		for _, pinned := range []bool{true, false} {
			plan.Stages = append(plan.Stages,
				p.stage(5_000_000, 3, pinned, cluster, 1, 16, 64),
				p.stage(2_000_000, 512, pinned, cluster, 1, 16, 64),
				p.stage(500_000, 4096, pinned, cluster, 1, 16, 64))
		}
	}
	return plan
}

// QuickPlan measures the asked cells over fewer keys, and one pipeline of each other kind.
func QuickPlan() Plan {
	p := pace{rounds: 3, askedRounds: 5, runTime: 800 * time.Millisecond, askedRunTime: time.Second}
	return Plan{
		Budget: 275 * time.Second,
		Memory: []MemoryCell{memoryCell(false)},
		Stages: []Stage{
			p.stage(1_000_000, 3, true, false, 1, 16, 64),
			p.stage(1_000_000, 3, true, true, 16),
			p.stage(400_000, 512, true, false, 16),
			p.stage(100_000, 4096, true, false, 16),
			p.stage(1_000_000, 3, false, false, 16),
		},
	}
}

// TypesPlan measures commands of every type, with one request at a time and with 16.
func TypesPlan() Plan {
	s := Stage{Keys: opKeys, ValueBytes: 3, Pinned: true, Collections: true}
	for _, o := range ops {
		for _, pipeline := range []int{1, 16} {
			c := Cell{Op: o.name, ValueBytes: 3, Pipeline: pipeline, Pinned: true, Command: o.command, Elements: o.elements,
				Asked: 1, Rounds: 5, RunTime: time.Second}
			if pipeline == 16 {
				c.Asked = 1.5
			}
			s.Cells = append(s.Cells, c)
		}
	}
	return Plan{Budget: 12 * time.Minute, Stages: []Stage{s}}
}

// Scale multiplies every number of keys, keeping at least one.
func (p *Plan) Scale(by float64) {
	for i := range p.Memory {
		p.Memory[i].Keys = max(1, int(float64(p.Memory[i].Keys)*by))
	}
	for i := range p.Apply {
		p.Apply[i].Keys = max(1, int(float64(p.Apply[i].Keys)*by))
	}
	for i := range p.Stages {
		p.Stages[i].Keys = max(1, int(float64(p.Stages[i].Keys)*by))
	}
}

// SetRounds gives every cell the same number of rounds; 0 leaves them as they are.
func (p *Plan) SetRounds(rounds int) {
	if rounds == 0 {
		return
	}
	for _, s := range p.Stages {
		for i := range s.Cells {
			s.Cells[i].Rounds = rounds
		}
	}
	for i := range p.Apply {
		p.Apply[i].Rounds = rounds
	}
}

// Only returns the plan cut down to the cells whose name matches one of the patterns, in which *
// stands for any one part of a name. A pattern that matches nothing is an error.
func (p Plan) Only(patterns []string) (Plan, error) {
	used := make([]bool, len(patterns))
	matches := func(name string) bool {
		found := false
		for i, pattern := range patterns {
			if ok, _ := path.Match(pattern, name); ok {
				used[i], found = true, true
			}
		}
		return found
	}
	cut := Plan{Budget: p.Budget}
	for _, m := range slices.Concat(p.Memory, collectionCells()) {
		if matches(m.Name()) {
			cut.Memory = append(cut.Memory, m)
		}
	}
	for _, a := range p.Apply {
		if matches(a.Name()) {
			cut.Apply = append(cut.Apply, a)
		}
	}
	for _, s := range p.Stages {
		cells := slices.Clone(s.Cells)
		s.Cells = slices.DeleteFunc(cells, func(c Cell) bool { return !matches(c.Name()) })
		if len(s.Cells) > 0 {
			cut.Stages = append(cut.Stages, s)
		}
	}
	if i := slices.Index(used, false); i >= 0 {
		return Plan{}, fmt.Errorf("no cell of the plan matches %q (GET/3/P16/pinned/standalone is one)", patterns[i])
	}
	return cut, nil
}

// What the parts of a plan take apart from the runs themselves, on a slow machine of two cores.
const (
	buildTime        = 30 * time.Second
	startTime        = 1 * time.Second
	clusterStartTime = 3 * time.Second // redis is not writable for 2 s after it starts
	settleTime       = 2 * time.Second // of both servers after the load
	calibrationTime  = 700 * time.Millisecond
	runOverhead      = 200 * time.Millisecond
	memoryRest       = 10 * time.Second // from the last write to the look at resident memory

	collectionsTime = 5 * time.Second

	loadKeysPerSecond  = 350_000
	loadBytesPerSecond = 300_000_000
)

// loadTime estimates how long one server takes to be loaded.
func loadTime(keys, valueBytes int) time.Duration {
	seconds := float64(keys)/loadKeysPerSecond + float64(keys)*float64(valueBytes)/loadBytesPerSecond
	return time.Duration(seconds * float64(time.Second))
}

func startingTime(cluster bool) time.Duration {
	if cluster {
		return clusterStartTime
	}
	return startTime
}

// PrepareTime estimates the time until the first run of the stage.
func (s Stage) PrepareTime() time.Duration {
	load := loadTime(s.Keys, s.ValueBytes)
	if s.Collections {
		load += collectionsTime
	}
	return settleTime + 2*(startingTime(s.Cluster)+load)
}

// Estimate returns the time that the stage takes.
func (s Stage) Estimate() time.Duration {
	total := s.PrepareTime()
	for _, c := range s.Cells {
		total += 2 * (calibrationTime + time.Duration(c.Rounds)*(c.RunTime+runOverhead))
	}
	return total
}

// Estimate returns the time that the memory cell takes.
func (m MemoryCell) Estimate() time.Duration {
	return 2 * (startingTime(m.Cluster) + loadTime(m.things(), m.ValueBytes) + memoryRest)
}

// Estimate returns the time that the whole plan takes.
func (p Plan) Estimate() time.Duration {
	total := buildTime
	for _, m := range p.Memory {
		total += m.Estimate()
	}
	for _, a := range p.Apply {
		total += a.Estimate()
	}
	for _, s := range p.Stages {
		total += s.Estimate()
	}
	return total
}
