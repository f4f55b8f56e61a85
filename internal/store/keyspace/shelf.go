package keyspace

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/data/table"
	"github.com/skeindb/skein/internal/data/value"
)

// shelf is one database's part of a stripe, under the stripe's lock. It holds
// all that belongs to its keys, so that FLUSHDB can take it away as it stands
// and free it at leisure.
type shelf struct {
	tables  []atomic.Pointer[table.Table] // by slot >> shift; nil until first used
	keys    atomic.Int64
	cut     *part // nil unless a cut still wants some of it
	due     deadlines
	fields  deadlines // of hashes: the next of their fields'
	objects []kept
	holes   []uint32 // free places in objects
	bytes   int64    // its part of Keyspace.beside
}

// kept is an object with the bytes it is accounted for: what it takes may change
// while it is kept, and what is taken off the account must be what was put there.
type kept struct {
	object value.Object
	bytes  int
	next   int64 // of a hash, the earliest deadline of a field, as the index knows it; -1: none
}

// What tables, shelves and references to objects cost outside the arena.
const (
	tableBytes = int64(unsafe.Sizeof(table.Table{}))
	shelfBytes = int64(unsafe.Sizeof(shelf{}))
	wordBytes  = int64(unsafe.Sizeof(uintptr(0)))
	keptBytes  = int64(unsafe.Sizeof(kept{}))
	holeBytes  = 4
)

// furnish makes shelf and table of p exist.
func (ks *Keyspace) furnish(db int, p *place) {
	if p.table != nil {
		return
	}
	if p.shelf == nil {
		p.shelf = &shelf{tables: make([]atomic.Pointer[table.Table], slot.Count>>ks.shift)}
		p.shelf.due.look()
		p.shelf.fields.look()
		p.shelf.weigh(ks, shelfBytes+int64(len(p.shelf.tables))*wordBytes)
		p.stripe.shelves[db].Store(p.shelf)
		ks.inUse[db].Store(true)
	}
	p.table = new(table.Table)
	p.table.Init(ks.arena, ks.seed)
	p.shelf.weigh(ks, tableBytes)
	p.shelf.tables[p.slot>>ks.shift].Store(p.table)
}

// weigh accounts for so many bytes more outside the arena.
func (sh *shelf) weigh(ks *Keyspace, bytes int64) {
	if bytes != 0 {
		sh.bytes += bytes
		ks.beside.Add(bytes)
	}
}

// keep stores the object of the key at p and returns its index, which the entry has
// as value.
func (p *place) keep(ks *Keyspace, o value.Object) uint64 {
	sh, k := p.shelf, kept{o, o.Bytes(), NoExpiry}
	sh.weigh(ks, int64(k.bytes))
	k.track(ks, p)
	if n := len(sh.holes); n > 0 {
		i := sh.holes[n-1]
		sh.holes = sh.holes[:n-1]
		sh.objects[i] = k
		return uint64(i)
	}
	room := cap(sh.objects)
	sh.objects = append(sh.objects, k)
	sh.weigh(ks, int64(cap(sh.objects)-room)*keptBytes)
	return uint64(len(sh.objects) - 1)
}

// object is what an entry of kindObject refers to.
func (sh *shelf) object(e table.Entry) *kept {
	return &sh.objects[binary.LittleEndian.Uint64(e.Value())]
}

// settle accounts for the object of the key at p as it is now.
func (k *kept) settle(ks *Keyspace, p *place) {
	now := k.object.Bytes()
	p.shelf.weigh(ks, int64(now-k.bytes))
	k.bytes = now
	k.track(ks, p)
}

// drop lets go of the object at index i.
func (sh *shelf) drop(ks *Keyspace, i uint64) {
	sh.weigh(ks, -int64(sh.objects[i].bytes))
	sh.fields.move(sh.objects[i].next, NoExpiry, 0, 0)
	sh.objects[i] = kept{}
	room := cap(sh.holes)
	sh.holes = append(sh.holes, uint32(i))
	sh.weigh(ks, int64(cap(sh.holes)-room)*holeBytes)
	if len(sh.holes) == len(sh.objects) {
		sh.weigh(ks, -int64(cap(sh.objects))*keptBytes-int64(cap(sh.holes))*holeBytes)
		sh.objects, sh.holes = nil, nil
	}
}

// bump adds to a counter that only the holder of one lock changes and that
// others read without it: cheaper than an atomic addition.
func bump(c *atomic.Int64, n int64) { c.Store(c.Load() + n) }
