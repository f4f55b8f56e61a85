package commandfacts

import (
	"testing"

	"github.com/skeindb/skein/internal/command"
)

// TestEveryTree proves that the usage grammar can say all that redis does.
func TestEveryTree(t *testing.T) {
	specs, err := Specs()
	if err != nil {
		t.Fatal(err)
	}
	table, err := command.NewTable(specs)
	if err != nil {
		t.Fatal(err)
	}
	Check(t, table)
	if missing := Missing(table); len(missing) > 0 {
		t.Errorf("missing: %v", missing)
	}
}

func TestDiffSees(t *testing.T) {
	facts, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	table, err := command.NewTable([]*command.Spec{{
		Name: "get", Group: "generic", Since: "2.0.0", Arity: -2,
		Flags: command.Write, Usage: "key [nokey]", Service: func(*command.Call) {},
		Keys: command.FirstKey(command.KeyRW),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if d := Diff(table.Lookup([]byte("get")), facts["get"]); len(d) != 8 {
		t.Errorf("%d differences: %q", len(d), d)
	}
}
