package cli

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/testkit/commandfacts"
)

// commandDocs is our own server's reply to COMMAND DOCS for redis's commands.
func commandDocs(t testing.TB, proto int) []byte {
	t.Helper()
	specs, err := commandfacts.Specs()
	if err != nil {
		t.Fatal(err)
	}
	specs = slices.DeleteFunc(specs, func(s *command.Spec) bool { return s.Name == "command" })
	var table *command.Table
	table, err = command.NewTable(specs, command.Specs(func() *command.Table { return table }))
	if err != nil {
		t.Fatal(err)
	}
	args := bytes.Fields([]byte("command docs"))
	spec, err := table.Resolve(args)
	if err != nil {
		t.Fatal(err)
	}
	w := &resp.Writer{Proto: proto}
	spec.Service(&command.Call{Spec: spec, Args: args, Out: w})
	return w.Buf
}

func loadTestDocs(t testing.TB, proto int) *docs {
	t.Helper()
	v, err := resp.NewReader(bytes.NewReader(commandDocs(t, proto))).Read()
	if err != nil {
		t.Fatal(err)
	}
	return readDocs(&v)
}

// The hints are those of redis-cli 7.2.
func TestHints(t *testing.T) {
	d := loadTestDocs(t, 3)
	const setOptions = "[EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|KEEPTTL]"
	const scanOptions = "[MATCH pattern] [COUNT count] [TYPE type]"
	for _, test := range []struct{ line, want string }{
		{"", ""}, {" ", ""}, {"GET", ""}, {"NOSUCH ", ""}, {`GET "`, ""},
		{"GET ", "key"}, {"get k", " key"}, {"get k ", ""}, {"get k x ", ""},
		{"DECRBY xyz ", "decrement"},

		// Optional arguments: alone, with a token, in any order.
		{"LPOP key ", "[count]"}, {"LPOP key 3 ", ""},
		{"XRANGE k 4 2 COU", " [COUNT count]"}, {"XRANGE k 4 2 COUNT ", "count"},
		{"SCAN 2 ", scanOptions}, {"SCAN 2 COUNT ", "count [MATCH pattern] [TYPE type]"},
		{"SCAN 2 count 5 match x ", "[TYPE type]"},
		{"ZRANDMEMBER k ", "[count [WITHSCORES]]"}, {"ZRANDMEMBER k 3 ", "[WITHSCORES]"},
		{"ZRANDMEMBER k 3 WITHSCORES ", ""},
		{"GEORADIUS key 1 2 3 M COUNT 12 ", "[ANY] [WITHCOORD] [WITHDIST] [WITHHASH] [ASC|DESC] [STORE key|STOREDIST key]"},
		{"GEORADIUS key 1 2 3 M COUNT 12 ASC ", "[WITHCOORD] [WITHDIST] [WITHHASH] [STORE key|STOREDIST key]"},

		// Choices.
		{"BLMOVE src dst LEFT ", "LEFT|RIGHT timeout"},
		{"SET key value ", "[NX|XX] [GET] " + setOptions},
		{"SET key value EX ", "seconds [NX|XX] [GET]"},
		{"SET key value EX 23 ", "[NX|XX] [GET]"},
		{"SET key value xx ", "[GET] " + setOptions},
		{"SET key value KEEPTTL GET NX ", ""},

		// Repetitions.
		{"MGET ", "key [key ...]"}, {"MGET k ", "[key ...]"}, {"MGET k k ", "[key ...]"},
		{"CONFIG SET param ", "value [parameter value ...]"},
		{"CONFIG SET p v p2 ", "value [parameter value ...]"},
		{"BITFIELD_RO k ", "[GET encoding offset [GET encoding offset ...]]"},
		{"BITFIELD_RO k GET xyz ", "offset [GET encoding offset ...]"},
		{"BITFIELD_RO k GET e 12 GET f 34 ", "[GET encoding offset ...]"},

		// Optional arguments in front of others.
		{"ZADD key ", "[NX|XX] [GT|LT] [CH] [INCR] score member [score member ...]"},
		{"ZADD key CH LT ", "[NX|XX] [INCR] score member [score member ...]"},
		{"ZADD key 0 ", "member [score member ...]"},

		// Words that the command does not take, or not there.
		{"SET key value FOOBAR ", ""}, {"SET key value EX soon ", ""}, {"ZRANDMEMBER k cnt ", ""},
		{"GEOSEARCH k FROMLONLAT 2.34 4.45 BYRADIUS wide ", ""}, {"GEORADIUS key 1 X ", ""},
		{"ZCOUNT k (1 ", "max"},

		{"MIGRATE h 1 ", `key|"" destination-db timeout [COPY] [REPLACE] [AUTH password|AUTH2 username password] [KEYS key [key ...]]`},
		{`MIGRATE h 1 "" `, `destination-db timeout [COPY] [REPLACE] [AUTH password|AUTH2 username password] [KEYS key [key ...]]`},
		{`MIGRATE h 1 "" 0 9 KEYS a `, `[key ...] [COPY] [REPLACE] [AUTH password|AUTH2 username password]`},
	} {
		if got := d.hint(test.line); got != test.want {
			t.Errorf("%q: %q, want %q", test.line, got, test.want)
		}
	}
}

