package interop

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/builtin"
	"github.com/skeindb/skein/internal/testkit"
	"github.com/skeindb/skein/internal/testkit/commandgen"
)

var (
	duelSeed     = flag.Uint64("duel.seed", 0, "the seed of the first round of TestDuel; 0: a random one")
	duelRounds   = flag.Int("duel.rounds", 0, "how many rounds; 0: as many as the size of the run asks for")
	duelFailures = flag.Int("duel.failures", 3, "after how many failed rounds TestDuel ends")
	duelOnly     = flag.String("duel.only", "", "only commands of this group, and generic ones")
)

// roundCommands is how many commands are played between two FLUSHALLs, and so how
// long a story a failure can have.
const roundCommands = 1000

// wrapOneIn is how many lines there are to one of scripts and transactions.
const wrapOneIn = 8

// TestDuel plays the same random commands to redis-server and to a node, and
// compares every reply, and now and then the digest of all data. What fails is
// shrunk to a few commands.
func TestDuel(t *testing.T) {
	d := newDuel(t)
	seed := *duelSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 40)
	}
	rounds := *duelRounds
	if rounds == 0 {
		rounds = size(20_000, 1_000_000) / roundCommands
	}
	failed := 0
	for i := range uint64(rounds) {
		setup := setupOf(seed + i)
		lines := d.story(seed+i, &setup)
		f := d.play(setup, lines)
		if f == nil {
			continue
		}
		lines, f = d.shrink(setup, lines, f)
		t.Errorf("-duel.seed=%d -duel.rounds=1, %s:\n%s\n%s", seed+i, setup, scripted(lines), f)
		if failed++; failed == *duelFailures {
			break
		}
	}
	t.Logf("%d commands and %d inside of scripts and transactions, from seed %d, %d commands known", rounds*roundCommands, d.inside, seed, len(d.known))
}

// duel is redis-server (0) and a node (1), which are to do the same.
type duel struct {
	t       *testing.T
	servers [2]*server
	pipes   [2]*pipe
	admins  [2]*pipe // by whom users are made and data compared
	table   *command.Table
	known   map[string]bool // commands that both have
	version string          // of the redis-server
	dumps   []string        // what DUMP gave, of either

	libraries []string // and FUNCTION DUMP
	inside    int      // how many commands have been run inside of others
}

func newDuel(t *testing.T) *duel {
	t.Helper()
	d := &duel{t: t, known: map[string]bool{}}
	local := []string{"enable-debug-command local", "proto-max-bulk-len 1mb", "databases 16"}
	d.servers = [2]*server{testkit.StartRedis(t, local...), testkit.StartSkein(t, local...)}
	var err error
	if d.table, err = command.NewTable(builtin.Specs()); err != nil {
		t.Fatal(err)
	}
	for i, s := range d.servers {
		d.pipes[i], d.admins[i] = dialPipe(t, s.Addr()), dialPipe(t, s.Addr())
	}
	if d.version = testkit.Info(d.servers[0].Do("INFO", "server"), "redis_version"); d.version == "" {
		t.Fatal("redis-server does not tell its version")
	}
	for _, s := range d.table.All() {
		v := d.pipes[0].do("COMMAND", "INFO", s.FullName())
		d.known[s.FullName()] = len(v.Elems) == 1 && !v.Elems[0].IsNull()
	}
	return d
}

// line is a command of a story and who is asked first, the other being told what
// came of it where chance has a part in it.
type line struct {
	spec  *command.Spec
	words []string
	lead  int
	wrap  *wrap // of a line of scripts and transactions
}

// has tells whether a line has a word, in letters of any case.
func (l *line) has(token string) bool {
	return slices.ContainsFunc(l.words, func(w string) bool { return strings.EqualFold(w, token) })
}

// unlimited are commands that a limited user is not asked to run: what is looked up
// for them may be forbidden; and redis finds no key in a PFMERGE of a destination alone,
// so that it lets everybody write there.
func unlimited(name string) bool {
	return scans[name] || name == "randomkey" || name == "xsetid" || name == "pfmerge"
}

