package core

import (
	"slices"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/topology"
)

// Each master claims its slots in every heartbeat, under its config epoch. A slot follows a claim if nobody owns it,
// if its owner stopped claiming it, or if the claim has a greater epoch than its owner. So the last
// failover or migration wins, whatever the order of packets. A slot that we import moves by the
// administrator's hand only. Who claims with an old epoch gets an UPDATE about the newer owner.
//
// A slot that its owner no longer claims stays bound, because a redirect too much is better than an
// error; but it is free for every claimer, and we do not speak of it in UPDATEs.
//
// Invariant: p.slots is the number of entries of n.owners that name p; unclaimed slots are bound; n.open
// is ascending, migrating before importing.

// openSlot is a slot on its way to or from us.
type openSlot struct {
	slot      uint16
	importing bool
	peer      *peer
}

// ownerOf returns the owner of a slot, or nil.
func (n *Node) ownerOf(s uint16) *peer {
	if idx := n.owners[s]; idx != topology.NoNode {
		return n.peers[idx]
	}
	return nil
}

// bind gives a slot that nobody owns to p. A master that gets its first slot while others have replicas
// may be given one by replica migration.
func (n *Node) bind(s uint16, p *peer) {
	n.owners[s] = p.idx
	n.bound++
	p.slots++
	if p.slots == 1 && n.anyReplicas() {
		p.flags |= bus.FlagMigrateTo
	}
	n.slotChanged(p)
}

func (n *Node) anyReplicas() bool {
	return slices.ContainsFunc(n.order, func(p *peer) bool { return !p.isReplica() && len(p.replicas) > 0 })
}

// unbind takes a slot from its owner, whose subscribers to its channels must look elsewhere.
func (n *Node) unbind(s uint16) {
	p := n.ownerOf(s)
	if p == nil {
		return
	}
	n.owners[s] = topology.NoNode
	n.bound--
	p.slots--
	n.unclaimed.Remove(s)
	n.slotChanged(p)
	if n.out.Unsubscribe == nil {
		n.out.Unsubscribe = new(slot.Set)
	}
	n.out.Unsubscribe.Add(s)
}

// unbindAll takes all slots from p.
func (n *Node) unbindAll(p *peer) {
	for s := 0; s < slot.Count && p.slots > 0; s++ {
		if n.owners[s] == p.idx {
			n.unbind(uint16(s))
		}
	}
}

func (n *Node) slotChanged(p *peer) {
	if n.mySlotsOf == p {
		n.mySlotsOf = nil
	}
	p.agreed = nil
	n.routingChanged()
}

// slotsOf collects the slots that p owns.
func (n *Node) slotsOf(p *peer) *slot.Set {
	set := new(slot.Set)
	for s, left := 0, p.slots; left > 0; s++ {
		if n.owners[s] == p.idx {
			set.Add(uint16(s))
			left--
		}
	}
	return set
}

// slotsForHeader is slotsOf for the master of our shard: one immutable set that all our packets share.
func (n *Node) slotsForHeader(p *peer) *slot.Set {
	if n.mySlotsOf != p {
		n.mySlots, n.mySlotsOf = n.slotsOf(p), p
	}
	return n.mySlots
}

// agrees reports whether claimed is just what we think p owns. Nearly every claim is the same as the one before, and to
// compare the two is a small part of comparing one with the table.
func (n *Node) agrees(p *peer, claimed *slot.Set) bool {
	if p.agreed != nil {
		return p.agreed.Equal(claimed)
	}
	if !n.owns(p, claimed) {
		return false
	}
	p.agreed = claimed
	return true
}

// owns reports whether p owns just these slots.
func (n *Node) owns(p *peer, claimed *slot.Set) bool {
	if claimed.Len() != int(p.slots) {
		return false
	}
	for r := range claimed.Ranges() {
		for _, owner := range n.owners[r.Start : int(r.End)+1] {
			if owner != p.idx {
				return false
			}
		}
	}
	return true
}

