package builtin

import (
	"bytes"
	"testing"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/testkit/commandfacts"
)

// TestFacts compares every declaration with what redis 7.2.4 says of the command
// of the same name.
func TestFacts(t *testing.T) {
	commandfacts.Check(t, factsTable(t))
}

func factsTable(t testing.TB) *command.Table {
	t.Helper()
	table, err := command.NewTable(Specs())
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// FuzzKeys looks for keys in command lines that mean nothing, GetKeys functions
// included.
func FuzzKeys(f *testing.F) {
	table := factsTable(f)
	for _, line := range []string{"set k v EX", "bitfield k GET u8 0 SET", "mset a 1 b", "sort k BY x STORE", "migrate h 1 k 0 1 KEYS"} {
		f.Add(uint16(0), []byte(line))
	}
	f.Fuzz(func(t *testing.T, id uint16, line []byte) {
		argv := bytes.Fields(line)
		if len(argv) == 0 {
			return
		}
		spec, err := table.Resolve(argv)
		if err != nil { // any other command, with the words it may have
			spec = table.All()[int(id)%table.Len()]
			argv = padded(argv, spec.Arity)
		}
		commandfacts.CheckKeys(t, spec, argv)
	})
}

// padded gives argv the number of words that arity asks for.
func padded(argv [][]byte, arity int) [][]byte {
	for len(argv) < max(arity, -arity) {
		argv = append(argv, []byte("x"))
	}
	if arity > 0 {
		argv = argv[:arity]
	}
	return argv
}
