package keyspace

import (
	"math"
	"sync/atomic"
	"unsafe"
)

// deadlines is the index of one shelf's keys that have a deadline, or of its hashes
// whose fields have one (a hash then counts as due with the next of them): a 4-ary heap
// of items without pointers, the earliest on top.
//
// Every such key has an item whose time is at most its deadline. So a deadline
// that moves away, as those of sessions and caches do all the time, costs
// nothing: its item is found on top too early, and moved to where the deadline
// is now. A deadline that comes nearer gets another item. Items that stand for
// nothing any more (the key is gone, or has no deadline, or an earlier one and
// so another item) are swept out a few at a time once they are many.
type deadlines struct {
	heap  []due
	at    int          // where the sweep goes on
	live  atomic.Int64 // keys with a deadline
	sum   atomic.Int64 // of their deadlines, ms: for INFO's avg_ttl
	items atomic.Int64 // len(heap), and
	first atomic.Int64 // no deadline is earlier, ms: for who passes by without the lock
}

// due is one item. Times in 48 bits reach the year 10889; a later deadline has
// an item of the last moment, which is early enough.
type due struct {
	when uint64 // deadline in Unix ms << 16 | slot
	hash uint64
}

const (
	dueBytes = int64(unsafe.Sizeof(due{}))
	lastDue  = 1<<48 - 1
	// sumMax bounds what one deadline adds to a sum, so that absurd ones do not
	// make it overflow: the year 2109.
	sumMax = 1 << 42
	never  = math.MaxInt64
)

func newDue(at int64, slot uint16, hash uint64) due {
	return due{uint64(min(at, lastDue))<<16 | uint64(slot), hash}
}

func (d due) at() int64    { return int64(d.when >> 16) }
func (d due) slot() uint16 { return uint16(d.when) }

// move notes that the deadline of a key was and is so many ms, or none (-1). It
// returns by how many bytes the index grew.
func (d *deadlines) move(was, is int64, slot uint16, hash uint64) (grown int64) {
	if was >= 0 {
		bump(&d.live, -1)
		bump(&d.sum, -min(was, sumMax))
	}
	if is < 0 {
		return 0
	}
	bump(&d.live, 1)
	bump(&d.sum, min(is, sumMax))
	if was >= 0 && was <= is {
		return 0
	}
	room := cap(d.heap)
	d.heap = append(d.heap, newDue(is, slot, hash))
	d.rise(len(d.heap) - 1)
	d.look()
	return int64(cap(d.heap)-room) * dueBytes
}

// look brings items and first up to date.
func (d *deadlines) look() {
	first := int64(never)
	if len(d.heap) > 0 {
		first = d.heap[0].at()
	}
	if d.first.Load() != first {
		d.first.Store(first)
	}
	d.items.Store(int64(len(d.heap)))
}

func (d *deadlines) rise(i int) {
	for i > 0 {
		up := (i - 1) / 4
		if d.heap[up].when <= d.heap[i].when {
			return
		}
		d.heap[up], d.heap[i] = d.heap[i], d.heap[up]
		i = up
	}
}

func (d *deadlines) sink(i int) {
	for {
		least := i
		for c := 4*i + 1; c <= 4*i+4 && c < len(d.heap); c++ {
			if d.heap[c].when < d.heap[least].when {
				least = c
			}
		}
		if least == i {
			return
		}
		d.heap[i], d.heap[least] = d.heap[least], d.heap[i]
		i = least
	}
}

// remove takes out item i.
func (d *deadlines) remove(i int) {
	last := len(d.heap) - 1
	d.heap[i] = d.heap[last]
	d.heap = d.heap[:last]
	if i < last {
		d.sink(i)
		d.rise(i)
	}
}

// delay moves item i to a later time.
func (d *deadlines) delay(i int, at int64) {
	d.heap[i] = newDue(at, d.heap[i].slot(), d.heap[i].hash)
	d.sink(i)
}

// wants tells, without the lock, whether something is due, which matters if it may be
// removed, or the index is crowded.
func (d *deadlines) wants(nowMs int64, may bool) bool {
	return may && d.first.Load() < nowMs || d.crowded()
}

// crowded tells that items for nothing are about to outnumber the others.
func (d *deadlines) crowded() bool { return d.items.Load() > 64+2*d.live.Load() }

// sweep looks at n items and removes those that stand for nothing; deadline
// tells what an item's key has, or -1. An item that is early is moved to its
// key's deadline, so that of several for one key all but one become superfluous.
// It returns by how many bytes the index grew, which may be negative.
func (d *deadlines) sweep(n int, deadline func(due) int64) (grown int64) {
	for range n {
		if len(d.heap) == 0 {
			break
		}
		if d.at >= len(d.heap) {
			d.at = 0
		}
		it := d.heap[d.at]
		switch at := min(deadline(it), lastDue); {
		case at < it.at():
			d.remove(d.at) // another item is there now, to be looked at next
			continue
		case at > it.at():
			d.delay(d.at, at)
		}
		d.at++
	}
	d.look()
	if room := cap(d.heap); room > 4*len(d.heap)+64 {
		d.heap = append(make([]due, 0, 2*len(d.heap)), d.heap...)
		return int64(cap(d.heap)-room) * dueBytes
	}
	return 0
}
