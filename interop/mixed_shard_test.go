package interop

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/testkit"
)

// A shard of a Skein and a redis, in a cluster whose other masters are one of each, so that it needs the votes of both
// kinds. Whoever is master first, and through all failovers: what is written on one is on the other, be it of whatever type.
func TestMixedShards(t *testing.T) {
	for name, c := range map[string]struct{ master, replica kind }{
		"redis follows Skein": {startSkein, startRedis},
		"Skein follows redis": {startRedis, startSkein},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// On a machine that is busy with other tests a node may well be silent for two seconds, and be replaced.
			directives := slices.Concat(replicated, []string{"repl-backlog-size 16mb", fmt.Sprint("cluster-node-timeout ", mixedTimeout.Milliseconds())})
			s := shard{c.master(t, directives...), nil}
			masters := []*server{s.master, startSkein(t, directives...), startRedis(t, directives...)}
			metCluster(t, masters)
			stocked := stock{small: size(2000, 50_000), large: size(5, 50)}
			stocked.fill(t, masters)
			for i := range 50 {
				s.master.Want("+OK", "SET", fmt.Sprint(s.key(), "mortal:", i), "value", "PX", fmt.Sprint(3_600_000+i))
			}
			s.replica = c.replica(t, directives...)
			all := append(slices.Clone(masters), s.replica)
			masters[0].Want("+OK", "CLUSTER", "MEET", "127.0.0.1", fmt.Sprint(s.replica.Port))

			followUnderLoad(t, &s, all)
			handOversUnderLoad(t, &s, all)
			handOversByForce(t, &s, all)
			failovers(t, &s, all)
			stocked.check(t, all)
		})
	}
}

// mixedTimeout is the node timeout of the mixed shards. A redis that has voted about a master's failover votes about no
// other one of it for twice as long.
const mixedTimeout = 5 * time.Second

// followUnderLoad lets the replica begin to follow by a full synchronization, and go on by partial ones.
func followUnderLoad(t *testing.T, s *shard, all []*server) {
	t.Helper()
	w, c := appending(*s, all), startChanges(t, s.key()+"following:", s.master)
	waitWritten(t, w, s.master)
	c.waitDone(t, s.master, 500)
	full := stat(s.master, "sync_full")
	follow(t, *s)
	waitLinked(t, *s)
	waitOK(t, all)
	if got := stat(s.master, "sync_full") - full; got != 1 {
		t.Errorf("%d full synchronizations", got)
	}
	waitWritten(t, w, s.master)
	for _, end := range []struct {
		by    *server
		other string
	}{{s.master, "replica"}, {s.replica, "master"}} {
		partial := stat(s.master, "sync_partial_ok")
		end.by.Want(":1", "CLIENT", "KILL", "TYPE", end.other)
		testkit.Eventually(t, "a partial synchronization", func() bool { return stat(s.master, "sync_partial_ok") > partial })
		waitLinked(t, *s)
		waitWritten(t, w, s.master)
		c.waitDone(t, s.master, 500)
	}
	if got := stat(s.master, "sync_full") - full; got != 1 {
		t.Errorf("%d full synchronizations after the link was cut", got)
	}
	w.Stop()
	c.end(t, *s)
	finish(t, w, false)
}

// handOversUnderLoad moves the shard to the replica and back. No client sees an error, and nothing is lost.
func handOversUnderLoad(t *testing.T, s *shard, all []*server) {
	t.Helper()
	load, w := startLoad(t, all, 500), appending(*s, all)
	c := startChanges(t, s.key()+"handed over:", s.master, s.replica)
	for range 2 {
		waitWritten(t, w, s.master)
		full := stat(s.replica, "sync_full")
		handOver(t, s, all)
		waitWritten(t, w, s.master)
		c.waitDone(t, s.master, 500)
		if got := stat(s.master, "sync_full") - full; got != 0 {
			t.Errorf("the demoted node needed %d full synchronizations", got)
		}
		staysFor(t, 2*mixedTimeout, func() { w.Acked() })
	}
	w.Stop()
	load.stop()
	c.end(t, *s)
	finish(t, w, false)
}

