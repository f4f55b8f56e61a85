package acl

import (
	"slices"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/command"
)

func authenticate(a *Accounts, name, password string) bool {
	return a.Authenticate([]byte(name), []byte(password)) != nil
}

// testTable has a few commands of each kind that rules know.
func testTable(tb testing.TB) *command.Table {
	tb.Helper()
	run := func(*command.Call) {}
	key := command.FirstKey
	t, err := command.NewTable([]*command.Spec{
		{Name: "get", Group: "string", Arity: 2, Flags: command.ReadOnly | command.Fast, Usage: "key", Keys: key(command.KeyRO | command.KeyAccess), Service: run},
		{Name: "set", Group: "string", Arity: 3, Flags: command.Write, Usage: "key value", Keys: key(command.KeyOW | command.KeyUpdate), Service: run},
		{Name: "hget", Group: "hash", Arity: 2, Flags: command.ReadOnly | command.Fast, Usage: "key", Keys: key(command.KeyRO | command.KeyAccess), Service: run},
		{Name: "hset", Group: "hash", Arity: 2, Flags: command.Write | command.Fast, Usage: "key", Keys: key(command.KeyRW | command.KeyUpdate), Service: run},
		{Name: "exists", Group: "generic", Arity: -2, Flags: command.ReadOnly | command.Fast, Usage: "key...", Keys: command.AllKeys(command.KeyRO), Service: run},
		{Name: "select", Group: "connection", Arity: 2, Flags: command.Fast, Usage: "index", Service: run},
		{Name: "auth", Group: "connection", Arity: -2, Flags: command.NoAuth | command.Fast, Usage: "password", Service: run},
		{Name: "publish", Group: "pubsub", Arity: 3, Flags: command.PubSub | command.Fast, Usage: "channel message", Channels: command.ChannelPublish, Service: run},
		{Name: "subscribe", Group: "pubsub", Arity: -2, Flags: command.PubSub, Usage: "channel...", Channels: command.ChannelSubscribe, Service: run},
		{Name: "psubscribe", Group: "pubsub", Arity: -2, Flags: command.PubSub, Usage: "pattern...", Channels: command.ChannelSubscribe | command.ChannelPattern, Service: run},
		{Name: "config", Group: "server", Arity: -2, Subs: []*command.Spec{
			{Name: "get", Group: "server", Arity: -3, Flags: command.Admin, Usage: "name...", Service: run},
			{Name: "set", Group: "server", Arity: -3, Flags: command.Admin, Usage: "name...", Service: run},
		}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func newAccounts(tb testing.TB) *Accounts {
	tb.Helper()
	a := New(Options{})
	if err := a.Use(testTable(tb)); err != nil {
		tb.Fatal(err)
	}
	return a
}

// change makes or changes a user by rules with spaces between.
func change(tb testing.TB, a *Accounts, name, rules string) *User {
	tb.Helper()
	merged, _, _ := mergeSelectors(strings.Split(rules, " "))
	u, _, err := a.change(name, merged)
	if err != nil {
		tb.Fatalf("%s: %v", rules, err)
	}
	return u
}

func TestDefaultUserNeedsNoPassword(t *testing.T) {
	a := New(Options{})
	if !a.Open() || a.Nobody() != a.Default() {
		t.Error("closed")
	}
	for _, password := range []string{"", "anything"} {
		if u := a.Authenticate([]byte("default"), []byte(password)); u != a.Default() {
			t.Errorf("%q: %v", password, u)
		}
	}
	for _, name := range []string{"", "Default", "alice", "(superuser)"} {
		if authenticate(a, name, "") {
			t.Errorf("user %q got in", name)
		}
	}
}

func TestRequirePass(t *testing.T) {
	a := New(Options{})
	a.SetPassword("foobar")
	if a.Open() || a.Nobody() != nil {
		t.Error("open")
	}
	for password, want := range map[string]bool{"foobar": true, "": false, "Foobar": false, "foobar ": false} {
		if authenticate(a, "default", password) != want {
			t.Errorf("%q: %v", password, !want)
		}
	}
	a.SetPassword("other")
	if authenticate(a, "default", "foobar") || !authenticate(a, "default", "other") {
		t.Error("the password was not replaced")
	}
	a.SetPassword("")
	if !a.Open() || !authenticate(a, "default", "foobar") {
		t.Error("the password was not taken away")
	}
}

func TestDisabledUser(t *testing.T) {
	a := newAccounts(t)
	change(t, a, "default", "off")
	if a.Open() || authenticate(a, "default", "") {
		t.Error("a disabled user got in")
	}
	a.SetPassword("x")
	if authenticate(a, "default", "x") {
		t.Error("a password enabled the user")
	}
}

func TestPasswords(t *testing.T) {
	a := newAccounts(t)
	change(t, a, "u", "on >a >b #"+hashOf([]byte("c")).String())
	for _, password := range []string{"a", "b", "c"} {
		if !authenticate(a, "u", password) {
			t.Errorf("%s is refused", password)
		}
	}
	change(t, a, "u", "<a !"+hashOf([]byte("b")).String())
	if authenticate(a, "u", "a") || authenticate(a, "u", "b") || !authenticate(a, "u", "c") {
		t.Error("passwords were not removed")
	}
	change(t, a, "u", "nopass")
	if !authenticate(a, "u", "whatever") {
		t.Error("nopass wants a password")
	}
	change(t, a, "u", "resetpass")
	if authenticate(a, "u", "") || authenticate(a, "u", "c") {
		t.Error("a user without passwords got in")
	}
}

// What rules become, as ACL LIST shows it.
func TestDescribe(t *testing.T) {
	const base = "off sanitize-payload resetchannels -@all"
	for rules, want := range map[string]string{
		"":                        base,
		"on ~a ~b ~a":             "on sanitize-payload ~a ~b resetchannels -@all",
		"%R~a %w~a %RW~b %rw~c":   "off sanitize-payload ~a ~b ~c resetchannels -@all",
		"%R~x %W~y":               "off sanitize-payload %R~x %W~y resetchannels -@all",
		"allkeys":                 "off sanitize-payload ~* resetchannels -@all",
		"&a &b &a":                "off sanitize-payload resetchannels &a &b -@all",
		"allchannels +@all":       "off sanitize-payload &* +@all",
		"nopass >a":               "off sanitize-payload #" + hashOf([]byte("a")).String() + " resetchannels -@all",
		"skip-sanitize-payload":   "off skip-sanitize-payload resetchannels -@all",
		"+@all -get +get":         "off sanitize-payload resetchannels +@all +get",
		"-@all +config|get":       base + " +config|get",
		"+config|get +config":     base + " +config",
		"+config|get -config|get": base + " -config|get",
		"+GET +SELECT|A":          base + " +get +select|a",
		"+@Hash +@hAsh -@string":  base + " +@hash -@string",
		"+get -@all":              base,
		"(+get ~a) (-@all &x)":    base + " (~a resetchannels -@all +get) (resetchannels &x -@all)",
		"on +get reset":           base,
		"(+get) clearselectors":   base,
	} {
		a := newAccounts(t)
		u := change(t, a, "u", rules)
		if got := u.rights.Load().String(); got != want {
			t.Errorf("%s:\n\t%s, not\n\t%s", rules, got, want)
		}
		again := change(t, a, "again", want)
		if got := again.rights.Load().String(); got != want {
			t.Errorf("%s read again: %s", want, got)
		}
	}
}

func TestRuleErrors(t *testing.T) {
	for rules, want := range map[string]error{
		"+nosuch": errUnknown, "-nosuch": errUnknown, "+@nosuch": errUnknown, "+": errUnknown, "+config|nosuch": errUnknown, "+get|a|b": errUnknown,
		"+config|get|x": errFirstArg, "+select|": errSyntax, "nosuch": errSyntax, "%~x": errSyntax, "%RR~x": errSyntax, "%X~x": errSyntax,
		"~a\tb": errSyntax, "&a\x00": errSyntax, "(nosuch)": errSyntax, "(on)": errSyntax, "(+nosuch)": errUnknown, "(~a))": errSyntax,
		"allkeys ~a": errAfterAllKeys, "allchannels &a": errAfterAllChannels, "<no": errNoPassword, "#12": errBadHash,
		"!" + strings.Repeat("A", 64): errBadHash,
	} {
		a := newAccounts(t)
		e, r := a.editing(), ofNew(false)
		var err error
		for _, rule := range strings.Split(rules, " ") {
			if err = e.apply(r, rule); err != nil {
				break
			}
		}
		if err != want {
			t.Errorf("%q: %v, not %v", rules, err, want)
		}
	}
}

// A check is: rules | command line | what is refused, "" if nothing is.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		rules, line string
		want        Denial
	}{
		{"+@all allkeys allchannels", "get a", Denial{}},
		{"+get ~a*", "get ab", Denial{}},
		{"+get ~a*", "get ba", Denial{Key, 1}},
		{"+get ~a*", "set ab 1", Denial{Command, 0}},
		{"+get +set %R~a", "get a", Denial{}},
		{"+get +set %R~a", "set a 1", Denial{Key, 1}},
		{"+get +set %W~a", "get a", Denial{Key, 1}},
		{"+exists %R~a %W~b", "exists a b", Denial{}}, // needs no permission, but a pattern
		{"+exists %R~a %W~b", "exists a b c", Denial{Key, 3}},
		{"", "auth x", Denial{}},
		{"+select|0", "select 0", Denial{}},
		{"+select|0", "select 1", Denial{Command, 0}},
		{"+@all -config|set", "config get x", Denial{}},
		{"+@all -config|set", "config set x", Denial{Command, 0}},
		{"+config|get", "config get x", Denial{}},
		{"+publish &a*", "publish ab x", Denial{}},
		{"+publish &a*", "publish b ab", Denial{Channel, 1}},
		{"+subscribe &a*", "subscribe ab b", Denial{Channel, 2}},
		{"+psubscribe &a*", "psubscribe a*", Denial{}},
		{"+psubscribe &a*", "psubscribe ab", Denial{Channel, 1}},
		{"+get ~a (+set ~b)", "set b 1", Denial{}},
		{"+get ~a (+set ~b)", "set a 1", Denial{Key, 1}},
		{"+get ~a (+set ~b)", "hget a", Denial{Command, 0}},
		{"+@all", "publish", Denial{}}, // words are missing
		{"+@all -get", "get", Denial{Command, 0}},
		{"+@all ~a", "get", Denial{}},
		{"~* (+get) (+publish)", "publish a b", Denial{Channel, 1}},
	} {
		a := newAccounts(t)
		u := change(t, a, "u", c.rules)
		var argv [][]byte
		for _, w := range strings.Split(c.line, " ") {
			argv = append(argv, []byte(w))
		}
		spec, _ := a.catalog.Load().table.Resolve(argv)
		if got := u.Check(spec, argv); got != c.want {
			t.Errorf("%s: %s: %v, not %v", c.rules, c.line, got, c.want)
		}
	}
}

func TestRemovedUserMayDoNothing(t *testing.T) {
	a := newAccounts(t)
	u := change(t, a, "u", "on nopass +@all ~* &*")
	if u.Restricted() {
		t.Error("restricted")
	}
	u.set(&rights{})
	spec := a.catalog.Load().find("get")
	if !u.Restricted() || u.Check(spec, [][]byte{[]byte("get"), []byte("a")}).Reason != Command {
		t.Error("may go on")
	}
}

func TestSameSelectorWithPieces(t *testing.T) {
	merged, _, ok := mergeSelectors([]string{"on", "(+get", "~a)", "()", "(x"})
	if ok {
		t.Error("an open parenthesis is accepted")
	}
	merged, _, ok = mergeSelectors([]string{"on", "(+get", "~a)", "()"})
	if want := []string{"on", "(+get ~a)", "()"}; !ok || !slices.Equal(merged, want) {
		t.Errorf("%q", merged)
	}
}

func TestLogGroupsTheSame(t *testing.T) {
	var l securityLog
	at := func(ms int64, object string) { l.add(entry{reason: Key, object: object, user: "u", updatedMs: ms}, 3) }
	at(1, "a")
	at(2, "b")
	at(3, "a")
	list := l.newest(10)
	if len(list) != 2 || list[0].object != "a" || list[0].count != 2 || list[0].id != 0 || list[0].createdMs != 1 || list[0].updatedMs != 3 {
		t.Errorf("%+v", list)
	}
	at(3+groupMs+1, "a")
	at(5, "c")
	at(6, "d")
	if list = l.newest(10); len(list) != 3 || list[0].object != "d" || list[0].id != 4 {
		t.Errorf("%+v", list)
	}
	if l.denied[Key] != 6 {
		t.Error(l.denied)
	}
}

func TestCheckAllocatesNothing(t *testing.T) {
	a := newAccounts(t)
	spec, argv := a.catalog.Load().find("get"), [][]byte{[]byte("get"), []byte("ab")}
	u := a.Default()
	if n := testing.AllocsPerRun(100, func() {
		if u.Restricted() {
			t.Fatal("restricted")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	limited := change(t, a, "u", "+get ~a*")
	if n := testing.AllocsPerRun(100, func() {
		if limited.Check(spec, argv).Reason != Allowed {
			t.Fatal("refused")
		}
	}); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
