package clusterd

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
)

// diary notes which hooks were called.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
	d.mu.Unlock()
}

func (d *diary) has(line string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.lines, line)
}

// hooked lets a diary note all hooks; offset is what replication is said to have reached.
func hooked(d *diary, offset int64) nodeOption {
	return func(n *testNode) {
		n.hooks.Replication = func() core.ReplicationFacts {
			return core.ReplicationFacts{Offset: offset, LinkUp: true, LastIO: n.d.now()}
		}
		n.hooks.Follow = func(s core.Source) { d.note("follow %s:%d", s.Host, s.Port) }
		n.hooks.Promote = func() { d.note("promote") }
		n.hooks.Demoted = func(kept int64) { d.note("demoted %d", kept) }
		n.hooks.Flush = func() { d.note("flush") }
		n.hooks.Pause = func(untilMs int64) { d.note("pause %t", untilMs > time.Now().UnixMilli()) }
		n.hooks.Unpause = func() { d.note("unpause") }
		n.hooks.Deliver = func(channel, message []byte, shard bool) { d.note("%s %s %t", channel, message, shard) }
		n.hooks.Unsubscribe = func(lost *slot.Set) { d.note("lost %d", lost.Len()) }
	}
}

// shard is a master with all slots and a replica.
func shard(t *testing.T, masterDiary, replicaDiary *diary) (master, replica *testNode) {
	t.Helper()
	master, replica = startNode(t, hooked(masterDiary, 1000)), startNode(t, hooked(replicaDiary, 1000))
	master.ok("cluster addslotsrange 0 16383")
	master.ok("cluster set-config-epoch 1")
	replica.ok("cluster set-config-epoch 2") // else the two collide, and a takeover may be decided by that
	meet(t, master, replica)
	replica.ok("cluster replicate " + master.id())
	line := fmt.Sprintf("follow 127.0.0.1:%d", master.config.Port)
	if !replicaDiary.has(line) {
		t.Fatalf("not noted: %s in %v", line, replicaDiary.lines)
	}
	eventually(t, "the master knows its replica", func() bool {
		return strings.HasPrefix(master.do("cluster replicas "+master.id()), "*1\r\n")
	})
	eventually(t, "cluster state ok", func() bool { return replica.fact("cluster_state") == "ok" && master.fact("cluster_state") == "ok" })
	return master, replica
}

func TestManualFailover(t *testing.T) {
	t.Parallel()
	var was, is diary
	master, replica := shard(t, &was, &is)
	eventually(t, "the replica is promoted", func() bool {
		if !is.has("promote") {
			replica.ok("cluster failover") // which is given up after five seconds
		}
		return within(6*time.Second, func() bool { return is.has("promote") })
	})
	eventually(t, "the master follows", func() bool { return was.has(fmt.Sprintf("follow 127.0.0.1:%d", replica.config.Port)) })
	if !was.has("pause true") || !was.has("unpause") || !was.has("demoted 1000") {
		t.Errorf("the master's hooks: %v", was.lines)
	}
	for _, event := range []string{"manual-offset-heard", "election-scheduled", "vote-received", "election-won", "promoted"} {
		if !strings.Contains(replica.do("cluster events"), "$"+strconv.Itoa(len(event))+"\r\n"+event+"\r\n") {
			t.Errorf("the replica's events have no %s", event)
		}
	}
	eventually(t, "the master's events tell of its end", func() bool { return strings.Contains(master.do("cluster events"), "steps-down") })
	eventually(t, "the master redirects", func() bool { // not at once if an old heartbeat comes late by the other link
		return master.do("set foo 1") == fmt.Sprintf("-MOVED 12182 127.0.0.1:%d\r\n", replica.config.Port)
	})
	if !slices.ContainsFunc(replica.d.History(), func(r core.Record) bool { return r.What == core.ElectionWon }) {
		t.Error("the history does not tell of the election")
	}
}

func TestTakeover(t *testing.T) {
	t.Parallel()
	var was, is diary
	_, replica := shard(t, &was, &is)
	replica.ok("cluster failover takeover")
	if !is.has("promote") {
		t.Error("OK before it was done")
	}
	eventually(t, "the master follows", func() bool { return was.has(fmt.Sprintf("follow 127.0.0.1:%d", replica.config.Port)) })
}

func TestResetOfReplica(t *testing.T) {
	t.Parallel()
	var was, is diary
	_, replica := shard(t, &was, &is)
	id := replica.id()
	replica.ok("cluster reset hard")
	if !is.has("flush") || !is.has("promote") {
		t.Errorf("hooks: %v", is.lines)
	}
	if replica.id() == id || replica.fact("cluster_known_nodes") != "1" {
		t.Errorf("nodes:\n%s", replica.do("cluster nodes"))
	}
}

