package core

import (
	"slices"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/topology"
)

// A peer is one node of the cluster as we know it, ourselves included. Every peer has an index, by which
// the slot table and the failure reports name it; an index is used again after its peer was dropped, and
// therefore drop takes the peer out of everything that names it.
//
// Invariant: n.order holds exactly the peers of n.peers, in the order in which they became known and
// ourselves first, and n.due is as long; n.byID finds them by their ids; p.replicas and p.master mirror each other.
type peer struct {
	// What every tick and every word of gossip looks at, in one cache line: with a thousand peers that is what these cost.
	flags        bus.Flags
	idx          uint16
	slots        uint16 // how many it owns
	outUp        bool
	refusals     uint8  // dials in a row that came to nothing, see redialPause
	gossipMark   uint32 // number of the last heartbeat of ours that spoke of it
	id           nodeid.ID
	out          Link   // our connection to it, being dialled or up; 0: none
	pingSent     Millis // of the PING not yet answered; 0: none
	pongReceived Millis
	reports      *reports

	agreed                 *slot.Set // a claim that is just what it owns, see agrees; nil: none is known
	outAt                  Millis
	dataReceived           Millis // any packet
	ip                     string // "" while unknown
	port, tlsPort, busPort uint16
	denied                 bus.Refusal
	reporter               uint16 // its number among those that reported failures; 0: it never did
	old                    bool   // speaks 7.0: it sent a heartbeat without a shard id
	untold                 bool   // we found that it failed, and have not told everybody, see failure.go
	master                 *peer  // of a replica; nil: unknown
	configEpoch            uint64 // its own; of a replica its master's counts

	shard              nodeid.ID
	hostname, nodename string

	replOffset int64
	confirmed  int64 // of a replica of ours: the greatest offset that it told
	replicas   []*peer

	createdAt     Millis
	failedAt      Millis
	orphanedAt    Millis // since when a master lacks working replicas; 0: it does not
	seesFailingAt Millis // of a replica: when it last said that its master fails; 0: it said the contrary
	masterSince   Millis // when it turned from a replica into a master before our eyes
	deniedAt      Millis // when we last refused it our vote; 0: never

	in   Link // its connection to us; 0: none
	inAt Millis
}

func (p *peer) isMaster() bool    { return p.flags.Has(bus.FlagMaster) }
func (p *peer) isReplica() bool   { return p.flags.Has(bus.FlagSlave) }
func (p *peer) inHandshake() bool { return p.flags.Has(bus.FlagHandshake) }
func (p *peer) suspected() bool   { return p.flags.Has(bus.FlagPFail) }
func (p *peer) failed() bool      { return p.flags.Has(bus.FlagFail) }
func (p *peer) noAddr() bool      { return p.flags.Has(bus.FlagNoAddr) }

// oneRole makes a replica of what calls itself both a master and a replica.
func oneRole(flags bus.Flags) bus.Flags {
	if flags.Has(bus.FlagSlave) {
		return flags &^ bus.FlagMaster
	}
	return flags
}

// shardMaster is the peer that owns the slots of p's shard: p itself unless it replicates a known master.
func (p *peer) shardMaster() *peer {
	if p.isReplica() && p.master != nil {
		return p.master
	}
	return p
}

// reaches reports whether nothing speaks against it that p is well: our link to it works and nobody suspects it.
func (n *Node) reaches(p *peer) bool { return p == n.me || p.outUp && !p.failed() && !p.suspected() }

// lastHeard is when p gave its last sign of life, to us or to others who told us.
func (p *peer) lastHeard() Millis { return max(p.pongReceived, p.dataReceived) }

// workingReplicas counts the replicas of p that have not failed.
func (p *peer) workingReplicas() int {
	working := 0
	for _, replica := range p.replicas {
		if !replica.failed() {
			working++
		}
	}
	return working
}

// clientPort is the port that the first port field of a header stands for.
func (n *Node) clientPort(p *peer) uint16 {
	if n.cfg.TLSCluster {
		return p.tlsPort
	}
	return p.port
}

// replicationPort is where p is followed.
func (n *Node) replicationPort(p *peer) uint16 {
	if n.cfg.TLSReplication {
		return p.tlsPort
	}
	return p.port
}

// wirePorts orders the plain and the TLS port as a header or a gossip entry carries them, and back: the
// swap is its own inverse.
func (n *Node) wirePorts(plain, tls uint16) (first, second uint16) {
	if n.cfg.TLSCluster {
		return tls, plain
	}
	return plain, tls
}

