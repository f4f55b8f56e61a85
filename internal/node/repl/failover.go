package repl

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/session"
)

// failoverState is how far a FAILOVER is. The words are INFO's.
type failoverState string

const (
	noFailover     failoverState = "no-failover"
	failoverWaits  failoverState = "waiting-for-sync"     // writes are paused
	failoverAsking failoverState = "failover-in-progress" // we follow the target and ask it to take over
)

// failover is FAILOVER: writes are paused, and when a replica has all of the log,
// it is asked to become the master (PSYNC id offset FAILOVER) by us, its replica.
//
//	no-failover ─ FAILOVER ─> waiting-for-sync ─ in step, or FORCE ─> failover-in-progress
//	     ^                          │ timeout, ABORT                          │
//	     └──────────────────────────┴── done, or refused: a master again ─────┘
type failover struct {
	state failoverState
	host  string // of the target; "": any
	port  int
	endMs int64 // Unix ms, 0: no timeout
	force bool
}

func (r *Repl) failoverState() failoverState {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failover.state
}

// failoverCommand is FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT ms]. It holds
// all stripes.
func (r *Repl) failoverCommand(c *command.Call) {
	switch {
	case r.opt.Cluster:
		c.Out.Error("ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.")
		return
	case len(c.Args) == 2 && strings.EqualFold(c.Arg(1), "abort"):
		if !r.abortFailover("Failover manually aborted") {
			c.Out.Error("ERR No failover in progress.")
			return
		}
		c.Out.OK()
		return
	}
	f, err := parseFailover(c)
	if err == nil {
		err = r.beginFailover(f)
	}
	if err != nil {
		c.Fail(err)
		return
	}
	r.opt.Engine.Pause(exec.ByHandOver, exec.PauseWrite, math.MaxInt64)
	c.Out.OK()
}

func parseFailover(c *command.Call) (f failover, err error) {
	a := c.Parse(1)
	timeout := int64(0)
	to := false
	for a.More() {
		switch {
		case timeout == 0 && a.IsWith("TIMEOUT", 1):
			if timeout = a.Int(); a.Err() == nil && timeout <= 0 {
				a.Fail(command.Error("ERR FAILOVER timeout must be greater than 0"))
			}
		case !to && a.IsWith("TO", 2):
			f.host, to = string(a.Next()), true
			f.port = int(a.Int())
		case !f.force && a.Is("FORCE"):
			f.force = true
		default:
			a.Syntax()
		}
	}
	if timeout > 0 {
		f.endMs = c.Now + timeout
	}
	return f, a.Err()
}

// beginFailover says what speaks against f, or makes it the one under way.
func (r *Repl) beginFailover(f failover) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	target := r.find(f.host, f.port)
	switch {
	case r.failover.state != noFailover:
		return command.Error("ERR FAILOVER already in progress.")
	case r.link != nil:
		return command.Error("ERR FAILOVER is not valid when server is a replica.")
	case len(r.replicas) == 0:
		return command.Error("ERR FAILOVER requires connected replicas.")
	case f.force && (f.endMs == 0 || f.host == ""):
		return command.Error("ERR FAILOVER with force option requires both a timeout and target HOST and IP.")
	case f.host != "" && target == nil:
		return command.Error("ERR FAILOVER target HOST and PORT is not a replica.")
	case f.host != "" && target.phase != online:
		return command.Error("ERR FAILOVER target replica is not online.")
	}
	f.state = failoverWaits
	r.failover = f
	if f.host != "" {
		r.opt.Slog.Info(fmt.Sprintf("FAILOVER requested to %s:%d.", f.host, f.port))
	} else {
		r.opt.Slog.Info("FAILOVER requested to any replica.")
	}
	return nil
}

// find is the replica at an address, or nil; r.mu is held.
func (r *Repl) find(host string, port int) *replica {
	for _, p := range r.replicas {
		if strings.EqualFold(p.ip(), host) && p.port == port {
			return p
		}
	}
	return nil
}

// watchFailover goes on with a failover whose target is in step, or whose time is over.
func (r *Repl) watchFailover(nowMs int64) {
	if r.failoverState() != failoverWaits {
		return
	}
	r.world(func() {
		switch late, synced := r.target(nowMs); {
		case late:
			r.abortFailover("Replica never caught up before timeout")
		case synced:
			r.handOver()
		}
	})
}

