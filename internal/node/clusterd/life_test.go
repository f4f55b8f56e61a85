package clusterd

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/cluster/nodesconf"
)

func TestDamagedFile(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	n.stop()
	path := filepath.Join(n.dir, "nodes.conf")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, "what is this\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = New(n.options())
	var line *nodesconf.LineError
	if !errors.As(err, &line) || line.Line != 3 || !strings.Contains(err.Error(), "corrupted cluster config file") {
		t.Errorf("error: %v", err)
	}
}

func TestFileInUse(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	_, err := New(n.options())
	var inUse *nodesconf.InUseError
	if !errors.As(err, &inUse) {
		t.Errorf("error: %v", err)
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	o := n.options()
	o.File = filepath.Join(t.TempDir(), "nodes.conf")
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Start(); err == nil || !strings.Contains(err.Error(), "(cluster)") {
		t.Errorf("error: %v", err)
	}
	d.Stop()
}

// TestFirstIDIsSaved stops a node that never said anything.
func TestFirstIDIsSaved(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	id := n.id()
	n.restart()
	if n.id() != id {
		t.Error("another id")
	}
}

// TestWishIsDurable looks into nodes.conf as soon as OK was said.
func TestWishIsDurable(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	for _, wish := range []string{"cluster addslots 5", "cluster set-config-epoch 7", "cluster addslotsrange 10 20"} {
		n.ok(wish)
	}
	text, err := os.ReadFile(filepath.Join(n.dir, "nodes.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), " 7 connected 5 10-20\n") {
		t.Errorf("nodes.conf:\n%s", text)
	}
}

// TestSaveFails takes the directory away. SAVECONFIG says so, a change ends the node.
func TestSaveFails(t *testing.T) {
	t.Parallel()
	var fatal atomic.Pointer[error]
	n := startNode(t, func(n *testNode) { n.hooks.Fatal = func(err error) { fatal.Store(&err) } })
	n.ok("cluster saveconfig")
	if err := os.RemoveAll(n.dir); err != nil {
		t.Fatal(err)
	}
	if got := n.do("cluster saveconfig"); got != "-ERR error saving the cluster node config: No such file or directory\r\n" {
		t.Errorf("SAVECONFIG: %q", got)
	}
	if fatal.Load() != nil {
		t.Error("a failed SAVECONFIG ends the node")
	}
	c := n.client()
	c.send("cluster", "addslots", "1")
	eventually(t, "the node ends", func() bool { return fatal.Load() != nil })
	if !c.s.Parked() {
		t.Error("OK for what is not on disk")
	}
}

// TestInsideExec runs wishes in a transaction: they are done when it is, and it locks the keyspace once.
func TestInsideExec(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	c := n.client()
	for _, line := range []string{"multi", "cluster addslots 1", "cluster countkeysinslot 1", "cluster setslot 1 stable", "cluster addslots 1", "cluster nodes"} {
		c.do(strings.Fields(line)...)
	}
	got := c.do("exec")
	if !strings.HasPrefix(got, "*5\r\n+OK\r\n:0\r\n+OK\r\n-ERR Slot 1 is already busy\r\n$") || !strings.Contains(got, "connected 1\n") {
		t.Errorf("EXEC: %q", got)
	}
	if v := n.view.Load(); v.Owners[1] != v.Me {
		t.Error("the view is not in force")
	}
}

// TestKeysFoundAtStart loads keys before Start: their slots become ours, or importing.
func TestKeysFoundAtStart(t *testing.T) {
	t.Parallel()
	nodes := makeCluster(t, 2)
	n := nodes[0]
	n.stop()
	n.preload = func() {
		n.set("foo") // slot 12182: the other's
		n.set("bar") // slot 5061: ours
	}
	n.start()
	list := bulk(n.do("cluster nodes"))
	if !strings.Contains(list, " [12182-<-"+nodes[1].id()+"]") || strings.Contains(list, "5061") {
		t.Errorf("nodes:\n%s", list)
	}
	if n.d.History()[0].What != core.SlotSetImporting {
		t.Errorf("history: %v", n.d.History())
	}
}

// slowFile is a disk that takes its time: every Save waits for a word.
type slowFile struct {
	file
	goOn  chan struct{}
	saves atomic.Int32
}

func (f *slowFile) Save(s *nodesconf.State) error {
	<-f.goOn
	f.saves.Add(1)
	return f.file.Save(s)
}

// TestSlowDisk lets the disk hang. What was wished waits; everything else goes on, heartbeats first of all.
func TestSlowDisk(t *testing.T) {
	t.Parallel()
	disk := &slowFile{goOn: make(chan struct{})}
	a, b := startNode(t), startNode(t)
	meet(t, a, b)
	a.stop()
	a.preload = func() { disk.file, a.d.store = a.d.store, disk }
	a.start()
	var clients []*client
	for _, s := range []string{"1", "2", "3", "4"} {
		c := a.client()
		c.send("cluster", "addslots", s)
		clients = append(clients, c)
	}
	pongs := a.count("cluster_stats_messages_pong_received")
	eventually(t, "heartbeats go on", func() bool { return a.count("cluster_stats_messages_pong_received") > pongs })
	if got := a.fact("cluster_slots_assigned"); got != "4" {
		t.Errorf("slots: %s", got)
	}
	if got := b.fact("cluster_slots_assigned"); got != "0" {
		t.Errorf("the other heard of %s slots that are not on disk", got)
	}
	for _, c := range clients {
		if !c.s.Parked() {
			t.Errorf("answered: %q", c.s.Out.Buf)
		}
	}
	close(disk.goOn)
	for _, c := range clients {
		if got := c.await("cluster addslots"); got != "+OK\r\n" {
			t.Errorf("answer: %q", got)
		}
	}
	if n := disk.saves.Load(); n > 3 { // that under way, that of all the rest, and one for what peers said meanwhile
		t.Errorf("%d saves", n)
	}
	eventually(t, "the other hears of it", func() bool { return b.fact("cluster_slots_assigned") == "4" })
}
