package commandfacts

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/command"
)

// Check fails t for everything in which a command of the table differs from
// redis's of the same name, and for what lacks words: a summary, a sentence of
// the history, a note at a key specification where redis has one.
func Check(t testing.TB, table *command.Table) {
	t.Helper()
	facts, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range table.All() {
		if s.Summary == "" {
			t.Errorf("%s: no summary", s.FullName())
		}
		f := facts[s.FullName()]
		if f == nil {
			if s.Since != "" {
				t.Errorf("%s: redis has no such command, so Since must be empty", s.FullName())
			}
			continue
		}
		for _, d := range Diff(s, f) {
			t.Errorf("%s: %s", s.FullName(), d)
		}
	}
}

// Missing lists redis's commands that the table has not, by full name.
func Missing(table *command.Table) []string {
	facts, err := Load()
	if err != nil {
		return nil
	}
	for _, s := range table.All() {
		delete(facts, s.FullName())
	}
	var names []string
	for name := range facts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// differ collects differences.
type differ []string

func (d *differ) add(what string, ours, redis any) {
	if o, r := fmt.Sprint(ours), fmt.Sprint(redis); o != r {
		*d = append(*d, fmt.Sprintf("%s is %s, redis has %s", what, o, r))
	}
}

// Diff tells in what s differs from f.
func Diff(s *command.Spec, f *Fact) []string {
	var d differ
	d.add("group", s.Group, f.Group)
	d.add("since", s.Since, f.Since)
	d.add("complexity", s.Complexity, f.Complexity)
	d.add("arity", s.Arity, f.Arity)
	d.add("flags", flagsOf(s), sorted(f.Flags))
	d.add("categories", s.AllCategories().Words(), f.Categories)
	d.add("tips", s.Tips, f.Tips)
	d.add("doc flags", s.DocFlags, f.DocFlags)
	d.add("deprecated", s.Deprecated, f.Deprecated)
	var versions []string
	for _, h := range s.History {
		if !later(h[0]) {
			versions = append(versions, h[0])
		}
		if h[1] == "" {
			d = append(d, "no sentence for the history of "+h[0])
		}
	}
	d.add("history", versions, f.History)
	d.add("number of key specs", len(s.Keys), len(f.Keys))
	for i := range min(len(s.Keys), len(f.Keys)) {
		d.key(fmt.Sprintf("key spec %d", i), &s.Keys[i], &f.Keys[i])
	}
	d.args("arguments", s.Args(), f.Args)
	return d
}

// later tells whether a version is younger than redis 7.2.4: of what came then, the
// facts know nothing.
func later(version string) bool {
	major, err := strconv.Atoi(strings.SplitN(version, ".", 2)[0])
	return err == nil && major >= 8
}

func sorted(words []string) []string {
	words = slices.Clone(words)
	slices.Sort(words)
	return words
}

// hiddenFlags are the flags that Flags.Words keeps from clients.
var hiddenFlags = map[command.Flags]string{
	command.MayReplicate:         "MAY_REPLICATE",
	command.Protected:            "PROTECTED",
	command.TouchesArbitraryKeys: "TOUCHES_ARBITRARY_KEYS",
}

// flagsOf are the flags of s by the names of redis's command files, without the
// one that redis, too, finds out for itself.
func flagsOf(s *command.Spec) []string {
	words := (s.Flags &^ command.MovableKeys).Words()
	for i := range words {
		words[i] = strings.ToUpper(words[i])
	}
	for flag, word := range hiddenFlags {
		if s.Is(flag) {
			words = append(words, word)
		}
	}
	return sorted(words)
}

func (d *differ) key(what string, k *command.KeySpec, f *Key) {
	words := k.Flags.Words()
	for i := range words {
		words[i] = strings.ToUpper(words[i])
	}
	d.add(what+"'s flags", sorted(words), sorted(f.Flags))
	d.add(what+"'s notes", k.Notes != "", f.Notes)
	d.add(what+" is unknown", k.Unknown, f.Unknown)
	if f.Unknown {
		return
	}
	d.add(what+"'s index", k.Index, f.Index)
	d.add(what+"'s keyword", k.Keyword, f.Keyword)
	d.add(what+"'s start", k.StartFrom, f.StartFrom)
	d.add(what+" has a number of keys", k.NumKeys, f.KeyNum != nil)
	if k.NumKeys && f.KeyNum != nil {
		d.add(what+"'s number", [3]int{k.KeyNum, k.FirstKey, max(k.KeyNumStep, 1)}, *f.KeyNum)
	} else if f.Range != nil {
		d.add(what+"'s range", [3]int{k.Last, max(k.Step, 1), k.Limit}, *f.Range)
	}
}

func (d *differ) args(what string, ours []command.Arg, redis []Arg) {
	ours = slices.DeleteFunc(slices.Clone(ours), func(a command.Arg) bool { return later(a.Since) })
	d.add("number of "+what, len(ours), len(redis))
	for i := range min(len(ours), len(redis)) {
		d.arg(what+"."+redis[i].Name, &ours[i], &redis[i])
	}
}

func (d *differ) arg(what string, a *command.Arg, f *Arg) {
	keySpec, display := -1, f.Display
	if f.KeySpec != nil {
		keySpec = *f.KeySpec
	}
	if group := len(f.Args) > 0; display == "" && !group {
		display = f.Name
	}
	d.add(what+"'s name", a.Name, f.Name)
	d.add(what+"'s type", a.Type, f.Type)
	d.add(what+"'s token", a.Token, f.Token)
	d.add(what+"'s display", a.Display, display)
	d.add(what+"'s key spec", a.KeySpec, keySpec)
	d.add(what+"'s since", a.Since, f.Since)
	d.add(what+"'s deprecation", a.DeprecatedSince, f.Deprecated)
	d.add(what+" is optional", a.Optional, f.Optional)
	d.add(what+" is multiple", a.Multiple, f.Multiple)
	d.add(what+"'s token is multiple", a.MultipleToken, f.MultipleToken)
	d.args(what, a.Args, f.Args)
}

// CheckKeys fails t if what is found as the keys of a call cannot be.
func CheckKeys(t testing.TB, s *command.Spec, argv [][]byte) {
	t.Helper()
	keys, err := command.AppendKeys(nil, s, argv)
	routed, routedErr := command.AppendRouted(nil, s, argv)
	if err != nil && len(keys) > 0 || routedErr != nil && len(routed) > 0 {
		t.Errorf("%s %q: keys beside an error", s.FullName(), argv)
	}
	if !s.HasKeys() && len(keys) > 0 {
		t.Errorf("%s %q: %v in a command without keys", s.FullName(), argv, keys)
	}
	for _, k := range append(keys, routed...) {
		if k.Index < 1 || k.Index >= len(argv) {
			t.Errorf("%s %q: key at %d", s.FullName(), argv, k.Index)
		}
	}
}
