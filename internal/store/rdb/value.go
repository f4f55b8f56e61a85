package rdb

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/data/zset"
)

// Limits say which collections become compact when they are read.
type Limits struct {
	List quicklist.Options
	Set  set.Limits
	ZSet zset.Limits
	Hash hash.Limits

	// Polite lets other goroutines run often while a value is read: it is for large
	// ones that nobody holds a lock for.
	Polite bool
}

// Value is a value that was read: an object or, if that is nil, a string.
type Value struct {
	Str    []byte // may be a view of what was read
	Object value.Object
}

// typeOf is the type that o is written as, and the first version that has it
// among those from Version on. The error is ErrType.
func typeOf(o value.Object) (Type, int, error) {
	switch o := o.(type) {
	case *value.String:
		return TypeString, Version, nil
	case *quicklist.List:
		return TypeListQuicklist2, Version, nil
	case *set.Set:
		if o.Intset() != nil {
			return TypeSetIntset, Version, nil
		}
		return TypeSet, Version, nil
	case *zset.ZSet:
		if o.Listpack() != nil {
			return TypeZSetListpack, Version, nil
		}
		return TypeZSet2, Version, nil
	case *hash.Hash:
		switch {
		case o.Volatile() > 0:
			return TypeHashMetadata, VersionFieldExpiry, nil
		case o.Listpack() != nil:
			return TypeHashListpack, Version, nil
		}
		return TypeHash, Version, nil
	case *stream.Stream:
		return TypeStreamListpacks2, Version, nil
	}
	return 0, 0, fmt.Errorf("%w: %s", ErrType, o.Type())
}

// pen writes values behind buf. What is gathered there goes away whenever it is a
// good deal, or is kept in one piece if there is no spill.
type pen struct {
	enc   *Encoder
	buf   []byte
	spill func(bytes int) error // gives away what there is if it is at least so many bytes
	err   error                 // of spill
	whole []byte                // a string in one piece

	polite     bool // others run often: see politeness
	politeness politeness
}

// object writes o, whose type typeOf tells.
func (p *pen) object(o value.Object) {
	switch o := o.(type) {
	case *value.String:
		p.str(o)
	case *quicklist.List:
		p.list(o)
	case *set.Set:
		p.set(o)
	case *zset.ZSet:
		p.zset(o)
	case *hash.Hash:
		if o.Volatile() > 0 {
			p.volatileHash(o)
		} else {
			p.hash(o)
		}
	case *stream.Stream:
		p.streamValue(o)
	}
	p.room()
}

// str writes a string, a long one as it stands if it is to go away in pieces.
func (p *pen) str(s *value.String) {
	if p.spill == nil || s.Len() <= packMax {
		p.whole = s.AppendRange(p.whole[:0], 0, s.Len())
		p.text(p.whole)
		return
	}
	p.buf = AppendLen(p.buf, uint64(s.Len()))
	for c := range s.Chunks() {
		p.buf = append(p.buf, c...)
		if !p.room() {
			return
		}
	}
}

// text writes s, and tells whether to go on.
func (p *pen) text(s []byte) bool {
	if p.spill == nil || len(s) <= packMax {
		p.buf = p.enc.AppendString(p.buf, s)
		return p.room()
	}
	p.buf = AppendLen(p.buf, uint64(len(s)))
	for len(s) > 0 && p.room() {
		n := min(len(s), writeBytes)
		p.buf = append(p.buf, s[:n]...)
		s = s[n:]
	}
	return p.room()
}

// length writes a length, and tells whether to go on.
func (p *pen) length(n uint64) bool {
	p.buf = AppendLen(p.buf, n)
	return p.room()
}

// room makes room if much was gathered, and tells whether to go on.
func (p *pen) room() bool {
	if p.polite {
		p.politeness.step()
	}
	if p.err == nil && p.spill != nil {
		p.err = p.spill(writeBytes)
	}
	return p.err == nil
}

