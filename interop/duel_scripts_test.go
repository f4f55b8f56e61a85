package interop

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/script"
	"github.com/skeindb/skein/internal/testkit/commandgen"
)

// Transactions, scripts and functions of TestDuel: random data commands inside of MULTI,
// redis.call and redis.pcall, whose replies come through EXEC or through Lua.

// wrap is what stands around the commands of a line.
type wrap struct {
	before [][]string // what is said before the line itself
	inner  []line     // the commands, in order
	boxed  bool       // each reply is in an array of its own
	sole   bool       // the reply is that of the only command
}

// wrapper makes such lines.
type wrapper struct {
	d     *duel
	gen   *commandgen.Generator
	users *commandgen.Generator // of rules, and of what users would like to run
	rand  *rand.Rand
	setup *setup
}

// unwrapped are commands whose replies are judged in ways that are not open to a part of a
// reply.
var unwrapped = strings.Fields("spop randomkey xsetid xclaim xautoclaim sort_ro sort")

// Lines that are none of a single data command stand for these.
var (
	specOfExec     = &command.Spec{Name: "exec"}
	specOfScript   = &command.Spec{Name: "eval"}
	specOfFunction = &command.Spec{Name: "function"}
	specOfUsers    = &command.Spec{Name: "acl"}
)

func (d *duel) wrapper(seed uint64, s *setup) *wrapper {
	w := &wrapper{d: d, rand: rand.New(rand.NewPCG(seed, 2)), setup: s}
	// In what is malformed 7.0 may take other words for keys that are forbidden, which ends
	// the transaction.
	w.gen = commandgen.New(d.table, seed+1<<41, commandgen.Options{Version: d.version, Repeatable: true, Valid: s.limited, Skip: func(name string) bool {
		return !d.known[name] || scans[name] || commandgen.Random[name] || slices.Contains(unwrapped, name) ||
			*duelOnly != "" && !d.grouped(name, *duelOnly) || s.limited && (unlimited(name) || strings.HasPrefix(name, "xread")) // which have as many keys as IDs, or not
	}})
	w.users = d.ruler(seed + 2<<41)
	for _, dump := range d.dumps {
		w.gen.Payload(dump)
	}
	return w
}

// next is one more line.
func (w *wrapper) next(lead int) line {
	kinds := 12
	if w.setup.limited { // who manages neither functions nor users
		kinds = 9
	}
	switch w.rand.IntN(kinds) {
	case 0, 1, 2:
		return w.transaction(lead)
	case 3, 4:
		return w.each(lead)
	case 5, 6:
		return w.single(lead)
	case 7:
		return w.value(lead)
	case 8:
		return w.called(lead)
	case 9:
		return w.managed(lead)
	}
	return w.user(lead)
}

// commands makes data commands; of those in scripts none that waits, which is what 7.0 does
// not allow there.
func (w *wrapper) commands(n int, inScript bool) (all []line) {
	for len(all) < n {
		spec, words := w.gen.Next()
		l := line{spec: spec, words: words}
		waits := spec.Is(command.Blocking) && spec.Name[0] == 'b'
		ranks := strings.HasSuffix(spec.Name, "rank") && len(words) > 3 // which only 7.2 takes
		if ranks || inScript && waits {
			continue
		}
		all = append(all, l)
	}
	return all
}

// transaction is MULTI to EXEC, or DISCARD, with keys watched that may have changed.
func (w *wrapper) transaction(lead int) line {
	b := wrap{inner: w.commands(1+w.rand.IntN(8), false)}
	if w.rand.IntN(4) == 0 {
		b.before = append(b.before, []string{"WATCH", w.key(), w.key()})
		if w.rand.IntN(2) == 0 {
			b.before = append(b.before, w.commands(1, false)[0].words)
		}
	}
	b.before = append(b.before, []string{"MULTI"})
	for _, l := range b.inner {
		b.before = append(b.before, l.words)
	}
	end := "EXEC"
	if w.rand.IntN(12) == 0 {
		end = "DISCARD"
	}
	return line{spec: specOfExec, words: []string{end}, lead: lead, wrap: &b}
}

func (w *wrapper) key() string {
	return []string{"s1", "l1", "h1", "S1", "z1", "x1", "none"}[w.rand.IntN(7)]
}

