package table

import (
	"encoding/binary"

	"github.com/skeindb/skein/internal/data/arena"
)

// block names the overflow block of a bucket; without one it is zero.
type block struct {
	h      arena.Handle
	places int
}

func (b *bucket) overflows() bool { return binary.LittleEndian.Uint16(b[blockAt:]) != 0 }

func (b *bucket) block() block {
	if !b.overflows() {
		return block{}
	}
	return block{b.handle(linkPlace), int(binary.LittleEndian.Uint16(b[blockAt:]))}
}

// blockPlaces is the size of the block that a bucket of n entries wants.
func blockPlaces(n int) int {
	if n <= bucketPlaces {
		return 0
	}
	return (n - linkPlace + 3) &^ 3
}

func (bl block) bytes() int { return bl.places * (1 + handleBytes) }

// overflow is a view of a block: its tags, then its handles.
type overflow []byte

func (t *Table) overflow(b *bucket) overflow {
	bl := b.block()
	return t.arena.Bytes(bl.h, bl.bytes())
}

func (o overflow) places() int { return len(o) / (1 + handleBytes) }

func (o overflow) handle(i int) arena.Handle {
	at := o.places() + handleBytes*i - 3
	return arena.Handle(binary.LittleEndian.Uint64(o[at:]) >> handlesShift)
}

func (o overflow) get(i int) place { return place{o[i], o.handle(i)} }

func (o overflow) set(i int, p place) {
	o[i] = p.tag
	putHandle(o, o.places()+handleBytes*i, p.h)
}

// next is the first place from i on with the given tag, -1 if there is none.
func (o overflow) next(tag uint8, i int) int {
	for ; i < o.places(); i++ {
		if o[i] == tag {
			return i
		}
	}
	return -1
}

// get returns entry i of b.
func (t *Table) get(b *bucket, i int) place {
	if i < linkPlace || !b.overflows() {
		return b.get(i)
	}
	return t.overflow(b).get(i - linkPlace)
}

// set overwrites entry i of b.
func (t *Table) set(b *bucket, i int, p place) {
	if i < linkPlace || !b.overflows() {
		b.set(i, p)
		return
	}
	t.overflow(b).set(i-linkPlace, p)
}

// add appends an entry to b.
func (t *Table) add(b *bucket, p place) error {
	n := b.count()
	room := bucketPlaces
	if b.overflows() {
		room = linkPlace + b.block().places
	}
	if n < room {
		b.setCount(n + 1)
		t.set(b, n, p)
		return nil
	}
	if n == maxCount {
		return arena.ErrFull
	}
	bl, err := t.blockFor(b, n+1)
	if err == nil {
		var buf [inline]place
		t.fill(b, append(t.list(b, buf[:0]), p), bl)
	}
	return err
}

// remove takes entry i out of b; the last one takes its place.
func (t *Table) remove(b *bucket, i int) {
	n := b.count() - 1
	t.set(b, i, t.get(b, n))
	t.set(b, n, place{})
	b.setCount(n)
	// A block that is half empty shrinks, but not at the edge, where it might be wanted again at once.
	if want, have := blockPlaces(n), b.block().places; want == 0 && have > 0 || want+4 < have {
		if bl, err := t.blockFor(b, n); err == nil {
			var buf [inline]place
			t.fill(b, t.list(b, buf[:0]), bl)
		}
	}
}

// inline is how many entries are listed without the Go heap; more in one bucket are rare.
const inline = 48

// list appends the entries of b to buf.
func (t *Table) list(b *bucket, buf []place) []place {
	n := b.count()
	if !b.overflows() {
		for i := range n {
			buf = append(buf, b.get(i))
		}
		return buf
	}
	for i := range linkPlace {
		buf = append(buf, b.get(i))
	}
	o := t.overflow(b)
	for i := range n - linkPlace {
		buf = append(buf, o.get(i))
	}
	return buf
}

// blockFor returns a block for b to hold n entries: the one it has, if it fits or if there is no
// memory for a smaller one. It fails only if the block must grow.
func (t *Table) blockFor(b *bucket, n int) (block, error) {
	have, want := b.block(), blockPlaces(n)
	switch want {
	case 0:
		return block{}, nil
	case have.places:
		return have, nil
	}
	bl, err := t.newBlock(n)
	if err != nil && want < have.places {
		return have, nil
	}
	return bl, err
}

// newBlock allocates the block for a bucket of n entries, if it wants one.
func (t *Table) newBlock(n int) (block, error) {
	bl := block{0, blockPlaces(n)}
	if bl.places == 0 {
		return block{}, nil
	}
	var err error
	bl.h, err = t.alloc(bl.bytes())
	return bl, err
}

func (t *Table) freeBlock(bl block) {
	if bl.places > 0 {
		t.free(bl.h, bl.bytes())
	}
}

// fill makes b hold exactly the listed entries, with overflow block bl, and frees the block it had.
func (t *Table) fill(b *bucket, list []place, bl block) {
	if old := b.block(); old.h != bl.h {
		t.freeBlock(old)
	}
	*b = bucket{}
	b.setCount(len(list))
	if bl.places > 0 {
		clear(t.arena.Bytes(bl.h, bl.places))
		b.set(linkPlace, place{0, bl.h})
		binary.LittleEndian.PutUint16(b[blockAt:], uint16(bl.places))
	}
	direct := min(len(list), bucketPlaces)
	if bl.places > 0 {
		direct = linkPlace
		o := t.overflow(b)
		for i, p := range list[direct:] {
			o.set(i, p)
		}
	}
	for i, p := range list[:direct] {
		b.set(i, p)
	}
}

// alloc and free count the memory of the index.
func (t *Table) alloc(n int) (arena.Handle, error) {
	h, err := t.arena.Alloc(n)
	if err == nil {
		t.mem += arena.ClassSize(n)
	}
	return h, err
}

func (t *Table) free(h arena.Handle, n int) {
	t.mem -= arena.ClassSize(n)
	t.arena.Free(h, n)
}
