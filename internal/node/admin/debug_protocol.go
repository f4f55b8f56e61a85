package admin

import (
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
)

// protocol is DEBUG PROTOCOL type: a value of each type of the protocol, for
// tests of clients.
func protocol(d *debugCall) {
	switch out := d.Out; strings.ToLower(d.Arg(2)) {
	case "string":
		out.BulkString("Hello World")
	case "integer":
		out.Int(12345)
	case "double":
		out.Double(3.141)
	case "bignum":
		out.BigNumber("1234567999999999999999999999999999999")
	case "null":
		out.Null()
	case "array":
		out.Array(3)
		toThree(out)
	case "set":
		out.Set(3)
		toThree(out)
	case "map":
		out.Map(3)
		for i := range 3 {
			out.Int(int64(i))
			out.Bool(i == 1)
		}
	case "attrib":
		attribute(out)
	case "push":
		push(out)
	case "verbatim":
		out.Verbatim("txt", "This is a verbatim\nstring")
	case "true":
		out.Bool(true)
	case "false":
		out.Bool(false)
	default:
		out.Error("ERR Wrong protocol type name. Please use one of the following: " +
			"string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false")
	}
}

func toThree(out *resp.Writer) {
	for i := range 3 {
		out.Int(int64(i))
	}
}

// attribute is followed by a reply, because it is none itself.
func attribute(out *resp.Writer) {
	if out.Proto >= 3 {
		out.Attribute(1)
		out.BulkString("key-popularity")
		out.Array(2)
		out.BulkString("key:123")
		out.Int(90)
	}
	out.BulkString("Some real reply following the attribute")
}

// push is followed by a reply, too.
func push(out *resp.Writer) {
	if out.Proto < 3 {
		out.Error("ERR RESP2 is not supported by this command")
		return
	}
	out.Push(2)
	out.BulkString("server-cpu-usage")
	out.Int(42)
	out.BulkString("Some real reply following the push reply")
}
