package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
)

// format is a way to show replies.
type format int

const (
	formatTTY        format = iota // for people: types told, strings quoted, lists numbered
	formatRaw                      // for programs: the bytes, a line each
	formatCSV                      // one line
	formatJSON                     // one line
	formatQuotedJSON               // the same in ASCII
)

// show prints a reply. Some replies are made for people already: they are
// printed as they are, in any format.
func (c *client) show(v *resp.Value, verbatim bool) {
	var b []byte
	if verbatim {
		b = c.opt.appendRaw(b, v)
	} else {
		b = c.opt.append(b, v)
	}
	c.out.Write(b)
}

// showPush prints what a server tells unasked: in RESP3 mostly which keys have
// changed that CLIENT TRACKING was asked to watch.
func (c *client) showPush(v *resp.Value) {
	if c.opt.format == formatTTY && isInvalidation(v) {
		keys := make([]string, len(v.Elems[1].Elems))
		for i := range keys {
			keys[i] = "'" + v.Elems[1].Elems[i].Text() + "'"
		}
		fmt.Fprintf(c.out, "-> invalidate: %s\n", strings.Join(keys, ", "))
		return
	}
	c.show(v, false)
}

func isInvalidation(v *resp.Value) bool {
	return len(v.Elems) == 2 && v.Elems[0].Text() == "invalidate" && v.Elems[1].Kind == resp.Array
}

// append appends a reply in the chosen format, with its line's end.
func (o *options) append(b []byte, v *resp.Value) []byte {
	switch o.format {
	case formatRaw:
		return append(o.appendRaw(b, v), o.replyEnd...)
	case formatCSV:
		return append(appendCSV(b, v), '\n')
	case formatJSON:
		return append(appendJSON(b, v, appendJSONString), '\n')
	case formatQuotedJSON:
		return append(appendJSON(b, v, appendQuotedJSONString), '\n')
	}
	return appendTTY(b, v, "")
}

// appendTTY appends a reply for people:
//
//	an array        one inside it         a map                   a set
//
//	1) "a"          1) 1) (integer) 2     1# "k" => (integer) 1   1~ "a"
//	2) (nil)           2) (nil)           2# "l" => (true)        2~ "b"
//	                2) "b"
//
// indent stands before every line but the first.
func appendTTY(b []byte, v *resp.Value, indent string) []byte {
	switch v.Kind {
	case resp.Array, resp.Push, resp.Set, resp.Map:
		return appendList(b, v, indent)
	case resp.Error, resp.BlobError:
		b = append(append(b, "(error) "...), v.Str...)
	case resp.Integer:
		b = strconv.AppendInt(append(b, "(integer) "...), v.Int, 10)
	case resp.Double:
		b = append(append(b, "(double) "...), v.Str...)
	case resp.BigNumber:
		b = append(append(b, "(big number) "...), v.Str...)
	case resp.Bool:
		b = fmt.Appendf(b, "(%t)", v.Int == 1)
	case resp.Null:
		b = append(b, "(nil)"...)
	case resp.Bulk:
		b = resp.AppendRepr(b, v.Str)
	default: // simple and verbatim strings
		b = append(b, v.Str...)
	}
	return append(b, '\n')
}

func appendList(b []byte, v *resp.Value, indent string) []byte {
	n, mark, empty := len(v.Elems), ") ", "(empty array)\n"
	switch v.Kind {
	case resp.Map:
		n, mark, empty = n/2, "# ", "(empty hash)\n"
	case resp.Set:
		mark, empty = "~ ", "(empty set)\n"
	case resp.Push:
		empty = "(empty push)\n"
	}
	if n == 0 {
		return append(b, empty...)
	}
	width := len(strconv.Itoa(n))
	inner := indent + strings.Repeat(" ", width+len(mark))
	for i := range n {
		if i > 0 {
			b = append(b, indent...)
		}
		b = fmt.Appendf(b, "%*d%s", width, i+1, mark)
		if v.Kind != resp.Map {
			b = appendTTY(b, &v.Elems[i], inner)
			continue
		}
		b = appendTTY(b, &v.Elems[2*i], inner)
		b = append(b[:len(b)-1], " => "...)
		if isTall(&v.Elems[2*i+1]) { // its columns shall stand below each other
			b = append(append(b, '\n'), inner...)
		}
		b = appendTTY(b, &v.Elems[2*i+1], inner)
	}
	return b
}

// isTall tells whether appendTTY needs more than one line.
func isTall(v *resp.Value) bool {
	switch v.Kind {
	case resp.Array, resp.Push, resp.Set:
		return len(v.Elems) > 1 || len(v.Elems) == 1 && isTall(&v.Elems[0])
	case resp.Map:
		return len(v.Elems) > 2 || len(v.Elems) == 2 && isTall(&v.Elems[1])
	}
	return false
}

// appendRaw appends a reply's bytes, without its types.
func (o *options) appendRaw(b []byte, v *resp.Value) []byte {
	switch v.Kind {
	case resp.Array, resp.Push, resp.Set:
		for i := range v.Elems {
			if i > 0 {
				b = append(b, o.delimiter...)
			}
			b = o.appendRaw(b, &v.Elems[i])
		}
		return b
	case resp.Map:
		for i := 0; i+1 < len(v.Elems); i += 2 {
			if i > 0 {
				b = append(b, o.delimiter...)
			}
			b = append(o.appendRaw(b, &v.Elems[i]), ' ')
			b = o.appendRaw(b, &v.Elems[i+1])
		}
		return b
	case resp.Integer:
		return strconv.AppendInt(b, v.Int, 10)
	case resp.Bool:
		return fmt.Appendf(b, "(%t)", v.Int == 1)
	case resp.Error, resp.BlobError:
		return append(append(b, v.Str...), '\n')
	}
	return append(b, v.Str...) // of a null, nothing
}
