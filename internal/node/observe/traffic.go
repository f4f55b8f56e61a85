package observe

import (
	"sync"
	"sync/atomic"

	"github.com/skeindb/skein/internal/base/stats"
)

// Traffic counts the bytes of sockets: those of clients, and those of
// replication, in both roles.
type Traffic struct {
	in, out         atomic.Int64
	replIn, replOut atomic.Int64
	reads, writes   atomic.Int64
}

// Received and Sent count one read and one write of n bytes on a client's socket.
func (t *Traffic) Received(n int) {
	t.in.Add(int64(n))
	t.reads.Add(1)
}

// Sent counts one write.
func (t *Traffic) Sent(n int) {
	t.out.Add(int64(n))
	t.writes.Add(1)
}

// ReplReceived and ReplSent are the same for replication.
func (t *Traffic) ReplReceived(n int) {
	t.replIn.Add(int64(n))
	t.reads.Add(1)
}

// ReplSent counts one write.
func (t *Traffic) ReplSent(n int) {
	t.replOut.Add(int64(n))
	t.writes.Add(1)
}

func (t *Traffic) reset() {
	for _, c := range []*atomic.Int64{&t.in, &t.out, &t.replIn, &t.replOut, &t.reads, &t.writes} {
		c.Store(0)
	}
}

// rates are the instantaneous numbers of INFO.
type rates struct {
	mu                            sync.Mutex
	ops, in, out, replIn, replOut stats.Rate
	cycles, micros                stats.Rate // of event loops: turns, and microseconds of a turn
}

// LoopWork is what the event loops of a node have done together, and the clock's work.
type LoopWork struct {
	Loops        int64
	Turns        int64
	Nanos        int64 // spent in turns
	LongestNanos int64 // of one turn
	MostCommands int64 // of one turn
	CronNanos    int64 // spent on what follows the clock
}

func (o *Observer) loops() LoopWork {
	if o.Loops == nil {
		return LoopWork{}
	}
	return o.Loops()
}

// Tick samples the counters; the node calls it ten times a second.
func (o *Observer) Tick() {
	micros := o.now().UnixMicro()
	calls := o.totals().calls
	t, r := &o.Traffic, &o.rates
	replIn, replOut := t.replIn.Load(), t.replOut.Load()
	loops := o.loops()
	r.mu.Lock()
	defer r.mu.Unlock()
	const perSecond = 1_000_000
	r.cycles.Sample(loops.Turns, micros, perSecond)
	r.micros.Sample(loops.Nanos/1000, loops.Turns, 1)
	r.ops.Sample(calls, micros, perSecond)
	r.in.Sample(t.in.Load()+replIn, micros, perSecond)
	r.out.Sample(t.out.Load()+replOut, micros, perSecond)
	r.replIn.Sample(replIn, micros, perSecond)
	r.replOut.Sample(replOut, micros, perSecond)
}

func (r *rates) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rate := range []*stats.Rate{&r.ops, &r.in, &r.out, &r.replIn, &r.replOut, &r.cycles, &r.micros} {
		rate.Reset()
	}
}

// means are operations, and bytes each way, per second.
func (r *rates) means() (ops, in, out, replIn, replOut int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ops.Mean(), r.in.Mean(), r.out.Mean(), r.replIn.Mean(), r.replOut.Mean()
}

// turns are turns per second of all loops, and microseconds per turn.
func (r *rates) turns() (cycles, micros int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cycles.Mean(), r.micros.Mean()
}
