package command_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/testkit/commandfacts"
)

func idle(*command.Call) {}

// allCommands is a table of all of redis's commands and a few of our own, whose
// COMMAND is the real one.
func allCommands(t testing.TB) *command.Table {
	t.Helper()
	facts, err := commandfacts.Specs()
	if err != nil {
		t.Fatal(err)
	}
	var specs []*command.Spec
	for _, s := range facts {
		if s.Name != "command" {
			specs = append(specs, s)
		}
	}
	specs = append(specs, &command.Spec{
		Name: "all", Group: "generic", Since: "1.0.0", Summary: "Has everything.", Complexity: "O(1)",
		Arity: -3, Flags: command.Write | command.Protected, Categories: []string{"keyspace", "dangerous"},
		Keys: []command.KeySpec{
			{Flags: command.KeyRO | command.KeyAccess, Notes: "A note.", Index: 1},
			{Flags: command.KeyRW, Keyword: "KEYS", StartFrom: -2, Last: -1, Step: 2},
		},
		Tips:     []string{"nondeterministic_output"},
		Usage:    "key <A@2.0.0 | B b:integer>:choice [KEYS keys=key:key...]",
		History:  [][2]string{{"2.0.0", "Does more."}},
		DocFlags: []string{"deprecated"}, Deprecated: "3.0.0", ReplacedBy: "nothing",
		Service: idle,
	}, &command.Spec{
		Name: "hidden", Group: "server", Arity: 1, Flags: command.Hidden, Service: idle,
	})
	var table *command.Table
	table, err = command.NewTable(specs, command.Specs(func() *command.Table { return table }))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// run calls a command and shows the reply: statuses with "+", errors with "-",
// bulk strings in quotes, [arrays], ~{sets}, {maps}.
func run(t testing.TB, table *command.Table, proto int, line string) string {
	t.Helper()
	argv := bytes.Fields([]byte(line))
	spec, err := table.Resolve(argv)
	if err != nil {
		return "-" + err.Error()
	}
	w := &resp.Writer{Proto: proto}
	spec.Service(&command.Call{Spec: spec, Args: argv, Out: w})
	v, err := resp.NewReader(bytes.NewReader(w.Buf)).Read()
	if err != nil {
		t.Fatalf("%s: %v in %q", line, err, w.Buf)
	}
	return show(v)
}

func show(v resp.Value) string {
	list := func(pair string, left, right string) string {
		var b strings.Builder
		for i, e := range v.Elems {
			switch {
			case i%2 == 1 && pair != "":
				b.WriteString(pair)
			case i > 0:
				b.WriteString(" ")
			}
			b.WriteString(show(e))
		}
		return left + b.String() + right
	}
	switch v.Kind {
	case resp.Array:
		return list("", "[", "]")
	case resp.Set:
		return list("", "~{", "}")
	case resp.Map:
		return list("=", "{", "}")
	case resp.Integer:
		return fmt.Sprint(v.Int)
	case resp.Bulk:
		return fmt.Sprintf("%q", v.Str)
	case resp.Null:
		return "null"
	}
	return string(v.Kind) + string(v.Str)
}

func TestCommandInfo(t *testing.T) {
	table := allCommands(t)
	two := `["all" -3 [+write +movablekeys] 1 1 1 [+@keyspace +@write +@slow +@dangerous] ["nondeterministic_output"] ` +
		`[["notes" "A note." "flags" [+RO +access] "begin_search" ["type" "index" "spec" ["index" 1]] ` +
		`"find_keys" ["type" "range" "spec" ["lastkey" 0 "keystep" 1 "limit" 0]]] ` +
		`["flags" [+RW] "begin_search" ["type" "keyword" "spec" ["keyword" "KEYS" "startfrom" -2]] ` +
		`"find_keys" ["type" "range" "spec" ["lastkey" -1 "keystep" 2 "limit" 0]]]] []]`
	three := `["all" -3 ~{+write +movablekeys} 1 1 1 ~{+@keyspace +@write +@slow +@dangerous} ~{"nondeterministic_output"} ` +
		`~{{"notes"="A note." "flags"=~{+RO +access} "begin_search"={"type"="index" "spec"={"index"=1}} ` +
		`"find_keys"={"type"="range" "spec"={"lastkey"=0 "keystep"=1 "limit"=0}}} ` +
		`{"flags"=~{+RW} "begin_search"={"type"="keyword" "spec"={"keyword"="KEYS" "startfrom"=-2}} ` +
		`"find_keys"={"type"="range" "spec"={"lastkey"=-1 "keystep"=2 "limit"=0}}}} ~{}]`
	for _, test := range []struct {
		proto      int
		line, want string
	}{
		{2, "command info all", "[" + two + "]"},
		{3, "command info ALL nosuch hidden get|x", "[" + three + " null null null]"},
		{2, "command info nosuch", "[null]"},
		{2, "command info module|list", `[["module|list" 2 [+admin +noscript] 0 0 0 [+@admin +@slow +@dangerous] ["nondeterministic_output_order"] [] []]]`},
		{2, "command info zdiff", `[["zdiff" -3 [+readonly +movablekeys] 0 0 0 [+@read +@sortedset +@slow] [] ` +
			`[["flags" [+RO +access] "begin_search" ["type" "index" "spec" ["index" 1]] ` +
			`"find_keys" ["type" "keynum" "spec" ["keynumidx" 0 "firstkey" 1 "keystep" 1]]]] []]]`},
		{3, "command info memory|usage", `[["memory|usage" -3 ~{+readonly} 2 2 1 ~{+@read +@slow} ~{} ` +
			`~{{"flags"=~{+RO} "begin_search"={"type"="index" "spec"={"index"=2}} "find_keys"={"type"="range" "spec"={"lastkey"=0 "keystep"=1 "limit"=0}}}} ~{}]]`},
	} {
		if got := run(t, table, test.proto, test.line); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.line, got, test.want)
		}
	}
	if got := run(t, table, 2, "command info object"); !strings.HasPrefix(got, `[["object" -2 [] 0 0 0 [+@slow] [] [] [["object|encoding" 3 `) {
		t.Error(got)
	}
}

