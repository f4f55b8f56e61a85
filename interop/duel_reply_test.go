package interop

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/testkit/commandgen"
)

// trial is what the one who follows is asked, and how its replies are judged: ""
// means that they agree with the reply of the one who led.
type trial struct {
	commands [][]string
	judge    func([]resp.Value) string
}

// newTrial makes the trial of a line to which the leader replied v.
func newTrial(l *line, v resp.Value) trial {
	if l.wrap != nil {
		return trial{[][]string{l.words}, func(got []resp.Value) string { return l.wrap.judge(l, v, got[0]) }}
	}
	told := v.Kind != resp.Error && !v.IsNull() && !(isList(v) && len(v.Elems) == 0)
	switch name := l.spec.Name; {
	case name == "spop" && told:
		return popTrial(l, v)
	case name == "xadd" && told && l.words[newID(l)] == "*":
		words := slices.Clone(l.words)
		words[newID(l)] = v.Text()
		return trial{[][]string{words}, func(got []resp.Value) string { return compare(l, v, got[0]) }}
	case commandgen.Random[name] && told:
		return randomTrial(l, v)
	case name == "randomkey" && told:
		return trial{[][]string{l.words, {"EXISTS", v.Text()}}, func(got []resp.Value) string {
			if got[0].IsNull() || got[1].Int != 1 {
				return fmt.Sprintf("the key %s is there for one only", v.Text())
			}
			return ""
		}}
	}
	return trial{[][]string{l.words}, func(got []resp.Value) string { return compare(l, v, got[0]) }}
}

// newID is where in an XADD that succeeded the ID of the entry is.
func newID(l *line) int {
	for i := 2; ; i++ {
		switch strings.ToUpper(l.words[i]) {
		case "NOMKSTREAM", "=", "~":
		case "MAXLEN", "MINID", "LIMIT":
			if next := l.words[i+1]; next != "=" && next != "~" {
				i++
			}
		default:
			if prev := l.words[i-1]; prev != "=" && prev != "~" {
				return i
			}
		}
	}
}

func isList(v resp.Value) bool {
	return v.Kind == resp.Array || v.Kind == resp.Set || v.Kind == resp.Map || v.Kind == resp.Push
}

// popTrial takes out of the follower's set what the leader popped of its own.
func popTrial(l *line, v resp.Value) trial {
	key := l.words[1]
	members := []string{v.Text()}
	if isList(v) {
		members = texts(v.Elems)
	}
	return trial{[][]string{{"SCARD", key}, append([]string{"SREM", key}, members...)}, func(got []resp.Value) string {
		want := int64(1)
		if len(l.words) > 2 {
			want, _ = strconv.ParseInt(l.words[2], 10, 64)
			want = min(want, got[0].Int)
		}
		if want != int64(len(members)) || got[1].Int != want {
			return fmt.Sprintf("popped %q of %d members, of which %s were members", members, got[0].Int, canonical(got[1]))
		}
		return ""
	}}
}

// look are commands that tell of each of several elements whether it is there.
var look = map[string]string{"srandmember": "SMISMEMBER", "hrandfield": "HMGET", "zrandmember": "ZMSCORE"}

// randomTrial looks up at the follower what the leader chose by chance.
func randomTrial(l *line, v resp.Value) trial {
	names, values := chosen(l, v)
	commands := [][]string{l.words, slices.Concat([]string{look[l.spec.Name], l.words[1]}, names)}
	return trial{commands, func(got []resp.Value) string {
		if got[0].Kind != v.Kind || len(got[0].Elems) != len(v.Elems) {
			return differ(l, canonical(v), canonical(got[0]))
		}
		if len(l.words) > 2 && !strings.HasPrefix(l.words[2], "-") && len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(names) {
			return fmt.Sprintf("an element twice: %q", names)
		}
		for i, e := range got[1].Elems {
			if e.IsNull() || e.Kind == resp.Integer && e.Int == 0 || values != nil && numeric(values[i]) != numeric(e) {
				return fmt.Sprintf("%q was chosen, the other has %s", names[i], canonical(e))
			}
		}
		return ""
	}}
}

