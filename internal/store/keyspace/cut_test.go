package keyspace

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skeindb/skein/internal/base/slot"
)

// gathering is a sink that keeps what it gets, and does something else with each item.
type gathering struct {
	t    testing.TB
	db   int
	keys []map[string]modelValue
	n    int
	then func(n int, it *Item) error
}

func newGathering(t testing.TB, then func(int, *Item) error) *gathering {
	g := &gathering{t: t, db: -1, then: then}
	for range modelDBs {
		g.keys = append(g.keys, map[string]modelValue{})
	}
	return g
}

func (g *gathering) Database(db int, keys, volatile int64) error {
	if db == g.db || keys <= 0 || volatile < 0 || volatile > keys {
		g.t.Errorf("database %d has %d keys, %d of them volatile, after database %d", db, keys, volatile, g.db)
	}
	g.db = db
	return nil
}

func (g *gathering) Put(it *Item) error {
	if it.DB != g.db || it.Slot != slot.Of(it.Key) {
		g.t.Errorf("%s is in database %d, slot %d, while the database is %d", it.Key, it.DB, it.Slot, g.db)
	}
	m := g.keys[it.DB]
	if _, again := m[string(it.Key)]; again {
		g.t.Errorf("%s comes twice", it.Key)
	}
	m[string(it.Key)] = modelValue{string(bytesOf(it)), it.ExpiryMs}
	g.n++
	if g.then == nil {
		return nil
	}
	return g.then(g.n, it)
}

func bytesOf(it *Item) []byte {
	if it.Object != nil {
		return []byte(render(it.Object))
	}
	return it.Bytes
}

// snapshot is the model at one instant.
type snapshot struct {
	now  int64
	keys []map[string]modelValue
}

// cut takes a cut of keyspace and model alike.
func (p *player) cut() (*Cut, snapshot) {
	p.begin(0)
	s := snapshot{now: p.now}
	for db := range modelDBs {
		m := map[string]modelValue{}
		for i := range p.stripes {
			for key, v := range p.stripes[i][db] {
				m[key] = v
			}
		}
		s.keys = append(s.keys, m)
	}
	c, err := p.ks.Cut()
	p.must(err)
	p.end()
	return c, s
}

// equals asks that the sink got the snapshot. Keys past their deadline may be
// missing, since nobody told the model when they are removed.
func (g *gathering) equals(s snapshot) {
	g.t.Helper()
	for db, want := range s.keys {
		for key, v := range want {
			got, ok := g.keys[db][key]
			switch {
			case !ok && (v.expiry < 0 || v.expiry >= s.now):
				g.t.Fatalf("database %d: %s is missing", db, key)
			case ok && got != v:
				g.t.Fatalf("database %d: %s is %.40q until %d, want %.40q until %d", db, key, got.val, got.expiry, v.val, v.expiry)
			}
		}
		for key := range g.keys[db] {
			if _, ok := want[key]; !ok {
				g.t.Fatalf("database %d: %s was not there", db, key)
			}
		}
	}
}

// TestCutModel plays from within the sink, so that all kinds of changes take
// place between any two items.
func TestCutModel(t *testing.T) {
	for _, tag := range []string{"", "{one slot}"} {
		rnd := rand.New(rand.NewPCG(17, uint64(len(tag))))
		p := &player{model: newModel(t, 8), t: t, rnd: rnd.IntN, tag: tag, keys: 400, calm: 40}
		for range 16 / scale {
			for range rnd.IntN(2000) {
				p.step()
			}
			p.walk(rnd.IntN(8))
			p.all()
		}
	}
}

// walk takes a cut and walks it, making so many steps for each item.
func (p *player) walk(steps int) {
	c, want := p.cut()
	g := newGathering(p.t, func(int, *Item) error {
		for range steps {
			p.step()
		}
		return nil
	})
	p.must(c.Walk(g))
	g.equals(want)
	if s := c.Stats(); s.Done != int64(g.n) || s.Held != 0 || p.ks.CutHeld() != 0 {
		p.failf("%d keys: %+v", g.n, s)
	}
}

