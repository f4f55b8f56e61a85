package sim

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/cluster/core"
)

// A script is text, one thing per line; what follows # is for people.
//
//	include other.txt                     the lines of another script
//	cluster masters=3..6 replicas=1..2    the cluster: see settings below; replicas are for each master
//	for 60s                               how long the disturbance lasts; the longest counts
//	at 5s: freeze m1 10s                  once
//	every 1s..5s: kill any                again and again
//	at 3s times 5: wipe replica {soft|hard}
//
// Three kinds of choices are left open and closed by the seed: A..B is a number or a time between two, {a|b} one of
// several words, and the words any, server, dead, master, replica and spare (a master without slots) are servers. A script without open
// choices is a course: it is what Plan makes, what a failure prints, and what Shrink makes shorter.

// Plan is what a world is made of and what happens in it.
type Plan struct {
	Seed    uint64
	Cluster []string // settings
	For     Time
	Lines   []Line
}

// Line is one action of a plan.
type Line struct {
	At   Time
	Text string
}

// String writes a plan as a script that has no choices left.
func (p *Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d\ncluster %s\nfor %s\n", p.Seed, strings.Join(p.Cluster, " "), p.For)
	for _, l := range p.Lines {
		fmt.Fprintf(&b, "at %s: %s\n", l.At, l.Text)
	}
	return b.String()
}

// Script is a parsed text.
type Script struct {
	seed    uint64
	seeded  bool
	cluster []string
	length  Time
	rules   []rule
}

// rule is one line about actions.
type rule struct {
	every bool
	when  string
	times int
	text  string
}

// ErrScript wraps what is wrong with a script.
var ErrScript = errors.New("script")

// Parse reads a script; files holds what it includes.
func Parse(text string, files fs.FS) (*Script, error) {
	s := &Script{length: 30 * Second}
	if err := s.parse(text, files, 0); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrScript, err)
	}
	return s, nil
}

func (s *Script) parse(text string, files fs.FS, depth int) error {
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := s.line(line, files, depth); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

func (s *Script) line(line string, files fs.FS, depth int) error {
	word, rest, _ := strings.Cut(line, " ")
	var err error
	switch word {
	case "seed":
		s.seed, err = strconv.ParseUint(rest, 10, 64)
		s.seeded = true
		return err
	case "include":
		if depth > 4 || files == nil {
			return fmt.Errorf("cannot include %q", rest)
		}
		text, err := fs.ReadFile(files, rest)
		if err != nil {
			return err
		}
		return s.parse(string(text), files, depth+1)
	case "cluster":
		s.cluster = append(s.cluster, strings.Fields(rest)...)
		return nil
	case "for":
		d, err := parseTime(rest)
		s.length = max(s.length, d)
		return err
	case "at", "every":
		return s.addRule(word, rest)
	}
	return fmt.Errorf("%q is not understood", line)
}

func (s *Script) addRule(word, rest string) error {
	when, text, ok := strings.Cut(rest, ":")
	if !ok {
		return fmt.Errorf("%q has no action", rest)
	}
	r := rule{every: word == "every", times: 1, text: strings.TrimSpace(text)}
	when, times, many := strings.Cut(strings.TrimSpace(when), " times ")
	r.when = when
	if many {
		n, err := strconv.Atoi(times)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of times", times)
		}
		r.times = n
	}
	verb, _, _ := strings.Cut(r.text, " ")
	for option := range strings.SplitSeq(strings.Trim(verb, "{}"), "|") {
		if _, ok := actions[option]; !ok {
			return fmt.Errorf("there is no action %q", option)
		}
	}
	low, high, _ := strings.Cut(r.when, "..")
	for _, t := range []string{low, cmp.Or(high, low)} {
		if d, err := parseTime(t); err != nil || r.every && d == 0 {
			return fmt.Errorf("%q is no time", t)
		}
	}
	s.rules = append(s.rules, r)
	return nil
}

// Plan closes all choices. Equal seeds give equal plans.
func (s *Script) Plan(seed uint64) *Plan {
	if s.seeded {
		seed = s.seed
	}
	rnd := rand.New(rand.NewPCG(seed, 0x706c616e))
	p := &Plan{Seed: seed, For: s.length}
	for _, word := range s.cluster {
		p.Cluster = append(p.Cluster, choose(rnd, word))
	}
	for _, r := range s.rules {
		if !r.every {
			for range r.times {
				at, _ := parseTime(choose(rnd, r.when))
				p.Lines = append(p.Lines, Line{at, s.close(rnd, r.text)})
			}
			continue
		}
		for at := Second; ; {
			pause, _ := parseTime(choose(rnd, r.when))
			if at += max(pause, Millisecond); at > s.length {
				break
			}
			p.Lines = append(p.Lines, Line{at, s.close(rnd, r.text)})
		}
	}
	slices.SortStableFunc(p.Lines, func(a, b Line) int { return cmp.Compare(a.At, b.At) })
	return p
}