// lookUps is what every user may run, since replies are judged by it, and what stands before and around the commands of lines.
var lookUps = strings.Fields("+scard +srem +smismember +hmget +zmscore +xgroup|createconsumer +xrange +multi +exec +discard +watch +@scripting")

// story makes the commands of a round, and the rules of its user.
func (d *duel) story(seed uint64, s *setup) []line {
	g := commandgen.New(d.table, seed, commandgen.Options{Version: d.version, Skip: func(name string) bool {
		return !d.known[name] || *duelOnly != "" && !d.grouped(name, *duelOnly) || s.limited && unlimited(name)
	}})
	if s.limited {
		s.rules = g.Rules(lookUps...)
	}
	for _, dump := range d.dumps {
		g.Payload(dump)
	}
	lines, w := make([]line, roundCommands), d.wrapper(seed, s)
	for i := range lines {
		if w.rand.IntN(wrapOneIn) == 0 {
			lines[i] = w.next(i / 50 % 2)
			d.inside += len(lines[i].wrap.inner)
			continue
		}
		spec, words := g.Next()
		lines[i] = line{spec: spec, words: words, lead: i / 50 % 2}
	}
	return lines
}

func (d *duel) grouped(name, group string) bool {
	for _, s := range d.table.All() {
		if s.FullName() == name {
			return s.Group == group || s.Group == "generic"
		}
	}
	return false
}

// setup is under which circumstances a round is played.
type setup struct {
	proto int
	small bool // small limits, so that compact encodings end soon

	limited bool     // the user may not do everything
	rules   []string // then, what it may do
}

func setupOf(seed uint64) setup {
	return setup{proto: 2 + int(seed%2), small: seed/2%2 == 0, limited: seed/4%3 == 0}
}

func (s setup) String() string {
	return fmt.Sprintf("RESP%d, small limits %t, rules %q", s.proto, s.small, s.rules)
}

// limits are directives with a small and the usual value.
var limits = [][3]string{
	{"list-max-listpack-size", "5", "-2"}, {"hash-max-listpack-entries", "6", "512"}, {"hash-max-listpack-value", "20", "64"},
	{"set-max-intset-entries", "6", "512"}, {"set-max-listpack-entries", "6", "128"}, {"set-max-listpack-value", "20", "64"},
	{"zset-max-listpack-entries", "6", "128"}, {"zset-max-listpack-value", "20", "64"},
	{"stream-node-max-entries", "5", "100"}, {"hll-sparse-max-bytes", "60", "3000"},
}

// begin empties both servers and sets them up.
func (d *duel) begin(s setup) {
	for i, p := range d.admins {
		p.do(append([]string{"ACL", "DELUSER"}, someUsers...)...)
		p.do("ACL", "LOG", "RESET")
		p.do(append([]string{"ACL", "SETUSER", "limited", "reset", "on", "nopass"}, s.rules...)...)
		user := "default"
		if s.limited {
			user = "limited"
		}
		d.pipes[i].do("HELLO", fmt.Sprint(s.proto), "AUTH", user, "any")
		d.pipes[i].do("SELECT", "0")
		p.do("FLUSHALL")
		p.do("SCRIPT", "FLUSH")
		p.do("FUNCTION", "FLUSH")
		p.do("DEBUG", "SET-ACTIVE-EXPIRE", "0")
		for _, l := range limits { // one by one, since redis 7.0 does not know them all
			p.do("CONFIG", "SET", l[0], l[map[bool]int{true: 1, false: 2}[s.small]])
		}
	}
}

// failure is the first thing that was not the same.
type failure struct {
	at      int // the line, or for a digest the last one
	problem string
}

func (f *failure) String() string { return f.problem }

// play plays a story from the beginning; nil means that all was the same.
func (d *duel) play(s setup, lines []line) *failure {
	d.begin(s)
	batches := 0
	for from := 0; from < len(lines); {
		to := from + 1
		for !lines[from].alone() && to < len(lines) && to-from < 50 && lines[to].lead == lines[from].lead && !lines[to].alone() {
			to++
		}
		if f := d.batch(lines[from:to]); f != nil {
			f.at += from
			return f
		}
		if from = to; batches%4 == 0 || from == len(lines) {
			if problem := d.digests(); problem != "" {
				return &failure{to - 1, problem}
			}
		}
		batches++
	}
	return nil
}

