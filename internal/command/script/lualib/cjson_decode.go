package lualib

import (
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"
)

// jsonToken is a kind of token, by the name that errors give it.
type jsonToken string

const (
	tokenObjectBegin jsonToken = "T_OBJ_BEGIN"
	tokenObjectEnd   jsonToken = "T_OBJ_END"
	tokenArrayBegin  jsonToken = "T_ARR_BEGIN"
	tokenArrayEnd    jsonToken = "T_ARR_END"
	tokenString      jsonToken = "T_STRING"
	tokenNumber      jsonToken = "T_NUMBER"
	tokenBoolean     jsonToken = "T_BOOLEAN"
	tokenNull        jsonToken = "T_NULL"
	tokenColon       jsonToken = "T_COLON"
	tokenComma       jsonToken = "T_COMMA"
	tokenEnd         jsonToken = "T_END"
)

// What is wrong with a text that makes no token.
const (
	badToken   jsonToken = "invalid token"
	badNumber  jsonToken = "invalid number"
	badEscape  jsonToken = "invalid escape code"
	badUnicode jsonToken = "invalid unicode escape code"
	badString  jsonToken = "unexpected end of string"
)

// jsonDecoder reads tokens. One is always at hand: its kind, where it starts, and its value if it has one.
type jsonDecoder struct {
	L     *lua.LState
	cfg   *jsonConfig
	data  string
	at    int // behind the token
	token jsonToken
	start int
	value lua.LValue
}

func (c *jsonConfig) decode(L *lua.LState) int {
	one(L)
	data := checkString(L, 1)
	if len(data) >= 2 && (data[0] == 0 || data[1] == 0) {
		fail(L, "JSON parser does not support UTF-16 or UTF-32")
	}
	data, _, _ = strings.Cut(data, "\x00") // a zero byte is the end, wherever it stands
	d := &jsonDecoder{L: L, cfg: c, data: data}
	d.next()
	v := d.any(0, 1)
	if d.next(); d.token != tokenEnd {
		d.expected("the end")
	}
	L.Push(v)
	return 1
}

func (d *jsonDecoder) expected(what string) {
	fail(d.L, "Expected %s but found %s at character %d", what, d.token, d.start+1)
}

// any reads the value that starts with the token at hand, and stops at its last token.
func (d *jsonDecoder) any(depth int, used stack) lua.LValue {
	switch d.token {
	case tokenString, tokenNumber, tokenBoolean:
		return d.value
	case tokenNull:
		return d.cfg.null
	case tokenObjectBegin:
		return d.object(depth+1, used)
	case tokenArrayBegin:
		return d.array(depth+1, used)
	}
	d.expected("value")
	return nil
}

func (d *jsonDecoder) descend(depth int, used stack, slots int) {
	alive(d.L)
	if depth > d.cfg.decodeDepth || !used.has(slots) {
		fail(d.L, "Found too many nested data structures (%d) at character %d", depth, d.at)
	}
}

func (d *jsonDecoder) object(depth int, used stack) lua.LValue {
	d.descend(depth, used, 3)
	t := d.L.CreateTable(0, 0)
	if d.next(); d.token == tokenObjectEnd {
		return t
	}
	for ; ; d.next() {
		if d.token != tokenString {
			d.expected("object key string")
		}
		key := d.value
		if d.next(); d.token != tokenColon {
			d.expected("colon")
		}
		d.next()
		t.RawSet(key, d.any(depth, used+2))
		if d.next(); d.token == tokenObjectEnd {
			return t
		}
		if d.token != tokenComma {
			d.expected("comma or object end")
		}
	}
}

func (d *jsonDecoder) array(depth int, used stack) lua.LValue {
	d.descend(depth, used, 2)
	var items []lua.LValue
	if d.next(); d.token == tokenArrayEnd {
		return d.L.CreateTable(0, 0)
	}
	for ; ; d.next() {
		items = append(items, d.any(depth, used+1))
		if d.next(); d.token == tokenArrayEnd {
			return newArray(d.L, items)
		}
		if d.token != tokenComma {
			d.expected("comma or array end")
		}
	}
}

// newArray makes a table of exactly the size that is needed.
func newArray(L *lua.LState, items []lua.LValue) *lua.LTable {
	t := L.CreateTable(len(items), 0)
	for i, v := range items {
		t.RawSetInt(i+1, v)
	}
	return t
}

