package interop

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/testkit"
)

// Twenty manual failovers, the next one as soon as the last one is done. All succeed, no write is lost, and who connects
// meanwhile is served.
func TestFailoversInARow(t *testing.T) {
	shards, all := createdShards(t, startSkein)
	s := shards[0]
	leave := comeAndGo(t, s.master, s.replica)
	defer leave()
	w := appending(s, all)
	for i := range size(20, 100) {
		waitWritten(t, w, s.master)
		testkit.Eventually(t, "the failover is accepted", func() bool {
			reply := s.replica.Do("CLUSTER", "FAILOVER")
			if reply != "+OK" && reply != "-ERR You should send CLUSTER FAILOVER to a replica" {
				t.Fatalf("failover %d: %s", i, reply)
			}
			return reply == "+OK"
		})
		waitMaster(t, s.replica)
		s.swap()
		waitWritten(t, w, s.master)
	}
	w.Stop()
	waitOK(t, all)
	waitEqual(t, s)
	finish(t, w, false)
}

// comeAndGo has clients that connect to the nodes, say one PING and leave, one after the other until leave is called.
func comeAndGo(t *testing.T, nodes ...*server) (leave func()) {
	t.Helper()
	var group sync.WaitGroup
	done := make(chan struct{})
	for _, n := range nodes {
		group.Go(func() {
			visits := time.NewTicker(2 * time.Millisecond) // the kernel keeps the port of each for a minute
			defer visits.Stop()
			for {
				select {
				case <-done:
					return
				case <-visits.C:
				}
				if err := visit(n); err != nil {
					t.Errorf("a client that came to port %d: %v", n.Port, err)
					return
				}
			}
		})
	}
	return func() {
		close(done)
		group.Wait()
	}
}

func visit(n *server) error {
	c, err := testkit.Dial(n.Addr())
	if err != nil {
		return err
	}
	defer c.Close()
	reply, err := c.Do("PING")
	if err == nil && testkit.Show(reply) != "+PONG" {
		err = errors.New(testkit.Show(reply))
	}
	return err
}

// kill -9 of a master, again and again. With repl-sync-replicas 1 nothing that was acknowledged is lost.
func TestSyncReplicasKeepWrites(t *testing.T) {
	t.Parallel()
	shards, all := createdShards(t, startSkein, "repl-sync-replicas 1")
	s := shards[0]
	for i := range size(2, 50) {
		w := appending(s, all)
		waitWritten(t, w, s.master)
		old := s.master
		old.Kill()
		waitMaster(t, s.replica)
		if got := s.replica.Do("SET", s.key2(), "value"); !strings.HasPrefix(got, "-NOREPLICAS ") {
			t.Errorf("round %d: without a replica SET answers %s", i, got)
		}
		old.Start()
		waitPromoted(t, &s, all)
		waitWritten(t, w, s.master)
		w.Stop()
		waitEqual(t, s)
		finish(t, w, false)
	}
}

// With repl-sync-replicas 1 a plain manual failover leaves nobody in doubt: the new master has what the old one did not
// answer yet.
func TestSyncReplicasHandOver(t *testing.T) {
	t.Parallel()
	shards, all := createdShards(t, startSkein, "repl-sync-replicas 1")
	s := shards[0]
	w := appending(s, all)
	for range size(5, 50) {
		waitWritten(t, w, s.master)
		handOver(t, &s, all)
		waitWritten(t, w, s.master)
	}
	w.Stop()
	waitEqual(t, s)
	if a := finish(t, w, false); a.InDoubt > 0 {
		t.Errorf("records: %v", a)
	}
}

// key2 is a key of the shard of whose replica became its master just now.
func (s shard) key2() string {
	first := 0
	fmt.Sscanf(mine(s.replica).slots[0], "%d", &first)
	return "{" + tagOf(first) + "}other"
}

// FORCE with the master stopped: the replica does not wait for the node timeout.
func TestForce(t *testing.T) {
	t.Parallel()
	shards, all := createdShards(t, startSkein, "cluster-node-timeout 15000")
	s := shards[0]
	s.master.Want("+OK", "SET", s.key(), "value")
	waitEqual(t, s)
	key := s.key()
	s.master.Signal(syscall.SIGSTOP)
	began := time.Now()
	s.replica.Want("+OK", "CLUSTER", "FAILOVER", "FORCE")
	waitMaster(t, s.replica)
	t.Logf("promoted after %v", time.Since(began).Round(time.Millisecond))
	s.replica.Want("+OK", "SET", key, "newer")
	s.master.Signal(syscall.SIGCONT)
	waitPromoted(t, &s, all)
	uniqueEpochs(t, all)
	waitEqual(t, s)
	s.master.Want("newer", "GET", key)
}

