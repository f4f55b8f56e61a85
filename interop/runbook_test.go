package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

// shell runs lines of a runbook as they are written there, with a redis-cli that stands where the reader's stands.
type shell struct {
	t   *testing.T
	dir string
}

// newShell makes a shell whose redis-cli goes to the first of the nodes unless told otherwise, and finds the nodes under
// the addresses of the runbook, 192.168.1.10:6379 and the following.
func newShell(t *testing.T, nodes []*server) *shell {
	t.Helper()
	script := "#!/bin/bash\nargs=()\nfor a in \"$@\"; do\n"
	for i, n := range nodes {
		script += fmt.Sprintf("\ta=${a//192.168.1.%d:6379/%s}\n", 10+i, n.Addr())
	}
	script += "\targs+=(\"$a\")\ndone\nport=()\n[[ \" $* \" == *' --cluster '* ]] || port=(-p \"$REDIS_PORT\")\n" +
		fmt.Sprintf("exec %s \"${port[@]}\" \"${args[@]}\"\n", testkit.Program(t, "redis-cli"))
	s := &shell{t, t.TempDir()}
	if err := os.WriteFile(filepath.Join(s.dir, "redis-cli"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a line on a node's machine and returns its output and exit code.
func (s *shell) run(on *server, line string) (string, int) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "bash", "-c", line)
	cmd.Env = append(os.Environ(), "PATH="+s.dir+":"+os.Getenv("PATH"), fmt.Sprint("REDIS_PORT=", on.Port))
	cmd.Stdin = strings.NewReader("yes\nyes\nyes\n")
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// must runs a line that must succeed.
func (s *shell) must(on *server, line string, parts ...string) string {
	s.t.Helper()
	out, code := s.run(on, line)
	if code != 0 {
		s.t.Fatalf("%s: exit code %d\n%s", line, code, out)
	}
	mustContain(s.t, out, parts...)
	return out
}

// The runbook for "CLUSTERDOWN Hash slot not served", line by line.
func TestClusterDownRunbook(t *testing.T) {
	t.Parallel()
	nodes := createdCluster(t, 3)
	sh := newShell(t, nodes)
	here, there := nodes[1], nodes[0] // slot 5000 is there

	// First, verify your cluster status and see which slots are missing.
	testkit.Eventually(t, "all links are there", func() bool { return strings.Count(here.Do("CLUSTER", "NODES"), " connected ") == 3 })
	if out := sh.must(here, "redis-cli -c cluster nodes"); strings.Count(out, " connected ") != 3 {
		t.Errorf("cluster nodes:\n%s", out)
	}
	sh.must(here, "redis-cli -c cluster slots", "5460", "5461", "10922", "10923", "16383")
	sh.must(here, "redis-cli -c cluster info", "cluster_state:ok", "cluster_slots_assigned:16384", "cluster_known_nodes:3")

	// A node that is disconnected but still running is forced back into the cluster.
	lost := startSkein(t)
	four := append(nodes[:3:3], lost)
	meet(four)
	waitOK(t, four)
	lost.Want("+OK", "CLUSTER", "RESET")
	sh.must(lost, fmt.Sprintf("redis-cli CLUSTER MEET %s %d", "127.0.0.1", here.Port), "OK")
	waitOK(t, four)

	// Then verify slot coverage. Each shard is one range: its two slots and each node's port begin a line with a digit, and so
	// do addresses; ids may.
	if out := sh.must(lost, `redis-cli CLUSTER SLOTS | grep -c "^[0-9]"`); len(out) < 2 || out < "12" {
		t.Errorf("%s lines of CLUSTER SLOTS begin with a digit", out)
	}

	// Stuck slots.
	there.Want("+OK", "CLUSTER", "SETSLOT", "5000", "MIGRATING", idOf(here))
	here.Want("+OK", "CLUSTER", "SETSLOT", "5000", "IMPORTING", idOf(there))
	if out, code := sh.run(here, `redis-cli CLUSTER NODES | grep -i "migrating|importing"`); code != 1 || out != "" {
		t.Errorf("the runbook's grep, which looks for a bar, found %q (exit code %d)", out, code)
	}
	sh.must(here, `redis-cli CLUSTER NODES | grep -E -- "->-|-<-"`, "[5000-<-"+idOf(there)+"]")
	sh.must(there, "redis-cli CLUSTER SETSLOT 5000 STABLE", "OK")
	sh.must(here, "redis-cli CLUSTER SETSLOT 5000 STABLE", "OK")
	for _, n := range nodes {
		if open := mine(n).open; len(open) > 0 {
			t.Errorf("port %d: still open: %v", n.Port, open)
		}
	}

	// Redis provides an automated repair tool.
	for _, n := range four {
		n.Want("+OK", "CLUSTER", "DELSLOTS", "5000")
	}
	waitUnassigned(t, four, 5000)
	waitInfo(t, here, "cluster_state", "fail")
	sh.must(here, "redis-cli --cluster fix 192.168.1.10:6379")
	waitOK(t, four)
	manage(t, "check", here.Addr())
}

// The end of the runbook: everything is flushed and the cluster is made again, or there is no cluster at all.
func TestClusterDownRebuild(t *testing.T) {
	t.Parallel()
	nodes := createdCluster(t, 3)
	sh := newShell(t, nodes)
	key := "{" + tagOf(0) + "}"
	nodes[0].Want("+OK", "SET", key, "value")
	for _, n := range nodes {
		sh.must(n, "redis-cli FLUSHALL", "OK")
		sh.must(n, "redis-cli CLUSTER RESET", "OK") // redis-cli creates clusters of nodes that know nobody
	}
	lines := `redis-cli --cluster create \
192.168.1.10:6379 \
192.168.1.11:6379 \
192.168.1.12:6379 \
--cluster-replicas 1`
	if out, code := sh.run(nodes[0], lines); code == 0 || !strings.Contains(out, "This is not possible with 3 nodes and 1 replicas per node.") {
		t.Errorf("redis-cli makes three masters with a replica each of three nodes (exit code %d):\n%s", code, out)
	}
	sh.must(nodes[0], strings.Replace(lines, "--cluster-replicas 1", "--cluster-replicas 0", 1), "[OK] All 16384 slots covered.")
	waitOK(t, nodes)
	nodes[0].Want("(nil)", "GET", key)

	// If you are not actually running in cluster mode: cluster-enabled no, shutdown, start.
	n := nodes[2]
	n.Configure("cluster-enabled no")
	sh.run(n, "redis-cli shutdown")
	<-n.Ended()
	n.Stop()
	n.Start()
	n.Want("+OK", "SET", key, "value")
	n.Want("-ERR This instance has cluster support disabled", "CLUSTER", "INFO")
}
