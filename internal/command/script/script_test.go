package script

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// rig is an engine whose node knows four commands: ECHO, FAIL, and SPIN, which makes
// that the script is killed, and KIND, which answers with a reply of the kind named.
type rig struct {
	*Engine
	killed bool
	heard  string
}

func newRig() *rig {
	r := &rig{}
	r.Engine = New(Options{Host: r, Version: "7.2.4", Log: func(int, string) {}, Random: func() uint64 { return 1 }})
	return r
}

func (r *rig) Run(c *command.Call, j *Job) {
	r.killed = false
	j.Body(r, c.Out, func() {})
}

func (r *rig) Kill(bool) error                                    { return command.Error("NOTBUSY No scripts in execution right now.") }
func (r *rig) Running() (n string, a [][]byte, ms int64, ok bool) { return }
func (r *rig) Breathe() bool                                      { return r.killed }
func (r *rig) Log(int, string)                                    {}
func (r *rig) Permitted(argv [][]byte) (ok, known bool) {
	return string(argv[0]) == "echo", string(argv[0]) != "nosuch"
}

func (r *rig) Hear(file, replicas bool) {
	r.heard += map[bool]string{true: "f", false: "-"}[file] + map[bool]string{true: "r", false: "-"}[replicas] + " "
}

func (r *rig) Call(argv [][]byte, out *resp.Writer) string {
	switch strings.ToLower(string(argv[0])) {
	case "echo":
		out.Bulk(argv[1])
	case "fail":
		out.Error("CODE of an error")
	case "spin":
		r.killed = true
		out.OK()
	case "kind":
		kind(string(argv[1]), out)
	default:
		return "Unknown Redis command called from script"
	}
	return ""
}

func kind(name string, out *resp.Writer) {
	switch name {
	case "double":
		out.Double(3.5)
	case "true":
		out.Bool(true)
	case "null":
		out.Null()
	case "nullarray":
		out.NullArray()
	case "map":
		out.Map(1)
		out.BulkString("k")
		out.Int(7)
	case "set":
		out.Set(1)
		out.BulkString("m")
	case "big":
		out.BigNumber("12345678901234567890")
	case "verbatim":
		out.Verbatim("txt", "some text")
	case "attribute":
		if out.Proto == 3 {
			out.Attribute(1)
			out.BulkString("a")
			out.Int(1)
		}
		out.BulkString("behind")
	case "array":
		out.Array(3)
		out.Int(1)
		out.Null()
		out.SimpleString("fine")
	}
}

type nobody struct{}

func (nobody) ID() uint64                             { return 1 }
func (nobody) Name() string                           { return "" }
func (nobody) User() string                           { return "default" }
func (nobody) Addr() netip.AddrPort                   { return netip.AddrPort{} }
func (nobody) Proto() int                             { return 2 }
func (nobody) SelectDB(int)                           {}
func (nobody) InMulti() bool                          { return false }
func (nobody) Park() (func([]byte), bool)             { return nil, false }
func (nobody) Block(c *command.Call, w *command.Wait) { w.Null(c.Out) }

// eval runs a script and returns its reply, without what names the script.
func (r *rig) eval(proto int, text string, argv ...string) string {
	out := resp.Writer{Proto: proto}
	c := command.Call{Out: &out, Client: nobody{}, Args: [][]byte{[]byte("EVAL"), []byte(text), []byte("0")}}
	for _, a := range argv {
		c.Args = append(c.Args, []byte(a))
	}
	r.Engine.eval(form{})(&c)
	reply := strings.ReplaceAll(string(out.Buf), "\r\n", " ")
	reply, _, _ = strings.Cut(reply, " script: "+Digest([]byte(text)))
	return strings.TrimSuffix(reply, " ")
}

