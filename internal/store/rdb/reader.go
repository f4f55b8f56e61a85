package rdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// ErrSignature: what is read does not begin as an RDB file does.
var ErrSignature = errors.New("rdb: wrong signature")

// ErrVersion: the file is of a version that this node does not read.
var ErrVersion = errors.New("rdb: unknown version of the format")

// ErrChecksum: the checksum at the end is not that of the file.
var ErrChecksum = errors.New("rdb: the checksum is wrong")

// Key is a key with its value and what is known of it.
type Key struct {
	DB   int
	Name []byte
	Value
	ExpiryMs int64 // Unix ms; NoExpiry: none
	IdleSec  int64 // since the last use; Unknown
	Freq     int   // counter of the LFU, 0 to 255; Unknown
}

// What a Key says in place of a number.
const (
	NoExpiry = -1
	Unknown  = -1
)

// Handler takes what a file holds, in its order. The bytes are valid until the
// method returns, but for a Key's Object, which belongs to the handler. An error
// ends the reading and comes back from Read.
type Handler interface {
	// Aux is a named fact about the file or the server that wrote it. Names that
	// are not known are to be ignored.
	Aux(name, value []byte) error
	// Function is the source of a library of functions.
	Function(code []byte) error
	// Key is a key. It may be in any database from 0 up.
	Key(*Key) error
}

// ReadOptions say how a file is read.
type ReadOptions struct {
	// NoChecksum believes the file whatever its checksum (rdbchecksum no).
	NoChecksum bool
	Limits     Limits
	// Empty, if not nil, hears of the keys whose collections are empty: they are left out.
	Empty func(name []byte)
}

// Summary tells about a file that was read.
type Summary struct {
	Version int
	Bytes   int64
	Checked bool // it had a checksum, and that was right
}

// Read reads a file or stream up to its checksum and hands what it holds to h. If
// r is a *bufio.Reader nothing behind the checksum is consumed.
//
// The error wraps ErrSignature, ErrVersion, ErrCorrupt, ErrType, ErrChecksum or
// ErrShort, or is an error of r or h, and names the offset of what is wrong.
func Read(r io.Reader, o ReadOptions, h Handler) (Summary, error) {
	f := fileReader{d: newStreamDecoder(r, o.Limits), opt: o, h: h}
	f.forget()
	f.header()
	for f.d.err == nil && f.next() {
	}
	f.footer()
	f.sum.Bytes = f.d.at
	return f.sum, f.d.err
}

// fileReader is the state of Read.
type fileReader struct {
	d    *Decoder
	opt  ReadOptions
	h    Handler
	sum  Summary
	key  Key    // what stood before the key to come, and its database
	name []byte // of the key in hand, or of an aux field
}

// forget drops what was said about a key.
func (f *fileReader) forget() {
	f.key = Key{DB: f.key.DB, ExpiryMs: NoExpiry, IdleSec: Unknown, Freq: Unknown}
}

const (
	magic        = "REDIS"
	magicValkey  = "VALKEY"
	headerBytes  = len(magic) + 4
	firstChecked = 5 // version since which there is a checksum
)

func (f *fileReader) header() {
	b := f.d.take(uint64(headerBytes))
	if b == nil {
		return
	}
	head := string(b)
	digits, ours := strings.CutPrefix(head, magic)
	switch {
	case strings.HasPrefix(head, magicValkey):
		f.d.fail(ErrVersion, 0, "%q, the format of valkey 9 and later,", head)
		return
	case !ours:
		f.d.fail(ErrSignature, 0, "%q", head)
		return
	}
	version, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || version < 1 || version > MaxVersion {
		f.d.fail(ErrVersion, int64(len(magic)), "%q", digits)
		return
	}
	f.sum.Version = int(version)
}

// next reads up to the end of an opcode or a key, and tells whether more comes.
func (f *fileReader) next() bool {
	d, at := f.d, f.d.at
	op := d.byte()
	if d.err != nil {
		return false
	}
	switch op {
	case opEnd:
		return false
	case opExpiryMs:
		if b := d.take(8); b != nil {
			f.key.ExpiryMs = deadline(int64(binary.LittleEndian.Uint64(b)))
		}
	case opExpirySec:
		if b := d.take(4); b != nil {
			f.key.ExpiryMs = deadline(1000 * int64(int32(binary.LittleEndian.Uint32(b))))
		}
	case opIdle:
		f.key.IdleSec = int64(min(d.Len(), math.MaxInt64))
	case opFreq:
		f.key.Freq = int(d.byte())
	case opDatabase:
		f.database()
	case opSizes:
		d.Len()
		d.Len()
	case opSlotInfo:
		d.Len()
		d.Len()
		d.Len()
	case opAux:
		f.aux(at)
	case opFunction:
		f.function(at)
	case opFunctionBeta:
		d.fail(ErrType, at, "a library in the format of the candidates for redis 7.0")
	case opModuleAux:
		d.fail(ErrType, at, "data of a module")
	default:
		f.read(at, Type(op))
	}
	return d.err == nil
}

// deadline is a deadline as it is kept: one before 1970 is long past, whatever it
// says, and must not be taken for none.
func deadline(ms int64) int64 {
	if ms < 0 && ms != NoExpiry {
		return 0
	}
	return ms
}

func (f *fileReader) database() {
	at := f.d.at
	n := f.d.Len()
	if n > math.MaxInt32 {
		f.d.fail(ErrCorrupt, at, "database %d", n)
		return
	}
	f.key.DB = int(n)
}

func (f *fileReader) aux(at int64) {
	f.name = append(f.name[:0], f.d.String()...)
	value := f.d.String()
	if f.d.err != nil {
		return
	}
	if err := f.h.Aux(f.name, value); err != nil {
		f.d.stop(fmt.Errorf("field %.100q at byte %d: %w", f.name, at, err))
	}
}

func (f *fileReader) function(at int64) {
	code := f.d.String()
	if f.d.err != nil {
		return
	}
	if err := f.h.Function(code); err != nil {
		f.d.stop(fmt.Errorf("library at byte %d: %w", at, err))
	}
}

// read reads a key of type t, whose type stood at.
func (f *fileReader) read(at int64, t Type) {
	f.name = append(f.name[:0], f.d.String()...)
	f.key.Name = f.name
	named := f.d.err == nil
	f.key.Value = f.d.Value(t)
	switch err := f.d.err; {
	case err == nil:
		if err := f.h.Key(&f.key); err != nil {
			f.d.stop(fmt.Errorf("key %.100q in database %d at byte %d: %w", f.name, f.key.DB, at, err))
		}
	case errors.Is(err, ErrEmpty): // which was read to its end
		f.d.err = nil
		if f.opt.Empty != nil {
			f.opt.Empty(f.name)
		}
	case named && (errors.Is(err, ErrType) || errors.Is(err, ErrCorrupt)):
		f.d.err = fmt.Errorf("%w, key %.100q in database %d", err, f.name, f.key.DB)
	}
	f.forget()
}

func (f *fileReader) footer() {
	if f.d.err != nil || f.sum.Version < firstChecked {
		return
	}
	want, at := f.d.sum, f.d.at
	b := f.d.take(8)
	if b == nil {
		return
	}
	got := binary.LittleEndian.Uint64(b)
	switch {
	case got == 0 || f.opt.NoChecksum:
	case got != want:
		f.d.fail(ErrChecksum, at, "%#x instead of %#x", got, want)
	default:
		f.sum.Checked = true
	}
}
