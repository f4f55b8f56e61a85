package sim

import (
	"slices"
	"strconv"
	"strings"
)

// Shrink makes a plan that breaks a rule shorter: lines are left out, then settings, then nodes, as long as the same rule
// breaks. It plays at most so many plans (0: 400), and returns the shortest that it found and how it ends. A plan that
// breaks no rule comes back as it is, with nil.
func Shrink(p *Plan, hook func(*World), plays int) (*Plan, *Violation) {
	if plays <= 0 {
		plays = 400
	}
	s := shrinker{hook: hook, plays: plays}
	s.best, s.end = p, s.play(p)
	if s.end == nil {
		return p, nil
	}
	s.shorten()
	s.lines()
	s.settings()
	s.nodes()
	s.lines()
	s.shorten()
	return s.best, s.end
}

type shrinker struct {
	hook  func(*World)
	plays int
	best  *Plan
	end   *Violation
	start Time // of the script: how long the cluster took to come up
}

func (s *shrinker) play(p *Plan) *Violation {
	s.plays--
	w, err := p.Run(s.hook)
	if err != nil {
		return nil
	}
	s.start = w.begun
	return w.broken
}

// try takes a plan if it breaks the same rule.
func (s *shrinker) try(p *Plan) bool {
	if s.plays <= 0 {
		return false
	}
	if v := s.play(p); v != nil && v.Rule == s.end.Rule {
		s.best, s.end = p, v
		return true
	}
	return false
}

func (s *shrinker) with(change func(p *Plan)) *Plan {
	p := &Plan{Seed: s.best.Seed, Cluster: slices.Clone(s.best.Cluster), For: s.best.For, Lines: slices.Clone(s.best.Lines)}
	change(p)
	return p
}

// lines leaves out halves, then quarters, and so on down to single lines (ddmin).
func (s *shrinker) lines() {
	for size := (len(s.best.Lines) + 1) / 2; size >= 1; {
		removed := false
		for from := 0; from < len(s.best.Lines); {
			to := min(from+size, len(s.best.Lines))
			if s.try(s.with(func(p *Plan) { p.Lines = slices.Delete(p.Lines, from, to) })) {
				removed = true
			} else {
				from = to
			}
		}
		if size == 1 && !removed {
			return
		}
		if !removed || size > len(s.best.Lines) {
			size = max(1, size/2)
		}
		if s.plays <= 0 {
			return
		}
	}
}

// shorten drops what comes after the end.
func (s *shrinker) shorten() {
	end := s.end.At - s.start
	if end <= 0 || end > s.best.For {
		end = 0
		if n := len(s.best.Lines); n > 0 {
			end = s.best.Lines[n-1].At
		}
		end += Second
	}
	s.try(s.with(func(p *Plan) {
		p.Lines = slices.DeleteFunc(p.Lines, func(l Line) bool { return l.At > end })
		p.For = min(p.For, end+Millisecond)
	}))
}

func (s *shrinker) settings() {
	for i := 0; i < len(s.best.Cluster); {
		if !s.try(s.with(func(p *Plan) { p.Cluster = slices.Delete(p.Cluster, i, i+1) })) {
			i++
		}
	}
}

// nodes makes the cluster smaller.
func (s *shrinker) nodes() {
	for i := 0; i < len(s.best.Cluster); i++ {
		key, value, _ := strings.Cut(s.best.Cluster[i], "=")
		n, err := strconv.Atoi(value)
		if err != nil || key != "masters" && key != "replicas" {
			continue
		}
		for n--; n >= 0; n-- {
			if !s.try(s.with(func(p *Plan) { p.Cluster[i] = key + "=" + strconv.Itoa(n) })) {
				break
			}
		}
	}
}
