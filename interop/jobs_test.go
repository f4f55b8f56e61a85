package interop

import (
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

// Libraries that live on scripts (job queues, locks, limiters) do their work while slots
// move and a master is killed: every job runs, and none twice beyond what its library
// promises. Writes are answered when a replica has them, so none is lost with a master.
func TestJobsOfEveryKind(t *testing.T) {
	modules := nodeModules(t)
	shards, all := createdShards(t, startSkein, "repl-sync-replicas 1")
	a, b, c := &shards[0], &shards[1], &shards[2]
	queue := strings.Trim(b.key(), "{}")
	errands := map[string]*errand{
		// The first master that is killed is another shard's: to be given a task again takes a minute.
		"asynq":      startAsynq(all, queue),
		"redsync":    startRedsync(all, a.key()),
		"redis_rate": startRate(all, a.key()),
	}
	for _, library := range []string{"bullmq", "ioredis", "node-redis"} { // where slots move to the master that is killed, and on
		errands[library] = startProgram(t, modules, "jobs.js", library, strings.Join(addrs(all), ","), a.key())
	}
	for _, key := range []string{"effects", "ioredis:list", "node-redis:list"} { // nobody is still starting
		testkit.Eventually(t, key, func() bool { return a.master.Do("EXISTS", a.key()+key) == ":1" })
	}
	for range size(1, 5) {
		moveFirst(t, a, c)
		moveFirst(t, b, a)
		killMaster(t, c, all)
		moveFirst(t, c, b)
		a, b, c = c, a, b
	}
	for name, e := range errands {
		report, err := e.stop()
		t.Logf("%s: %s", name, report)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// moveFirst moves the first slots of one shard, among them those that the jobs are in, to another.
func moveFirst(t *testing.T, from, to *shard) {
	t.Helper()
	manage(t, "reshard", from.master.Addr(), "--cluster-from", idOf(from.master), "--cluster-to", idOf(to.master),
		"--cluster-slots", "50", "--cluster-yes")
}

// killMaster kills a master and starts it again when its replica has taken over.
func killMaster(t *testing.T, s *shard, all []*server) {
	t.Helper()
	dead := s.master
	dead.Kill()
	waitMaster(t, s.replica)
	dead.Start()
	waitPromoted(t, s, all)
}