func TestCommandDocs(t *testing.T) {
	table := allCommands(t)
	want := `{"all"={"summary"="Has everything." "since"="1.0.0" "group"="generic" "complexity"="O(1)" ` +
		`"doc_flags"=~{+deprecated} "deprecated_since"="3.0.0" "replaced_by"="nothing" "history"=~{["2.0.0" "Does more."]} ` +
		`"arguments"=[{"name"="key" "type"="key" "display_text"="key" "key_spec_index"=0} ` +
		`{"name"="choice" "type"="oneof" "arguments"=[` +
		`{"name"="a" "type"="pure-token" "display_text"="a" "token"="A" "since"="2.0.0"} ` +
		`{"name"="b" "type"="integer" "display_text"="b" "token"="B"}]} ` +
		`{"name"="keys" "type"="key" "display_text"="key" "key_spec_index"=1 "token"="KEYS" "flags"=~{+optional +multiple}}]}}`
	if got := run(t, table, 3, "command docs nosuch all hidden"); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	want = `["config|resetstat" ["summary" "Is config|resetstat." "since" "2.0.0" "group" "server" "complexity" "O(1)"]]`
	if got := run(t, table, 2, "command docs config|resetstat"); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got := run(t, table, 3, "command docs memory"); !strings.Contains(got, `"group"="server" "complexity"="Depends on subcommand." "subcommands"={"memory|doctor"={"summary"=`) {
		t.Error(got)
	}
	if got := run(t, table, 3, "command docs nosuch"); got != "{}" {
		t.Error(got)
	}
}

