package clusterd

import (
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/testkit/commandfacts"
)

// TestFacts compares the declarations with what redis 7.2.4 says of its CLUSTER, and looks for subcommands left out.
func TestFacts(t *testing.T) {
	t.Parallel()
	for _, d := range []*Driver{nil, {}} {
		table, err := command.NewTable(Specs(d))
		if err != nil {
			t.Fatal(err)
		}
		commandfacts.Check(t, table)
		for _, name := range commandfacts.Missing(table) {
			if strings.HasPrefix(name, "cluster|") {
				t.Errorf("%s is missing", name)
			}
		}
	}
}

// TestDisabled asks a node without cluster support.
func TestDisabled(t *testing.T) {
	t.Parallel()
	table, err := command.NewTable(Specs(nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range table.All() {
		var out resp.Writer
		c := &command.Call{Spec: spec, Out: &out, Args: [][]byte{[]byte("cluster"), []byte(spec.Name)}}
		switch {
		case spec.Service != nil:
			spec.Service(c)
		case spec.Read != nil:
			spec.Read(c, nil)
		default:
			continue
		}
		if got := string(out.Buf); got != "-ERR This instance has cluster support disabled\r\n" {
			t.Errorf("%s: %q", spec.FullName(), got)
		}
	}
}
