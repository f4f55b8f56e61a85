//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/skeindb/skein/bench/rig"
)

const clients = 50 // connections of redis-benchmark, its own default

// elementsAsOne is how many elements of a reply take about the time of a short command.
const elementsAsOne = 25

// A Sample is what one run of redis-benchmark cost one server.
type Sample struct {
	CPUPerOp     time.Duration
	OpsPerSecond float64
}

// A Pair holds the samples of one round of one cell: the peer's, then the subject's.
type Pair [2]Sample

// rounds measures every cell once per round, on one server right after the other. It returns an
// error when no further cell can be measured; a cell's own failure is kept in its result.
func (r *runner) rounds(ctx context.Context, servers [2]*Server, results []Result) error {
	requests := make([]int, len(results))
	for i := range results {
		requests[i], results[i].Err = r.calibrate(ctx, servers, results[i].Cell)
	}
	for round, left := 0, true; left; round++ {
		left = false
		for i := range results {
			res := &results[i]
			if res.Err != nil || round >= res.Cell.Rounds || ctx.Err() != nil {
				continue
			}
			if !r.hasTime(2 * res.Cell.RunTime) {
				if len(res.Pairs) == 0 {
					res.Err = errNoTime
				}
				continue
			}
			left = true
			var pair Pair
			if pair, res.Err = r.round(ctx, servers, res.Cell, requests[i], round%2 == 1); res.Err == nil {
				res.Pairs = append(res.Pairs, pair)
				rig.Progress("  %s: e %.2f", res.Cell.Name(), pair.e())
			}
		}
	}
	return ctx.Err()
}

// calibrate returns how many requests keep the slower server busy for the cell's time. Both
// servers get the same number, so that connecting weighs the same. Its runs warm both up.
func (r *runner) calibrate(ctx context.Context, servers [2]*Server, c Cell) (int, error) {
	if !r.hasTime(2 * c.RunTime) {
		return 0, errNoTime
	}
	probe := map[int]int{1: 20_000, 16: 120_000, 64: 200_000}[c.Pipeline]
	if c.ValueBytes > 1024 {
		probe /= 4
	}
	probe /= max(1, c.Elements/elementsAsOne)
	if r.requests > 0 {
		probe = min(probe, r.requests)
	}
	pair, err := r.round(ctx, servers, c, wholeBatches(probe, c.Pipeline), false)
	if err != nil {
		return 0, err
	}
	slower := min(pair[0].OpsPerSecond, pair[1].OpsPerSecond)
	requests := int(slower * c.RunTime.Seconds())
	if r.requests > 0 {
		requests = r.requests
	}
	return wholeBatches(requests, c.Pipeline), nil
}

// wholeBatches rounds up to a multiple of the pipeline, because redis-benchmark always sends whole
// batches: then as many requests are made as it was told. Every client gets at least one.
func wholeBatches(requests, pipeline int) int {
	requests = max(requests, clients*pipeline)
	return (requests + pipeline - 1) / pipeline * pipeline
}

// round runs one cell on both servers, the subject first if swapped.
func (r *runner) round(ctx context.Context, servers [2]*Server, c Cell, requests int, swapped bool) (Pair, error) {
	order := [2]int{0, 1}
	if swapped {
		order = [2]int{1, 0}
	}
	var pair Pair
	for _, i := range order {
		var err error
		if pair[i], err = r.sample(ctx, servers[i], c, requests); err != nil {
			return pair, servers[i].explain(fmt.Errorf("%s: %w", servers[i].Name, err))
		}
	}
	return pair, nil
}

// sample runs redis-benchmark once and accounts for what the server spent on it.
func (r *runner) sample(ctx context.Context, s *Server, c Cell, requests int) (Sample, error) {
	before, err := CPUTime(s.Pid)
	if err != nil {
		return Sample{}, err
	}
	opsPerSecond, err := r.redisBenchmark(ctx, s, c, requests)
	if err != nil {
		return Sample{}, err
	}
	after, err := CPUTime(s.Pid)
	if err != nil {
		return Sample{}, err
	}
	if after <= before {
		return Sample{}, errors.New("the server used no CPU time")
	}
	return Sample{(after - before) / time.Duration(requests), opsPerSecond}, nil
}

// redisBenchmark runs redis-benchmark against a server and returns its requests per second. A
// server that hangs costs the cell, not the whole budget.
func (r *runner) redisBenchmark(ctx context.Context, s *Server, c Cell, requests int) (float64, error) {
	if r.requests == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 5*time.Second+10*c.RunTime)
		defer cancel()
	}
	cpu := unpinned
	if c.Pinned {
		cpu = r.cpus.Client
	}
	argv := []string{"redis-benchmark", "--csv", "-h", "127.0.0.1", "-p", strconv.Itoa(s.Port),
		"-c", strconv.Itoa(clients), "-n", strconv.Itoa(requests), "-P", strconv.Itoa(c.Pipeline),
		"-r", strconv.Itoa(s.keys), "-d", strconv.Itoa(c.ValueBytes)}
	title := c.Op // of its line
	if c.Command == "" {
		argv = append(argv, "-t", strings.ToLower(c.Op))
	} else {
		argv, title = append(argv, strings.Fields(c.Command)...), c.Command
	}
	cmd := pinnedCommand(ctx, cpu, argv)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return 0, fmt.Errorf("redis-benchmark did not end: %w", ctx.Err())
	}
	if err != nil {
		return 0, fmt.Errorf("redis-benchmark: %w: %s", err, bytes.TrimSpace(complaints.Bytes()))
	}
	return parseBenchmark(bytes.NewReader(out), title)
}

// parseBenchmark finds the requests per second of one command in redis-benchmark's CSV, whose
// first column is the command and whose second is the rate.
func parseBenchmark(in io.Reader, op string) (float64, error) {
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil {
		return 0, fmt.Errorf("redis-benchmark's output: %w", err)
	}
	for _, row := range rows {
		if len(row) > 1 && row[0] == op {
			rate, err := strconv.ParseFloat(row[1], 64)
			if err != nil || !(rate > 0) {
				return 0, fmt.Errorf("redis-benchmark gave no rate: %q", row)
			}
			return rate, nil
		}
	}
	return 0, fmt.Errorf("redis-benchmark printed no line for %s", op)
}
