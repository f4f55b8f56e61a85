package interop

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/skeindb/skein/bench/records"
	"github.com/skeindb/skein/internal/testkit"
)

// replicated is what the nodes of clusters with replicas are started with, beside clusterMode.
var replicated = []string{"enable-debug-command yes", "repl-diskless-sync-delay 0"}

// kind starts a node of one of the two programs.
type kind func(*testing.T, ...string) *server

// shard is a master and a replica of it. They change places.
type shard struct{ master, replica *server }

func (s *shard) swap() { s.master, s.replica = s.replica, s.master }

// createdShards is a cluster of three masters with a replica each, made by redis-cli.
func createdShards(t *testing.T, start kind, directives ...string) (shards []shard, all []*server) {
	t.Helper()
	for range 6 {
		all = append(all, start(t, slices.Concat(replicated, directives)...))
	}
	out := manage(t, slices.Concat([]string{"create"}, addrs(all), []string{"--cluster-replicas", "1", "--cluster-yes"})...)
	mustContain(t, out, "[OK] All 16384 slots covered.") // whether all agree, a replica that loads its first data does not tell redis-cli
	waitOK(t, all)
	return shardsOf(t, all), all
}

// shardsOf finds masters and their replicas.
func shardsOf(t *testing.T, all []*server) (shards []shard) {
	t.Helper()
	for _, m := range all {
		for _, r := range all {
			if mine(r).master == idOf(m) {
				shards = append(shards, shard{m, r})
				waitLinked(t, shards[len(shards)-1])
			}
		}
	}
	return shards
}

// key is the name of a key in the shard's first slot.
func (s shard) key() string {
	first := 0
	fmt.Sscanf(mine(s.master).slots[0], "%d", &first)
	return "{" + tagOf(first) + "}"
}

// follow makes a node that knows the master already, or will, its replica.
func follow(t *testing.T, s shard) {
	t.Helper()
	id := idOf(s.master)
	testkit.Eventually(t, fmt.Sprintf("port %d knows its master to be", s.replica.Port), func() bool {
		return seen(s.replica, id).flags == "master"
	})
	s.replica.Want("+OK", "CLUSTER", "REPLICATE", id)
}

// waitLinked waits until the shard is linked.
func waitLinked(t *testing.T, s shard) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("port %d follows port %d", s.replica.Port, s.master.Port), func() bool { return linked(s) })
}

// linked tells whether the replica follows the master and both say so.
func linked(s shard) bool {
	r, m := s.replica.Do("INFO", "replication"), s.master.Do("INFO", "replication")
	return testkit.Info(r, "role") == "slave" && testkit.Info(r, "master_link_status") == "up" &&
		testkit.Info(r, "master_port") == fmt.Sprint(s.master.Port) &&
		testkit.Info(m, "role") == "master" && strings.Contains(m, fmt.Sprintf("port=%d,state=online", s.replica.Port))
}

// waitEqual waits until both nodes hold the same data. Nobody writes.
func waitEqual(t *testing.T, s shard) {
	t.Helper()
	waitLinked(t, s)
	var m, r string
	defer func() {
		if m != r {
			t.Errorf("ports %d and %d: %s and %s", s.master.Port, s.replica.Port, m, r)
		}
	}()
	testkit.Eventually(t, fmt.Sprintf("ports %d and %d hold the same", s.master.Port, s.replica.Port), func() bool {
		m, r = s.master.Do("DEBUG", "DIGEST"), s.replica.Do("DEBUG", "DIGEST")
		return m == r
	})
	if m == strings.Repeat("0", 40) {
		t.Errorf("port %d holds nothing", s.master.Port)
	}
}

// waitPromoted waits until the replica is the master, all nodes see it, and the old master follows, and notes it.
func waitPromoted(t *testing.T, s *shard, all []*server) {
	t.Helper()
	waitMaster(t, s.replica)
	s.swap()
	waitLinked(t, *s)
	waitOK(t, all)
	mustContain(t, s.master.Do("ROLE"), "[master :")
	mustContain(t, s.replica.Do("ROLE"), "[slave 127.0.0.1 :"+fmt.Sprint(s.master.Port)+" connected :")
	if got := mine(s.master).flags; got != "master" {
		t.Errorf("CLUSTER NODES of the promoted node says %s", got)
	}
}

func waitMaster(t *testing.T, n *server) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("port %d is a master", n.Port), func() bool { return role(n) == "master" })
}

func role(n *server) string { return testkit.Info(n.Do("INFO", "replication"), "role") }

// handOver does CLUSTER FAILOVER [FORCE | TAKEOVER] and waits until all agree.
func handOver(t *testing.T, s *shard, all []*server, mode ...string) {
	t.Helper()
	s.replica.Want("+OK", append([]string{"CLUSTER", "FAILOVER"}, mode...)...)
	waitPromoted(t, s, all)
}

// appending is a client that appends records to a key of the shard.
func appending(s shard, all []*server) *records.Writer {
	return records.Start(records.Options{Addrs: addrs(all), Key: s.key() + "records"})
}

// waitWritten waits until some more records are acknowledged by a node, any for nil.
func waitWritten(t *testing.T, w *records.Writer, by *server) {
	t.Helper()
	before, _ := w.Acked()
	testkit.Eventually(t, "records are acknowledged", func() bool {
		now, owner := w.Acked()
		return now > before+10 && (by == nil || owner == by.Addr())
	})
}

// finish stops the client. Unless something may be lost, all that was acknowledged must be there.
func finish(t *testing.T, w *records.Writer, mayLose bool) records.Account {
	t.Helper()
	a, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("records: %v", a)
	if mayLose {
		a.Lost = 0
	}
	if !a.Sound() {
		t.Errorf("records: %v", a)
	}
	return a
}

// uniqueEpochs waits until no two masters have the same config epoch, and each slot has one owner for all nodes.
func uniqueEpochs(t *testing.T, all []*server) {
	t.Helper()
	waitOK(t, all)
	testkit.Eventually(t, "the masters have different epochs", func() bool {
		epochs := map[string]bool{}
		masters := 0
		for _, r := range clusterNodes(all[0]) {
			if r.flags == "master" && len(r.slots) > 0 {
				epochs[r.epoch] = true
				masters++
			}
		}
		return len(epochs) == masters
	})
	owners := 0
	for _, n := range all {
		if r := mine(n); r.flags == "master" {
			owners += slotCount(n)
		}
	}
	if owners != 16384 {
		t.Errorf("the masters own %d slots together", owners)
	}
	waitSame(t, all)
}
