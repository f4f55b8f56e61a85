package sim

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/core"
)

// action is one thing that a script can do. usage is for people, and says how many words there are.
type action struct {
	usage   string
	meddles bool // the administrator may leave a mess: it is cleaned up before the cluster must be well
	do      func(w *World, a words)
}

// actions by their first word. Servers are named (m1, r2, x1) or drawn: "master/17" is number 17 modulo their count of
// the masters that run, "any/3" of all that run, "dead/1" of those that do not.
var actions = map[string]action{
	"kill":     {"SERVER: the process ends; who was connected is told", false, func(w *World, a words) { w.kill(a.server(w, 0), false) }},
	"poweroff": {"SERVER: the machine ends; nobody is told, what was not synchronised is lost", false, func(w *World, a words) { w.kill(a.server(w, 0), true) }},
	"start":    {"SERVER [blank|empty]: it runs again; blank has lost nodes.conf and data, empty the data", false, func(w *World, a words) { w.revive(a.server(w, 0), a.word(1)) }},
	"restart":  {"SERVER AFTER [blank|empty|moved]: kill, and start after a while; moved has another address", false, restart},
	"destroy":  {"SERVER: it ends and never comes back", false, destroy},
	"freeze":   {"SERVER FOR: the process stands still", false, func(w *World, a words) { w.freeze(a.server(w, 0), a.time(1)) }},
	"isolate":  {"SERVER FOR: nothing passes to it and from it", false, isolate},
	"deafen":   {"SERVER FOR: nothing passes to it", false, deafen},
	"silence":  {"SERVER FOR: nothing passes from it", false, silence},
	"cut":      {"SERVER SERVER FOR: nothing passes between two", false, cutPair},
	"oneway":   {"SERVER SERVER FOR: nothing passes from the first to the second", false, cutOneWay},
	"split":    {"SEED FOR: the servers fall apart into two parts", false, split},
	"region":   {"NUMBER FOR: a region is cut off", false, cutRegion},
	"lose":     {"NUMBER FOR: all machines of a region end, and come back after", false, loseRegion},
	"reset":    {"SERVER SERVER: the connections between two break", false, resetLinks},
	"stall":    {"SERVER SERVER FOR: packets between two are late", false, stall},
	"slowdisk": {"SERVER FOR: no save ends meanwhile", false, func(w *World, a words) {
		s := a.server(w, 0)
		s.disk.stuckUntil = max(s.disk.stuckUntil, w.now+a.time(1))
	}},
	"half":     {"SEED: as many masters as leave a majority are killed at once", false, killHalf},
	"failover": {"SERVER [force|takeover]", false, failover},
	"bump":     {"SERVER: BUMPEPOCH", false, func(w *World, a words) { w.ask(a.server(w, 0), core.BumpEpoch{}) }},
	"move":     {"SLOT SERVER STEPS [crash]: move a slot to a master; break off after so many of four steps, and kill who did the last one", true, moveSlot},
	"meet":     {"SERVER SERVER: the first is told to meet the second", true, func(w *World, a words) { w.meet(a.server(w, 0), a.server(w, 1)) }},
	"storm":    {"SEED COUNT: MEETs between servers drawn at random", true, meetStorm},
	"forget":   {"SERVER [leave|kill|wipe]: all others forget it; before, it goes on, is destroyed, or is reset", true, forget},
	"wipe":     {"SERVER soft|hard: RESET", true, wipe},
	"replicate": {"SERVER SERVER: the first, if it owns nothing, follows the second", true, func(w *World, a words) {
		if to := a.server(w, 1); to != nil {
			w.ask(a.server(w, 0), core.Replicate{Node: to.id.String()})
		}
	}},
	"add":     {"NAME: a new server, met through a running one", true, addOne},
	"replace": {"SERVER NAME: a new server takes its place: met, made its replica, promoted; the old one is forgotten and destroyed", true, replace},
	"expect":  {"CONDITION ...: a rule of the script: served | well | shards | knows A B | stranger A B | leads A | follows A | lost BYTES | promotions N", false, expect},
}

