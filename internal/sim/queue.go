package sim

import "github.com/skeindb/skein/internal/cluster/bus"

// Time is simulated time in microseconds since the beginning of the world.
type Time int64

// Spans of time.
const (
	Microsecond Time = 1
	Millisecond      = 1000 * Microsecond
	Second           = 1000 * Millisecond
	Minute           = 60 * Second
)

// kind tells what an event is.
type kind uint8

const (
	evTick     kind = iota // to s, if x is its tick number
	evPacket               // msg to the end of l that direction d leads to
	evDialled              // l is connected, or is tried again, or was refused
	evAccepted             // to s: l is connected
	evLinkDown             // to s: the link with name x is gone
	evRetry                // l sends again what is held in direction d
	evSaved                // to s: the disk has written
	evSync                 // to s: replication tries to connect
	evSynced               // to s: a synchronisation is complete
	evData                 // to s: the stream of its master, up to data
	evDrain                // to s: what waited while it was frozen
	evReport               // to s: what the core must hear of a Change
	evWrite                // clients write
	evCall                 // call, of a script or a procedure
)

// event is one entry of the queue. Which fields are used depends on the kind.
type event struct {
	at   Time
	seq  uint64 // in the order of making: equal times keep it
	kind kind
	dir  uint8
	sole bool  // msg is on its way to nobody else, and nobody keeps it
	life int32 // of s when the event was made; events for an earlier life are void
	s    *server
	l    *link
	msg  *bus.Msg
	x    uint64
	call func()
}

func (e *event) before(o *event) bool { return e.at < o.at || e.at == o.at && e.seq < o.seq }

// queue is a heap with four children per node: fewer cache misses than with two.
type queue []event

func (q *queue) push(e event) {
	h := append(*q, e)
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = e
	*q = h
}

func (q *queue) pop() event {
	h := *q
	first := h[0]
	n := len(h) - 1
	last := h[n]
	h[n] = event{}
	h = h[:n]
	*q = h
	if n == 0 {
		return first
	}
	i := 0
	for {
		least := 4*i + 1
		if least >= n {
			break
		}
		for c := least + 1; c < min(4*i+5, n); c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if !h[least].before(&last) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = last
	return first
}
