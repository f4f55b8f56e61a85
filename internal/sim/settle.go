package sim

import (
	"fmt"
	"hash/maphash"
	"strings"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/cluster/topology"
)

// When the faults are over the cluster must become well, without help if no administrator meddled with it: everybody
// sees the same nodes in the same roles, every slot has an owner that runs or cannot be had, epochs are
// unique, and all say that the cluster is up. After meddling an administrator cleans up as "cluster fix" would: open
// slots are closed, nodes that fell out are met again, slots that nobody has are given away.

const (
	ruleBegins = "a new cluster becomes well"
	ruleLives  = "the cluster becomes well again"
)

// Run makes the world of a plan, plays it and lets it settle. hook, if not nil, sees the world before it begins.
func (p *Plan) Run(hook func(*World)) (*World, error) {
	opt, err := p.options()
	if err != nil {
		return nil, err
	}
	w := New(p.Seed, opt)
	if hook != nil {
		hook(w)
	}
	w.begin()
	w.begun = w.now
	for _, l := range p.Lines {
		w.call(l.At, func() { w.act(l.Text) })
	}
	w.Run(w.begun + p.For)
	w.settle()
	return w, nil
}

// begin lets a cluster come up before anything happens to it.
func (w *World) begin() {
	timeout := Time(w.opt.Config.NodeTimeout) * Millisecond
	limit := 10*Second + 4*timeout
	if w.opt.Form {
		limit += 60*Second + Time(len(w.servers))*50*Millisecond
	}
	if !w.waitWell(limit) && w.broken == nil {
		w.violate(ruleBegins, "after %s %s", limit, w.unwell())
	}
}

// waitWell lets time pass until the cluster is well.
func (w *World) waitWell(limit Time) bool {
	end := w.now + limit
	pause := 250 * Millisecond * Time(1+len(w.servers)/100)
	for w.now < end && w.broken == nil {
		w.Run(min(w.now+pause, end))
		if w.broken != nil {
			break
		}
		if why, _ := w.ailment(); why == "" {
			return true
		}
	}
	return false
}

// settle ends all faults and demands that the cluster becomes well.
func (w *World) settle() {
	if w.broken != nil {
		return
	}
	w.calm()
	timeout := Time(w.opt.Config.NodeTimeout) * Millisecond
	limit := 30*Second + 12*timeout
	if w.waitWell(limit) || w.broken != nil {
		return
	}
	if w.meddled {
		for range 40 {
			w.repair()
			if w.waitWell(5*Second) || w.broken != nil {
				return
			}
			limit += 5 * Second
		}
	}
	w.violate(ruleLives, "%s after the last fault %s", limit, w.unwell())
}

// calm ends all faults: cuts, frozen processes, processes that do not run.
func (w *World) calm() {
	w.round++
	clear(w.cuts)
	for _, s := range w.servers {
		w.disturb(s)
		s.disk.stuckUntil = 0
		s.thaw()
		if s.core == nil && !s.gone {
			w.call(Span{0, Second}.draw(w.rnd), func() { s.start() })
		}
	}
}

// reference is a node whose view is as good as any: the one that knows most masters.
func (w *World) reference() *server {
	var best *server
	for _, s := range w.servers {
		if s.core != nil && (best == nil || s.core.Glance().Size > best.core.Glance().Size) {
			best = s
		}
	}
	return best
}

// repair is the administrator who cleans up.
func (w *World) repair() {
	ref := w.reference()
	if ref == nil {
		return
	}
	for _, s := range w.servers {
		if s.core == nil {
			continue
		}
		if s != ref && !w.acquainted(ref, s) {
			w.meet(ref, s)
		}
		snapshot := s.core.Snapshot(nil)
		for _, o := range snapshot.Open {
			w.ask(s, core.SetSlot{Slot: int64(o.Slot), Action: core.SlotStable})
		}
	}
	w.giveBareSlots(ref)
}

// giveBareSlots gives the slots that nobody claims to a master, as "cluster fix" does: other beliefs of that master
// about them are deleted, and its claim gets an epoch of its own.
func (w *World) giveBareSlots(ref *server) {
	claimed := make([]bool, slot.Count)
	var taker *server
	for _, s := range w.servers {
		if s.core == nil || s.core.Glance().Replica {
			continue
		}
		for i := range claimed {
			claimed[i] = claimed[i] || s.core.OwnerOf(uint16(i)) == s.id
		}
		if owns(s) && (taker == nil || s == ref) {
			taker = s
		}
	}
	if taker == nil {
		return
	}
	gave := false
	for i, ok := range claimed {
		if ok || w.heirOf(taker.core.OwnerOf(uint16(i))) {
			continue
		}
		w.ask(taker, core.DelSlots{Slots: []int64{int64(i)}})
		w.ask(taker, core.AddSlots{Slots: []int64{int64(i)}})
		gave = true
	}
	if gave {
		w.ask(taker, core.BumpEpoch{})
	}
}

// heirOf reports whether somebody may still take over from a node that is not there.
func (w *World) heirOf(id nodeid.ID) bool {
	if s := w.byID[id]; s != nil && s.core != nil && s.id == id {
		return false
	}
	for _, s := range w.servers {
		if g := s.core; g != nil && g.Glance().Replica && g.Glance().Master == id {
			return true
		}
	}
	return false
}

func (w *World) acquainted(a, b *server) bool {
	_, there := a.core.Knows(b.id)
	_, back := b.core.Knows(a.id)
	return there && back
}

// unwell says what keeps the cluster from being well, or "".
func (w *World) unwell() string {
	why, seen := w.ailment()
	for _, s := range seen {
		why += "\n" + w.table(s)
	}
	return why
}

