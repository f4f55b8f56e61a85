package config

import (
	"bufio"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/glob"
)

// fact is a line of testdata/redis-7.2.4-directives.txt.
type fact struct{ name, alias, kind, flags, lowest, highest, initial string }

func facts(t testing.TB) []fact {
	t.Helper()
	f, err := os.Open("testdata/redis-7.2.4-directives.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []fact
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		c := strings.Split(lines.Text(), "\t")
		list = append(list, fact{c[0], c[1], c[2], c[3], c[4], c[5], c[6]})
	}
	return list
}

func TestTableHoldsEveryDirectiveOfRedis(t *testing.T) {
	v := defaults("/start")
	known := make(map[string]bool)
	for _, f := range facts(t) {
		known[f.name] = true
		e, ok := lookup(f.name)
		if !ok {
			t.Errorf("%s is missing", f.name)
			continue
		}
		if e.isAlias() {
			t.Errorf("%s is an alias, want a directive", f.name)
		}
		if want := strings.TrimPrefix(f.alias, "-"); e.Alias() != want {
			t.Errorf("%s: alias %q, want %q", f.name, e.Alias(), want)
		}
		if got := flagWords(e.flags); got != f.flags {
			t.Errorf("%s: flags %s, want %s", f.name, got, f.flags)
		}
		want := f.initial
		if f.name == "dir" {
			want = "/start"
		}
		if got := v.show(e.Directive); got != want {
			t.Errorf("%s: default %q, want %q", f.name, got, want)
		}
	}
	for _, d := range Directives() {
		if known[d.Name()] == d.Has(Own) {
			t.Errorf("%s is not one of redis's", d.Name())
		}
	}
}

func flagWords(f Flags) string {
	var words []string
	for _, w := range []struct {
		flag Flags
		word string
	}{{Volatile, "volatile"}, {Immutable, "immutable"}, {MultiArg, "multi-arg"}, {Hidden, "hidden"},
		{Protected, "protected"}, {Sensitive, "sensitive"}, {DenyLoading, "deny-loading"}} {
		if f&w.flag != 0 {
			words = append(words, w.word)
		}
	}
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, ",")
}

// Each kind refuses what is outside its bounds or not of its type at all, in
// redis's words, and takes the bounds themselves.
func TestBoundsAreThoseOfRedis(t *testing.T) {
	for _, f := range facts(t) {
		switch {
		case f.kind == "bool":
			refuses(t, f, "maybe", "argument must be 'yes' or 'no'")
			takes(t, f, "YES", "yes")
			takes(t, f, "no", "no")
		case f.kind == "integer":
			between := "argument must be between " + f.lowest + " and " + f.highest + " inclusive"
			refuses(t, f, "x", "argument couldn't be parsed into an integer")
			refuses(t, f, "007", "argument couldn't be parsed into an integer")
			if f.lowest != "-2147483648" {
				refuses(t, f, step(t, f.lowest, -1), between)
			}
			if f.highest != "9223372036854775807" {
				refuses(t, f, step(t, f.highest, 1), between)
			}
			if f.name != "hz" {
				takes(t, f, f.lowest, f.lowest)
				takes(t, f, f.highest, f.highest)
			}
		case f.kind == "octal":
			refuses(t, f, "8", "argument couldn't be parsed as an octal number")
			refuses(t, f, "1000", "argument must be between 0 and 777 inclusive")
			refuses(t, f, "-1", "argument must be between 0 and 777 inclusive")
			takes(t, f, "0770", "770")
		case f.kind == "memory":
			refuses(t, f, "-1", "argument must be a memory value")
			refuses(t, f, "1tb", "argument must be a memory value")
			if f.lowest != "0" {
				refuses(t, f, "0", "argument must be between "+f.lowest+" and "+f.highest+" inclusive")
			}
			takes(t, f, "5MB", "5242880")
			takes(t, f, f.highest, f.highest)
		case strings.HasPrefix(f.kind, "enum:"):
			words := strings.Split(strings.TrimPrefix(f.kind, "enum:"), "|")
			refuses(t, f, "x", "argument(s) must be one of the following: "+strings.Join(words, ", "))
			for _, w := range words {
				if w != "relative" {
					takes(t, f, strings.ToUpper(w), w)
				}
			}
		}
	}
}

func step(t *testing.T, number string, by int64) string {
	t.Helper()
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(n+by, 10)
}

func refuses(t *testing.T, f fact, word, want string) {
	t.Helper()
	if got, err := try(t, f.name, word); err == nil || err.Error() != want {
		t.Errorf("%s %s: %q, %v; want %q", f.name, word, got, err, want)
	}
}

func takes(t *testing.T, f fact, word, want string) {
	t.Helper()
	if got, err := try(t, f.name, word); err != nil || got != want {
		t.Errorf("%s %s: %q, %v; want %q", f.name, word, got, err, want)
	}
}

// try parses one word as a line of a file.
func try(t *testing.T, name, word string) (shown string, err error) {
	t.Helper()
	e, ok := lookup(name)
	if !ok {
		t.Fatalf("%s is not known", name)
	}
	v := defaults("/")
	s := &scope{values: v, file: true, first: true, log: func(Level, string) {}}
	value, err := e.parse(s, v.slots[e.index], []string{word})
	if err != nil {
		return "", err
	}
	return e.show(value), nil
}

func TestSensitive(t *testing.T) {
	for name, want := range map[string]bool{"requirepass": true, "MasterAuth": true, "masteruser": true, "port": false, "nonsense": false} {
		if IsSensitive(name) != want {
			t.Errorf("IsSensitive(%q) is %t", name, !want)
		}
	}
}

// A handle is called as its directive, so that either name finds the other.
func TestHandlesAreNamedAsTheirDirectives(t *testing.T) {
	var source strings.Builder
	for _, name := range []string{"general", "network", "memory", "persist", "cluster"} {
		text, err := os.ReadFile("directives_" + name + ".go")
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	declared := regexp.MustCompile(`(?m)^\t(\w+) += \w+\("([a-z_-]+)"`).FindAllStringSubmatch(source.String(), -1)
	for _, d := range declared {
		if want := strings.NewReplacer("-", "", "_", "").Replace(d[2]); glob.LowerString(d[1]) != want {
			t.Errorf("%s is the handle of %s", d[1], d[2])
		}
	}
	if len(declared) != len(Directives()) {
		t.Errorf("%d handles for %d directives", len(declared), len(Directives()))
	}
}
