package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/node/admin"
	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/persist"
	"github.com/skeindb/skein/internal/testkit"
)

// again is a second life of a node, on the same files.
func (r *running) again(directives ...string) *Node {
	r.t.Helper()
	v := r.cfg.Values()
	file := filepath.Join(r.t.TempDir(), "redis.conf")
	lines := append([]string{"port " + fmt.Sprint(r.port), "bind 127.0.0.1", "save ''", "dir " + config.Dir.Get(v)}, directives...)
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		r.t.Fatal(err)
	}
	return made(r.t, file)
}

// end ends a node as SIGTERM does.
func (r *running) end() {
	r.t.Helper()
	if err := r.Finish(admin.Shutdown{}); err != nil {
		r.t.Fatal(err)
	}
	r.Stop()
}

func TestKeysComeBack(t *testing.T) {
	r := run(t, "save 1000 1000", "databases 4")
	r.expect("+OK", "SELECT", "3")
	r.expect("+OK", "SET", "k", "v")
	r.end()
	n := r.again()
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	defer n.Stop()
	r.Node, r.conn = n, r.dial(r.port)
	r.expect("+OK", "SELECT", "3")
	r.expect("v", "GET", "k")
	if r.number("rdb_changes_since_last_save") != 0 || r.number("rdb_last_load_keys_loaded") != 1 {
		t.Error(r.do("INFO", "persistence"))
	}
}

// TestSlotsOfLoadedKeys: in cluster mode the node takes the slots of its keys, if
// they are nobody's, and there is one database.
func TestSlotsOfLoadedKeys(t *testing.T) {
	r := run(t)
	r.expect("+OK", "SET", "foo", "bar") // slot 12182
	r.expect("+OK", "SAVE")
	r.end()
	n := r.again("cluster-enabled yes")
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	r.Node, r.conn = n, r.dial(r.port)
	if nodes := r.do("CLUSTER", "NODES"); !strings.Contains(nodes, " connected 12182\n") {
		t.Error(nodes)
	}
	n.Stop()

	r = run(t)
	r.expect("+OK", "SELECT", "1")
	r.expect("+OK", "SET", "foo", "bar")
	r.expect("+OK", "SAVE")
	r.end()
	if err := r.again("cluster-enabled yes").Start(); err == nil || !strings.Contains(err.Error(), "in database 1 at byte ") {
		t.Error(err)
	}
}

// TestLoading: clients are told to wait, and the end of the node does not wait.
func TestLoading(t *testing.T) {
	r := run(t)
	for i := range 10 {
		r.expect("+OK", "SET", fmt.Sprint("k", i), "v")
	}
	r.expect("+OK", "SAVE")
	r.end()
	n := r.again("key-load-delay 100000000")
	started := make(chan error, 1)
	go func() { started <- n.Start() }()
	testkit.Eventually(t, "the node answers", func() bool { return serves(r.port) })
	r.Node, r.conn = n, r.dial(r.port)
	r.expect("-LOADING Redis is loading the dataset in memory", "GET", "k1")
	r.expect("-LOADING Redis is loading the dataset in memory", "SAVE")
	if r.number("loading") != 1 || r.number("loading_total_bytes") == 0 {
		t.Error(r.do("INFO", "persistence"))
	}
	r.do("LASTSAVE")
	n.persist.Close()
	if err := <-started; !errors.Is(err, persist.ErrClosing) {
		t.Error(err)
	}
}

// TestFlushAllEndsASave, and the node goes on saving.
func TestFlushAllEndsASave(t *testing.T) {
	r := run(t)
	for i := range 10 {
		r.expect("+OK", "SET", fmt.Sprint("k", i), "v")
	}
	r.expect("+OK", "CONFIG", "SET", "rdb-key-save-delay", "100000000")
	r.expect("+Background saving started", "BGSAVE")
	r.expect("-ERR Background save already in progress", "SAVE")
	r.expect("+OK", "FLUSHALL")
	testkit.Eventually(t, "the save is given up", func() bool { return r.number("rdb_bgsave_in_progress") == 0 })
	if n := r.number("rdb_changes_since_last_save"); n != 20 {
		t.Errorf("%d changes", n)
	}
	r.expect("+OK", "CONFIG", "SET", "rdb-key-save-delay", "0")
	r.expect("+OK", "SAVE")
	r.expect("+OK", "MULTI")
	r.expect("-ERR Command not allowed inside a transaction", "SAVE")
	r.expect("+OK", "DISCARD")
}

