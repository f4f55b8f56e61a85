package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func bytesOf(words ...string) [][]byte {
	argv := make([][]byte, len(words))
	for i, w := range words {
		argv[i] = []byte(w)
	}
	return argv
}

func idle(*Call) {}

// simple is a command without anything special.
func simple(name string) *Spec {
	return &Spec{Name: name, Group: "server", Arity: -1, Service: idle}
}

func mustTable(t testing.TB, specs ...*Spec) *Table {
	t.Helper()
	table, err := NewTable(specs)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestLookupInAnyCase(t *testing.T) {
	table := mustTable(t, simple("get"), simple("set"), simple("host:"), simple("with-dash"))
	for name, want := range map[string]string{
		"get": "get", "GET": "get", "gEt": "get", "set": "set", "HOST:": "host:", "With-Dash": "with-dash",
		"": "", "ge": "", "gett": "", "hostZ": "", "with\rdash": "", "g\xe9t": "",
	} {
		got := table.Lookup([]byte(name))
		if (got == nil) != (want == "") || got != nil && got.FullName() != want {
			t.Errorf("%q finds %v, want %q", name, got, want)
		}
	}
}

func TestResolve(t *testing.T) {
	get := simple("get")
	get.Arity = 2
	get.Usage = "name"
	set := simple("set")
	set.Arity = -3
	bare := simple("bare")
	bare.Subs = []*Spec{{Name: "one", Group: "server", Arity: 2, Service: idle}}
	table := mustTable(t, get, set, bare, &Spec{Name: "config", Group: "server", Arity: -2, Subs: []*Spec{
		{Name: "get", Group: "server", Arity: -3, Service: idle},
	}})
	long := strings.Repeat("x", 200)
	for _, test := range []struct {
		words []string
		want  string // full name or error
	}{
		{[]string{"GET", "k"}, "get"},
		{[]string{"get"}, "ERR wrong number of arguments for 'get' command"},
		{[]string{"get", "a", "b"}, "ERR wrong number of arguments for 'get' command"},
		{[]string{"set", "a", "b", "c", "d"}, "set"},
		{[]string{"set", "a"}, "ERR wrong number of arguments for 'set' command"},
		{[]string{"Config", "GET", "x"}, "config|get"},
		{[]string{"config", "get"}, "ERR wrong number of arguments for 'config|get' command"},
		{[]string{"config", "help"}, "config|help"},
		{[]string{"config", "help", "x"}, "ERR wrong number of arguments for 'config|help' command"},
		{[]string{"config"}, "ERR wrong number of arguments for 'config' command"},
		{[]string{"confiG", "x\r\ny"}, "ERR unknown subcommand 'x  y'. Try CONFIG HELP."},
		{[]string{"config", long}, "ERR unknown subcommand '" + long[:128] + "'. Try CONFIG HELP."},
		{[]string{"bare"}, "bare"},
		{[]string{"bare", "ONE"}, "bare|one"},
		{[]string{"bare", "two"}, "ERR unknown subcommand 'two'. Try BARE HELP."},
		{[]string{"foo"}, "ERR unknown command 'foo', with args beginning with: "},
		{[]string{"foo", "a", "b c"}, "ERR unknown command 'foo', with args beginning with: 'a' 'b c' "},
		{[]string{"fo\x00o", "a\nb", "c\x00d"}, "ERR unknown command 'fo', with args beginning with: 'a b' 'c' "},
		{[]string{"foo" + long, long, "y"}, "ERR unknown command 'foo" + long[:125] + "', with args beginning with: '" + long[:128] + "' "},
		{[]string{"foo", long[:120], long}, "ERR unknown command 'foo', with args beginning with: '" + long[:120] + "' '" + long[:5] + "' "},
		{[]string{""}, "ERR unknown command '', with args beginning with: "},
	} {
		got := ""
		if s, err := table.Resolve(bytesOf(test.words...)); err != nil {
			got = err.Error()
		} else {
			got = s.FullName()
		}
		if got != test.want {
			t.Errorf("%q: %q, want %q", test.words, got, test.want)
		}
	}
}

func TestCheckNamesTheSpecOfAnArityError(t *testing.T) {
	get := simple("get")
	get.Arity, get.Usage = 2, "name"
	table := mustTable(t, get)
	if s, err := table.Resolve(bytesOf("get")); s == nil || err == nil {
		t.Errorf("%v, %v", s, err)
	}
	if s, err := table.Resolve(bytesOf("nosuch")); s != nil || err == nil {
		t.Errorf("%v, %v", s, err)
	}
}

func TestTableOrderAndIDs(t *testing.T) {
	table := mustTable(t, simple("set"), simple("append"),
		&Spec{Name: "config", Group: "server", Arity: -2, Subs: []*Spec{simpleSub("set"), simpleSub("get")}})
	var names []string
	for i, s := range table.All() {
		if s.ID() != i {
			t.Errorf("%s has id %d, want %d", s.FullName(), s.ID(), i)
		}
		names = append(names, s.FullName())
	}
	want := []string{"append", "config", "config|get", "config|help", "config|set", "set"}
	if !slices.Equal(names, want) || table.Len() != len(want) {
		t.Errorf("%q, want %q", names, want)
	}
	if len(table.Commands()) != 3 {
		t.Errorf("%d commands", len(table.Commands()))
	}
	if s := table.LookupFull("CONFIG|Get"); s == nil || s.Parent().FullName() != "config" {
		t.Errorf("%v", s)
	}
	for _, name := range []string{"config|", "config|nosuch", "config|get|x", "set|x", "|", ""} {
		if s := table.LookupFull(name); s != nil {
			t.Errorf("%q finds %s", name, s.FullName())
		}
	}
}

func simpleSub(name string) *Spec {
	return &Spec{Name: name, Group: "server", Arity: -2, Service: idle}
}

func TestTablesShareNothing(t *testing.T) {
	specs := []*Spec{simple("b"), {Name: "a", Group: "server", Arity: -2, Subs: []*Spec{simpleSub("x")}}}
	one, two := mustTable(t, specs...), mustTable(t, append(specs, simple("0"))...)
	if one.Lookup([]byte("b")).ID() == two.Lookup([]byte("b")).ID() {
		t.Error("one table changed the other")
	}
	if specs[0].full != "" || specs[1].Subs[0].parent != nil || len(specs[1].Subs) != 1 {
		t.Error("NewTable changed what it was given")
	}
}

func TestRename(t *testing.T) {
	table := mustTable(t, simple("get"), simple("keys"), simple("flushall"))
	if err := table.Rename("KEYS", "SecretKeys"); err != nil {
		t.Fatal(err)
	}
	if table.Lookup([]byte("keys")) != nil || table.Lookup([]byte("SECRETKEYS")).FullName() != "keys" {
		t.Error("not renamed")
	}
	if err := table.Rename("flushall", ""); err != nil {
		t.Fatal(err)
	}
	if table.Lookup([]byte("flushall")) != nil || len(table.Commands()) != 2 || table.Len() != 3 {
		t.Error("not removed")
	}
	if err := table.Rename("get", "GET"); err != nil || table.Lookup([]byte("get")) == nil {
		t.Errorf("renaming to itself: %v", err)
	}
	if err := table.Rename("flushall", "x"); !errors.Is(err, ErrRenameMissing) {
		t.Error(err)
	}
	if err := table.Rename("get", "secretkeys"); !errors.Is(err, ErrRenameTaken) || table.Lookup([]byte("get")) == nil {
		t.Error(err)
	}
}

func TestNewTableRefuses(t *testing.T) {
	two := func(change func(*Spec)) []*Spec {
		s := &Spec{Name: "x", Group: "string", Arity: 2, Usage: "key", Keys: FirstKey(KeyRO), Service: idle}
		change(s)
		return []*Spec{s}
	}
	for want, specs := range map[string][]*Spec{
		"command x: declared twice": {simple("x"), simple("x")},
		"bad name":                  two(func(s *Spec) { s.Name = "X" }),
		`no group "sorted_set"`:     two(func(s *Spec) { s.Group = "sorted_set" }),
		`no category "strings"`:     two(func(s *Spec) { s.Categories = []string{"strings"} }),
		`no doc flag "old"`:         two(func(s *Spec) { s.DocFlags = []string{"old"} }),
		"no handler":                two(func(s *Spec) { s.Service = nil }),
		"both write and readonly":   two(func(s *Spec) { s.Flags = Write | ReadOnly }),
		"arity 0":                   two(func(s *Spec) { s.Arity = 0 }),
		"the usage has 2 to 2":      two(func(s *Spec) { s.Arity = 3 }),
		"the usage has 3 to 3":      two(func(s *Spec) { s.Arity = -2; s.Usage = "key b" }),
		"bad usage grammar":         two(func(s *Spec) { s.Usage = "[" }),
		"names key spec 1 of 1":     two(func(s *Spec) { s.Usage = "key#1" }),
		"has no argument":           two(func(s *Spec) { s.Usage = "name" }),
		"not exactly one of RO":     two(func(s *Spec) { s.Keys = FirstKey(KeyRO | KeyRW) }),
		"no beginning":              two(func(s *Spec) { s.Keys[0].Index = 0 }),
		"needs GetKeys":             two(func(s *Spec) { s.Keys[0].Flags |= KeyVariable }),
		"subcommand y declared twice": {{Name: "x", Group: "server", Arity: -2,
			Subs: []*Spec{simpleSub("y"), simpleSub("y")}}},
		"a subcommand of a subcommand": {{Name: "x", Group: "server", Arity: -2,
			Subs: []*Spec{{Name: "y", Group: "server", Arity: -2, Service: idle, Subs: []*Spec{simpleSub("z")}}}}},
	} {
		if _, err := NewTable(specs); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestCategories(t *testing.T) {
	for want, s := range map[string]Spec{
		"[read string fast]":         {Group: "string", Flags: ReadOnly | Fast},
		"[write list slow blocking]": {Group: "list", Flags: Write | Blocking},
		"[admin slow dangerous]":     {Group: "server", Flags: Admin},
		"[pubsub slow]":              {Group: "pubsub", Flags: PubSub},
		"[slow scripting]":           {Group: "scripting", Flags: ReadOnly},
		"[write slow connection]":    {Group: "generic", Flags: Write, Categories: []string{"connection"}},
		"[fast]":                     {Group: "generic", Categories: []string{"fast"}},
		"[slow]":                     {Group: "generic", Categories: []string{}},
	} {
		s.Name, s.Arity, s.Service = "x", -1, idle
		if got := fmt.Sprint(mustTable(t, &s).Lookup([]byte("x")).AllCategories().Words()); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	container := &Spec{Name: "object", Group: "generic", Arity: -2, Subs: []*Spec{simpleSub("x")}}
	if got := fmt.Sprint(mustTable(t, container).Lookup([]byte("object")).AllCategories().Words()); got != "[slow]" {
		t.Errorf("container: %s", got)
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	table := mustTable(t, simple("get"), simple("restore-asking"))
	argv := bytesOf("GeT")
	if n := testing.AllocsPerRun(100, func() {
		if s, err := table.Resolve(argv); s == nil || err != nil {
			t.Fatal(err)
		}
		table.Lookup(argv[0])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
