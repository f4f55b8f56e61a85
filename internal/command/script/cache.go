package script

import (
	"strings"
	"sync/atomic"

	"github.com/skeindb/skein/internal/command"
	lua "github.com/yuin/gopher-lua"
)

// Script is the text of an EVAL, compiled once for all machines. It does not change.
type Script struct {
	Digest string
	Flags  Flags
	text   int // bytes
	code   *lua.FunctionProto

	wide atomic.Bool // it uses keys that it does not declare
}

// chunkOfScripts is how messages call the text of a script.
const chunkOfScripts = "user_script"

// scriptOverhead is what a script in the cache takes beside its text, in bytes.
const scriptOverhead = 200

// Find finds a script by its digest, in any case; nil: there is none.
func (e *Engine) Find(digest []byte) *Script {
	if len(digest) != 40 {
		return nil
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if s, ok := e.scripts[string(digest)]; ok {
		return s
	}
	return e.scripts[strings.ToLower(string(digest))]
}

// Load compiles a script and keeps it. The error is an error reply.
func (e *Engine) Load(text []byte) (*Script, error) {
	digest := Digest(text)
	if s := e.Find([]byte(digest)); s != nil {
		return s, nil
	}
	flags, length, err := shebang(text)
	if err != nil {
		return nil, err
	}
	code, err := compile(string(text[length:]), chunkOfScripts)
	if err != nil {
		return nil, command.Errorf("ERR Error compiling script (new function): %s", []byte(err.Error()))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if s, ok := e.scripts[digest]; ok { // somebody else was faster
		return s, nil
	}
	s := &Script{Digest: digest, Flags: flags, text: len(text), code: code}
	e.scripts[digest] = s
	e.bytes += int64(len(text))
	return s, nil
}

// flush forgets all scripts.
func (e *Engine) flush() {
	e.mu.Lock()
	e.scripts, e.bytes = map[string]*Script{}, 0
	e.mu.Unlock()
	e.renew()
}

// Usage is what scripts take: how many are kept, the bytes of them, and those of the
// machines that run them, about.
func (e *Engine) Usage() (scripts int, bytes, machines int64) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	n := len(e.scripts)
	return n, e.bytes + int64(n)*scriptOverhead, e.made.Load() * machineBytes
}

// machineBytes is about what an idle machine takes.
const machineBytes = 48 << 10