// alone tells whether nothing is sent together with a line.
func (l *line) alone() bool {
	return scans[l.spec.Name] || l.spec.Name == "xsetid" || l.spec.Name == "spop" && len(l.words) > 2
}

// batch plays lines that have the same lead.
func (d *duel) batch(lines []line) *failure {
	if scans[lines[0].spec.Name] {
		if problem := d.scan(&lines[0]); problem != "" {
			return &failure{0, problem}
		}
		return nil
	}
	lead := lines[0].lead
	var commands [][]string
	var ends []int // where in commands a line's own is
	for i := range lines {
		commands = append(append(commands, before(&lines[i])...), lines[i].words)
		ends = append(ends, len(commands)-1)
	}
	replies := d.pipes[lead].run(commands)
	first := make([]resp.Value, len(lines))
	for i, end := range ends {
		first[i] = replies[end]
	}
	var follow [][]string
	trials := make([]trial, len(lines))
	for i := range lines {
		d.keepDump(&lines[i], &first[i])
		d.keepLibrary(&lines[i], &first[i])
		trials[i] = newTrial(&lines[i], first[i])
		follow = slices.Concat(follow, before(&lines[i]), trials[i].commands)
	}
	second := d.pipes[1-lead].run(follow)
	for i := range trials {
		second = second[len(before(&lines[i])):]
		n := len(trials[i].commands)
		if problem := trials[i].judge(second[:n]); problem != "" {
			return &failure{i, fmt.Sprintf("%s: %s", scripted(lines[i:i+1]), problem)}
		}
		if l := &lines[i]; uneven(l, first[i], second[0]) {
			if problem := d.digests(); problem != "" && l.spec.Name == "spop" {
				return &failure{i, problem}
			}
			for _, p := range d.admins {
				p.do("DEL", l.words[1])
			}
		}
		second = second[n:]
	}
	return nil
}

// uneven tells whether the key of a line, which was played alone, is to go now, since it is no longer the same, as is
// expected: XSETID is refused by one only; what is left when most members are popped is a new set, of
// the encoding that suits it, and not so where the same members were removed.
func uneven(l *line, v, w resp.Value) bool {
	switch l.spec.Name {
	case "xsetid":
		return v.Kind != w.Kind
	case "spop":
		return isList(v) && len(v.Elems) >= 5
	}
	return false
}

// before is what both are told before a line. Redis 7.2 makes the consumer that claims
// entries in any case, 7.0 only if there are some, so that it is made beforehand. SORT of
// redis refuses good numbers while errno is ERANGE, which a number too large for a command
// before it has left there; an ID that is none clears errno.
func before(l *line) [][]string {
	if l.wrap != nil {
		return slices.Clip(l.wrap.before)
	}
	switch name := l.spec.Name; {
	case (name == "xclaim" || name == "xautoclaim") && len(l.words) > 3:
		return [][]string{{"XGROUP", "CREATECONSUMER", l.words[1], l.words[2], l.words[3]}}
	case (name == "sort" || name == "sort_ro") && len(l.words) > 1:
		return [][]string{{"XRANGE", l.words[1], "none", "+"}}
	}
	return nil
}

// keepDump keeps a payload for RESTOREs to come.
func (d *duel) keepDump(l *line, v *resp.Value) {
	if l.spec.Name == "dump" && v.Kind == resp.Bulk {
		d.dumps = append(d.dumps, v.Text())
		d.dumps = d.dumps[max(0, len(d.dumps)-40):]
	}
}

