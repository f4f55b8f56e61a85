//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/skeindb/skein/bench/rig"
)

type options struct {
	servers []string
	check   bool
	keep    bool
	only    string
	port    int
	timeout time.Duration
	rest    time.Duration
	rounds  map[string]*int
}

func parseFlags() options {
	o := options{rounds: map[string]*int{}}
	flag.BoolVar(&o.check, "check", false, "exit with code 1 when Skein misses a goal")
	flag.BoolVar(&o.keep, "keep", false, "keep the directories of the nodes, with their logs")
	flag.StringVar(&o.only, "only", "", "comma-separated trials to run: plain,row,kill,sync")
	flag.IntVar(&o.port, "port", 16000, "first port to try for the nodes; the bus uses the port 10000 above")
	flag.DurationVar(&o.timeout, "node-timeout", 2*time.Second, "cluster-node-timeout of the nodes")
	flag.DurationVar(&o.rest, "rest", 5*time.Second, "pause before each plain failover; redis needs it, for its voters")
	for _, t := range trials {
		o.rounds[t.name] = flag.Int(t.name, t.rounds, "rounds of "+t.title)
	}
	o.servers = rig.ParseFlags()
	return o
}

func main() {
	o := parseFlags()
	rig.Main("failover", func(ctx context.Context) (int, error) { return run(ctx, o) })
}

// run makes the clusters, carries the trials out and prints the report, which on an interrupt holds what was measured so far.
func run(ctx context.Context, o options) (int, error) {
	begun := time.Now()
	chosen, err := chooseTrials(o.only)
	if err != nil {
		return rig.Broken, err
	}
	chosen = slices.DeleteFunc(slices.Clone(chosen), func(t trial) bool { return *o.rounds[t.name] < 1 })
	if _, err := exec.LookPath("redis-cli"); err != nil {
		return rig.Broken, fmt.Errorf("redis-cli is needed (Debian: redis-tools): %w", err)
	}
	root, err := os.MkdirTemp("", "skein-failover-")
	if err != nil {
		return rig.Broken, err
	}
	if o.keep {
		rig.Progress("the nodes work in %s", root)
	} else {
		defer os.RemoveAll(root)
	}
	var contestants []*contestant
	for _, words := range o.servers {
		argv, err := rig.Command(ctx, words, root)
		if err != nil {
			return rig.Broken, err
		}
		c := &contestant{argv: argv, name: filepath.Base(argv[0]), results: map[string]*Result{}}
		defer func() { c.cluster.stop() }()
		if c.cluster, err = startCluster(ctx, c.name, argv, root, &o.port, o.timeout); err != nil {
			return rig.Broken, fmt.Errorf("%s: %w", words, err)
		}
		c.skein = c.cluster.isSkein()
		contestants = append(contestants, c)
	}
	fmt.Print(header(ctx, o, contestants))
	for _, t := range chosen {
		measure(ctx, t, *o.rounds[t.name], o.rest, contestants)
	}
	fmt.Print(report(chosen, contestants))
	fmt.Printf("\nTook %s.\n", time.Since(begun).Round(time.Second))
	return verdict(ctx, o, chosen, contestants)
}

func verdict(ctx context.Context, o options, chosen []trial, contestants []*contestant) (int, error) {
	switch {
	case ctx.Err() != nil:
		return rig.Broken, rig.ErrInterrupted
	case anyTrouble(contestants):
		return rig.Broken, errors.New("some rounds could not be measured, see the report")
	case o.check && missed(chosen, contestants):
		return rig.Missed, errors.New("a goal was missed")
	}
	return rig.OK, nil
}
