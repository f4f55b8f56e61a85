package core

import (
	"fmt"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// TestPure keeps the world out of the core. Mend: let the fact travel in an event, or the deed in an effect.
func TestPure(t *testing.T) {
	allowed := map[string]bool{
		"bytes": true, "cmp": true, "encoding/binary": true, "errors": true, "fmt": true, "maps": true, "math": true, "math/bits": true,
		"math/rand/v2": true, // *rand.Rand, seeded by the caller; the functions of the package are refused below
		"net/netip":    true, "slices": true, "sort": true, "strconv": true, "strings": true,
		"github.com/skeindb/skein/internal/base/nodeid":      true,
		"github.com/skeindb/skein/internal/base/slot":        true,
		"github.com/skeindb/skein/internal/cluster/bus":      true,
		"github.com/skeindb/skein/internal/cluster/topology": true,
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imported := range parsed.Imports {
			if path, _ := strconv.Unquote(imported.Path.Value); !allowed[path] {
				t.Errorf("%s imports %s: the core does no I/O, reads no clock and draws no randomness of its own", file, path)
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"rand.Int", "rand.N(", "rand.New", "go func", "range n.inbound"} {
			if strings.Contains(string(text), word) {
				t.Errorf("%s says %q: randomness comes from the caller, there is one goroutine, and no map is walked", file, word)
			}
		}
	}
}

// TestEveryCellIsFilled: for each packet type and each listener there is either a handler, or the reason why
// there is none.
func TestEveryCellIsFilled(t *testing.T) {
	for kind, row := range handlers {
		for who, cell := range row {
			if (cell.do == nil) == (cell.silent == "") {
				t.Errorf("%s, listener %d: a cell has a handler or a reason, and one of them only", bus.Type(kind), who)
			}
		}
	}
}

// TestEveryRecordHasAText: nothing is noted that cannot be read.
func TestEveryRecordHasAText(t *testing.T) {
	for w := range whatCount {
		if text := (Record{What: w}).Text(); text == "" || strings.Contains(text, "%") {
			t.Errorf("kind %d has no text: %q", w, text)
		}
	}
}

// TestBytesPerKnownNode: two thousand nodes that each know two thousand others must fit one simulator (rules.md,
// 23). That is four million known nodes; at 512 bytes each they take two gigabytes.
func TestBytesPerKnownNode(t *testing.T) {
	const known, limit = 2000, 512
	n := New(miniConfig(), State{}, rand.New(rand.NewPCG(1, 2)))
	var out Effects
	step := func(ev Event) {
		if err := n.Step(miniEpoch, ev, &out); err != nil {
			t.Fatal(err)
		}
	}
	strangers := make([]bus.Gossip, known)
	for i := range strangers {
		strangers[i] = bus.Gossip{
			Node: nodeid.Random(n.rnd), IP: "10.0." + strconv.Itoa(i/250) + "." + strconv.Itoa(i%250),
			Port: 7000, CPort: 17000, Flags: bus.FlagMaster,
		}
	}
	friend := n.addPeer(nodeid.Random(n.rnd), bus.FlagMaster)
	step(LinkUp{Link: 1})
	msg := bus.Msg{Type: bus.TypePing, Sender: friend.id, Slots: new(slot.Set), Gossip: strangers}
	before := heapInUse()
	step(Received{Link: 1, Msg: &msg, RemoteIP: "10.1.1.1", LocalIP: "10.1.1.2"})
	step(Tick{}) // everybody is dialled
	for i, p := range n.order[2:] {
		step(LinkUp{Link: p.out})
		step(LinkUp{Link: Link(i + 10)})
		step(Received{Link: Link(i + 10), Msg: &bus.Msg{Type: bus.TypePublish, Sender: p.id}})
	}
	out = Effects{}
	perNode := (heapInUse() - before) / known
	runtime.KeepAlive(n)
	runtime.KeepAlive(strangers)
	if len(n.order) != known+2 || len(n.inbound) != known+1 {
		t.Fatalf("%d nodes are known, %d links accepted", len(n.order), len(n.inbound))
	}
	t.Logf("%d bytes per known node with both links", perNode)
	if perNode > limit {
		t.Errorf("%d bytes per known node, %d are allowed", perNode, limit)
	}
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestReportsAgainstAMap: the compact array of ages says what a plain map of times would say.
func TestReportsAgainstAMap(t *testing.T) {
	for _, window := range []Millis{200, 4000, 30_000, 1_000_000} {
		rnd := rand.New(rand.NewPCG(uint64(window), 1))
		now := Millis(1_000_000)
		r := newReports(now, window)
		model := map[uint16]Millis{}
		for range 20_000 {
			now += Millis(rnd.Int64N(int64(window)/20 + 2))
			reporter := uint16(rnd.IntN(30))
			switch rnd.IntN(4) {
			case 0:
				_, had := model[reporter]
				if removed := r.remove(reporter); removed != had {
					// A report of the model may have grown old already.
					if !had || now-model[reporter] <= window-2*r.unit {
						t.Fatalf("window %d: removed %v, had %v", window, removed, had)
					}
				}
				delete(model, reporter)
			default:
				r.add(reporter, now, window)
				model[reporter] = now
			}
			fresh, borderline := 0, 0
			for _, at := range model {
				switch age := now - at; {
				case age <= window-2*r.unit:
					fresh++
				case age <= window:
					borderline++
				}
			}
			if got := r.count(now, window); got < fresh || got > fresh+borderline {
				t.Fatalf("window %d: %d reports, the model has %d to %d", window, got, fresh, fresh+borderline)
			}
		}
	}
}

// TestSteadyHeartbeatsMakeNoView: a healthy cluster that goes on as it is publishes nothing and saves nothing.
func TestSteadyHeartbeatsMakeNoView(t *testing.T) {
	p := newProbe(t, "m1", "m1 m2 m3 r1a")
	view, save := p.n.View(), p.n.lastSave
	for range 50 {
		p.live(100)
		p.hear("m2", bus.TypePing, p.says("m3", bus.FlagMaster))
	}
	p.want(p.n.View() == view && p.n.lastSave == save, "one view, no save")
}

// TestSameSeedSameCourse: with one seed everything happens again, byte for byte.
func TestSameSeedSameCourse(t *testing.T) {
	play := func() string {
		w := newCluster(t, 42, 3, 3)
		w.node("m2").stop()
		w.run(8000)
		var text strings.Builder
		for _, m := range w.nodes {
			for _, r := range m.history {
				text.WriteString(strconv.FormatInt(int64(r.At), 10) + " " + r.Text() + "\n")
			}
		}
		return text.String()
	}
	if play() != play() {
		t.Error("two plays of one seed differ")
	}
}

// FuzzPackets feeds hostile packets that can be decoded: nothing may panic, and no epoch may go back.
func FuzzPackets(f *testing.F) {
	msg := bus.Msg{Type: bus.TypePing, Sender: nodeid.ID{2}, Slots: new(slot.Set), CurrentEpoch: 12, ConfigEpoch: 3}
	for _, kind := range allTypes {
		m := msg
		m.Type = kind
		m.Fail = nodeid.ID{3}
		m.Update = &bus.Update{Node: nodeid.ID{3}, ConfigEpoch: 20, Slots: new(slot.Set)}
		m.Publish, m.Module = &bus.Publish{}, &bus.Module{}
		m.Gossip = []bus.Gossip{{Node: nodeid.ID{3}, IP: "10.1.0.3", Flags: bus.FlagFail}, {Node: nodeid.ID{9}, IP: "x", Flags: bus.FlagSlave}}
		f.Add(bus.Append(nil, &m), bus.Append(nil, &msg), uint8(kind))
	}
	f.Fuzz(func(t *testing.T, first, second []byte, how uint8) {
		me := "m1"
		if how&1 != 0 {
			me = "r3a"
		}
		p := newProbe(t, me, "m1 m2 m3 r3a")
		for i, wire := range [][]byte{first, second, first} {
			m, _, err := bus.Decode(wire)
			if err != nil || m == nil {
				continue
			}
			epoch := p.n.currentEpoch
			l := p.find("m2").in
			if how&2 != 0 {
				l = p.find("m2").outAs
			}
			if how&4 != 0 && i == 1 {
				p.step(Failover{Mode: FailoverForce})
			}
			p.step(Received{Link: l, Msg: m, RemoteIP: "10.1.0.2", LocalIP: "10.1.0.1"})
			p.tick(200)
			if p.n.currentEpoch < epoch {
				t.Fatalf("the epoch went back from %d to %d", epoch, p.n.currentEpoch)
			}
		}
		p.checkTables()
	})
}

// checkTables tests the invariants that peer.go and slots.go name.
func (p *probe) checkTables() { checkTables(p.t, p.n) }

func checkTables(t testing.TB, n *Node) {
	t.Helper()
	owned := make([]uint16, len(n.peers))
	for s, owner := range n.owners {
		if q := n.ownerOf(uint16(s)); q != nil {
			owned[owner]++
		} else if n.unclaimed.Has(uint16(s)) {
			t.Fatalf("slot %d is unclaimed and unbound", s)
		}
	}
	if len(n.order) != n.byID.used || len(n.order) != len(n.due) || n.order[0] != n.me {
		t.Fatal("the order and the ids do not agree")
	}
	for i, q := range n.order {
		switch {
		case q.agreed != nil && !n.owns(q, q.agreed):
			t.Fatalf("%s is held to claim what it owns, and does not", q.id)
		case n.now < n.due[i] && !n.idle(q):
			t.Fatalf("%s is not looked at, and should be", q.id)
		case n.peers[q.idx] != q || n.lookup(q.id) != q:
			t.Fatal("a peer is not where it should be")
		case owned[q.idx] != q.slots:
			t.Fatalf("%s owns %d slots and counts %d", q.id, owned[q.idx], q.slots)
		case q.isMaster() && q.isReplica():
			t.Fatal("a master and a replica at once")
		case q.suspected() && q.failed():
			t.Fatal("suspected and failed")
		case q.out != 0 && n.dialledTo(q.out) != q, q.in != 0 && n.inbound[q.in] != q:
			t.Fatal("a link that nobody knows")
		case q.inHandshake() && (q.slots > 0 || len(q.replicas) > 0):
			t.Fatal("a node in handshake has something")
		}
		for _, r := range q.replicas {
			if r.master != q || n.lookup(r.id) != r {
				t.Fatal("a replica of another")
			}
		}
		if q.master != nil && n.lookup(q.master.id) != q.master {
			t.Fatal("a master that was dropped")
		}
	}
}

// idle reports whether watch has nothing to do for p now: it neither pings nor suspects it, nor is its link old.
func (n *Node) idle(p *peer) bool {
	if p.pingSent == 0 {
		return p.out == 0 || n.now-p.told() <= n.pingInterval()
	}
	return n.now-max(p.pingSent, p.dataReceived) <= n.cfg.NodeTimeout/2
}

// A node whose role others know otherwise is asked itself, unless it has told just now: TestBig found one of four million
// pairs where the news had not come.
func TestRoleIsAsked(t *testing.T) {
	p := newProbe(t, "m2", "m1 m2 m3 r1a")
	r := p.peer("r1a")
	for _, c := range []struct {
		silence Millis
		said    bus.Flags
		asked   string
	}{
		{0, bus.FlagMaster, ""},
		{100_000, bus.FlagSlave, ""},
		{100_000, 0, ""},
		{100_000, bus.FlagMaster, "r1a"},
	} {
		r.dataReceived, r.pingSent = p.n.now-c.silence, 0
		p.forget()
		p.hear("m1", bus.TypePong, p.says("r1a", c.said))
		p.want(p.sentTo(bus.TypePing) == c.asked, fmt.Sprintf("silent for %d ms, said to be %#x: %q is asked", c.silence, c.said, c.asked))
	}
}

// A replica is pinged although others speak of it all the time, if it is not known whose it is: TestBig found a replica
// that had told so before its master was known, and did not say it again for minutes.
func TestMasterIsAsked(t *testing.T) {
	p := newProbe(t, "m2", "m1 m2 m3 r1a")
	r, m1 := p.peer("r1a"), p.peer("m1")
	for _, c := range []struct {
		silence Millis
		master  *peer
		asked   string
	}{
		{100_000, m1, ""},
		{0, nil, ""},
		{100_000, nil, "r1a"},
	} {
		p.live(10_000)
		p.n.setMasterOf(r, c.master)
		r.pongReceived, r.dataReceived, r.pingSent = p.n.now, p.n.now-c.silence, 0
		clear(p.n.due)
		p.forget()
		p.tick(100)
		p.want(p.sentTo(bus.TypePing) == c.asked, fmt.Sprintf("silent for %d ms, its master is known: %t", c.silence, c.master != nil))
	}
}
