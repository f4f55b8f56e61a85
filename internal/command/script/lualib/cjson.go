package lualib

import (
	"fmt"
	"math"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// jsonConfig is what the functions encode_* and decode_* set. Each table that cjson.new makes has its own.
type jsonConfig struct {
	null *lua.LUserData // stands for null, which nil cannot: a table has no nil in it

	sparseConvert bool // an array with many holes becomes an object, and not an error
	sparseRatio   int  // it has many if its last index is more than so many times its items, 0 never
	sparseSafe    int  // and more than this

	encodeDepth, decodeDepth int
	encodeInvalid            int // infinity and nan: 0 an error, 1 as they are, 2 null
	decodeInvalid            int // the same, hexadecimal numbers and leading zeros: 1 to accept them
	precision                int // digits of a number
	keepBuffer               int // no meaning here
}

func openJSON(L *lua.LState) {
	null := L.NewUserData()
	null.Metatable = L.SetFuncs(L.NewTable(), map[string]lua.LGFunction{
		"__tostring": func(L *lua.LState) int { L.Push(lua.LString("userdata: (nil)")); return 1 },
	})
	null.Metatable.(*lua.LTable).RawSetString("__metatable", lua.LFalse)
	L.SetGlobal("cjson", newJSON(L, null))
}

func newJSON(L *lua.LState, null *lua.LUserData) *lua.LTable {
	c := &jsonConfig{
		null: null, sparseRatio: 2, sparseSafe: 10, encodeDepth: 1000, decodeDepth: 1000,
		decodeInvalid: 1, precision: 14, keepBuffer: 1,
	}
	t := register(L, map[string]lua.LGFunction{
		"encode":                  c.encode,
		"decode":                  c.decode,
		"encode_sparse_array":     c.setSparseArray,
		"encode_max_depth":        c.integerOption(&c.encodeDepth, 1, math.MaxInt32),
		"decode_max_depth":        c.integerOption(&c.decodeDepth, 1, math.MaxInt32),
		"encode_number_precision": c.integerOption(&c.precision, 1, 14),
		"encode_keep_buffer":      c.wordOption(&c.keepBuffer, "off", "on"),
		"encode_invalid_numbers":  c.wordOption(&c.encodeInvalid, "off", "on", "null"),
		"decode_invalid_numbers":  c.wordOption(&c.decodeInvalid, "off", "on"),
		"new":                     func(L *lua.LState) int { L.Push(newJSON(L, null)); return 1 },
	})
	t.RawSetString("null", null)
	t.RawSetString("_NAME", lua.LString("cjson"))
	t.RawSetString("_VERSION", lua.LString("2.1.0"))
	return t
}

func (c *jsonConfig) setSparseArray(L *lua.LState) int {
	atMost(L, 3)
	convert := 0
	if c.sparseConvert {
		convert = 1
	}
	setWord(L, 1, &convert, "off", "on")
	c.sparseConvert = convert == 1
	setInteger(L, 2, &c.sparseRatio, 0, math.MaxInt32)
	setInteger(L, 3, &c.sparseSafe, 0, math.MaxInt32)
	L.Push(lua.LBool(c.sparseConvert))
	L.Push(lua.LNumber(c.sparseRatio))
	L.Push(lua.LNumber(c.sparseSafe))
	return 3
}

func (c *jsonConfig) integerOption(option *int, lowest, highest int) lua.LGFunction {
	return func(L *lua.LState) int {
		atMost(L, 1)
		setInteger(L, 1, option, lowest, highest)
		L.Push(lua.LNumber(*option))
		return 1
	}
}

// wordOption answers true and false for on and off, as it takes them.
func (c *jsonConfig) wordOption(option *int, words ...string) lua.LGFunction {
	return func(L *lua.LState) int {
		atMost(L, 1)
		setWord(L, 1, option, words...)
		if *option <= 1 {
			L.Push(lua.LBool(*option == 1))
		} else {
			L.Push(lua.LString(words[*option]))
		}
		return 1
	}
}

func atMost(L *lua.LState, n int) {
	if L.GetTop() > n {
		argError(L, n+1, "found too many arguments")
	}
}

func setInteger(L *lua.LState, n int, option *int, lowest, highest int) {
	if L.Get(n) == lua.LNil {
		return
	}
	v := int(int32(toInt64(checkNumber(L, n))))
	if v < lowest || v > highest {
		argError(L, 1, fmt.Sprintf("expected integer between %d and %d", lowest, highest))
	}
	*option = v
}

func setWord(L *lua.LState, n int, option *int, words ...string) {
	switch v := L.Get(n).(type) {
	case *lua.LNilType:
	case lua.LBool:
		*option = 0
		if v {
			*option = 1
		}
	default:
		word := checkString(L, n)
		i := slices.Index(words, word)
		if i < 0 {
			argError(L, n, fmt.Sprintf("invalid option '%s'", word))
		}
		*option = i
	}
}

// one says that exactly one argument is needed.
func one(L *lua.LState) {
	if L.GetTop() != 1 {
		argError(L, 1, "expected 1 argument")
	}
}

// jsonEscapes has what is written for each byte that is not written as it is.
var jsonEscapes = func() (table [256]string) {
	for c := range 0x20 {
		table[c] = fmt.Sprintf("\\u%04x", c)
	}
	for i, c := range "\b\t\n\f\r" {
		table[c] = "\\" + "btnfr"[i:i+1]
	}
	for _, c := range `"\/` {
		table[c] = "\\" + string(c)
	}
	table[0x7f] = "\\u007f"
	return table
}()

// jsonUnescape is the byte that an escape stands for, 0 if it is none.
func jsonUnescape(c byte) byte {
	if i := strings.IndexByte(`"\/btnfr`, c); i >= 0 {
		return "\"\\/\b\t\n\f\r"[i]
	}
	return 0
}