// next reads a token. At an error the start is where the error is.
func (d *jsonDecoder) next() {
	for d.at < len(d.data) && strings.IndexByte(" \t\n\r", d.data[d.at]) >= 0 {
		d.at++
	}
	d.start = d.at
	if d.at == len(d.data) {
		d.token = tokenEnd
		return
	}
	switch c := d.data[d.at]; c {
	case '{':
		d.take(tokenObjectBegin, 1, nil)
	case '}':
		d.take(tokenObjectEnd, 1, nil)
	case '[':
		d.take(tokenArrayBegin, 1, nil)
	case ']':
		d.take(tokenArrayEnd, 1, nil)
	case ':':
		d.take(tokenColon, 1, nil)
	case ',':
		d.take(tokenComma, 1, nil)
	case '"':
		d.string()
	default:
		d.word(c)
	}
}

func (d *jsonDecoder) take(token jsonToken, length int, v lua.LValue) {
	d.token, d.at, d.value = token, d.at+length, v
}

// wrong notes an error at the current place, which stays.
func (d *jsonDecoder) wrong(token jsonToken) { d.token, d.start = token, d.at }

func (d *jsonDecoder) word(c byte) {
	rest, lenient := d.data[d.at:], d.cfg.decodeInvalid != 0
	switch {
	case c == '-' || isDigit(c):
		if !lenient && notJSON(rest) {
			d.wrong(badNumber)
			return
		}
		d.number(rest)
	case strings.HasPrefix(rest, "true"):
		d.take(tokenBoolean, 4, lua.LTrue)
	case strings.HasPrefix(rest, "false"):
		d.take(tokenBoolean, 5, lua.LFalse)
	case strings.HasPrefix(rest, "null"):
		d.take(tokenNull, 4, nil)
	case lenient && strings.IndexByte("iInN+", c) >= 0 && notJSON(rest):
		d.number(rest)
	default:
		d.wrong(badToken)
	}
}

func (d *jsonDecoder) number(rest string) {
	f, length := strtod(rest)
	if length == 0 {
		d.wrong(badNumber)
		return
	}
	d.take(tokenNumber, length, lua.LNumber(f))
}

// notJSON tells of a text that strtod may take for a number, and JSON does not.
func notJSON(s string) bool {
	if s[0] == '+' {
		return true
	}
	s = strings.TrimPrefix(s, "-")
	if len(s) >= 2 && s[0] == '0' {
		return s[1]|0x20 == 'x' || isDigit(s[1])
	}
	return foldPrefix(s, "inf") || foldPrefix(s, "nan")
}

func (d *jsonDecoder) string() {
	var text []byte
	d.at++
	for from := d.at; ; {
		if d.at == len(d.data) {
			d.wrong(badString)
			return
		}
		switch c := d.data[d.at]; {
		case c == '"':
			tail := d.data[from:d.at]
			if text != nil {
				tail = string(append(text, tail...))
			}
			d.take(tokenString, 1, lua.LString(tail))
			return
		case c == '\\':
			text = append(text, d.data[from:d.at]...)
			var ok bool
			if text, ok = d.escape(text); !ok {
				return
			}
			from = d.at
		default:
			d.at++
		}
	}
}

func (d *jsonDecoder) escape(text []byte) ([]byte, bool) {
	c := byte(0)
	if d.at+1 < len(d.data) {
		c = d.data[d.at+1]
	}
	if c == 'u' {
		r, length := unicodeEscape(d.data[d.at:])
		if length == 0 {
			d.wrong(badUnicode)
			return nil, false
		}
		d.at += length
		return utf8.AppendRune(text, r), true
	}
	plain := jsonUnescape(c)
	if plain == 0 {
		d.wrong(badEscape)
		return nil, false
	}
	d.at += 2
	return append(text, plain), true
}

// unicodeEscape reads \uXXXX, or two of them that are a surrogate pair. Its length is 0 if it is none.
func unicodeEscape(s string) (r rune, length int) {
	high, ok := hex4(s)
	switch {
	case !ok || high&0xfc00 == 0xdc00:
		return 0, 0
	case high&0xfc00 != 0xd800:
		return high, 6
	}
	low, ok := hex4(s[6:])
	if !ok || low&0xfc00 != 0xdc00 {
		return 0, 0
	}
	return (high&0x3ff<<10 | low&0x3ff) + 0x10000, 12
}

func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	r := rune(0)
	for i := 2; i < 6; i++ {
		switch c := s[i]; {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case isHex(c):
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
