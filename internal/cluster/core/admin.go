package core

import (
	"errors"
	"fmt"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// The administrator's wishes. Each is checked as a whole before anything changes; the errors are redis's,
// word for word, without the code ERR that goes before them.
//
// Invariant: a wish that is refused leaves no trace.

// The refusals that never vary.
var (
	ErrSlotRange       = errors.New("Invalid or out of range slot")
	ErrFlushSlots      = errors.New("DB must be empty to perform CLUSTER FLUSHSLOTS.")
	ErrSetSlotMaster   = errors.New("Please use SETSLOT only with masters.")
	ErrSetSlotAction   = errors.New("Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP")
	ErrTargetNotMaster = errors.New("Target node is not a master")
	ErrForgetMyself    = errors.New("I tried hard but I can't forget myself...")
	ErrForgetMaster    = errors.New("Can't forget my master!")
	ErrReplicateMyself = errors.New("Can't replicate myself")
	ErrReplicaOfSlave  = errors.New("I can only replicate a master, not a replica.")
	ErrNotEmpty        = errors.New("To set a master the node must be empty and without assigned slots.")
	ErrFailoverMaster  = errors.New("You should send CLUSTER FAILOVER to a replica")
	ErrFailoverUnknown = errors.New("I'm a replica but my master is unknown to me")
	ErrFailoverDown    = errors.New("Master is down or failed, please use CLUSTER FAILOVER FORCE")
	ErrEpochNotAlone   = errors.New("The user can assign a config epoch only when the node does not know any other node.")
	ErrEpochSet        = errors.New("Node config epoch is already non-zero")
	ErrResetKeys       = errors.New("CLUSTER RESET can't be called with master nodes containing keys")
)

func errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }

// administer tells the wishes apart.
func (n *Node) administer(ev Event) error {
	switch ev := ev.(type) {
	case Meet:
		return n.startHandshake(ev)
	case Forget:
		return n.forget(ev.Node)
	case AddSlots:
		return n.changeSlots(singleSlots(ev.Slots), false)
	case DelSlots:
		return n.changeSlots(singleSlots(ev.Slots), true)
	case AddSlotRanges:
		return n.changeSlots(ev.Ranges, false)
	case DelSlotRanges:
		return n.changeSlots(ev.Ranges, true)
	case FlushSlots:
		return n.flushSlots(ev)
	case SetSlot:
		return n.setSlot(ev)
	case Replicate:
		return n.replicate(ev)
	case Failover:
		return n.startManual(ev.Mode)
	case BumpEpoch:
		n.bumpByHand()
	case SetConfigEpoch:
		return n.setConfigEpoch(ev.Epoch)
	case Reset:
		return n.reset(ev)
	case SaveConfig:
		n.todo |= todoSave | todoFsync
	}
	return nil
}

func (n *Node) forget(text string) error {
	p := n.lookupText(text)
	switch {
	case p == nil:
		if id, err := nodeid.Parse(text); err == nil && n.forgotten(id) {
			return nil // somebody's heartbeat was quicker
		}
		return errorf("Unknown node %s", text)
	case p == n.me:
		return ErrForgetMyself
	case n.me.isReplica() && n.me.master == p:
		return ErrForgetMaster
	}
	until := n.now + banTime
	n.ban(p.id, until, false)
	n.note(Record{What: NodeForgotten, Level: Notice, A: uint64(until)}.about(p))
	n.dropPeer(p)
	n.todo |= todoState | todoSave
	return nil
}

// singleSlots writes a list of slots as ranges. A list with a bad slot is refused as a whole, before any of
// them is looked at: a bad range put first does that.
func singleSlots(slots []int64) [][2]int64 {
	ranges := make([][2]int64, 0, len(slots)+1)
	for _, s := range slots {
		if !validSlot(s) {
			return [][2]int64{{-1, -1}}
		}
		ranges = append(ranges, [2]int64{s, s})
	}
	return ranges
}

func validSlot(s int64) bool { return 0 <= s && s < slot.Count }

// changeSlots is ADDSLOTS, DELSLOTS and their range forms. Epochs stay as they are.
func (n *Node) changeSlots(ranges [][2]int64, remove bool) error {
	var set slot.Set
	for _, r := range ranges {
		if err := n.checkRange(&set, r, remove); err != nil {
			return err
		}
	}
	for s := range set.All() {
		n.closeSlot(s, true)
		if remove {
			n.unbind(s)
		} else {
			n.bind(s, n.me)
		}
	}
	n.todo |= todoState | todoSave
	return nil
}

// checkRange adds a range to set if it may be added to or taken from the table.
func (n *Node) checkRange(set *slot.Set, r [2]int64, remove bool) error {
	if !validSlot(r[0]) || !validSlot(r[1]) {
		return ErrSlotRange
	}
	if r[0] > r[1] {
		return errorf("start slot number %d is greater than end slot number %d", r[0], r[1])
	}
	for s := uint16(r[0]); s <= uint16(r[1]); s++ {
		owned := n.ownerOf(s) != nil
		switch {
		case remove && !owned:
			return errorf("Slot %d is already unassigned", s)
		case !remove && owned:
			return errorf("Slot %d is already busy", s)
		case set.Has(s):
			return errorf("Slot %d specified multiple times", s)
		}
		set.Add(s)
	}
	return nil
}

func (n *Node) flushSlots(ev FlushSlots) error {
	if ev.HasKeys {
		return ErrFlushSlots
	}
	n.unbindAll(n.me)
	n.todo |= todoState | todoSave
	return nil
}

