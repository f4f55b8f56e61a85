package core

import (
	"slices"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// A forgotten node would be back with the next gossip of a node that did not forget it. So its id is banned for a
// minute: gossip does not bring it back, and our heartbeats tell the others to forget it too. A ban blocks
// gossip only; a MEET always works.
//
// RESET drops every node, and with them the bans. The ids that it dropped are banned in their turn, so that a
// node that was taken out of a cluster does not slip back; but privately, since to tell others
// would make them forget each other. Any MEET, sent or received, lifts these bans: somebody wants us to join.
//
// Invariant: n.bans holds an id once, in the order of the bans; we are never in it.

const (
	banTime       Millis = 60_000
	maxBanSeconds uint64 = 24 * 3600 // no peer can make us ban a node for longer
)

// ban is one id that gossip may not bring back.
type ban struct {
	id      nodeid.ID
	until   Millis
	private bool // made by RESET: not told to others
}

// ban bans an id, or gives an older ban its new end.
func (n *Node) ban(id nodeid.ID, until Millis, private bool) {
	n.expireBans()
	n.bans = slices.DeleteFunc(n.bans, func(b ban) bool { return b.id == id })
	n.bans = append(n.bans, ban{id, until, private})
}

func (n *Node) expireBans() {
	n.bans = slices.DeleteFunc(n.bans, func(b ban) bool { return b.until < n.now })
}

// banned reports whether gossip may not bring id back.
func (n *Node) banned(id nodeid.ID) bool {
	n.expireBans()
	return slices.ContainsFunc(n.bans, func(b ban) bool { return b.id == id })
}

// forgotten reports whether id was forgotten on purpose.
func (n *Node) forgotten(id nodeid.ID) bool {
	n.expireBans()
	return slices.ContainsFunc(n.bans, func(b ban) bool { return b.id == id && !b.private })
}

// forgottenNodes is what our heartbeats say of the bans.
func (n *Node) forgottenNodes() []bus.Forgotten {
	var list []bus.Forgotten
	for _, b := range n.bans {
		if !b.private && b.until >= n.now {
			list = append(list, bus.Forgotten{Node: b.id, TTLSeconds: uint64(b.until-n.now+999) / 1000})
		}
	}
	return list
}

// liftResetBans ends the bans that RESET made.
func (n *Node) liftResetBans() {
	before := len(n.bans)
	n.bans = slices.DeleteFunc(n.bans, func(b ban) bool { return b.private })
	if lifted := before - len(n.bans); lifted > 0 {
		n.note(Record{What: BansLifted, Level: Verbose, A: uint64(lifted)})
	}
}
