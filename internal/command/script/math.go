package script

import (
	"math"

	lua "github.com/yuin/gopher-lua"
)

// openMath replaces what of math differs from Lua 5.1, or from redis.
func (vm *VM) openMath(t *lua.LTable) {
	t.RawSetString("huge", lua.LNumber(math.Inf(1)))
	vm.L.SetFuncs(t, map[string]lua.LGFunction{
		"random":     vm.random,
		"randomseed": vm.randomSeed,
		"fmod": func(L *lua.LState) int {
			L.Push(lua.LNumber(math.Mod(float64(L.CheckNumber(1)), float64(L.CheckNumber(2)))))
			return 1
		},
	})
	t.RawSetString("mod", t.RawGetString("fmod"))
}

// prng is the generator behind math.random: the same numbers on every machine, after
// the same seed (lrand48).
type prng struct{ seed uint64 }

const (
	prngBits = 48
	prngMult = 0x5DEECE66D
	prngAdd  = 0xB
	prngLow  = 0x330E
)

// next is the next number below 1<<31.
func (p *prng) next() int64 {
	p.seed = (p.seed*prngMult + prngAdd) & (1<<prngBits - 1)
	return int64(p.seed >> (prngBits - 31))
}

func (p *prng) set(seed int32) { p.seed = uint64(uint32(seed))<<16 | prngLow }

func (vm *VM) random(L *lua.LState) int {
	const most = math.MaxInt32
	r := float64(vm.draws.next()%most) / most
	n := L.GetTop()
	from, to := 1.0, 0.0
	switch n {
	case 0:
		L.Push(lua.LNumber(r))
		return 1
	case 1:
		to = float64(int32(truncated(L.CheckNumber(1))))
	case 2:
		from, to = float64(int32(truncated(L.CheckNumber(1)))), float64(int32(truncated(L.CheckNumber(2))))
	default:
		L.RaiseError("wrong number of arguments")
	}
	if from > to {
		L.ArgError(n, "interval is empty")
	}
	L.Push(lua.LNumber(math.Floor(r*(to-from+1)) + from))
	return 1
}

func (vm *VM) randomSeed(L *lua.LState) int {
	vm.draws.set(int32(truncated(L.CheckNumber(1))))
	return 0
}