func (n *Node) setSlot(ev SetSlot) error {
	if n.me.isReplica() {
		return ErrSetSlotMaster
	}
	if !validSlot(ev.Slot) {
		return ErrSlotRange
	}
	s := uint16(ev.Slot)
	var err error
	switch ev.Action {
	case SlotMigrating:
		err = n.openSlot(s, false, ev.Node)
	case SlotImporting:
		err = n.openSlot(s, true, ev.Node)
	case SlotStable:
		n.closeSlot(s, true)
		n.closeSlot(s, false)
	case SlotNode:
		err = n.giveSlot(s, ev)
	default:
		err = ErrSetSlotAction
	}
	if err == nil {
		n.todo |= todoState | todoSave
	}
	return err
}

// openSlot is SETSLOT MIGRATING and IMPORTING: each sets its own mark and touches nothing else.
func (n *Node) openSlot(s uint16, importing bool, node string) error {
	mine := n.ownerOf(s) == n.me
	if !importing && !mine {
		return errorf("I'm not the owner of hash slot %d", s)
	}
	if importing && mine {
		return errorf("I'm already the owner of hash slot %d", s)
	}
	p := n.lookupKnown(node)
	if p == nil {
		return errorf("I don't know about node %s", node)
	}
	if p.isReplica() {
		return ErrTargetNotMaster
	}
	n.setOpen(s, importing, p)
	return nil
}

// giveSlot is SETSLOT NODE. At the end of an import the slot gets a new epoch and everybody is told; a master
// that gave its last slot away follows the one who has it.
func (n *Node) giveSlot(s uint16, ev SetSlot) error {
	p := n.lookupKnown(ev.Node)
	if p == nil {
		return errorf("Unknown node %s", ev.Node)
	}
	if p.isReplica() {
		return ErrTargetNotMaster
	}
	wasMine := n.ownerOf(s) == n.me
	if wasMine && p != n.me && ev.KeysInSlot != 0 {
		return errorf("Can't assign hashslot %d to a different node while I still hold keys for this hash slot.", s)
	}
	if ev.KeysInSlot == 0 {
		n.closeSlot(s, false)
	}
	n.unbind(s)
	n.bind(s, p)
	if wasMine && p != n.me && n.me.slots == 0 && n.cfg.AllowReplicaMigration {
		n.note(Record{What: NowReplicaOf, Level: Notice}.about(p))
		n.follow(p)
	}
	if p == n.me && n.openFor(s, true) != nil {
		if n.bumpEpoch() {
			n.note(Record{What: EpochImported, Level: Notice, Slot: int(s)})
		}
		n.closeSlot(s, true)
		n.announceToAll()
	}
	return nil
}

func (n *Node) replicate(ev Replicate) error {
	p := n.lookupKnown(ev.Node)
	switch {
	case p == nil:
		return errorf("Unknown node %s", ev.Node)
	case p == n.me:
		return ErrReplicateMyself
	case p.isReplica():
		return ErrReplicaOfSlave
	case n.me.slots != 0 || n.me.isMaster() && ev.HasKeys:
		return ErrNotEmpty
	}
	n.note(Record{What: ReplicaOrdered, Level: Notice}.about(p))
	n.follow(p)
	return nil
}

func (n *Node) bumpByHand() {
	word := "STILL"
	if n.bumpEpoch() {
		word = "BUMPED"
	}
	n.out.Reply = fmt.Sprintf("%s %d", word, n.me.configEpoch)
}

func (n *Node) setConfigEpoch(epoch int64) error {
	switch {
	case epoch < 0:
		return errorf("Invalid config epoch specified: %d", epoch)
	case len(n.order) > 1:
		return ErrEpochNotAlone
	case n.me.configEpoch != 0:
		return ErrEpochSet
	}
	n.me.configEpoch = uint64(epoch)
	n.currentEpoch = max(n.currentEpoch, n.me.configEpoch)
	n.note(Record{What: EpochSet, Level: Notice, A: n.me.configEpoch})
	n.todo |= todoState | todoSave
	n.routingChanged()
	return nil
}

// reset makes us a master that knows nobody and owns nothing. Soft keeps the id, the shard and the epochs;
// hard takes new ids and begins at epoch 0. A replica loses its data with the same stroke.
func (n *Node) reset(ev Reset) error {
	if n.me.isMaster() && ev.HasKeys {
		return ErrResetKeys
	}
	if n.me.isReplica() {
		n.turnMaster(n.me)
		n.out.Change.Flush = true
	}
	n.open = nil
	n.resetManual()
	n.election = election{}
	for s := range n.owners {
		n.unbind(uint16(s))
	}
	n.bans = nil
	n.dropEverybody()
	if ev.Hard {
		n.currentEpoch, n.lastVoteEpoch, n.me.configEpoch = 0, 0, 0
		n.note(Record{What: EpochReset, Level: Notice})
		n.ban(n.me.id, n.now+banTime, true)
		n.rename(n.me, nodeid.Random(n.rnd))
		n.me.shard = nodeid.Random(n.rnd)
		n.note(Record{What: HardReset, Level: Notice}.about(n.me))
	} else {
		n.note(Record{What: SoftReset, Level: Notice}.about(n.me))
	}
	n.me.flags &^= bus.FlagMigrateTo
	n.todo |= todoSave | todoState | todoFsync
	n.routingChanged()
	return nil
}

// dropEverybody forgets all others and bans them privately.
func (n *Node) dropEverybody() {
	for len(n.order) > 1 {
		p := n.order[len(n.order)-1]
		if !p.inHandshake() {
			n.ban(p.id, n.now+banTime, true)
		}
		n.dropPeer(p)
	}
}
