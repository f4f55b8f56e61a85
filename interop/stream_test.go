package interop

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/testkit"
)

// alone starts a node that is not in cluster mode.
func alone(t *testing.T, start func(testing.TB, ...string) *server, directives ...string) *server {
	t.Helper()
	return start(t, slices.Concat(replicated, directives)...)
}

// replicaOf makes a node a replica and waits for the link.
func replicaOf(t *testing.T, replica, master *server) {
	t.Helper()
	replica.Want("+OK", "REPLICAOF", "127.0.0.1", fmt.Sprint(master.Port))
	waitLink(t, replica, master)
}

// waitLink is waitLinked for a master that may be a replica itself.
func waitLink(t *testing.T, replica, master *server) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("port %d follows port %d", replica.Port, master.Port), func() bool {
		r := replica.Do("INFO", "replication")
		return testkit.Info(r, "master_link_status") == "up" && testkit.Info(r, "master_port") == fmt.Sprint(master.Port) &&
			strings.Contains(master.Do("INFO", "replication"), fmt.Sprintf("port=%d,state=online", replica.Port))
	})
}

// Whatever is written on the first of a chain of nodes arrives at the last one, with its deadline; and when the second takes
// the place of the first, the others go on without a full synchronization.
func TestStreamOfWrites(t *testing.T) {
	skein, redis := testkit.StartSkein, testkit.StartRedis
	for name, chain := range map[string][]func(testing.TB, ...string) *server{
		"skein redis skein": {skein, redis, skein},
		"redis skein redis": {redis, skein, redis},
		"skein skein skein": {skein, skein, skein},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var nodes []*server
			for _, start := range chain {
				nodes = append(nodes, alone(t, start, "repl-backlog-size 64mb", "repl-ping-replica-period 3600"))
			}
			for i := range nodes[1:] {
				replicaOf(t, nodes[i+1], nodes[i])
			}
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			writeAnything(t, nodes[0], seed, size(3000, 100_000))
			sameData(t, nodes)

			fulls := 0
			for _, n := range nodes {
				fulls += stat(n, "sync_full")
			}
			nodes[1].Want("+OK", "REPLICAOF", "NO", "ONE")
			waitLink(t, nodes[2], nodes[1])
			replicaOf(t, nodes[0], nodes[1])
			writeAnything(t, nodes[1], seed+1, size(1000, 20_000))
			sameData(t, []*server{nodes[1], nodes[2], nodes[0]})
			for _, n := range nodes {
				fulls -= stat(n, "sync_full")
			}
			if fulls != 0 {
				t.Errorf("%d full synchronizations", -fulls)
			}
		})
	}
}

// writeAnything does random writes of all kinds through some clients at once.
func writeAnything(t *testing.T, n *server, seed uint64, writes int) {
	t.Helper()
	const clients = 4
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			c, err := testkit.Dial(n.Addr())
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			for range writes / clients {
				if args := anyWrite(random); c.Send(args...) != nil {
					t.Error("sending fails")
					return
				}
				if _, err := c.Receive(); err != nil { // errors of single commands are part of it
					t.Error(err)
					return
				}
			}
			if v, err := c.Do("EXEC"); err == nil && v.IsError() && !strings.HasPrefix(v.Text(), "ERR EXEC without MULTI") && !strings.HasPrefix(v.Text(), "EXECABORT") {
				t.Error(v.Text())
			}
		})
	}
	group.Wait()
}

