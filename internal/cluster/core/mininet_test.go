package core

import (
	"cmp"
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/topology"
)

// miniNet is a small world for a few cores: a clock, links with a delay, disks, and the driver's duties as the
// package comment lists them. It is deterministic: one seed, one course of events.
type miniNet struct {
	t        testing.TB
	now      Millis
	rnd      *rand.Rand
	nodes    []*miniNode
	queue    eventQueue
	seq      int
	links    map[*miniLink]bool
	accepted Link // inbound links ever numbered
	sampled  Millis
	delay    func() Millis
	saveTime func() Millis
	blocked  map[[2]string]bool // packets from the first to the second vanish
	codec    bool               // packets pass through their wire form
	check    func(*miniNode)    // after each Step
	onSend   func(from, to *miniNode, m *bus.Msg)
	names    map[nodeid.ID]string // every id that a node ever had
	shards   map[nodeid.ID]string // shard ids, by the node that was first seen to have them
}

// miniNode is one server: a core, its driver, its disk and its data.
type miniNode struct {
	net     *miniNet
	name    string
	cfg     Config
	ip      string
	core    *Node // nil: stopped
	out     Effects
	links   map[Link]*miniLink // by the name that the core has for them
	history []Record
	shown   int // records already shown

	disk    State // what would survive a crash
	saving  bool
	durable SaveSeq
	held    []Send // waiting for a save

	frozen      bool
	offset      int64
	master      *miniNode // followed by replication
	downSince   Millis
	paused      bool
	pausedUntil Millis
	dropped     slot.Set
	flushed     int
	lives       int // starts so far
	primes      string
	nextTick    Millis
}

// miniLink is one TCP connection.
type miniLink struct {
	dialer, acceptor *miniNode
	out, in          Link
	up               bool
	lastArrival      [2]Millis // by direction: TCP keeps the order
}

type miniEvent struct {
	at  Millis
	seq int
	do  func()
}

type eventQueue []miniEvent

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(miniEvent)) }
func (q *eventQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

const miniEpoch Millis = 1_700_000_000_000

func newMiniNet(t testing.TB, seed uint64) *miniNet {
	rnd := rand.New(rand.NewPCG(seed, 1))
	return &miniNet{
		t: t, now: miniEpoch, rnd: rnd,
		links:    map[*miniLink]bool{},
		names:    map[nodeid.ID]string{},
		blocked:  map[[2]string]bool{},
		delay:    func() Millis { return 1 },
		saveTime: func() Millis { return 2 },
		codec:    true,
	}
}

func (w *miniNet) after(d Millis, do func()) {
	w.seq++
	heap.Push(&w.queue, miniEvent{w.now + d, w.seq, do})
}

// add makes and starts a node.
func (w *miniNet) add(name string, cfg Config) *miniNode {
	i := len(w.nodes) + 1
	cfg.Port, cfg.BusPort = uint16(7000+i), uint16(17000+i)
	m := &miniNode{links: map[Link]*miniLink{}, net: w, name: name, cfg: cfg, ip: fmt.Sprintf("10.0.%d.%d", i/250, i%250)}
	w.nodes = append(w.nodes, m)
	m.start()
	return m
}

func (w *miniNet) node(name string) *miniNode {
	for _, m := range w.nodes {
		if m.name == name {
			return m
		}
	}
	w.t.Fatalf("no node %q", name)
	return nil
}

func (w *miniNet) byAddr(host string, port uint16) *miniNode {
	for _, m := range w.nodes {
		if m.ip == host && m.cfg.BusPort == port {
			return m
		}
	}
	return nil
}

func (m *miniNode) start() {
	m.lives++
	m.core = New(m.cfg, m.disk, rand.New(rand.NewPCG(m.net.rnd.Uint64(), uint64(m.lives))))
	m.downSince = m.net.now
	m.saving, m.durable, m.held, m.master, m.paused = false, 0, nil, nil, false
	m.nextTick = m.net.now + Millis(m.net.rnd.Int64N(100))
	m.learnName()
}

// learnName keeps a readable name for each id: a, after a hard reset a', then a”.
func (m *miniNode) learnName() {
	id := m.core.me.id
	if m.net.names[id] == "" {
		m.net.names[id] = m.name + m.primes
		m.primes += "'"
	}
}

// stop kills the process: its links break, what was not saved is lost.
func (m *miniNode) stop() {
	m.core = nil
	for _, l := range m.net.sortedLinks() {
		if l.dialer == m || l.acceptor == m {
			m.net.breakLink(l, nil)
		}
	}
}

func (w *miniNet) sortedLinks() []*miniLink {
	var all []*miniLink
	for l := range w.links {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *miniLink) int {
		return cmp.Or(strings.Compare(a.dialer.name, b.dialer.name), cmp.Compare(a.out, b.out))
	})
	return all
}