// hearSlots compares the claim of a heartbeat with our table, takes over what is new, and tells the sender
// what it missed.
func (n *Node) hearSlots(pkt *packet) {
	p, claimed := pkt.sender, pkt.Slots
	master := p.shardMaster()
	if claimed == nil || (p.isReplica() && p.master == nil) {
		return
	}
	differs := !n.agrees(master, claimed)
	if p.isMaster() && (differs || n.unclaimed.Intersects(claimed)) {
		n.takeClaims(p, pkt.ConfigEpoch, claimed)
	}
	if differs {
		n.updateSender(pkt)
	}
}

// updateSender looks for a slot in the sender's claim that belongs to somebody with a greater epoch, and tells
// the sender about that node's slots. One UPDATE per packet is enough: the next one is about the next node.
func (n *Node) updateSender(pkt *packet) {
	if _, owner := n.newerOwner(pkt); owner != nil {
		n.tellAbout(pkt.sender, owner)
	}
}

// tellAbout sends an UPDATE about the slots of owner.
func (n *Node) tellAbout(p, owner *peer) {
	n.send(p.out, n.claimOf(owner), owner == n.me) // about ourselves it is a claim, which waits for the disk as others do
	n.note(Record{What: OldSlotsUpdated, Level: Verbose}.about(p).with(owner))
}

// claimOf is an UPDATE about the slots of owner.
func (n *Node) claimOf(owner *peer) bus.Msg {
	slots := n.slotsOf(owner)
	slots.Subtract(&n.unclaimed)
	return bus.Msg{
		Type:   bus.TypeUpdate,
		Update: &bus.Update{ConfigEpoch: owner.configEpoch, Node: owner.id, Slots: slots},
	}
}

// tellHeir tells everybody that heir has our slots, while our header still says that we are a master: it says that we are
// a replica when that is saved. A redis that heard of the second before the first, which comes from the successor by another
// connection, would take the slots from us and have nobody for them: a moment of CLUSTERDOWN.
func (n *Node) tellHeir(heir *peer) { n.broadcast(n.claimOf(heir), false) }

// updateReceived takes what a known node knows better than we do about a third one.
func (n *Node) updateReceived(pkt *packet) {
	u := pkt.Update
	if u == nil || u.Slots == nil {
		return
	}
	p := n.lookup(u.Node)
	if p == nil || p.inHandshake() || p.configEpoch >= u.ConfigEpoch {
		return
	}
	if p == n.me {
		n.note(Record{What: UpdateAboutMyself, Level: Notice})
		return
	}
	n.claimTold(p, u.ConfigEpoch, u.Slots)
}

// claimTold takes a claim of p, newer than what we know of it, that somebody else tells.
func (n *Node) claimTold(p *peer, epoch uint64, claimed *slot.Set) {
	n.turnMaster(p)
	p.configEpoch = epoch
	n.todo |= todoSave | todoFsync
	n.routingChanged()
	n.takeClaims(p, epoch, claimed)
}

// heirTold lets the slots of a master that became a replica go to its new master at once: what its packet claims, it
// claims for that one. The new master's own packet comes by another connection, and may be later.
func (n *Node) heirTold(pkt *packet) {
	old, heir := pkt.sender, n.lookup(pkt.SlaveOf)
	if heir == nil || heir == n.me || heir.inHandshake() || heir.configEpoch > pkt.ConfigEpoch ||
		pkt.Slots == nil || !n.slotsOf(old).Intersects(pkt.Slots) {
		return
	}
	n.markUnclaimed(old, new(slot.Set))
	n.claimTold(heir, pkt.ConfigEpoch, pkt.Slots)
}

