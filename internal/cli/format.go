package cli

import (
	"bytes"
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

// appendCSV appends a reply as comma separated values. Lists in lists become
// one flat list.
func appendCSV(b []byte, v *resp.Value) []byte {
	switch v.Kind {
	case resp.Array, resp.Push, resp.Set, resp.Map:
		for i := range v.Elems {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendCSV(b, &v.Elems[i])
		}
		return b
	case resp.Error, resp.BlobError:
		return resp.AppendRepr(append(b, "ERROR,"...), v.Str)
	case resp.Null:
		return append(b, "NULL"...)
	}
	return appendScalar(b, v, resp.AppendRepr)
}

// appendJSON appends a reply as JSON, its strings by text.
func appendJSON(b []byte, v *resp.Value, text func(b, s []byte) []byte) []byte {
	switch v.Kind {
	case resp.Array, resp.Push, resp.Set:
		b = append(b, '[')
		for i := range v.Elems {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, &v.Elems[i], text)
		}
		return append(b, ']')
	case resp.Map:
		b = append(b, '{')
		for i := 0; i+1 < len(v.Elems); i += 2 {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSONKey(b, &v.Elems[i], text), ':')
			b = appendJSON(b, &v.Elems[i+1], text)
		}
		return append(b, '}')
	case resp.Error, resp.BlobError:
		return text(append(b, "error:"...), v.Str)
	case resp.Null:
		return append(b, "null"...)
	}
	return appendScalar(b, v, text)
}

// appendJSONKey quotes a map's key that is no string: JSON has no others.
func appendJSONKey(b []byte, v *resp.Value, text func(b, s []byte) []byte) []byte {
	key := appendJSON(nil, v, text)
	if v.IsError() || key[0] == '"' {
		return append(b, key...)
	}
	return append(append(append(b, '"'), key...), '"')
}

// appendScalar appends what CSV and JSON write alike.
func appendScalar(b []byte, v *resp.Value, text func(b, s []byte) []byte) []byte {
	switch v.Kind {
	case resp.Integer:
		return strconv.AppendInt(b, v.Int, 10)
	case resp.Bool:
		return strconv.AppendBool(b, v.Int == 1)
	case resp.Double, resp.BigNumber:
		return append(b, v.Str...)
	}
	return text(b, v.Str)
}

// appendJSONString quotes a string that may be UTF-8, and leaves it that.
func appendJSONString(b, s []byte) []byte {
	const named, letters = "\n\f\r\t\b\\\"", `nfrtb\"`
	b = append(b, '"')
	for _, c := range s {
		if i := strings.IndexByte(named, c); i >= 0 {
			b = append(b, '\\', letters[i])
		} else if c < ' ' {
			b = fmt.Appendf(b, `\u%04x`, c)
		} else {
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// appendQuotedJSONString quotes a string for redis's console, and that for JSON.
func appendQuotedJSONString(b, s []byte) []byte {
	return append(b, bytes.ReplaceAll(resp.AppendRepr(nil, s), []byte(`\`), []byte(`\\`))...)
}

// verbatim are the commands whose replies are made for people: the words they
// begin with, and how many words they have (0: any number).
var verbatim = [...]struct {
	words string
	count int
}{
	{"info", 0}, {"lolwut", 0},
	{"debug htstats", 0}, {"debug htstats-key", 0}, {"debug client-eviction", 0},
	{"memory malloc-stats", 0}, {"memory doctor", 0},
	{"cluster nodes", 2}, {"cluster info", 2},
	{"client list", 0}, {"client info", 0},
	{"latency graph", 3}, {"latency doctor", 2},
	{"proxy info", 0},
}

func isVerbatim(args [][]byte) bool {
	first := strings.ToLower(string(args[0]))
	two := first
	if len(args) > 1 {
		two += " " + strings.ToLower(string(args[1]))
	}
	for _, v := range verbatim {
		if (v.words == first || v.words == two) && (v.count == 0 || v.count == len(args)) {
			return true
		}
	}
	return false
}
