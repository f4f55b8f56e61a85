package script

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// plainHost runs scripts at once, and has no commands.
type plainHost struct{}

func (plainHost) Run(c *command.Call, j *Job) { j.Body(&loading{}, c.Out, func() {}) }
func (plainHost) Kill(bool) error             { return nil }
func (plainHost) Running() (name string, argv [][]byte, ms int64, ok bool) {
	return "", nil, 0, false
}

func newTestFunctions(cluster bool) *Functions {
	return NewFunctions(New(Options{Host: plainHost{}, Cluster: cluster, Version: "7.2.4", Log: func(int, string) {}, Random: func() uint64 { return 1 }}))
}

const twoFunctions = "#!lua name=lib\n" + `local n = 0
redis.register_function('count', function(keys, args) n = n + #keys + #args return n end)
redis.register_function{function_name = 'Second', callback = function() return redis.sha1hex('') end,
	description = 'what it does', flags = {'no-writes', 'allow-stale'}}`

func fcall(f *Functions, words ...string) string {
	c := &command.Call{Out: &resp.Writer{Proto: 2}}
	for _, w := range append([]string{"FCALL"}, words...) {
		c.Args = append(c.Args, []byte(w))
	}
	f.call(c, false)
	return strings.TrimSuffix(string(c.Out.Buf), "\r\n")
}

func TestFunctionsRun(t *testing.T) {
	f := newTestFunctions(false)
	if _, err := f.add([]byte(twoFunctions), false, loadTimeout); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]string{ // the reply, the words
		{":3", "count", "2", "a", "b", "c"}, {":4", "COUNT", "0", "a"}, {"$40\r\nda39a3ee5e6b4b0d3255bfef95601890afd80709", "second", "0"},
		{"-ERR Function not found", "nope", "0"}, {"-ERR Bad number of keys provided", "count", "x"},
		{"-ERR Number of keys can't be greater than number of args", "count", "1"}, {"-ERR Number of keys can't be negative", "count", "-1"},
	} {
		if got := fcall(f, c[1:]...); got != c[0] {
			t.Errorf("%q: %q", c[1:], got)
		}
	}
	busy := f.engine.VM() // while a machine is in use, another one loads the library anew
	if got := fcall(f, "count", "0", "a"); got != ":1" {
		t.Errorf("in another machine: %q", got)
	}
	f.engine.Rest(busy)
}

// Errors in the words of redis 7.2.4.
func TestLibrariesRefused(t *testing.T) {
	const registering = "ERR Error registering functions: ERR "
	f := newTestFunctions(false)
	if _, err := f.add([]byte(twoFunctions), false, loadTimeout); err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{
		"x":                               "ERR Missing library metadata",
		"#!lua name=a":                    "ERR Invalid library metadata",
		"#!\nreturn 1":                    "ERR Library name was not given",
		"#!lua\nreturn 1":                 "ERR Library name was not given",
		"#!lua name=a x=1\nreturn 1":      "ERR Invalid metadata value given: x=1",
		"#!lua name=a name=b\nreturn 1":   "ERR Invalid metadata value, name argument was given multiple times",
		"#!lua name=a-b\nreturn 1":        "ERR " + badName,
		"#!lua name=\"\"\nreturn 1":       "ERR " + badName,
		"#!lua name='a\nreturn 1":         "ERR Invalid library metadata",
		"#!luax name=a\nreturn 1":         "ERR Engine 'luax' not found",
		"#!lua name=lib\nreturn 1":        "ERR Library 'lib' already exists",
		"#!lua name=a\nreturn 1":          "ERR No functions registered",
		"#!lua name=a\nredis.call('x')":   registering + "user_function:2: Script attempted to access nonexistent global variable 'call'",
		"#!lua name=a\nlocal x = math":    registering + "user_function:2: Script attempted to access nonexistent global variable 'math'",
		"#!lua name=a\n\nx = 1":           registering + "user_function:3: Attempt to modify a readonly table",
		"#!lua name=a\nredis.x = 1":       registering + "user_function:2: Attempt to modify a readonly table",
		"#!lua name=a\nwhile true do end": registering + "FUNCTION LOAD timeout",
		register("1"):                     registering + "calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).",
		register(""):                      registering + "wrong number of arguments to redis.register_function",
		register("'f', f, 1"):             registering + "wrong number of arguments to redis.register_function",
		register("1, f"):                  registering + "first argument to redis.register_function must be a string",
		register("'f', 1"):                registering + "second argument to redis.register_function must be a function",
		register("'f-g', f"):              registering + badName,
		register("'f', f") + register2:    registering + "Function already exists in the library",
		register("'Count', f"):            "ERR Function Count already exists",
		register("{}"):                    registering + "redis.register_function must get a function name argument",
		register("{function_name='f'}"):   registering + "redis.register_function must get a callback argument",
		register("{function_name=1}"):     registering + "function_name argument given to redis.register_function must be a string",
		register("{callback=1}"):          registering + "callback argument given to redis.register_function must be a function",
		register("{description=f}"):       registering + "description argument given to redis.register_function must be a string",
		register("{flags=1}"):             registering + "flags argument to redis.register_function must be a table representing function flags",
		register("{flags={'no'}}"):        registering + "unknown flag given",
		register("{x=1}"):                 registering + "unknown argument given to redis.register_function",
		register("{[f]=1}"):               registering + "named argument key given to redis.register_function is not a string",
	} {
		timeout := loadTimeout
		if strings.Contains(source, "while") {
			timeout = 1
		}
		if _, err := f.add([]byte(source), false, timeout); err == nil || err.Error() != want {
			t.Errorf("%q\n got %v\nwant %s", source, err, want)
		}
	}
	if libraries, functions, _ := f.Size(); libraries != 1 || functions != 2 {
		t.Errorf("%d libraries, %d functions", libraries, functions)
	}
}

