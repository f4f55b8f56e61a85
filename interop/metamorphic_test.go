package interop

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/builtin"
	"github.com/skeindb/skein/internal/testkit"
	"github.com/skeindb/skein/internal/testkit/commandgen"
)

// tags are the hash tags of a history's keys: eight slots.
var tags = []string{"a", "b", "c", "d", "e", "f", "g", "h"}

// history makes commands that end the same wherever they are run.
func history(t *testing.T, seed uint64, n int) (commands [][]string) {
	t.Helper()
	table, err := command.NewTable(builtin.Specs())
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := map[string]bool{"move": true, "swapdb": true, "copy": true, "flushall": true, "flushdb": true}
	g := commandgen.New(table, seed, commandgen.Options{Tags: tags, Repeatable: true, Skip: func(name string) bool { return elsewhere[name] }})
	for range n {
		_, words := g.Next()
		commands = append(commands, words)
	}
	return commands
}

// perform runs a history.
func perform(t *testing.T, s *server, commands [][]string) {
	t.Helper()
	p := dialPipe(t, s.Addr())
	for len(commands) > 0 {
		n := min(len(commands), 50)
		p.run(commands[:n])
		commands = commands[n:]
	}
}

// TestOneHistory runs one random history, and the data are the same after they were
// saved and loaded, on a replica, after DUMP and RESTORE of every key, and on the
// nodes of a cluster before and after all slots have moved.
func TestOneHistory(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	commands := history(t, seed, size(4000, 100_000))
	const debug = "enable-debug-command local"
	first, replica := alone(t, testkit.StartSkein, debug), alone(t, testkit.StartSkein, debug)
	replicaOf(t, replica, first)
	perform(t, first, commands)
	want := first.Do("DEBUG", "DIGEST")
	testkit.Eventually(t, "the replica has the same", func() bool { return replica.Do("DEBUG", "DIGEST") == want })

	first.Want("+OK", "DEBUG", "RELOAD")
	first.Want(want, "DEBUG", "DIGEST")

	restored := testkit.StartSkein(t, debug)
	restoreAll(t, first, restored)
	restored.Want(want, "DEBUG", "DIGEST")

	from, to := testkit.StartSkein(t, append(clusterMode, debug)...), testkit.StartSkein(t, append(clusterMode, debug)...)
	from.Want("+OK", "CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	from.Want("+OK", "CLUSTER", "MEET", "127.0.0.1", fmt.Sprint(to.Port))
	testkit.Eventually(t, "both know all slots", func() bool {
		return testkit.Info(to.Do("CLUSTER", "INFO"), "cluster_slots_ok") == "16384" && testkit.Info(from.Do("CLUSTER", "INFO"), "cluster_state") == "ok"
	})
	perform(t, from, commands)
	from.Want(want, "DEBUG", "DIGEST")
	for _, tag := range tags {
		moveSlot(t, from, to, slot.Of([]byte(tag)))
	}
	to.Want(want, "DEBUG", "DIGEST")
}

// restoreAll copies all keys from one server to another, by their dumps.
func restoreAll(t *testing.T, from, to *server) {
	t.Helper()
	p := dialPipe(t, from.Addr())
	for _, key := range p.do("KEYS", "*").Elems {
		dump, deadline := p.do("DUMP", key.Text()), p.do("PEXPIRETIME", key.Text())
		to.Want("+OK", "RESTORE", key.Text(), fmt.Sprint(max(deadline.Int, 0)), dump.Text(), "ABSTTL")
	}
}

// moveSlot moves a slot and its keys from one node to another.
func moveSlot(t *testing.T, from, to *server, n uint16) {
	t.Helper()
	slot := fmt.Sprint(n)
	to.Want("+OK", "CLUSTER", "SETSLOT", slot, "IMPORTING", from.Do("CLUSTER", "MYID"))
	from.Want("+OK", "CLUSTER", "SETSLOT", slot, "MIGRATING", to.Do("CLUSTER", "MYID"))
	p := dialPipe(t, from.Addr())
	for _, key := range p.do("CLUSTER", "GETKEYSINSLOT", slot, "1000").Elems {
		from.Want("+OK", "MIGRATE", "127.0.0.1", fmt.Sprint(to.Port), key.Text(), "0", "10000")
	}
	to.Want("+OK", "CLUSTER", "SETSLOT", slot, "NODE", to.Do("CLUSTER", "MYID"))
	from.Want("+OK", "CLUSTER", "SETSLOT", slot, "NODE", to.Do("CLUSTER", "MYID"))
}