func TestReplies(t *testing.T) {
	r := newRig()
	for _, c := range []struct{ text, v2, v3 string }{
		{"return 1", ":1", ":1"},
		{"return 3.99", ":3", ":3"},
		{"return -3.99", ":-3", ":-3"},
		{"return 'x'", "$1 x", "$1 x"},
		{"return true", ":1", ":1"},
		{"return false", "$-1", "_"},
		{"return nil", "$-1", "_"},
		{"return", "$-1", "_"},
		{"return {1,2,nil,4}", "*2 :1 :2", "*2 :1 :2"},
		{"return {ok='fine'}", "+fine", "+fine"},
		{"return {err='MY error'}", "-MY error", "-MY error"},
		{"return {double=1.5}", "$3 1.5", ",1.5"},
		{"return {map={a=1}}", "*2 $1 a :1", "%1 $1 a :1"},
		{"return {set={a=true}}", "*1 $1 a", "~1 $1 a"},
		{"return {big_number='12\\r\\n3'}", "$5 12  3", "(12  3"},
		{"return {verbatim_string={format='txt',string='abc'}}", "$3 abc", "=7 txt:abc"},
		{"redis.setresp(3) return {true,false}", "*2 :1 :0", "*2 #t #f"},
		{"return function() end", "$-1", "_"},
		{"return _G", "*0", "*0"},
		{"return redis.call('kind','array')", "*3 :1 $-1 +fine", "*3 :1 _ +fine"},
		{"return redis.call('kind','double')", "$3 3.5", "$3 3.5"},
		{"return redis.call('kind','nullarray')", "$-1", "_"},
		{"redis.setresp(3) return redis.call('kind','double').double", ":3", ":3"},
		{"redis.setresp(3) return redis.call('kind','map').map.k", ":7", ":7"},
		{"redis.setresp(3) return redis.call('kind','map')", "*2 $1 k :7", "%1 $1 k :7"},
		{"redis.setresp(3) return redis.call('kind','set')", "*1 $1 m", "~1 $1 m"},
		{"redis.setresp(3) return redis.call('kind','big')", "$20 12345678901234567890", "(12345678901234567890"},
		{"redis.setresp(3) return redis.call('kind','verbatim')", "$9 some text", "=13 txt:some text"},
		{"redis.setresp(3) return redis.call('kind','attribute')", "$6 behind", "$6 behind"},
		{"redis.setresp(3) return redis.call('kind','null') == nil", ":1", "#t"},
	} {
		if got := r.eval(2, c.text); got != c.v2 {
			t.Errorf("%s: %q instead of %q", c.text, got, c.v2)
		}
		if got := r.eval(3, c.text); got != c.v3 {
			t.Errorf("%s: %q instead of %q in RESP3", c.text, got, c.v3)
		}
	}
}

func TestErrors(t *testing.T) {
	r := newRig()
	for _, c := range []struct{ text, want string }{
		{"return redis.call()", "-ERR Please specify at least one argument for this redis lib call"},
		{"return redis.call('echo', {})", "-ERR Lua redis lib command arguments must be strings or integers"},
		{"return redis.call('nosuch')", "-ERR Unknown Redis command called from script"},
		{"redis.call('fail')", "-CODE of an error"},
		{"return redis.pcall('fail')", "-CODE of an error"},
		{"return redis.pcall('fail').err", "$16 CODE of an error"},
		{"local ok, e = pcall(redis.call, 'fail') return e", "$16 CODE of an error"},
		{"error('x')", "-ERR user_script:1: x"},
		{"error({err='MINE'})", "-MINE"},
		{"error({})", "-ERR unknown error"},
		{"a = 1", "-ERR user_script:1: Attempt to modify a readonly table"},
		{"redis.call = 1", "-ERR user_script:1: Attempt to modify a readonly table"},
		{"rawset(_G, 'a', 1)", "-ERR Attempt to modify a readonly table"},
		{"rawset(string, 'a', 1)", "-ERR Attempt to modify a readonly table"},
		{"table.insert(math, 1)", "-ERR Attempt to modify a readonly table"},
		{"setmetatable(_G, {})", "-ERR Attempt to modify a readonly table"},
		{"getmetatable(_G).__index = {}", "-ERR user_script:1: Attempt to modify a readonly table"},
		{"getmetatable('').__index = {}", "-ERR user_script:1: Attempt to modify a readonly table"},
		{"return nosuch", "-ERR user_script:1: Script attempted to access nonexistent global variable 'nosuch'"},
		{"print('x')", "-ERR user_script:1: Script attempted to access nonexistent global variable 'print'"},
		{"return loadstring(string.dump(function() end))()", "-ERR user_script:1: attempt to call a nil value"},
		{"local x return x.y", "-ERR user_script:1: attempt to index local 'x' (a nil value)"},
		{"local x = {} return x.y.z", "-ERR user_script:1: attempt to index field 'y' (a nil value)"},
		{"local x = {} return x[1].z", "-ERR user_script:1: attempt to index field '?' (a nil value)"},
		{"redis.nosuch('x')", "-ERR user_script:1: attempt to call field 'nosuch' (a nil value)"},
		{"cjson()", "-ERR user_script:1: attempt to call global 'cjson' (a table value)"},
		{"local x = {} return x:m()", "-ERR user_script:1: attempt to call method 'm' (a nil value)"},
		{"local x local function f() x() end f()", "-ERR user_script:1: attempt to call upvalue 'x' (a nil value)"},
		{"local a, b = 1 return a + b", "-ERR user_script:1: attempt to perform arithmetic on local 'b' (a nil value)"},
		{"local a = {} return 'x' .. a.b .. 'y'", "-ERR user_script:1: attempt to concatenate field 'b' (a nil value)"},
		{"local a if a then a = 1 else a = redis.b end return #a", "-ERR user_script:1: attempt to get length of local 'a' (a nil value)"},
		{"return ('x')()", "-ERR user_script:1: attempt to call a string value"},
		{"for k in 5 do end", "-ERR user_script:1: attempt to call a number value"},
		{"return {} < {}", "-ERR user_script:1: attempt to compare two table values"},
		{"return ('x'):rep()", "-ERR user_script:1: bad argument #2 to 'rep' (number expected, got no value)"},
		{"local f = function() local t = {} t.x.y = 1 end local ok, e = pcall(f) return e", "$55 user_script:1: attempt to index field 'x' (a nil value)"},
		{"local ok, e = pcall(error, 'x') return e", "$1 x"},
		{"local function f()\n error('deep', 2)\nend\n\nf()", "-ERR user_script:5: deep"},
		{"error(12)", "-ERR user_script:1: 12"},
		{"error()", "-ERR nil"},
		{"redis.sha1hex()", "-ERR wrong number of arguments"},
		{"redis.setresp(4)", "-ERR RESP version must be 2 or 3."},
		{"redis.set_repl(9)", "-ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE."},
		{"return redis.error_reply('')", "-ERR "},
		{"return redis.error_reply('-X y')", "-X y"},
		{"return redis.error_reply(1)", "-ERR wrong number or type of arguments"},
		{"return redis.status_reply('A b')", "+A b"},
		{"return redis.acl_check_cmd('echo','x')", ":1"},
		{"return redis.acl_check_cmd('set','x')", "$-1"},
		{"return redis.acl_check_cmd('nosuch')", "-ERR Invalid command passed to redis.acl_check_cmd()"},
		{"#!lua flags=what?\nreturn 1", "-ERR Unexpected flag in script shebang: what?"},
		{"#!lua badger=1\nreturn 1", "-ERR Unknown lua shebang option: badger=1"},
		{"#!ruby\nreturn 1", "-ERR Unexpected engine in script shebang: #!ruby"},
		{"#!lua", "-ERR Invalid script shebang"},
		{"#!lua flags=no-writes,allow-oom\nerror('second line')", "-ERR user_script:2: second line"},
	} {
		got := r.eval(2, c.text)
		got, _, _ = strings.Cut(got, " script: ")
		if strings.Replace(got, "user_script:1: Attempt", "Attempt", 1) != strings.Replace(c.want, "user_script:1: Attempt", "Attempt", 1) {
			t.Errorf("%s: %q instead of %q", c.text, got, c.want)
		}
	}
}

