package lualib

import (
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/skeindb/skein/internal/testkit"
)

var record = flag.Bool("record", false, "write what redis-server answers into testdata")

// prelude gives a script the function show, which writes all its arguments in a form that has no order and no
// bytes but printable ones. It is one line, so that errors name line 1.
var prelude = strings.Join(strings.Fields(`
	local function show(...)
	  local out = {}
	  for i = 1, select('#', ...) do
	    local v = select(i, ...)
	    if v == cjson.null then v = 'null'
	    elseif type(v) == 'string' then
	      v = '"' .. string.gsub(v, '[^ -~]', function(c) return string.format('\\x%02x', string.byte(c)) end) .. '"'
	    elseif type(v) == 'number' then
	      if v ~= v then v = 'nan' elseif v == 1/0 then v = 'inf' elseif v == -1/0 then v = '-inf'
	      else v = string.format('%.17g', v) end
	    elseif type(v) == 'table' then
	      local pairs_ = {}
	      for k, e in pairs(v) do pairs_[#pairs_+1] = show(k) .. '=' .. show(e) end
	      table.sort(pairs_)
	      v = '{' .. table.concat(pairs_, ' ') .. '}'
	    else v = tostring(v) end
	    out[i] = v
	  end
	  return table.concat(out, ', ')
	end `), " ") + " "

// script makes one line of Lua of a case: an expression, or statements that end in a return.
func script(text string) string {
	if !strings.Contains(text, "return ") {
		text = "return " + text
	}
	return prelude + "return show(pcall(function() " + text + " end))"
}

// TestAgainstRedis runs the scripts of testdata, whose answers redis-server 7.0.15 has given.
func TestAgainstRedis(t *testing.T) {
	for _, name := range []string{"bit", "cjson", "cmsgpack", "struct"} {
		t.Run(name, func(t *testing.T) {
			path := "testdata/" + name + ".txt"
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if *record {
				data = answers(t, string(data))
				if err := os.WriteFile(path, data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			text := ""
			for line := range strings.Lines(string(data)) {
				line = strings.TrimSuffix(line, "\n")
				if answer, ok := strings.CutPrefix(line, "  = "); !ok {
					text = line
				} else if got := run(t, text); got != answer {
					t.Errorf("%s\n got %s\nwant %s", text, got, answer)
				}
			}
		})
	}
}

// answers asks redis-server.
func answers(t *testing.T, data string) []byte {
	s := testkit.StartRedis(t)
	var out strings.Builder
	for line := range strings.Lines(data) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "  = ") {
			continue
		}
		out.WriteString(line + "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		v, err := s.Conn().Do("EVAL", script(line), "0")
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("  = " + v.Text() + "\n")
	}
	return []byte(out.String())
}

func newState(t testing.TB) *lua.LState {
	L := lua.NewState(lua.Options{RegistrySize: 1 << 10, RegistryMaxSize: 1 << 17})
	t.Cleanup(L.Close)
	Open(L)
	return L
}

func run(t *testing.T, text string) string {
	L := newState(t)
	f, err := L.Load(strings.NewReader(script(text)), "user_script")
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	L.Push(f)
	if err := L.PCall(0, 1, nil); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return L.Get(-1).String()
}

// TestNull is one value in a state, however it is reached.
func TestNull(t *testing.T) {
	got := run(t, `return cjson.null == cjson.decode('null'), cjson.new().null == cjson.null, tostring(cjson.null), type(cjson.null)`)
	if want := `true, true, true, "userdata: (nil)", "userdata"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestPairsInOrder of their first setting: redis's order is that of its hash.
func TestPairsInOrder(t *testing.T) {
	for text, want := range map[string]string{
		`local t = {} t.z = 1 t.a = {x = 2} t[7.5] = false return cjson.encode(t)`: `true, "{"z":1,"a":{"x":2},"7.5":false}"`,
		`local t = {} t.b = 1 t.a = 2 return cmsgpack.pack(t)`:                     `true, "\x82\xa1b\x01\xa1a\x02"`,
	} {
		if got := run(t, text); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

// TestHoles in tables of the input take memory, and so are bounded.
func TestHoles(t *testing.T) {
	data := strings.Repeat(`\129\206\000\063\000\000\001`, 4)
	got := run(t, "return cmsgpack.unpack('"+data+"')")
	if want := `false, "user_script:1: Too many holes in the tables of the input."`; got != want {
		t.Errorf("got %s", got)
	}
}

// fuzzDecoder runs a function with hostile text. It may raise an error, and may not panic.
func fuzzDecoder(f *testing.F, source string) {
	f.Fuzz(func(t *testing.T, format, data string) {
		L := newState(t)
		fn, err := L.LoadString(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []lua.LValue{fn, lua.LString(format), lua.LString(data)} {
			L.Push(v)
		}
		if err := L.PCall(2, lua.MultRet, nil); err != nil {
			if e, ok := err.(*lua.ApiError); !ok || e.Type != lua.ApiErrorRun || e.Cause != nil {
				t.Fatalf("%v", err)
			}
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,2.5e3,true,null,"x\u00e9\ud83d\ude00\n"],"b":{}}`, `[0x1F,-inf,nan(1),+1,01]`, `"\ud800"`, `[1,]`,
		strings.Repeat("[", 1001), strings.Repeat(`{"a":`, 1001), "\x00a", "\"a\x00\"", `[-]`, `tru`,
	} {
		f.Add("", s)
	}
	fuzzDecoder(f, `local _, s = ...
		local v = cjson.decode(s)
		cjson.encode_invalid_numbers(true) cjson.encode_sparse_array(true)
		return cjson.encode(v)`)
}

