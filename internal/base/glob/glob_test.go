package glob

import (
	"bytes"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"a", "", false}, {"*", "", false},
		{"*", "a", true}, {"a*", "a", true}, {"**a**", "a", true}, {"*b", "aab", true}, {"*b", "aba", false},
		{"h?llo", "hello", true}, {"h?llo", "hllo", false}, {"?", "ab", false},
		{"a*b*c", "aXbXbXc", true}, {"a*b*c", "aXbXbX", false}, {"*ab*ab", "abXab", true},
		{"h[ae]llo", "hallo", true}, {"h[ae]llo", "hillo", false},
		{"h[^e]llo", "hallo", true}, {"h[^e]llo", "hello", false},
		{"h[a-b]llo", "hbllo", true}, {"h[b-a]llo", "hbllo", true}, {"h[a-b]llo", "hcllo", false},
		{"[a-]", "a", true}, {"[a-]", "^", true}, {"[a-]", "-", false}, // a range from ']' to 'a', not closed
		{"[]", "a", false}, {"[^]", "a", true}, {"[]a]", "a]", false},
		{"[a", "a", true}, {"[a", "b", false}, {"[", "a", false}, {"[^", "a", true},
		{`[\]]`, "]", true}, {`[\]a]`, "a", true}, {`[\`, `\`, true}, {`[a\-c]`, "b", false}, {`[a\-c]`, "-", true},
		{`\*`, "*", true}, {`\*`, "a", false}, {`a\`, `a\`, true}, {`\\`, `\`, true}, {`\a`, "a", true},
		{"[\x80-a]", "\xff", true}, {"[a-\xff]", "z", false},
	} {
		if got := Match([]byte(test.pattern), []byte(test.s), false); got != test.want {
			t.Errorf("Match(%q, %q) = %v", test.pattern, test.s, got)
		}
	}
}

func TestMatchNoCase(t *testing.T) {
	for _, test := range []struct {
		pattern, s string
		want       bool
	}{
		{"MAX*", "maxmemory", true}, {"max*", "MAXMEMORY", true}, {"[A-C]", "b", true}, {"[a]", "A", true},
		{`[\a]`, "A", false}, {`\a`, "A", true}, {"[a-C]", "B", false}, // 67..97 becomes c..a, which is empty
		{"[", "{", false}, {"@", "`", false},
	} {
		if got := Match([]byte(test.pattern), []byte(test.s), true); got != test.want {
			t.Errorf("Match(%q, %q, nocase) = %v", test.pattern, test.s, got)
		}
	}
}

// Patterns that take a naive matcher exponential time; this test would not end.
func TestMatchIsNotExponential(t *testing.T) {
	pattern := []byte(strings.Repeat("a*", 5000) + "b")
	if Match(pattern, bytes.Repeat([]byte("a"), 20000), false) {
		t.Error("matched without a b")
	}
	if Match([]byte(strings.Repeat("*?", 5000)+"b"), bytes.Repeat([]byte("a"), 6000), true) {
		t.Error("matched without a b")
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	pattern, s := []byte("user:[0-9]*:na?e"), []byte("user:1000:name")
	if n := testing.AllocsPerRun(100, func() { Match(pattern, s, false) }); n != 0 {
		t.Errorf("Match allocates %v times", n)
	}
}

// Match agrees with a recursive reading that follows redis's definition.
func FuzzMatch(f *testing.F) {
	f.Add([]byte("a*[b-d]?\\*"), []byte("aXXc**"), false)
	f.Add([]byte("[^"), []byte("a"), true)
	f.Add([]byte("*[a-"), []byte("\xff"), true)
	f.Fuzz(func(t *testing.T, pattern, s []byte, nocase bool) {
		got := Match(pattern, s, nocase)
		if len(pattern) > 12 || len(s) > 12 || len(s) == 0 {
			return
		}
		if want := recursive(pattern, s, nocase); got != want {
			t.Fatalf("Match(%q, %q, %v) = %v", pattern, s, nocase, got)
		}
	})
}

func recursive(pattern, s []byte, nocase bool) bool {
	switch {
	case len(pattern) == 0:
		return len(s) == 0
	case pattern[0] == '*':
		return recursive(pattern[1:], s, nocase) || len(s) > 0 && recursive(pattern, s[1:], nocase)
	case len(s) == 0:
		return false
	case pattern[0] == '?':
		return recursive(pattern[1:], s[1:], nocase)
	case pattern[0] == '[':
		ok, next := matchClass(pattern, 1, s[0], nocase)
		return ok && recursive(pattern[next:], s[1:], nocase)
	case pattern[0] == '\\' && len(pattern) > 1:
		pattern = pattern[1:]
	}
	return equal(pattern[0], s[0], nocase) && recursive(pattern[1:], s[1:], nocase)
}

func BenchmarkMatch(b *testing.B) {
	pattern, s := []byte("user:*:name"), []byte("user:1000:name")
	for b.Loop() {
		Match(pattern, s, false)
	}
}