// Value is a value of the type given. It is whole and sound, or Err tells what is
// wrong.
func (d *Decoder) Value(t Type) Value {
	if t == TypeString {
		return d.str()
	}
	at := d.at
	var v Value
	switch t {
	case TypeList:
		v.Object = d.list()
	case TypeListZiplist:
		v.Object = d.listZiplist()
	case TypeListQuicklist, TypeListQuicklist2:
		v.Object = d.quicklist(t == TypeListQuicklist2)
	case TypeSet:
		v.Object = d.set()
	case TypeSetIntset:
		v.Object = d.setIntset()
	case TypeSetListpack:
		v.Object = d.setListpack()
	case TypeZSet:
		v.Object = d.zset(d.decimalDouble)
	case TypeZSet2:
		v.Object = d.zset(d.double)
	case TypeZSetZiplist, TypeZSetListpack:
		v.Object = d.zsetListpack(t == TypeZSetZiplist)
	case TypeHash, TypeHashMetadata:
		v.Object = d.hash(t == TypeHashMetadata)
	case TypeHashZiplist, TypeHashListpack:
		v.Object = d.hashListpack(t == TypeHashZiplist)
	case TypeHashZipmap:
		v.Object = d.hashZipmap()
	case TypeHashListpackEx:
		v.Object = d.volatileListpack()
	case TypeStreamListpacks, TypeStreamListpacks2, TypeStreamListpacks3:
		v.Object = d.streamValue(streamForm(t))
	default:
		d.fail(ErrType, at, "type %d (%s)", t, t.word())
	}
	if d.err != nil {
		return Value{}
	}
	if c, ok := v.Object.(interface{ Len() int }); ok && c.Len() == 0 && v.Object.Type() != value.TypeStream {
		d.fail(ErrEmpty, at, "type %d (%s)", t, t.word())
		return Value{}
	}
	return v
}

// streamForm is the number of the form that a stream is written in.
func streamForm(t Type) int {
	switch t {
	case TypeStreamListpacks:
		return 1
	case TypeStreamListpacks2:
		return 2
	}
	return 3
}

func (d *Decoder) str() Value {
	at := d.at
	n, enc := d.lenOrEncoding()
	switch {
	case enc:
		return Value{Str: d.encoded(at, n)}
	case d.src != nil && n > value.ChunkBytes:
		return Value{Object: d.long(n)}
	}
	return Value{Str: d.take(n)}
}

// long is a string of n bytes from a stream, which never stands there in one piece.
func (d *Decoder) long(n uint64) *value.String {
	s := value.NewString(nil)
	for n > 0 && d.err == nil {
		b := d.take(min(n, value.ChunkBytes))
		s.Append(b)
		n -= uint64(len(b))
	}
	return s
}

// counted is the number of things that follow. Nobody may reserve memory for it.
func (d *Decoder) counted() int { return int(min(d.Len(), math.MaxInt)) }

// unsigned is a number of eight bytes.
func (d *Decoder) unsigned() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// blob is a string in memory of its own.
func (d *Decoder) blob() []byte {
	at := d.at
	n, enc := d.lenOrEncoding()
	switch {
	case enc:
		return d.encoded(at, n)
	case d.src != nil && n > uint64(d.src.Size()):
		b := d.pullLong(n)
		d.room = nil
		return b[:len(b):len(b)]
	}
	return append([]byte(nil), d.take(n)...)
}

// kept is a string that is valid until the next one is kept.
func (d *Decoder) kept() []byte {
	if cap(d.last) > pullBytes {
		d.last = nil
	}
	d.last = append(d.last[:0], d.String()...)
	return d.last
}

// packed is a sound listpack of a collection, or a ziplist made one. An empty one is
// ErrEmpty.
func (d *Decoder) packed(of string, zipped bool) []byte {
	at := d.at
	data := d.blob()
	if d.err != nil {
		return nil
	}
	n, what := 0, "listpack"
	var err error
	if zipped {
		what = "ziplist"
		if data, err = unzip(data); err == nil {
			n = listpack.Len(data)
		}
	} else {
		n, err = listpack.Validate(data)
	}
	if d.check(err, at, of+" "+what+" integrity check failed") && n == 0 {
		d.fail(ErrEmpty, at, "%s %s", of, what)
	}
	return data
}

// check makes err, if there is any, a corruption of what stood at, and tells
// whether there is none.
func (d *Decoder) check(err error, at int64, what string) bool {
	if err != nil {
		d.fail(ErrCorrupt, at, "%s: %v", what, err)
	}
	return d.err == nil
}