// digests compares the data; "" means that they are the same. The digest of sorted
// sets with fractions is not the same in redis 7.0 and 7.2, so that where digests
// differ, key after key is compared.
func (d *duel) digests() string {
	a, b := d.admins[0].do("DEBUG", "DIGEST"), d.admins[1].do("DEBUG", "DIGEST")
	if a.Text() == b.Text() {
		return ""
	}
	redis, skein := describe(d.admins[0]), describe(d.admins[1])
	if slices.Equal(redis, skein) {
		return ""
	}
	return fmt.Sprintf("the data differ\n redis %.1500q\n skein %.1500q", missing(redis, skein), missing(skein, redis))
}

// missing are the strings of from that are not among in.
func missing(from, in []string) []string {
	return slices.DeleteFunc(slices.Clone(from), func(k string) bool { return slices.Contains(in, k) })
}

// describe tells of each key in all databases that the stories use what it holds.
func describe(p *pipe) (all []string) {
	for _, db := range []string{"0", "1", "2", "15"} {
		if v := p.do("SELECT", db); v.IsError() { // in a cluster
			break
		}
		names := p.do("KEYS", "*").Elems
		var ask [][]string
		for _, v := range names {
			k := v.Text()
			ask = append(ask, []string{"TYPE", k}, []string{"EXPIRETIME", k}, []string{"DEBUG", "DIGEST-VALUE", k}, []string{"ZRANGE", k, "0", "-1", "WITHSCORES"})
		}
		for i, v := range slices.Collect(slices.Chunk(p.run(ask), 4)) {
			what := canonical(v[2])
			if v[0].Text() == "zset" {
				what = numeric(v[3])
			}
			all = append(all, fmt.Sprintf("%s %q in %s, deadline %t: %s", v[0].Text(), names[i].Text(), db, v[1].Int > 0, what))
		}
	}
	p.do("SELECT", "0")
	slices.Sort(all)
	return all
}

// shrink leaves out of a story that failed what it does without.
func (d *duel) shrink(s setup, lines []line, f *failure) ([]line, *failure) {
	lines = slices.Clone(lines[:f.at+1])
	for size := len(lines) / 2; size > 0; {
		smaller := false
		for from := 0; from+size <= len(lines); {
			fewer := slices.Concat(lines[:from], lines[from+size:])
			if g := d.play(s, fewer); g != nil {
				lines, f, smaller = slices.Clone(fewer[:g.at+1]), g, true
			} else {
				from += size
			}
		}
		if !smaller || size > len(lines) {
			size /= 2
		}
	}
	return lines, f
}

// scripted is lines as a person types them.
func scripted(lines []line) string {
	var b strings.Builder
	for i := range lines {
		for _, words := range append(before(&lines[i]), lines[i].words) {
			tellWords(&b, words)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func tellWords(b *strings.Builder, words []string) {
	for j, w := range words {
		if j > 0 {
			b.WriteByte(' ')
		}
		if strings.ContainsAny(w, " \"'\\") || w == "" || strings.ContainsFunc(w, func(r rune) bool { return r < '!' || r > '~' }) {
			w = string(resp.AppendRepr(nil, []byte(w)))
		}
		b.WriteString(w)
	}
	b.WriteByte('\n')
}

// pipe is a connection that sends many commands at once.
type pipe struct {
	t    *testing.T
	conn net.Conn
	in   *resp.Reader
	out  []byte
}

func dialPipe(t *testing.T, addr string) *pipe {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &pipe{t: t, conn: conn, in: resp.NewReader(conn)}
}

func (p *pipe) do(words ...string) resp.Value { return p.run([][]string{words})[0] }

// run runs commands and returns their replies.
func (p *pipe) run(commands [][]string) []resp.Value {
	p.t.Helper()
	p.out = p.out[:0]
	for _, words := range commands {
		p.out = resp.AppendCommand(p.out, words...)
	}
	p.conn.SetDeadline(time.Now().Add(testkit.Patience))
	if _, err := p.conn.Write(p.out); err != nil {
		p.t.Fatalf("%s: %v", p.conn.RemoteAddr(), err)
	}
	replies := make([]resp.Value, len(commands))
	for i := range replies {
		var err error
		if replies[i], err = p.in.Read(); err != nil {
			p.t.Fatalf("%s: %.300q: %v", p.conn.RemoteAddr(), commands[i], err)
		}
	}
	return replies
}
