package resp

import (
	"slices"
	"strconv"
)

// A Writer appends replies to Buf in the protocol version Proto. It has no
// other state: the owner takes bytes out of Buf and truncates it at will,
// except between a Begin and its End. Any Proto below 3 means RESP2.
//
// A value that RESP2 lacks is written as redis writes it for its older clients:
// maps as arrays of keys and values in turn, sets and pushes as arrays, doubles,
// big numbers and verbatim strings as bulk strings, booleans as 1 and 0.
type Writer struct {
	Buf   []byte
	Proto int // 2 or 3
}

// OK writes +OK.
func (w *Writer) OK() { w.Buf = AppendOK(w.Buf) }

// SimpleString writes a status such as PONG; line breaks in s become spaces.
func (w *Writer) SimpleString(s string) { w.Buf = AppendSimpleString(w.Buf, s) }

// Error writes an error; s includes its code, as in "ERR syntax error".
// Line breaks in s become spaces.
func (w *Writer) Error(s string) { w.Buf = AppendError(w.Buf, s) }

// Int writes an integer.
func (w *Writer) Int(n int64) { w.Buf = AppendInt(w.Buf, n) }

// Bulk writes a bulk string; nil is the empty string, not the null.
func (w *Writer) Bulk(s []byte) { w.Buf = AppendBulk(w.Buf, s) }

// BulkPieces writes the bulk string of so many bytes that the pieces are together, and moves none of them twice.
func (w *Writer) BulkPieces(size int, pieces [][]byte) {
	w.Buf = slices.Grow(w.Buf, size+len("$1234567890123456789\r\n\r\n"))
	w.Buf = AppendHeader(w.Buf, Bulk, size)
	for _, p := range pieces {
		w.Buf = append(w.Buf, p...)
	}
	w.crlf()
}

// BulkString writes a bulk string.
func (w *Writer) BulkString(s string) { w.Buf = AppendBulkString(w.Buf, s) }

// BulkInt writes n in decimal as a bulk string.
func (w *Writer) BulkInt(n int64) { w.Buf = AppendBulkInt(w.Buf, n) }

// Raw writes bytes that are already in the protocol.
func (w *Writer) Raw(p []byte) { w.Buf = append(w.Buf, p...) }

// Null writes the null that stands for an absent string.
func (w *Writer) Null() {
	if w.Proto >= 3 {
		w.Buf = append(w.Buf, "_\r\n"...)
		return
	}
	w.Buf = append(w.Buf, "$-1\r\n"...)
}

// NullArray writes the null that stands for an absent array.
func (w *Writer) NullArray() {
	if w.Proto >= 3 {
		w.Buf = append(w.Buf, "_\r\n"...)
		return
	}
	w.Buf = append(w.Buf, "*-1\r\n"...)
}

// Array writes the head of an array; n values must follow.
func (w *Writer) Array(n int) { w.Buf = AppendHeader(w.Buf, Array, n) }

// EmptyArray writes an array without elements.
func (w *Writer) EmptyArray() { w.Buf = append(w.Buf, "*0\r\n"...) }

// Map writes the head of a map; n pairs, that is 2n values, must follow.
func (w *Writer) Map(n int) {
	if w.Proto >= 3 {
		w.Buf = AppendHeader(w.Buf, Map, n)
		return
	}
	w.Buf = AppendHeader(w.Buf, Array, 2*n)
}

// Set writes the head of a set; n values must follow.
func (w *Writer) Set(n int) { w.Buf = AppendHeader(w.Buf, w.orArray(Set), n) }

// Push writes the head of an out-of-band message; n values must follow.
func (w *Writer) Push(n int) { w.Buf = AppendHeader(w.Buf, w.orArray(Push), n) }

// Attribute writes the head of n pairs that annotate the value after them.
// RESP2 has no place for attributes: call it only when Proto is 3.
func (w *Writer) Attribute(n int) { w.Buf = AppendHeader(w.Buf, Attribute, n) }

// orArray is kind, or Array for a client of RESP2.
func (w *Writer) orArray(kind Kind) Kind {
	if w.Proto >= 3 {
		return kind
	}
	return Array
}

