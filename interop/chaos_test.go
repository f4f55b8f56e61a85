package interop

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/skeindb/skein/bench/records"
	"github.com/skeindb/skein/internal/testkit"
)

// With repl-sync-replicas 1, and one replica to each master, whatever happens to one node of a shard at a time: no write that
// was acknowledged is lost, none is there twice, and both nodes hold the same when all is over.
func TestChaosLosesNothing(t *testing.T) {
	t.Parallel()
	shards, all := createdShards(t, startSkein, "repl-sync-replicas 1")
	var writers []*records.Writer
	for _, s := range shards {
		writers = append(writers, appending(s, all))
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	mishaps := []struct {
		name string
		do   func(*testing.T, *shard)
	}{
		{"failover", func(t *testing.T, s *shard) { takeOver(t, s) }},
		{"forced failover", func(t *testing.T, s *shard) { takeOver(t, s, "FORCE") }},
		{"takeover", func(t *testing.T, s *shard) { takeOver(t, s, "TAKEOVER") }},
		{"killed master", func(t *testing.T, s *shard) {
			s.master.Kill()
			waitMaster(t, s.replica)
			s.master.Start()
			s.swap()
		}},
		{"master stopped for a moment", func(t *testing.T, s *shard) {
			s.master.Signal(syscall.SIGSTOP)
			time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond)
			s.master.Signal(syscall.SIGCONT)
		}},
		{"stopped master", func(t *testing.T, s *shard) {
			s.master.Signal(syscall.SIGSTOP)
			waitMaster(t, s.replica)
			s.master.Signal(syscall.SIGCONT)
			s.swap()
		}},
		{"killed replica", func(t *testing.T, s *shard) {
			mustBe(t, s)
			s.replica.Kill()
			s.replica.Start()
		}},
		{"cut link", func(t *testing.T, s *shard) { s.master.Do("CLIENT", "KILL", "TYPE", "replica") }},
		{"cut link and failover", func(t *testing.T, s *shard) {
			s.master.Do("CLIENT", "KILL", "TYPE", "replica")
			takeOver(t, s, "FORCE")
		}},
		{"killed replica and master", func(t *testing.T, s *shard) {
			mustBe(t, s)
			s.replica.Kill()
			s.replica.Start()
			waitCaughtUp(t, *s) // until then the master alone holds what the replica had acknowledged
			s.master.Kill()
			waitMaster(t, s.replica)
			s.master.Start()
			s.swap()
		}},
	}
	for round := range size(8, 100) {
		i := random.IntN(len(shards))
		m := mishaps[random.IntN(len(mishaps))]
		began := time.Now()
		m.do(t, &shards[i])
		waitOK(t, all)
		for k := range shards {
			testkit.Eventually(t, "a master and its replica", func() bool { // a failover may come late
				if role(shards[k].master) != "master" {
					shards[k].swap()
				}
				return linked(shards[k])
			})
			waitWritten(t, writers[k], shards[k].master)
		}
		t.Logf("round %d: %s of shard %d: %v", round, m.name, i, time.Since(began).Round(time.Millisecond))
		for k, w := range writers {
			if a, err := w.Audit(); err != nil || !a.Sound() {
				t.Fatalf("shard %d: %v, from %d to %d, %v", k, a, a.FirstLost, a.LastLost, err)
			}
		}
	}
	for _, w := range writers {
		w.Stop()
	}
	for i, s := range shards {
		waitEqual(t, s)
		finish(t, writers[i], false)
	}
	uniqueEpochs(t, all)
}

// mustBe makes sure that the replica is one before it is killed and started again at once: a master that is started
// again before it was missed would come back without data, as master of a replica that takes over its emptiness.
func mustBe(t *testing.T, s *shard) {
	t.Helper()
	if role(s.master) != "master" {
		t.Logf("port %d and port %d have changed places by themselves", s.master.Port, s.replica.Port)
		s.swap()
	}
	waitCaughtUp(t, *s)
}

// waitCaughtUp waits until the replica has all that its master has written up to now.
func waitCaughtUp(t *testing.T, s shard) {
	t.Helper()
	waitLinked(t, s)
	offset := func(n *server, field string) (v int64) {
		fmt.Sscan(testkit.Info(n.Do("INFO", "replication"), field), &v)
		return v
	}
	written := offset(s.master, "master_repl_offset")
	testkit.Eventually(t, fmt.Sprintf("port %d has caught up", s.replica.Port), func() bool { return offset(s.replica, "slave_repl_offset") >= written })
}

// takeOver does a manual failover, which is asked for again if a failover was under way already.
func takeOver(t *testing.T, s *shard, mode ...string) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("port %d takes over", s.replica.Port), func() bool {
		if role(s.replica) == "master" {
			return true
		}
		s.replica.Do(append([]string{"CLUSTER", "FAILOVER"}, mode...)...)
		for end := time.Now().Add(6 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if role(s.replica) == "master" {
				return true
			}
		}
		return false
	})
	s.swap()
}