// chosen are the elements of a random reply, and their values if it has them.
func chosen(l *line, v resp.Value) (names []string, values []resp.Value) {
	switch {
	case !isList(v):
		return []string{v.Text()}, nil
	case len(l.words) < 4:
		return texts(v.Elems), nil
	case isList(v.Elems[0]):
		for _, pair := range v.Elems {
			names, values = append(names, pair.Elems[0].Text()), append(values, pair.Elems[1])
		}
		return names, values
	}
	for pair := range slices.Chunk(v.Elems, 2) {
		names, values = append(names, pair[0].Text()), append(values, pair[1])
	}
	return names, values
}

func texts(values []resp.Value) (all []string) {
	for _, v := range values {
		all = append(all, v.Text())
	}
	return all
}

// compare judges the follower's reply w to the same command.
func compare(l *line, v, w resp.Value) string {
	if l.lead == 1 {
		v, w = w, v
	}
	a, b := shown(l, v), shown(l, w)
	if a == b || closeEnough(l, v, w) || expected(l, a, b) {
		return ""
	}
	return differ(l, a, b)
}

func differ(l *line, redis, skein string) string {
	return fmt.Sprintf("\n redis %.1500s\n skein %.1500s", redis, skein)
}

// deadlines are commands that reply with a time, which a deadline told as a time
// from now on makes differ a little.
var deadlines = map[string]bool{"ttl": true, "pttl": true, "expiretime": true, "pexpiretime": true}

// closeEnough tells whether two replies differ only as clocks do.
func closeEnough(l *line, v, w resp.Value) bool {
	if v.Kind != w.Kind {
		return false
	}
	switch name := l.spec.FullName(); {
	case deadlines[name]:
		perSecond := int64(1)
		if name[0] == 'p' {
			perSecond = 1000
		}
		off := v.Int - w.Int
		return v.Int > 0 && w.Int > 0 && max(off, -off) < 20*perSecond
	case name == "object|idletime", name == "object|freq", name == "dbsize": // which counts expired keys until somebody, or RANDOMKEY, comes upon them
		return v.Kind == resp.Integer
	case name == "dump":
		return v.Kind == resp.Bulk // the bytes are compared by RESTORE
	case l.has("ANY") && l.spec.Group == "geo", l.has("LIMIT") && strings.HasPrefix(name, "sort") && unsorted(l):
		return len(v.Elems) == len(w.Elems) // any so many
	case l.spec.Group == "geo" && isList(v):
		return slices.Equal(sorted(v.Elems), sorted(w.Elems)) // equal distances, in any order
	}
	return false
}

// unordered are commands that reply in any order.
var unordered = map[string]bool{
	"smembers": true, "sinter": true, "sunion": true, "sdiff": true, "keys": true, "hkeys": true, "hvals": true, "hgetall": true,
}

// shown is a reply with everything left out that may differ.
func shown(l *line, v resp.Value) string {
	name, has := l.spec.Name, l.has
	switch {
	case v.Kind == resp.Error:
	case name == "hgetall":
		return fmt.Sprintf("%c%q", v.Kind, pairs(v.Elems))
	case unordered[name],
		strings.HasPrefix(name, "geo") && strings.Contains(name, "rad") && !has("ASC") && !has("DESC") && !has("COUNT"),
		name == "geosearch" && !has("ASC") && !has("DESC") && !has("COUNT"),
		strings.HasPrefix(name, "sort") && unsorted(l):
		return fmt.Sprintf("%c%q", v.Kind, sorted(v.Elems))
	case l.spec.Group == "sorted-set":
		return numeric(v)
	case l.spec.Group == "stream":
		v = timeless(v)
	}
	return canonical(v)
}

// unsorted tells whether a SORT leaves the elements in the order of the value, which
// of a set is any.
func unsorted(l *line) bool {
	for i, w := range l.words {
		if strings.EqualFold(w, "BY") && i+1 < len(l.words) && !strings.Contains(l.words[i+1], "*") {
			return true
		}
	}
	return false
}

func sorted(values []resp.Value) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = canonical(v)
	}
	slices.Sort(all)
	return all
}

// pairs are the pairs of a flat list, sorted.
func pairs(values []resp.Value) []string {
	var all []string
	for pair := range slices.Chunk(values, 2) {
		all = append(all, canonical(pair[0])+" "+canonical(pair[len(pair)-1]))
	}
	slices.Sort(all)
	return all
}

