package keyspace

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/data/arena"
	"github.com/skeindb/skein/internal/data/table"
	"github.com/skeindb/skein/internal/data/value"
)

// Access says how a transaction's reads behave.
type Access uint8

const (
	// NoTouch leaves the access clock of keys alone (CLIENT NO-TOUCH).
	NoTouch Access = 1 << iota
	// SeeExpired shows keys past their deadline: the applier of a replica
	// follows its master's word, not its own clock.
	SeeExpired
	// Applied marks what a master's log did: it stands in our log already.
	Applied
	// Apart says that effects logged together do not belong together: keys that
	// happen to expire.
	Apart
	// Serves says that who began the transaction asks for the keys that it made
	// ready (TakeReady), otherwise they are deferred; and calls Broadcast.
	Serves
)

// ReadTx reads keys under a Hold. It has no method that changes data; a key
// found past its deadline is removed on the way, as the master decides.
type ReadTx struct {
	ks      *Keyspace
	hold    *Hold
	tuning  *Tuning
	db      int
	now     int64
	access  Access
	events  Class
	effects effects
	ready   []ReadyKey
	news    []News
	unasked bool // what changes just now no command asked for
	emptied bool // the running command has emptied a database

	// By is the id of the client whose transactions these are; 0: nobody's.
	By uint64

	expected expected
	scratch  *scratch // nil until the first use
}

// Begin starts a transaction in database db at nowMs (Unix ms). The stripes of
// hold are acquired and stay so until after Commit.
func (tx *ReadTx) Begin(ks *Keyspace, hold *Hold, db int, nowMs int64, access Access) {
	tx.ks, tx.hold, tx.db, tx.now, tx.access = ks, hold, db, nowMs, access
	tx.tuning = ks.tuning.Load()
	tx.events = tx.tuning.Events
	tx.expected.key = nil
	tx.emptied = false
	tx.effects.unsaid, tx.effects.narrowed = false, false
	tx.clean()
}

// Keyspace is what the transaction works on.
func (tx *ReadTx) Keyspace() *Keyspace { return tx.ks }

// Now is the transaction's time, Unix ms.
func (tx *ReadTx) Now() int64 { return tx.now }

// DB is the transaction's database.
func (tx *ReadTx) DB() int { return tx.db }

// Applied tells that a master's log is being followed to the letter.
func (tx *ReadTx) Applied() bool { return tx.access&Applied != 0 }

// SelectDB makes db the database of what follows.
func (tx *ReadTx) SelectDB(db int) { tx.db = db }

// The kinds of entries: how an entry's value bytes are to be read.
const (
	kindString = iota // the bytes themselves
	kindRaw           // the same, reported as encoding raw whatever the length
	kindList          // a list that is a listpack
	kindSet           // a set that is a listpack
	kindIntset        // a set that is an intset
	kindZSet          // a sorted set that is a listpack
	kindHash          // a hash that is a listpack
	kindInt           // a 64-bit integer, little endian
	kindObject        // the index of an Object of the stripe, 64 bit little endian
)

// Ref is a key that was found: a view of its entry, valid until the key
// changes or the hold is released. Of a key that was not found it tells the place.
type Ref struct {
	entry  table.Entry
	handle arena.Handle
	place  place
}

// hidden tells that the key is there, but past its deadline, and not ours to delete.
func (r *Ref) hidden() bool { return r.entry == nil && r.handle != 0 }

// Get finds key, counting a hit or a miss and touching its access clock.
func (tx *ReadTx) Get(key []byte) (r Ref, found bool) {
	found = tx.GetTo(&r, key)
	return r, found
}

// GetTo is Get into an empty Ref: what reads most does without the copy.
func (tx *ReadTx) GetTo(r *Ref, key []byte) (found bool) {
	if !tx.PeekTo(r, key) {
		bump(&r.place.stripe.stats.misses, 1)
		tx.Notify(EventKeyMiss, "keymiss", key)
		return false
	}
	bump(&r.place.stripe.stats.hits, 1)
	if tx.access&NoTouch == 0 {
		tx.touch(r)
	}
	return true
}

// Look is Get without the touch: what TTL, TYPE, EXISTS and OBJECT do.
func (tx *ReadTx) Look(key []byte) (Ref, bool) {
	r, ok := tx.Peek(key)
	if ok {
		bump(&r.place.stripe.stats.hits, 1)
	} else {
		bump(&r.place.stripe.stats.misses, 1)
		tx.Notify(EventKeyMiss, "keymiss", key)
	}
	return r, ok
}

// Peek finds key without leaving a trace in clocks and counters.
func (tx *ReadTx) Peek(key []byte) (r Ref, found bool) {
	found = tx.PeekTo(&r, key)
	return r, found
}

// PeekTo is Peek into an empty Ref.
func (tx *ReadTx) PeekTo(r *Ref, key []byte) (found bool) {
	p := &r.place
	p.set(tx, key)
	if p.table == nil {
		return false
	}
	h := p.table.Find(p.hash, key)
	if h == 0 {
		return false
	}
	r.entry, r.handle = p.table.Entry(h), h
	if tx.access&SeeExpired != 0 || !tx.past(r.entry) {
		return true
	}
	if tx.ks.Replica.Load() || tx.ks.Frozen.Load() {
		r.entry = nil
		return false
	}
	tx.expire(*r, key)
	r.entry, r.handle = nil, 0
	return false
}

// Has tells whether key is there, leaving no trace.
func (tx *ReadTx) Has(key []byte) bool {
	_, ok := tx.Peek(key)
	return ok
}

// Type is the type of the value.
func (r Ref) Type() value.Type {
	switch k := r.entry.Kind(); {
	case isPacked(k):
		return packedTypes[k-kindList]
	case k == kindObject:
		return r.object().Type()
	}
	return value.TypeString
}

