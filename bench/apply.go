//go:build linux

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/skeindb/skein/bench/rig"
)

// An ApplyCell asks how fast a replica applies what its master has written, beside how fast the master wrote it.
//
//	master    SETs of redis-benchmark, pipelined, while the replica is stopped (SIGSTOP)
//	replica   goes on (SIGCONT) and has nothing to do but to apply them
//
// So each has the machine for itself, but for redis-benchmark beside the master and the sending master beside the replica.
type ApplyCell struct {
	Keys, ValueBytes, Pipeline int
	Requests                   int
	Rounds                     int
}

// Name returns the cell's name, as in apply/3/P64.
func (a ApplyCell) Name() string { return fmt.Sprintf("apply/%d/P%d", a.ValueBytes, a.Pipeline) }

// Estimate returns the time that the cell takes.
func (a ApplyCell) Estimate() time.Duration {
	rate := float64(loadKeysPerSecond)
	seconds := 2*float64(a.Keys)/rate + float64(a.Rounds)*2*float64(a.Requests)/rate
	return 2 * (2*startTime + settleTime + time.Duration(seconds*float64(time.Second)))
}

// Applied is what one round gave for one server.
type Applied struct {
	Master, Replica Sample
}

// ratio is the replica's speed divided by its master's.
func (a Applied) ratio() float64 { return a.Replica.OpsPerSecond / a.Master.OpsPerSecond }

// An ApplyResult is what one apply cell gave, the peer's rounds and the subject's.
type ApplyResult struct {
	Cell   ApplyCell
	Rounds [2][]Applied
	Err    error
}

// applyCell is the applier's cell of a plan.
func applyCell(rounds, requests int) ApplyCell {
	return ApplyCell{Keys: 1_000_000, ValueBytes: 3, Pipeline: 64, Requests: requests, Rounds: rounds}
}

const (
	catchUpLimit = 2 * time.Minute
	catchUpEvery = 2 * time.Millisecond
)

// apply measures a master and its replica of both servers.
func (r *runner) apply(ctx context.Context, a ApplyCell) ApplyResult {
	result := ApplyResult{Cell: a}
	if !r.hasTime(a.Estimate()) {
		result.Err = errNoTime
		return result
	}
	for i := range r.sides {
		rig.Progress("apply: %s", r.sides[i].name)
		if result.Rounds[i], result.Err = r.applyRounds(ctx, i, a); result.Err != nil {
			break
		}
	}
	return result
}

func (r *runner) applyRounds(ctx context.Context, i int, a ApplyCell) (rounds []Applied, err error) {
	var pair [2]*Server
	for k := range pair {
		if pair[k], err = Start(ctx, r.launch(i, false, false)); err != nil {
			return nil, err
		}
		defer pair[k].Stop()
	}
	master, replica := pair[0], pair[1]
	if err := link(ctx, master, replica); err != nil {
		return nil, err
	}
	if err := master.load(ctx, a.Keys, a.ValueBytes); err != nil {
		return nil, err
	}
	replica.keys = a.Keys
	for range a.Rounds {
		if _, err := replica.catchUp(ctx, master); err != nil {
			return rounds, err
		}
		round, err := r.applyRound(ctx, master, replica, a)
		if err != nil {
			return rounds, err
		}
		rounds = append(rounds, round)
		rig.Progress("  %.0f kop/s written, %.0f kop/s applied", round.Master.OpsPerSecond/1000, round.Replica.OpsPerSecond/1000)
	}
	if _, err := replica.catchUp(ctx, master); err != nil {
		return rounds, err
	}
	return rounds, replica.checkKeys(ctx)
}

