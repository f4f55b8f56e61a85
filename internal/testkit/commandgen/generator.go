// Package commandgen makes random command lines from the usage grammar that each
// command declares: what it takes, with arguments near every edge, and what it
// nearly takes, with words missing, doubled, or of the wrong kind.
//
// Keys are few, and each family of commands has favourites, so that values grow and
// types collide. A seed gives the same commands again.
package commandgen

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/command"
)

// Options say what to make.
type Options struct {
	// Tags are the hash tags of the keys. All keys of one command have the same.
	// None: keys have no tag.
	Tags []string
	// Skip leaves commands out, by full name.
	Skip func(name string) bool
	// Repeatable leaves out what ends otherwise when it is run again: random pops, and
	// IDs made of the time.
	Repeatable bool
	// Valid leaves out what is nearly a command.
	Valid bool
	// Version, if not "", is the version of redis, as in "7.0.15", whose commands and
	// arguments are made; what is newer is left out.
	Version string
}

// Generator makes commands.
type Generator struct {
	rand     *rand.Rand
	opt      Options
	specs    []*command.Spec // each as often as its weight
	payloads []string        // what RESTORE may be given

	spec    *command.Spec // the command in the making
	tag     string
	numKeys int // how many keys were announced, 0 if that was not said
}

// New returns a generator of the data commands of table.
func New(table *command.Table, seed uint64, opt Options) *Generator {
	g := &Generator{rand: rand.New(rand.NewPCG(seed, 0)), opt: opt, payloads: []string{""}}
	for _, s := range table.All() {
		if len(s.Subs) > 0 || opt.Skip != nil && opt.Skip(s.FullName()) || opt.Repeatable && unrepeatable[s.Name] || g.newer(s.Since) {
			continue
		}
		for range weight(s) {
			g.specs = append(g.specs, s)
		}
	}
	return g
}

// unrepeatable are commands that take something away at random.
var unrepeatable = map[string]bool{"spop": true}

// Random are commands whose replies are chosen by chance, and what count they are
// given must be bounded, because they reply with so many elements.
var Random = map[string]bool{"srandmember": true, "hrandfield": true, "zrandmember": true}

// builders are commands that make values grow.
var builders = strings.Fields("sadd hset zadd xadd rpush lpush set geoadd pfadd append zincrby hincrby xgroup|create sunionstore zunionstore")

// weight is how often a command is made, compared with others.
func weight(s *command.Spec) int {
	switch {
	case s.Name == "help" || s.Name == "pfselftest":
		return 0
	case slices.Contains(builders, s.FullName()):
		return 60
	case slices.Contains([]string{"flushall", "flushdb", "swapdb", "move"}, s.Name):
		return 1
	case s.Is(command.Blocking):
		return 4
	case s.Group == "generic":
		return 6
	}
	return 16
}

// Payload adds what DUMP gave to what RESTORE may be given.
func (g *Generator) Payload(dump string) {
	if len(g.payloads) < 50 {
		g.payloads = append(g.payloads, dump)
		return
	}
	g.payloads[g.rand.IntN(len(g.payloads))] = dump
}

// Next makes a command line, and says which command it is.
func (g *Generator) Next() (*command.Spec, []string) {
	g.spec, g.numKeys, g.tag = g.specs[g.rand.IntN(len(g.specs))], 0, ""
	if len(g.opt.Tags) > 0 {
		g.tag = "{" + g.pick(g.opt.Tags...) + "}"
	}
	words := strings.Split(g.spec.FullName(), "|")
	for i := range words {
		words[i] = strings.ToUpper(words[i])
	}
	named := len(words)
	words = g.list(words, g.spec.Args())
	if !g.opt.Valid && g.chance(8) {
		words = g.spoil(words, named)
		if slices.Contains(expiring, g.spec.Name) {
			postpone(words[named:])
		}
	}
	if Random[g.spec.Name] {
		bound(words[named:])
	}
	if g.spec.Group == "generic" && strings.HasPrefix(g.spec.Name, "sort") {
		words = tieless(words)
	}
	g.level(words)
	return g.spec, words
}

// list appends the words of arguments.
func (g *Generator) list(words []string, args []command.Arg) []string {
	for i := range args {
		words = g.arg(words, &args[i])
	}
	return words
}