// TestCutTogether cuts again and again while others write, and builds another
// data set from what it gets, or breaks off.
func TestCutTogether(t *testing.T) {
	m := newModel(t, 4)
	rnd := rand.New(rand.NewPCG(2, 5))
	p := &player{model: m, t: t, rnd: rnd.IntN, keys: 300}
	for range 1000 {
		p.step()
	}
	var writers sync.WaitGroup
	var stop atomic.Bool
	for i := range 3 {
		writers.Go(func() {
			p := &player{model: m, t: t, rnd: rand.New(rand.NewPCG(uint64(i), 5)).IntN, keys: 300, calm: 40,
				tag: []string{"", "{a}", "{b}"}[i]}
			for !stop.Load() {
				p.step()
			}
		})
	}
	end := func() { stop.Store(true); writers.Wait() }
	t.Cleanup(end) // also when something is wrong
	var copied int64
	for round := 0; round < 200/min(scale, 4) || copied == 0; round++ {
		c, want := p.cut()
		breaks := rnd.IntN(2000)
		b := m.ks.NewBuilder()
		g := newGathering(t, func(n int, it *Item) error {
			if n == breaks {
				c.Abort()
			}
			if n%8 == 0 {
				runtime.Gosched()
			}
			return b.Put(it)
		})
		switch err := c.Walk(g); {
		case err == nil:
			g.equals(want)
		case !errors.Is(err, ErrAborted) || g.n < breaks:
			t.Fatal(err)
		}
		copied += c.Stats().Copied
		if b.Size(0) != int64(len(g.keys[0])) {
			t.Errorf("the builder has %d keys of %d", b.Size(0), len(g.keys[0]))
		}
		if rnd.IntN(4) == 0 {
			p.install(b, g.keys)
		} else {
			b.Discard()
		}
	}
	end()
	p.all()
}

// install replaces the data set of keyspace and model by what a sink has got.
func (p *player) install(b *Builder, keys []map[string]modelValue) {
	p.begin(0)
	b.Install()
	for i := range p.stripes {
		for db := range p.stripes[i] {
			clear(p.stripes[i][db])
		}
	}
	for db := range keys {
		for key, v := range keys[db] {
			p.at(db, []byte(key))[key] = v
		}
	}
	p.end()
}

// TestCutWhileTablesSplitAndMerge: the shares stay what they were.
func TestCutWhileTablesSplitAndMerge(t *testing.T) {
	key := func(i int) []byte { return fmt.Appendf(nil, "{x}%d", i) }
	const keys = 3000
	for _, to := range []int{0, 5, 1000, 9000} {
		ks := newKeyspace(t, Options{Databases: modelDBs, Stripes: 4})
		do(ks, 1000, func(tx *WriteTx) {
			for i := range keys {
				tx.SetStr(key(i), []byte("old"), NoExpiry)
			}
		})
		c := cutOf(t, ks)
		at := keys
		g := newGathering(t, func(int, *Item) error {
			do(ks, 1000, func(tx *WriteTx) {
				for range 4 {
					switch {
					case at < to:
						tx.SetStr(key(at), []byte("new"), NoExpiry)
						at++
					case at > to:
						at--
						tx.Delete(key(at))
					}
				}
			})
			return nil
		})
		if err := c.Walk(g); err != nil {
			t.Fatal(err)
		}
		if len(g.keys[0]) != keys {
			t.Errorf("%d keys of %d came while there became %d", len(g.keys[0]), keys, to)
		}
		for k, v := range g.keys[0] {
			if v.val != "old" {
				t.Fatalf("%s is new", k)
			}
		}
		ks.check(t)
	}
}

func cutOf(t testing.TB, ks *Keyspace) (c *Cut) {
	t.Helper()
	do(ks, 1000, func(*WriteTx) {
		var err error
		if c, err = ks.Cut(); err != nil {
			t.Fatal(err)
		}
	})
	return c
}

// TestCutOfChangingObject: a large string is shared, and changes beside.
func TestCutOfChangingObject(t *testing.T) {
	ks := newKeyspace(t, Options{Databases: modelDBs})
	old := bytes.Repeat([]byte("0123456789"), 20_000)
	do(ks, 1000, func(tx *WriteTx) { tx.SetStr([]byte("big"), old, NoExpiry) })
	c := cutOf(t, ks)
	do(ks, 1000, func(tx *WriteTx) {
		e, _ := tx.Edit([]byte("big"), 0)
		e.WriteAt(5, []byte("changed"))
		tx.Append([]byte("big"), []byte("more"))
		tx.Rename([]byte("big"), []byte("other"))
		tx.Append([]byte("other"), []byte("more"))
	})
	if s := c.Stats(); s.Held < int64(len(old)) || s.Held != ks.CutHeld() {
		t.Errorf("%d bytes are held", s.Held)
	}
	g := newGathering(t, func(_ int, it *Item) error {
		if !bytes.Equal(bytesOf(it), old) || string(it.Key) != "big" {
			t.Errorf("%s: %d bytes", it.Key, len(bytesOf(it)))
		}
		return nil
	})
	if err := c.Walk(g); err != nil || g.n != 1 {
		t.Error(g.n, err)
	}
	ks.check(t)
}

