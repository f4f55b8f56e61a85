//go:build linux

// Command bench measures redis-server (the peer) and Skein (the subject) side by side.
//
//	go run ./bench                 every cell, at most 40 minutes
//	go run ./bench -quick          the asked cells and a few more, at most 5 minutes
//	go run ./bench -types          commands of every type, at most 12 minutes
//	go run ./bench -only 'GET/3/*/pinned/standalone' -check
//
// A cell is one kind of load, named op/value bytes/pipeline/pinning/mode, as in
// GET/3/P16/pinned/standalone. Cells that share their data share a stage:
//
//	stage   start both servers on fresh directories, load the same keys into both
//	  round   every cell of the stage, redis-benchmark against one server, then
//	          against the other; the next round swaps the order
//	          -> one ratio per cell and round, because both runs saw the same machine
//	  ...
//	cell    the median of its ratios, and their least and greatest as the spread
//
// The figure to trust is "e": the peer's CPU time per operation divided by the subject's, from
// the scheduler's own accounts of the server's threads. Throughput is printed too, but
// redis-benchmark is one thread and is often the slower of the two processes.
//
// A pinned server is started on one core and redis-benchmark on another, so that both servers
// know at start that they have one core. In cluster mode one master owns all 16384 slots;
// redis-benchmark then runs without its --cluster option, which refuses a cluster of fewer than two
// masters and sends all keys to a single slot of each. A plain client of the one master
// reaches every slot and never meets a redirect.
//
// The exit code is 2 when something could not be measured and 1 for a missed goal, the latter
// only with -check.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/skeindb/skein/bench/rig"
)

// graceTime is how long after the budget a run that has started may still take.
const graceTime = 10 * time.Second

type options struct {
	quick, types   bool
	check          bool
	skein, subject string
	peer           string
	only           string
	rounds         int
	requests       int
	scale          float64
	port           int
	budget         time.Duration
}

func parseFlags() options {
	var o options
	flag.BoolVar(&o.quick, "quick", false, "fewer keys, cells and rounds: at most 5 minutes")
	flag.BoolVar(&o.types, "types", false, "commands of every type instead of GET and SET")
	flag.BoolVar(&o.check, "check", false, "exit with code 1 when an asked value is missed")
	flag.StringVar(&o.skein, "skein", "", "path of a skein binary; empty builds ./cmd/skein")
	flag.StringVar(&o.subject, "subject", "", "whole command that starts the subject, instead of \"skein server\"")
	flag.StringVar(&o.peer, "peer", "redis-server", "command that starts the peer")
	flag.StringVar(&o.only, "only", "", "comma-separated cells to run, * matches one part: 'GET/3/*/pinned/*,memory/*'")
	flag.IntVar(&o.rounds, "rounds", 0, "rounds of every cell; 0 leaves them to the plan")
	flag.IntVar(&o.requests, "requests", 0, "requests of every run; 0 calibrates them to the planned time")
	flag.Float64Var(&o.scale, "scale", 1, "multiply every number of keys (to try the program out)")
	flag.IntVar(&o.port, "port", 19000, "first port to try for the servers; the bus uses the port 10000 above")
	flag.DurationVar(&o.budget, "budget", 0, "time after which no more rounds start; 0 leaves it to the plan")
	flag.Parse()
	return o
}

func main() {
	o := parseFlags()
	rig.Main("bench", func(ctx context.Context) (int, error) { return run(ctx, o) })
}

// run makes the plan, carries it out and prints the report, which on an interrupt holds what was
// measured so far.
func run(ctx context.Context, o options) (int, error) {
	begun := time.Now()
	plan, err := choosePlan(o)
	if err != nil {
		return rig.Broken, err
	}
	limited, cancel := context.WithDeadline(ctx, begun.Add(plan.Budget+graceTime))
	defer cancel()
	for _, tool := range []string{"redis-benchmark", "taskset"} {
		if _, err := exec.LookPath(tool); err != nil {
			return rig.Broken, fmt.Errorf("%s is needed (Debian: redis-tools, util-linux): %w", tool, err)
		}
	}
	root, err := os.MkdirTemp("", "skein-bench-")
	if err != nil {
		return rig.Broken, err
	}
	defer os.RemoveAll(root)
	subject, err := subjectCommand(limited, o, root)
	if err != nil {
		return rig.Broken, err
	}
	cpus, err := PickCPUs()
	if err != nil {
		return rig.Broken, err
	}
	r := &runner{
		sides:    [2]side{{name: "redis", argv: strings.Fields(o.peer)}, {name: "skein", argv: subject}},
		root:     root,
		cpus:     cpus,
		port:     o.port,
		requests: o.requests,
		deadline: begun.Add(plan.Budget),
	}
	fmt.Print(Header(limited, r.sides, cpus, plan))
	report := r.carryOut(limited, plan)
	fmt.Print(report.Markdown())
	fmt.Printf("\nTook %s.\n", time.Since(begun).Round(time.Second))
	return verdict(ctx, o, report)
}

func verdict(ctx context.Context, o options, report Report) (int, error) {
	switch {
	case ctx.Err() != nil:
		return rig.Broken, rig.ErrInterrupted
	case report.Failed():
		return rig.Broken, errors.New("some cells could not be measured, see the report")
	case o.check && report.Missed():
		return rig.Missed, errors.New("an asked value was missed")
	}
	return rig.OK, nil
}

func choosePlan(o options) (Plan, error) {
	plan := FullPlan()
	if o.quick {
		plan = QuickPlan()
	}
	if o.types {
		plan = TypesPlan()
	}
	if o.budget > 0 {
		plan.Budget = o.budget
	}
	if o.rounds < 0 || o.requests < 0 || o.scale <= 0 || o.scale > 1 {
		return Plan{}, errors.New("-rounds and -requests must not be negative, -scale lies in (0, 1]")
	}
	if o.only != "" {
		var err error
		if plan, err = plan.Only(strings.Split(o.only, ",")); err != nil {
			return Plan{}, err
		}
	}
	plan.Scale(o.scale)
	plan.SetRounds(o.rounds)
	return plan, nil
}

// subjectCommand returns the words that start the subject, building skein into root unless a
// command or a binary was given.
func subjectCommand(ctx context.Context, o options, root string) ([]string, error) {
	if words := strings.Fields(o.subject); len(words) > 0 {
		return words, nil
	}
	if o.skein != "" {
		path, err := filepath.Abs(o.skein)
		return []string{path, "server"}, err
	}
	return rig.Build(ctx, root)
}
