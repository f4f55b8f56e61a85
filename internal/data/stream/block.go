package stream

import (
	"iter"

	"github.com/skeindb/skein/internal/data/listpack"
)

// Flags of an entry.
const (
	flagDeleted    = 1
	flagSameFields = 2
)

// newBlock makes in room a block for a first entry with such fields, which is not in it yet.
func newBlock(room []byte, fields [][]byte) []byte {
	b := listpack.Lift(append(room, listpack.New()...))
	b = listpack.AppendElementInt(b, 0)
	b = listpack.AppendElementInt(b, 0)
	b = listpack.AppendElementInt(b, int64(len(fields)/2))
	for i := 0; i < len(fields); i += 2 {
		b = listpack.AppendElement(b, fields[i])
	}
	return listpack.Lower(listpack.AppendElementInt(b, 0), 4+len(fields)/2)
}

// blockBytes is the most that newBlock makes of such fields.
func blockBytes(fields [][]byte) int { return listpack.EmptyBytes + 4*maxIntBytes + entryBytes(fields) }

// entryBytes is the most that an entry takes.
func entryBytes(fields [][]byte) int {
	n := 5 * maxIntBytes // flags, differences, how many fields, how many elements
	for _, f := range fields {
		n += listpack.MaxElementBytes(len(f))
	}
	return n
}

// maxIntBytes is the most that an integer takes.
const maxIntBytes = 11

// header is what a block says of itself.
type header struct {
	live, deleted int64
	fields        int64 // number of the master entry's fields
	fieldsAt      int   // place of the first, or of what follows
	entriesAt     int   // place of the first entry, 0 if there is none
}

func readHeader(lp []byte) (h header) {
	p := listpack.First(lp)
	h.live, _ = listpack.Get(lp, p).Integer()
	p = listpack.Next(lp, p)
	h.deleted, _ = listpack.Get(lp, p).Integer()
	p = listpack.Next(lp, p)
	h.fields, _ = listpack.Get(lp, p).Integer()
	h.fieldsAt = listpack.Next(lp, p)
	h.entriesAt = listpack.Next(lp, forward(lp, h.fieldsAt, h.fields))
	return h
}

// forward passes by n elements; 0 beyond the end.
func forward(lp []byte, p int, n int64) int {
	for ; n > 0 && p != 0; n-- {
		p = listpack.Next(lp, p)
	}
	return p
}

// recount sets how many entries live and are deleted, given as differences.
func recount(lp []byte, live, deleted int64) []byte {
	h := readHeader(lp)
	return recountTo(lp, h.live+live, h.deleted+deleted)
}

func recountTo(lp []byte, live, deleted int64) []byte {
	p := listpack.First(lp)
	lp = listpack.ReplaceInt(lp, p, live)
	return listpack.ReplaceInt(lp, listpack.Next(lp, p), deleted)
}

// appendEntry adds an entry, and notes that in the header h.
func appendEntry(lp []byte, master, id ID, fields [][]byte, h *header) []byte {
	n := int64(len(fields) / 2)
	same := n == h.fields
	for i, p := 0, h.fieldsAt; same && i < len(fields); i += 2 {
		same = listpack.Get(lp, p).Equal(fields[i])
		p = listpack.Next(lp, p)
	}
	switch {
	case !listpack.PutInt(lp, listpack.First(lp), h.live+1):
		lp = recountTo(lp, h.live+1, h.deleted)
		*h = header{} // places have moved
	case h.entriesAt == 0:
		*h = header{} // which is to be known now
	default:
		h.live++
	}
	flags, count := int64(0), 2*n+4
	if same {
		flags, count = flagSameFields, n+3
	}
	b := listpack.AppendElementInt(listpack.Lift(lp), flags)
	b = listpack.AppendElementInt(b, int64(id.Ms-master.Ms))
	b = listpack.AppendElementInt(b, int64(id.Seq-master.Seq))
	if !same {
		b = listpack.AppendElementInt(b, n)
	}
	for i := 0; i < len(fields); i += 2 {
		if !same {
			b = listpack.AppendElement(b, fields[i])
		}
		b = listpack.AppendElement(b, fields[i+1])
	}
	return listpack.Lower(listpack.AppendElementInt(b, count), int(count)+1)
}

// Entry is an entry of a stream: a view of its block, good until the stream's next change.
type Entry struct {
	ID ID
	// Len is the number of fields.
	Len int

	lp       []byte
	p        int // of the flags
	fieldsAt int // of the first field
	valuesAt int // of the first value
	stride   int64
	deleted  bool
}