func FuzzMsgpack(f *testing.F) {
	for _, s := range []string{
		"\x93\x01\xa1a\xc0\x81\xa1k\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", "\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff\x01",
		"\xdb\xff\xff\xff\xffabc", strings.Repeat("\x91", 9000), strings.Repeat("\x81\x01", 9000), "\xc1", "\x81\xc0\x01",
		"\x81\xce\x02\x00\x00\x00\x01", "\xd3\x80\x00\x00\x00\x00\x00\x00\x00\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		f.Add("", s)
	}
	fuzzDecoder(f, `local _, s = ...
		pcall(cmsgpack.unpack_limit, s, 3, 1)
		return cmsgpack.pack(cmsgpack.unpack(s))`)
}

func FuzzStruct(f *testing.F) {
	for _, s := range [][2]string{
		{">!4bhc0sfdi3x", "\x01\x02\x03\x04abcd\x00"}, {"i0i16I32", strings.Repeat("\xff", 64)}, {"c0", ""}, {"!3", ""},
		{"!1073741824c2147483647", "x"}, {"dc0", "\x00\x00\x00\x00\x00\x00\xf0\xffabc"}, {"c99999999999", ""}, {"Bc0s", "\x05abc"},
	} {
		f.Add(s[0], s[1])
	}
	fuzzDecoder(f, `local format, data = ...
		pcall(struct.size, format)
		pcall(struct.unpack, format, data, 2)
		return struct.pack(format, struct.unpack(format, data))`)
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]struct {
		f float64
		n int
	}{
		"1e5x": {1e5, 3}, "1e": {1, 1}, "1e+": {1, 1}, ".5": {.5, 2}, "5.": {5, 2}, ".": {0, 0}, "-": {0, 0}, "": {0, 0},
		"0x": {0, 1}, "0x1p4": {16, 5}, "0x.8": {.5, 4}, "-0x10z": {-16, 5}, "+7": {7, 2}, "infx": {0, 3}, "nan(a_1)b": {0, 8},
	} {
		f, n := strtod(text)
		if n != want.n || want.f != 0 && f != want.f {
			t.Errorf("%s: %s, %d", strconv.Quote(text), formatNumber(f, 17), n)
		}
	}
}