// TestCutSaysHowOldKeysAre, by either clock.
func TestCutSaysHowOldKeysAre(t *testing.T) {
	for _, policy := range []Policy{NoEviction, AllKeysLFU} {
		ks := newKeyspace(t, Options{Databases: modelDBs})
		ks.Tune(Tuning{Policy: policy, Samples: 5, LFULogFactor: 10})
		b := ks.NewBuilder()
		if err := b.Put(&Item{Key: []byte("key"), ExpiryMs: 5000, IdleSec: 77, Freq: 42}); err != nil {
			t.Fatal(err)
		}
		do(ks, 1000, func(*WriteTx) { b.Install() })
		g := newGathering(t, func(_ int, it *Item) error {
			if policy.Frequency() && it.Freq != 42 || !policy.Frequency() && (it.IdleSec < 77 || it.IdleSec > 100) {
				t.Errorf("idle for %d s, frequency %d", it.IdleSec, it.Freq)
			}
			if it.ExpiryMs != 5000 {
				t.Errorf("deadline %d", it.ExpiryMs)
			}
			return nil
		})
		if err := cutOf(t, ks).Walk(g); err != nil || g.n != 1 {
			t.Error(g.n, err)
		}
	}
}

func TestAbort(t *testing.T) {
	ks := newKeyspace(t, Options{Databases: modelDBs})
	fill(t, ks, 1000, "value", nil)
	var first, second *Cut
	do(ks, 1000, func(tx *WriteTx) { // all within one hold: FLUSHALL ends a save and saves anew
		first, _ = ks.Cut()
		if _, err := ks.Cut(); err != ErrCutting {
			t.Error(err)
		}
		tx.Clear(false)
		first.Abort()
		first.Abort()
		tx.SetStr([]byte("only"), nil, NoExpiry)
		var err error
		if second, err = ks.Cut(); err != nil {
			t.Fatal(err)
		}
	})
	if err := first.Walk(newGathering(t, nil)); err != ErrAborted {
		t.Error(err)
	}
	g := newGathering(t, nil)
	if err := second.Walk(g); err != nil || g.n != 1 {
		t.Error(g.n, err)
	}
	if err := second.Walk(g); err != ErrAborted || g.n != 1 {
		t.Error("walked twice", err)
	}
	second.Abort()
	third := cutOf(t, ks)
	ill := errors.New("no space left")
	if err := third.Walk(newGathering(t, func(int, *Item) error { return ill })); err != ill {
		t.Error(err)
	}
	cutOf(t, ks).Abort()
	cutOf(t, ks).Abort()
	ks.check(t)
}

// TestCutOfOwnedStripes: who works long keeps others from its stripes, but not the walk.
func TestCutOfOwnedStripes(t *testing.T) {
	ks := newKeyspace(t, Options{Databases: modelDBs})
	fill(t, ks, 100, "value", nil)
	h, o := slotHold(ks, "k1"), &Owner{What: "a test"}
	ks.Acquire(h, nil)
	ks.Own(h, o)
	defer ks.Disown(o)
	var all Hold
	ks.AcquireAll(&all)
	c, err := ks.Cut()
	ks.Release(&all)
	g := newGathering(t, nil)
	if err != nil || c.Walk(g) != nil || g.n != 100 {
		t.Error(g.n, err)
	}
}

// TestCutBehind: what writers change does not pile up for a sink that hangs.
func TestCutBehind(t *testing.T) {
	const keys = 20_000 / min(scale, 4)
	for _, limit := range []int64{1 << 20, 0} {
		ks := newKeyspace(t, Options{Databases: modelDBs})
		fill(t, ks, keys, string(alphabets[:500]), nil)
		c := cutOf(t, ks)
		c.Limit(limit)
		g := newGathering(t, func(n int, _ *Item) error {
			if n == 1 {
				fill(t, ks, keys, "short", nil)
			}
			return nil
		})
		err := c.Walk(g)
		s := c.Stats()
		if s.Held != 0 || ks.CutHeld() != 0 {
			t.Errorf("%d bytes are still held", s.Held)
		}
		switch {
		case limit == 0 && (err != nil || g.n != keys):
			t.Error(g.n, err)
		case limit > 0 && (err != ErrBehind || s.Peak < limit || s.Peak > limit+100_000):
			t.Errorf("%v after %d bytes", err, s.Peak)
		}
		cutOf(t, ks).Abort()
		ks.check(t)
	}
}

