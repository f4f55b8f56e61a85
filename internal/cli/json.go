package cli

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
)

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