// target chooses whom to hand over to. late: the time is over and nobody is in step.
func (r *Repl) target(nowMs int64) (late, found bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := &r.failover
	if f.state != failoverWaits {
		return false, false
	}
	if f.endMs > 0 && nowMs >= f.endMs {
		if f.force {
			r.opt.Slog.Info(fmt.Sprintf("FAILOVER to %s:%d time out exceeded, failing over.", f.host, f.port))
		}
		return !f.force, f.force
	}
	for _, p := range r.replicas {
		if p.phase == online && p.ack == r.log.Offset() && (f.host == "" || p == r.find(f.host, f.port)) {
			f.host, f.port = p.ip(), p.port
			r.opt.Slog.Info(fmt.Sprintf("Failover target %s:%d is synced, failing over.", f.host, f.port))
			return false, true
		}
	}
	return false, false
}

// handOver makes the node a replica of the target, which is asked to become its
// master. All stripes are held.
func (r *Repl) handOver() {
	r.mu.Lock()
	r.failover.state = failoverAsking
	host, port := r.failover.host, r.failover.port
	r.mu.Unlock()
	r.follow(host, port, func(err error) {
		r.world(func() {
			if err != nil {
				r.abortFailover(err.Error())
			} else {
				r.endFailover()
			}
		})
	})
}

// abortFailover ends a failover without effect, and tells whether there was one.
// All stripes are held.
func (r *Repl) abortFailover(why string) bool {
	r.mu.Lock()
	f := r.failover
	r.mu.Unlock()
	switch f.state {
	case noFailover:
		return false
	case failoverAsking:
		r.promote()
	}
	whom := "any replica"
	if f.host != "" {
		whom = fmt.Sprintf("%s:%d", f.host, f.port)
	}
	r.opt.Slog.Info("FAILOVER to " + whom + " aborted: " + why)
	r.endFailover()
	return true
}

func (r *Repl) endFailover() {
	r.mu.Lock()
	was := r.failover.state != noFailover
	r.failover = failover{state: noFailover}
	r.mu.Unlock()
	if was {
		r.opt.Engine.Unpause(exec.ByHandOver)
	}
}

// takeOver is the other side of it: our master, as a replica, asks us to become the
// master. Not ok: a refusal is answered, or the command will be tried again. The caller
// holds all stripes.
func (r *Repl) takeOver(c *command.Call, s *session.Session) (ok bool) {
	p := r.of(s)
	again := p.waited
	if p.waited = false; !again {
		r.opt.Slog.Info("Failover request received for replid " + c.Arg(1) + ".")
	}
	refusal := ""
	r.mu.Lock()
	switch {
	case r.link == nil:
		refusal = "ERR PSYNC FAILOVER can't be sent to a master."
	case !strings.EqualFold(c.Arg(1), r.hist.ID):
		refusal = "ERR PSYNC FAILOVER replid must match my replid."
	}
	r.mu.Unlock()
	if refusal != "" {
		c.Out.Error(refusal)
		return false
	}
	if end, err := strconv.ParseInt(c.Arg(2), 10, 64); err == nil && r.lacks(end-1) && !again {
		p.waited = true
		r.retryWithStream(c, s, end-1)
		return false
	}
	r.promote()
	r.opt.Slog.Info(fmt.Sprintf("MASTER MODE enabled (failover request from 'id=%d addr=%s')", s.ID(), s.Peer()))
	return true
}

// lacks tells whether the stream of our master flows but has not brought us to the offset.
func (r *Repl) lacks(offset int64) bool {
	link, following := r.Link()
	return following && link.Up && link.Applied < offset
}

// streamMost is how long a request to take over waits for what the master had sent before.
const streamMost = time.Second

// retryWithStream runs the command again when the stream has brought us to the offset, has
// ended, or does not seem to get there: who has stood still (FAILOVER FORCE) finds the
// master's last writes and its request to take over on two connections at once.
func (r *Repl) retryWithStream(c *command.Call, s *session.Session, offset int64) {
	exec.Wait(s, c.Args)
	go func() {
		defer s.Wake()
		for until := time.Now().Add(streamMost); r.lacks(offset) && time.Now().Before(until); {
			time.Sleep(time.Millisecond)
		}
	}()
}
