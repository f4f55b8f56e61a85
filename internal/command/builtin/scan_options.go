package builtin

import (
	"bytes"
	"strconv"

	"github.com/skeindb/skein/internal/base/glob"
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// filter is what the keys of KEYS and SCAN, or the members of a collection, must be
// like.
type filter struct {
	pattern []byte // nil: any name
	typed   bool
	kind    value.Type
}

func (f *filter) acceptsType(r keyspace.Ref) bool { return !f.typed || r.Type() == f.kind }

func (f *filter) acceptsName(name []byte) bool {
	return f.pattern == nil || glob.Match(f.pattern, name, false)
}

// scanOptions are what may follow the cursor of SCAN and its like.
type scanOptions struct {
	filter
	count int
}

// read reads the options from argument from on. TYPE is one of keys only.
func (o *scanOptions) read(c *command.Call, from int, ofKeys bool) error {
	o.count = 10
	a := c.Parse(from)
	for a.More() {
		switch {
		case a.IsWith("COUNT", 1):
			if o.count = int(a.Int()); o.count < 1 {
				a.Syntax()
			}
		case a.IsWith("MATCH", 1):
			if o.pattern = a.Next(); string(o.pattern) == "*" {
				o.pattern = nil
			}
		case ofKeys && a.IsWith("TYPE", 1):
			o.kind, o.typed = typeNamed(a.Next()), true
		default:
			a.Syntax()
		}
	}
	return a.Err()
}

// replyScan replies with a cursor and a number of items that stand in items.
func replyScan(c *command.Call, next uint64, items *resp.Writer, n int) {
	c.Out.Array(2)
	c.Out.BulkString(strconv.FormatUint(next, 10))
	c.Out.Array(n)
	c.Out.Raw(items.Buf)
}

const errCursor command.Error = "ERR invalid cursor"

// typeNamed is the type of a name in any case; TypeNone, which no key has, for
// names of none.
func typeNamed(name []byte) value.Type {
	t, _ := value.ParseType(string(bytes.ToLower(name)))
	return t
}

// parseCursor reads a cursor as C's strtoul does: a sign may precede the
// digits, and no text at all is 0.
func parseCursor(b []byte) (cursor uint64, ok bool) {
	if len(b) == 0 {
		return 0, true
	}
	negative := b[0] == '-'
	if negative || b[0] == '+' {
		b = b[1:]
	}
	cursor, err := strconv.ParseUint(string(b), 10, 64)
	if negative {
		cursor = -cursor
	}
	return cursor, err == nil
}
