package observe

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/skeindb/skein/internal/command"
)

// samplesMax is how many seconds with an event are remembered of each event.
const samplesMax = 160

// sample is the worst of an event in one second.
type sample struct {
	second int64 // Unix time
	ms     int64
}

// series is the history of one event, the latest sample last.
type series struct {
	samples []sample
	worst   int64 // ms, since the last reset
}

// events are the histories by name.
type events struct {
	mu     sync.Mutex
	byName map[string]*series
}

// Event notes that something took ms milliseconds, if that is worth it by
// latency-monitor-threshold. The names are redis's: "command", "fast-command",
// "expire-cycle", "eviction-del", "aof-write", and so on. Safe from any goroutine.
func (o *Observer) Event(name string, ms int64) {
	threshold := o.tuning.Load().ThresholdMs
	if threshold <= 0 || ms < threshold {
		return
	}
	second := o.now().Unix()
	o.events.mu.Lock()
	defer o.events.mu.Unlock()
	s := o.events.byName[name]
	if s == nil {
		s = &series{}
		if o.events.byName == nil {
			o.events.byName = map[string]*series{}
		}
		o.events.byName[name] = s
	}
	s.add(sample{second, ms})
}

func (s *series) add(x sample) {
	s.worst = max(s.worst, x.ms)
	if n := len(s.samples); n > 0 && s.samples[n-1].second == x.second {
		s.samples[n-1].ms = max(s.samples[n-1].ms, x.ms)
		return
	}
	if len(s.samples) == samplesMax {
		s.samples = slices.Delete(s.samples, 0, 1)
	}
	s.samples = append(s.samples, x)
}

// find returns a copy of the history of an event.
func (e *events) find(name string) (s series, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found := e.byName[name]
	if found == nil {
		return series{}, false
	}
	return series{slices.Clone(found.samples), found.worst}, true
}

// names are the events that have happened, sorted.
func (e *events) names() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Keys(e.byName))
}

// reset forgets the events called name in any case, and counts them.
func (e *events) reset(matches func(name string) bool) (n int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name := range e.byName {
		if matches(name) {
			delete(e.byName, name)
			n++
		}
	}
	return n
}

// latest is LATENCY LATEST.
func (o *Observer) latest(c *command.Call) {
	mark, n := c.Out.BeginArray(), 0
	for _, name := range o.events.names() {
		s, ok := o.events.find(name)
		if !ok {
			continue
		}
		last := s.samples[len(s.samples)-1]
		c.Out.Array(4)
		c.Out.BulkString(name)
		c.Out.Int(last.second)
		c.Out.Int(last.ms)
		c.Out.Int(s.worst)
		n++
	}
	c.Out.EndArray(mark, n)
}

// history is LATENCY HISTORY event.
func (o *Observer) history(c *command.Call) {
	s, _ := o.events.find(c.Arg(2))
	c.Out.Array(len(s.samples))
	for _, x := range s.samples {
		c.Out.Array(2)
		c.Out.Int(x.second)
		c.Out.Int(x.ms)
	}
}

// resetEvents is LATENCY RESET [event ...].
func (o *Observer) resetEvents(c *command.Call) {
	if len(c.Args) == 2 {
		c.Out.Int(o.events.reset(func(string) bool { return true }))
		return
	}
	var n int64
	for i := range c.Args[2:] {
		n += o.events.reset(func(name string) bool { return strings.EqualFold(name, c.Arg(2+i)) })
	}
	c.Out.Int(n)
}

// histograms is LATENCY HISTOGRAM [command ...]: of all commands, or of those
// given and their subcommands.
func (o *Observer) histograms(c *command.Call) {
	table := o.table.Load()
	specs := table.All()
	if len(c.Args) > 2 {
		specs = nil
		for i := range c.Args[2:] {
			if s := table.LookupFull(c.Arg(2 + i)); s != nil {
				specs = append(append(specs, s), s.Subs...)
			}
		}
	}
	mark, n := c.Out.Begin(), 0
	for _, s := range specs {
		h := o.histogram(s)
		if h.Count() == 0 {
			continue
		}
		n++
		c.Out.BulkString(s.FullName())
		c.Out.Map(2)
		c.Out.BulkString("calls")
		c.Out.Int(int64(h.Count()))
		c.Out.BulkString("histogram_usec")
		inner, steps := c.Out.Begin(), 0
		for micros, count := range h.Cumulative() {
			c.Out.Int(micros)
			c.Out.Int(int64(count))
			steps++
		}
		c.Out.EndMap(inner, steps)
	}
	c.Out.EndMap(mark, n)
}
