//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/skeindb/skein/bench/rig"
)

type options struct {
	servers               []string
	only                  string
	check                 bool
	elements, moved, keys int
	clients               int
	every                 time.Duration
	rest, quiet, window   time.Duration
	timeout               time.Duration
	port                  int
	rounds                int
}

func parseFlags() *options {
	o := &options{}
	flag.StringVar(&o.only, "only", "", "comma-separated events, or their first words: del,unlink/set,expire")
	flag.BoolVar(&o.check, "check", false, "exit with code 1 when Skein misses a goal")
	flag.IntVar(&o.elements, "elements", 10_000_000, "elements of a value that is deleted")
	flag.IntVar(&o.moved, "moved", 1_000_000, "elements of a value that is restored or moved")
	flag.IntVar(&o.keys, "keys", 1_000_000, "keys that are flushed, or end at one instant")
	flag.IntVar(&o.clients, "clients", 8, "clients that send GETs, half of them to each node of a cluster")
	flag.DurationVar(&o.every, "every", 2*time.Millisecond, "time from one GET of a client to its next")
	flag.DurationVar(&o.rest, "rest", 2*time.Second, "time between the loading and the quiet")
	flag.DurationVar(&o.quiet, "quiet", 5*time.Second, "how long the quiet is measured")
	flag.DurationVar(&o.window, "window", 5*time.Second, "how long the event is measured, at least")
	flag.DurationVar(&o.timeout, "node-timeout", 2*time.Second, "cluster-node-timeout of the nodes")
	flag.IntVar(&o.port, "port", 17000, "first port to try; the bus uses the port 10000 above")
	flag.IntVar(&o.rounds, "rounds", 1, "rounds of each event; the servers take turns, and the figures are over all rounds")
	o.servers = rig.ParseFlags()
	return o
}

func main() {
	o := parseFlags()
	rig.Main("bigvalues", func(ctx context.Context) (int, error) { return run(ctx, o) })
}

// contestant is a server that is measured.
type contestant struct {
	name  string
	argv  []string
	skein bool
}

func run(ctx context.Context, o *options) (int, error) {
	root, err := os.MkdirTemp("", "skein-bigvalues-")
	if err != nil {
		return rig.Broken, err
	}
	defer os.RemoveAll(root)
	var all []contestant
	for _, words := range o.servers {
		argv, err := rig.Command(ctx, words, root)
		if err != nil {
			return rig.Broken, err
		}
		name := filepath.Base(argv[0])
		all = append(all, contestant{name, argv, strings.Contains(name, "skein")})
	}
	chosen := slices.DeleteFunc(events(), func(e event) bool { return !o.wants(e.name) })
	if len(chosen) == 0 {
		return rig.Broken, fmt.Errorf("no event is called %q", o.only)
	}
	fmt.Print(o.header(all))
	var missed, broken []string
	for _, e := range chosen {
		rows := make([]row, len(all))
		for range o.rounds {
			for i, c := range all {
				if ctx.Err() != nil {
					return rig.Broken, rig.ErrInterrupted
				}
				if e.ours && !c.skein {
					continue
				}
				rig.Progress("%s: %s", e.name, c.name)
				rows[i].add(play(ctx, o, c.argv, e, root))
			}
		}
		m, b := o.report(e, all, rows)
		missed, broken = append(missed, m...), append(broken, b...)
	}
	fmt.Print(verdict(missed, broken))
	switch {
	case ctx.Err() != nil:
		return rig.Broken, rig.ErrInterrupted
	case len(broken) > 0:
		return rig.Broken, errors.New("some events could not be measured, see the report")
	case o.check && len(missed) > 0:
		return rig.Missed, errors.New("a goal was missed")
	}
	return rig.OK, nil
}

// wants tells whether the event of that name was chosen.
func (o *options) wants(name string) bool {
	if o.only == "" {
		return true
	}
	for w := range strings.SplitSeq(o.only, ",") {
		if name == w || strings.HasPrefix(name, w+"/") {
			return true
		}
	}
	return false
}