const register2 = " redis.register_function('f', f)"

func register(args string) string {
	return "#!lua name=a\nlocal f = function() end redis.register_function(" + args + ")"
}

func TestLibrariesMove(t *testing.T) {
	from, to := newTestFunctions(false), newTestFunctions(true)
	for _, f := range []*Functions{from, to} {
		if _, err := f.add([]byte(twoFunctions), false, loadTimeout); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := from.add([]byte("#!LUA name=other\nredis.register_function('other', function() return 1 end)"), false, loadTimeout); err != nil {
		t.Fatal(err)
	}
	if _, err := to.add([]byte("#!lua name=mine\nredis.register_function('mine', function() return 1 end)"), false, loadTimeout); err != nil {
		t.Fatal(err)
	}
	c := &command.Call{Out: &resp.Writer{Proto: 2}}
	from.dump(c)
	_, payload, _ := strings.Cut(string(c.Out.Buf), "\r\n")
	payload = strings.TrimSuffix(payload, "\r\n")
	for _, step := range []struct {
		policy int
		want   string
	}{
		{restoreAppend, "ERR Library lib already exists"}, {restoreReplace, "[lib mine other]"}, {restoreFlush, "[lib other]"},
	} {
		next, err := to.restored([]byte(payload), step.policy)
		got := fmt.Sprint(err)
		if err == nil {
			var names []string
			for _, l := range next.list() {
				names = append(names, l.Name)
			}
			got = fmt.Sprint(names)
		}
		if got != step.want {
			t.Errorf("policy %d: %s", step.policy, got)
		}
	}
	install, err := to.Prepare(from.Sources())
	if err != nil {
		t.Fatal(err)
	}
	if install(); fcall(to, "other", "0") != ":1" || fcall(to, "mine", "0") != "-ERR Function not found" {
		t.Error("what was prepared is not installed")
	}
	if _, err := to.Prepare([][]byte{[]byte("#!lua name=a\nx")}); err == nil {
		t.Error("a broken library was prepared")
	}
}

// TestWide: in a cluster a function runs on the stripes of its keys, until it uses others.
func TestWide(t *testing.T) {
	f := newTestFunctions(true)
	if _, err := f.add([]byte(twoFunctions), false, loadTimeout); err != nil {
		t.Fatal(err)
	}
	with, without := [][]byte{[]byte("FCALL"), []byte("count"), []byte("1"), []byte("k")}, [][]byte{[]byte("FCALL"), []byte("count"), []byte("0")}
	if f.wide(with) || !f.wide(without) {
		t.Error("wide before")
	}
	f.now.Load().find(with[1]).wide.Store(true)
	if !f.wide(with) {
		t.Error("not wide after")
	}
}

func FuzzLibrary(f *testing.F) {
	for _, s := range []string{twoFunctions, register("{x=1}"), "#!lua name=\"\\x41\"\nx=1", "#!lua name=a\nlocal t = redis t.x = t"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		fs := newTestFunctions(false)
		l, err := fs.add(source, false, 1e6)
		if err != nil {
			return
		}
		if again, err := newLibrary(fs.Sources()[0]); err != nil || again.Name != l.Name {
			t.Errorf("%v", err)
		}
	})
}