// breakLink ends a connection and tells everybody but who ended it.
func (w *miniNet) breakLink(l *miniLink, by *miniNode) {
	if !w.links[l] {
		return
	}
	delete(w.links, l)
	delete(l.dialer.links, l.out)
	delete(l.acceptor.links, l.in)
	tell := func(m *miniNode, name Link) {
		life := m.lives
		if m != by && m.core != nil && name != 0 {
			w.after(w.delay(), func() {
				if m.lives == life {
					m.step(LinkDown{Link: name})
				}
			})
		}
	}
	tell(l.dialer, l.out)
	tell(l.acceptor, l.in)
}

// tick gives the core its time, and before it the facts about replication.
func (m *miniNode) tick() {
	if m.core == nil || m.frozen {
		m.nextTick = m.net.now + 100
		return
	}
	m.replicate()
	m.step(Tick{})
}

// replicate copies the master's data if it can be reached, and tells the core how that went.
func (m *miniNode) replicate() {
	facts := ReplicationFacts{Offset: m.offset}
	if m.master != nil {
		alive := m.master.core != nil && !m.master.frozen && m.master.master == nil &&
			!m.net.cut(m.master, m) && !m.net.cut(m, m.master)
		if alive {
			m.offset, m.downSince = m.master.offset, m.net.now
		}
		facts = ReplicationFacts{Offset: m.offset, LinkUp: alive, LastIO: m.net.now, DownSince: m.downSince}
	}
	m.step(facts)
}

func (w *miniNet) cut(from, to *miniNode) bool { return w.blocked[[2]string{from.name, to.name}] }

// step takes one event and does the driver's duty.
func (m *miniNode) step(ev Event) error {
	if m.core == nil {
		return nil
	}
	err := m.core.Step(m.net.now, ev, &m.out)
	m.nextTick = max(m.core.Deadline(), m.net.now+1)
	m.learnName()
	if err != nil {
		return err
	}
	m.apply()
	if m.net.check != nil {
		m.net.check(m)
	}
	return nil
}

// apply does what the package comment says, in its order.
func (m *miniNode) apply() {
	w, out := m.net, m.out
	if out.Save.Seq != 0 {
		m.save()
	}
	m.change(out.Change)
	for _, d := range out.Dials {
		w.dial(m, d)
	}
	for _, s := range slices.Clone(out.Sends) {
		if s.After > m.durable {
			m.held = append(m.held, s)
		} else {
			w.transmit(m, s.Link, s.Msg)
		}
	}
	for _, name := range slices.Clone(out.HangUps) {
		if l := m.links[name]; l != nil {
			w.breakLink(l, m)
		}
	}
	if out.DropKeys != nil {
		m.dropped.Union(out.DropKeys)
	}
	m.history = append(m.history, out.History...)
}

// save writes nodes.conf; one at a time, and the newest state when the disk is free.
func (m *miniNode) save() {
	if m.saving {
		return
	}
	m.saving = true
	state, seq := m.core.State()
	life := m.lives
	m.net.after(m.net.saveTime(), func() {
		if m.core == nil || m.lives != life {
			return
		}
		m.disk, m.saving, m.durable = state, false, seq
		held := m.held
		m.held = nil
		for _, s := range held {
			if s.After > seq {
				m.held = append(m.held, s)
			} else {
				m.net.transmit(m, s.Link, s.Msg)
			}
		}
		m.step(Saved{Seq: seq})
		if m.core != nil && m.core.lastSave > seq {
			m.save()
		}
	})
}

// change is what happens under the stripes.
func (m *miniNode) change(c Change) {
	if c.Flush {
		m.flushed++
		m.offset = 0
	}
	switch c.Repl {
	case ReplPromote:
		m.master = nil
	case ReplFollow:
		if c.Demoted {
			end := m.offset
			m.net.after(0, func() { m.step(Demoted{Offset: end}) })
		}
		m.master = m.net.byAddr(c.Follow.Host, c.Follow.Port+10000)
		m.downSince = m.net.now
	}
	switch c.Pause.Do {
	case PauseStart:
		m.paused, m.pausedUntil = true, c.Pause.Until
		id := c.Pause.ID
		m.net.after(0, func() { m.step(WritesPaused{Pause: id, Offset: m.offset}) })
	case PauseEnd:
		m.paused = false
	}
}