// anyWrite is a random command.
func anyWrite(r *rand.Rand) []string {
	key := func() string { return fmt.Sprint("key:", r.IntN(200)) }
	number := func(n int) string { return fmt.Sprint(r.IntN(n)) }
	value := func() string {
		b := make([]byte, r.IntN(100))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return strings.Repeat(string(b), 1+r.IntN(20)*r.IntN(2))
	}
	later := func() string { return fmt.Sprint(60_000 + r.IntN(1_000_000)) }
	soon := func() string { return fmt.Sprint(1 + r.IntN(20)) }
	switch r.IntN(36) {
	case 0, 1, 2, 3:
		return []string{"SET", key(), value()}
	case 4:
		return []string{"SET", key(), value(), "PX", later()}
	case 5:
		return []string{"SET", key(), value(), "PX", soon()}
	case 6:
		return []string{"SET", key(), value(), "KEEPTTL"}
	case 7:
		return []string{"SET", key(), value(), "NX", "GET"}
	case 8:
		return []string{"SETEX", key(), "1000", value()}
	case 9:
		return []string{"APPEND", key(), value()}
	case 10:
		return []string{"INCRBY", "number:" + number(10), number(1000)}
	case 11:
		return []string{"INCRBYFLOAT", "float:" + number(10), "0." + number(1000)}
	case 12:
		return []string{"PEXPIRE", key(), later()}
	case 13:
		return []string{"PEXPIRE", key(), soon()}
	case 14:
		return []string{"EXPIRE", key(), "-1"}
	case 15:
		return []string{"PERSIST", key()}
	case 16:
		return []string{"DEL", key(), key()}
	case 17:
		return []string{"UNLINK", key()}
	case 18:
		return []string{"RENAME", key(), key()}
	case 19:
		return []string{"COPY", key(), key(), "REPLACE"}
	case 20:
		return []string{"COPY", key(), key(), "DB", number(3)}
	case 21:
		return []string{"MOVE", key(), number(3)}
	case 22, 23:
		return []string{"SELECT", number(3)}
	case 24:
		return []string{"SETRANGE", key(), number(300), value()}
	case 25:
		return []string{"SETBIT", key(), number(3000), number(2)}
	case 26:
		return []string{"BITOP", "XOR", key(), key(), key()}
	case 27:
		return []string{"BITFIELD", key(), "INCRBY", "u5", number(100), "1", "SET", "i16", "#3", number(1000)}
	case 28:
		return []string{"GETEX", key(), "PX", later()}
	case 29:
		return []string{"GETDEL", key()}
	case 30:
		return []string{"MSET", key(), value(), key(), value()}
	case 31:
		return []string{"MULTI"}
	case 32, 33:
		return []string{"EXEC"}
	case 34:
		if r.IntN(20) == 0 {
			return []string{"SWAPDB", number(3), number(3)}
		}
		return []string{"PUBLISH", "channel", value()}
	default:
		if r.IntN(50) == 0 {
			return []string{"FLUSHDB"}
		}
		return []string{"GETSET", key(), value()}
	}
}

// sameData waits until all nodes hold the same, with the same deadlines.
func sameData(t *testing.T, nodes []*server) {
	t.Helper()
	nodes[0].Want("+OK", "SET", "the end", "of the stream")
	for _, n := range nodes[1:] {
		testkit.Eventually(t, fmt.Sprintf("port %d has it all", n.Port), func() bool {
			return n.Do("GET", "the end") == "of the stream" && n.Do("DEBUG", "DIGEST") == nodes[0].Do("DEBUG", "DIGEST")
		})
	}
	for db := range 3 {
		for i := range 200 {
			key := fmt.Sprint("key:", i)
			var deadlines []string
			if !testkit.Within(2*time.Second, func() bool { // one may come between two questions
				deadlines = nil
				for _, n := range nodes {
					n.Do("SELECT", fmt.Sprint(db))
					deadlines = append(deadlines, n.Do("PEXPIRETIME", key))
				}
				return len(slices.Compact(slices.Clone(deadlines))) == 1
			}) {
				t.Errorf("%s in database %d: deadlines %s", key, db, deadlines)
			}
		}
	}
	for _, n := range nodes {
		n.Do("SELECT", "0")
	}
	nodes[0].Want(":1", "DEL", "the end")
	for _, n := range nodes[1:] {
		testkit.Eventually(t, "nothing is on its way", func() bool { return n.Do("EXISTS", "the end") == ":0" })
	}
}

// A replica that must authenticate does so, and says why it cannot.
func TestReplicaAuthenticates(t *testing.T) {
	t.Parallel()
	skein, redis := testkit.StartSkein, testkit.StartRedis
	for name, c := range map[string]struct {
		master, replica func(testing.TB, ...string) *server
	}{
		"redis follows skein": {skein, redis}, "skein follows redis": {redis, skein}, "skein follows skein": {skein, skein},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, r := alone(t, c.master), alone(t, c.replica)
			m.Want("+OK", "SET", "key", "value")
			m.Want("+OK", "CONFIG", "SET", "requirepass", "secret")
			r.Want("+OK", "CONFIG", "SET", "masterauth", "wrong")
			r.Want("+OK", "REPLICAOF", "127.0.0.1", fmt.Sprint(m.Port))
			testkit.Eventually(t, "the log tells of the refusal", func() bool { return strings.Contains(r.Log(), "WRONGPASS") })
			if got := testkit.Info(r.Do("INFO", "replication"), "master_link_status"); got != "down" {
				t.Errorf("the link is %s", got)
			}
			r.Want("+OK", "CONFIG", "SET", "masteruser", "default", "masterauth", "secret")
			testkit.Eventually(t, "the key is there", func() bool { return r.Do("GET", "key") == "value" })
			r.Want("-READONLY You can't write against a read only replica.", "SET", "key", "other")
		})
	}
}
