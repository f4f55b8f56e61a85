package repl

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
)

// Refusals of SYNC and PSYNC, in redis's words.
const (
	errFailingOver  = "NOMASTERLINK Can't SYNC while failing over"
	errNoMasterLink = "NOMASTERLINK Can't SYNC while not connected with my master"
	errNeedsEOF     = "ERR Filtered replica requires EOF capability"
	errNotInteger   = "ERR value is not an integer or out of range"
)

// syncCommand is SYNC: a full sync for one that does not acknowledge.
func (r *Repl) syncCommand(c *command.Call, s *session.Session) {
	p := r.of(s)
	if r.admits(c, p) {
		p.old = true
		r.fullSync(p, c.Now)
	}
}

// psyncCommand is PSYNC id offset [FAILOVER]: goes on behind offset-1 of the stream
// called id, if that can be, and else with a full sync. It holds all stripes: what the
// backlog keeps is asked between transactions, not in the middle of one that first closes
// the replica's connection and then writes.
func (r *Repl) psyncCommand(c *command.Call, s *session.Session) {
	p := r.of(s)
	if s.Is(session.Replica) || s.Link != nil {
		return
	}
	if len(c.Args) > 3 && strings.EqualFold(c.Arg(3), "failover") && !r.takeOver(c, s) {
		return
	}
	if !r.admits(c, p) {
		return
	}
	id := c.Arg(1)
	offset, err := strconv.ParseInt(c.Arg(2), 10, 64)
	if err != nil {
		r.opt.Slog.Warn("Replica " + p.name() + " asks for synchronization but with a wrong offset")
		c.Out.Error(errNotInteger)
		return
	}
	if r.resume(p, id, offset, c.Now) {
		r.stats.partialOK.Add(1)
		return
	}
	if id[:min(len(id), 1)] != "?" {
		r.stats.partialErr.Add(1)
	}
	r.fullSync(p, c.Now)
}

// admits answers what speaks against p following us now.
func (r *Repl) admits(c *command.Call, p *replica) bool {
	link, following := r.Link()
	refusal := ""
	switch {
	case p.s.Is(session.Replica), p.s.Link != nil:
		return false
	case r.failoverState() != noFailover:
		refusal = errFailingOver
	case following && !link.Up:
		refusal = errNoMasterLink
	case p.filtered && !p.eof:
		refusal = errNeedsEOF
	}
	if refusal != "" {
		c.Out.Error(refusal)
		return false
	}
	r.opt.Slog.Info("Replica " + p.name() + " asks for synchronization")
	return true
}

// resume makes p go on with the byte offset of the stream called id, and tells
// whether that could be done.
func (r *Repl) resume(p *replica, id string, offset, nowMs int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if why := r.refuses(p, id, offset); why != "" {
		r.opt.Slog.Info(why)
		return false
	}
	reader, err := r.log.ReadFrom(offset-1, r.most())
	if !r.keeping || err != nil {
		r.opt.Slog.Info(fmt.Sprintf("Unable to partial resync with replica %s for lack of backlog (Replica request was: %d).", p.name(), offset))
		if offset > r.log.Offset() {
			r.opt.Slog.Warn(fmt.Sprintf("Warning: replica %s tried to PSYNC with an offset that is greater than the master replication offset.", p.name()))
		}
		if err == nil {
			reader.Close()
		}
		return false
	}
	reader.Ring = p.stream.ring
	line := "+CONTINUE\r\n"
	if p.psync2 {
		line = "+CONTINUE " + r.hist.ID + "\r\n"
	}
	r.opt.Slog.Info(fmt.Sprintf("Partial resynchronization request from %s accepted. Sending %d bytes of backlog starting from offset %d.",
		p.name(), r.log.Offset()-offset+1, offset))
	r.join(p, online, nowMs)
	p.stream.begin(line, nil, reader)
	p.stream.flow()
	r.judge()
	return true
}

// refuses tells why the stream called id does not go on with the byte offset here.
func (r *Repl) refuses(p *replica, id string, offset int64) string {
	h := &r.hist
	switch {
	case h.continues(strings.ToLower(id), offset):
		return ""
	case strings.HasPrefix(id, "?"):
		return "Full resync requested by replica " + p.name()
	case strings.EqualFold(id, h.ID2):
		if r.opt.Diverged != nil {
			r.opt.Diverged(p.name(), offset-h.SecondOffset)
		}
		return fmt.Sprintf("Partial resynchronization not accepted: Requested offset for second ID was %d, but I can reply up to %d", offset, h.SecondOffset)
	}
	return fmt.Sprintf("Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '%s', my replication IDs are '%s' and '%s')", id, h.ID, h.ID2)
}

// fullSync puts p among those who wait for a cut.
func (r *Repl) fullSync(p *replica, nowMs int64) {
	r.stats.full.Add(1)
	t := r.tuning.Load()
	if t.DisableTCPNoDelay && r.opt.Delay != nil {
		r.opt.Delay(p.s)
	}
	r.mu.Lock()
	r.join(p, waiting, nowMs)
	if len(r.replicas) == 1 && !r.keeping {
		r.restart() // what happened so far is in nobody's stream
		r.openBacklog()
		r.opt.Slog.Info(fmt.Sprintf("Replication backlog created, my new replication IDs are '%s' and '%s'", r.hist.ID, r.hist.ID2))
	}
	delayed := r.job == nil && t.Diskless && p.eof && t.DisklessDelay > 0
	attached := r.attach(p)
	busy := r.job
	r.mu.Unlock()
	switch {
	case attached:
	case busy != nil && busy.sockets:
		r.opt.Slog.Info("Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC")
	case busy != nil:
		r.opt.Slog.Info("Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC")
	case delayed:
		r.opt.Slog.Info("Delay next BGSAVE for diskless SYNC")
	default:
		r.startSync(true)
	}
}

// restart begins a new history at the log's present end; r.mu is held.
func (r *Repl) restart() { r.hist = newHistory(r.opt.NewID()) }

// most is how many bytes of the log a replica may be behind, 0: any number.
func (r *Repl) most() int64 {
	t := r.tuning.Load()
	if t.HardLimit == 0 {
		return 0
	}
	return max(t.HardLimit, t.BacklogBytes)
}
