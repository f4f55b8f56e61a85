package node

import (
	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/exec"
)

// Writes that are answered when replicas have them (repl-sync-replicas): the engine
// says which replies wait, the loops hold them back, replication knows who has what.

// tuneSync follows repl-sync-replicas.
func (n *Node) tuneSync(v *config.Values) {
	n.syncReplicas.Store(int32(config.ReplSyncReplicas.Get(v)))
	n.judgeSync()
	n.reconsider()
}

// judgeSync makes writes wait, be refused, or neither: by the directive, the role and
// the replicas that are connected. The cron asks for it too, since replicas come and go.
func (n *Node) judgeSync() {
	state, need := exec.SyncOff, int(n.syncReplicas.Load())
	if need > 0 && !n.keyspace.Replica.Load() {
		if state = exec.SyncOn; n.repl.Online() < need {
			state = exec.SyncFew
		}
	}
	n.gates.Sync.Store(state)
}

// acked is the highest offset of the log that as many replicas have acknowledged as
// a write waits for.
func (n *Node) acked() int64 { return n.repl.Acked(int(n.syncReplicas.Load())) }

// await calls done when so many replicas have acknowledged an offset.
func (n *Node) await(offset int64, done func()) (cancel func()) {
	return n.repl.Await(offset, int(n.syncReplicas.Load()), done)
}

// stepDown ends the reign of a master, whose successor has the log up to kept (-1:
// unknown). All stripes are held.
func (n *Node) stepDown() {
	n.engine.StepDown(n.kept)
	n.kept = -1
	n.reconsider()
}

// reconsider has the loops look anew at the replies that wait.
func (n *Node) reconsider() {
	for _, l := range n.loops {
		l.Reconsider()
	}
}