func (g *Generator) arg(words []string, a *command.Arg) []string {
	if a.Optional && !g.wanted(a) {
		return words
	}
	for i := range g.times(a) {
		if a.Token != "" && (i == 0 || a.MultipleToken) {
			words = append(words, g.spell(a.Token))
		}
		words = g.body(words, a)
	}
	return words
}

// times is how often an argument stands there.
func (g *Generator) times(a *command.Arg) int {
	asKeys := a.Type == command.TypeKey || a.Name == "weight" || a.Name == "ID"
	switch {
	case !a.Multiple:
		return 1
	case asKeys && g.numKeys > 0 && !g.chance(20):
		return g.numKeys
	case g.chance(30):
		return 1 + g.rand.IntN(30)
	}
	return 1 + g.rand.IntN(4)
}

// wanted tells whether an optional argument is given this time.
func (g *Generator) wanted(a *command.Arg) bool {
	switch {
	case g.newer(a.Since), a.Token == "BLOCK" && g.opt.Repeatable, a.Token == "STOREDIST": // whose last digit the sines of C and Go decide
		return false
	case a.Type == command.TypeKey || a.Multiple:
		return !g.chance(8)
	}
	return g.chance(3)
}

// unwanted tells whether an alternative is never the one chosen.
func (g *Generator) unwanted(a *command.Arg) bool {
	return a.Token == "*" && g.opt.Repeatable || a.Token == "STOREDIST" || g.newer(a.Since)
}

// newer tells whether what came with a version is too new.
func (g *Generator) newer(since string) bool {
	if g.opt.Version == "" || since == "" {
		return false
	}
	parts := func(version string) (numbers []int) {
		for part := range strings.SplitSeq(version, ".") {
			n, _ := strconv.Atoi(part)
			numbers = append(numbers, n)
		}
		return numbers
	}
	return slices.Compare(parts(since), parts(g.opt.Version)) > 0
}

// body appends what comes after the token.
func (g *Generator) body(words []string, a *command.Arg) []string {
	switch a.Type {
	case command.TypePureToken:
		return words
	case command.TypeOneOf:
		i := g.rand.IntN(len(a.Args))
		for g.unwanted(&a.Args[i]) {
			i = (i + 1) % len(a.Args)
		}
		return g.arg(words, &a.Args[i])
	case command.TypeBlock:
		if a.Token == "STREAMS" { // as many keys as IDs
			g.numKeys = 1 + g.rand.IntN(2)
		}
		return g.list(words, a.Args)
	case command.TypeKey:
		return append(words, g.key(a)+g.tag)
	}
	if a.Name == "numkeys" {
		g.numKeys = 1 + g.rand.IntN(3)
		return append(words, strconv.Itoa(g.numKeys))
	}
	return append(words, g.value(a))
}

// spell is a token as somebody may type it.
func (g *Generator) spell(token string) string {
	if g.chance(20) {
		return strings.ToLower(token)
	}
	return token
}

// favourites are the keys that the commands of a family take most of the time.
var favourites = map[string][]string{
	"string": {"s1", "s2", "s3"}, "bitmap": {"b1", "b2", "s1"}, "hyperloglog": {"p1", "p2"},
	"lex":  {"e1", "e2"},
	"list": {"l1", "l2", "l3"}, "set": {"S1", "S2", "S3"}, "hash": {"h1", "h2", "h3"},
	"sorted-set": {"z1", "z2", "z3"}, "geo": {"g1", "g2"}, "stream": {"x1", "x2"},
}

// families are those whose keys other commands take, too. Those of places and of
// names are left to themselves: the distance of what is no place, and the order by
// name of members with different scores, are undefined.
var families = []string{"string", "bitmap", "hyperloglog", "list", "set", "hash", "sorted-set", "stream"}

func (g *Generator) key(a *command.Arg) string {
	keys, missing := favourites[g.spec.Group], "none"
	stores := a.Name == "destination" || strings.HasPrefix(a.Name, "store")
	if g.spec.Group == "geo" && !stores {
		missing = "nowhere" // since others store in none
	}
	switch {
	case g.spec.Group == "geo" && stores:
		keys = favourites["sorted-set"]
	case keys == nil && g.chance(6) && slices.Contains(harmless, g.spec.Name):
		keys = favourites[g.pick("geo", "lex")]
	case keys == nil, g.chance(15):
		family := g.pick(families...)
		for g.wouldCorrupt(family) {
			family = g.pick(families...)
		}
		keys = favourites[family]
	}
	if g.chance(40) {
		return missing
	}
	return g.pick(keys...)
}

