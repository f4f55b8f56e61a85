package repl

import "github.com/skeindb/skein/internal/cluster/core"

// Link is how the link to the master stands; a master has none.
func (r *Repl) Link() (l LinkFacts, following bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.link
	if f == nil {
		return LinkFacts{State: "none", Read: -1, Applied: -1}, false
	}
	l = LinkFacts{Host: f.host, Port: f.port, State: stateWords[f.state.Load()],
		Up: f.up(), LastIOMs: f.lastMs.Load(), DownMs: r.downMs, Read: -1, Applied: -1}
	if r.resumable || l.Up {
		l.Applied = r.log.Offset()
		l.Read = l.Applied + f.unread.Load()
	}
	if state(f.state.Load()) == receiving {
		l.Syncing, l.SyncTotal, l.SyncRead, l.SyncLastMs = true, max(f.total.Load(), 0), f.got.Load(), f.gotMs.Load()
	}
	return l, true
}

// UnexpectedErrors is how many commands of the master have failed here.
func (r *Repl) UnexpectedErrors() int64 { return r.unexpected.Load() }

// The cluster's side. Follow and Promote are called under all stripes.

// Follow makes the node a replica of the master at an address, or of another one. Host is
// empty while it is unknown.
func (r *Repl) Follow(host string, port int) { r.follow(host, port, nil) }

// Promote makes the node a master, if it is a replica.
func (r *Repl) Promote() { r.promote() }

// Facts is what the cluster's elections need to know.
func (r *Repl) Facts() core.ReplicationFacts {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.link
	if f == nil {
		return core.ReplicationFacts{Offset: r.log.Offset()}
	}
	facts := core.ReplicationFacts{LinkUp: f.up(), InStep: f.inStep, LastIO: core.Millis(f.lastMs.Load()), DownSince: core.Millis(r.downMs)}
	if r.resumable || facts.LinkUp {
		facts.Offset = r.log.Offset()
	} else {
		facts.Hollow = true
	}
	return facts
}

// Restore takes over the history that an RDB loaded at start tells of, before Begin. A
// replica asks its master to go on from there; a master goes on under a new ID, for
// replicas that know the old one.
func (r *Repl) Restore(a Aux) {
	if len(a.ID) != idLen || a.Offset < 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hist = newHistory(a.ID)
	r.log.Restart(a.Offset)
	if a.StreamDB >= 0 && a.StreamDB < r.opt.Keyspace.Databases() {
		r.log.Select(a.StreamDB)
	}
	r.openBacklog()
	if r.resumable = r.link != nil; !r.resumable {
		r.hist.shift(r.opt.NewID(), a.Offset)
		r.log.ForgetDB()
	}
}

// closeLink ends the link, for good: the node ends. It waits.
func (r *Repl) closeLink() {
	r.mu.Lock()
	r.unlink()
	last := r.last
	r.mu.Unlock()
	if last != nil {
		<-last.done
	}
}
