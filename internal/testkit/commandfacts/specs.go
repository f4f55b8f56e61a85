package commandfacts

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/skeindb/skein/internal/command"
)

// Specs declares all of redis's commands from the facts, with handlers that do
// nothing, for tests that need a full table.
func Specs() ([]*command.Spec, error) {
	facts, err := Load()
	if err != nil {
		return nil, err
	}
	specs := map[string]*command.Spec{}
	for name, f := range facts {
		specs[name] = f.spec()
	}
	var top []*command.Spec
	for name, s := range specs {
		container, _, isSub := strings.Cut(name, "|")
		if !isSub {
			top = append(top, s)
			continue
		}
		c := specs[container]
		c.Subs = append(c.Subs, s)
		if c.Name != "command" { // the only container with a handler
			c.Service = nil
		}
	}
	slices.SortFunc(top, func(a, b *command.Spec) int { return cmp.Compare(a.Name, b.Name) })
	return top, nil
}

// spec is f as a declaration.
func (f *Fact) spec() *command.Spec {
	_, sub, isSub := strings.Cut(f.Name, "|")
	s := &command.Spec{
		Name: f.Name, Group: f.Group, Since: f.Since, Complexity: f.Complexity, Arity: f.Arity,
		Flags: flagsNamed(f.Flags), Categories: f.Categories, Tips: f.Tips, DocFlags: f.DocFlags,
		Deprecated: f.Deprecated, Usage: Usage(f.Args),
		Summary: "Is " + f.Name + ".",
		Service: func(*command.Call) {},
	}
	if isSub {
		s.Name = sub
	}
	for _, version := range f.History {
		s.History = append(s.History, [2]string{version, "Changed."})
	}
	for i := range f.Keys {
		k := f.Keys[i].spec()
		s.Keys = append(s.Keys, k)
		if k.Unknown || k.Flags&(command.KeyIncomplete|command.KeyVariable) != 0 {
			s.GetKeys = noKeys
		}
	}
	return s
}

// noKeys stands where redis has code that finds keys.
func noKeys(dst []command.KeyPos, _ [][]byte) ([]command.KeyPos, error) {
	return dst, command.ErrKeyArguments
}

func flagsNamed(words []string) command.Flags {
	names := map[string]command.Flags{}
	for flag, word := range hiddenFlags {
		names[word] = flag
	}
	for bit := command.Flags(1); bit < command.Whole; bit <<= 1 {
		for _, w := range bit.Words() {
			names[strings.ToUpper(w)] = bit
		}
	}
	var f command.Flags
	for _, w := range words {
		f |= names[w]
	}
	return f
}

// spec is k as a declaration.
func (k *Key) spec() command.KeySpec {
	s := command.KeySpec{Unknown: k.Unknown, Index: k.Index, Keyword: k.Keyword, StartFrom: k.StartFrom}
	for bit := command.KeyRO; bit <= command.KeyVariable; bit <<= 1 {
		if slices.Contains(k.Flags, strings.ToUpper(bit.Words()[0])) {
			s.Flags |= bit
		}
	}
	if k.Notes {
		s.Notes = "A note."
	}
	if r := k.Range; r != nil {
		s.Last, s.Step, s.Limit = r[0], r[1], r[2]
	}
	if n := k.KeyNum; n != nil {
		s.NumKeys, s.KeyNum, s.FirstKey, s.KeyNumStep = true, n[0], n[1], n[2]
	}
	return s
}

// Usage writes a tree of arguments in the usage grammar of package command.
func Usage(args []Arg) string {
	u := usage{lastKey: -1}
	u.list(args, " ")
	return u.String()
}

// usage builds a usage line.
type usage struct {
	strings.Builder
	lastKey int
}

func (u *usage) list(args []Arg, separator string) {
	for i := range args {
		if i > 0 {
			u.WriteString(separator)
		}
		u.arg(&args[i])
	}
}

// arg writes an argument with brackets, token and dots.
func (u *usage) arg(a *Arg) {
	left, right := "", ""
	switch {
	case a.Optional:
		left, right = "[", "]"
	case a.MultipleToken:
		left, right = "<", ">"
	}
	token := a.Token
	if a.Type == "pure-token" {
		token = ""
	}
	u.WriteString(left)
	if token != "" {
		u.WriteString(token + " ")
	}
	outside := len(a.Args) > 0 && a.Optional && token == "" // [a b]:name, not [<a b>:name]
	switch {
	case outside:
		u.list(a.Args, separatorOf(a))
		u.WriteString(right + u.groupMarks(a))
	case len(a.Args) > 0:
		u.WriteString("<")
		u.list(a.Args, separatorOf(a))
		u.WriteString(">" + u.groupMarks(a))
	default:
		u.WriteString(u.word(a))
	}
	if a.Multiple && !a.MultipleToken {
		u.WriteString("...")
	}
	if !outside {
		u.WriteString(right)
	}
	if a.MultipleToken {
		u.WriteString("...")
	}
}

func separatorOf(a *Arg) string {
	if a.Type == "oneof" {
		return " | "
	}
	return " "
}

func (u *usage) groupMarks(a *Arg) string {
	if strings.ToLower(a.Token) == a.Name {
		return since(a)
	}
	return ":" + a.Name + since(a)
}

// word is a single argument, or a token, with its marks.
func (u *usage) word(a *Arg) string {
	if a.Type == "pure-token" && a.Token != "" {
		if strings.ToLower(a.Token) == a.Name {
			return a.Token + since(a)
		}
		return a.Token + ":" + a.Name + since(a)
	}
	text := a.Name
	if a.Display != "" && a.Display != a.Name {
		text += "=" + a.Display
	}
	byName := map[string]string{"key": "key", "pattern": "pattern"}
	if a.Type != cmp.Or(byName[a.Name], "string") || strings.Contains(a.Display, ":") {
		text += ":" + a.Type
	}
	if a.KeySpec != nil {
		if a.Type != "key" || *a.KeySpec != u.lastKey+1 {
			text += fmt.Sprintf("#%d", *a.KeySpec)
		}
		u.lastKey = *a.KeySpec
	}
	return text + since(a)
}

func since(a *Arg) (text string) {
	if a.Since != "" {
		text = "@" + a.Since
	}
	if a.Deprecated != "" {
		text += "@-" + a.Deprecated
	}
	return text
}