func TestKilledWhateverItDoes(t *testing.T) {
	r := newRig()
	const want = "-ERR Script killed by user with SCRIPT KILL..."
	for _, text := range []string{
		"redis.call('spin') while true do end",
		"while true do pcall(function() redis.call('spin') while true do end end) end",
		"local co = coroutine.wrap(function() redis.call('spin') while true do end end) while true do pcall(co) end",
		"redis.call('spin') string.rep('a', 100000):find(string.rep('a?', 3000)..string.rep('a', 100000))",
	} {
		if got := r.eval(2, text); got != want {
			t.Errorf("%s: %q", text, got)
		}
		if got := r.eval(2, "return 'next'"); got != "$4 next" {
			t.Errorf("after %s: %q", text, got)
		}
	}
}

// TestNothingStays: no run leaves anything for the next.
func TestNothingStays(t *testing.T) {
	r := newRig()
	for range 3 {
		if got := r.eval(2, "setfenv(0, {}) return #ARGV", "a", "b"); got != ":2" {
			t.Errorf("%q", got)
		}
		if got := r.eval(2, "local f = function() end setfenv(f, {x=1}) return {getfenv(f).x, tostring(rawget(_G,'x'))}"); got != "*2 :1 $3 nil" {
			t.Errorf("%q", got)
		}
	}
	if r.eval(2, "redis.set_repl(redis.REPL_AOF)"); r.heard != "f- " {
		t.Errorf("heard %q", r.heard)
	}
	if n, _, _ := r.Usage(); n == 0 || r.Find([]byte(strings.ToUpper(Digest([]byte("return 'next'"))))) != nil {
		t.Errorf("%d scripts", n)
	}
	r.flush()
	if n, bytes, _ := r.Usage(); n != 0 || bytes != 0 {
		t.Errorf("%d scripts of %d bytes after a flush", n, bytes)
	}
}

// FuzzScript: whatever a script is, it ends in a reply and leaves the machine whole.
func FuzzScript(f *testing.F) {
	for _, seed := range []string{"return 1", "#!lua flags=no-writes\nreturn {1,{2}}", "return string.format('%5.1f %q', 1, 'x')",
		"local t = {} for i=1,9 do t[i]=i end table.sort(t, function(a,b) return true end) return t",
		"return {string.find('abc', '%f[%w](%w+)%b()')}", "return ('x'):rep(3):gsub('x', '%0%0')", "return tonumber('0x1p4')", "goto x ::x::"} {
		f.Add(seed)
	}
	r := newRig()
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 256 || strings.Contains(text, "while") || strings.Contains(text, "repeat") || strings.Contains(text, "for") || strings.Contains(text, "goto") || strings.Contains(text, "function") || strings.Contains(text, "rep") {
			return
		}
		r.eval(2, text)
		if got := r.eval(2, "return 'whole'"); got != "$5 whole" {
			t.Errorf("after %q: %q", text, got)
		}
	})
}