func TestDumpsFollowRdbcompression(t *testing.T) {
	r := run(t)
	r.expect("+OK", "SET", "k", strings.Repeat("a", 1000))
	packed := len(r.do("DUMP", "k"))
	r.expect("+OK", "CONFIG", "SET", "rdbcompression", "no")
	if plain := len(r.do("DUMP", "k")); packed > 100 || plain < 1000 {
		t.Errorf("%d bytes compressed, %d not", packed, plain)
	}
}

// TestShutdownThatFails: all go on, and a second try may succeed.
func TestShutdownThatFails(t *testing.T) {
	r := run(t, "save 1000 1000")
	r.expect("+OK", "SET", "k", "v")
	dump := config.Dir.Get(r.cfg.Values()) + "/dump.rdb"
	if err := os.Mkdir(dump, 0o755); err != nil {
		t.Fatal(err)
	}
	r.expect("-ERR Errors trying to SHUTDOWN. Check logs.", "SHUTDOWN")
	r.expect("v", "GET", "k")
	r.expect("+OK", "SET", "k", "w")
	r.expect("-ERR No shutdown in progress.", "SHUTDOWN", "ABORT")
	if err := os.Remove(dump); err != nil {
		t.Fatal(err)
	}
	r.conn.Send("SHUTDOWN")
	<-r.Asked()
}

func TestShutdownAbort(t *testing.T) {
	r := run(t, "save 1000 1000", "rdb-key-save-delay 100000000")
	r.expect("+OK", "SET", "k", "v")
	other := r.dial(r.port)
	if err := other.Send("SHUTDOWN"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "it saves", func() bool { return r.number("rdb_bgsave_in_progress") == 1 })
	r.expect("+OK", "SHUTDOWN", "ABORT")
	if v, err := other.Receive(); err != nil || testkit.Show(v) != "-ERR Errors trying to SHUTDOWN. Check logs." {
		t.Error(testkit.Show(v), err)
	}
	r.expect("v", "GET", "k")
}

// TestReplicaOfAClusterLoads: it keeps the keys past their deadline, for its master
// decides, and goes on where its stream stood.
func TestReplicaOfAClusterLoads(t *testing.T) {
	r := run(t, "save 1000 1000", "enable-debug-command yes")
	r.expect("+OK", "DEBUG", "SET-ACTIVE-EXPIRE", "0")
	r.expect("+OK", "SET", "k", "v", "PX", "1")
	r.expect("+OK", "SAVE")
	dir := config.Dir.Get(r.cfg.Values())
	r.Stop()
	conf := strings.Repeat("1", 40) + " 127.0.0.1:7001@17001 myself,slave " + strings.Repeat("2", 40) + " 0 0 1 connected\n" +
		strings.Repeat("2", 40) + " 127.0.0.1:1@10001 master - 0 0 1 connected 0-16383\nvars currentEpoch 1 lastVoteEpoch 0\n"
	if err := os.WriteFile(dir+"/nodes.conf", []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	n := r.again("cluster-enabled yes")
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	defer n.Stop()
	r.Node, r.conn = n, r.dial(r.port)
	if role := r.info("role"); role != "slave" {
		t.Error(role)
	}
	if r.number("rdb_last_load_keys_expired") != 0 || r.number("rdb_last_load_keys_loaded") != 1 {
		t.Error(r.do("INFO", "persistence"))
	}
}

// TestEndWaitsForReplicas: when a master has ended, its replica has every write that
// was acknowledged, and goes on with the master's next life without a full sync.
func TestEndWaitsForReplicas(t *testing.T) {
	r := run(t, "save 1000 1000", "repl-diskless-sync-delay 0")
	replica := run(t, fmt.Sprint("replicaof 127.0.0.1 ", r.port))
	testkit.Eventually(t, "the replica follows", func() bool { return replica.info("master_link_status") == "up" })
	for i := range 1000 {
		r.expect("+OK", "SET", "k", fmt.Sprint(i))
	}
	r.end()
	replica.expect("999", "GET", "k")
	n := r.again("save 1000 1000")
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	defer n.Stop()
	r.Node, r.conn = n, r.dial(r.port)
	testkit.Eventually(t, "the replica follows again", func() bool { return r.number("connected_slaves") == 1 && replica.info("master_link_status") == "up" })
	if r.number("sync_partial_ok") != 1 || r.number("sync_full") != 0 {
		t.Error(r.do("INFO", "stats"))
	}
}
