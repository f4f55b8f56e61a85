//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skeindb/skein/bench/records"
	"github.com/skeindb/skein/bench/rig"
)

// A trial is one way of making the replica of a shard its master.
type trial struct {
	name, title string
	rounds      int
	atOnce      bool                  // all rounds follow each other, under one client
	directive   [2]string             // set on all nodes; a server that does not know it is left out
	round       func(*play) (r Round) // one round, or all of them
	goal        goal
}

// A goal is what is asked of Skein.
type goal struct {
	gap         time.Duration // median of the rounds; 0: nothing is asked
	allSucceed  bool
	nothingLost bool
}

var trials = []trial{
	{name: "plain", title: "CLUSTER FAILOVER", rounds: 10, round: plainRound,
		goal: goal{gap: 10 * time.Millisecond, allSucceed: true, nothingLost: true}},
	{name: "row", title: "CLUSTER FAILOVER without rest", rounds: 20, round: rowRound, atOnce: true,
		goal: goal{allSucceed: true, nothingLost: true}},
	{name: "kill", title: "kill -9 of the master", rounds: 10, round: killRound,
		goal: goal{gap: 2500 * time.Millisecond, allSucceed: true}},
	{name: "sync", title: "kill -9 of the master, with repl-sync-replicas 1", rounds: 50, round: syncRound,
		directive: [2]string{"repl-sync-replicas", "1"}, goal: goal{allSucceed: true, nothingLost: true}},
}

// chooseTrials returns the named trials, all for "".
func chooseTrials(only string) ([]trial, error) {
	if only == "" {
		return trials, nil
	}
	names := strings.Split(only, ",")
	var chosen []trial
	for _, t := range trials {
		if i := slices.Index(names, t.name); i >= 0 {
			chosen = append(chosen, t)
			names = slices.Delete(names, i, i+1)
		}
	}
	if len(names) > 0 {
		return nil, fmt.Errorf("no trial is called %q", names[0])
	}
	return chosen, nil
}

// A contestant is a server with its cluster and what was measured of it.
type contestant struct {
	name    string
	argv    []string
	skein   bool
	cluster *cluster
	rested  time.Time // since when the cluster has been whole
	broken  error     // why nothing more can be measured
	results map[string]*Result
}

// measure carries a trial out, the contestants in turns.
func measure(ctx context.Context, t trial, rounds int, rest time.Duration, contestants []*contestant) {
	rig.Progress("%s: %s", t.name, t.title)
	for _, c := range contestants {
		r := &Result{}
		c.results[t.name] = r
		if c.broken != nil {
			r.Err = c.broken
		} else if t.directive[0] != "" {
			if err := c.cluster.configure(t.directive[0], t.directive[1]); err != nil {
				r.Skipped = err.Error()
			}
		}
	}
	if t.atOnce {
		for _, c := range contestants {
			c.play(ctx, t, rounds, rest)
		}
		return
	}
	for round := range rounds {
		order := slices.Clone(contestants)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, c := range order {
			c.play(ctx, t, 1, rest)
		}
	}
}

// play lets a contestant do some rounds of a trial under one client.
func (c *contestant) play(ctx context.Context, t trial, rounds int, rest time.Duration) {
	r := c.results[t.name]
	if r.Err != nil || r.Skipped != "" || rounds == 0 || ctx.Err() != nil {
		return
	}
	p, err := c.begin(ctx, rest)
	if err != nil {
		r.Err, c.broken = err, err
		return
	}
	for range rounds {
		round := t.round(p)
		if p.err != nil {
			break
		}
		if r.add(round); round.Failure != "" {
			rig.Progress("  %s: failed: %s", c.name, round.Failure)
		} else {
			rig.Progress("  %s: gap %.1f ms, until the replica took over %.1f ms, promoted after %.1f ms",
				c.name, ms(round.Gap), ms(round.TakeoverGap), ms(round.Took))
		}
	}
	account, err := p.end()
	if err = errors.Join(p.err, err); err != nil && ctx.Err() == nil {
		r.Err, c.broken = err, err
	}
	if r.Account.Add(account); !account.Sound() {
		rig.Progress("  %s: %v; the lost ones are between %d and %d", c.name, account, account.FirstLost, account.LastLost)
	}
}

// A play is a shard under the eyes of a client.
type play struct {
	ctx    context.Context
	c      *contestant
	shard  shard
	writer *records.Writer
	err    error // why the round cannot be finished, nor another begin
}

const (
	warmUp        = 300 * time.Millisecond
	warmUpRecords = 100
	coolDown      = 100 * time.Millisecond
	progressLimit = 30 * time.Second
	roleEvery     = time.Millisecond
	manualLimit   = 6 * time.Second  // both sides give a manual failover up after 5 s
	killLimit     = 40 * time.Second // several elections
)