// eachText runs the commands of its arguments, each behind the number of its words, and
// returns their replies.
const eachText = `%s
local r, at = {}, 1
while ARGV[at] do
  local n, words = tonumber(ARGV[at]), {}
  for i = 1, n do words[i] = ARGV[at + i] end
  r[#r + 1] = {redis.pcall(unpack(words))}
  at = at + n + 1
end
return r`

// listed are commands as eachText wants them.
func listed(commands []line) (args []string) {
	for _, l := range commands {
		args = append(append(args, strconv.Itoa(len(l.words))), l.words...)
	}
	return args
}

// prelude is how a script says which replies it wants.
func (w *wrapper) prelude() string {
	if w.setup.proto == 3 && w.rand.IntN(2) == 0 {
		return "redis.setresp(3)"
	}
	return ""
}

// each is a script that runs several commands.
func (w *wrapper) each(lead int) line {
	b := wrap{inner: w.commands(1+w.rand.IntN(6), true), boxed: true}
	return w.eval(lead, fmt.Sprintf(eachText, w.prelude()), &b, append([]string{"1", w.key()}, listed(b.inner)...))
}

// eval is EVAL, EVALSHA or their read-only forms; the rest begins with the number of keys.
func (w *wrapper) eval(lead int, text string, b *wrap, rest []string) line {
	name, what := "EVAL", text
	switch w.rand.IntN(5) {
	case 0:
		name, what = "EVALSHA", script.Digest([]byte(text))
		b.before = append(b.before, []string{"SCRIPT", "LOAD", text})
	case 1:
		name, what = "EVALSHA", script.Digest([]byte(text)) // which is there or not
	}
	if w.rand.IntN(6) == 0 {
		name += "_RO"
	}
	return line{spec: specOfScript, words: append([]string{name, what}, rest...), lead: lead, wrap: b}
}

// single is a script with one command written out, whose reply it returns.
func (w *wrapper) single(lead int) line {
	b := wrap{inner: w.commands(1, true), sole: true}
	var words []string
	for _, word := range b.inner[0].words {
		if n, err := strconv.Atoi(word); err == nil && strconv.Itoa(n) == word && n < 1<<40 && n > -1<<40 && w.rand.IntN(2) == 0 {
			words = append(words, word) // as a number
			continue
		}
		words = append(words, quoted(word))
	}
	call := []string{"redis.call", "redis.pcall"}[w.rand.IntN(2)]
	text := fmt.Sprintf("%s return %s(%s)", w.prelude(), call, strings.Join(words, ", "))
	if w.rand.IntN(5) == 0 {
		text = "#!lua flags=" + []string{"no-writes", "allow-oom", "allow-stale,no-writes", "no-such", ""}[w.rand.IntN(5)] + "\n" + text
	}
	return w.eval(lead, text, &b, []string{"0"})
}

// quoted is a word as a literal of Lua.
func quoted(word string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(word) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, "\\%03d", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String() + `"`
}

// verbatim is the only literal of several fields.
const verbatim = `{verbatim_string={format="txt", string="v"}}`

// value is a script that returns what no command replied.
func (w *wrapper) value(lead int) line {
	form := []string{"%s", "%s", "%s", "cjson.encode(%s)", "cjson.decode(cjson.encode(%s))", "cmsgpack.pack(%s)", "cmsgpack.unpack(cmsgpack.pack(%s))",
		"tostring(%s) == nil", "struct.pack('>I2s', 7, type(%s))", "redis.sha1hex(type(%s))"}[w.rand.IntN(10)]
	text := w.literal(3)
	if strings.HasPrefix(form, "c") { // where the order of two fields would show
		text = strings.ReplaceAll(text, verbatim, "{}")
	}
	return w.eval(lead, "return "+fmt.Sprintf(form, text), &wrap{}, []string{"0"})
}