// takeClaims binds the claimed slots to p where the claim is better than what we have, marks those that
// p does not claim any more, and draws the consequences for ourselves.
func (n *Node) takeClaims(p *peer, epoch uint64, claimed *slot.Set) {
	var lost slot.Set // slots of mine that may hold keys
	var dead *peer    // failed owner of slots that p takes
	mine := n.me.shardMaster()
	taken, first, fromMine, fromDead, owned := 0, 0, 0, 0, 0
	for s := range claimed.All() {
		owner := n.ownerOf(s)
		if owner == p {
			n.unclaimed.Remove(s)
			owned++
			continue
		}
		if n.openFor(s, true) != nil || !n.betterClaim(s, owner, epoch) {
			continue
		}
		if owner == n.me {
			lost.Add(s)
		}
		if owner == mine {
			fromMine++
		}
		if owner != nil && owner.failed() && (dead == nil || dead == owner) {
			dead = owner
			fromDead++
		}
		if taken++; taken == 1 {
			first = int(s)
		}
		n.unbind(s)
		n.bind(s, p)
	}
	if int(p.slots) > owned+taken {
		n.markUnclaimed(p, claimed)
	}
	if taken > 0 {
		n.todo |= todoSave | todoState | todoFsync
		n.note(Record{What: SlotsMoved, Level: Verbose, Slot: first, A: uint64(taken)}.about(p))
	}
	if dead != nil {
		n.note(Record{What: TakenOver, Level: Verbose, Slot: fromDead,
			A: uint64(n.now - dead.lastHeard()), B: uint64(n.now - dead.failedAt)}.about(p).with(dead))
	}
	n.afterClaims(p, mine, fromMine, claimed, &lost)
}

// markUnclaimed marks the slots of p that it does not claim any more.
func (n *Node) markUnclaimed(p *peer, claimed *slot.Set) {
	for s, owner := range n.owners {
		if owner == p.idx && !claimed.Has(uint16(s)) {
			n.unclaimed.Add(uint16(s))
		}
	}
}

// betterClaim reports whether a claim under epoch beats the owner that a slot has.
func (n *Node) betterClaim(s uint16, owner *peer, epoch uint64) bool {
	return owner == nil || n.unclaimed.Has(s) || owner.configEpoch < epoch
}

// afterClaims is what a change of owners means for us. A shard that lost its last slot to p goes with
// it: that is how an old master and its other replicas follow the new one. A replica of a replica follows its
// master's master. Else the keys of lost slots are of no use any more.
func (n *Node) afterClaims(p, mine *peer, fromMine int, claimed, lost *slot.Set) {
	allOfMine := fromMine > 0 && mine.slots == 0
	if allOfMine && p != n.me && (n.cfg.AllowReplicaMigration || claimed.Len() == fromMine) {
		n.note(Record{What: NowReplicaOf, Level: Notice}.about(p))
		if mine == n.me {
			n.tellHeir(p)
		}
		n.follow(p)
		return
	}
	if master := n.me.master; master != nil && master.master != nil && master.master != n.me {
		n.note(Record{What: SubReplica, Level: Notice}.about(master.master))
		n.follow(master.master)
		return
	}
	if !lost.Empty() {
		n.dropKeys(lost)
		n.note(Record{What: LostSlots, Level: Notice, A: uint64(lost.Len())})
	}
}

// dropKeys asks for the keys of slots to be unlinked.
func (n *Node) dropKeys(slots *slot.Set) {
	if n.out.DropKeys == nil {
		n.out.DropKeys = new(slot.Set)
	}
	n.out.DropKeys.Union(slots)
}

// follow makes us a replica of master. Whatever we owned or had open is given up, and so is any election
// or hand-over.
func (n *Node) follow(master *peer) {
	wished := n.handOverWished(master)
	n.stepDown(master)
	n.unbindAll(n.me)
	if n.me.isMaster() {
		n.me.flags = n.me.flags&^(bus.FlagMaster|bus.FlagMigrateTo) | bus.FlagSlave
		n.open = nil
	}
	n.setMasterOf(n.me, master)
	n.setShard(n.me, master.shard)
	n.out.DropKeys = nil // a full synchronisation takes their place
	n.resetManual()
	n.election = election{}
	n.todo |= todoSave | todoState | todoFsync
	n.routingChanged()
	if wished != 0 {
		n.askAgain(wished)
	}
}

// stepDown judges, before we follow another master, what our data is worth. A master that was replaced may have
// writes that its successor does not have, and who comes from another shard has nothing of this one: until
// we are in step with the new master once, our offset means nothing to others (see offset).
func (n *Node) stepDown(master *peer) {
	n.followingSince = n.now
	m, demoted := &n.manual, n.me.isMaster()
	switch {
	case master.shard != n.me.shard:
		n.stale, n.strange, n.kept = true, true, -1
	case demoted && m.paused && m.replica == master: // the end of a hand-over
		n.kept = m.offset
	case demoted:
		n.stale, n.kept = true, master.confirmed
	}
	if demoted {
		n.out.Change.Demoted, n.out.Change.Kept = true, n.kept
	}
}

