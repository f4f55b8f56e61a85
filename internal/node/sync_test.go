package node

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/testkit"
)

// pair is a master whose writes wait for one replica, and that replica.
func pair(t *testing.T) (master, replica *running) {
	t.Helper()
	master = run(t, "repl-sync-replicas 1", "repl-diskless-sync-delay 0", "enable-debug-command yes")
	replica = run(t, "replicaof 127.0.0.1 "+strconv.Itoa(master.port), "enable-debug-command yes")
	testkit.Eventually(t, "the replica is in step", func() bool {
		return replica.info("master_link_status") == "up" && master.gates.Sync.Load() == exec.SyncOn
	})
	return master, replica
}

func TestSyncWrites(t *testing.T) {
	alone := run(t, "repl-sync-replicas 1")
	alone.expect("-NOREPLICAS Not enough good replicas to write.", "SET", "k", "1")
	alone.expect("+OK", "CONFIG", "SET", "repl-sync-replicas", "0")
	alone.expect("+OK", "SET", "k", "1")

	master, replica := pair(t)
	began := time.Now()
	const writes = 50
	for i := range writes {
		master.expect("+OK", "SET", "k", strconv.Itoa(i))
		replica.expect(strconv.Itoa(i), "GET", "k") // it is there when the master says so
	}
	t.Log("a write takes", time.Since(began)/writes)
	master.expect("+OK", "MULTI")
	master.expect("+QUEUED", "INCR", "k")
	master.expect("+QUEUED", "INCR", "k")
	master.expect("[:50 :51]", "EXEC")
	replica.expect("51", "GET", "k")
	replica.expect("+OK", "REPLICAOF", "NO", "ONE")
	testkit.Eventually(t, "the master is alone", func() bool { return master.gates.Sync.Load() == exec.SyncFew })
	master.expect("-NOREPLICAS Not enough good replicas to write.", "SET", "k", "1")
}

// A write whose replica does not answer waits; a demotion says that nobody knows what became of it.
func TestSyncWriteIsUncertain(t *testing.T) {
	t.Parallel()
	master, replica := pair(t)
	master.expect("+OK", "SET", "k", "1")
	sleeper := replica.dial(replica.port)
	if err := sleeper.Send("DEBUG", "SLEEP", "2"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the replica sleeps", func() bool { return time.Now().UnixMilli() < replica.cron.asleep.Load() })
	other := master.dial(master.port)
	if err := other.Send("SET", "k", "2"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "others see the write", func() bool { return master.do("GET", "k") == "2" })
	master.expect("+OK", "REPLICAOF", "127.0.0.1", "1")
	got, err := other.Receive()
	if err != nil || !strings.HasPrefix(testkit.Show(got), "-UNCERTAIN ") {
		t.Errorf("%s, %v", testkit.Show(got), err)
	}
}

// A smaller number of replicas lets go who waits for more.
func TestSyncWritesAreLetGo(t *testing.T) {
	t.Parallel()
	master, replica := pair(t)
	sleeper := replica.dial(replica.port)
	if err := sleeper.Send("DEBUG", "SLEEP", "2"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the replica sleeps", func() bool { return time.Now().UnixMilli() < replica.cron.asleep.Load() })
	other := master.dial(master.port)
	if err := other.Send("SET", "k", "2"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "others see the write", func() bool { return master.do("GET", "k") == "2" })
	master.expect("+OK", "CONFIG", "SET", "repl-sync-replicas", "0")
	if got, err := other.Receive(); err != nil || testkit.Show(got) != "+OK" {
		t.Errorf("%s, %v", testkit.Show(got), err)
	}
}
