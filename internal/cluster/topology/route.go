package topology

import (
	"strconv"

	"github.com/skeindb/skein/internal/cluster/bus"
)

// Verdict says what to do with a command that names keys.
type Verdict uint8

// The verdicts. All but Serve answer the client with an error of AppendError.
const (
	Serve        Verdict = iota // run it here
	Unserved                    // the slot has no owner
	CrossSlot                   // the keys hash to different slots
	Down                        // the cluster is down
	DownReadOnly                // the cluster is down and serves reads only
	TryAgain                    // some of several keys have moved
	Ask                         // the keys have moved, the slot has not: ask there once
	Moved                       // the slot is another node's
)

// Request is what routing needs to know about a command, or about an EXEC and all that it queued. Its keys
// are channels if it is a shard pub/sub command. A command without keys is served everywhere and makes no
// request.
type Request struct {
	Slot      uint16 // of the first key
	CrossSlot bool   // a later key has another slot

	Write       bool // the command has the write flag; of a script call, the script. False for EXEC
	ExecWrites  bool // EXEC, and a queued command writes
	Asking      bool // the client sent ASKING, or the command implies it (RESTORE-ASKING)
	ReadOnly    bool // the client sent READONLY
	ShardPubSub bool // SSUBSCRIBE, SUNSUBSCRIBE or SPUBLISH
	Migrate     bool // MIGRATE

	// Keys tells which keys are here. It is called at most once, and only if the slot is open; lookups
	// must leave no trace in statistics, expiry or access times. Nil if nothing is here.
	Keys func() KeyFacts
}

// KeyFacts counts the keys of a request in the local keyspace.
type KeyFacts struct {
	Present  int
	Missing  int
	Distinct bool // at least two different keys are named
}

// Decision is a verdict with what a redirect must name.
type Decision struct {
	Verdict Verdict
	Slot    uint16
	Node    uint16 // Ask, Moved: index of the node to go to
}

// Route decides where a command is served. It allocates nothing. The order of the questions is Redis's,
// and clients depend on it.
func (v *View) Route(r *Request) Decision {
	owner := v.Owners[r.Slot]
	switch {
	case owner == NoNode:
		return Decision{Unserved, r.Slot, NoNode}
	case r.CrossSlot:
		return Decision{CrossSlot, r.Slot, NoNode}
	case v.served.Has(r.Slot):
		return Decision{Serve, r.Slot, owner}
	}
	if verdict := v.whenDown(r); verdict != Serve {
		return Decision{verdict, r.Slot, NoNode}
	}
	if d, decided := v.whenOpen(r, owner); decided {
		return d
	}
	if owner == v.Me || owner == v.MyMaster() && r.readsFromReplica() {
		return Decision{Serve, r.Slot, owner}
	}
	return Decision{Moved, r.Slot, owner}
}

// whenDown refuses what a cluster that is down does not serve.
func (v *View) whenDown(r *Request) Verdict {
	switch {
	case v.State == bus.StateOK:
		return Serve
	case r.ShardPubSub:
		if v.AllowPubSubShardWhenDown {
			return Serve
		}
		return Down
	case !v.AllowReadsWhenDown:
		return Down
	case r.Write:
		return DownReadOnly
	}
	return Serve
}

// whenOpen decides about a slot that is on its way: mine to another node, or another's to me.
func (v *View) whenOpen(r *Request, owner uint16) (d Decision, decided bool) {
	migratingTo, importingFrom := v.openAs(r.Slot)
	migrating := owner == v.Me && migratingTo != NoNode
	importing := !migrating && importingFrom != NoNode
	if !migrating && !importing {
		return Decision{}, false
	}
	if r.Migrate {
		return Decision{Serve, r.Slot, owner}, true
	}
	var keys KeyFacts
	if r.Keys != nil && !r.ShardPubSub {
		keys = r.Keys()
	}
	switch {
	case migrating && keys.Missing > 0 && keys.Present > 0:
		return Decision{TryAgain, r.Slot, NoNode}, true
	case migrating && keys.Missing > 0:
		return Decision{Ask, r.Slot, migratingTo}, true
	case importing && r.Asking && keys.Distinct && keys.Missing > 0:
		return Decision{TryAgain, r.Slot, NoNode}, true
	case importing && r.Asking:
		return Decision{Serve, r.Slot, owner}, true
	}
	return Decision{}, false
}

// readsFromReplica reports whether a replica may serve r for its master.
func (r *Request) readsFromReplica() bool {
	return (r.ReadOnly || r.ShardPubSub) && !r.Write && !r.ExecWrites
}

// RouteBlocked decides about a client that is blocked on keys of slot, after the view has changed: Serve
// means that it may go on waiting. All that it needs of the client is whether it sent READONLY and whether
// its command writes.
func (v *View) RouteBlocked(slot uint16, readOnly, write bool) Decision {
	owner := v.Owners[slot]
	_, importingFrom := v.openAs(slot)
	switch {
	case v.State != bus.StateOK:
		return Decision{Down, slot, NoNode}
	case owner == v.Me, importingFrom != NoNode:
		return Decision{Serve, slot, owner}
	case owner == NoNode:
		return Decision{Unserved, slot, NoNode}
	case owner == v.MyMaster() && readOnly && !write:
		return Decision{Serve, slot, owner}
	}
	return Decision{Moved, slot, owner}
}

// AppendError appends the error reply of d without the leading '-' and the line end. A client connected
// by TLS is sent to the TLS port. For Serve it appends nothing.
func (v *View) AppendError(dst []byte, d Decision, tls bool) []byte {
	switch d.Verdict {
	case Unserved:
		return append(dst, "CLUSTERDOWN Hash slot not served"...)
	case CrossSlot:
		return append(dst, "CROSSSLOT Keys in request don't hash to the same slot"...)
	case Down:
		return append(dst, "CLUSTERDOWN The cluster is down"...)
	case DownReadOnly:
		return append(dst, "CLUSTERDOWN The cluster is down and only accepts read commands"...)
	case TryAgain:
		return append(dst, "TRYAGAIN Multiple keys request during rehashing of slot"...)
	case Ask:
		return v.appendRedirect(append(dst, "ASK "...), d, tls)
	case Moved:
		return v.appendRedirect(append(dst, "MOVED "...), d, tls)
	}
	return dst
}

// appendRedirect appends "3999 127.0.0.1:6381".
func (v *View) appendRedirect(dst []byte, d Decision, tls bool) []byte {
	node := &v.Nodes[d.Node]
	dst = strconv.AppendUint(dst, uint64(d.Slot), 10)
	dst = append(dst, ' ')
	dst = append(dst, v.Endpoint.endpoint(node)...)
	dst = append(dst, ':')
	return strconv.AppendUint(dst, uint64(node.clientPort(tls)), 10)
}
