package clusterd

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/slot"
)

// stats are the lines of one slot in CLUSTER SLOT-STATS: name and number in turn.
func (n *testNode) stats(key string) map[string]int64 {
	n.t.Helper()
	s := slot.Of([]byte(key))
	all := n.tree(fmt.Sprintf("cluster slot-stats slotsrange %d %d", s, s))
	if len(all.Elems) != 1 || all.Elems[0].Elems[0].Int != int64(s) {
		n.t.Fatalf("%+v", all)
	}
	stats := map[string]int64{}
	for fields := all.Elems[0].Elems[1].Elems; len(fields) > 0; fields = fields[2:] {
		stats[fields[0].Text()] = fields[1].Int
	}
	return stats
}

// wantBytes compares the bytes in and out of a slot.
func (n *testNode) wantBytes(key string, in, out int64) {
	n.t.Helper()
	got := n.stats(key)
	if got["network-bytes-in"] != in || got["network-bytes-out"] != out {
		n.t.Errorf("%v, want %d bytes in and %d out", got, in, out)
	}
}

func TestSlotStatsCountKeys(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	n.ok("cluster addslotsrange 0 99 101 16383")
	for _, key := range []string{"{a}1", "{a}2", "{a}3", "{b}1"} {
		n.set(key)
	}
	if got := n.stats("{a}"); len(got) != 1 || got["key-count"] != 3 {
		t.Errorf("%v", got)
	}
	a, b := slot.Of([]byte("a")), slot.Of([]byte("b"))
	entry := func(s uint16, keys int) string {
		return fmt.Sprintf("*2\r\n:%d\r\n*2\r\n$9\r\nkey-count\r\n:%d\r\n", s, keys)
	}
	for line, want := range map[string]string{
		"slotsrange 99 101":                     "*2\r\n" + entry(99, 0) + entry(101, 0),
		"orderby key-count limit 2":             "*2\r\n" + entry(a, 3) + entry(b, 1),
		"OrderBy Key-Count desc LIMIT 3":        "*3\r\n" + entry(a, 3) + entry(b, 1) + entry(0, 0),
		"orderby key-count asc limit 2":         "*2\r\n" + entry(0, 0) + entry(1, 0),
		"slotsrange 0 16384":                    "-ERR Invalid or out of range slot\r\n",
		"slotsrange x 1":                        "-ERR Invalid or out of range slot\r\n",
		"slotsrange 5 4":                        "-ERR Start slot number 5 is greater than end slot number 4\r\n",
		"slotsrange 5":                          "-ERR unknown subcommand or wrong number of arguments for 'slot-stats'. Try CLUSTER HELP.\r\n",
		"slotsrange 5 6 7":                      "-ERR unknown subcommand or wrong number of arguments for 'slot-stats'. Try CLUSTER HELP.\r\n",
		"nonsense 5":                            "-ERR unknown subcommand or wrong number of arguments for 'slot-stats'. Try CLUSTER HELP.\r\n",
		"slotsrange":                            "-ERR wrong number of arguments for 'cluster|slot-stats' command\r\n",
		"orderby cpu-usec":                      "-ERR Unrecognized sort metric for ORDERBY.\r\n",
		"orderby nonsense limit 0":              "-ERR Unrecognized sort metric for ORDERBY.\r\n",
		"orderby key-count limit 0":             "-ERR Limit has to lie in between 1 and 16384 (maximum number of slots).\r\n",
		"orderby key-count limit x":             "-ERR Limit has to lie in between 1 and 16384 (maximum number of slots).\r\n",
		"orderby key-count limit":               "-ERR syntax error\r\n",
		"orderby key-count up":                  "-ERR syntax error\r\n",
		"orderby key-count limit 1 limit 2":     "-ERR Multiple filters of the same type are disallowed.\r\n",
		"orderby key-count asc desc":            "-ERR Multiple filters of the same type are disallowed.\r\n",
		"orderby key-count asc limit 1 asc foo": "-ERR Multiple filters of the same type are disallowed.\r\n",
	} {
		if got := n.do("cluster slot-stats " + line); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	c := n.client()
	c.s.SetProto(3)
	if got := c.do("cluster", "slot-stats", "slotsrange", "99", "99"); got != "*1\r\n*2\r\n:99\r\n%1\r\n$9\r\nkey-count\r\n:0\r\n" {
		t.Errorf("RESP3: %q", got)
	}
}

func TestSlotStatsCountCosts(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	n.engine.Costs.Count(true)
	n.ok("cluster addslotsrange 0 16383")
	eventually(t, "it serves", func() bool { return strings.HasPrefix(n.do("get other"), "$-1") })

	n.ok("set key value") // *3 $3 SET $3 key $5 value, +OK
	n.wantBytes("key", 33, 5)
	n.do("ping")
	n.do("get other")
	n.wantBytes("key", 33, 5)
	n.do("get key") // *2 $3 get $3 key, $5 value
	n.wantBytes("key", 33+22, 5+11)
	if n.do("get key key"); n.stats("key")["network-bytes-in"] != 33+22 {
		t.Error("what was refused counts")
	}

	n.engine.Costs.Reset()
	c := n.client()
	c.do("multi")
	c.do("set", "key", "value")
	n.wantBytes("key", 33, 0)
	c.do("exec") // *1 +OK
	n.wantBytes("key", 15+33+14, 9)

	n.engine.Costs.Reset()
	waiting := n.client()
	waiting.send("blpop", "list", "0")
	n.wantBytes("list", 0, 0)
	n.do("lpush list value")
	waiting.await("blpop")
	n.wantBytes("list", 32+36, 4+25)

	n.ok("set key value")
	n.ok(fmt.Sprintf("cluster delslots %d", slot.Of([]byte("key"))))
	n.ok(fmt.Sprintf("cluster addslots %d", slot.Of([]byte("key"))))
	n.wantBytes("key", 0, 0)
	n.wantBytes("list", 32+36, 4+25)
	top := n.tree("cluster slot-stats orderby network-bytes-in limit 1")
	if top.Elems[0].Elems[0].Int != int64(slot.Of([]byte("list"))) {
		t.Errorf("%+v", top)
	}
	n.engine.Costs.Count(false)
	if got := n.stats("list"); len(got) != 1 {
		t.Errorf("off: %v", got)
	}
}
