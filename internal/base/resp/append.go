package resp

import (
	"bytes"
	"strconv"
	"strings"
)

// The Append functions add one piece of the protocol to b and return it.
// Besides growing b they allocate nothing.

// AppendHeader appends a type byte, a count or length, and CR LF.
func AppendHeader(b []byte, kind Kind, n int) []byte {
	if uint(n) < 10 {
		return append(b, byte(kind), byte('0'+n), '\r', '\n')
	}
	return appendLongHeader(b, kind, n)
}

func appendLongHeader(b []byte, kind Kind, n int) []byte {
	if uint(n) < 100 {
		return append(b, byte(kind), byte('0'+n/10), byte('0'+n%10), '\r', '\n')
	}
	b = append(b, byte(kind))
	b = strconv.AppendInt(b, int64(n), 10)
	return append(b, '\r', '\n')
}

// AppendArray appends the head of an array of n values.
func AppendArray(b []byte, n int) []byte { return AppendHeader(b, Array, n) }

// AppendBulk appends a bulk string.
func AppendBulk(b, s []byte) []byte {
	b = AppendHeader(b, Bulk, len(s))
	b = append(b, s...)
	return append(b, '\r', '\n')
}

// AppendBulkString is AppendBulk for a string.
func AppendBulkString(b []byte, s string) []byte {
	b = AppendHeader(b, Bulk, len(s))
	b = append(b, s...)
	return append(b, '\r', '\n')
}

// AppendBulkInt appends n in decimal as a bulk string.
func AppendBulkInt(b []byte, n int64) []byte {
	var scratch [maxIntLen]byte
	return AppendBulk(b, strconv.AppendInt(scratch[:0], n, 10))
}

// AppendInt appends an integer reply.
func AppendInt(b []byte, n int64) []byte {
	if uint64(n) < 10 {
		return append(b, byte(Integer), byte('0'+n), '\r', '\n')
	}
	b = append(b, byte(Integer))
	b = strconv.AppendInt(b, n, 10)
	return append(b, '\r', '\n')
}

// AppendOK appends +OK.
func AppendOK(b []byte) []byte { return append(b, "+OK\r\n"...) }

// AppendSimpleString appends a simple string. Line breaks in s, which would
// end the reply early, become spaces.
func AppendSimpleString(b []byte, s string) []byte {
	b = append(b, byte(SimpleString))
	return appendLine(b, s)
}

// AppendError appends an error. s begins with its code, as in "ERR syntax
// error". Line breaks at its ends are dropped, those inside become spaces.
func AppendError(b []byte, s string) []byte {
	b = append(b, byte(Error))
	return appendLine(b, strings.Trim(s, "\r\n"))
}

func appendLine(b []byte, s string) []byte {
	start := len(b)
	b = append(b, s...)
	if strings.IndexByte(s, '\r') >= 0 || strings.IndexByte(s, '\n') >= 0 {
		for i, c := range b[start:] {
			if c == '\r' || c == '\n' {
				b[start+i] = ' '
			}
		}
	}
	return append(b, '\r', '\n')
}

// AppendCommand appends a request: an array of bulk strings.
func AppendCommand(b []byte, args ...string) []byte {
	b = AppendArray(b, len(args))
	for _, arg := range args {
		b = AppendBulkString(b, arg)
	}
	return b
}

// AppendCommandBytes is AppendCommand for arguments held as bytes.
func AppendCommandBytes(b []byte, args ...[]byte) []byte {
	b = AppendArray(b, len(args))
	for _, arg := range args {
		b = AppendBulk(b, arg)
	}
	return b
}

// AppendRepr appends s in double quotes with everything unprintable escaped:
// the form that MONITOR, the console and rewritten configuration files use and
// that SplitArgs reads back.
func AppendRepr(b, s []byte) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, c := range s {
		if i := bytes.IndexByte(escaped, c); i >= 0 {
			b = append(b, '\\', escapes[i])
			continue
		}
		if c < ' ' || c > '~' {
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
			continue
		}
		b = append(b, c)
	}
	return append(b, '"')
}

// escaped bytes are written as a backslash and the letter at the same place of
// escapes.
var escaped = []byte("\\\"\n\r\t\a\b")

const escapes = `\"nrtab`
