//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A Result is what the rounds of one cell gave.
type Result struct {
	Cell  Cell
	Pairs []Pair // one per round
	Err   error  // why the cell was not measured, or not to its end
}

// A MemoryResult is what one memory cell gave: the peer's bytes per key, then the subject's.
type MemoryResult struct {
	Cell        MemoryCell
	BytesPerKey [2]float64
	Err         error
}

// A Report is all that was measured.
type Report struct {
	Memory []MemoryResult
	Cells  []Result
	Apply  []ApplyResult
}

// e is the peer's CPU time per operation divided by the subject's: above 1, Skein does more with
// the same CPU.
func (p Pair) e() float64 { return float64(p[0].CPUPerOp) / float64(max(1, p[1].CPUPerOp)) }

// throughput is the subject's operations per second divided by the peer's.
func (p Pair) throughput() float64 { return p[1].OpsPerSecond / p[0].OpsPerSecond }

// A Spread is the median of some rounds between their least and greatest.
type Spread struct{ Least, Median, Greatest float64 }

// spreadOf returns the spread of one figure over all rounds, NaNs if there are none.
func spreadOf(pairs []Pair, figure func(Pair) float64) Spread { return spreadOfFigures(pairs, figure) }

func spreadOfFigures[T any](rounds []T, figure func(T) float64) Spread {
	if len(rounds) == 0 {
		return Spread{math.NaN(), math.NaN(), math.NaN()}
	}
	values := make([]float64, len(rounds))
	for i, r := range rounds {
		values[i] = figure(r)
	}
	slices.Sort(values)
	middle := len(values) / 2
	median := values[middle]
	if len(values)%2 == 0 {
		median = (values[middle-1] + median) / 2
	}
	return Spread{values[0], median, values[len(values)-1]}
}

func (s Spread) String() string {
	return fmt.Sprintf("**%.2f** | %.2f-%.2f", s.Median, s.Least, s.Greatest)
}

// verdictOn returns PASS or FAIL for a goal that was measured, and what stands in its place
// otherwise. A goal that could not be measured counts as missed.
func verdictOn(asked bool, err error, met bool) string {
	switch {
	case !asked:
		return ""
	case err != nil:
		return "FAIL (not measured)"
	case met:
		return "PASS"
	}
	return "FAIL"
}

// Verdict judges the cell by its median of e.
func (r Result) Verdict() string {
	return verdictOn(r.Cell.Asked > 0, r.Err, spreadOf(r.Pairs, Pair.e).Median >= r.Cell.Asked)
}

// Verdict judges the subject's bytes per key.
func (m MemoryResult) Verdict() string {
	return verdictOn(m.Cell.Asked > 0, m.Err, m.BytesPerKey[1] <= m.Cell.Asked)
}

// Missed tells whether an asked value was missed.
func (r Report) Missed() bool {
	failed := func(verdict string) bool { return strings.HasPrefix(verdict, "FAIL") }
	return slices.ContainsFunc(r.Cells, func(c Result) bool { return failed(c.Verdict()) }) ||
		slices.ContainsFunc(r.Memory, func(m MemoryResult) bool { return failed(m.Verdict()) })
}

// Failed tells whether something went wrong, beyond cells that the budget left no time for.
func (r Report) Failed() bool {
	return slices.ContainsFunc(r.errors(), func(err error) bool { return !errors.Is(err, errNoTime) })
}

func (r Report) errors() []error {
	var errs []error
	for _, m := range r.Memory {
		if m.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.Cell.Name(), m.Err))
		}
	}
	for _, c := range r.Cells {
		if c.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.Cell.Name(), c.Err))
		}
	}
	for _, a := range r.Apply {
		if a.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", a.Cell.Name(), a.Err))
		}
	}
	return errs
}

