package keyspace

import (
	"time"

	"github.com/skeindb/skein/internal/data/value"
)

// Builder makes a data set beside the live one, which goes on as if there were
// none: what a snapshot is loaded into. One goroutine uses it, without locks. Its
// memory counts as used from the beginning.
type Builder struct {
	live  *Keyspace
	made  *Keyspace // on the arena of live, with stripes of its own
	tx    WriteTx
	nowMs int64
	puts  int
	spent bool
}

// clockPuts is how many keys are put between two looks at the clock.
const clockPuts = 64

// NewBuilder begins an empty data set. It ends with Install or Discard.
func (ks *Keyspace) NewBuilder() *Builder {
	o := ks.opt
	o.Log, o.Listener, o.Tracker = nil, nil, nil
	b := &Builder{live: ks, made: newOn(ks.arena, ks.seed, ks.beside, o)}
	b.made.tuning.Store(ks.tuning.Load())
	return b
}

// Put adds a key, past its deadline or not. The errors are ErrFull, ErrExists and
// ErrNoDatabase; nothing has changed then.
func (b *Builder) Put(it *Item) error {
	if it.DB < 0 || it.DB >= b.made.opt.Databases {
		return ErrNoDatabase
	}
	if b.puts%clockPuts == 0 {
		b.nowMs = time.Now().UnixMilli()
	}
	b.puts++
	tx := &b.tx
	tx.Begin(b.made, nil, it.DB, b.nowMs, SeeExpired|NoTouch)
	r, there := tx.Peek(it.Key)
	if there {
		return ErrExists
	}
	var c content
	switch s, isString := it.Object.(*value.String); {
	case it.Object == nil:
		c.encode(it.Bytes)
	case isString && s.Len() <= inlineMax:
		c.encode(Str{big: s}.Bytes())
	default:
		c.hold(it.Object, inlineMax)
	}
	if err := tx.put(&r, it.Key, &c, max(it.ExpiryMs, NoExpiry)); err != nil {
		return err
	}
	b.age(&r, it)
	return nil
}

// age sets the access clock.
func (b *Builder) age(r *Ref, it *Item) {
	switch lfu := b.tx.tuning.Policy.lfu(); {
	case lfu && it.Freq > 0:
		b.tx.SetFrequency(*r, it.Freq)
	case !lfu && it.IdleSec > 0:
		b.tx.SetIdle(*r, it.IdleSec)
	}
}

// Size is the number of keys in a database.
func (b *Builder) Size(db int) int64 { return b.made.Size(db) }

// Install replaces the whole data set of the keyspace, however large both are, in
// the time that it takes to pass through the stripes; the caller has acquired all
// of them. What was there is freed in the background. WATCH sees every key
// change that was there or is there now. Nothing is logged and no event told.
func (b *Builder) Install() {
	if b.spent {
		return
	}
	b.spent = true
	var tx ReadTx
	tx.Begin(b.live, nil, 0, time.Now().UnixMilli(), 0)
	tx.untrackAll()
	var old []*shelf
	for i := range b.live.stripes {
		st := &b.live.stripes[i]
		for db := range st.shelves {
			was, is := st.shelves[db].Load(), b.made.stripes[i].shelves[db].Load()
			if was == nil && is == nil {
				continue
			}
			tx.swapped(st, db, was, is)
			st.shelves[db].Store(is)
			if was != nil {
				old = append(old, was)
			}
		}
	}
	for db := range b.made.inUse {
		if b.made.inUse[db].Load() {
			b.live.inUse[db].Store(true)
		}
	}
	b.live.fullest.raise(int(b.made.fullest.Load()))
	b.live.mostDue.raise(int(b.made.mostDue.Load()))
	if b.made.timed.Load() {
		b.live.time()
	}
	b.live.owns.clear()
	b.live.bury(old, true)
}

// Discard gives the memory back, in the background. After Install it does nothing.
func (b *Builder) Discard() {
	if b.spent {
		return
	}
	b.spent = true
	var old []*shelf
	for i := range b.made.stripes {
		for db := range b.made.opt.Databases {
			if sh := b.made.stripes[i].shelves[db].Load(); sh != nil {
				old = append(old, sh)
			}
		}
	}
	b.live.graves.add(b.live, old)
}