// Fields yields the fields and values. What is yielded is good until the next.
func (e *Entry) Fields() iter.Seq2[[]byte, []byte] {
	return func(yield func(field, val []byte) bool) {
		var a, b [20]byte
		f, v := e.fieldsAt, e.valuesAt
		for range e.Len {
			if !yield(view(listpack.Get(e.lp, f), a[:]), view(listpack.Get(e.lp, v), b[:])) {
				return
			}
			f, v = forward(e.lp, f, e.stride), forward(e.lp, v, e.stride)
			if e.stride == 1 && f == 0 {
				return
			}
		}
	}
}

func view(e listpack.Entry, scratch []byte) []byte {
	if e.IsInt() {
		return e.Append(scratch[:0])
	}
	return e.Str
}

// readEntry reads the entry at p, and tells the place behind it.
func readEntry(lp []byte, master ID, h *header, p int) (e Entry, next int) {
	e.lp, e.p = lp, p
	flags, _ := listpack.Get(lp, p).Integer()
	p = listpack.Next(lp, p)
	ms, _ := listpack.Get(lp, p).Integer()
	p = listpack.Next(lp, p)
	seq, _ := listpack.Get(lp, p).Integer()
	p = listpack.Next(lp, p)
	e.ID, e.deleted = master.plus(ms, seq), flags&flagDeleted != 0
	n := h.fields
	if flags&flagSameFields != 0 {
		e.fieldsAt, e.valuesAt, e.stride = h.fieldsAt, p, 1
		p = forward(lp, p, n)
	} else {
		n, _ = listpack.Get(lp, p).Integer()
		p = listpack.Next(lp, p)
		e.fieldsAt, e.valuesAt, e.stride = p, forward(lp, p, 1), 2
		p = forward(lp, p, 2*n)
	}
	e.Len = int(n)
	return e, listpack.Next(lp, p) // past the count of elements
}

// entries yields all entries of a block, the deleted ones too.
func entries(lp []byte, master ID) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		h := readHeader(lp)
		for p := h.entriesAt; p != 0; {
			e, next := readEntry(lp, master, &h, p)
			if !yield(e) {
				return
			}
			p = next
		}
	}
}

// backward yields all entries of a block from the last on, the deleted ones too.
func backward(lp []byte, master ID) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		h := readHeader(lp)
		if h.entriesAt == 0 {
			return
		}
		for p := listpack.Last(lp); p >= h.entriesAt; {
			count, _ := listpack.Get(lp, p).Integer()
			for ; count > 0; count-- {
				p = listpack.Prev(lp, p)
			}
			e, _ := readEntry(lp, master, &h, p)
			if !yield(e) {
				return
			}
			p = listpack.Prev(lp, p)
		}
	}
}

// mark marks the entry at p as deleted, without counting it, and tells by how much places behind it have moved.
func mark(lp []byte, p int) (marked []byte, moved int) {
	flags, _ := listpack.Get(lp, p).Integer()
	was := len(lp)
	lp = listpack.ReplaceInt(lp, p, flags|flagDeleted)
	return lp, len(lp) - was
}

// validate checks a block from outside. Beyond what redis checks, the entries must ascend, and be as many as the block
// says.
func validate(lp []byte, master ID) (live int64, err error) {
	var last ID
	if _, err := listpack.Validate(lp); err != nil {
		return 0, err
	}
	r := reader{lp: lp, p: listpack.First(lp), ok: true}
	live, deleted, fields := r.integer(), r.integer(), r.integer()
	r.pass(fields)
	if r.integer() != 0 || live < 0 || deleted < 0 {
		return 0, ErrCorrupt
	}
	var alive, dead int64
	for first := true; r.ok && r.p != 0; first = false {
		flags := r.integer()
		id := master.plus(r.integer(), r.integer())
		n, want := fields, fields+3
		if flags&flagSameFields == 0 {
			n = r.integer()
			want = 2*n + 4
			r.pass(n)
		}
		r.pass(n)
		if r.integer() != want || id.Less(master) || !first && !last.Less(id) {
			return 0, ErrCorrupt
		}
		if last = id; flags&flagDeleted != 0 {
			dead++
		} else {
			alive++
		}
	}
	if !r.ok || alive != live || dead != deleted {
		return 0, ErrCorrupt
	}
	return live, nil
}

// reader reads a valid listpack as far as it goes.
type reader struct {
	lp []byte
	p  int
	ok bool
}

func (r *reader) integer() (n int64) {
	if r.p == 0 || !r.ok {
		r.ok = false
		return -1
	}
	n, r.ok = listpack.Get(r.lp, r.p).Integer()
	r.p = listpack.Next(r.lp, r.p)
	return n
}

func (r *reader) pass(n int64) {
	if n < 0 || n > int64(len(r.lp)) {
		r.ok = false
		return
	}
	for ; n > 0 && r.ok; n-- {
		if r.p == 0 {
			r.ok = false
			return
		}
		r.p = listpack.Next(r.lp, r.p)
	}
}
