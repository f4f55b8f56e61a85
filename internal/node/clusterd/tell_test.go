package clusterd

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
)

// tree is a reply of the node.
func (n *testNode) tree(line string) *resp.Value {
	n.t.Helper()
	v, err := resp.NewReader(strings.NewReader(n.do(line))).Read()
	if err != nil {
		n.t.Fatal(line, err)
	}
	return &v
}

// named is a value of a map in its RESP2 form.
func named(v *resp.Value, name string) *resp.Value {
	for i := 0; i+1 < len(v.Elems); i += 2 {
		if v.Elems[i].Text() == name {
			return &v.Elems[i+1]
		}
	}
	return &resp.Value{}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	n.ok("cluster addslotsrange 0 16383")
	if got := n.do("cluster bumpepoch"); got != "+BUMPED 1\r\n" {
		t.Fatal(got)
	}
	last := n.tree("cluster events count 1")
	if len(last.Elems) != 1 {
		t.Fatalf("%+v", last)
	}
	e := &last.Elems[0]
	if named(e, "event").Text() != "epoch-bumped" || named(e, "config-epoch").Int != 1 || named(e, "epoch").Int != 1 ||
		named(e, "level").Text() != "notice" || named(e, "text").Text() != "New configEpoch set to 1" {
		t.Errorf("%+v", e)
	}
	at := named(e, "time").Int
	if age := time.Now().UnixMilli() - at; age < -1000 || age > 60_000 {
		t.Errorf("its time is %d", at)
	}
	for line, want := range map[string]int{
		"cluster events count 0": 0,
		"cluster events since " + strconv.FormatInt(at+1_000_000, 10):         0,
		"cluster events since " + strconv.FormatInt(at, 10) + " count 1":      1,
		"cluster events COUNT 1 SINCE " + strconv.FormatInt(at-1_000_000, 10): 1,
	} {
		if got := n.tree(line); len(got.Elems) != want {
			t.Errorf("%s: %d events", line, len(got.Elems))
		}
	}
	for line, want := range map[string]string{
		"cluster events count":     "-ERR syntax error\r\n",
		"cluster events nonsense":  "-ERR syntax error\r\n",
		"cluster events count x":   "-ERR value is not an integer or out of range\r\n",
		"cluster events count -1":  "-ERR COUNT must not be negative\r\n",
		"cluster explain nonsense": "-ERR wrong number of arguments for 'cluster|explain' command\r\n",
	} {
		if got := n.do(line); got != want {
			t.Errorf("%s: %q", line, got)
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	n.ok("cluster addslotsrange 0 99 101 16383")
	eventually(t, "it is no longer young", func() bool {
		problems := named(n.tree("cluster explain"), "problems")
		return len(problems.Elems) == 1 && named(&problems.Elems[0], "problem").Text() == "slots-without-owner"
	})
	x := n.tree("cluster explain")
	p := &named(x, "problems").Elems[0]
	if named(x, "state").Text() != "fail" || named(p, "slots").Text() != "100" || named(p, "text").Text() != "Slot 100 has no owner." ||
		named(p, "command").Text() != "CLUSTER ADDSLOTSRANGE 100 100" || named(p, "since").Int == 0 {
		t.Errorf("%+v", x)
	}
	n.ok(strings.ToLower(named(p, "command").Text()))
	eventually(t, "cluster state ok", func() bool { return named(n.tree("cluster explain"), "state").Text() == "ok" })
	x = n.tree("cluster explain")
	if len(named(x, "problems").Elems) != 0 || named(x, "summary").Text() != "The cluster is ok: all slots are served, and this node sees no other failing." {
		t.Errorf("%+v", x)
	}
}

// Both are ours: clients find them through COMMAND, people through HELP.
func TestHelpNamesOurs(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	help := n.do("cluster help")
	for _, line := range []string{"EVENTS [COUNT <count>] [SINCE <unix-time-milliseconds>]", "EXPLAIN"} {
		if !strings.Contains(strings.ToUpper(help), strings.ToUpper("+"+line+"\r\n")) {
			t.Errorf("CLUSTER HELP has no %s:\n%s", line, help)
		}
	}
}