// TestCutKeepsUp: what the sink has taken does not count against the limit.
func TestCutKeepsUp(t *testing.T) {
	ks := newKeyspace(t, Options{Databases: modelDBs, Stripes: 4})
	const keys = 20_000
	fill(t, ks, keys, string(alphabets[:500]), nil)
	c := cutOf(t, ks)
	c.Limit(1 << 20)
	g := newGathering(t, func(n int, _ *Item) error {
		do(ks, 1000, func(tx *WriteTx) { tx.SetStr(name(keys-n), []byte("short"), NoExpiry) })
		return nil
	})
	if err := c.Walk(g); err != nil || g.n != keys {
		t.Error(g.n, err)
	}
	if s := c.Stats(); s.Copied < 2<<20 || s.Peak > 1<<20 {
		t.Errorf("%+v", s)
	}
}

// TestAbortedWalkBesideNext: a sink that hangs may come back when another cut is
// long under way.
func TestAbortedWalkBesideNext(t *testing.T) {
	ks := newKeyspace(t, Options{Databases: modelDBs})
	const keys = 1000
	fill(t, ks, keys, "value", nil)
	var inner *gathering
	first := cutOf(t, ks)
	outer := newGathering(t, func(int, *Item) error {
		first.Abort()
		second := cutOf(t, ks)
		fill(t, ks, keys, "other", nil)
		inner = newGathering(t, nil)
		return second.Walk(inner)
	})
	if err := first.Walk(outer); err != ErrAborted || outer.n != 1 {
		t.Error(outer.n, err)
	}
	if inner.n != keys || inner.keys[0]["k7"].val != "value" {
		t.Error(inner.n, inner.keys[0]["k7"])
	}
	third := newGathering(t, nil)
	if err := cutOf(t, ks).Walk(third); err != nil || third.n != keys || third.keys[0]["k7"].val != "other" {
		t.Error(third.n, err)
	}
	ks.check(t)
}

// TestCloseDuringWalk: a node may stop while a sink hangs.
func TestCloseDuringWalk(t *testing.T) {
	ks, err := New(Options{Databases: modelDBs})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, ks, 5000, "value", nil)
	g := newGathering(t, func(int, *Item) error {
		do(ks, 1000, func(tx *WriteTx) { tx.Clear(true) })
		ks.Close()
		return nil
	})
	if err := cutOf(t, ks).Walk(g); err != ErrAborted || g.n != 1 {
		t.Error(g.n, err)
	}
}

// TestFlushDuringCut: the keys are gone for everybody else, memory included.
func TestFlushDuringCut(t *testing.T) {
	for _, later := range []bool{false, true} {
		ks := newKeyspace(t, Options{Databases: modelDBs})
		empty := ks.Used()
		fill(t, ks, 20_000, "value", nil)
		do(ks, 1000, func(tx *WriteTx) {
			tx.SelectDB(1)
			tx.SetStr([]byte("one"), make([]byte, 1<<20), NoExpiry)
		})
		full := ks.Used() - empty
		c := cutOf(t, ks)
		g := newGathering(t, func(n int, it *Item) error {
			switch n {
			case 5:
				do(ks, 1000, func(tx *WriteTx) { tx.Swap(0, 1) })
			case 10:
				do(ks, 1000, func(tx *WriteTx) {
					tx.Clear(later)
					tx.SelectDB(1)
					tx.Clear(later)
				})
				if s := c.Stats(); ks.Used()-empty > full/20 || ks.Used() < 0 || s.Flushed < full/2 {
					t.Errorf("%d of %d bytes are in use, %d flushed", ks.Used()-empty, full, s.Flushed)
				}
			}
			return nil
		})
		if err := c.Walk(g); err != nil || len(g.keys[0]) != 20_000 || len(g.keys[1]) != 1 {
			t.Error(g.n, err)
		}
		ks.check(t)
		if ks.Used() != empty || c.Stats().Flushed != 0 {
			t.Errorf("%d bytes are left", ks.Used()-empty)
		}
	}
}

