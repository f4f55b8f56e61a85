package keyspace

import (
	"encoding/binary"
	"strconv"

	"github.com/skeindb/skein/internal/base/polite"
	"github.com/skeindb/skein/internal/data/table"
)

// walk is a cut on its way into a sink.
type walk struct {
	cut  *Cut
	sink Sink
	db   int // that the sink was told last, or -1
	item Item
	text []byte // of a number
	made scratch
	runs int // slices since the last rest

	rester polite.Worker
}

// restAfter is how many slices the walk runs between two rests: about a
// millisecond, less than the system lets a thread run while others wait.
const restAfter = 64

// Walk shows every key of the cut to s, each once, and ends the cut. It holds no
// lock while it calls s, and a stripe for a few microseconds in between; nobody may
// hold the stripes and wait for it. The error is that of s, ErrAborted or ErrBehind.
func (c *Cut) Walk(s Sink) error {
	if err := c.begin(); err != nil {
		return err
	}
	w := walk{cut: c, sink: s, db: -1}
	return c.end(w.run())
}

func (w *walk) run() error {
	var own batch
	at := 0
	for db := range w.cut.counts {
		if w.cut.counts[db].keys == 0 {
			continue
		}
		if err := w.enter(db); err != nil {
			return err
		}
		for ; at < len(w.cut.parts) && w.cut.parts[at].db == db; at++ {
			if err := w.part(&w.cut.parts[at], &own); err != nil {
				return err
			}
		}
	}
	return w.relieve()
}

// part walks one part.
func (w *walk) part(p *part, own *batch) error {
	for more := true; more; {
		if err := w.relieve(); err != nil {
			return err
		}
		more = p.slice(own)
		if err := w.emit(own); err != nil {
			return err
		}
		own.reset()
		if w.runs++; w.runs == restAfter {
			w.runs = 0
			w.rester.Rest()
		}
	}
	return nil
}

// relieve gives the sink what writers have taken, so that it leaves the memory.
func (w *walk) relieve() error {
	for b := w.cut.next(); b != nil; b = w.cut.next() {
		if err := w.emit(b); err != nil {
			return err
		}
		w.cut.passed(b)
	}
	return w.stopped()
}

// stopped is why the walk cannot go on.
func (w *walk) stopped() error {
	if w.cut.over.Load() {
		return ErrAborted // end knows better
	}
	return nil
}

// enter makes db the sink's database.
func (w *walk) enter(db int) error {
	if w.db == db {
		return nil
	}
	w.db = db
	n := &w.cut.counts[db]
	return w.sink.Database(db, n.keys, n.volatile)
}

// emit gives a batch to the sink.
func (w *walk) emit(b *batch) error {
	entry, from := 0, 0
	for _, s := range b.shares {
		if err := w.enter(s.db); err != nil {
			return err
		}
		for range s.entries {
			if err := w.stopped(); err != nil {
				return err
			}
			w.show(b, table.Entry(b.buf[from:b.ends[entry]]), s)
			if err := w.sink.Put(&w.item); err != nil {
				return err
			}
			from = b.ends[entry]
			entry++
		}
		w.cut.done.Add(int64(s.entries))
	}
	return nil
}

// show makes the item that the sink sees.
func (w *walk) show(b *batch, e table.Entry, s share) {
	it := &w.item
	*it = Item{DB: s.db, Slot: s.slot, Key: e.Key(), ExpiryMs: -1}
	if e.Expires() {
		it.ExpiryMs = e.Expiry()
	}
	if w.cut.tuning.Policy.lfu() {
		it.Freq = lfuNow(e.Clock(), w.cut.tuning, w.cut.nowMs)
	} else {
		it.IdleSec = idleSeconds(e.Clock(), w.cut.nowMs)
	}
	switch val, k := e.Value(), e.Kind(); {
	case isPacked(k):
		w.made.reset()
		it.Object = w.made.unpack(k, val, true)
	case k == kindObject:
		it.Object = b.objects[binary.LittleEndian.Uint64(val)]
	case k == kindInt:
		w.text = strconv.AppendInt(w.text[:0], int64(binary.LittleEndian.Uint64(val)), 10)
		it.Bytes = w.text
	default:
		it.Bytes = val
	}
}
