package core

import (
	"github.com/skeindb/skein/internal/cluster/bus"
)

// A master that lost its last working replica gets one from the shard that has most of them, if that one keeps
// enough (cluster-migration-barrier). All replicas look at the same table, so the one with the lowest id goes, and
// only after the master was alone for five seconds, which is time enough for a failover to settle.
//
// Invariant: nobody migrates while the cluster is down, nor to a master that never had replicas, nor away
// from a shard that would keep fewer than the barrier asks for.

const migrationDelay Millis = 5000

// migrateReplica moves us to an orphaned master if we are the one to go.
func (n *Node) migrateReplica() {
	if !n.me.isReplica() || n.me.master == nil || !n.cfg.AllowReplicaMigration {
		return
	}
	mine := n.me.master.workingReplicas()
	if mine < 2 || n.me.master.failed() || n.state != bus.StateOK || n.reachableSiblings() <= n.cfg.MigrationBarrier {
		return // without a look at all the others, which most of us never need
	}
	if orphans, most := n.surveyShards(); !orphans || mine != most {
		return
	}
	target, candidate := n.chooseMigration(mine)
	if target != nil && candidate == n.me && n.now-target.orphanedAt > migrationDelay {
		n.note(Record{What: ReplicaMigrates, Level: Notice}.about(target))
		n.follow(target)
	}
}

// surveyShards tells whether a master lacks working replicas that had some, and how many the richest has.
func (n *Node) surveyShards() (orphans bool, most int) {
	for _, p := range n.order {
		if p == n.me || p.noAddr() || p.inHandshake() || !p.isMaster() || p.failed() {
			continue
		}
		working := p.workingReplicas()
		most = max(most, working)
		if working == 0 && p.slots > 0 && p.flags.Has(bus.FlagMigrateTo) {
			orphans = true
		}
	}
	return orphans, most
}

// reachableSiblings counts the replicas of our master that are well, ourselves included.
func (n *Node) reachableSiblings() int {
	well := 0
	for _, p := range n.me.master.replicas {
		if !p.failed() && !p.suspected() {
			well++
		}
	}
	return well
}

// chooseMigration finds an orphaned master and the replica that is to go, and keeps the time since when
// each master is orphaned.
func (n *Node) chooseMigration(most int) (target, candidate *peer) {
	candidate = n.me
	for _, p := range n.order {
		working := 0
		if p.isMaster() {
			working = p.workingReplicas()
		}
		if p.isMaster() && !p.failed() && p.flags.Has(bus.FlagMigrateTo) && working == 0 {
			if target == nil && p.slots > 0 {
				target = p
			}
			if p.orphanedAt == 0 {
				p.orphanedAt = n.now
			}
		} else {
			p.orphanedAt = 0
		}
		if working != most {
			continue
		}
		for _, replica := range p.replicas {
			if replica.id.Compare(candidate.id) < 0 {
				candidate = replica
			}
		}
	}
	return target, candidate
}
