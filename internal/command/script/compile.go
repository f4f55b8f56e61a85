package script

import (
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// compile makes code of a text in Lua. It may be run by any number of VMs at a time.
// The error is in the words of Lua 5.1, as far as the parser tells what is wrong.
func compile(text, name string) (p *lua.FunctionProto, err error) {
	defer func() { // the machine's compiler gives up by a panic
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("%s:1: %v", name, r)
		}
	}()
	chunk, err := parse.Parse(strings.NewReader(text), name)
	if err != nil {
		return nil, syntaxError(err, name)
	}
	if p, err = lua.Compile(chunk, name); err != nil {
		return nil, compileError(err, name)
	}
	return p, nil
}

// syntaxError gives what the parser says in Lua's form.
func syntaxError(err error, name string) error {
	e, ok := errors.AsType[*parse.Error](err)
	if !ok {
		return errors.New(name + ": " + err.Error())
	}
	line, near := e.Pos.Line, e.Token
	if line == parse.EOF {
		return fmt.Errorf("%s: %s near '<eof>'", name, e.Message)
	}
	return fmt.Errorf("%s:%d: %s near '%s'", name, line, e.Message, near)
}

func compileError(err error, name string) error {
	if e, ok := errors.AsType[*lua.CompileError](err); ok {
		return fmt.Errorf("%s:%d: %s", name, e.Line, e.Message)
	}
	return errors.New(name + ": " + err.Error())
}

// Compile makes code of a text in Lua; name is how messages call it. Any number of
// machines may run it. The error is in Lua's words.
func (e *Engine) Compile(text, name string) (*lua.FunctionProto, error) { return compile(text, name) }
