package command

import (
	"fmt"
	"strings"
	"testing"
)

// keyed declares a command by its usage and keys alone.
func keyed(name, usage string, keys ...KeySpec) *Spec {
	s := &Spec{Name: name, Group: "generic", Arity: -1, Usage: usage, Keys: keys, Service: idle}
	args, err := ParseUsage(usage)
	if err != nil {
		panic(err)
	}
	least, most := words(args)
	if s.Arity = -1 - least; least == most {
		s.Arity = 1 + least
	}
	for _, k := range keys {
		if k.Unknown || k.Flags&(KeyIncomplete|KeyVariable) != 0 {
			s.GetKeys = askedKeys
		}
	}
	return s
}

// askedKeys stands for a GetKeys: the second argument, as read only.
func askedKeys(dst []KeyPos, argv [][]byte) ([]KeyPos, error) {
	if len(argv) < 3 {
		return dst, ErrKeyArguments
	}
	return append(dst, KeyPos{2, KeyRO}), nil
}

func keyTable(t testing.TB) *Table {
	ro := KeyRO | KeyAccess
	eval := keyed("eval", "script numkeys:integer [key...] [arg...]", KeySpec{Flags: KeyRW, Index: 2, NumKeys: true, FirstKey: 1})
	eval.Flags |= NoMandatoryKeys
	group := keyed("xreadgroup", "GROUP <group consumer>:group-block STREAMS <key... id...>",
		KeySpec{Flags: KeyRO, Keyword: "STREAMS", StartFrom: 4, Last: -1, Limit: 2})
	group.GetKeys = func(dst []KeyPos, argv [][]byte) ([]KeyPos, error) {
		if len(argv)%2 == 0 {
			return dst, ErrKeyArguments
		}
		return append(dst, KeyPos{5, KeyRO}), nil
	}
	return mustTable(t,
		keyed("ping", "[message]"),
		keyed("get", "key", FirstKey(ro)...),
		keyed("set", "key value [GET]", FirstKey(KeyRW|KeyVariable)...),
		keyed("del", "key...", AllKeys(KeyRM)...),
		keyed("mset", "<key value>:data...", KeySpec{Flags: KeyOW, Index: 1, Last: -1, Step: 2}),
		keyed("blpop", "key... timeout:double", KeySpec{Flags: KeyRW, Index: 1, Last: -2}),
		keyed("rename", "key newkey:key", KeySpec{Flags: KeyRW, Index: 1}, KeySpec{Flags: KeyOW, Index: 2}),
		keyed("zunionstore", "dst:key numkeys:integer key...", KeySpec{Flags: KeyOW, Index: 1},
			KeySpec{Flags: KeyRO, Index: 2, NumKeys: true, FirstKey: 1}),
		keyed("pfmerge", "destkey:key [sourcekey:key...]", KeySpec{Flags: KeyRW, Index: 1}, KeySpec{Flags: KeyRO, Index: 2, Last: -1}),
		keyed("xread", "[COUNT count:integer] STREAMS <key... id...>",
			KeySpec{Flags: KeyRO, Keyword: "STREAMS", StartFrom: 1, Last: -1, Limit: 2}),
		group,
		keyed("migrate", "host key [COPY] [KEYS keys=key:key...]", KeySpec{Flags: KeyRW, Index: 2},
			KeySpec{Flags: KeyRW | KeyIncomplete, Keyword: "KEYS", StartFrom: -2, Last: -1}),
		keyed("sort", "key [BY pattern#1]", FirstKey(KeyRO)[0], KeySpec{Flags: KeyRO, Unknown: true}),
		keyed("spublish", "channel message", KeySpec{Flags: KeyNotKey, Index: 1}),
		keyed("ssubscribe", "channel...", KeySpec{Flags: KeyNotKey, Index: 1, Last: -1}),
		eval,
	)
}

// keysOf shows keys as "a:RO b:RW" or the error.
func keysOf(s *Spec, argv [][]byte, find func([]KeyPos, *Spec, [][]byte) ([]KeyPos, error)) string {
	keys, err := find(nil, s, argv)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, "%s:%s ", argv[k.Index], strings.Join(k.Flags.Words(), "+"))
	}
	return strings.TrimSpace(b.String())
}