// offset is how much we have of the history of our shard.
func (n *Node) offset() int64 {
	if n.stale {
		return 0
	}
	return max(0, n.facts.Offset)
}

// factsHeard takes news of replication.
func (n *Node) factsHeard(facts ReplicationFacts) {
	if !n.factsKnown {
		n.factsKnown, n.ownFrom = true, facts.Offset
	}
	n.facts = facts
	if facts.LinkUp || facts.InStep || n.me.isMaster() { // a link may come and go between two of these news
		n.stale, n.strange = false, false
	}
	n.todo |= todoManual
}

// demoted counts what was written here and nowhere else.
func (n *Node) demoted(ev Demoted) {
	if ev.Offset <= 0 || n.kept < 0 || !n.factsKnown {
		return // nobody ever replicated from us; our slots went elsewhere, and their keys before them; or we just started
	}
	kept := min(max(ev.Acked, n.kept, n.ownFrom), ev.Offset)
	r := Record{What: StepsDown, Level: Verbose, A: uint64(ev.Offset), B: uint64(kept)}
	if kept < ev.Offset {
		r.What, r.Level, r.C = WritesDropped, Warning, uint64(ev.Offset-kept)
	}
	n.note(r.about(n.me.master))
}

// followAddress tells replication whom to follow, if that is not what it was told last.
func (n *Node) followAddress() {
	var want Source
	if n.me.isReplica() {
		master := n.me.master
		if master == nil {
			return
		}
		want = Source{Node: master.id, Host: master.ip, Port: n.replicationPort(master)}
		if want.Host == "" && want.Node == n.following.Node {
			return // keep to the old address until there is a new one
		}
	}
	if want == n.following {
		return
	}
	n.following = want
	if n.me.isMaster() {
		n.out.Change.Repl = ReplPromote
		return
	}
	n.out.Change.Repl, n.out.Change.Follow = ReplFollow, want
	what := ReplicationRepointed
	if want.Host == "" {
		what = WaitingForMasterAddr
	}
	n.note(Record{What: what, Level: Verbose, Detail: want.Host, A: uint64(want.Port)}.about(n.me.master))
}

// openFor returns the mark of an open slot, or nil.
func (n *Node) openFor(s uint16, importing bool) *openSlot {
	for i := range n.open {
		if o := &n.open[i]; o.slot == s && o.importing == importing {
			return o
		}
	}
	return nil
}

// setOpen marks a slot as migrating to or importing from p.
func (n *Node) setOpen(s uint16, importing bool, p *peer) {
	if o := n.openFor(s, importing); o != nil {
		o.peer = p
	} else {
		n.open = append(n.open, openSlot{s, importing, p})
		slices.SortFunc(n.open, func(a, b openSlot) int {
			if a.slot != b.slot {
				return int(a.slot) - int(b.slot)
			}
			return b2i(a.importing) - b2i(b.importing)
		})
	}
	n.routingChanged()
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// closeSlot takes a mark away.
func (n *Node) closeSlot(s uint16, importing bool) {
	before := len(n.open)
	n.open = slices.DeleteFunc(n.open, func(o openSlot) bool { return o.slot == s && o.importing == importing })
	if len(n.open) != before {
		n.routingChanged()
	}
}

// keysFound brings the table into agreement with the data set that was loaded: a slot with keys that has no
// owner is ours, one that has another owner is being imported.
func (n *Node) keysFound(slots *slot.Set) {
	if n.me.isReplica() || slots == nil {
		return
	}
	for s := range slots.All() {
		owner := n.ownerOf(s)
		switch {
		case owner == n.me || n.openFor(s, true) != nil:
			continue
		case owner == nil:
			n.bind(s, n.me)
			n.note(Record{What: SlotTaken, Level: Notice, Slot: int(s)})
		default:
			n.setOpen(s, true, owner)
			n.note(Record{What: SlotSetImporting, Level: Notice, Slot: int(s)}.about(owner))
		}
		n.todo |= todoSave | todoFsync | todoState
	}
}