func TestDocsAreTheSameInBothProtocols(t *testing.T) {
	two, three := loadTestDocs(t, 2), loadTestDocs(t, 3)
	if len(two.entries) != len(three.entries) || len(two.entries) < 200 {
		t.Fatalf("%d and %d entries", len(two.entries), len(three.entries))
	}
	for i, e := range two.entries {
		if o := three.entries[i]; e.name != o.name || e.summary != o.summary || command.Syntax(e.args) != command.Syntax(o.args) {
			t.Errorf("%+v, %+v", e, o)
		}
	}
}

func TestCompletion(t *testing.T) {
	d := loadTestDocs(t, 3)
	for line, want := range map[string]string{
		"GETR":          "GETRANGE",
		"getd":          "getdel",
		"Config r":      "CONFIG RESETSTAT,CONFIG REWRITE",
		"config get":    "config get",
		"nosuch":        "",
		"help subs":     "help subscribe,help substr",
		"help @str":     "help @stream,help @string",
		"HELP  BITFIEL": "HELP  BITFIELD,HELP  BITFIELD_RO",
	} {
		if got := strings.Join(d.complete(line), ","); got != want {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
	}
}

func TestHelp(t *testing.T) {
	docs := string(commandDocs(t, 2))
	f := startFake(t, func(_ *node, args []string) string {
		if args[0] == "COMMAND" {
			return strings.ReplaceAll(docs, "\r\n", "\n")
		}
		return "+OK\n"
	})
	get := "\n  GET key\n  summary: Is get.\n  since: 1.0.0\n  group: string\n\n"
	expect(t, "", f.args("help", "get"), get, "", 0)
	expect(t, "? get\nHELP nosuch\n", f.args(), get+"\n", "", 0)
	out, _, _ := run("", f.args("help", "config")...)
	if n := strings.Count(out, "  group: server"); n != 6 || !strings.Contains(out, "\n  CONFIG SET parameter value [parameter value ...]\n") {
		t.Errorf("%d commands in %s", n, out)
	}
	out, _, _ = run("", f.args("help", "@hyperloglog")...)
	if n := strings.Count(out, "summary: "); n != 5 || strings.Contains(out, "group:") {
		t.Errorf("%d commands in %s", n, out)
	}
	out, _, _ = run("", "help")
	if !strings.HasPrefix(out, "skein cli ") {
		t.Error(out)
	}
}

func TestNoDocs(t *testing.T) {
	f := startFake(t, func(_ *node, args []string) string {
		if args[0] == "COMMAND" {
			return "-ERR unknown subcommand 'DOCS'. Try COMMAND HELP.\n"
		}
		return "+OK\n"
	})
	s := newScript(t, f)
	for range 3 {
		s.client.loadDocs()
	}
	s.line("help get", "\n", "", "@> ")
	if got := strings.Count(f.commands(), "COMMAND DOCS"); got != 1 {
		t.Errorf("asked %d times", got)
	}
}

// FuzzDocs: whatever a server replies, hints end and do not panic.
func FuzzDocs(f *testing.F) {
	f.Add([]byte("%1\r\n$3\r\nget\r\n%1\r\n$9\r\narguments\r\n*1\r\n%2\r\n$4\r\nname\r\n$3\r\nkey\r\n$5\r\nflags\r\n*1\r\n+multiple\r\n"), "get ")
	f.Add([]byte("*2\r\n$3\r\nget\r\n*2\r\n$11\r\nsubcommands\r\n*2\r\n$5\r\nget|x\r\n*0\r\n"), "get x ")
	f.Add([]byte("*1\r\n:1\r\n"), "help x")
	f.Fuzz(func(t *testing.T, wire []byte, line string) {
		v, err := resp.NewReader(bytes.NewReader(wire)).Read()
		if err != nil {
			return
		}
		d := readDocs(&v)
		d.hint(line)
		d.complete(line)
	})
}
