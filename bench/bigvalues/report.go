//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// row is what the rounds of one event gave on one server.
type row struct {
	Outcome
	rounds int
}

// add joins another round to r.
func (r *row) add(o Outcome) {
	r.rounds++
	if r.Err == nil {
		r.Err = o.Err
	}
	r.PFAIL = r.PFAIL || o.PFAIL
	r.Took = max(r.Took, o.Took)
	for i := range o.Quiet {
		if i == len(r.Quiet) {
			r.Quiet, r.During = append(r.Quiet, nil), append(r.During, nil)
		}
		r.Quiet[i], r.During[i] = merged(r.Quiet[i], o.Quiet[i]), merged(r.During[i], o.During[i])
	}
}

func merged(a, b Latencies) Latencies {
	a = append(a, b...)
	slices.Sort(a)
	return a
}

func (o *options) header(all []contestant) string {
	var b strings.Builder
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	fmt.Fprintf(&b, "# Big values\n\n- %s, %d cores, Linux %s, %s\n", time.Now().UTC().Format("2006-01-02 15:04 UTC"),
		runtime.NumCPU(), strings.TrimSpace(string(kernel)), runtime.Version())
	fmt.Fprintf(&b, "- %d clients, a GET each every %v; %d elements are deleted, %d moved or restored, %d keys flushed or expired; rounds: %d\n",
		o.clients, o.every, o.elements, o.moved, o.keys, o.rounds)
	for _, c := range all {
		fmt.Fprintf(&b, "- %s: `%s`\n", c.name, strings.Join(c.argv, " "))
	}
	b.WriteString("\nMicroseconds.\n\n| event | server | GETs | quiet p50 | p99 | p99.9 | max | during p50 | p99 | p99.9 | max | p99.9 ratio | event ms |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	return b.String()
}

// sides name the rows of an event in a cluster.
func sides(e event) []string {
	switch {
	case strings.HasPrefix(e.name, "migrate"):
		return []string{"/source", "/target"}
	case e.cluster:
		return []string{"/here", "/beside"}
	}
	return []string{""}
}

// report prints the rows of an event, and returns what was missed and what was broken.
func (o *options) report(e event, all []contestant, rows []row) (missed, broken []string) {
	for i, c := range all {
		r := &rows[i]
		if r.rounds == 0 {
			continue
		}
		if r.Err != nil {
			broken = append(broken, fmt.Sprintf("%s, %s: %v", e.name, c.name, r.Err))
			continue
		}
		for side, name := range sides(e) {
			fmt.Printf("| %s%s | %s | %d | %s | %s | %.1f | %d |\n", e.name, name, c.name, len(r.During[side]),
				figures(r.Quiet[side]), figures(r.During[side]),
				float64(r.During[side].At(worst))/float64(max(r.Quiet[side].At(worst), 1)), r.Took.Milliseconds())
		}
		if c.skein {
			missed = append(missed, misses(e, r, all, rows)...)
		}
	}
	return missed, broken
}

// The shares of GETs that goals speak of: beside a script it is another one.
const (
	worst    = 0.999
	ofScript = 0.99
)

func figures(l Latencies) string {
	return fmt.Sprintf("%d | %d | %d | %d", l.At(0.5).Microseconds(), l.At(0.99).Microseconds(), l.At(worst).Microseconds(), l.At(1).Microseconds())
}

// misses are the goals of the event that Skein, whose row r is, has missed.
func misses(e event, r *row, all []contestant, rows []row) (list []string) {
	if e.cluster {
		if r.PFAIL {
			list = append(list, e.name+": a node took another for failing")
		}
		for side, name := range sides(e) {
			share := worst
			if e.ours {
				share = ofScript
			}
			if is, quiet := r.During[side].At(share), r.Quiet[side].At(share); is > 2*quiet {
				list = append(list, fmt.Sprintf("%s%s: p%g is %v, quiet it is %v", e.name, name, 100*share, is, quiet))
			}
		}
		return list
	}
	for i, c := range all {
		if c.skein || rows[i].Err != nil {
			continue
		}
		if is, theirs := r.During[0].At(worst), rows[i].During[0].At(worst); is > theirs {
			list = append(list, fmt.Sprintf("%s: p99.9 is %v, that of %s %v", e.name, is, c.name, theirs))
		}
	}
	return list
}

func verdict(missed, broken []string) string {
	var b strings.Builder
	for _, text := range missed {
		fmt.Fprintf(&b, "\nMissed: %s", text)
	}
	for _, text := range broken {
		fmt.Fprintf(&b, "\nNot measured: %s", text)
	}
	if b.Len() == 0 {
		return "\nAll goals are met.\n"
	}
	return b.String() + "\n"
}