func TestCommandCountsWhatItShows(t *testing.T) {
	table := allCommands(t)
	count := run(t, table, 2, "command count")
	for _, line := range []string{"command", "command info", "command docs"} {
		argv := bytes.Fields([]byte(line))
		spec, _ := table.Resolve(argv)
		w := &resp.Writer{Proto: 3}
		spec.Service(&command.Call{Spec: spec, Args: argv, Out: w})
		head, _, _ := strings.Cut(string(w.Buf), "\r\n")
		if head[1:] != count {
			t.Errorf("%s: %s elements, want %s", line, head, count)
		}
		v, err := resp.NewReader(bytes.NewReader(w.Buf)).Read()
		if err != nil || strings.Contains(show(v), `"hidden"`) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestCommandList(t *testing.T) {
	table := allCommands(t)
	for line, want := range map[string]string{
		"command list filterby pattern SetR*":  `["setrange"]`,
		"command list filterby pattern xinfo*": `["xinfo" "xinfo|consumers" "xinfo|groups" "xinfo|help" "xinfo|stream"]`,
		"command list FILTERBY aclcat geo":     `["geoadd" "geodist" "geohash" "geopos" "georadius" "georadius_ro" "georadiusbymember" "georadiusbymember_ro" "geosearch" "geosearchstore"]`,
		"command list filterby aclcat nosuch":  "[]",
		"command list filterby module json":    "[]",
		"command list filterby":                "-ERR syntax error",
		"command list filterby aclcat":         "-ERR syntax error",
		"command list filterby color blue":     "-ERR syntax error",
		"command list filterby module a b":     "-ERR syntax error",
		"command list by":                      "-ERR syntax error",
	} {
		if got := run(t, table, 2, line); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
	if got := run(t, table, 2, "command list"); strings.Contains(got, "hidden") || !strings.Contains(got, `"config|get"`) {
		t.Error(got)
	}
}

func TestCommandGetKeys(t *testing.T) {
	table := allCommands(t)
	for line, want := range map[string]string{
		"command getkeys get a":                      `["a"]`,
		"command getkeys MSET a 1 b 2":               `["a" "b"]`,
		"command getkeys eval x 2 a b c":             `["a" "b"]`,
		"command getkeys eval x 0":                   "[]",
		"command getkeys zunionstore d 2 a b":        `["d" "a" "b"]`,
		"command getkeys xread count 2 streams a 1":  `["a"]`,
		"command getkeys object encoding a":          `["a"]`,
		"command getkeys get":                        "-ERR Invalid number of arguments specified for command",
		"command getkeys ping":                       "-ERR The command has no key arguments",
		"command getkeys config":                     "-ERR The command has no key arguments",
		"command getkeys spublish c m":               "-ERR The command has no key arguments",
		"command getkeys nosuch":                     "-ERR Invalid command specified",
		"command getkeys config nosuch":              "-ERR Invalid command specified",
		"command getkeys zunionstore d 7 a b":        "-ERR Invalid arguments specified for command",
		"command getkeys xread count 2 strems a b 1": "-ERR Invalid arguments specified for command",
		"command getkeys":                            "-ERR wrong number of arguments for 'command|getkeys' command",
		"command getkeysandflags smove a b c":        `[["a" ~{+RW +access +delete}] ["b" ~{+RW +insert}]]`,
	} {
		if got := run(t, table, 3, line); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

func TestHelp(t *testing.T) {
	config := &command.Spec{Name: "config", Group: "server", Arity: -2, Subs: []*command.Spec{
		{Name: "set", Group: "server", Arity: -4, Usage: "<parameter value>:data...", Summary: "Sets.", Service: idle},
		{Name: "rewrite", Group: "server", Arity: 2, Service: idle},
		{Name: "no-evict", Group: "server", Arity: 3, Usage: "<ON | OFF>:enabled", Summary: "Switches.", Service: idle},
		{Name: "secret", Group: "server", Arity: 2, Flags: command.Hidden, Service: idle},
	}}
	table, err := command.NewTable([]*command.Spec{config})
	if err != nil {
		t.Fatal(err)
	}
	want := "[+CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are: " +
		"+NO-EVICT (ON|OFF) +    Switches. +REWRITE +SET <parameter> <value> [<parameter> <value> ...] +    Sets. " +
		"+HELP +    Print this help.]"
	if got := run(t, table, 2, "config HELP"); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got := run(t, allCommands(t), 2, "command help"); !strings.Contains(got, ". Subcommands are: +(no subcommand) +    Describes") {
		t.Error(got)
	}
	h := table.LookupFull("config|help")
	if h.Arity != 2 || h.Group != "server" || h.Parent().FullName() != "config" {
		t.Errorf("%+v", h)
	}
}

func TestSyntaxOfWholeCommands(t *testing.T) {
	table := allCommands(t)
	for name, want := range map[string]string{
		"set":         "key value [NX|XX] [GET] [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|KEEPTTL]",
		"mset":        "key value [key value ...]",
		"sort":        "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC|DESC] [ALPHA] [STORE destination]",
		"xread":       "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
		"zunionstore": "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM|MIN|MAX]",
	} {
		if got := command.Syntax(table.Lookup([]byte(name)).Args()); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// FuzzKeys looks for keys in command lines that mean nothing.
func FuzzKeys(f *testing.F) {
	table := allCommands(f)
	for _, line := range []string{"zunionstore d 2 a b", "xread streams a 1", "migrate h 1 k 0 1 KEYS", "eval s -1", "lmpop 9223372036854775807 a", "xgroup create k"} {
		f.Add(uint16(0), []byte(line))
	}
	f.Fuzz(func(t *testing.T, id uint16, line []byte) {
		argv := bytes.Fields(line)
		if len(argv) == 0 {
			return
		}
		spec, err := table.Resolve(argv)
		if err != nil { // any other command with as many words
			spec = table.All()[int(id)%table.Len()]
		}
		commandfacts.CheckKeys(t, spec, argv)
	})
}