// private are fields of XINFO that tell of clocks and of how a server stores it.
var private = map[string]bool{
	"idle": true, "inactive": true, "seen-time": true, "active-time": true, "radix-tree-keys": true, "radix-tree-nodes": true,
}

// timeless is a reply about streams without times.
func timeless(v resp.Value) resp.Value {
	now := time.Now().UnixMilli()
	if v.Kind == resp.Integer && v.Int > now-86_400_000 && v.Int < now+86_400_000 {
		return resp.Value{Kind: resp.SimpleString, Str: []byte("<time>")}
	}
	var elems []resp.Value
	for i := 0; i < len(v.Elems); i++ {
		if private[v.Elems[i].Text()] {
			i++
			continue
		}
		elems = append(elems, timeless(v.Elems[i]))
	}
	if len(v.Elems) == 4 && v.Elems[2].Kind == resp.Integer && v.Elems[3].Kind == resp.Integer && v.Elems[1].Kind == resp.Bulk {
		elems[2] = resp.Value{Kind: resp.SimpleString, Str: []byte("<idle>")} // of XPENDING
	}
	v.Elems = elems
	return v
}

// canonical is a reply as text.
func canonical(v resp.Value) string {
	switch {
	case isList(v):
		var b strings.Builder
		b.WriteByte(byte(v.Kind))
		b.WriteByte('[')
		for i, e := range v.Elems {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(canonical(e))
		}
		return b.String() + "]"
	case v.Kind == resp.Integer, v.Kind == resp.Bool:
		return fmt.Sprint(":", v.Int)
	case v.IsNull():
		return "nil"
	case v.Kind == resp.Error, v.Kind == resp.BlobError:
		return "-" + v.Text()
	case v.Kind == resp.SimpleString:
		return "+" + v.Text()
	case v.Kind == resp.Double:
		return "," + v.Text()
	}
	return strconv.QuoteToASCII(v.Text())
}

// numeric is canonical with all fractional and large numbers written alike: redis 7.0
// writes scores with 17 digits, 7.2 with as many as it takes.
func numeric(v resp.Value) string {
	switch {
	case isList(v):
		all := make([]string, len(v.Elems))
		for i, e := range v.Elems {
			all[i] = numeric(e)
		}
		return fmt.Sprintf("%c%s", v.Kind, all)
	case v.Kind == resp.Double, v.Kind == resp.Bulk:
		if f, err := strconv.ParseFloat(v.Text(), 64); err == nil {
			return fmt.Sprintf("%c%g", v.Kind, f+0) // +0: minus zero is zero
		}
	}
	return canonical(v)
}

// scans are commands with cursors, which only both ends of a whole walk make alike.
var scans = map[string]bool{"scan": true, "sscan": true, "hscan": true, "zscan": true}

// scan compares whole walks.
func (d *duel) scan(l *line) string {
	var found [2]string
	for i, p := range d.pipes {
		found[i] = walk(p, l)
	}
	if found[0] == found[1] || expected(l, found[0], found[1]) {
		return ""
	}
	return scripted([]line{*l}) + ": " + differ(l, found[0], found[1])
}

// walk follows a cursor to the end and tells what was found, or the error.
func walk(p *pipe, l *line) string {
	words, at := slices.Clone(l.words), 2
	if l.spec.Name == "scan" {
		at = 1
	}
	seen := map[string]bool{}
	for {
		v := p.do(words...)
		if v.Kind == resp.Error {
			return canonical(v)
		}
		if at >= len(l.words) || l.words[at] != "0" {
			return fmt.Sprint("from a cursor of nowhere: ", len(v.Elems))
		}
		for _, what := range items(l, v.Elems[1].Elems) {
			seen[what] = true
		}
		if words[at] = v.Elems[0].Text(); words[at] == "0" {
			break
		}
	}
	return fmt.Sprintf("%q", slices.Sorted(maps.Keys(seen)))
}

// items are the names that a scan found, with what belongs to them.
func items(l *line, found []resp.Value) (all []string) {
	step, show := 1, canonical
	switch l.spec.Name {
	case "hscan":
		step = 2
	case "zscan":
		step, show = 2, numeric
	}
	for item := range slices.Chunk(found, step) {
		what := canonical(item[0])
		if step == 2 {
			what += " " + show(item[1])
		}
		all = append(all, what)
	}
	return all
}