func (s *Script) close(rnd *rand.Rand, text string) string {
	list := strings.Fields(text)
	for i := range list {
		list[i] = choose(rnd, list[i])
	}
	return strings.Join(slices.DeleteFunc(list, func(word string) bool { return word == "" }), " ")
}

// choose closes the choices of one word.
func choose(rnd *rand.Rand, word string) string {
	for {
		open := strings.IndexByte(word, '{')
		end := strings.IndexByte(word, '}')
		if open < 0 || end < open {
			break
		}
		options := strings.Split(word[open+1:end], "|")
		word = word[:open] + options[rnd.IntN(len(options))] + word[end+1:]
	}
	if _, drawn := draws[word]; drawn {
		return fmt.Sprintf("%s/%d", word, rnd.IntN(1000))
	}
	key, value, has := strings.Cut(word, "=")
	if !has {
		key, value = "", word
	}
	low, high, isRange := strings.Cut(value, "..")
	if !isRange {
		return word
	}
	chosen := value
	if a, err := strconv.Atoi(low); err == nil {
		if b, err := strconv.Atoi(high); err == nil && b >= a {
			chosen = strconv.Itoa(a + rnd.IntN(b-a+1))
		}
	} else if a, err := parseTime(low); err == nil {
		if b, err := parseTime(high); err == nil && b >= a {
			chosen = (Span{a, b}).draw(rnd).String()
		}
	}
	if has {
		return key + "=" + chosen
	}
	return chosen
}

// settings are the words of a cluster line.
var settings = map[string]func(o *Options, value string, number int, t Time){
	"masters":   func(o *Options, _ string, n int, _ Time) { o.Masters = n },
	"replicas":  func(o *Options, _ string, n int, _ Time) { o.Replicas = -n }, // each; turned into all below
	"timeout":   func(o *Options, _ string, _ int, t Time) { o.Config.NodeTimeout = core.Millis(t / Millisecond) },
	"ping":      func(o *Options, _ string, _ int, t Time) { o.Config.PingInterval = core.Millis(t / Millisecond) },
	"form":      func(o *Options, v string, _ int, _ Time) { o.Form = v == "yes" },
	"regions":   func(o *Options, _ string, n int, _ Time) { o.Regions = n },
	"far":       func(o *Options, _ string, _ int, t Time) { o.FarDelay = Span{t, t + t/4} },
	"delay":     func(o *Options, _ string, _ int, t Time) { o.Delay = Span{t / 4, t} },
	"hiccup":    func(o *Options, _ string, n int, _ Time) { o.Hiccup = float64(n) / 1e6 },
	"sync":      func(o *Options, _ string, _ int, t Time) { o.SyncTime = Span{t / 2, t} },
	"disk":      func(o *Options, _ string, _ int, t Time) { o.DiskTime = Span{t / 10, t} },
	"stuck":     func(o *Options, _ string, n int, _ Time) { o.DiskStuck = float64(n) / 1e6 },
	"drift":     func(o *Options, _ string, n int, _ Time) { o.DriftPPM = n },
	"writes":    func(o *Options, _ string, _ int, t Time) { o.Writes = t },
	"coverage":  func(o *Options, v string, _ int, _ Time) { o.Config.RequireFullCoverage = v != "no" },
	"migration": func(o *Options, v string, _ int, _ Time) { o.Config.AllowReplicaMigration = v != "no" },
	"barrier":   func(o *Options, _ string, n int, _ Time) { o.Config.MigrationBarrier = n },
	"validity":  func(o *Options, _ string, n int, _ Time) { o.Config.ReplicaValidityFactor = n },
	"codec":     func(o *Options, _ string, n int, _ Time) { o.Codec = n },
}

// options reads the settings of a plan.
func (p *Plan) options() (Options, error) {
	o := DefaultOptions()
	o.Replicas = -1
	for _, word := range p.Cluster {
		key, value, _ := strings.Cut(word, "=")
		set := settings[key]
		if set == nil {
			return o, fmt.Errorf("%w: there is no setting %q", ErrScript, key)
		}
		number, _ := strconv.Atoi(value)
		t, _ := parseTime(value)
		set(&o, value, number, t)
	}
	if o.Masters < 1 || o.Masters > 5000 || o.Replicas < -20 || o.Config.NodeTimeout < 100 {
		return o, fmt.Errorf("%w: no such cluster can be: %s", ErrScript, strings.Join(p.Cluster, " "))
	}
	if o.Replicas < 0 {
		o.Replicas *= -o.Masters
	}
	return o, nil
}
