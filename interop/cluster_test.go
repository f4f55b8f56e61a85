package interop

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }

// full reports whether the tests run at full size.
func full() bool { return os.Getenv("SKEIN_ACCEPT") != "" }

// size picks a number for the short or the full run.
func size(short, long int) int {
	if full() {
		return long
	}
	return short
}

type server = testkit.Server

// clusterMode is what every node of a test's cluster is started with.
var clusterMode = []string{"cluster-enabled yes", "cluster-node-timeout 2000"}

func startSkein(t *testing.T, directives ...string) *server {
	t.Helper()
	return testkit.StartSkein(t, append(slices.Clone(clusterMode), directives...)...)
}

func startRedis(t *testing.T, directives ...string) *server {
	t.Helper()
	return testkit.StartRedis(t, append(slices.Clone(clusterMode), directives...)...)
}

func startSkeins(t *testing.T, n int, directives ...string) (nodes []*server) {
	t.Helper()
	for range n {
		nodes = append(nodes, startSkein(t, directives...))
	}
	return nodes
}

func addrs(nodes []*server) (list []string) {
	for _, n := range nodes {
		list = append(list, n.Addr())
	}
	return list
}

// createdCluster is a cluster of Skein nodes made by redis-cli.
func createdCluster(t *testing.T, n int, directives ...string) []*server {
	t.Helper()
	nodes := startSkeins(t, n, directives...)
	create(t, nodes)
	return nodes
}

func create(t *testing.T, nodes []*server) {
	t.Helper()
	out := manage(t, append(append([]string{"create"}, addrs(nodes)...), "--cluster-yes")...)
	mustContain(t, out, "[OK] All nodes agree about slots configuration.", "[OK] All 16384 slots covered.")
	waitOK(t, nodes)
}

// manage runs redis-cli --cluster, which must succeed.
func manage(t *testing.T, args ...string) string {
	t.Helper()
	return testkit.RedisCLI(t, append([]string{"--cluster"}, args...)...)
}

func mustContain(t *testing.T, out string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(out, part) {
			t.Fatalf("%q is missing in:\n%s", part, out)
		}
	}
}

// waitOK waits until every node says that the cluster is ok, and all see the same cluster.
func waitOK(t *testing.T, nodes []*server) {
	t.Helper()
	for _, n := range nodes {
		waitInfo(t, n, "cluster_state", "ok")
	}
	waitSame(t, nodes)
}

func waitInfo(t *testing.T, n *server, field, value string) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("port %d: %s:%s", n.Port, field, value), func() bool {
		return testkit.Info(n.Do("CLUSTER", "INFO"), field) == value
	})
}

// waitSame waits until the nodes' views of the cluster are the same.
func waitSame(t *testing.T, nodes []*server) {
	t.Helper()
	testkit.Eventually(t, "all nodes have the same view", func() bool {
		first := view(nodes[0])
		return !slices.ContainsFunc(nodes, func(n *server) bool { return view(n) != first })
	})
}

// view is what CLUSTER NODES says of the cluster, without what is about the asked node and about links.
func view(n *server) string {
	var rows []string
	for _, r := range clusterNodes(n) {
		rows = append(rows, fmt.Sprintln(r.id, r.addr, r.flags, r.master, r.epoch, r.slots))
	}
	slices.Sort(rows)
	return strings.Join(rows, "")
}

// row is a line of CLUSTER NODES.
type row struct {
	id, addr, flags, master, epoch, link string
	myself                               bool
	slots                                []string // ranges, without open slots
	open                                 []string // "[77->-…]"
}

func clusterNodes(n *server) (rows []row) {
	for line := range strings.Lines(n.Do("CLUSTER", "NODES")) {
		f := strings.Fields(line)
		if len(f) < 8 {
			continue
		}
		addr, _, _ := strings.Cut(f[1], ",") // the host name may be known to some only
		r := row{id: f[0], addr: addr, master: f[3], epoch: f[6], link: f[7]}
		flags := strings.Split(f[2], ",")
		r.myself = slices.Contains(flags, "myself")
		r.flags = strings.Join(slices.DeleteFunc(flags, func(s string) bool { return s == "myself" }), ",")
		for _, s := range f[8:] {
			if s[0] == '[' {
				r.open = append(r.open, s)
			} else {
				r.slots = append(r.slots, s)
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// seen is what n says of the node with this id; zero if it does not know it.
func seen(n *server, id string) row {
	for _, r := range clusterNodes(n) {
		if r.id == id {
			return r
		}
	}
	return row{}
}

func idOf(n *server) string { return n.Do("CLUSTER", "MYID") }

// meet makes all nodes one cluster with CLUSTER MEET.
func meet(nodes []*server) {
	for _, n := range nodes[1:] {
		nodes[0].Want("+OK", "CLUSTER", "MEET", "127.0.0.1", fmt.Sprint(n.Port))
	}
}

// metCluster gives each node its share of the slots and makes them meet.
func metCluster(t *testing.T, nodes []*server) {
	t.Helper()
	for i, n := range nodes {
		first, last := i*16384/len(nodes), (i+1)*16384/len(nodes)-1
		n.Want("+OK", "CLUSTER", "ADDSLOTSRANGE", fmt.Sprint(first), fmt.Sprint(last))
		n.Want("+OK", "CLUSTER", "SET-CONFIG-EPOCH", fmt.Sprint(i+1))
	}
	meet(nodes)
	waitOK(t, nodes)
}

// dbsize is the number of keys on all nodes together.
func dbsize(nodes []*server) (sum int) {
	for _, n := range nodes {
		var keys int
		fmt.Sscanf(n.Do("DBSIZE"), ":%d", &keys)
		sum += keys
	}
	return sum
}