// TAKEOVER with the majority of the masters stopped: their replicas take over without votes.
func TestTakeover(t *testing.T) {
	t.Parallel()
	shards, all := createdShards(t, startSkein)
	for i := range 2 {
		shards[i].master.Want("+OK", "SET", shards[i].key(), "value")
		waitEqual(t, shards[i])
	}
	stopped := shards[:2]
	for _, s := range stopped { // the first that takes over makes a majority again, which could elect the second
		s.replica.Want("+OK", "CONFIG", "SET", "cluster-replica-no-failover", "yes")
	}
	for _, s := range stopped {
		s.master.Signal(syscall.SIGSTOP)
	}
	rest := []*server{shards[0].replica, shards[1].replica, shards[2].master, shards[2].replica}
	for _, n := range rest {
		waitInfo(t, n, "cluster_state", "fail")
	}
	for _, s := range stopped {
		s.replica.Want("+OK", "CLUSTER", "FAILOVER", "TAKEOVER")
		waitMaster(t, s.replica)
		s.replica.Want("+OK", "CONFIG", "SET", "cluster-replica-no-failover", "no")
	}
	for _, n := range rest {
		waitInfo(t, n, "cluster_state", "ok")
	}
	for _, s := range stopped {
		s.master.Signal(syscall.SIGCONT)
	}
	for i := range stopped {
		waitPromoted(t, &stopped[i], all)
	}
	uniqueEpochs(t, all)
	for i := range shards[:2] {
		waitEqual(t, shards[i])
		shards[i].master.Want("value", "GET", shards[i].key())
	}
}

// What CLUSTER FAILOVER refuses, in redis's words.
func TestFailoverRefusals(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]kind{"skein": startSkein, "redis": startRedis} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shards, _ := createdShards(t, start)
			s := shards[0]
			s.master.Want("-ERR You should send CLUSTER FAILOVER to a replica", "CLUSTER", "FAILOVER")
			s.master.Want("-ERR You should send CLUSTER FAILOVER to a replica", "CLUSTER", "FAILOVER", "FORCE")
			s.master.Want("-ERR You should send CLUSTER FAILOVER to a replica", "CLUSTER", "FAILOVER", "TAKEOVER")
			s.replica.Want("-ERR syntax error", "CLUSTER", "FAILOVER", "NOW")

			s.replica.Want("+OK", "CONFIG", "SET", "cluster-replica-no-failover", "yes")
			s.master.Kill()
			testkit.Eventually(t, "the master has failed", func() bool {
				return slices.Contains([]string{"master,fail", "master,fail?"}, seen(s.replica, mine(s.replica).master).flags)
			})
			testkit.Eventually(t, "the refusal", func() bool {
				return s.replica.Do("CLUSTER", "FAILOVER") == "-ERR Master is down or failed, please use CLUSTER FAILOVER FORCE"
			})

			// A replica that has forgotten who its master is.
			orphan := start(t)
			orphan.Stop()
			rewriteNodesConf(t, orphan, "myself,master", "myself,slave")
			orphan.Start()
			for _, mode := range []string{"", "FORCE", "TAKEOVER"} {
				orphan.Want("-ERR I'm a replica but my master is unknown to me", strings.Fields("CLUSTER FAILOVER "+mode)...)
			}
		})
	}
}