// write makes n bytes of log on a master that takes writes.
func (m *miniNode) write(n int64) bool {
	if m.core == nil || m.master != nil || m.paused && m.net.now < m.pausedUntil {
		return false
	}
	m.offset += n
	return true
}

func (w *miniNet) dial(from *miniNode, d Dial) {
	l := &miniLink{dialer: from, out: d.Link}
	to := w.byAddr(d.Host, d.Port)
	life := from.lives
	w.after(2*w.delay(), func() {
		if from.core == nil || from.lives != life || from.core.dialledTo(d.Link) == nil {
			return
		}
		if to == nil || to.core == nil {
			from.step(LinkDown{Link: d.Link})
			return
		}
		if w.cut(from, to) || w.cut(to, from) || to.frozen {
			return // neither connected nor refused
		}
		w.accepted++
		l.acceptor, l.in, l.up = to, w.accepted, true
		w.links[l] = true
		from.links[l.out], to.links[l.in] = l, l
		to.step(LinkUp{Link: l.in})
		from.step(LinkUp{Link: l.out})
	})
}

// transmit carries a packet, or loses it where the way is cut.
func (w *miniNet) transmit(from *miniNode, name Link, msg *bus.Msg) {
	l := from.links[name]
	if l == nil {
		return
	}
	to, remote, direction := l.acceptor, l.in, 0
	if from == l.acceptor {
		to, remote, direction = l.dialer, l.out, 1
	}
	if w.onSend != nil {
		w.onSend(from, to, msg)
	}
	if w.cut(from, to) {
		return
	}
	if w.codec {
		msg = throughWire(w.t, msg)
	}
	l.lastArrival[direction] = max(l.lastArrival[direction], w.now+w.delay())
	w.deliver(l, to, Received{Link: remote, Msg: msg, RemoteIP: from.ip, LocalIP: to.ip}, l.lastArrival[direction]-w.now)
}

// deliver hands a packet over; a frozen process reads it when it goes on.
func (w *miniNet) deliver(l *miniLink, to *miniNode, ev Received, d Millis) {
	w.after(d, func() {
		switch {
		case !w.links[l] || to.core == nil:
		case to.frozen:
			w.deliver(l, to, ev, 10)
		default:
			to.step(ev)
		}
	})
}

func throughWire(t testing.TB, m *bus.Msg) *bus.Msg {
	wire := bus.Append(nil, m)
	decoded, _, err := bus.Decode(wire)
	if err != nil {
		t.Fatalf("our own %s cannot be decoded: %v", m.Type, err)
	}
	return decoded
}

// run lets the world go on until the given time.
func (w *miniNet) run(d Millis) { w.runUntil(d, func() bool { return false }) }

// runUntil lets the world go on until done, at most for the given time. It reports whether done came true.
func (w *miniNet) runUntil(d Millis, done func() bool) bool {
	end := w.now + d
	for {
		if done() {
			return true
		}
		var next *miniNode
		at := end + 1
		for _, m := range w.nodes {
			if m.core != nil && m.nextTick < at {
				next, at = m, m.nextTick
			}
		}
		if len(w.queue) > 0 && w.queue[0].at <= at && w.queue[0].at <= end {
			e := heap.Pop(&w.queue).(miniEvent)
			w.now = max(w.now, e.at)
			e.do()
			continue
		}
		if next == nil {
			w.now = end
			return done()
		}
		w.now = max(w.now, at)
		next.tick()
	}
}

// sample is true once in ten milliseconds: whoever compares tables should not do it after every packet.
func (w *miniNet) sample() bool {
	if w.now < w.sampled+10 {
		return false
	}
	w.sampled = w.now
	return true
}

// agree returns what keeps the running nodes from having one and the same view, or "".
func (w *miniNet) agree() string {
	var first string
	var who *miniNode
	for _, m := range w.nodes {
		if m.core == nil {
			continue
		}
		if got := m.table(); who == nil {
			first, who = got, m
		} else if got != first {
			return fmt.Sprintf("%s sees\n%sbut %s sees\n%s", who.name, first, m.name, got)
		}
	}
	return ""
}

