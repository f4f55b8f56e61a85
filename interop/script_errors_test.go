package interop

import (
	"regexp"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

// failingScripts are scripts whose replies are errors, or are made of errors. Skein and redis reply the same, to the
// last byte, with the place where it happened.
var failingScripts = []string{
	// What is no Lua at all.
	"return +", "local", "x = ", "if true then", "end", "return 'abc", "return \"a\nb\"", "return [[abc", "for i = 1 do end", "return 1 2", "x y", "f(", "a.b:c = 1",
	"break", "local function end", "return {1, 2", "return 1 .. ", "goto x", "return 0x", "return @", "--[[ no end", "local a <const> = 1", "return 3 // 2", "return ~1",
	// What redis raises.
	"return redis.call()", "return redis.pcall()", "return redis.call({})", "return redis.call('get')", "return redis.call('nosuch')", "return redis.pcall('nosuch')",
	"return redis.call('get', 'k', 'x')", "return redis.call('lpush', 'str', 1)", "return redis.pcall('lpush', 'str', 1)", "return redis.pcall('lpush', 'str', 1).err",
	"local e = redis.pcall('lpush', 'str', 1) return {e.err, e.ok or 'none'}", "local e = redis.pcall('incr', 'str') error(e)", "return redis.call('subscribe', 'c')",
	"return redis.call('watch', 'k')", "return redis.call('multi')", "return redis.call('eval', 'return 1', '0')", "return redis.call('select', 99)", "return redis.call('get', nil)",
	"return redis.call('get', true)", "return redis.call('set', 'k', function() end)", "local ok, e = pcall(redis.call, 'incr', 'str') return {tostring(ok), type(e), e.err}",
	"local ok, e = pcall(redis.call, 'nosuch') return e", "return redis.error_reply('bad')", "return redis.error_reply('-BAD thing')", "return redis.error_reply('BAD thing')",
	"return redis.error_reply('')", "return redis.error_reply('-')", "return redis.error_reply('a\\r\\nb')", "return redis.error_reply()", "return redis.error_reply(1, 2)",
	"return redis.status_reply({})", "return {err='bad'}", "return {err='BAD thing'}", "return {err='-BAD thing'}", "return {err=1}", "return {err='a\\nb'}", "return {err=''}",
	"redis.setresp(1)", "redis.setresp()", "redis.setresp('x')", "redis.set_repl(77)", "redis.sha1hex()", "redis.sha1hex(1, 2)", "redis.log()", "redis.log(99, 'x')", "redis.log('x', 'y')",
	"redis.acl_check_cmd()", "redis.acl_check_cmd('nosuch')", "return redis.acl_check_cmd('get', 'k')", "redis.register_function('f', function() end)", "redis.breakpoint(1)", "redis.debug()",
	// What scripts raise.
	"error('text')", "error('text', 0)", "error('text', 2)", "error()", "error(nil)", "error({err='MINE of it'})", "error({err='-MINE of it'})", "error(12)", "error(true)",
	"error(redis.error_reply('MINE of it'))", "assert(false)", "assert(nil, 'asserted')", "assert(false, {err='MINE'})", "local function f() error('deep') end\nf()", "local function f()\n error('deep', 2)\nend\n\nf()",
	"local ok, e = pcall(error, 'x') return e", "local ok, e = pcall(error, {err='MINE'}) return e", "local ok, e = xpcall(function() error('x') end, function(e) return e .. '!' end) return e", "\n\nerror('third line')",
	"#!lua flags=no-writes\nreturn redis.call('set', 'k', 1)", "#!lua flags=no-writes\nreturn redis.pcall('set', 'k', 1)", "#!lua flags=bad\nreturn 1", "#!lua name=x\nreturn 1", "#!python\nreturn 1", "#!lua", "#!lua\nerror('x')",
	// What globals raise.
	"return nosuch", "nosuch = 1", "return nosuch.field", "print(1)", "redis.call = nil", "string.x = 1", "rawset(_G, 'x', 1)", "setmetatable(_G, nil)", "getmetatable(_G).__index = nil", "_G.x = 1", "return loadfile('x')", "return dofile('x')",
	"table.insert(redis, 1)", "function f() end", "KEYS = 1", "KEYS[1] = 1 return KEYS[1]",
	// What Lua raises.
	"local x return x()", "local x return x.y", "local x x.y = 1", "local x return x.y.z", "local x = {} return x.y.z", "local x = {} return x.y()", "local x = {} return x:m()", "local x = {} x.y.z = 1", "local x = {} return x[1][2]",
	"return redis.nosuch()", "return redis.nosuch.x", "return string.nosuch('x')", "return math.nosuch(1)", "local x return function() return x.y end", "local x local function f() return x.y end return f()", "local x local function f() return x() end f()",
	"return ('x')()", "return (1).x", "return (nil)()", "return ({})()", "return #nil", "local x return #x", "return #5", "return -{}", "local x return -x", "return 1 + nil", "local x return x + 1", "local x return 1 + x", "local x = {} return x.y + 1",
	"local x = {} return x.y * x.z", "return 'a' + 1", "return '5' + {}", "return {} .. 'x'", "local x return 'a' .. x", "local x return x .. 'a'", "local x = {} return 'a' .. x.y .. 'b'", "return 'a' .. nil", "return 'a' .. true", "return 'a' .. {}",
	"return 1 < 'x'", "return nil < 1", "return {} < {}", "return {} < 1", "return true < false", "local x return x < 1", "return 'a' >= 1", "for i = 1, 'x' do end", "for i = 'x', 1 do end", "for i = 1, 2, {} do end", "for i in 5 do end", "for k in pairs(nil) do end", "for k in nil do end",
	"local x = {} x[nil] = 1", "local x = {} x[0/0] = 1", "return ARGV[1].x", "return ARGV[1] + 1", "return 'a' .. ARGV[1]", "return KEYS[1]()", "local t = {f = {}} return t.f.g()", "local t = {f = {}} return t.f.g.h",
	"local s = 'x' return s.y.z", "local s = 'x' return s:nosuch()", "return ('x'):rep(1, 2, 3):nosuch()",
	// What the libraries raise.
	"return tonumber()", "return tonumber('x', 99)", "return tonumber({}, 10)", "return tostring()", "return string.rep()", "return string.rep('x')", "return string.rep('x', {})", "return string.sub()", "return string.format('%d', 'x')",
	"return string.format('%d')", "return string.format('%y', 1)", "return string.char(256)", "return string.char('x')", "return string.byte({})", "return string.find('a', '[')", "return string.find('a', '%')", "return string.gsub('a', '(', '')", "return string.gsub('a', 'a', '%2')",
	"return string.gsub('a', 'a', true)", "return string.gsub('a', 'a', function() return {} end)", "return table.concat({{}})", "return table.concat({1, {}, 3})", "return table.concat(nil)", "return table.insert({}, 1, 2, 3)", "return table.insert(nil, 1)", "return table.insert({})", "return table.remove(1)", "return table.sort({1, 'x'})",
	"return table.sort({3, 2, 1}, function() error('in sort') end)", "return table.getn()", "return math.floor('x')", "return math.floor()", "return math.random(0)", "return math.random(2, 1)", "return select(0)", "return unpack()", "return unpack({}, 1, 1e8)", "return setmetatable(1, {})",
	"return rawget(1, 2)", "return rawset({}, nil, 1)", "return ipairs()", "return pairs()", "return getmetatable()", "return loadstring('x y')()", "return loadstring('return 1')() .. {}", "return load(1)",
	"return cjson.decode('{')", "return cjson.decode('')", "return cjson.decode('[1,')", "return cjson.decode('nope')", "return cjson.decode({})", "return cjson.encode(function() end)", "return cjson.encode({[1]=1, [99999]=1})", "return cjson.encode(0/0)", "return cjson.encode()", "local t = {} t.t = t return cjson.encode(t)",
	"return cmsgpack.unpack('\\255\\193')", "return cmsgpack.unpack('')", "return cmsgpack.unpack({})", "return cmsgpack.unpack('\\147\\1')", "return cmsgpack.pack()", "return cmsgpack.unpack_one('a', 99)", "return cmsgpack.unpack_limit('a', -1)", "return struct.pack('z9', 1)", "return struct.pack('I99', 1)", "return struct.unpack('I4', 'x')", "return struct.unpack('>I2', 'x')", "return bit.band()", "return bit.band('x')", "return bit.lshift(1)", "return bit.tohex()",
}

// TestScriptErrors plays them to both.
func TestScriptErrors(t *testing.T) {
	t.Parallel()
	redis, skein := testkit.StartRedis(t), testkit.StartSkein(t)
	both := []*server{redis, skein}
	for _, s := range both {
		s.Want("+OK", "SET", "str", "text")
	}
	same := 0
	for _, text := range failingScripts {
		var replies [2]string
		for i, s := range both {
			replies[i] = worded(s.Do("EVAL", text, "1", "key", "argument"))
		}
		if replies[0] != replies[1] {
			t.Errorf("%q\n redis %s\n skein %s", text, replies[0], replies[1])
			continue
		}
		same++
	}
	t.Logf("%d of %d scripts", same, len(failingScripts))
	stats := func(s *server) (lines []string) {
		for line := range strings.Lines(s.Do("INFO", "errorstats")) {
			lines = append(lines, line)
		}
		return lines
	}
	if a, b := stats(redis), stats(skein); strings.Join(a, "") != strings.Join(b, "") {
		t.Errorf("errorstats: redis %q, skein %q", a, b)
	}
}

// addresses are those of tables and functions.
var addresses = regexp.MustCompile(`0x[0-9a-f]+`)

// worded is a reply without addresses, and without what a parser says of a text that is no Lua: ours is another one.
func worded(reply string) string {
	if strings.HasPrefix(reply, noLua) {
		return noLua
	}
	return addresses.ReplaceAllString(reply, "<address>")
}

const noLua = "-ERR Error compiling script (new function): "
