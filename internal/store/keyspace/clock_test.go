package keyspace

import (
	"testing"
)

func TestLRUClock(t *testing.T) {
	ks := newKeyspace(t, Options{})
	fill(t, ks, 1, "v", nil)
	at := func(nowMs int64, a Access, idle int64, touch bool) {
		t.Helper()
		doAs(ks, nowMs, a, func(tx *WriteTx) {
			r, _ := tx.Peek(name(0))
			if got := tx.IdleSeconds(r); got != idle {
				t.Errorf("idle for %d s, want %d", got, idle)
			}
			if touch {
				tx.Get(name(0))
			}
		})
	}
	at(61_000, 0, 60, false)
	at(61_000, NoTouch, 60, true)
	at(61_000, 0, 60, true)
	at(61_999, 0, 0, false)
	at(62_000, 0, 1, false)
	do(ks, 70_000, func(tx *WriteTx) {
		r, _ := tx.Peek(name(0))
		tx.SetIdle(r, 50)
	})
	at(71_000, 0, 51, false)
	at((1<<24+20)*1000, 0, 0, false) // 24 bits of seconds come round
}

func TestLFUClock(t *testing.T) {
	ks := newKeyspace(t, Options{})
	ks.Tune(Tuning{Policy: AllKeysLFU, LFULogFactor: 0, LFUDecayMin: 2})
	fill(t, ks, 1, "v", nil)
	frequency := func(nowMs, want int64) {
		t.Helper()
		do(ks, nowMs, func(tx *WriteTx) {
			r, _ := tx.Peek(name(0))
			if got := tx.Frequency(r); got != want {
				t.Errorf("frequency %d, want %d", got, want)
			}
		})
	}
	frequency(1000, lfuInit)
	do(ks, 1000, func(tx *WriteTx) { // with factor 0 each use counts
		tx.Get(name(0))
		tx.SetStr(name(0), []byte("other"), NoExpiry)
		tx.SetStr(name(0), make([]byte, 1000), NoExpiry)
	})
	frequency(1000, lfuInit+3)
	doAs(ks, 1000, NoTouch, func(tx *WriteTx) {
		tx.Get(name(0))
		tx.SetStr(name(0), []byte("other"), NoExpiry)
	})
	frequency(1000, lfuInit+3)
	frequency(1000+4*60_000, lfuInit+1)
	frequency(1000+400*60_000, 0)
	do(ks, 1000, func(tx *WriteTx) {
		r, _ := tx.Peek(name(0))
		tx.SetFrequency(r, 255)
		tx.Get(name(0))
	})
	frequency(1000, 255)
	hits := 0
	for range 10_000 { // the chance is 1 in (100-5)*10+1
		if lfuUp(100, &Tuning{LFULogFactor: 10}) > 100 {
			hits++
		}
	}
	if hits > 60 {
		t.Errorf("a counter of 100 rose %d times in 10000", hits)
	}
}