// nameOf is the name of the node that has or had this id, "?" for a provisional one.
func (w *miniNet) nameOf(id nodeid.ID) string {
	if name := w.names[id]; name != "" {
		return name
	}
	return "?"
}

func (m *miniNode) id() nodeid.ID {
	if m.core != nil {
		return m.core.me.id
	}
	return m.disk.Nodes[m.disk.Me].ID
}

// peer is what m knows of other, or nil.
func (m *miniNode) peer(other *miniNode) *peer { return m.core.lookup(other.id()) }

// table is m's view as text, the same for all who agree: one line per node in the order of names.
func (m *miniNode) table() string {
	snapshot := m.core.Snapshot(nil)
	ranges := snapshot.Ranges()
	var lines []string
	for i := range snapshot.Nodes {
		node := &snapshot.Nodes[i]
		line := m.net.nameOf(node.ID) + " " + (node.Flags &^ (bus.FlagMyself | bus.FlagMigrateTo)).String()
		if node.Master != topology.NoNode {
			line += " of " + m.net.nameOf(snapshot.Nodes[node.Master].ID)
		}
		line += fmt.Sprintf(" epoch %d", snapshot.Epoch(uint16(i)))
		for _, r := range ranges[i] {
			line += fmt.Sprintf(" %d-%d", r.Start, r.End)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// marks lists m's open slots.
func (m *miniNode) marks() string {
	text := ""
	for _, o := range m.core.open {
		arrow := "->-"
		if o.importing {
			arrow = "-<-"
		}
		text += fmt.Sprintf("[%d%s%s]\n", o.slot, arrow, m.net.nameOf(o.peer.id))
	}
	return text
}

// miniConfig is the configuration of nodes in tests: a node timeout of two seconds.
func miniConfig() Config {
	cfg := DefaultConfig()
	cfg.NodeTimeout = 2000
	return cfg
}

// spread gives n masters equal ranges of slots.
func spread(i, n int) [][2]int64 {
	return [][2]int64{{int64(slot.Count * i / n), int64(slot.Count*(i+1)/n - 1)}}
}

// newCluster forms a cluster of masters m1, m2, … and of replicas r1, r2, …, replica i of master i, round
// and round.
func newCluster(t testing.TB, seed uint64, masters, replicas int) *miniNet {
	w := newMiniNet(t, seed)
	for i := range masters {
		w.add(fmt.Sprintf("m%d", i+1), miniConfig())
	}
	for i := range replicas {
		w.add(fmt.Sprintf("r%d", i+1), miniConfig())
	}
	w.run(200)
	for i, m := range w.nodes {
		if i < masters {
			w.must(m, SetConfigEpoch{Epoch: int64(i + 1)})
			w.must(m, AddSlotRanges{Ranges: spread(i, masters)})
		}
	}
	for _, m := range w.nodes[1:] {
		w.must(m, Meet{IP: w.nodes[0].ip, Port: int64(w.nodes[0].cfg.Port), BusPort: int64(w.nodes[0].cfg.BusPort)})
	}
	joined := func() bool {
		return !slices.ContainsFunc(w.nodes, func(m *miniNode) bool { return len(m.core.order) < len(w.nodes) })
	}
	if !w.runUntil(20_000, joined) {
		t.Fatal("the nodes did not find each other")
	}
	for i, m := range w.nodes[masters:] {
		w.must(m, Replicate{Node: w.nodes[i%masters].id().String()})
	}
	w.settle(20_000)
	return w
}

// settle waits until all nodes see the same and the cluster is up for all.
func (w *miniNet) settle(d Millis) {
	w.t.Helper()
	if !w.runUntil(d, w.healthy) {
		w.t.Fatalf("the cluster did not settle: %s", w.agree())
	}
}

func (w *miniNet) healthy() bool {
	if !w.sample() {
		return false
	}
	for _, m := range w.nodes {
		if m.core != nil && m.core.state != bus.StateOK {
			return false
		}
	}
	return w.agree() == ""
}

// must lets an administrator's wish come true.
func (w *miniNet) must(m *miniNode, ev Event) {
	w.t.Helper()
	if err := m.step(ev); err != nil {
		w.t.Fatalf("%s: %T: %v", m.name, ev, err)
	}
}
