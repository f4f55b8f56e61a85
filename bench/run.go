//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skeindb/skein/bench/rig"
)

const (
	settleStep  = 200 * time.Millisecond
	settleBusy  = settleStep / 50 // a server that used less of a step is at rest
	settleLimit = 5 * time.Second
)

// errNoTime marks cells that the budget left no time for.
var errNoTime = errors.New("the time budget was spent")

// A side is one of the two programs compared.
type side struct {
	name string
	argv []string
}

// A runner carries out a plan. The peer is side 0, the subject side 1, here and in every Pair.
type runner struct {
	sides    [2]side
	root     string // directory of everything that the run leaves on disk
	cpus     CPUs
	port     int
	requests int // of every run; 0 calibrates
	deadline time.Time
}

// carryOut measures the plan in its order and reports what the budget and an interrupt allowed.
// The memory comes first: it is asked for and needs the machine's memory for itself.
func (r *runner) carryOut(ctx context.Context, plan Plan) Report {
	var report Report
	interrupted := func() bool { return errors.Is(ctx.Err(), context.Canceled) }
	for _, m := range plan.Memory {
		if interrupted() {
			return report
		}
		report.Memory = append(report.Memory, r.memory(ctx, m))
	}
	for _, s := range plan.Stages {
		if interrupted() {
			return report
		}
		report.Cells = append(report.Cells, r.stage(ctx, s)...)
	}
	for _, a := range plan.Apply {
		if interrupted() {
			return report
		}
		report.Apply = append(report.Apply, r.apply(ctx, a))
	}
	return report
}

func (r *runner) hasTime(need time.Duration) bool { return time.Until(r.deadline) >= need }

func (r *runner) launch(i int, pinned, cluster bool) launch {
	l := launch{name: r.sides[i].name, argv: r.sides[i].argv, root: r.root, port: r.port, cpu: unpinned, cluster: cluster}
	if pinned {
		l.cpu = r.cpus.Server
	}
	return l
}

// memory measures resident bytes per key, or element, of both servers, one after the other.
func (r *runner) memory(ctx context.Context, m MemoryCell) MemoryResult {
	result := MemoryResult{Cell: m}
	if !r.hasTime(m.Estimate()) {
		result.Err = errNoTime
		return result
	}
	for i := range r.sides {
		rig.Progress("%s: %d keys into %s", m.Name(), m.Keys, r.sides[i].name)
		if result.BytesPerKey[i], result.Err = r.bytesPerKey(ctx, i, m); result.Err != nil {
			break
		}
	}
	return result
}

func (r *runner) bytesPerKey(ctx context.Context, i int, m MemoryCell) (float64, error) {
	s, err := Start(ctx, r.launch(i, false, m.Cluster))
	if err != nil {
		return 0, err
	}
	defer s.Stop()
	before, err := ResidentBytes(s.Pid)
	if err != nil {
		return 0, err
	}
	if m.Type != "" {
		err = s.fillWith(ctx, m)
	} else {
		err = s.load(ctx, m.Keys, m.ValueBytes)
	}
	if err != nil {
		return 0, err
	}
	if err := rig.Sleep(ctx, memoryRest); err != nil {
		return 0, err
	}
	after, err := ResidentBytes(s.Pid)
	return float64(after-before) / float64(m.things()), err
}

// load fills a server and makes sure that it then holds exactly these keys.
func (s *Server) load(ctx context.Context, keys, valueBytes int) error {
	if err := Load(ctx, s.Port, keys, valueBytes); err != nil {
		return s.explain(err)
	}
	s.keys = keys
	return s.checkKeys(ctx)
}

// checkKeys makes sure that a server holds as many keys as were loaded.
func (s *Server) checkKeys(ctx context.Context) error {
	size, err := s.DBSize(ctx)
	if err != nil {
		return s.explain(err)
	}
	if want := s.keys + s.collections; size != want {
		return fmt.Errorf("%s holds %d keys, want %d", s.Name, size, want)
	}
	return nil
}

// stage measures the cells of one stage on a pair of fresh servers.
func (r *runner) stage(ctx context.Context, st Stage) []Result {
	results := make([]Result, len(st.Cells))
	for i, c := range st.Cells {
		results[i].Cell = c
	}
	err := errNoTime
	if r.hasTime(st.PrepareTime()) {
		rig.Progress("stage: %s", st.Name())
		err = r.withPair(ctx, st, func(servers [2]*Server) error { return r.rounds(ctx, servers, results) })
	}
	for i := range results {
		if results[i].Err == nil {
			results[i].Err = err
		}
	}
	return results
}

// withPair starts and loads both servers, calls measure, checks that the measured commands kept to
// the loaded keys, and stops the servers.
func (r *runner) withPair(ctx context.Context, st Stage, measure func([2]*Server) error) error {
	var servers [2]*Server
	for i := range servers {
		s, err := Start(ctx, r.launch(i, st.Pinned, st.Cluster))
		if err != nil {
			return err
		}
		defer s.Stop()
		if err := s.load(ctx, st.Keys, st.ValueBytes); err != nil {
			return err
		}
		if st.Collections {
			if err := s.loadCollections(ctx); err != nil {
				return s.explain(err)
			}
		}
		servers[i] = s
	}
	for _, s := range servers {
		if err := settle(ctx, s); err != nil {
			return err
		}
	}
	if err := measure(servers); err != nil {
		return err
	}
	for _, s := range servers {
		if err := s.checkKeys(ctx); err != nil {
			return err
		}
	}
	return nil
}

// settle waits, for a limited time, until a loaded server has nothing left to do in the
// background.
func settle(ctx context.Context, s *Server) error {
	for range settleLimit / settleStep {
		before, err := CPUTime(s.Pid)
		if err != nil {
			return s.explain(err)
		}
		if err := rig.Sleep(ctx, settleStep); err != nil {
			return err
		}
		after, err := CPUTime(s.Pid)
		if err != nil {
			return s.explain(err)
		}
		if after-before < settleBusy {
			break
		}
	}
	return nil
}
