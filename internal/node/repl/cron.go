package repl

import (
	"fmt"
	"time"
)

// rounds are when what follows the clock is due, and when the last PING was sent,
// Unix ms. The clock's goroutine alone uses it.
type rounds struct{ tenth, second, ping int64 }

// Tick is what follows the clock: the end of WAITs and of failovers each time, the
// rest ten times or once a second. The node calls it often, from one goroutine.
func (r *Repl) Tick(nowMs int64) {
	r.expireWaits(nowMs)
	r.watchFailover(nowMs)
	if nowMs < r.rounds.tenth {
		return
	}
	r.rounds.tenth = nowMs + 100
	r.limit(nowMs)
	r.startSync(false)
	r.askAgain()
	if nowMs < r.rounds.second {
		return
	}
	r.rounds.second = nowMs + 1000
	r.keepAlive(nowMs)
	r.dropSilent(nowMs)
	r.expireBacklog(nowMs)
	r.mu.Lock()
	r.judge()
	r.mu.Unlock()
}

// askAgain repeats a request for acknowledgements that somebody still waits for.
func (r *Repl) askAgain() {
	r.mu.Lock()
	wanted := len(r.waits) > 0
	r.mu.Unlock()
	if wanted {
		r.ask()
	}
}

// keepAlive sends PING to those who follow, and an empty line to those who wait for
// an RDB, so that they know that the master is there.
func (r *Repl) keepAlive(nowMs int64) {
	r.mu.Lock()
	any := len(r.replicas) > 0 && r.link == nil
	var presync []*replica
	for _, p := range r.replicas {
		if p.phase == waiting || p.phase == syncing && (r.job == nil || !r.job.sockets) {
			presync = append(presync, p)
		}
	}
	r.mu.Unlock()
	if any && nowMs-r.rounds.ping >= r.tuning.Load().PingPeriod.Milliseconds()-100 { // rounds come a little late
		r.rounds.ping = nowMs
		r.append(argvPing, true)
	}
	for _, p := range presync {
		p.stream.say([]byte("\n"))
	}
}

// dropSilent closes the connections of those who do not acknowledge or do not read.
func (r *Repl) dropSilent(nowMs int64) {
	timeout := r.tuning.Load().Timeout.Milliseconds()
	for _, p := range r.followers() {
		r.mu.Lock()
		silent := p.phase == online && !p.old && nowMs-p.ackMs > timeout
		sending := p.phase == syncing
		r.mu.Unlock()
		if stuck := p.stream.stuckSince(); silent {
			r.drop(p, "Disconnecting timedout replica (streaming sync): "+p.name())
		} else if sending && stuck > 0 && nowMs-stuck > timeout {
			r.drop(p, "Disconnecting timedout replica (full sync): "+p.name())
		}
	}
}

// limit closes the connections of those who are too far behind: the log is kept
// for them. It cuts off by itself who exceeds the hard limit that there was when
// the replica came.
func (r *Repl) limit(nowMs int64) {
	t, most := r.tuning.Load(), r.most()
	for _, p := range r.followers() {
		behind := p.stream.Waiting()
		r.mu.Lock()
		switch {
		case t.SoftLimit == 0 || behind < t.SoftLimit:
			p.softMs = 0
		case p.softMs == 0:
			p.softMs = nowMs
		}
		over := p.softMs > 0 && nowMs-p.softMs > t.SoftTime.Milliseconds()
		r.mu.Unlock()
		if over || most > 0 && behind > most || p.stream.cutOff() {
			r.drop(p, fmt.Sprintf("Client id=%d addr=%s (replica %s) scheduled to be closed ASAP for overcoming of output buffer limits.", p.s.ID(), p.s.Peer(), p.name()))
		}
	}
}

// expireBacklog ends the backlog that no replica has come back for. What happens
// from then on has no offset, so it is another history.
func (r *Repl) expireBacklog(nowMs int64) {
	ttl := r.tuning.Load().BacklogTTL
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.replicas) > 0 || !r.keeping || r.link != nil || ttl == 0 || nowMs-r.alone <= ttl.Milliseconds() {
		return
	}
	r.restart()
	r.closeBacklog()
	r.opt.Slog.Info(fmt.Sprintf("Replication backlog freed after %d seconds without connected replicas.", int64(ttl/time.Second)))
}

// judge counts the replicas that are near enough, and refuses or allows writes by
// it; r.mu is held.
func (r *Repl) judge() {
	t := r.tuning.Load()
	r.good = 0
	second := now() / 1000
	for _, p := range r.replicas {
		if p.phase == online && second-p.ackMs/1000 <= int64(t.MinReplicasLag/time.Second) {
			r.good++
		}
	}
	r.opt.Gates.FewReplicas.Store(r.link == nil && t.counts() && r.good < t.MinReplicas)
}

// counts tells whether writes need replicas.
func (t *Tuning) counts() bool { return t.MinReplicas > 0 && t.MinReplicasLag > 0 }

// retune follows new directives; r.mu is held.
func (r *Repl) retune() {
	if r.keeping {
		r.openBacklog()
	}
	r.judge()
}