// TestCutOfNothing ends at once.
func TestCutOfNothing(t *testing.T) {
	ks := newKeyspace(t, Options{Databases: modelDBs})
	g := newGathering(t, nil)
	if err := cutOf(t, ks).Walk(g); err != nil || g.n != 0 || g.db != -1 {
		t.Error(g.n, err)
	}
	fill(t, ks, 1, "x", nil)
	do(ks, 1000, func(tx *WriteTx) { tx.Delete(name(0)) })
	if err := cutOf(t, ks).Walk(g); err != nil || g.n != 0 || g.db != -1 {
		t.Error(g.n, err)
	}
}

// TestTakenSharesCostNothing: a key that changes again and again during a cut is
// copied once.
func TestTakenSharesCostNothing(t *testing.T) {
	if scale > 1 {
		t.Skip("the race detector allocates")
	}
	ks := newKeyspace(t, Options{Databases: modelDBs})
	fill(t, ks, 1000, "value", nil)
	c := cutOf(t, ks)
	defer c.Abort()
	var tx WriteTx
	key, h := name(3), slotHold(ks, "k3")
	set := func() {
		ks.Acquire(h, nil)
		tx.Begin(ks, h, 0, 1000, 0)
		tx.SetStr(key, alphabets[:9], NoExpiry)
		tx.Commit(nil)
		ks.Release(h)
	}
	set()
	before := c.Stats().Copied
	if n := testing.AllocsPerRun(1000, set); n != 0 || c.Stats().Copied != before || before == 0 {
		t.Errorf("%v allocations, %d bytes copied, then %d", n, before, c.Stats().Copied)
	}
}

// putFunc is a sink that does not care about databases.
type putFunc func(*Item) error

func (putFunc) Database(int, int64, int64) error { return nil }
func (f putFunc) Put(it *Item) error             { return f(it) }

// discarding is the fastest sink there is.
type discarding struct{ keys int }

func (d *discarding) Database(int, int64, int64) error { return nil }
func (d *discarding) Put(*Item) error                  { d.keys++; return nil }

// BenchmarkCut is the instant of a cut, all stripes held, with a million keys in
// all slots.
func BenchmarkCut(b *testing.B) {
	ks := newKeyspace(b, Options{})
	fill(b, ks, 1_000_000, "thirty-two bytes of value, about", nil)
	for b.Loop() {
		cutOf(b, ks).Abort()
		b.StopTimer()
		ks.graves.done.Wait()
		b.StartTimer()
	}
}

// BenchmarkWalk tells ns per key, half of which share a slot.
func BenchmarkWalk(b *testing.B) {
	ks := newKeyspace(b, Options{})
	const keys = 500_000
	fill(b, ks, keys, "thirty-two bytes of value, about", nil)
	do(ks, 1000, func(tx *WriteTx) {
		for i := range keys {
			tx.SetStr(fmt.Appendf(nil, "{x}%d", i), []byte("thirty-two bytes of value, about"), NoExpiry)
		}
	})
	var d discarding
	for b.Loop() {
		if err := cutOf(b, ks).Walk(&d); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(d.keys), "ns/key")
}

// BenchmarkFirstChange is a SET that has to hand over the share of its key.
func BenchmarkFirstChange(b *testing.B) {
	ks := newKeyspace(b, Options{})
	const keys = 1_000_000
	fill(b, ks, keys, "thirty-two bytes of value, about", nil)
	var names [][]byte
	for i := range keys {
		names = append(names, name(i))
	}
	hold := new(Hold)
	var tx WriteTx
	var c *Cut
	for i := 0; b.Loop(); i++ {
		if i%100_000 == 0 {
			b.StopTimer()
			if c != nil {
				c.Abort()
				ks.graves.done.Wait()
			}
			c = cutOf(b, ks)
			c.Limit(0)
			b.StartTimer()
		}
		key := names[i*7919%keys]
		hold.Reset(ks)
		hold.AddSlot(slot.Of(key))
		ks.Acquire(hold, nil)
		tx.Begin(ks, hold, 0, 1000, 0)
		tx.SetStr(key, []byte("thirty-two bytes of value, other"), NoExpiry)
		tx.Commit(nil)
		ks.Release(hold)
	}
	b.ReportMetric(float64(c.Stats().Copied)/100_000, "B/change")
	c.Abort()
}