// lookup returns the peer with this id, or nil.
func (n *Node) lookup(id nodeid.ID) *peer { return n.byID.find(n.peers, &id) }

// lookupText returns the peer whose id an administrator typed, or nil.
func (n *Node) lookupText(text string) *peer {
	id, err := nodeid.Parse(text)
	if err != nil {
		return nil
	}
	return n.lookup(id)
}

// lookupKnown is lookupText without the nodes in handshake, which can be given nothing.
func (n *Node) lookupKnown(text string) *peer {
	if p := n.lookupText(text); p != nil && !p.inHandshake() {
		return p
	}
	return nil
}

// addPeer makes a peer known, in a shard of its own. It returns nil when the table is full.
func (n *Node) addPeer(id nodeid.ID, flags bus.Flags) *peer {
	p := &peer{id: id, shard: nodeid.Random(n.rnd), flags: flags, createdAt: n.now}
	if last := len(n.freeIdx) - 1; last >= 0 {
		p.idx = n.freeIdx[last]
		n.freeIdx = n.freeIdx[:last]
		n.peers[p.idx] = p
	} else {
		if len(n.peers) >= topology.MaxNodes {
			return nil
		}
		p.idx = uint16(len(n.peers))
		n.peers = append(n.peers, p)
	}
	n.order, n.due = append(n.order, p), append(n.due, 0)
	n.unlinked = true
	n.byID.add(n.peers, p)
	if p.suspected() {
		n.suspects++
	}
	n.routingChanged()
	return p
}

// dropPeer forgets p: its slots, the reports by it, its links, and its place as master or replica of others.
func (n *Node) dropPeer(p *peer) {
	n.unbindAll(p)
	n.open = slices.DeleteFunc(n.open, func(o openSlot) bool { return o.peer == p })
	n.dropReporter(p)
	for _, replica := range p.replicas {
		replica.master = nil
		clear(n.due) // see told
	}
	n.setMasterOf(p, nil)
	n.closeOutbound(p)
	n.closeInbound(p)
	if n.manual.replica == p {
		n.resetManual()
	}
	n.byID.remove(n.peers, p)
	n.peers[p.idx] = nil
	n.freeIdx = append(n.freeIdx, p.idx)
	at := slices.Index(n.order, p)
	n.order, n.due = slices.Delete(n.order, at, at+1), slices.Delete(n.due, at, at+1)
	n.routingChanged()
}

// rename gives p the id that it turned out to have.
func (n *Node) rename(p *peer, id nodeid.ID) {
	n.byID.remove(n.peers, p)
	p.id = id
	n.byID.add(n.peers, p)
	n.routingChanged()
}

// setMasterOf makes p a replica of master in both directions; nil: of nobody.
func (n *Node) setMasterOf(p, master *peer) {
	if p.master == master {
		return
	}
	if old := p.master; old != nil {
		old.replicas = slices.DeleteFunc(old.replicas, func(r *peer) bool { return r == p })
		if len(old.replicas) == 0 {
			old.flags &^= bus.FlagMigrateTo
		}
	}
	p.master, p.seesFailingAt = master, 0
	if master != nil {
		p.confirmed = 0
		master.replicas = append(master.replicas, p)
		master.flags |= bus.FlagMigrateTo
	}
	n.routingChanged()
}

// turnMaster marks p as a master. It is the answer to every sign that p acts as one.
func (n *Node) turnMaster(p *peer) {
	if p.isMaster() {
		return
	}
	if p.master != nil {
		n.setMasterOf(p, nil)
		if p != n.me {
			p.flags |= bus.FlagMigrateTo
		}
	}
	p.masterSince = n.now
	p.flags = p.flags&^bus.FlagSlave | bus.FlagMaster
	n.todo |= todoSave | todoState
	n.routingChanged()
}

// setShard puts p into a shard. A replica follows its master into a new one.
func (n *Node) setShard(p *peer, shard nodeid.ID) {
	if shard.IsZero() {
		return
	}
	if p.shard != shard {
		p.shard = shard
		n.todo |= todoSave
		n.routingChanged()
	}
	if p != n.me && n.me.master == p && n.me.shard != shard {
		n.me.shard = shard
		n.todo |= todoSave | todoFsync
		n.routingChanged()
	}
}

// setNames stores the announced names of p.
func (n *Node) setNames(p *peer, hostname, nodename string) {
	if p.hostname == hostname && p.nodename == nodename {
		return
	}
	p.hostname, p.nodename = hostname, nodename
	n.todo |= todoSave
	n.routingChanged()
}