// words are the arguments of an action.
type words []string

func (a words) word(i int) string {
	if i < len(a) {
		return a[i]
	}
	return ""
}

func (a words) number(i int) int {
	n, _ := strconv.Atoi(a.word(i))
	return n
}

func (a words) time(i int) Time {
	t, _ := parseTime(a.word(i))
	return t
}

func parseTime(text string) (Time, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > 10000*time.Hour {
		return 0, fmt.Errorf("%q is no time", text)
	}
	return Time(d / time.Microsecond), nil
}

// draws are the words for which a server is drawn, and who takes part.
var draws = map[string]func(s *server) bool{
	"any":     func(s *server) bool { return s.core != nil },
	"server":  func(s *server) bool { return !s.gone },
	"dead":    func(s *server) bool { return s.core == nil && !s.gone },
	"master":  func(s *server) bool { return s.core != nil && owns(s) },
	"replica": func(s *server) bool { return s.core != nil && s.core.Glance().Replica },
	"spare":   func(s *server) bool { return s.core != nil && !s.core.Glance().Replica && !owns(s) },
}

func owns(s *server) bool { g := s.core.Glance(); return !g.Replica && g.Slots > 0 }

// server is who a word means, or nil.
func (a words) server(w *World, i int) *server {
	kind, number, drawn := strings.Cut(a.word(i), "/")
	if !drawn {
		for _, s := range w.servers {
			if s.name == kind {
				return s
			}
		}
		return nil
	}
	takesPart := draws[kind]
	n, err := strconv.Atoi(number)
	if takesPart == nil || err != nil {
		return nil
	}
	var list []*server
	for _, s := range w.servers {
		if takesPart(s) {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[n%len(list)]
}

// act does what a line of a script says. A server that is not there makes it mean nothing.
func (w *World) act(line string) {
	list := strings.Fields(line)
	a, ok := actions[list[0]]
	if !ok {
		w.violate("the script makes sense", "%q", line)
		return
	}
	for i, word := range strings.Fields(a.usage) {
		isServer := strings.TrimSuffix(word, ":") == "SERVER"
		if isServer && words(list[1:]).server(w, i) == nil {
			return
		}
	}
	w.meddled = w.meddled || a.meddles
	a.do(w, list[1:])
}

var errNoAnswer = errors.New("no answer")

// ask gives a node a wish of the administrator.
func (w *World) ask(s *server, ev core.Event) error {
	if s == nil || s.core == nil || s.frozen {
		return errNoAnswer
	}
	err := s.step(ev)
	if err != nil {
		w.Stats.Refused++
	}
	return err
}

func (w *World) disturb(list ...*server) {
	for _, s := range list {
		if s != nil {
			s.disturbed = w.now
		}
	}
}

func (w *World) kill(s *server, machine bool) {
	if s != nil {
		w.disturb(s)
		s.stop(machine)
	}
}

func (w *World) revive(s *server, how string) {
	if s == nil || s.core != nil {
		return
	}
	switch how {
	case "blank":
		s.disk, s.pos, w.blanked, w.meddled = disk{}, position{}, true, true
	case "empty":
		s.pos = position{}
	case "moved":
		w.readdress(s)
	}
	s.start()
}

func restart(w *World, a words) {
	s := a.server(w, 0)
	w.kill(s, false)
	w.call(a.time(1), func() { w.revive(s, a.word(2)) })
}

func destroy(w *World, a words) {
	if s := a.server(w, 0); s != nil {
		w.kill(s, false)
		s.gone = true
	}
}

func (w *World) freeze(s *server, d Time) {
	if s != nil {
		w.disturb(s)
		s.freeze(d)
	}
}

// cutAll cuts the way from each of one list to each of another for a while.
func (w *World) cutAll(from, to []*server, both bool, d Time) {
	w.disturb(from...)
	w.disturb(to...)
	set := func(on bool) {
		for _, a := range from {
			for _, b := range to {
				w.setCut(a, b, on)
				if both {
					w.setCut(b, a, on)
				}
			}
		}
	}
	set(true)
	round := w.round
	w.call(d, func() {
		if w.round == round {
			set(false)
			w.disturb(from...)
			w.disturb(to...)
		}
	})
}

func (w *World) others(s *server) []*server {
	return slices.DeleteFunc(slices.Clone(w.servers), func(o *server) bool { return o == s })
}

func isolate(w *World, a words) {
	s := a.server(w, 0)
	w.cutAll([]*server{s}, w.others(s), true, a.time(1))
}

func deafen(w *World, a words) {
	s := a.server(w, 0)
	w.cutAll(w.others(s), []*server{s}, false, a.time(1))
}

func silence(w *World, a words) {
	s := a.server(w, 0)
	w.cutAll([]*server{s}, w.others(s), false, a.time(1))
}

func cutPair(w *World, a words) {
	w.cutAll([]*server{a.server(w, 0)}, []*server{a.server(w, 1)}, true, a.time(2))
}

func cutOneWay(w *World, a words) {
	w.cutAll([]*server{a.server(w, 0)}, []*server{a.server(w, 1)}, false, a.time(2))
}

// split lets the bits of a number say who is on which side.
func split(w *World, a words) {
	var sides [2][]*server
	seed := uint64(a.number(0))
	for _, s := range w.servers {
		side := mix(seed+uint64(s.number)) >> 7 & 1
		sides[side] = append(sides[side], s)
	}
	w.cutAll(sides[0], sides[1], true, a.time(1))
}

// mix scatters a number over 64 bits (splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (w *World) inRegion(region int) (in, out []*server) {
	for _, s := range w.servers {
		if s.region == region {
			in = append(in, s)
		} else {
			out = append(out, s)
		}
	}
	return in, out
}

func cutRegion(w *World, a words) {
	in, out := w.inRegion(a.number(0) % max(1, w.opt.Regions))
	w.cutAll(in, out, true, a.time(1))
}

// loseRegion is a power cut. The administrator of the other region takes over by hand after half a node timeout.
func loseRegion(w *World, a words) {
	in, out := w.inRegion(a.number(0) % max(1, w.opt.Regions))
	for _, s := range in {
		w.kill(s, true)
	}
	wait := Time(w.opt.Config.NodeTimeout) * Millisecond
	w.call(wait+wait/2, func() {
		for _, s := range out {
			if s.core == nil || !s.core.Glance().Replica {
				continue
			}
			if m := w.byID[s.core.Glance().Master]; m != nil && m.core == nil {
				w.ask(s, core.Failover{Mode: core.FailoverTakeover})
			}
		}
	})
	w.call(a.time(1), func() {
		for _, s := range in {
			w.revive(s, "")
		}
	})
}

func (w *World) linksBetween(a, b *server, do func(*link)) {
	if a == nil || b == nil {
		return
	}
	for _, s := range [2]*server{a, b} {
		for _, l := range slices.Clone(s.outLinks) {
			if l != nil && (l.ends[1] == a || l.ends[1] == b) {
				do(l)
			}
		}
	}
}

func resetLinks(w *World, a words) {
	w.linksBetween(a.server(w, 0), a.server(w, 1), func(l *link) { w.breakLink(l, nil) })
}

func stall(w *World, a words) {
	until := w.now + a.time(2)
	w.disturb(a.server(w, 0), a.server(w, 1))
	w.linksBetween(a.server(w, 0), a.server(w, 1), func(l *link) {
		l.last[0], l.last[1] = max(l.last[0], until), max(l.last[1], until)
	})
}

// killHalf kills the most masters that may go at once, if each has a replica that runs.
func killHalf(w *World, a words) {
	var masters []*server
	for _, s := range w.servers {
		if s.core != nil && owns(s) {
			masters = append(masters, s)
		}
	}
	seed := uint64(a.number(0))
	slices.SortFunc(masters, func(x, y *server) int {
		if mix(seed^uint64(x.number)) < mix(seed^uint64(y.number)) {
			return -1
		}
		return 1
	})
	for _, s := range masters[:max(0, (len(masters)-1)/2)] {
		w.kill(s, false)
	}
}

func failover(w *World, a words) {
	mode := core.FailoverPlain
	switch a.word(1) {
	case "force":
		mode = core.FailoverForce
	case "takeover":
		mode = core.FailoverTakeover
	}
	w.ask(a.server(w, 0), core.Failover{Mode: mode})
}

func (w *World) meet(s, other *server) error {
	if other == nil || s == other {
		return errNoAnswer
	}
	return w.ask(s, core.Meet{IP: other.ip, Port: int64(other.cfg.Port), BusPort: int64(other.cfg.BusPort)})
}

func meetStorm(w *World, a words) {
	x := uint64(a.number(0))
	for range a.number(1) {
		x = mix(x)
		n := uint64(len(w.servers))
		w.meet(w.servers[x%n], w.servers[x>>20%n])
	}
}

// wipe is RESET. A replica gives up its data, a master that has some refuses.
func wipe(w *World, a words) {
	if s := a.server(w, 0); s != nil {
		w.disturb(s)
		w.ask(s, core.Reset{Hard: a.word(1) == "hard", HasKeys: s.pos.offset > 0})
	}
}

func expect(w *World, a words) {
	if why := w.unmet(a); why != "" {
		w.violate("the script expects "+strings.Join(a, " "), "%s", why)
	}
}

// unmet says what speaks against a condition, or "".
func (w *World) unmet(a words) string {
	s, other := a.server(w, 1), a.server(w, 2)
	needs := map[string]int{"knows": 2, "stranger": 2, "leads": 1, "follows": 1}[a.word(0)]
	if needs > 0 && (s == nil || s.core == nil) || needs > 1 && other == nil {
		return "there is no such node at work"
	}
	switch a.word(0) {
	case "served":
		for _, s := range w.servers {
			if s.core != nil && !s.okay {
				return s.name + " sees the cluster down"
			}
		}
	case "well":
		return w.unwell()
	case "shards":
		return w.twoMasters()
	case "knows":
		if _, known := s.core.Knows(other.id); !known {
			return s.name + " does not know " + other.name
		}
	case "stranger":
		if _, known := s.core.Knows(other.id); known {
			return s.name + " knows " + other.name
		}
	case "leads":
		if !owns(s) {
			return s.name + " owns nothing"
		}
	case "follows":
		if !s.core.Glance().Replica {
			return s.name + " is a master"
		}
	case "lost":
		if w.Stats.WritesLost > int64(a.number(1)) {
			return fmt.Sprintf("%d bytes are lost", w.Stats.WritesLost)
		}
	case "promotions":
		if w.Stats.Promotions != a.number(1) {
			return fmt.Sprintf("there were %d", w.Stats.Promotions)
		}
	default:
		return "there is no such condition"
	}
	return ""
}

// twoMasters says which shard has two masters, or "".
func (w *World) twoMasters() string {
	masters := map[nodeid.ID]string{}
	for _, s := range w.servers {
		if s.core == nil || s.core.Glance().Replica {
			continue
		}
		shard := s.core.Glance().Shard
		if other := masters[shard]; other != "" {
			return other + " and " + s.name + " are masters of one shard"
		}
		masters[shard] = s.name
	}
	return ""
}

// nameOf is the server that has or had an id.
func (w *World) nameOf(id nodeid.ID) string {
	if s := w.byID[id]; s != nil {
		if s.id != id {
			return s.name + "'"
		}
		return s.name
	}
	return id.String()[:8]
}

const forever = Time(math.MaxInt64 / 4)
