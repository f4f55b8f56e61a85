package keyspace

import (
	"math/rand/v2"
)

// The access clock of a key has 24 bits. Under an LFU policy they are, as in
// redis, 16 bits of the minute of the last decrement and 8 bits of a
// logarithmic counter; otherwise the second of the last access.
const (
	clockBits = 1<<24 - 1
	lfuInit   = 5 // what a new key's counter begins with, so that it lives a while
)

// clock is the access clock of a key written now.
func (tx *ReadTx) clock() uint32 {
	if tx.tuning.Policy.lfu() {
		return minutes(tx.now)<<8 | lfuInit
	}
	return uint32(tx.now/1000) & clockBits
}

// clockAfter is the access clock of a key that is overwritten: under LFU this is
// one more use of it.
func (tx *ReadTx) clockAfter(old *Ref) uint32 {
	switch {
	case !tx.tuning.Policy.lfu():
		return tx.clock()
	case tx.access&NoTouch != 0:
		return old.entry.Clock()
	}
	return tx.used(old.entry.Clock())
}

// used is the LFU clock after one more use.
func (tx *ReadTx) used(clock uint32) uint32 {
	return minutes(tx.now)<<8 | uint32(lfuUp(lfuNow(clock, tx.tuning, tx.now), tx.tuning))
}

// touch notes that a key was used.
func (tx *ReadTx) touch(r *Ref) {
	old, c := r.entry.Clock(), uint32(0)
	if tx.tuning.Policy.lfu() {
		c = tx.used(old)
	} else {
		c = tx.clock()
	}
	if c != old { // most touches come within the same second: leave the cache line clean
		r.entry.SetClock(c)
	}
}

func minutes(nowMs int64) uint32 { return uint32(nowMs/60_000) & 0xffff }

func idleSeconds(clock uint32, nowMs int64) int64 {
	return (nowMs/1000 - int64(clock)) & clockBits
}

// lfuNow is the counter after the decay of the minutes gone by.
func lfuNow(clock uint32, t *Tuning, nowMs int64) uint8 {
	counter := uint8(clock)
	if t.LFUDecayMin == 0 {
		return counter
	}
	periods := int((minutes(nowMs)-clock>>8)&0xffff) / t.LFUDecayMin
	return uint8(max(int(counter)-periods, 0))
}

// lfuUp is the counter after one more use: the higher, the rarer it grows.
func lfuUp(counter uint8, t *Tuning) uint8 {
	if counter == 255 {
		return 255
	}
	base := max(int(counter)-lfuInit, 0)
	if rand.Float64() < 1/float64(base*t.LFULogFactor+1) {
		counter++
	}
	return counter
}

// IdleSeconds is how long ago the key was used, for OBJECT IDLETIME.
func (tx *ReadTx) IdleSeconds(r Ref) int64 { return idleSeconds(r.entry.Clock(), tx.now) }

// Frequency is the decayed counter, for OBJECT FREQ.
func (tx *ReadTx) Frequency(r Ref) int64 { return int64(lfuNow(r.entry.Clock(), tx.tuning, tx.now)) }

// SetIdle and SetFrequency set what RESTORE and the loader bring along.
func (tx *WriteTx) SetIdle(r Ref, seconds int64) {
	r.entry.SetClock(uint32(tx.now/1000-seconds) & clockBits)
}

// SetFrequency sets the LFU counter.
func (tx *WriteTx) SetFrequency(r Ref, counter uint8) {
	r.entry.SetClock(minutes(tx.now)<<8 | uint32(counter))
}
