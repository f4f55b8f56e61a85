package command

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseUsage(t *testing.T) {
	for usage, want := range map[string][]Arg{
		"":                    nil,
		"key":                 {{Name: "key", Type: TypeKey, Display: "key"}},
		"message":             {{Name: "message", Display: "message", KeySpec: -1}},
		"count:integer@6.2.0": {{Name: "count", Type: TypeInteger, Display: "count", KeySpec: -1, Since: "6.2.0"}},
		"addr=ip:port:string@2.6.0@-2.8.12": {
			{Name: "addr", Display: "ip:port", KeySpec: -1, Since: "2.6.0", DeprecatedSince: "2.8.12"}},
		"[NX | XX:other]:condition": {{Name: "condition", Type: TypeOneOf, KeySpec: -1, Optional: true, Args: []Arg{
			{Name: "nx", Type: TypePureToken, Token: "NX", Display: "nx", KeySpec: -1},
			{Name: "other", Type: TypePureToken, Token: "XX", Display: "other", KeySpec: -1}}}},
		"[LIMIT <offset:integer count:integer>]": {{Name: "limit", Type: TypeBlock, Token: "LIMIT", KeySpec: -1, Optional: true, Args: []Arg{
			{Name: "offset", Type: TypeInteger, Display: "offset", KeySpec: -1},
			{Name: "count", Type: TypeInteger, Display: "count", KeySpec: -1}}}},
		"[GET pattern#1]... key": {
			{Name: "pattern", Type: TypePattern, Token: "GET", Display: "pattern", KeySpec: 1, Optional: true, Multiple: true, MultipleToken: true},
			{Name: "key", Type: TypeKey, Display: "key", KeySpec: 2}},
		"KEYS key...": {{Name: "key", Type: TypeKey, Token: "KEYS", Display: "key", Multiple: true}},
		"FULL [COUNT n:integer]": {
			{Name: "full", Type: TypePureToken, Token: "FULL", Display: "full", KeySpec: -1},
			{Name: "n", Type: TypeInteger, Token: "COUNT", Display: "n", KeySpec: -1, Optional: true}},
		"<NO> one": {
			{Name: "no", Type: TypePureToken, Token: "NO", Display: "no", KeySpec: -1},
			{Name: "one", Display: "one", KeySpec: -1}},
		"<field value>:data...": {{Name: "data", Type: TypeBlock, KeySpec: -1, Multiple: true, Args: []Arg{
			{Name: "field", Display: "field", KeySpec: -1},
			{Name: "value", Display: "value", KeySpec: -1}}}},
		`"":empty`: {{Name: "empty", Type: TypePureToken, Token: `""`, Display: "empty", KeySpec: -1}},
	} {
		got, err := ParseUsage(usage)
		if err != nil {
			t.Errorf("%q: %v", usage, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %+v\nwant %+v", usage, got, want)
		}
	}
}

func TestParseUsageRefuses(t *testing.T) {
	for usage, want := range map[string]string{
		"a | b":                 "a choice outside of brackets",
		"<a | b c>:x":           "a choice between sequences",
		"[a b]":                 "a group needs a name",
		"[a b]x":                `"x" behind a group`,
		"[a b":                  `"]" is missing`,
		"<>":                    "an empty group",
		"[]":                    "an empty group",
		"[[a]]":                 "optional twice",
		"<a...>...":             "repeated twice",
		"a]":                    "a word expected",
		"a:number":              `no type "number"`,
		"a_b":                   `bad name "a_b"`,
		"Get":                   `bad token "Get"`,
		"a@":                    `bad version ""`,
		"a@1.0@2.0":             `bad version "2.0"`,
		"a#x":                   `bad key spec "x"`,
		"X <a>":                 "token X before a group of one",
		"...":                   "a word expected",
		"a ...":                 "a word expected",
		"X a:pure-token":        "token X announces a pure token",
		strings.Repeat("[", 99): "too many brackets",
	} {
		_, err := ParseUsage(usage)
		if !errors.Is(err, ErrGrammar) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", usage, err, want)
		}
	}
}

func TestSyntax(t *testing.T) {
	for usage, want := range map[string][2]string{
		"key value [NX | XX]:condition [GET] [EX seconds:integer | KEEPTTL]:expiration": {
			"key value [NX|XX] [GET] [EX seconds|KEEPTTL]",
			"<key> <value> [NX|XX] [GET] [EX <seconds>|KEEPTTL]"},
		"key [field...]":                 {"key [field [field ...]]", "<key> [<field> [<field> ...]]"},
		"<field value>:data...":          {"field value [field value ...]", "<field> <value> [<field> <value> ...]"},
		"[GET pattern]...":               {"[GET pattern [GET pattern ...]]", "[GET <pattern> [GET <pattern> ...]]"},
		"<YES | NO>:mode":                {"YES|NO", "(YES|NO)"},
		"[AGGREGATE <SUM | MIN>]":        {"[AGGREGATE SUM|MIN]", "[AGGREGATE (SUM|MIN)]"},
		"[IDX=x:string]":                 {"", ""},
		"<old=ip:port:string | ID id>:f": {"ip:port|ID id", "(<ip:port>|ID <id>)"},
	} {
		args, err := ParseUsage(usage)
		if (err != nil) != (want[0] == "") {
			t.Errorf("%q: %v", usage, err)
		}
		if got := [2]string{Syntax(args), helpSyntax(args)}; got != want {
			t.Errorf("%q: %q, want %q", usage, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for usage, want := range map[string][2]int{
		"":                               {0, 0},
		"key":                            {1, 1},
		"key [NX | XX]:c [EX seconds]":   {1, 4},
		"<a | B b | C <d e>>:x":          {1, 3},
		"key...":                         {1, unbounded},
		"[STREAMS <key... id...>]":       {0, unbounded},
		"LIMIT <offset count>":           {3, 3},
		"<BYRADIUS radius M>:circle [X]": {3, 4},
	} {
		args, err := ParseUsage(usage)
		if err != nil {
			t.Errorf("%q: %v", usage, err)
		}
		if least, most := words(args); [2]int{least, most} != want {
			t.Errorf("%q: %d to %d, want %v", usage, least, most, want)
		}
	}
}

func FuzzGrammar(f *testing.F) {
	f.Add("key value [NX | XX]:condition@2.6.12 [GET@6.2.0] [EX seconds:integer | KEEPTTL]:expiration")
	f.Add(`<key | "":empty>:selector [GET get-pattern=pattern:pattern#1]... [LIMIT <offset:integer count:integer>]`)
	f.Add("<<a b>:c...|[D e@-1.2]>:f... STREAMS <key... id...>")
	f.Add("[[[[[[<<<<<<:::@@@###...")
	f.Fuzz(func(t *testing.T, usage string) {
		args, err := ParseUsage(usage)
		if err != nil {
			return
		}
		if least, most := words(args); least < 0 || most < least {
			t.Errorf("%d to %d words", least, most)
		}
		_, _ = Syntax(args), helpSyntax(args)
		eachArg(args, func(a *Arg) {
			if a.Name == "" || a.Type.Group() != (len(a.Args) > 1) || a.MultipleToken && !a.Multiple {
				t.Errorf("%+v", a)
			}
		})
	})
}