func TestAppendKeys(t *testing.T) {
	table := keyTable(t)
	bad := ErrKeyArguments.Error()
	for line, want := range map[string]string{
		"ping":                                   "",
		"get a":                                  "a:RO+access",
		"set a b":                                "b:RO", // GetKeys is asked for a variable flag
		"del a b c":                              "a:RM b:RM c:RM",
		"mset a 1 b 2":                           "a:OW b:OW",
		"mset a 1 b":                             "a:OW b:OW",
		"mset":                                   bad,
		"blpop a b 0":                            "a:RW b:RW",
		"blpop 0":                                bad,
		"pfmerge d":                              "d:RW",
		"pfmerge d a b":                          "d:RW a:RO b:RO",
		"pfmerge":                                bad,
		"rename a":                               bad,
		"rename a b":                             "a:RW b:OW",
		"zunionstore d 2 a b WEIGHTS 1 2":        "d:OW a:RO b:RO",
		"zunionstore d 3 a b":                    bad,
		"zunionstore d 0 a b":                    bad,
		"zunionstore d -1 a b":                   bad,
		"zunionstore d x a b":                    bad,
		"zunionstore d 9223372036854775807 a":    bad,
		"zunionstore d":                          bad,
		"eval s 2 a b c":                         "a:RW b:RW",
		"eval s 0 c":                             "",
		"eval s 5 c":                             "",
		"xread streams a b 1 2":                  "a:RO b:RO",
		"xread COUNT 1 Streams a 1":              "a:RO",
		"xread streams a":                        bad,
		"xread streams a b 1":                    "a:RO",
		"xread COUNT 1":                          "",
		"xreadgroup GROUP g streams STREAMS a 0": "a:RO",
		"xreadgroup GROUP g c STREAMS a b 0":     "a:RO", // GetKeys refuses: then it is as Keys say
		"migrate h a COPY":                       "a:RW",
		"migrate h a COPY KEYS b c":              "a:RO", // incomplete: GetKeys is asked
		"sort a":                                 bad,
		"sort a BY":                              "BY:RO",
		"spublish c m":                           "",
	} {
		argv := bytesOf(strings.Fields(line)...)
		if got := keysOf(table.Lookup(argv[0]), argv, AppendKeys); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func TestAppendRoutedGivesChannels(t *testing.T) {
	table := keyTable(t)
	for line, want := range map[string]string{
		"spublish c m":   "c:not_key",
		"ssubscribe a b": "a:not_key b:not_key",
		"set a b":        "a:RW+variable_flags", // where the key is does not vary
		"get a":          "a:RO+access",
		"get":            ErrKeyArguments.Error(),
		"del a b":        "a:RM b:RM",
	} {
		argv := bytesOf(strings.Fields(line)...)
		if got := keysOf(table.Lookup(argv[0]), argv, AppendRouted); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func TestKeyPlan(t *testing.T) {
	table := keyTable(t)
	for name, want := range map[string]string{
		"ping":        "only 0 has false legacy 0 0 0 movable false",
		"get":         "only 1 has true legacy 1 1 1 movable false",
		"set":         "only 1 has true legacy 1 1 1 movable false",
		"del":         "only 0 has true legacy 1 -1 1 movable false",
		"mset":        "only 0 has true legacy 1 -1 2 movable false",
		"blpop":       "only 0 has true legacy 1 -2 1 movable false",
		"rename":      "only 0 has true legacy 1 2 1 movable false",
		"zunionstore": "only 0 has true legacy 1 1 1 movable true",
		"eval":        "only 0 has true legacy 0 0 0 movable true",
		"xread":       "only 0 has true legacy 0 0 0 movable true",
		"migrate":     "only 0 has true legacy 2 2 1 movable true",
		"sort":        "only 0 has true legacy 1 1 1 movable true",
		"spublish":    "only 1 has false legacy 1 1 1 movable false",
		"ssubscribe":  "only 0 has false legacy 1 -1 1 movable false",
	} {
		s := table.Lookup([]byte(name))
		first, last, step := s.LegacyRange()
		got := fmt.Sprintf("only %d has %v legacy %d %d %d movable %v", s.OnlyKey(), s.HasKeys(), first, last, step, s.Is(MovableKeys))
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if s.FirstArgIsKey() != (first == 1) {
			t.Errorf("%s: first argument is a key: %v", name, s.FirstArgIsKey())
		}
	}
}

func TestAppendKeysAllocatesNothing(t *testing.T) {
	table := keyTable(t)
	dst := make([]KeyPos, 0, 16)
	for _, line := range []string{"get a", "set a b", "del a b c", "mset a 1 b 2", "zunionstore d 2 a b",
		"xread streams a b 1 2", "migrate h a KEYS b", "eval s 0", "zunionstore d x", "sort a"} {
		argv := bytesOf(strings.Fields(line)...)
		s := table.Lookup(argv[0])
		if n := testing.AllocsPerRun(100, func() {
			_, _ = AppendKeys(dst, s, argv)
			_, _ = AppendRouted(dst, s, argv)
		}); n != 0 {
			t.Errorf("%s: %v allocations", line, n)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	table := keyTable(b)
	for _, name := range []string{"GET", "zunionstore", "nosuch"} {
		b.Run(name, func(b *testing.B) {
			word := []byte(name)
			for b.Loop() {
				table.Lookup(word)
			}
		})
	}
}

func BenchmarkAppendRouted(b *testing.B) {
	table := keyTable(b)
	dst := make([]KeyPos, 0, 16)
	for _, line := range []string{"get a", "del a", "del a b c d e f", "eval s 1 a"} {
		argv := bytesOf(strings.Fields(line)...)
		s := table.Lookup(argv[0])
		b.Run(strings.ReplaceAll(line, " ", "-"), func(b *testing.B) {
			for b.Loop() {
				_, _ = AppendRouted(dst, s, argv)
			}
		})
	}
}
