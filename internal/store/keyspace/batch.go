package keyspace

import (
	"encoding/binary"

	"github.com/skeindb/skein/internal/data/table"
	"github.com/skeindb/skein/internal/data/value"
)

// batch is a row of shares on their way to the sink: copies of their entries, one
// behind the other, and what those refer to, frozen.
type batch struct {
	shares  []share
	ends    []int // of the entries within buf
	buf     []byte
	objects []value.Object // the value of an entry that refers to one is its index
	frozen  int64          // bytes of objects
}

// share says whose the next entries of a batch are.
type share struct {
	db      int
	slot    uint16
	entries int
}

// copy adds an entry of sh.
func (b *batch) copy(sh *shelf, e table.Entry) {
	from := len(b.buf)
	b.buf = append(b.buf, e...)
	b.ends = append(b.ends, len(b.buf))
	if e.Kind() == kindObject {
		k := sh.object(e)
		binary.LittleEndian.PutUint64(table.Entry(b.buf[from:]).Value(), uint64(len(b.objects)))
		b.objects = append(b.objects, k.object.Freeze())
		b.frozen += int64(k.bytes)
	}
}

// bytes is about the memory of what the batch holds. A frozen object counts in
// full, since the live one may go away.
func (b *batch) bytes() int64 {
	return int64(len(b.buf)+len(b.ends)*8+len(b.shares)*32) + b.frozen
}

// reset empties the batch, and keeps room of a usual size for the next use.
func (b *batch) reset() {
	clear(b.objects)
	buf := b.buf[:0]
	if cap(buf) > 4*batchBytes {
		buf = nil
	}
	*b = batch{shares: b.shares[:0], ends: b.ends[:0], buf: buf, objects: b.objects[:0]}
}