// Object is the value as an object, which is valid until the key changes; nil for a
// string inside the entry. For a packed collection it is made, of a copy: the way to
// read one in a command is Find.
func (r Ref) Object() value.Object {
	if k := r.entry.Kind(); isPacked(k) {
		return new(scratch).unpack(k, bytes.Clone(r.entry.Value()), false)
	}
	return r.object()
}

// object is the object that the entry refers to, if it does.
func (r *Ref) object() value.Object {
	if r.entry.Kind() != kindObject {
		return nil
	}
	return r.place.shelf.object(r.entry).object
}

// Encoding is the word of OBJECT ENCODING.
func (r Ref) Encoding() string {
	switch k := r.entry.Kind(); {
	case k == kindInt:
		return "int"
	case k == kindString && len(r.entry.Value()) <= 44:
		return "embstr"
	case isPacked(k):
		return packedEncodings[k-kindList]
	case k == kindObject:
		return r.object().Encoding()
	}
	return "raw"
}

// Expiry is the deadline in Unix ms, or -1.
func (r *Ref) Expiry() int64 {
	if !r.entry.Expires() {
		return -1
	}
	return r.entry.Expiry()
}

// Key is the key's name.
func (r Ref) Key() []byte { return r.entry.Key() }

// Bytes is the memory of entry and value together.
func (r Ref) Bytes() int {
	n := arena.ClassSize(len(r.entry))
	if o := r.object(); o != nil {
		n += o.Bytes() + int(keptBytes)
	}
	return n
}

// Str is a view of a string value: bytes in one piece, or a value.String.
type Str struct {
	b   []byte
	big *value.String
}

// Str finds a string. A key of another type is ErrWrongType.
func (tx *ReadTx) Str(key []byte) (s Str, ok bool, err error) {
	r, ok := tx.Get(key)
	if !ok {
		return Str{}, false, nil
	}
	return tx.StrOf(r)
}

// StrOf is the string value of a key that was found.
func (tx *ReadTx) StrOf(r Ref) (s Str, ok bool, err error) {
	switch r.entry.Kind() {
	case kindString, kindRaw:
		return Str{b: r.entry.Value()}, true, nil
	case kindInt:
		n := int64(binary.LittleEndian.Uint64(r.entry.Value()))
		return Str{b: strconv.AppendInt(nil, n, 10)}, true, nil
	}
	big, isString := r.object().(*value.String)
	if !isString {
		return Str{}, false, ErrWrongType
	}
	return Str{big: big}, true, nil
}

// Int is the value as an integer if it is encoded as one: a shortcut past its text.
func (r Ref) Int() (n int64, ok bool) {
	if r.entry.Kind() != kindInt {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint64(r.entry.Value())), true
}

// Len is the length of a string in bytes; ErrWrongType for another type.
func (r Ref) Len() (int, error) {
	switch r.entry.Kind() {
	case kindString, kindRaw:
		return len(r.entry.Value()), nil
	case kindInt:
		var scratch [20]byte
		n, _ := r.Int()
		return len(strconv.AppendInt(scratch[:0], n, 10)), nil
	}
	if big, ok := r.object().(*value.String); ok {
		return big.Len(), nil
	}
	return 0, ErrWrongType
}

// Len is the length in bytes.
func (s Str) Len() int {
	if s.big != nil {
		return s.big.Len()
	}
	return len(s.b)
}

// Bytes is the whole value in one piece; one that lies in several is copied
// together.
func (s Str) Bytes() []byte {
	if s.big != nil {
		if b := s.big.Piece(false); b != nil {
			return b
		}
		return s.big.AppendRange(make([]byte, 0, s.big.Len()), 0, s.big.Len())
	}
	return s.b
}

// AppendTo appends the whole value to dst.
func (s Str) AppendTo(dst []byte) []byte { return s.AppendRange(dst, 0, s.Len()) }

// AppendRange appends bytes [from, to) to dst.
func (s Str) AppendRange(dst []byte, from, to int) []byte {
	if s.big != nil {
		return s.big.AppendRange(dst, from, to)
	}
	return append(dst, s.b[from:to]...)
}

// At is the byte at offset i.
func (s Str) At(i int) byte {
	if s.big != nil {
		return s.big.At(i)
	}
	return s.b[i]
}

// Chunks yields the value in pieces of at least one byte, in order; all but the
// last have a length that is a multiple of 8.
func (s Str) Chunks(yield func([]byte) bool) {
	if s.big != nil {
		s.big.Chunks()(yield)
		return
	}
	if len(s.b) > 0 {
		yield(s.b)
	}
}

// WriteTo is the value as a bulk reply.
func (s Str) WriteTo(out *resp.Writer) {
	if s.big == nil {
		out.Bulk(s.b)
		return
	}
	out.Buf = resp.AppendHeader(out.Buf, resp.Bulk, s.big.Len())
	for c := range s.big.Chunks() {
		out.Buf = append(out.Buf, c...)
	}
	out.Buf = append(out.Buf, "\r\n"...)
}

// Write replies with the value of a string key, without an allocation for any
// encoding; ErrWrongType for another type.
func (r *Ref) Write(out *resp.Writer) error {
	switch r.entry.Kind() {
	case kindString, kindRaw:
		out.Bulk(r.entry.Value())
		return nil
	case kindInt:
		out.BulkInt(int64(binary.LittleEndian.Uint64(r.entry.Value())))
		return nil
	}
	big, ok := r.object().(*value.String)
	if !ok {
		return ErrWrongType
	}
	Str{big: big}.WriteTo(out)
	return nil
}

func (tx *ReadTx) past(e table.Entry) bool { return e.Expires() && tx.now > e.Expiry() }
