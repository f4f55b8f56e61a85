package lualib

import (
	"math"

	lua "github.com/yuin/gopher-lua"
)

// maxSparse bounds what an array with holes may be filled up to, when a script has switched the guard off.
const maxSparse = 1 << 26

type jsonEncoder struct {
	L   *lua.LState
	cfg *jsonConfig
	out []byte
}

func (c *jsonConfig) encode(L *lua.LState) int {
	one(L)
	e := &jsonEncoder{L: L, cfg: c}
	e.value(L.Get(1), 0, 1)
	L.Push(lua.LString(e.out))
	return 1
}

func (e *jsonEncoder) refuse(v lua.LValue, why string) {
	fail(e.L, "Cannot serialise %s: %s", v.Type(), why)
}

func (e *jsonEncoder) text(s string) { e.out = append(e.out, s...) }

func (e *jsonEncoder) value(v lua.LValue, depth int, used stack) {
	switch v := v.(type) {
	case lua.LString:
		e.string(string(v))
	case lua.LNumber:
		e.number(v)
	case lua.LBool:
		e.text(v.String())
	case *lua.LNilType:
		e.text("null")
	case *lua.LTable:
		e.table(v, depth+1, used)
	case *lua.LUserData:
		if v != e.cfg.null {
			e.refuse(v, "type not supported")
		}
		e.text("null")
	default:
		e.refuse(v, "type not supported")
	}
}

func (e *jsonEncoder) string(s string) {
	e.out = append(e.out, '"')
	from := 0
	for i := range len(s) {
		if escape := jsonEscapes[s[i]]; escape != "" {
			e.out = append(append(e.out, s[from:i]...), escape...)
			from = i + 1
		}
	}
	e.out = append(append(e.out, s[from:]...), '"')
}

func (e *jsonEncoder) number(n lua.LNumber) {
	f := float64(n)
	if math.IsInf(f, 0) || math.IsNaN(f) {
		switch {
		case e.cfg.encodeInvalid == 0:
			e.refuse(n, "must not be NaN or Inf")
		case e.cfg.encodeInvalid == 2:
			e.text("null")
			return
		case math.IsNaN(f):
			e.text("nan")
			return
		}
	}
	e.text(formatNumber(f, e.cfg.precision))
}

func (e *jsonEncoder) table(t *lua.LTable, depth int, used stack) {
	alive(e.L)
	if depth > e.cfg.encodeDepth || !used.has(3) {
		fail(e.L, "Cannot serialise, excessive nesting (%d)", depth)
	}
	if length, array := e.arrayLength(t); array {
		e.array(t, length, depth, used+1)
	} else {
		e.object(t, depth, used+2)
	}
}

// arrayLength tells whether the table is an array, that is all its keys are positive integers, and the last
// of them. A table without keys is an object.
func (e *jsonEncoder) arrayLength(t *lua.LTable) (length int, array bool) {
	last, items := 0.0, 0
	for key, _ := t.Next(lua.LNil); key != lua.LNil; key, _ = t.Next(key) {
		n, ok := key.(lua.LNumber)
		if f := float64(n); !ok || f < 1 || math.Floor(f) != f {
			return 0, false
		}
		last = max(last, float64(n))
		items++
	}
	sparse := e.cfg.sparseRatio > 0 && last > float64(items*e.cfg.sparseRatio) && last > float64(e.cfg.sparseSafe)
	if sparse && e.cfg.sparseConvert {
		return 0, false
	}
	if sparse || last > maxSparse {
		e.refuse(t, "excessively sparse array")
	}
	return int(last), last > 0
}

func (e *jsonEncoder) array(t *lua.LTable, length, depth int, used stack) {
	e.out = append(e.out, '[')
	for i := 1; i <= length; i++ {
		if i > 1 {
			e.out = append(e.out, ',')
		}
		e.value(t.RawGetInt(i), depth, used)
	}
	e.out = append(e.out, ']')
}

func (e *jsonEncoder) object(t *lua.LTable, depth int, used stack) {
	e.out = append(e.out, '{')
	comma := false
	for key, v := t.Next(lua.LNil); key != lua.LNil; key, v = t.Next(key) {
		if comma {
			e.out = append(e.out, ',')
		}
		comma = true
		switch key := key.(type) {
		case lua.LNumber:
			e.out = append(e.out, '"')
			e.number(key)
			e.text(`":`)
		case lua.LString:
			e.string(string(key))
			e.out = append(e.out, ':')
		default:
			e.refuse(key, "table key must be a number or string")
		}
		e.value(v, depth, used)
	}
	e.out = append(e.out, '}')
}
