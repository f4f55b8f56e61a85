package resp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// Limits of a Reader, and the step in which it makes room for what a length
// only promises.
const (
	maxReplyDepth = 128
	maxReplyElems = 1 << 30
	maxReplyBulk  = 1 << 32
	maxReplyLine  = 1 << 20
	growStep      = 64 << 10
)

// ErrReply: the other side sent bytes that are not a reply, or one beyond the
// Reader's limits. Errors of Reader.Read that are not I/O errors wrap it.
var ErrReply = errors.New("resp: malformed reply")

// A Reader reads replies, RESP2 and RESP3 alike, as clients do. What it returns
// is the caller's to keep. A length is believed only as far as bytes arrive, so
// a hostile server cannot make it allocate much more than it sends.
type Reader struct {
	// Limits; NewReader sets them to 128 levels, 2^30 elements, 4 GiB.
	MaxDepth int   // arrays in arrays
	MaxElems int64 // elements of one aggregate, a map's pairs counted twice
	MaxBulk  int64 // bytes of a string

	in *bufio.Reader
}

// NewReader returns a Reader of r. If r is a *bufio.Reader it is used itself.
func NewReader(r io.Reader) *Reader {
	in, ok := r.(*bufio.Reader)
	if !ok {
		in = bufio.NewReaderSize(r, 16<<10)
	}
	return &Reader{MaxDepth: maxReplyDepth, MaxElems: maxReplyElems, MaxBulk: maxReplyBulk, in: in}
}

// Raw returns the buffer under the Reader, for streams that carry other things
// than replies, as the file that follows +FULLRESYNC.
func (r *Reader) Raw() *bufio.Reader { return r.in }

// Buffered returns how many bytes wait in the buffer; with 0, Read has to wait
// for the connection.
func (r *Reader) Buffered() int { return r.in.Buffered() }

// Read reads the next value. At the end of the stream it returns io.EOF, in the
// middle of a value io.ErrUnexpectedEOF.
func (r *Reader) Read() (Value, error) {
	if _, err := r.in.Peek(1); err != nil {
		return Value{}, err
	}
	v, err := r.value(0)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return v, err
}

func (r *Reader) value(depth int) (v Value, err error) {
	if depth > r.MaxDepth {
		return v, fmt.Errorf("%w: nested more than %d deep", ErrReply, r.MaxDepth)
	}
	line, err := r.line()
	if err != nil {
		return v, err
	}
	if len(line) == 0 {
		return v, fmt.Errorf("%w: empty line", ErrReply)
	}
	v.Kind, line = Kind(line[0]), line[1:]
	switch v.Kind {
	case SimpleString, Error, BigNumber:
		v.Str = bytes.Clone(line)
	case Integer:
		v.Int, err = integer(line)
	case Double:
		v.Str = bytes.Clone(line)
		v.Float, err = double(line)
	case Bool:
		v.Int, err = boolean(line)
	case Null:
		if len(line) > 0 {
			err = malformed(Null, line)
		}
	case Bulk, BlobError, Verbatim:
		err = r.bulk(&v, line)
	case Array, Set, Push, Map, Attribute:
		err = r.aggregate(&v, line, depth)
	default:
		err = fmt.Errorf("%w: unknown type %q", ErrReply, byte(v.Kind))
	}
	return v, err
}

// bulk reads the body of a string whose length line holds.
func (r *Reader) bulk(v *Value, line []byte) error {
	n, err := integer(line)
	if err != nil {
		return err
	}
	if n == -1 && v.Kind == Bulk {
		v.Kind = Null
		return nil
	}
	if n < 0 || n > r.MaxBulk {
		return fmt.Errorf("%w: string of %d bytes", ErrReply, n)
	}
	body := make([]byte, 0, min(n+2, growStep))
	for want := int(n) + 2; len(body) < want; {
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
		part := body[len(body):min(cap(body), want)]
		if _, err := io.ReadFull(r.in, part); err != nil {
			return unexpected(err)
		}
		body = body[:len(body)+len(part)]
	}
	if string(body[n:]) != "\r\n" {
		return fmt.Errorf("%w: no line break after a string", ErrReply)
	}
	v.Str = body[:n:n]
	if v.Kind == Verbatim {
		if n < 4 || body[3] != ':' {
			return malformed(Verbatim, v.Str)
		}
		v.Format, v.Str = string(body[:3]), v.Str[4:]
	}
	return nil
}

// aggregate reads the elements whose count line holds. An attribute is not a
// value: the one it annotates is read too, and takes v's place.
func (r *Reader) aggregate(v *Value, line []byte, depth int) error {
	n, err := integer(line)
	if err != nil {
		return err
	}
	if n == -1 && v.Kind == Array {
		v.Kind = Null
		return nil
	}
	if n < 0 || n > r.MaxElems {
		return fmt.Errorf("%w: %d elements", ErrReply, n)
	}
	if v.Kind == Map || v.Kind == Attribute {
		n *= 2
	}
	elems := make([]Value, 0, min(n, 64))
	for range n {
		elem, err := r.value(depth + 1)
		if err != nil {
			return unexpected(err)
		}
		elems = append(elems, elem)
	}
	if v.Kind != Attribute {
		v.Elems = elems
		return nil
	}
	next, err := r.value(depth + 1)
	if err != nil {
		return unexpected(err)
	}
	next.Attr = append(elems, next.Attr...)
	*v = next
	return nil
}

// line returns the next line without its CR LF, valid until the next read.
func (r *Reader) line() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		long := bytes.Clone(line)
		for err == bufio.ErrBufferFull && len(long) <= maxReplyLine {
			line, err = r.in.ReadSlice('\n')
			long = append(long, line...)
		}
		line = long
	}
	if err == bufio.ErrBufferFull {
		return nil, fmt.Errorf("%w: line of more than %d bytes", ErrReply, maxReplyLine)
	}
	if err != nil {
		return nil, unexpected(err)
	}
	if len(line) < 2 || line[len(line)-2] != '\r' {
		return nil, fmt.Errorf("%w: line without CR", ErrReply)
	}
	return line[:len(line)-2], nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func malformed(kind Kind, text []byte) error {
	return fmt.Errorf("%w: %c%.64q", ErrReply, byte(kind), text)
}

func integer(line []byte) (int64, error) {
	n, err := strconv.ParseInt(string(line), 10, 64)
	if err != nil {
		return 0, malformed(Integer, line)
	}
	return n, nil
}

func boolean(line []byte) (int64, error) {
	switch string(line) {
	case "t":
		return 1, nil
	case "f":
		return 0, nil
	}
	return 0, malformed(Bool, line)
}

func double(line []byte) (float64, error) {
	switch string(line) {
	case "inf":
		return math.Inf(1), nil
	case "-inf":
		return math.Inf(-1), nil
	case "nan", "-nan":
		return math.NaN(), nil
	}
	d, err := strconv.ParseFloat(string(line), 64)
	if err != nil {
		return 0, malformed(Double, line)
	}
	return d, nil
}