// Markdown returns the tables, and below them what went wrong.
func (r Report) Markdown() string {
	var b strings.Builder
	if len(r.Cells) > 0 {
		b.WriteString("\n## Throughput and CPU per operation\n\n" +
			"e = redis's CPU per operation / Skein's; throughput = Skein's / redis's; medians over the rounds.\n\n" +
			"| cell | rounds | redis ns/op | skein ns/op | e | spread | redis kop/s | skein kop/s | throughput | spread | asked | |\n" +
			"|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	}
	for _, c := range r.Cells {
		b.WriteString(c.row())
	}
	if len(r.Memory) > 0 {
		b.WriteString("\n## Resident bytes per key, or per element of a collection\n\n" +
			"| cell | keys | value bytes | redis | skein | skein / redis | asked | |\n|---|---|---|---|---|---|---|---|\n")
	}
	for _, m := range r.Memory {
		b.WriteString(m.row())
	}
	if len(r.Apply) > 0 {
		b.WriteString(applyHead)
	}
	for _, a := range r.Apply {
		b.WriteString(a.row())
	}
	if errs := r.errors(); len(errs) > 0 {
		b.WriteString("\n## Not measured\n\n")
		for _, err := range errs {
			fmt.Fprintf(&b, "- %s\n", strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "\n  "))
		}
	}
	return b.String()
}

func (r Result) row() string {
	if len(r.Pairs) == 0 {
		return fmt.Sprintf("| %s | 0 | | | | | | | | | %s | %s |\n", r.Cell.Name(), goal(r.Cell.Asked, ">= "), r.Verdict())
	}
	median := func(figure func(Pair) float64) float64 { return spreadOf(r.Pairs, figure).Median }
	return fmt.Sprintf("| %s | %d | %.0f | %.0f | %v | %.0f | %.0f | %v | %s | %s |\n",
		r.Cell.Name(), len(r.Pairs),
		median(func(p Pair) float64 { return float64(p[0].CPUPerOp) }),
		median(func(p Pair) float64 { return float64(p[1].CPUPerOp) }),
		spreadOf(r.Pairs, Pair.e),
		median(func(p Pair) float64 { return p[0].OpsPerSecond / 1000 }),
		median(func(p Pair) float64 { return p[1].OpsPerSecond / 1000 }),
		spreadOf(r.Pairs, Pair.throughput),
		goal(r.Cell.Asked, ">= "), r.Verdict())
}

func (m MemoryResult) row() string {
	figures := " | | "
	if m.Err == nil {
		figures = fmt.Sprintf("%.1f | %.1f | %.2f", m.BytesPerKey[0], m.BytesPerKey[1], m.BytesPerKey[1]/m.BytesPerKey[0])
	}
	return fmt.Sprintf("| %s | %d | %d | %s | %s | %s |\n",
		m.Cell.Name(), m.Cell.Keys, m.Cell.ValueBytes, figures, goal(m.Cell.Asked, "<= "), m.Verdict())
}

func goal(asked float64, relation string) string {
	if asked == 0 {
		return ""
	}
	return fmt.Sprintf("%s%g", relation, asked)
}

// Header describes the machine and the programs, without which the figures mean little.
func Header(ctx context.Context, sides [2]side, cpus CPUs, plan Plan) string {
	cpuinfo, _ := os.ReadFile("/proc/cpuinfo")
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	meminfo, _ := os.ReadFile("/proc/meminfo")
	hugePages, _ := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	_, model, _ := strings.Cut(field(string(cpuinfo), "model name"), ": ")
	var b strings.Builder
	fmt.Fprintf(&b, "# Skein beside redis-server, %s\n\n", time.Now().Format(time.DateTime))
	fmt.Fprintf(&b, "- machine: %d cores (%s), %s of memory, Linux %s, %s, huge pages %s\n", runtime.NumCPU(), model,
		field(string(meminfo), "MemTotal:"), strings.TrimSpace(string(kernel)), runtime.Version(), strings.TrimSpace(string(hugePages)))
	fmt.Fprintf(&b, "- pinned: server on core %d, redis-benchmark on core %d, %d connections\n", cpus.Server, cpus.Client, clients)
	if cpus.Server == cpus.Client {
		b.WriteString("- only one core is allowed: server and client share it\n")
	}
	for _, s := range sides {
		fmt.Fprintf(&b, "- %s: `%s`, %s\n", s.name, strings.Join(s.argv, " "), version(ctx, s))
	}
	fmt.Fprintf(&b, "- planned: about %s, at most %s\n", plan.Estimate().Round(time.Second), plan.Budget)
	return b.String()
}

// version returns the first line of what a side prints for --version.
func version(ctx context.Context, s side) string {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, s.argv[0], append(slices.Clone(s.argv[1:]), "--version")...).Output()
	if err != nil {
		return fmt.Sprintf("version unknown (%v)", err)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}
