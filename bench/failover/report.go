//go:build linux

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/skeindb/skein/bench/records"
	"github.com/skeindb/skein/bench/rig"
)

// A Round is what one failover gave.
type Round struct {
	Gap         time.Duration // the longest time without an acknowledgement
	TakeoverGap time.Duration // the same, until the new master acknowledged writes
	Took        time.Duration // from the failover's cause until the replica said that it is a master
	Failure     string        // why the replica did not become master; "" if it did
}

// A Result is what the rounds of a trial gave for one server.
type Result struct {
	Rounds   []Round // that succeeded
	Failures []string
	Account  records.Account
	Skipped  string // why the trial is not for this server
	Err      error  // why it was not measured, or not to its end
}

func (r *Result) add(round Round) {
	if round.Failure != "" {
		r.Failures = append(r.Failures, round.Failure)
		return
	}
	r.Rounds = append(r.Rounds, round)
}

// A Spread is the median of some times between their least and greatest; zeros if there are none.
type Spread struct{ Least, Median, Greatest time.Duration }

func spreadOf(times []time.Duration) Spread {
	if len(times) == 0 {
		return Spread{}
	}
	times = slices.Sorted(slices.Values(times))
	middle := len(times) / 2
	median := times[middle]
	if len(times)%2 == 0 {
		median = (times[middle-1] + median) / 2
	}
	return Spread{times[0], median, times[len(times)-1]}
}

func (r *Result) gaps() Spread {
	return r.spread(func(x Round) time.Duration { return x.Gap })
}

func (r *Result) takeovers() Spread {
	return r.spread(func(x Round) time.Duration { return x.TakeoverGap })
}

func (r *Result) tookTimes() Spread {
	return r.spread(func(x Round) time.Duration { return x.Took })
}

func (r *Result) spread(of func(Round) time.Duration) Spread {
	var times []time.Duration
	for _, round := range r.Rounds {
		times = append(times, of(round))
	}
	return spreadOf(times)
}

// missed returns which parts of a goal a result misses.
func (g goal) missed(r *Result) (parts []string) {
	if r.Skipped != "" || r.Err != nil || len(r.Rounds) == 0 {
		return []string{"not measured"}
	}
	if g.gap > 0 && r.gaps().Median > g.gap {
		parts = append(parts, "gap")
	}
	if g.allSucceed && len(r.Failures) > 0 {
		parts = append(parts, "failed rounds")
	}
	if g.nothingLost && r.Account.Lost > 0 {
		parts = append(parts, "lost writes")
	}
	if r.Account.Doubled+r.Account.Displaced+r.Account.Foreign > 0 {
		parts = append(parts, "damaged key")
	}
	return parts
}

func (g goal) String() string {
	var parts []string
	if g.gap > 0 {
		parts = append(parts, fmt.Sprintf("gap <= %g ms", ms(g.gap)))
	}
	if g.allSucceed {
		parts = append(parts, "none failed")
	}
	if g.nothingLost {
		parts = append(parts, "none lost")
	}
	return strings.Join(parts, ", ")
}

// missed reports whether Skein misses a goal.
func missed(chosen []trial, contestants []*contestant) bool {
	for _, t := range chosen {
		for _, c := range contestants {
			if r := c.results[t.name]; c.skein && r != nil && len(t.goal.missed(r)) > 0 {
				return true
			}
		}
	}
	return false
}

// anyTrouble reports whether something could not be measured.
func anyTrouble(contestants []*contestant) bool {
	return slices.ContainsFunc(contestants, func(c *contestant) bool { return c.broken != nil })
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// report returns a table for each trial, and below it what went wrong.
func report(chosen []trial, contestants []*contestant) string {
	var b strings.Builder
	for _, t := range chosen {
		fmt.Fprintf(&b, "\n## %s\n\n", t.title)
		b.WriteString("| server | rounds | failed | median gap ms | least-greatest | until it took over | least-greatest | median ms to promotion | least-greatest | acknowledged | lost | in doubt | asked | |\n" +
			"|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
		var notes []string
		for _, c := range contestants {
			r := c.results[t.name]
			if r == nil {
				continue
			}
			b.WriteString(row(t, c, r))
			notes = append(notes, remarks(c, r)...)
		}
		if len(notes) > 0 {
			b.WriteString("\n" + strings.Join(notes, ""))
		}
	}
	return b.String()
}

func row(t trial, c *contestant, r *Result) string {
	asked, judgement := "", ""
	if c.skein {
		asked, judgement = t.goal.String(), "PASS"
		if parts := t.goal.missed(r); len(parts) > 0 {
			judgement = "FAIL: " + strings.Join(parts, ", ")
		}
	}
	gaps, takeovers, took := r.gaps(), r.takeovers(), r.tookTimes()
	return fmt.Sprintf("| %s | %d | %d | **%.1f** | %.1f-%.1f | %.1f | %.1f-%.1f | %.1f | %.1f-%.1f | %d | %d | %d | %s | %s |\n",
		c.name, len(r.Rounds)+len(r.Failures), len(r.Failures), ms(gaps.Median), ms(gaps.Least), ms(gaps.Greatest),
		ms(takeovers.Median), ms(takeovers.Least), ms(takeovers.Greatest), ms(took.Median), ms(took.Least), ms(took.Greatest), r.Account.Acked, r.Account.Lost, r.Account.InDoubt, asked, judgement)
}

// remarks tell what the row does not.
func remarks(c *contestant, r *Result) (notes []string) {
	note := func(format string, args ...any) {
		text := strings.ReplaceAll(strings.TrimSpace(fmt.Sprintf(format, args...)), "\n", "\n  ")
		notes = append(notes, fmt.Sprintf("- %s: %s\n", c.name, text))
	}
	if r.Skipped != "" {
		note("left out: %s", r.Skipped)
	}
	if r.Err != nil {
		note("not measured to the end: %v", r.Err)
	}
	counts := map[string]int{}
	for _, f := range r.Failures {
		counts[f]++
	}
	for _, f := range slices.Sorted(maps.Keys(counts)) {
		note("%d times: %s", counts[f], f)
	}
	if len(r.Rounds)+len(r.Failures) > 0 {
		note("%v", r.Account)
	}
	return notes
}

// header tells on what the numbers were made.
func header(ctx context.Context, o options, contestants []*contestant) string {
	var b strings.Builder
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	fmt.Fprintf(&b, "# Failover\n\n- %s, %d cores, Linux %s, %s\n", time.Now().UTC().Format("2006-01-02 15:04 UTC"),
		runtime.NumCPU(), strings.TrimSpace(string(kernel)), runtime.Version())
	fmt.Fprintf(&b, "- %d masters with %d replica each, cluster-node-timeout %d ms, one client\n", masters, replicas, o.timeout.Milliseconds())
	for _, c := range contestants {
		fmt.Fprintf(&b, "- %s: `%s`, %s\n", c.name, strings.Join(c.argv, " "), version(ctx, c.argv))
	}
	return b.String()
}

// version returns the first line of what a server prints for --version.
func version(ctx context.Context, argv []string) string {
	ctx, cancel := context.WithTimeout(ctx, rig.ReplyLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, argv[0], append(slices.Clone(argv[1:]), "--version")...).Output()
	if err != nil {
		return fmt.Sprintf("version unknown (%v)", err)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}
