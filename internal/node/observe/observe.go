// Package observe counts what a node does and remembers what was slow.
//
//	loop ──batch──> recorder (one per loop) ┐
//	loop ──batch──> recorder                ├─ summed when somebody asks:
//	sockets ──bytes──> Traffic              ┘  INFO, LATENCY HISTOGRAM
//	slow command ──> slowlog (SLOWLOG GET)
//	any slow thing ──Event──> latency events (LATENCY LATEST, HISTORY, DOCTOR)
//
// Counting a command takes one lock per batch, which its own loop alone takes
// until somebody asks, and allocates nothing in the long run.
package observe

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/base/stats"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
)

// Tuning are the options that may change while the node runs.
type Tuning struct {
	SlowMicros      int64     // slowlog-log-slower-than; negative: off
	SlowLen         int       // slowlog-max-len
	ThresholdMs     int64     // latency-monitor-threshold; 0: off
	LatencyTracking bool      // latency-tracking
	Percentiles     []float64 // latency-tracking-info-percentiles
}

// Observer is the statistics of one node.
type Observer struct {
	Traffic Traffic
	// Loops sums up what the event loops have done. Nil: nothing is known.
	Loops func() LoopWork

	table  atomic.Pointer[command.Table]
	tuning atomic.Pointer[Tuning]
	now    func() time.Time

	mu        sync.Mutex // over the list, not over what is in it
	recorders []*recorder

	slow   slowlog
	events events
	rates  rates
}

// New returns an Observer with redis's defaults.
func New() *Observer {
	o := &Observer{now: time.Now}
	o.Tune(Tuning{SlowMicros: 10000, SlowLen: 128, LatencyTracking: true, Percentiles: []float64{50, 99, 99.9}})
	return o
}

// Use makes table the one whose commands are counted. It must be called before
// the first command is.
func (o *Observer) Use(table *command.Table) { o.table.Store(table) }

// Tune replaces the tuning.
func (o *Observer) Tune(t Tuning) { o.tuning.Store(&t) }

// commandStats is what is known of one command.
type commandStats struct {
	calls, failed, rejected int64
	nanos                   int64
	histogram               stats.Histogram
}

// recorder counts the commands of one loop.
type recorder struct {
	mu       sync.Mutex
	commands []commandStats // by Spec.ID
	errors   map[string]int64
	calls    int64
	nanos    int64
	failures int64 // error replies
}

// errorsMax bounds how many error codes are told apart: scripts make their own.
const errorsMax = 1000

// Recorder returns the function that takes the batches of one loop.
func (o *Observer) Recorder() func(batch []session.Record) {
	r := &recorder{commands: make([]commandStats, o.table.Load().Len()), errors: map[string]int64{}}
	o.mu.Lock()
	o.recorders = append(o.recorders, r)
	o.mu.Unlock()
	return func(batch []session.Record) {
		t := o.tuning.Load()
		r.mu.Lock()
		for i := range batch {
			r.count(&batch[i], t.LatencyTracking)
		}
		r.mu.Unlock()
		if t.ThresholdMs > 0 {
			for i := range batch {
				o.watch(&batch[i])
			}
		}
	}
}

func (r *recorder) count(b *session.Record, tracking bool) {
	if b.Error != "" {
		r.failures++
		if _, known := r.errors[b.Error]; known || len(r.errors) < errorsMax {
			r.errors[b.Error]++
		}
	}
	if b.Spec == nil {
		return
	}
	s := &r.commands[b.Spec.ID()]
	if b.Outcome == session.Rejected {
		s.rejected++
		return
	}
	if b.Outcome == session.Failed {
		s.failed++
	}
	s.calls++
	s.nanos += b.Nanos
	r.calls++
	r.nanos += b.Nanos
	if tracking {
		s.histogram.Record(b.Nanos)
	}
}

// watch makes a latency event of a command that took long.
func (o *Observer) watch(b *session.Record) {
	name := "command"
	if b.Spec == nil || b.Outcome == session.Rejected {
		return
	}
	if b.Spec.Is(command.Fast) {
		name = "fast-command"
	}
	o.Event(name, b.Nanos/int64(time.Millisecond))
}

// each calls f for all recorders, which are locked meanwhile.
func (o *Observer) each(f func(r *recorder)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.recorders {
		r.mu.Lock()
		f(r)
		r.mu.Unlock()
	}
}

// totals are sums over all commands.
type totals struct{ calls, nanos, failures int64 }

func (o *Observer) totals() (t totals) {
	o.each(func(r *recorder) {
		t.calls += r.calls
		t.nanos += r.nanos
		t.failures += r.failures
	})
	return t
}

// histogram is a command's latencies on all loops.
func (o *Observer) histogram(spec *command.Spec) *stats.Histogram {
	h := &stats.Histogram{}
	o.each(func(r *recorder) { h.Merge(&r.commands[spec.ID()].histogram) })
	return h
}

// Reset is CONFIG RESETSTAT: all counters begin at 0 again. The slowlog and
// latency events have resets of their own.
func (o *Observer) Reset() {
	o.each(func(r *recorder) {
		clear(r.commands)
		clear(r.errors)
		r.calls, r.nanos, r.failures = 0, 0, 0
	})
	o.Traffic.reset()
	o.rates.reset()
}
