package builtin

import (
	"strings"
	"testing"
)

// TestListEncodings: when a list becomes a quicklist, and a listpack again, as in redis 7.2.4. (The oracle, 7.0, has no
// lists that are listpacks.)
func TestListEncodings(t *testing.T) {
	small := "RPUSH l a b c"
	for _, test := range []struct{ name, lines, encoding string }{
		{"an element that would be too large is not put anywhere", "LINSERT l BEFORE none X", "quicklist"},
		{"nor by an index that is none", "LSET l 7 X", "quicklist"},
		{"a small one", "LINSERT l BEFORE none y; LSET l 7 y", "listpack"},
		{"what an insertion has made a quicklist stays one", "LINSERT l BEFORE b X", "quicklist"},
		{"a large element and a small one again", "LSET l 1 X; LSET l 1 y", "listpack"},
		{"a sorted copy is as compact as it can be", "LSET l 1 X; LPOP l 2; RPUSH l a; SORT l ALPHA STORE l", "listpack"},
		{"and else has nodes", "RPUSH l X; SORT l ALPHA STORE l", "quicklist"},
	} {
		s := newServer(t)
		changes := s.ks.Stats().Changes
		s.command(strings.Fields(small)...)
		for _, line := range strings.Split(test.lines, "; ") {
			s.command(strings.Fields(strings.ReplaceAll(line, "X", strings.Repeat("x", 8188)))...)
		}
		if got := string(s.command("OBJECT", "ENCODING", "l")); !strings.Contains(got, test.encoding) {
			t.Errorf("%s: %q", test.name, got)
		}
		if n := s.ks.Stats().Changes - changes; strings.Contains(test.name, "not put") && n != 3 {
			t.Errorf("%s, but %d changes are counted", test.name, n)
		}
	}
}