func rewriteNodesConf(t *testing.T, n *server, from, to string) {
	t.Helper()
	path := filepath.Join(n.Dir, "nodes.conf")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A manual failover that cannot finish, because the voters stand still: the writes go on after its time, and the history
// says why.
func TestHandOverTimesOut(t *testing.T) {
	t.Parallel()
	shards, all := createdShards(t, startSkein, "cluster-node-timeout 20000")
	s := shards[0]
	key := s.key()
	for _, other := range shards[1:] {
		other.master.Signal(syscall.SIGSTOP)
	}
	began := time.Now()
	s.replica.Want("+OK", "CLUSTER", "FAILOVER")
	testkit.Eventually(t, "the master has paused", func() bool { return strings.Contains(s.master.Log(), "Manual failover requested by replica") })
	s.master.Want("+OK", "SET", key, "value")
	t.Logf("the write waited %v", time.Since(began).Round(time.Millisecond))
	testkit.Eventually(t, "the replica gives up", func() bool { return strings.Contains(s.replica.Log(), "Manual failover timed out.") })
	for _, other := range shards[1:] {
		other.master.Signal(syscall.SIGCONT)
	}
	waitOK(t, all)
	if role(s.master) != "master" || role(s.replica) != "slave" {
		t.Error("the roles have changed")
	}
	mustContain(t, s.replica.Do("CLUSTER", "EVENTS"), "Manual failover timed out.", "event manual-unfinished ", " 1 of 2 votes came, 0 masters refused")
	waitEqual(t, s)
	handOver(t, &s, all)
}

// A master that stands still for three timeouts comes back to a shard that has another one. It steps down, what it had not
// passed on is gone, and its history says how much that was.
func TestStoppedMaster(t *testing.T) {
	t.Parallel()
	shards, all := createdShards(t, startSkein, "client-output-buffer-limit replica 0 0 0")
	s := shards[0]
	key := s.key()
	s.master.Want("+OK", "SET", key, "kept")
	waitEqual(t, s)

	// More than the kernel holds between the two.
	s.replica.Signal(syscall.SIGSTOP)
	const unreplicated, bytes = 24, 1 << 20
	for i := range unreplicated {
		s.master.Want("+OK", "SET", fmt.Sprint(key, "gone:", i), strings.Repeat("x", bytes))
	}
	s.master.Signal(syscall.SIGSTOP)
	s.replica.Signal(syscall.SIGCONT)
	stopped := time.Now()
	waitMaster(t, s.replica)
	t.Logf("promoted after %v", time.Since(stopped).Round(time.Millisecond))
	s.replica.Want("+OK", "SET", key, "newer")
	staysFor(t, time.Until(stopped.Add(6*time.Second)), func() {})
	s.master.Signal(syscall.SIGCONT)
	waitPromoted(t, &s, all)
	uniqueEpochs(t, all)
	waitEqual(t, s)
	s.master.Want("newer", "GET", key)
	if got := s.master.Do("EXISTS", fmt.Sprint(key, "gone:", unreplicated-1)); got != ":0" {
		t.Errorf("what was not replicated is there: %s", got)
	}
	var dropped int
	_, counted, _ := strings.Cut(s.replica.Do("CLUSTER", "EVENTS"), " dropped :")
	if fmt.Sscan(counted, &dropped); dropped < bytes || dropped > unreplicated*(bytes+100) {
		t.Errorf("the history counts %d bytes of writes that are gone", dropped)
	}
	mustContain(t, s.master.Do("CLUSTER", "EVENTS"), "event election-won ", "event promoted ", "event replica-diverged ")
}

// A replica whose first synchronization broke off has nothing, or a part. It does not take the place of its master, whatever
// the others say: the shard waits for the master, which comes back with its file.
func TestUnfinishedReplicaIsNotPromoted(t *testing.T) {
	t.Parallel()
	masters := createdCluster(t, 3, replicated...)
	s := shard{masters[0], startSkein(t, append(slices.Clone(replicated), "cluster-replica-validity-factor 0")...)} // no age is too great
	all := append(slices.Clone(masters), s.replica)
	key := "{" + tagOf(0) + "}"
	value := strings.Repeat(stockValue("stock:large:any")[:1<<16], 4)
	const keys = 400
	for i := range keys {
		s.master.Want("+OK", "SET", fmt.Sprint(key, i), value)
	}
	s.master.Want("+OK", "SAVE")
	s.master.Want("+OK", "CONFIG", "SET", "rdb-key-save-delay", "20000") // a synchronization takes 8 s
	masters[0].Want("+OK", "CLUSTER", "MEET", "127.0.0.1", fmt.Sprint(s.replica.Port))
	waitSame(t, all)
	follow(t, s)
	testkit.Eventually(t, "the master sees its replica", func() bool { return seen(s.master, idOf(s.replica)).flags == "slave" })
	s.master.Kill()
	if testkit.Info(s.replica.Do("INFO", "replication"), "master_link_status") == "up" || s.replica.Do("DBSIZE") == fmt.Sprint(":", keys) {
		t.Fatal("the synchronization was over before the master was killed")
	}
	waitInfo(t, masters[1], "cluster_state", "fail")
	staysFor(t, time.Duration(size(6, 30))*time.Second, func() {
		if role(s.replica) != "slave" {
			t.Error("the replica without data has become a master")
		}
	})
	t.Logf("%s", s.replica.Do("CLUSTER", "EXPLAIN"))
	s.master.Start()
	waitOK(t, all)
	waitEqual(t, s)
	s.master.Want(fmt.Sprint(":", keys), "DBSIZE")
}