func TestPublish(t *testing.T) {
	t.Parallel()
	var heard diary
	a, b := startNode(t), startNode(t, hooked(&heard, 1))
	a.d.Publish([]byte("early"), []byte("nobody"), false)
	meet(t, a, b)
	large := strings.Repeat("x", 1<<20)
	rounds := 0
	eventually(t, "the messages arrive", func() bool { // on a busy machine the link may have to be made anew
		rounds++
		a.d.Publish([]byte("channel"), []byte("hello"), false)
		a.d.Publish([]byte("channel"), []byte(large), false)
		a.d.Publish([]byte("shard"), []byte("other shard"), true)
		a.d.Publish([]byte("channel"), []byte("end"), false)
		return within(5*time.Second, func() bool { return heard.has("channel end false") })
	})
	if !heard.has("channel hello false") || !heard.has("channel "+large+" false") || heard.has("shard other shard true") {
		t.Error("what arrived is not what was sent")
	}
	if got := a.fact("cluster_stats_messages_publish_sent"); got != strconv.Itoa(3*rounds) {
		t.Errorf("sent: %s", got)
	}
	if got := b.fact("cluster_stats_messages_publish_received"); rounds == 1 && got != "3" {
		t.Errorf("received: %s", got)
	}
}

// TestPublishOfStranger sends a message under an unknown name.
func TestPublishOfStranger(t *testing.T) {
	t.Parallel()
	var heard diary
	n := startNode(t, hooked(&heard, 1))
	conn := dialBus(t, n)
	m := stranger()
	m.Type, m.Publish = bus.TypePublish, &bus.Publish{Channel: []byte("c"), Message: []byte("m")}
	conn.Write(bus.Append(nil, m))
	conn.Write(bus.Append(nil, stranger()))
	readPacket(t, conn)
	if len(heard.lines) > 0 {
		t.Errorf("heard: %v", heard.lines)
	}
}

// TestLostSlot takes a slot away by a claim with a greater epoch: its keys vanish at once for clients, and then one by
// one, each in the log.
func TestLostSlot(t *testing.T) {
	t.Parallel()
	var heard diary
	a, b := startNode(t, hooked(&heard, 1)), startNode(t)
	a.ok("cluster addslotsrange 0 16383")
	a.ok("cluster set-config-epoch 1")
	b.ok("cluster set-config-epoch 2")
	meet(t, a, b)
	eventually(t, "cluster state ok", func() bool { return a.fact("cluster_state") == "ok" && b.fact("cluster_state") == "ok" })
	const keys = 3*sweepKeys + 1
	for i := range keys {
		a.set(fmt.Sprintf("{bar}%d", i))
	}
	a.set("foo")
	c := b.client()
	for _, line := range []string{"multi", "cluster delslots 5061", "cluster addslots 5061", "cluster bumpepoch", "exec"} {
		c.do(strings.Fields(line)...) // in one step, or a heartbeat might give the slot back in between
	}
	eventually(t, "the keys are dropped", func() bool { return a.ks.Size(0) == 1 })
	eventually(t, "they are logged", func() bool { return strings.Count(a.log.String(), "DEL") == keys })
	eventually(t, "subscribers are told", func() bool { return heard.has("lost 1") })
	eventually(t, "cluster state ok", func() bool { return a.fact("cluster_state") == "ok" })
	if got := a.do("get {bar}0"); got != fmt.Sprintf("-MOVED 5061 127.0.0.1:%d\r\n", b.config.Port) {
		t.Errorf("a lost key: %q", got)
	}
}

func TestKillLinks(t *testing.T) {
	t.Parallel()
	a, b := startNode(t), startNode(t)
	meet(t, a, b)
	eventually(t, "both links are there", func() bool { return strings.Count(a.do("cluster links"), "create-time") == 2 })
	id, _ := nodeid.Parse(b.id())
	before := a.do("cluster links")
	if !a.d.KillLinks(id, true, true) || a.d.KillLinks(nodeid.ID{}, true, true) {
		t.Error("known, unknown")
	}
	eventually(t, "both links are new", func() bool {
		after := a.do("cluster links")
		return strings.Count(after, "create-time") == 2 && after != before
	})
}

