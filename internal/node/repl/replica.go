package repl

import (
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/skeindb/skein/internal/node/session"
)

// phase is how far a replica is.
type phase int

const (
	talking     phase = iota // REPLCONF so far
	waiting                  // for the cut of a full sync
	syncing                  // the cut is made; the RDB is on its way to the sockets, or to the file
	copying                  // the file is on its way
	online                   //
	transmitted              // it wanted the RDB only, and has it
)

// phaseWords are INFO's.
var phaseWords = [...]string{"", "wait_bgsave", "wait_bgsave", "send_bulk", "online", "rdb_transmitted"}

// replica is one that follows us, or a connection that is about to. Its fields,
// but for session and stream, are under Repl.mu.
type replica struct {
	s        *session.Session
	port     int    // REPLCONF listening-port, 0: unknown
	addr     string // REPLCONF ip-address, "": the peer's
	eof      bool   // capa eof: finds the end of an RDB of unknown length
	psync2   bool   // capa psync2: understands +CONTINUE id
	fields   bool   // capa field-expiry: knows hashes whose fields have deadlines
	rdbOnly  bool   // rdb-only 1
	filtered bool   // rdb-filter-only: functions at most, no keys
	old      bool   // came by SYNC: does not acknowledge
	waited   bool   // its request that we take over has waited for our master's stream, and is tried again

	stream *stream
	phase  phase
	joined int64 // Unix ms of its PSYNC
	ack    int64 // highest offset acknowledged
	ackMs  int64 // Unix ms of the last acknowledgement
	onAck  bool  // the log flows from its next acknowledgement on
	acked  bool  // acknowledged while syncing
	softMs int64 // Unix ms since when it is behind by more than the soft limit, 0: it is not
}

// of is what is known of a session as a replica, made when first asked for. Only
// the session's loop calls it.
func (r *Repl) of(s *session.Session) *replica {
	if p, ok := s.Following.(*replica); ok {
		return p
	}
	p := &replica{s: s, stream: &stream{ring: s.Ring}}
	s.Following = p
	return p
}

// ip is the address that INFO and FAILOVER know the replica by.
func (p *replica) ip() string {
	if p.addr != "" {
		return p.addr
	}
	if p.s.Path != "" {
		return p.s.Path
	}
	return p.s.Remote.Addr().Unmap().String()
}

// name is how the log calls the replica.
func (p *replica) name() string {
	if p.port == 0 {
		return p.ip() + ":<unknown-replica-port>"
	}
	return net.JoinHostPort(p.ip(), strconv.Itoa(p.port))
}

// join makes p one of the replicas; r.mu is held.
func (r *Repl) join(p *replica, in phase, nowMs int64) {
	p.phase, p.joined, p.ackMs = in, nowMs, nowMs
	r.replicas = append(r.replicas, p)
	p.s.Set(session.Replica)
	p.s.Source = p.stream
}

// Closed takes note that a connection is gone. Its loop calls it.
func (r *Repl) Closed(s *session.Session) {
	r.forgetWait(s)
	if p, ok := s.Following.(*replica); ok {
		if r.part(p) {
			r.opt.Slog.Info("Connection with replica " + p.name() + " lost.")
		}
		p.stream.close()
	}
}

// part makes p none of the replicas any more, and tells whether it was one.
func (r *Repl) part(p *replica) bool {
	if !r.remove(p) {
		return false
	}
	r.giveUp()
	return true
}

func (r *Repl) remove(p *replica) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.replicas, p)
	if i < 0 {
		return false
	}
	r.replicas = slices.Delete(slices.Clone(r.replicas), i, i+1)
	r.alone = now()
	r.asked = 0 // who was asked for an acknowledgement may be the one that is gone
	r.judge()
	return true
}

// drop closes the connection of a replica.
func (r *Repl) drop(p *replica, why string) {
	r.opt.Slog.Warn(why)
	r.part(p)
	p.stream.close()
	r.opt.Clients.Kill(p.s)
}

// dropReplicas closes the connections of all of them.
func (r *Repl) dropReplicas(why string) {
	for _, p := range r.followers() {
		r.drop(p, "Disconnecting replica "+p.name()+": "+why)
	}
}

// followers are the replicas there are now.
func (r *Repl) followers() []*replica {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.replicas)
}

// now is the time in Unix ms.
func now() int64 { return time.Now().UnixMilli() }
