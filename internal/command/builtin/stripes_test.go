package builtin

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/testkit/commandgen"
)

// TestStripesDoNotShow runs one random history on a keyspace of one stripe and on one
// of many: every reply, event and effect is the same.
func TestStripesDoNotShow(t *testing.T) {
	one, many := newServerOn(t, keyspace.Options{Stripes: 1}), newServerOn(t, keyspace.Options{Stripes: 256})
	for _, s := range []*server{one, many} {
		s.set("proto-max-bulk-len", "1048576")
	}
	seed := rand.Uint64()
	g := commandgen.New(one.table, seed, commandgen.Options{Repeatable: true, Skip: func(name string) bool {
		return unordered[name] || commandgen.Random[name]
	}})
	const start, stepMs = 1_700_000_000_000, 100
	for i := range int64(20_000) {
		_, words := g.Next()
		var argv [][]byte
		for _, w := range words {
			argv = append(argv, []byte(w))
		}
		want, got := one.playAt(start+i*stepMs, argv).lines(), many.playAt(start+i*stepMs, argv).lines()
		if !slices.Equal(want, got) {
			t.Fatalf("seed %d: %.300q\none stripe\n%.2000s\nmany\n%.2000s", seed, words, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
}

// unordered are commands that show in which order the keys or elements lie, or how
// long ago, by the clock of the machine, a key was used.
var unordered = map[string]bool{"keys": true, "scan": true, "sscan": true, "hscan": true, "zscan": true, "randomkey": true, "object|idletime": true, "object|freq": true}