// TestSendLimit talks to a node that does not read. What the kernel takes for it is a matter of its configuration.
func TestSendLimit(t *testing.T) {
	t.Parallel()
	a, b := startNode(t), startNode(t)
	meet(t, a, b)
	a.d.SetSendLimit(1 << 20)
	message := make([]byte, 2<<20)
	func() {
		b.d.mu.Lock() // its readers wait for the core
		defer b.d.mu.Unlock()
		eventually(t, "the link is closed", func() bool {
			a.d.Publish([]byte("c"), message, false)
			return a.fact("total_cluster_links_buffer_limit_exceeded") != "0"
		})
	}()
	eventually(t, "all nodes joined", func() bool { return joined(a, b) })
	eventually(t, "it is logged", func() bool {
		return strings.Contains(a.logged.String(), "due to exceeding send buffer memory limit")
	})
}

// TestDropFilter makes b deaf to pings: its side of the link is closed at each, and a dials again.
func TestDropFilter(t *testing.T) {
	t.Parallel()
	a, b := startNode(t), startNode(t)
	meet(t, a, b)
	b.d.DropPacketFilter(int(bus.TypePing))
	b.d.CloseLinkOnPacketDrop(true)
	dropped := func() (n int) {
		for _, r := range b.d.History() {
			if r.What == core.PacketDropped {
				n++
			}
		}
		return n
	}
	eventually(t, "links are closed", func() bool { return dropped() >= 3 })
	b.d.DropPacketFilter(-1)
	eventually(t, "all nodes joined", func() bool { return joined(a, b) })
}

// TestApply announces a host name.
func TestApply(t *testing.T) {
	t.Parallel()
	a, b := startNode(t), startNode(t)
	a.ok("cluster addslots 1")
	meet(t, a, b)
	c := a.config
	c.Hostname = "here.example"
	a.apply(c)
	if !strings.Contains(a.do("cluster slots"), "here.example") {
		t.Error("not at once")
	}
	eventually(t, "the other hears of it", func() bool { return strings.Contains(b.do("cluster slots"), "here.example") })
}

// TestDeadPeer dials a port where nobody is.
func TestDeadPeer(t *testing.T) {
	t.Parallel()
	a, b := startNode(t), startNode(t)
	meet(t, a, b)
	b.stop()
	eventually(t, "a suspects b", func() bool { return strings.Contains(a.do("cluster nodes"), "fail?") })
	b.start()
	eventually(t, "all nodes joined", func() bool { return joined(a, b) })
	eventually(t, "a hears b again", func() bool { return !strings.Contains(a.do("cluster nodes"), "fail") })
}

// TestSilentPeer accepts and says nothing: the handshake is given up, the node goes on.
func TestSilentPeer(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", freePort(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	n := startNode(t, func(n *testNode) { n.config.NodeTimeout = 500 })
	n.ok(fmt.Sprintf("cluster meet 127.0.0.1 1234 %d", ln.Addr().(*net.TCPAddr).Port))
	if n.fact("cluster_known_nodes") != "2" {
		t.Error("no handshake")
	}
	eventually(t, "the handshake is given up", func() bool { return n.fact("cluster_known_nodes") == "1" && n.links() == 0 })
}

// TestViewUnderLoad changes owners while clients write: a write is served or redirected, never both, and the race
// detector looks on.
func TestViewUnderLoad(t *testing.T) {
	t.Parallel()
	nodes := makeCluster(t, 2)
	a := nodes[0]
	done := make(chan struct{})
	var clients sync.WaitGroup
	for i := range 3 {
		clients.Go(func() {
			c := a.client()
			for {
				select {
				case <-done:
					return
				default:
				}
				got := c.do("set", fmt.Sprintf("{bar}%d", i), "1")
				if got != "+OK\r\n" && !strings.HasPrefix(got, "-CLUSTERDOWN") && !strings.HasPrefix(got, "-MOVED") {
					t.Errorf("SET: %q", got)
					return
				}
			}
		})
	}
	id, _ := nodeid.Parse(nodes[1].id())
	admin := a.client()
	for range 30 {
		a.ok("cluster delslots 5061")
		a.ok("cluster addslots 5061")
		for _, line := range []string{"multi", "cluster delslots 5061", "cluster addslots 5061", "cluster saveconfig", "exec"} {
			admin.do(strings.Fields(line)...)
		}
		a.do("cluster shards")
		a.apply(a.config)
		a.d.KillLinks(id, true, true)
	}
	close(done)
	clients.Wait()
}

func TestDump(t *testing.T) {
	t.Parallel()
	a, b := startNode(t), startNode(t)
	meet(t, a, b)
	a.d.DropPacketFilter(-1)
	var text strings.Builder
	if err := a.d.Dump(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"nothing is recorded", "core.Meet {IP:127.0.0.1", "received link", ": pong Uk", "core.Tick", "core.DropFilter {Type:-1}"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in the dump:\n%s", want, text.String())
		}
	}
}
