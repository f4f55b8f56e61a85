package command

import (
	"bytes"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/glob"
)

func TestLowerWord(t *testing.T) {
	for c := range 256 {
		b := bytes.Repeat([]byte{byte(c)}, 8)
		b[3], b[4] = 'A', 0xff // neighbours must not matter
		want := keyOf([]byte{glob.Lower(b[0]), glob.Lower(b[1]), glob.Lower(b[2]), 'a', 0xff, glob.Lower(b[5]), glob.Lower(b[6]), glob.Lower(b[7])})
		if got := keyOf(b); got != want {
			t.Errorf("byte %#x: %x, want %x", c, got, want)
		}
	}
}

func TestIndexTellsNamesApart(t *testing.T) {
	names := map[string]*Spec{}
	for n := 1; n < 40; n++ {
		for _, name := range []string{strings.Repeat("a", n), strings.Repeat("a", n-1) + "b", "b" + strings.Repeat("a", n-1)} {
			names[name] = &Spec{Name: name}
		}
	}
	x := newIndex(names)
	for name := range names {
		if got := x.find([]byte(strings.ToUpper(name))); got == nil || got.Name != name {
			t.Errorf("%s finds %v", name, got)
		}
		other := []byte(name + "c")
		for i := range other { // a c anywhere makes it unknown
			copy(other, name)
			other[len(name)] = 'a'
			other[i] = 'c'
			if got := x.find(other); got != nil {
				t.Errorf("%s finds %s", other, got.Name)
			}
		}
	}
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte("Restore-Asking"))
	f.Add([]byte("zremrangebyscore\x00"))
	names := map[string]*Spec{}
	for _, name := range []string{"get", "set", "restore-asking", "zremrangebyscore", "georadiusbymember_ro", "host:", "{", "@`"} {
		names[name] = &Spec{Name: name}
	}
	x := newIndex(names)
	f.Fuzz(func(t *testing.T, name []byte) {
		folded := bytes.Clone(name)
		for i, c := range folded {
			folded[i] = glob.Lower(c)
		}
		want := names[string(folded)]
		if got := x.find(name); got != want {
			t.Errorf("%q finds %v, want %v", name, got, want)
		}
	})
}