// wouldCorrupt tells whether the command in the making may break an estimator in a
// key of a family, or take such a broken one for whole, or scores for places. What then
// becomes of it is undefined.
func (g *Generator) wouldCorrupt(family string) bool {
	switch {
	case g.spec.Group == "bitmap", g.spec.Name == "append", g.spec.Name == "setrange":
		return family == "hyperloglog"
	case g.spec.Group == "hyperloglog":
		return family == "string" || family == "bitmap"
	case g.spec.Group == "geo": // many scores are one place, and any of those there are the nearest three
		return family == "sorted-set"
	}
	return false
}

// harmless are commands that give no key another value.
var harmless = strings.Fields("del unlink exists type expire pexpire persist ttl dump object touch zrange zadd")

// spoil makes words, of which the first are the command's name, a little wrong.
func (g *Generator) spoil(words []string, named int) []string {
	if len(words) == named {
		return append(words, "x")
	}
	i := named + g.rand.IntN(len(words)-named)
	wrong := g.pick("", "x", "1.5", "foo")
	if !g.spec.Is(command.Blocking) { // which these might make wait for ever
		wrong = g.pick("", "x", "-1", "0", "1", "1.5", "9223372036854775807", "foo", "1e400")
	}
	switch g.rand.IntN(6) {
	case 0:
		return slices.Delete(words, i, i+1)
	case 1:
		return slices.Insert(words, i, words[i])
	case 2:
		return append(words, wrong)
	case 3:
		return words[:i]
	case 4:
		if j := i + 1; j < len(words) && !g.spec.Is(command.Blocking) {
			words[i], words[j] = words[j], words[i]
			return words
		}
	}
	words[i] = wrong
	return words
}

// level sees that ranges of names are only asked of sorted sets whose members all
// have one score. Of others, redis says that the result is unspecified.
func (g *Generator) level(words []string) {
	byName := g.spec.Group == "sorted-set" && strings.Contains(g.spec.Name, "lex") ||
		slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, "BYLEX") })
	if g.spec.Name == "zadd" && g.chance(4) && len(words) > 1 {
		words[1] = g.pick(favourites["lex"]...) + g.tag
		for i := 2; i < len(words); i++ {
			if _, ok := command.ParseFloat([]byte(words[i])); ok {
				words[i] = "0"
			}
		}
		return
	}
	source := 1
	if g.spec.Name == "zrangestore" {
		source = 2
	}
	if byName && len(words) > source {
		words[source] = g.pick(favourites["lex"]...) + g.tag
	}
}

// tieless sees that no SORT is ALPHA and BY something: nobody promises an order of
// elements whose keys to sort by are the same, or are not there.
func tieless(words []string) []string {
	is := func(token string) func(string) bool {
		return func(w string) bool { return strings.EqualFold(w, token) }
	}
	if slices.ContainsFunc(words, is("BY")) {
		return slices.DeleteFunc(words, is("ALPHA"))
	}
	return words
}

// expiring are commands that may give a key a deadline.
var expiring = strings.Fields("set setex psetex getex expire pexpire expireat pexpireat restore restore-asking")

// postpone sees that no deadline is so near that chance decides when it is over.
func postpone(words []string) {
	for i, w := range words {
		if n, err := strconv.Atoi(w); err == nil && n > 0 && n < 1_000_000 {
			words[i] = "9999999999999" // of seconds and of milliseconds
		}
	}
}

// bound keeps counts from asking for more than can be replied.
func bound(words []string) {
	for i, w := range words {
		if n, err := strconv.ParseInt(w, 10, 64); err == nil && n < -1000 && n > -1<<63 {
			words[i] = "-1000"
		}
	}
}

func (g *Generator) chance(oneIn int) bool { return g.rand.IntN(oneIn) == 0 }

func (g *Generator) pick(of ...string) string { return of[g.rand.IntN(len(of))] }
