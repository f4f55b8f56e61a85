package core

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/bus"
)

var update = flag.Bool("update", false, "write what the scripts print into testdata")

// TestScripts plays the stories in testdata. A script is a text for people: comments, and commands to the
// world of mininet_test.go, each followed by "----", what it printed, and an empty line. README.txt there
// lists the commands. -update writes the output anew; read the difference before you commit it.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		if filepath.Base(file) == "README.txt" {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { playScript(t, file) })
	}
}

// playScript runs one script and compares what it prints.
func playScript(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &script{t: t, w: newMiniNet(t, 7)}
	lines := strings.Split(string(text), "\n")
	var got []string
	for i := 0; i < len(lines); i++ {
		got = append(got, lines[i])
		if command := lines[i]; command != "" && command[0] != '#' {
			i++
			if i >= len(lines) || lines[i] != "----" {
				t.Fatalf("%s:%d: a command must be followed by ----", file, i)
			}
			for i+1 < len(lines) && lines[i+1] != "" {
				i++
			}
			got = append(got, "----")
			got = append(got, strings.Split(strings.TrimSuffix(s.do(command), "\n"), "\n")...)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(got, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for i, line := range strings.Split(string(text), "\n") {
		if i >= len(got) || got[i] != line {
			t.Fatalf("%s:%d: got\n%s\nwant\n%s", file, i+1, strings.Join(got[min(i, len(got)):min(i+8, len(got))], "\n"), line)
		}
	}
	if len(got) > len(lines) {
		t.Fatalf("%s: printed more: %s", file, strings.Join(got[len(lines):], "\n"))
	}
}

// script is the interpreter.
type script struct {
	t *testing.T
	w *miniNet
}

// do runs one command and returns what it prints.
func (s *script) do(line string) string {
	words := strings.Fields(line)
	args := words[1:]
	switch words[0] {
	case "nodes":
		return s.nodes(args)
	case "cluster":
		return s.cluster(args)
	case "run":
		s.w.run(s.duration(args[0]))
		return "ok"
	case "until":
		return s.until(args)
	case "cut", "heal", "stop", "start", "freeze", "thaw", "write", "slow-disk", "move", "take-port":
		return s.world(words[0], args)
	case "table", "state", "log", "offset", "reports", "bans", "dropped", "epochs", "id", "agree", "address", "explain", "events":
		return s.show(words[0], args)
	}
	return s.wish(words[0], args)
}

// nodes makes nodes: names, and options of the form key=value for all of them.
func (s *script) nodes(args []string) string {
	cfg := miniConfig()
	for _, arg := range args {
		s.option(&cfg, arg)
	}
	for _, arg := range args {
		if !strings.Contains(arg, "=") {
			s.w.add(arg, cfg)
		}
	}
	s.w.run(100)
	return "ok"
}

// cluster makes a running cluster: "cluster 3 masters 2 replicas".
func (s *script) cluster(args []string) string {
	masters, _ := strconv.Atoi(args[0])
	replicas := 0
	if len(args) > 2 {
		replicas, _ = strconv.Atoi(args[2])
	}
	s.w = newCluster(s.t, 7, masters, replicas)
	for _, m := range s.w.nodes {
		m.shown = len(m.history)
	}
	return s.show("table", []string{"m1"})
}

func (s *script) option(cfg *Config, arg string) {
	key, value, ok := strings.Cut(arg, "=")
	if !ok {
		return
	}
	number, _ := strconv.Atoi(value)
	switch key {
	case "timeout":
		cfg.NodeTimeout = Millis(number)
	case "coverage":
		cfg.RequireFullCoverage = value == "yes"
	case "migration":
		cfg.AllowReplicaMigration = value == "yes"
	case "barrier":
		cfg.MigrationBarrier = number
	case "nofailover":
		cfg.ReplicaNoFailover = value == "yes"
	case "validity":
		cfg.ReplicaValidityFactor = number
	case "hostname":
		cfg.Hostname = value
	case "nodename":
		cfg.Nodename = value
	case "announce-ip":
		cfg.AnnounceIP = value
	default:
		s.t.Fatalf("unknown option %q", arg)
	}
}

func (s *script) duration(text string) Millis {
	d, err := time.ParseDuration(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return Millis(d.Milliseconds())
}

// until lets time pass until something holds: "until 5s agree", "until 5s knows a b", …
func (s *script) until(args []string) string {
	limit, what, args := s.duration(args[0]), args[1], args[2:]
	start := s.w.now
	if !s.w.runUntil(limit, func() bool { return s.holds(what, args) }) {
		return "not within " + time.Duration(limit*1e6).String()
	}
	return "after " + time.Duration((s.w.now-start)*1e6).Round(100*time.Millisecond).String()
}

func (s *script) holds(what string, args []string) bool {
	var m, other *miniNode
	if len(args) > 0 {
		m = s.w.node(args[0])
	}
	if len(args) > 1 && what != "state" {
		other = s.w.node(args[1])
	}
	switch what {
	case "agree":
		return s.w.sample() && s.w.agree() == ""
	case "healthy":
		return s.w.healthy()
	case "state":
		return m.core.state.String() == args[1]
	case "knows":
		return m.peer(other) != nil && !m.peer(other).inHandshake()
	case "forgot":
		return m.peer(other) == nil
	case "suspects":
		return m.peer(other).suspected()
	case "failed":
		return m.peer(other).failed()
	case "well":
		return !m.peer(other).failed() && !m.peer(other).suspected()
	case "master":
		return m.core.me.isMaster()
	case "replica":
		return m.core.me.isReplica() && m.core.me.master.id == other.id()
	}
	s.t.Fatalf("unknown condition %q", what)
	return false
}

// world changes the surroundings.
func (s *script) world(what string, args []string) string {
	w := s.w
	switch what {
	case "cut": // cut a,b c: nothing passes from the left to the right and back; cut a,b > c: one way
		oneWay := args[1] == ">"
		for _, from := range strings.Split(args[0], ",") {
			for _, to := range strings.Split(args[len(args)-1], ",") {
				w.blocked[[2]string{from, to}] = true
				if !oneWay {
					w.blocked[[2]string{to, from}] = true
				}
			}
		}
		return "ok"
	case "heal":
		clear(w.blocked)
		return "ok"
	}
	m := w.node(args[0])
	switch what {
	case "stop":
		m.stop()
	case "start":
		m.start()
	case "freeze":
		m.frozen = true
	case "thaw":
		m.frozen = false
	case "move":
		m.ip = args[1]
	case "take-port":
		other := w.node(args[1])
		m.cfg.Port, m.cfg.BusPort = other.cfg.Port, other.cfg.BusPort
	case "slow-disk":
		w.saveTime = func() Millis { return s.duration(args[1]) }
	case "write":
		n, _ := strconv.Atoi(args[1])
		if !m.write(int64(n)) {
			return "refused"
		}
	}
	return "ok"
}

// show prints something.
func (s *script) show(what string, args []string) string {
	if what == "agree" {
		if why := s.w.agree(); why != "" {
			return why
		}
		return "all nodes agree"
	}
	m := s.w.node(args[0])
	switch what {
	case "table":
		return m.table() + m.marks()
	case "log":
		return s.log(m, args[1:])
	case "offset":
		return strconv.FormatInt(m.offset, 10)
	case "state":
		var lines []string
		for _, name := range args {
			lines = append(lines, name+" "+s.w.node(name).core.state.String())
		}
		return strings.Join(lines, "\n")
	case "reports":
		count, err := m.core.CountFailureReports(s.w.now, s.w.node(args[1]).id().String())
		return fmt.Sprint(count, " ", err)
	case "bans":
		lines := []string{"none"}
		for _, b := range m.core.bans {
			if b.until < s.w.now {
				continue
			}
			line := fmt.Sprintf("%s for %s", s.w.nameOf(b.id), time.Duration((b.until-s.w.now)*1e6).Round(time.Second))
			if b.private {
				line += ", told to nobody"
			}
			lines = append(lines, line)
		}
		return strings.Join(lines[min(1, len(lines)-1):], "\n")
	case "explain":
		return s.explain(m)
	case "events":
		return s.events(m, args[1:])
	case "dropped":
		return fmt.Sprintf("%d slots, data set emptied %d times", m.dropped.Len(), m.flushed)
	case "epochs":
		return fmt.Sprintf("current %d, config %d, last vote %d", m.core.currentEpoch, m.core.me.configEpoch, m.core.lastVoteEpoch)
	case "address":
		p := m.peer(s.w.node(args[1]))
		return fmt.Sprintf("%s:%d@%d", p.ip, p.port, p.busPort)
	case "id":
		return fmt.Sprintf("%s, shard of %s", s.w.nameOf(m.core.me.id), s.shardOf(m))
	}
	return "?"
}

// shardOf names the shard of a node by the first node of the world that had it.
func (s *script) shardOf(m *miniNode) string {
	if s.w.shards == nil {
		s.w.shards = map[nodeid.ID]string{}
	}
	for _, other := range s.w.nodes {
		if id := other.core.me.shard; s.w.shards[id] == "" {
			s.w.shards[id] = s.w.nameOf(other.core.me.id)
		}
	}
	return s.w.shards[m.core.me.shard]
}

var hexID = regexp.MustCompile(`[0-9a-f]{40}`)

// log prints what was logged since the last time, from a level on; notice without one.
func (s *script) log(m *miniNode, args []string) string {
	from := Notice
	if len(args) > 0 {
		from = Level(slices.Index([]string{"debug", "verbose", "notice", "warning"}, args[0]))
	}
	var lines []string
	for _, r := range m.history[m.shown:] {
		if r.Level < from {
			continue
		}
		line := hexID.ReplaceAllStringFunc(r.Text(), func(id string) string {
			parsed, _ := nodeid.Parse(id)
			return s.w.nameOf(parsed)
		})
		if r.What == StateFail {
			line += " (" + hexID.ReplaceAllStringFunc(r.Detail, func(id string) string {
				parsed, _ := nodeid.Parse(id)
				return s.w.nameOf(parsed)
			}) + ")"
		}
		lines = append(lines, line)
	}
	m.shown = len(m.history)
	if lines == nil {
		return "nothing"
	}
	return strings.Join(lines, "\n")
}

// explain prints what CLUSTER EXPLAIN tells, times as ages.
func (s *script) explain(m *miniNode) string {
	x := m.core.Explain(s.w.now)
	age := func(at Millis) string {
		if at == 0 {
			return "unknown"
		}
		return time.Duration((s.w.now - at) * 1e6).Round(time.Second).String()
	}
	lines := []string{fmt.Sprintf("%s for %s", x.State, age(x.Since))}
	for _, p := range x.Problems {
		lines = append(lines, fmt.Sprintf("%s for %s: %s", p.Kind, age(p.Since), p.Text))
		for _, f := range p.Fault {
			lines = append(lines, "  fault of "+f.ID.String())
		}
		for _, h := range p.Heirs {
			line := fmt.Sprintf("  heir %s at offset %d, %d behind", h.ID, h.Offset, h.Behind)
			if h.Blocked != "" {
				line += ", blocked: " + h.Blocked
			}
			lines = append(lines, line)
		}
		if p.Command != "" {
			lines = append(lines, strings.TrimSpace("  command: "+p.Command+" at "+p.At))
		}
	}
	return s.named(strings.Join(lines, "\n"))
}

// named puts the names of nodes where their ids are.
func (s *script) named(text string) string {
	return hexID.ReplaceAllStringFunc(text, func(id string) string {
		parsed, _ := nodeid.Parse(id)
		return s.w.nameOf(parsed)
	})
}

// events prints what CLUSTER EVENTS tells of the kinds given, without time and text.
func (s *script) events(m *miniNode, kinds []string) string {
	var lines []string
	for _, r := range m.history {
		if !slices.Contains(kinds, r.Name()) {
			continue
		}
		line := r.Name()
		for _, f := range r.Fields()[2:] {
			switch {
			case f.Name == "event" || f.Name == "level" || f.Name == "text":
			case f.IsNumber:
				line += fmt.Sprintf(" %s=%d", f.Name, f.Number)
			default:
				line += fmt.Sprintf(" %s=%q", f.Name, f.Text)
			}
		}
		lines = append(lines, s.named(line))
	}
	if lines == nil {
		return "nothing"
	}
	return strings.Join(lines, "\n")
}

// wish gives a node a command of the administrator and prints the reply.
func (s *script) wish(what string, args []string) string {
	m := s.w.node(args[0])
	ev := s.event(what, m, args[1:])
	if ev == nil {
		s.t.Fatalf("unknown command %q", what)
	}
	if err := m.step(ev); err != nil {
		return "error: " + hexID.ReplaceAllStringFunc(err.Error(), func(id string) string {
			parsed, _ := nodeid.Parse(id)
			return s.w.nameOf(parsed)
		})
	}
	if m.out.Reply != "" {
		return m.out.Reply
	}
	return "ok"
}

// event turns a command into an event. The word "keys" says that the node holds keys.
func (s *script) event(what string, m *miniNode, args []string) Event {
	keys := len(args) > 0 && args[len(args)-1] == "keys"
	if keys {
		args = args[:len(args)-1]
	}
	arg := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	number := func(i int) int64 {
		n, err := strconv.ParseInt(arg(i), 10, 64)
		if err != nil {
			return -1
		}
		return n
	}
	switch what {
	case "meet":
		other := s.w.node(arg(0))
		return Meet{IP: other.ip, Port: int64(other.cfg.Port), BusPort: int64(other.cfg.BusPort)}
	case "meet-address":
		return Meet{IP: arg(0), Port: number(1), BusPort: number(2)}
	case "forget":
		return Forget{Node: s.idText(arg(0))}
	case "addslots", "delslots":
		var slots []int64
		for i := range args {
			slots = append(slots, number(i))
		}
		if what == "addslots" {
			return AddSlots{Slots: slots}
		}
		return DelSlots{Slots: slots}
	case "addslotsrange", "delslotsrange":
		var ranges [][2]int64
		for i := 0; i+1 < len(args); i += 2 {
			ranges = append(ranges, [2]int64{number(i), number(i + 1)})
		}
		if what == "addslotsrange" {
			return AddSlotRanges{Ranges: ranges}
		}
		return DelSlotRanges{Ranges: ranges}
	case "flushslots":
		return FlushSlots{HasKeys: keys}
	case "setslot":
		action := SlotAction(slices.Index([]string{"", "migrating", "importing", "stable", "node"}, arg(1)))
		count := 0
		if keys {
			count = 3
		}
		return SetSlot{Slot: number(0), Action: max(action, 0), Node: s.idText(arg(2)), KeysInSlot: count}
	case "replicate":
		return Replicate{Node: s.idText(arg(0)), HasKeys: keys}
	case "failover":
		return Failover{Mode: FailoverMode(slices.Index([]string{"", "force", "takeover"}, arg(0)))}
	case "bumpepoch":
		return BumpEpoch{}
	case "set-config-epoch":
		return SetConfigEpoch{Epoch: number(0)}
	case "reset":
		return Reset{Hard: arg(0) == "hard", HasKeys: keys}
	case "saveconfig":
		return SaveConfig{}
	case "config":
		for _, a := range args {
			s.option(&m.cfg, a)
		}
		return ConfigChanged{Config: m.cfg}
	case "drop-packets":
		return DropFilter{Type: slices.IndexFunc(allTypes[:], func(t bus.Type) bool { return t.String() == arg(0) })}
	}
	return nil
}

var allTypes = func() (types [bus.TypeCount]bus.Type) {
	for i := range types {
		types[i] = bus.Type(i)
	}
	return types
}()

// idText is the id of a node of this name, or the word itself.
func (s *script) idText(word string) string {
	for _, m := range s.w.nodes {
		if m.name == word {
			return m.id().String()
		}
	}
	return word
}