// begin waits until the shard is whole and rested, and lets the client write for a while.
func (c *contestant) begin(ctx context.Context, rest time.Duration) (*play, error) {
	s, err := c.cluster.awaitShard(ctx)
	if err != nil {
		return nil, err
	}
	if err := rig.Sleep(ctx, time.Until(c.rested.Add(rest))); err != nil {
		return nil, err
	}
	p := &play{ctx: ctx, c: c, shard: s}
	p.writer = records.Start(records.Options{Addrs: c.cluster.addrs(), Key: keyTag + ":" + time.Now().Format("150405.000000")})
	if p.awaitProgress(""); p.err == nil {
		p.err = rig.Sleep(ctx, warmUp)
	}
	if p.err != nil {
		p.writer.Stop()
		return nil, p.err
	}
	p.writer.TakeGap() // of connecting
	return p, nil
}

// end stops the client and counts.
func (p *play) end() (records.Account, error) {
	if p.err != nil {
		p.writer.Stop()
		return records.Account{}, nil
	}
	account, err := p.writer.Finish()
	p.c.rested = time.Now()
	return account, err
}

// awaitProgress waits until some more records are acknowledged, the last one by this node unless it is "".
func (p *play) awaitProgress(by string) {
	before, _ := p.writer.Acked()
	for end := time.Now().Add(progressLimit); p.err == nil; p.err = rig.Sleep(p.ctx, roleEvery) {
		acked, owner := p.writer.Acked()
		if acked >= before+warmUpRecords && (by == "" || owner == by) {
			return
		}
		if time.Now().After(end) {
			p.err = fmt.Errorf("no write is acknowledged by %q for %v, the last one was by %q", by, progressLimit, owner)
			return
		}
	}
}

// awaitMaster waits until the replica says that it is a master.
func (p *play) awaitMaster(limit time.Duration) bool {
	conn, err := records.Dial(p.shard.replica.Addr(), rig.ReplyLimit)
	if err != nil {
		p.err = err
		return false
	}
	defer conn.Close()
	for end := time.Now().Add(limit); p.err == nil && time.Now().Before(end); p.err = rig.Sleep(p.ctx, roleEvery) {
		v, err := conn.Do("ROLE")
		if err != nil {
			p.err = p.shard.replica.Explain(err)
			return false
		}
		if len(v.Elems) > 0 && v.Elems[0].Text() == "master" {
			return true
		}
	}
	return false
}

// awaitWhole waits until the shard has two nodes again.
func (p *play) awaitWhole() {
	if p.err == nil {
		p.shard, p.err = p.c.cluster.awaitShard(p.ctx)
	}
	if p.awaitProgress(""); p.err == nil {
		p.err = rig.Sleep(p.ctx, coolDown)
	}
}

// handOver is CLUSTER FAILOVER, asked for until it is accepted: right after the last one, the node that was the
// master may not be a replica yet.
func (p *play) handOver() (took time.Duration, failure string) {
	begun := time.Now()
	for {
		_, err := p.shard.replica.Ask("CLUSTER", "FAILOVER")
		if err == nil {
			break
		}
		if time.Since(begun) > manualLimit {
			return 0, "refused: " + err.Error()
		}
		if p.err = rig.Sleep(p.ctx, roleEvery); p.err != nil {
			return 0, ""
		}
	}
	accepted := time.Now()
	if !p.awaitMaster(manualLimit) {
		return 0, "answered OK, and nothing happened"
	}
	return time.Since(accepted), ""
}

// takenOver waits until the new master acknowledges writes, and notes the gap until then.
func (p *play) takenOver(r *Round, by string) {
	p.awaitProgress(by)
	r.TakeoverGap, _ = p.writer.TakeGap()
}

// over ends the round: its gap is the longest of all.
func (p *play) over(r *Round) {
	rest, _ := p.writer.TakeGap()
	r.Gap = max(r.TakeoverGap, rest)
}

// plainRound is a manual failover and a rest.
func plainRound(p *play) (r Round) {
	to := p.shard.replica.Addr()
	if r.Took, r.Failure = p.handOver(); r.Failure == "" {
		p.takenOver(&r, to)
	}
	p.awaitWhole()
	p.over(&r)
	return r
}

// rowRound is a manual failover as soon as the last one has succeeded.
func rowRound(p *play) (r Round) {
	to := p.shard.replica.Addr()
	r.Took, r.Failure = p.handOver()
	if r.Failure != "" {
		p.awaitWhole()
	} else {
		p.takenOver(&r, to)
		p.shard = shard{p.shard.replica, p.shard.master}
	}
	p.over(&r)
	return r
}

// killRound kills the master, waits for the replica to write, and starts the killed node again.
func killRound(p *play) Round { return p.kill(true) }

// syncRound is a killRound in which nothing can be written before the killed node is back.
func syncRound(p *play) Round { return p.kill(false) }

func (p *play) kill(writesAtOnce bool) (r Round) {
	to := p.shard.replica.Addr()
	begun := time.Now()
	p.shard.master.Kill()
	if p.awaitMaster(killLimit) {
		r.Took = time.Since(begun)
		if writesAtOnce {
			p.takenOver(&r, to)
		}
	} else {
		r.Failure = fmt.Sprintf("no master after %v", killLimit)
	}
	if err := p.shard.master.Start(); err != nil && p.err == nil {
		p.err = err
	}
	p.awaitWhole()
	p.over(&r)
	return r
}