// ailment is what keeps the cluster from being well, or "", and who sees it.
func (w *World) ailment() (why string, seen []*server) {
	var first *server
	var print uint64
	excuse := w.excuse()
	for _, s := range w.servers {
		if s.core == nil {
			if !s.gone {
				return s.name + " does not run", nil
			}
			continue
		}
		if s.frozen {
			return s.name + " is frozen", nil
		}
		if !s.okay && excuse == "" {
			return s.name + " sees the cluster down: " + w.whyDown(s), []*server{s}
		}
	}
	for _, s := range w.servers {
		if s.core == nil {
			continue
		}
		p, why := w.fingerprint(s)
		if why != "" {
			return why, nil
		}
		if first == nil {
			first, print = s, p
		} else if p != print {
			return "views differ:", []*server{first, s}
		}
	}
	return "", nil
}

func (w *World) whyDown(s *server) string {
	text := ""
	for _, p := range s.core.Explain(s.clock(w.now)).Problems {
		text += p.Kind + ": " + p.Text + "; "
	}
	return text
}

// excuse is why slots may stay without service: their owner is gone for good and nobody can take its place.
func (w *World) excuse() string {
	if !w.anyGone() {
		return ""
	}
	ref := w.reference()
	if ref == nil {
		return "nobody runs"
	}
	snapshot := ref.core.Snapshot(nil)
	owned := make([]bool, len(snapshot.Nodes))
	for _, owner := range snapshot.Owners {
		if owner != topology.NoNode {
			owned[owner] = true
		}
	}
	for i := range snapshot.Nodes {
		s := w.byID[snapshot.Nodes[i].ID]
		if !owned[i] || s != nil && s.id == snapshot.Nodes[i].ID && !s.gone {
			continue
		}
		heirs := 0
		for _, r := range snapshot.Replicas(uint16(i)) {
			if heir := w.byID[snapshot.Nodes[r].ID]; heir != nil && heir.core != nil && heir.id == snapshot.Nodes[r].ID && heir.repl.synced {
				heirs++
			}
		}
		if heirs == 0 {
			return "an owner is gone without heirs"
		}
	}
	return ""
}

func (w *World) anyGone() bool {
	for _, s := range w.servers {
		if s.gone || w.byID[s.id] != s {
			return true
		}
	}
	return w.blanked
}

var printSeed = maphash.MakeSeed()

// fingerprint is one number for what s sees of the nodes that run, and what is wrong with it in itself.
func (w *World) fingerprint(s *server) (uint64, string) {
	snapshot := s.core.Snapshot(nil)
	var sum uint64
	live := 0
	epochs := map[uint64]string{}
	owned := make([]bool, len(snapshot.Nodes))
	for _, o := range snapshot.Owners {
		if o != topology.NoNode {
			owned[o] = true
		}
	}
	for i := range snapshot.Nodes {
		node := &snapshot.Nodes[i]
		o := w.byID[node.ID]
		if o == nil || o.core == nil || o.id != node.ID {
			continue
		}
		live++
		if node.Flags.Has(bus.FlagFail | bus.FlagPFail) {
			return 0, s.name + " finds that " + o.name + " fails"
		}
		role := node.Flags & (bus.FlagMaster | bus.FlagSlave)
		var master [20]byte
		if node.Master != topology.NoNode {
			master = snapshot.Nodes[node.Master].ID
		}
		epoch := uint64(0)
		if role == bus.FlagMaster && owned[i] { // who owns nothing has an epoch that means nothing
			epoch = node.ConfigEpoch
			if other := epochs[epoch]; other != "" && epoch != 0 {
				return 0, fmt.Sprintf("%s sees %s and %s with one epoch, %d", s.name, other, o.name, epoch)
			}
			epochs[epoch] = o.name
		}
		sum += maphash.Comparable(printSeed, struct {
			id     [20]byte
			role   bus.Flags
			master [20]byte
			epoch  uint64
		}{node.ID, role, master, epoch})
	}
	if running := w.running(); live != running {
		return 0, fmt.Sprintf("%s knows %d of %d nodes", s.name, live, running)
	}
	ids := make([]uint64, len(snapshot.Nodes))
	for i := range ids {
		ids[i] = maphash.Comparable(printSeed, snapshot.Nodes[i].ID)
	}
	for i, o := range snapshot.Owners {
		if o != topology.NoNode {
			sum += ids[o] * (2*uint64(i) + 1)
		}
	}
	return sum, ""
}

func (w *World) running() (n int) {
	for _, s := range w.servers {
		if s.core != nil {
			n++
		}
	}
	return n
}

// table is what s sees, for people.
func (w *World) table(s *server) string {
	snapshot := s.core.Snapshot(nil)
	ranges := snapshot.Ranges()
	var text strings.Builder
	fmt.Fprintf(&text, "%s sees, in epoch %d:\n", s.name, snapshot.CurrentEpoch)
	for i := range snapshot.Nodes {
		node := &snapshot.Nodes[i]
		fmt.Fprintf(&text, "  %s %s", w.nameOf(node.ID), node.Flags)
		if node.Master != topology.NoNode {
			text.WriteString(" of " + w.nameOf(snapshot.Nodes[node.Master].ID))
		}
		fmt.Fprintf(&text, " epoch %d", snapshot.Epoch(uint16(i)))
		for _, r := range ranges[i] {
			fmt.Fprintf(&text, " %d-%d", r.Start, r.End)
		}
		text.WriteByte('\n')
	}
	for _, o := range snapshot.Open {
		fmt.Fprintf(&text, "  open %d importing=%v %s\n", o.Slot, o.Importing, w.nameOf(snapshot.Nodes[o.Peer].ID))
	}
	return text.String()
}
