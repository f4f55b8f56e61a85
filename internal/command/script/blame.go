package script

import (
	"reflect"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// Lua names the variable that an operation failed on: `attempt to index field 'x' (a nil value)`. The machine knows
// only types, but the code of the function still tells from where the register in question was filled: the same that
// Lua looks at. Where the function stands, and what its registers hold, is read by reflection, since the
// machine shows it to nobody; were it not there, messages would go without names.

// suspect is a function of Lua at the instruction that failed.
type suspect struct {
	proto *lua.FunctionProto
	pc    int
	regs  reflect.Value // from its first register on
}

// verbs are what an operation attempted, in the words of its message.
var verbs = [...]string{"call", "index", "perform arithmetic on", "get length of", "concatenate"}

// explained is a message of the machine's, which ran at a level of the stack, with what Lua adds to it.
func explained(L *lua.LState, level int, text string) string {
	text = mended(text)
	d, found := L.GetStack(level)
	if !found {
		return text
	}
	frame := reflect.ValueOf(d).Elem().FieldByName("frame")
	if !frame.IsValid() || frame.IsNil() {
		return text
	}
	if before, ok := strings.CutSuffix(text, " expected, got nil)"); ok {
		return withoutValue(frame, before, text)
	}
	if v, err := L.GetInfo("f", d, lua.LNil); err == nil && v.(*lua.LFunction).IsG {
		if calls(L, level+1) {
			text = placeless(text)
		}
		return text
	}
	for _, verb := range verbs {
		if before, after, ok := strings.Cut(text, "attempt to "+verb+" a "); ok && strings.HasSuffix(after, " value") {
			s, ok := suspectOf(L, d, frame)
			if !ok {
				return text
			}
			return before + "attempt to " + verb + " " + s.accuse(strings.TrimSuffix(after, " value"))
		}
	}
	return text
}

// calls tells whether a level of the stack is a function that calls another one, and not through an operator.
func calls(L *lua.LState, level int) bool {
	d, found := L.GetStack(level)
	if !found {
		return false
	}
	s, ok := suspectOf(L, d, reflect.ValueOf(d).Elem().FieldByName("frame"))
	if !ok {
		return false
	}
	op := opOf(s.proto.Code[s.pc])
	return op == lua.OP_CALL || op == lua.OP_TAILCALL
}

// placeless is a message without the place where it happened, if it is one of those that Lua gives none to when a
// function in C is at work.
func placeless(text string) string {
	for _, m := range [...]string{"Attempt to modify a readonly table", "table index is nil", "attempt to compare "} {
		if i := strings.Index(text, ": "+m); i >= 0 {
			return text[i+2:]
		}
	}
	return text
}

// withoutValue tells an argument that is nil from one that is not there.
func withoutValue(frame reflect.Value, before, text string) string {
	_, rest, ok := strings.Cut(before, "bad argument #")
	number := frame.Elem().FieldByName("NArgs")
	if !ok || !number.IsValid() || rest == "" || int64(rest[0]-'0') <= number.Int() {
		return text
	}
	return before + " expected, got no value)"
}

func suspectOf(L *lua.LState, d *lua.Debug, frame reflect.Value) (s suspect, ok bool) {
	v, err := L.GetInfo("f", d, lua.LNil)
	fn, isFunction := v.(*lua.LFunction)
	if err != nil || !isFunction || fn.IsG || !frame.IsValid() || frame.IsNil() {
		return s, false
	}
	pc, base := frame.Elem().FieldByName("Pc"), frame.Elem().FieldByName("LocalBase")
	reg := reflect.ValueOf(L).Elem().FieldByName("reg")
	if !pc.IsValid() || !base.IsValid() || !reg.IsValid() || reg.Kind() != reflect.Pointer {
		return s, false
	}
	array := reg.Elem().FieldByName("array")
	if !array.IsValid() || array.Kind() != reflect.Slice || int(base.Int()) > array.Len() {
		return s, false
	}
	s = suspect{fn.Proto, int(pc.Int()) - 1, array.Slice(int(base.Int()), array.Len())}
	return s, s.pc >= 0 && s.pc < len(s.proto.Code)
}

// The parts of an instruction.
func opOf(inst uint32) int  { return int(inst >> 26) }
func argA(inst uint32) int  { return int(inst>>18) & 0xff }
func argB(inst uint32) int  { return int(inst & 0x1ff) }
func argC(inst uint32) int  { return int(inst>>9) & 0x1ff }
func argBx(inst uint32) int { return int(inst & 0x3ffff) }

// jumpOf is how far an instruction jumps.
func jumpOf(inst uint32) int { return argBx(inst) - 0x3ffff>>1 }

// constant is from where on an operand is a constant.
const constant = 256

// accuse says what failed: kind, name and type of a variable, or the type alone. known is the type in the message.
func (s *suspect) accuse(known string) string {
	operand := s.operand()
	if operand < 0 {
		return "a " + known + " value"
	}
	if kind, ok := s.kindOf(operand); ok {
		known = kind
	}
	if operand < constant && opOf(s.proto.Code[s.pc]) != lua.OP_TFORLOOP {
		if what, name := s.name(operand, s.pc); what != "" {
			return what + " '" + name + "' (a " + known + " value)"
		}
	}
	return "a " + known + " value"
}

// operand is which of the operands failed, -1 if nobody knows.
func (s *suspect) operand() int {
	inst := s.proto.Code[s.pc]
	switch op := opOf(inst); op {
	case lua.OP_CALL, lua.OP_TAILCALL, lua.OP_TFORLOOP, lua.OP_SETTABLE, lua.OP_SETTABLEKS:
		return argA(inst)
	case lua.OP_GETTABLE, lua.OP_GETTABLEKS, lua.OP_SELF, lua.OP_UNM, lua.OP_LEN:
		return argB(inst)
	case lua.OP_ADD, lua.OP_SUB, lua.OP_MUL, lua.OP_DIV, lua.OP_MOD, lua.OP_POW:
		if s.isNumber(argB(inst)) {
			return argC(inst)
		}
		return argB(inst)
	case lua.OP_CONCAT:
		for right := argC(inst); right > argB(inst); right-- {
			for _, i := range [2]int{right - 1, right} {
				if kind, _ := s.kindOf(i); kind != "string" && kind != "number" {
					return i
				}
			}
		}
	}
	return -1
}

// kindOf is the type of an operand, as Lua calls it.
func (s *suspect) kindOf(operand int) (kind string, ok bool) {
	if operand >= constant {
		if i := operand - constant; i < len(s.proto.Constants) {
			return s.proto.Constants[i].Type().String(), true
		}
		return "", false
	}
	if operand >= s.regs.Len() {
		return "", false
	}
	v := s.regs.Index(operand)
	if v.IsNil() {
		return "nil", true
	}
	switch v.Elem().Type() {
	case reflect.TypeOf(lua.LNil):
		return "nil", true
	case reflect.TypeFor[lua.LBool]():
		return "boolean", true
	case reflect.TypeFor[lua.LNumber]():
		return "number", true
	case reflect.TypeFor[lua.LString]():
		return "string", true
	case reflect.TypeFor[*lua.LTable]():
		return "table", true
	case reflect.TypeFor[*lua.LFunction]():
		return "function", true
	case reflect.TypeFor[*lua.LUserData]():
		return "userdata", true
	case reflect.TypeFor[*lua.LState]():
		return "thread", true
	}
	return "", false
}

// isNumber tells whether an operand is a number or a text of one.
func (s *suspect) isNumber(operand int) bool {
	switch kind, _ := s.kindOf(operand); {
	case kind == "number":
		return true
	case kind != "string":
		return false
	case operand >= constant:
		_, ok := parseNumber(s.proto.Constants[operand-constant].String())
		return ok
	}
	_, ok := parseNumber(s.regs.Index(operand).Elem().String())
	return ok
}

// name is what the script calls what is in a register before the instruction at pc.
func (s *suspect) name(reg, pc int) (what, name string) {
	if name, ok := s.local(reg, pc); ok {
		return "local", name
	}
	at := s.filled(reg, pc)
	if at < 0 {
		return "", ""
	}
	p, inst := s.proto, s.proto.Code[at]
	switch opOf(inst) {
	case lua.OP_GETGLOBAL:
		return "global", p.Constants[argBx(inst)].String()
	case lua.OP_MOVE, lua.OP_MOVEN:
		if argB(inst) < argA(inst) {
			return s.name(argB(inst), at)
		}
	case lua.OP_GETTABLE, lua.OP_GETTABLEKS:
		return "field", s.key(argC(inst))
	case lua.OP_SELF:
		return "method", s.key(argC(inst))
	case lua.OP_GETUPVAL:
		if i := argB(inst); i < len(p.DbgUpvalues) {
			return "upvalue", p.DbgUpvalues[i]
		}
	}
	return "", ""
}

func (s *suspect) key(operand int) string {
	if i := operand - constant; i >= 0 && i < len(s.proto.Constants) {
		if k, ok := s.proto.Constants[i].(lua.LString); ok {
			return string(k)
		}
	}
	return "?"
}

func (s *suspect) local(reg, pc int) (string, bool) {
	for _, l := range s.proto.DbgLocals {
		if l.StartPc > pc {
			break
		}
		if pc < l.EndPc {
			if reg == 0 {
				return l.Name, true
			}
			reg--
		}
	}
	return "", false
}

// filled is the last instruction before pc that put something into a register, -1 if there is none. Like Lua's own
// search it takes every jump forward that does not go too far.
func (s *suspect) filled(reg, pc int) int {
	last := -1
	for i := 0; i < pc; i++ {
		inst := s.proto.Code[i]
		a, sets := argA(inst), false
		switch opOf(inst) {
		case lua.OP_SETGLOBAL, lua.OP_SETUPVAL, lua.OP_SETTABLE, lua.OP_SETTABLEKS, lua.OP_EQ, lua.OP_LT, lua.OP_LE, lua.OP_TEST, lua.OP_RETURN,
			lua.OP_SETLIST, lua.OP_CLOSE, lua.OP_NOP:
		case lua.OP_LOADNIL:
			sets = a <= reg && reg <= argB(inst)
		case lua.OP_TFORLOOP:
			sets = reg >= a+2
		case lua.OP_CALL, lua.OP_TAILCALL, lua.OP_VARARG:
			sets = reg >= a
		case lua.OP_SELF:
			sets = reg == a || reg == a+1
		case lua.OP_JMP, lua.OP_FORLOOP, lua.OP_FORPREP:
			sets = opOf(inst) != lua.OP_JMP && reg >= a && reg <= a+3
			if to := i + 1 + jumpOf(inst); to > i && to <= pc {
				i = to - 1
			}
		case lua.OP_CLOSURE: // what follows says where its upvalues are
			if sets = reg == a; sets {
				last = i
			}
			if n := argBx(inst); n < len(s.proto.FunctionPrototypes) {
				i += int(s.proto.FunctionPrototypes[n].NumUpvalues)
			}
			continue
		default:
			sets = reg == a
		}
		if sets {
			last = min(i, pc-1)
		}
	}
	return last
}
