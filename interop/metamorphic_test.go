package interop

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/builtin"
	"github.com/skeindb/skein/internal/testkit"
	"github.com/skeindb/skein/internal/testkit/commandgen"
)

var historySeed = flag.Uint64("history.seed", 0, "the seed of TestOneHistory; 0: a random one")

// tags are the hash tags of a history's keys: eight slots.
var tags = []string{"a", "b", "c", "d", "e", "f", "g", "h"}

// history makes commands that end the same wherever they are run.
func history(t *testing.T, seed uint64, n int) (commands [][]string) {
	t.Helper()
	table, err := command.NewTable(builtin.Specs())
	if err != nil {
		t.Fatal(err)
	}
	// Some work on other databases, and SORT may look into other slots.
	elsewhere := map[string]bool{"move": true, "swapdb": true, "copy": true, "flushall": true, "flushdb": true, "sort": true}
	g := commandgen.New(table, seed, commandgen.Options{Tags: tags, Repeatable: true, Skip: func(name string) bool { return elsewhere[name] }})
	for len(commands) < n {
		if _, words := g.Next(); oneSlot(table, words) {
			commands = append(commands, words)
		}
	}
	return commands
}

// oneSlot tells whether a command has no keys but those of one tag. What is nearly a
// command may have others, and a cluster refuses it.
func oneSlot(table *command.Table, words []string) bool {
	argv := make([][]byte, len(words))
	for i, w := range words {
		argv[i] = []byte(w)
	}
	spec, err := table.Resolve(argv)
	if err != nil {
		return false
	}
	keys, _ := command.AppendKeys(nil, spec, argv)
	tag := func(k command.KeyPos) string { return string(slot.Tag(argv[k.Index])) }
	return !slices.ContainsFunc(keys, func(k command.KeyPos) bool {
		return !slices.Contains(tags, tag(k)) || tag(k) != tag(keys[0])
	})
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
	seed := *historySeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 40)
	}
	t.Logf("-history.seed=%d", seed)
	commands := history(t, seed, size(10_000, 100_000))
	const debug = "enable-debug-command local"
	first, replica := alone(t, testkit.StartSkein, debug), alone(t, testkit.StartSkein, debug)
	replicaOf(t, replica, first)
	perform(t, first, commands)
	want := stateOf(t, first)
	testkit.Eventually(t, "the replica has the same", func() bool { return replica.Do("DEBUG", "DIGEST") == want.digest })

	first.Want("+OK", "DEBUG", "RELOAD")
	want.compare(t, "loaded", first)

	restored := testkit.StartSkein(t, debug)
	restoreAll(t, first, restored)
	want.compare(t, "restored", restored)

	from, to := startSkein(t, debug), startSkein(t, debug)
	from.Want("+OK", "CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	from.Want("+OK", "CLUSTER", "MEET", "127.0.0.1", fmt.Sprint(to.Port))
	testkit.Eventually(t, "both know all slots", func() bool {
		return testkit.Info(to.Do("CLUSTER", "INFO"), "cluster_slots_ok") == "16384" && testkit.Info(from.Do("CLUSTER", "INFO"), "cluster_state") == "ok"
	})
	perform(t, from, commands)
	want.compare(t, "in a cluster", from)
	for _, tag := range tags {
		moveSlot(t, from, to, slot.Of([]byte(tag)))
	}
	want.compare(t, "moved", to)
}

// state is what a node holds.
type state struct {
	digest string
	keys   []string // described
}

func stateOf(t *testing.T, s *server) state {
	t.Helper()
	return state{s.Do("DEBUG", "DIGEST"), describe(dialPipe(t, s.Addr()))}
}

// compare asks that a node holds what a state says. Only a -0 among the scores may be
// a 0: a sorted set that has become small is loaded as a listpack, which has no -0.
func (want state) compare(t *testing.T, where string, s *server) {
	t.Helper()
	got := stateOf(t, s)
	if got.digest == want.digest || slices.Equal(got.keys, want.keys) {
		return
	}
	t.Errorf("%s, the data differ\n want %.1500q\n have %.1500q", where, missing(want.keys, got.keys), missing(got.keys, want.keys))
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