// literal is a value of Lua with so many levels.
func (w *wrapper) literal(depth int) string {
	n := 14
	if depth == 0 {
		n = 8
	}
	switch w.rand.IntN(n) {
	case 0:
		return []string{"true", "false", "nil"}[w.rand.IntN(3)]
	case 1, 2:
		return []string{"0", "1", "-1", "3.75", "-3.75", "1e15", "2^53", "1e100", "-0.5", "1/3"}[w.rand.IntN(10)]
	case 3, 4:
		return []string{`""`, `"a"`, `"1"`, `"a b\r\nc"`, `"\000\255"`, `"-x"`, `"3.5"`}[w.rand.IntN(7)]
	case 5:
		return []string{`{ok="fine"}`, `{err="bad"}`, `{err="CODE bad"}`, `{err="-CODE bad"}`, `redis.status_reply("fine")`, `redis.error_reply("bad")`,
			`redis.error_reply("-CODE bad")`, `redis.error_reply("CODE bad\r\n")`}[w.rand.IntN(8)]
	case 6:
		return []string{`{double=1.5}`, `{double=-0.25}`, `{big_number="123456789012345678901234567890"}`, verbatim, `{map={a=1}}`,
			`{set={a=true}}`, `{map={}}`, `{set={}}`}[w.rand.IntN(8)]
	case 7:
		return "{}"
	}
	var elems []string
	for range w.rand.IntN(5) {
		elems = append(elems, w.literal(depth-1))
	}
	return "{" + strings.Join(elems, ", ") + "}"
}

// The libraries of functions, as often as they like to be loaded: each runs the commands
// of its arguments.
var (
	libraryNames  = []string{"one", "two"}
	functionNames = []string{"f", "g", "none"}
)

func (w *wrapper) library() string {
	name, f := libraryNames[w.rand.IntN(2)], functionNames[w.rand.IntN(2)]
	// Dumps go from round to round: to a client of RESP2 maps would come in any order.
	body := "function(KEYS, ARGV) " + fmt.Sprintf(eachText, "") + " end"
	register := fmt.Sprintf("redis.register_function('%s', %s)", f, body)
	if w.rand.IntN(3) == 0 {
		register = fmt.Sprintf("redis.register_function{function_name='%s', callback=%s, description='some', flags={%s}}", f, body,
			[]string{"", "'no-writes'", "'no-such'", "'allow-oom', 'no-writes'"}[w.rand.IntN(4)])
	}
	if w.rand.IntN(10) == 0 {
		register = []string{"", "redis.call('set', 's1', 1)", "error('no')", "x = 1", "local"}[w.rand.IntN(5)]
	}
	return "#!lua name=" + name + "\n" + register
}

// called is FCALL or FCALL_RO.
func (w *wrapper) called(lead int) line {
	b := wrap{inner: w.commands(1+w.rand.IntN(4), true), boxed: true}
	if w.rand.IntN(2) == 0 {
		b.before = [][]string{{"FUNCTION", "LOAD", "REPLACE", w.library()}}
	}
	name := []string{"FCALL", "FCALL", "FCALL_RO"}[w.rand.IntN(3)]
	words := append([]string{name, functionNames[w.rand.IntN(3)], "1", w.key()}, listed(b.inner)...)
	return line{spec: specOfScript, words: words, lead: lead, wrap: &b}
}

// managed is a command about scripts or functions.
func (w *wrapper) managed(lead int) line {
	var words []string
	switch w.rand.IntN(9) {
	case 0, 1:
		words = []string{"FUNCTION", "LOAD", w.library()}
	case 2:
		words = []string{"FUNCTION", "LOAD", "REPLACE", w.library()}
	case 3:
		words = []string{"FUNCTION", "DELETE", libraryNames[w.rand.IntN(2)]}
	case 4:
		words = [][]string{{"FUNCTION", "FLUSH"}, {"FUNCTION", "FLUSH", "ASYNC"}, {"FUNCTION", "FLUSH", "x"}, {"SCRIPT", "FLUSH"}, {"SCRIPT", "FLUSH", "SYNC"}}[w.rand.IntN(5)]
	case 5:
		words = []string{"FUNCTION", "DUMP"}
	case 6:
		words = []string{"FUNCTION", "RESTORE", w.d.library(w.rand)}
		if w.rand.IntN(2) == 0 {
			words = append(words, []string{"FLUSH", "APPEND", "REPLACE", "x"}[w.rand.IntN(4)])
		}
	case 7:
		words = [][]string{{"FUNCTION", "LIST"}, {"FUNCTION", "LIST", "WITHCODE"}, {"FUNCTION", "LIST", "LIBRARYNAME", "o*"}, {"FUNCTION", "STATS"}}[w.rand.IntN(4)]
	default:
		text := "return 1"
		words = [][]string{{"SCRIPT", "LOAD", text}, {"SCRIPT", "LOAD", "return +"}, {"SCRIPT", "EXISTS", script.Digest([]byte(text)), "x"},
			{"EVALSHA", script.Digest([]byte(text)), "0"}, {"EVAL", text, "1"}, {"EVAL", text, "-1"}, {"EVAL", text, "x"}, {"SCRIPT", "KILL"}, {"FUNCTION", "KILL"}}[w.rand.IntN(9)]
	}
	return line{spec: specOfFunction, words: words, lead: lead, wrap: &wrap{}}
}