// link makes a server the replica of another one that will have to keep for it whatever it writes.
func link(ctx context.Context, master, replica *Server) error {
	for _, s := range []*Server{master, replica} {
		for _, directive := range [][2]string{
			{"client-output-buffer-limit", "replica 0 0 0"}, {"repl-backlog-size", "1gb"}, {"repl-timeout", "600"},
			{"repl-diskless-sync-delay", "0"},
		} {
			if _, err := s.Ask(ctx, "CONFIG", "SET", directive[0], directive[1]); err != nil {
				return fmt.Errorf("%s: CONFIG SET %s: %w", s.Name, directive[0], err)
			}
		}
	}
	if _, err := replica.Ask(ctx, "REPLICAOF", "127.0.0.1", strconv.Itoa(master.Port)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	return replica.await(ctx, "master_link_status:up", "INFO", "replication")
}

// applyRound lets the master write, then the replica apply it.
func (r *runner) applyRound(ctx context.Context, master, replica *Server, a ApplyCell) (round Applied, err error) {
	replica.cmd.Process.Signal(syscall.SIGSTOP)
	defer replica.cmd.Process.Signal(syscall.SIGCONT) // it must be able to end
	load := Cell{Op: "SET", ValueBytes: a.ValueBytes, Pipeline: a.Pipeline, RunTime: catchUpLimit / 10}
	requests := wholeBatches(a.Requests, a.Pipeline)
	if round.Master, err = r.sample(ctx, master, load, requests); err != nil {
		return round, master.explain(err)
	}
	before, err := CPUTime(replica.Pid)
	if err != nil {
		return round, err
	}
	begun := time.Now()
	replica.cmd.Process.Signal(syscall.SIGCONT)
	end, err := replica.catchUp(ctx, master)
	if err != nil {
		return round, err
	}
	after, err := CPUTime(replica.Pid)
	round.Replica = Sample{(after - before) / time.Duration(requests), float64(requests) / end.Sub(begun).Seconds()}
	return round, err
}

// catchUp waits until a replica has applied all that its master has written, and returns when that was.
func (s *Server) catchUp(ctx context.Context, master *Server) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, catchUpLimit)
	defer cancel()
	target, err := master.offset(ctx, "master_repl_offset:")
	for err == nil {
		var applied int64
		if applied, err = s.offset(ctx, "slave_repl_offset:"); err == nil && applied >= target {
			return time.Now(), nil
		}
		if err == nil {
			err = rig.Sleep(ctx, catchUpEvery)
		}
	}
	return time.Time{}, s.explain(fmt.Errorf("%s: waiting for the replica: %w", s.Name, err))
}

// offset is a number of INFO replication.
func (s *Server) offset(ctx context.Context, label string) (int64, error) {
	info, err := s.Ask(ctx, "INFO", "replication")
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(field(info, label)), 10, 64)
}

// row is the cell's line in the report, one server after the other.
func (a ApplyResult) row() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | %d", a.Cell.Name(), min(len(a.Rounds[0]), len(a.Rounds[1])))
	for _, rounds := range a.Rounds {
		median := func(figure func(Applied) float64) float64 { return spreadOfFigures(rounds, figure).Median }
		fmt.Fprintf(&b, " | %.0f | %.0f | **%.2f** | %.0f | %.0f",
			median(func(x Applied) float64 { return x.Master.OpsPerSecond / 1000 }),
			median(func(x Applied) float64 { return x.Replica.OpsPerSecond / 1000 }),
			median(Applied.ratio),
			median(func(x Applied) float64 { return float64(x.Master.CPUPerOp) }),
			median(func(x Applied) float64 { return float64(x.Replica.CPUPerOp) }))
	}
	b.WriteString(" |\n")
	return b.String()
}

const applyHead = "\n## The replica's speed beside its master's\n\n" +
	"A master takes pipelined SETs while its replica is stopped, then the replica applies them; medians over the rounds.\n\n" +
	"| cell | rounds | redis: master kop/s | applied kop/s | ratio | master ns/op | applied ns/op |" +
	" skein: master kop/s | applied kop/s | ratio | master ns/op | applied ns/op |\n" +
	"|---|---|---|---|---|---|---|---|---|---|---|---|\n"
