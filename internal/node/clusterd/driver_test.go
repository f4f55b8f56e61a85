package clusterd

import (
	"fmt"
	"strings"
	"testing"
)

func TestTwoNodesMakeACluster(t *testing.T) {
	t.Parallel()
	nodes := makeCluster(t, 2)
	a, b := nodes[0], nodes[1]
	if got := b.fact("cluster_slots_ok"); got != "16384" {
		t.Errorf("slots ok: %s", got)
	}
	eventually(t, "both see the same slots", func() bool { return a.do("cluster slots") == b.do("cluster slots") })
	if got := a.do("set foo 1"); got != fmt.Sprintf("-MOVED 12182 127.0.0.1:%d\r\n", b.config.Port) {
		t.Errorf("a key of the other node: %q", got)
	}
	if got := b.do("set foo 1"); got != "+OK\r\n" {
		t.Errorf("a key of my own: %q", got)
	}
}

func TestRestartKeepsEverything(t *testing.T) {
	t.Parallel()
	nodes := makeCluster(t, 2)
	a := nodes[0]
	id, shard := a.id(), a.do("cluster myshardid")
	a.restart()
	if a.id() != id || a.do("cluster myshardid") != shard {
		t.Error("another id after a restart")
	}
	eventually(t, "all nodes joined", func() bool { return joined(nodes...) })
	eventually(t, "cluster state ok", func() bool { return a.fact("cluster_state") == "ok" })
	if !strings.Contains(a.logged.String(), "Node configuration loaded, I'm "+id) {
		t.Error("not logged")
	}
}