// Double writes a floating point number in AppendDouble's form.
func (w *Writer) Double(d float64) {
	if w.Proto >= 3 {
		w.Buf = append(w.Buf, byte(Double))
		w.Buf = AppendDouble(w.Buf, d)
		w.crlf()
		return
	}
	var scratch [40]byte
	w.Buf = AppendBulk(w.Buf, AppendDouble(scratch[:0], d))
}

// DoubleText writes a floating point number that the caller has formatted.
func (w *Writer) DoubleText(s []byte) {
	if w.Proto >= 3 {
		w.Buf = append(w.Buf, byte(Double))
		w.Buf = append(w.Buf, s...)
		w.crlf()
		return
	}
	w.Buf = AppendBulk(w.Buf, s)
}

// Bool writes a boolean.
func (w *Writer) Bool(v bool) {
	switch {
	case w.Proto >= 3 && v:
		w.Buf = append(w.Buf, "#t\r\n"...)
	case w.Proto >= 3:
		w.Buf = append(w.Buf, "#f\r\n"...)
	case v:
		w.Buf = append(w.Buf, ":1\r\n"...)
	default:
		w.Buf = append(w.Buf, ":0\r\n"...)
	}
}

// Verbatim writes text together with its format: "txt", "mkd" or any other
// three letters. A shorter ext is filled with spaces, a longer one cut.
func (w *Writer) Verbatim(ext, s string) {
	if w.Proto < 3 {
		w.BulkString(s)
		return
	}
	w.Buf = AppendHeader(w.Buf, Verbatim, len(s)+4)
	for i := range 3 {
		c := byte(' ')
		if i < len(ext) {
			c = ext[i]
		}
		w.Buf = append(w.Buf, c)
	}
	w.Buf = append(w.Buf, ':')
	w.Buf = append(w.Buf, s...)
	w.crlf()
}

// BigNumber writes an integer of any size, given in decimal.
func (w *Writer) BigNumber(s string) {
	if w.Proto < 3 {
		w.BulkString(s)
		return
	}
	w.Buf = append(w.Buf, byte(BigNumber))
	w.Buf = append(w.Buf, s...)
	w.crlf()
}

func (w *Writer) crlf() { w.Buf = append(w.Buf, '\r', '\n') }

// A Mark is the place of a head whose count is not known yet.
type Mark int

// reserved is the length of a head with a count of one digit, the room that
// Begin leaves.
const reserved = len("*0\r\n")

// Begin leaves room for a head that EndArray, EndMap or EndSet fills in when
// the elements behind it have been counted. Marks nest: the last one begun is
// the first one ended. To drop everything since, call Rewind instead.
func (w *Writer) Begin() Mark {
	m := Mark(len(w.Buf))
	w.Buf = append(w.Buf, "*0\r\n"...)
	return m
}

// BeginArray is Begin, for readers' sake.
func (w *Writer) BeginArray() Mark { return w.Begin() }

// EndArray completes the head at m: an array of n values.
func (w *Writer) EndArray(m Mark, n int) { w.end(m, Array, n) }

// EndSet completes the head at m: a set of n values.
func (w *Writer) EndSet(m Mark, n int) { w.end(m, w.orArray(Set), n) }

// EndMap completes the head at m: a map of n pairs.
func (w *Writer) EndMap(m Mark, n int) {
	if w.Proto >= 3 {
		w.end(m, Map, n)
		return
	}
	w.end(m, Array, 2*n)
}

// Rewind takes back everything written since m was begun.
func (w *Writer) Rewind(m Mark) { w.Buf = w.Buf[:m] }

// end writes the head at m, moving what follows when it is longer than the
// room that was left.
func (w *Writer) end(m Mark, kind Kind, n int) {
	var scratch [maxIntLen + 3]byte
	head := append(scratch[:0], byte(kind))
	head = strconv.AppendInt(head, int64(n), 10)
	head = append(head, '\r', '\n')

	if more := len(head) - reserved; more > 0 {
		end := len(w.Buf)
		w.Buf = append(w.Buf, head[:more]...) // the bytes do not matter, the room does
		copy(w.Buf[int(m)+len(head):], w.Buf[int(m)+reserved:end])
	}
	copy(w.Buf[m:], head)
}
