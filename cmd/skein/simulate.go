package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/skeindb/skein/internal/sim"
)

const simulateUsage = `skein simulate answers before an outage what it would cost: it runs the code that a node runs, on simulated
machines in simulated time, and lets the same accident happen under many seeds.

  skein simulate --masters 100 --replicas 1 --node-timeout 15s --scenario mass-failure --seeds 20
  skein simulate --scenario one-machine --compare-timeouts 5s,15s,30s --compare-replicas 1,2 --plot outage.svg

`

// simulation is what the command line asks for.
type simulation struct {
	study    sim.Study
	timeouts []time.Duration
	replicas []int
	json     bool
	plot     string
	quiet    bool
	replay   string
}

// simulate is skein simulate.
func simulate(args []string, stdout, stderr io.Writer) int {
	s, err := parseSimulation(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 1
	}
	if s.replay != "" {
		if err := replayFlight(s.replay, stdout); err != nil {
			fmt.Fprintln(stderr, "skein:", err)
			return 1
		}
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	reports, err := s.run(ctx, stderr)
	if err == nil {
		err = s.show(reports, stdout)
	}
	if err == nil && s.plot != "" {
		err = plotReports(s.plot, reports)
	}
	if err != nil {
		fmt.Fprintln(stderr, "skein:", err)
		return 1
	}
	return 0
}

func parseSimulation(args []string, stderr io.Writer) (*simulation, error) {
	s := &simulation{}
	f := flag.NewFlagSet("skein simulate", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprint(stderr, simulateUsage)
		f.PrintDefaults()
		fmt.Fprintln(stderr, "\nScenarios:")
		for _, a := range sim.Accidents() {
			fmt.Fprintf(stderr, "  %-16s %s\n", a.Name, a.Text)
		}
	}
	f.IntVar(&s.study.Masters, "masters", 3, "number of masters")
	f.IntVar(&s.study.Replicas, "replicas", 1, "replicas of each master")
	timeout := f.Duration("node-timeout", 15*time.Second, "cluster-node-timeout")
	ping := f.Duration("ping-interval", 0, "cluster-ping-interval; 0: half the node timeout")
	delay := f.Duration("delay", 2*time.Millisecond, "greatest delay of a packet between two nodes")
	f.StringVar(&s.study.Scenario, "scenario", "one-master", "what happens")
	f.Uint64Var(&s.study.Seed, "seed", 1, "the first seed: equal seeds give equal courses")
	f.IntVar(&s.study.Seeds, "seeds", 20, "how many courses")
	f.BoolVar(&s.study.Form, "form", false, "form the cluster by MEETs first")
	f.BoolVar(&s.study.Check, "check", false, "check the rules of the cluster after every step")
	f.IntVar(&s.study.Workers, "workers", 0, "courses at a time; 0: one per core")
	f.StringVar(&s.replay, "replay", "", "the recording of a node (cluster-flight-file): play it again and print what happened")
	timeouts := f.String("compare-timeouts", "", "node timeouts to compare: 5s,15s,30s")
	replicas := f.String("compare-replicas", "", "numbers of replicas to compare: 1,2")
	f.BoolVar(&s.json, "json", false, "print JSON")
	f.StringVar(&s.plot, "plot", "", "draw the course of the outage into this file: .svg, .png or .pdf")
	f.BoolVar(&s.quiet, "quiet", false, "no progress bar")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	s.study.NodeTimeout, s.study.PingInterval = simTime(*timeout), simTime(*ping)
	s.study.Delay = simTime(*delay)
	s.timeouts, s.replicas = []time.Duration{*timeout}, []int{s.study.Replicas}
	err := s.comparisons(*timeouts, *replicas)
	if err == nil && f.NArg() > 0 {
		err = fmt.Errorf("%q is one word too many; try skein simulate --help", f.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(stderr, "skein:", err)
	}
	return s, err
}

func simTime(d time.Duration) sim.Time { return sim.Time(d / time.Microsecond) }

func duration(t sim.Time) time.Duration { return time.Duration(t) * time.Microsecond }

func (s *simulation) comparisons(timeouts, replicas string) error {
	if timeouts != "" {
		s.timeouts = nil
		for word := range strings.SplitSeq(timeouts, ",") {
			d, err := time.ParseDuration(word)
			if err != nil {
				return fmt.Errorf("%q is no time; write 5s or 500ms", word)
			}
			s.timeouts = append(s.timeouts, d)
		}
	}
	if replicas != "" {
		s.replicas = nil
		for word := range strings.SplitSeq(replicas, ",") {
			n, err := strconv.Atoi(word)
			if err != nil {
				return fmt.Errorf("%q is no number of replicas", word)
			}
			s.replicas = append(s.replicas, n)
		}
	}
	return nil
}

// run plays all variants and shows how far it is.
func (s *simulation) run(ctx context.Context, stderr io.Writer) (reports []*sim.Report, err error) {
	bar := s.progress(stderr)
	defer bar.Finish()
	for _, timeout := range s.timeouts {
		for _, replicas := range s.replicas {
			study := s.study
			study.NodeTimeout, study.Replicas = simTime(timeout), replicas
			report, err := study.Run(ctx, func() { bar.Add(1) })
			if err != nil {
				return nil, err
			}
			reports = append(reports, report)
		}
	}
	return reports, nil
}

// progress is a bar on a terminal, and nothing elsewhere.
func (s *simulation) progress(stderr io.Writer) *progressbar.ProgressBar {
	total := max(0, s.study.Seeds) * len(s.timeouts) * len(s.replicas)
	file, isFile := stderr.(*os.File)
	if s.quiet || !isFile || !term.IsTerminal(int(file.Fd())) {
		return progressbar.DefaultSilent(int64(total))
	}
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(stderr), progressbar.OptionSetDescription("simulating"),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionFullWidth())
}

func (s *simulation) show(reports []*sim.Report, w io.Writer) error {
	if s.json {
		return showJSON(reports, w)
	}
	return showTable(reports, w)
}

func showTable(reports []*sim.Report, w io.Writer) error {
	r := reports[0]
	text := ""
	for _, a := range sim.Accidents() {
		if a.Name == r.Study.Scenario {
			text = a.Text
		}
	}
	fmt.Fprintf(w, "%s: %s\n%d masters, %d seeds from %d. Times in seconds after the accident: median, 99th percentile, worst.\n\n",
		r.Study.Scenario, text, r.Study.Masters, r.Study.Seeds, r.Study.Seed)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "timeout\treplicas\tFAIL\tp99\tworst\tpromoted\tp99\tworst\tall served\tp99\tworst\tnot served\t")
	for _, r := range reports {
		fmt.Fprintf(t, "%s\t%d\t", duration(r.Study.NodeTimeout), r.Study.Replicas)
		for _, q := range []sim.Quantiles{r.Fail, r.Promote, r.Serve} {
			if q.N == 0 {
				fmt.Fprint(t, "-\t-\t-\t")
				continue
			}
			fmt.Fprintf(t, "%.2f\t%.2f\t%.2f\t", duration(q.Median).Seconds(), duration(q.P99).Seconds(), duration(q.Worst).Seconds())
		}
		fmt.Fprintf(t, "%d of %d\t\n", r.Unserved, len(r.Outcomes))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nThe bus, per node and second:")
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "timeout\treplicas\tpackets\tkB\tpackets in the outage\tkB\tlost bytes of writes\t")
	for _, r := range reports {
		fmt.Fprintf(t, "%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%d\t\n", duration(r.Study.NodeTimeout), r.Study.Replicas,
			r.Packets, r.Bytes/1000, r.OutPkts, r.OutBytes/1000, r.Lost)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return notes(reports, w)
}

// notes says what the numbers do not.
func notes(reports []*sim.Report, w io.Writer) error {
	for _, r := range reports {
		if r.Broken > 0 {
			for _, o := range r.Outcomes {
				if o.Violation != "" {
					_, err := fmt.Fprintf(w, "\nSeed %d broke a rule of the cluster %s\n", o.Seed, o.Violation)
					return err
				}
			}
		}
		if r.Study.Replicas == 0 && r.Unserved > 0 {
			_, err := fmt.Fprintln(w, "\nWithout replicas nobody can take the place of a master.")
			return err
		}
	}
	return nil
}

// jsonReport is a report with times in seconds.
type jsonReport struct {
	Scenario    string       `json:"scenario"`
	Masters     int          `json:"masters"`
	Replicas    int          `json:"replicas_each"`
	NodeTimeout float64      `json:"node_timeout_s"`
	Seed        uint64       `json:"seed"`
	Seeds       int          `json:"seeds"`
	Fail        jsonQuantile `json:"fail_s"`
	Promote     jsonQuantile `json:"promoted_s"`
	Serve       jsonQuantile `json:"served_s"`
	Unserved    int          `json:"not_served"`
	Packets     float64      `json:"packets_per_node_s"`
	Bytes       float64      `json:"bytes_per_node_s"`
	OutPackets  float64      `json:"outage_packets_per_node_s"`
	OutBytes    float64      `json:"outage_bytes_per_node_s"`
	LostBytes   int64        `json:"lost_bytes"`
	Courses     []jsonCourse `json:"courses"`
}

type jsonQuantile struct {
	N      int     `json:"n"`
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	Worst  float64 `json:"worst"`
}

type jsonCourse struct {
	Seed      uint64    `json:"seed"`
	Failed    []float64 `json:"fail_s"`
	Promoted  []float64 `json:"promoted_s"`
	Served    *float64  `json:"served_s"` // null: not within the limit
	Violation string    `json:"violation,omitempty"`
}

func showJSON(reports []*sim.Report, w io.Writer) error {
	var list []jsonReport
	quantile := func(q sim.Quantiles) jsonQuantile {
		return jsonQuantile{q.N, duration(q.Median).Seconds(), duration(q.P99).Seconds(), duration(q.Worst).Seconds()}
	}
	seconds := func(times []sim.Time) []float64 {
		list := make([]float64, len(times))
		for i, t := range times {
			list[i] = duration(t).Seconds()
		}
		return list
	}
	for _, r := range reports {
		j := jsonReport{
			Scenario: r.Study.Scenario, Masters: r.Study.Masters, Replicas: r.Study.Replicas,
			NodeTimeout: duration(r.Study.NodeTimeout).Seconds(), Seed: r.Study.Seed, Seeds: r.Study.Seeds,
			Fail: quantile(r.Fail), Promote: quantile(r.Promote), Serve: quantile(r.Serve), Unserved: r.Unserved,
			Packets: r.Packets, Bytes: r.Bytes, OutPackets: r.OutPkts, OutBytes: r.OutBytes, LostBytes: r.Lost,
		}
		for _, o := range r.Outcomes {
			c := jsonCourse{Seed: o.Seed, Failed: seconds(o.Failed), Promoted: seconds(o.Promoted), Violation: o.Violation}
			if o.Served >= 0 {
				served := duration(o.Served).Seconds()
				c.Served = &served
			}
			j.Courses = append(j.Courses, c)
		}
		list = append(list, j)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(list)
}