// library is a payload for FUNCTION RESTORE.
func (d *duel) library(r *rand.Rand) string {
	if len(d.libraries) == 0 {
		return "broken"
	}
	return d.libraries[r.IntN(len(d.libraries))]
}

// keepLibrary keeps what FUNCTION DUMP gave.
func (d *duel) keepLibrary(l *line, v *resp.Value) {
	if l.words[0] == "FUNCTION" && l.words[1] == "DUMP" && v.Kind == resp.Bulk {
		d.libraries = append(d.libraries, v.Text())
		d.libraries = d.libraries[max(0, len(d.libraries)-20):]
	}
}

// judge compares the replies of redis-server and of the node to a wrapped line.
func (b *wrap) judge(l *line, v, w resp.Value) string {
	if l.lead == 1 {
		v, w = w, v
	}
	if l.spec == specOfUsers {
		if x, y := userReply(l.words, v), userReply(l.words, w); x != y {
			return differ(l, x, y)
		}
		return ""
	}
	v, w = placeless(l, v), placeless(l, w)
	if v.Kind == w.Kind && isList(v) && len(v.Elems) == len(w.Elems) && len(v.Elems) == len(b.inner) && !b.sole {
		for i := range b.inner {
			x, y := v.Elems[i], w.Elems[i]
			if b.boxed && isList(x) && isList(y) && len(x.Elems) == 1 && len(y.Elems) == 1 {
				x, y = x.Elems[0], y.Elems[0]
			}
			if problem := compare(&b.inner[i], x, y); problem != "" {
				return "\n" + scripted(b.inner[i:i+1]) + problem
			}
		}
		return ""
	}
	if b.sole && compare(&b.inner[0], v, w) == "" {
		return ""
	}
	x, y := canonical(v), canonical(w)
	if x == y || expected(l, x, y) {
		return ""
	}
	return differ(l, x, y)
}

// placeOfError is where in a script an error was raised.
var placeOfError = regexp.MustCompile(` script: \S*, on @.*$`)

// placeless is a reply without what differs: where in a script an error was raised, in
// which words a parser complains, which of several libraries is there already, and the order of what has none.
func placeless(l *line, v resp.Value) resp.Value {
	switch {
	case v.Kind == resp.Error || v.Kind == resp.BlobError:
		if l.words[0] == "FUNCTION" && l.words[1] == "RESTORE" && strings.HasSuffix(v.Text(), " already exists") {
			v.Str = []byte("ERR <one of several> already exists")
		}
		for _, compiling := range []string{"ERR Error compiling script (new function): ", "ERR Error compiling function: "} {
			if strings.HasPrefix(v.Text(), compiling) { // which parser found what
				v.Str = []byte(compiling)
			}
		}
		v.Str = placeOfError.ReplaceAll(v.Str, nil)
	case v.Kind == resp.Double: // 7.0 writes 17 digits, 7.2 as many as it takes
		if f, err := strconv.ParseFloat(v.Text(), 64); err == nil {
			v.Str = strconv.AppendFloat(nil, f, 'g', -1, 64)
		}
	case l.words[0] == "FUNCTION" && l.words[1] == "DUMP" && v.Kind == resp.Bulk:
		v.Str = []byte("<libraries>") // RESTORE and LIST tell what is in it
	case isList(v):
		elems := make([]resp.Value, len(v.Elems))
		for i := range elems {
			elems[i] = placeless(l, v.Elems[i])
		}
		v.Elems = elems
		switch {
		case v.Kind == resp.Set, l.words[0] == "FUNCTION" && l.words[1] == "LIST" && v.Kind == resp.Array:
			slices.SortFunc(v.Elems, func(a, b resp.Value) int { return strings.Compare(canonical(a), canonical(b)) })
		case v.Kind == resp.Map:
			all := slices.Collect(slices.Chunk(v.Elems, 2))
			slices.SortFunc(all, func(a, b []resp.Value) int { return strings.Compare(canonical(a[0]), canonical(b[0])) })
			v.Elems = slices.Concat(all...)
		}
	}
	return v
}