// handOversByForce does the two manual failovers that do not ask the master.
func handOversByForce(t *testing.T, s *shard, all []*server) {
	t.Helper()
	for i, mode := range []string{"FORCE", "FORCE", "TAKEOVER", "TAKEOVER"} {
		handOver(t, s, all, mode)
		uniqueEpochs(t, all)
		s.master.Want("+OK", "SET", fmt.Sprint(s.key(), mode, i), mode)
		waitEqual(t, *s)
		if mode == "FORCE" {
			staysFor(t, 2*mixedTimeout, func() {})
		}
	}
}

// failovers kills each of the two as a master. What the other had is kept.
func failovers(t *testing.T, s *shard, all []*server) {
	t.Helper()
	for i := range 2 {
		s.master.Want("+OK", "SET", fmt.Sprint(s.key(), "failover", i), "value")
		waitEqual(t, *s)
		w, c := appending(*s, all), startChanges(t, fmt.Sprint(s.key(), "failed over ", i, ":"), s.master, s.replica)
		waitWritten(t, w, s.master)
		c.waitDone(t, s.master, 100)
		old := s.master
		old.Kill()
		waitMaster(t, s.replica)
		waitWritten(t, w, s.replica)
		c.waitDone(t, s.replica, 100)
		old.Start()
		waitPromoted(t, s, all)
		w.Stop()
		c.end(t, *s)
		finish(t, w, true)
		s.master.Want("value", "GET", fmt.Sprint(s.key(), "failover", i))
	}
}

// stat is a number of INFO stats.
func stat(n *server, field string) int {
	v, err := strconv.Atoi(testkit.Info(n.Do("INFO", "stats"), field))
	if err != nil {
		return -1
	}
	return v
}

// A cluster of redis is replaced by Skein, node by node, under the eyes of its clients: each shard gets two Skein replicas, one
// of them takes over, and the two redis leave.
func TestRollingReplacement(t *testing.T) {
	t.Parallel()
	shards, all := createdShards(t, startRedis)
	stocked := stock{small: size(1000, 20_000), large: size(3, 30)}
	stocked.fill(t, all)
	load := startLoad(t, all, size(500, 1000))
	w := appending(shards[0], all)

	for i := range shards {
		old := shards[i]
		s := shard{startSkein(t, replicated...), startSkein(t, replicated...)}
		for _, n := range []*server{s.master, s.replica} {
			manage(t, "add-node", n.Addr(), old.master.Addr(), "--cluster-slave", "--cluster-master-id", idOf(old.master))
			waitLinked(t, shard{old.master, n})
			all = append(all, n)
		}
		waitOK(t, all)
		began := time.Now()
		handOver(t, &shard{old.master, s.master}, all)
		t.Logf("shard %d: %v", i, time.Since(began).Round(time.Millisecond))
		waitLinked(t, s)
		waitUnasked(t, old.master)
		for _, gone := range []*server{old.replica, old.master} {
			mustContain(t, manage(t, "del-node", s.master.Addr(), idOf(gone)), "Sending CLUSTER FORGET messages to the cluster...")
			all = slices.DeleteFunc(all, func(n *server) bool { return n == gone })
		}
		waitOK(t, all)
		shards[i] = s
	}
	waitWritten(t, w, shards[0].master)
	w.Stop()
	keys := stocked.keys() + load.stop() + 1
	for _, s := range shards {
		waitEqual(t, s)
	}
	var masters []*server
	for _, s := range shards {
		masters = append(masters, s.master)
	}
	if got := dbsize(masters); got != keys {
		t.Errorf("%d keys are in the cluster, not %d", got, keys)
	}
	finish(t, w, false)
	stocked.check(t, all)
	mustContain(t, manage(t, "check", shards[0].master.Addr()), "[OK] All 16384 slots covered.")
}

// waitUnasked waits until no client asks a node that gave its slots away: one that still does gets CLUSTERDOWN when the node
// is reset, whatever it is, and not every library tries again then. rueidis looks at the cluster every second or two.
func waitUnasked(t *testing.T, n *server) {
	t.Helper()
	moved, since := "", time.Now()
	testkit.Eventually(t, fmt.Sprintf("nobody asks port %d for keys", n.Port), func() bool {
		if now := testkit.Info(n.Do("INFO", "errorstats"), "errorstat_MOVED"); now != moved {
			moved, since = now, time.Now()
		}
		return time.Since(since) > 2500*time.Millisecond
	})
}
