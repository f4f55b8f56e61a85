package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// specError says what is wrong with a declaration.
func specError(name, format string, a ...any) error {
	return fmt.Errorf("command %s: %s", name, fmt.Sprintf(format, a...))
}

// adopt copies a declaration, checks it and fills in what is derived.
func adopt(from *Spec, parent *Spec) (*Spec, error) {
	spec := *from
	s := &spec
	s.derived = derived{full: s.Name, parent: parent}
	if parent != nil {
		s.full = parent.Name + "|" + s.Name
	}
	s.errArity = Error("ERR wrong number of arguments for '" + s.full + "' command")
	if parent != nil && s.Name == "help" && s.handlers() == 0 {
		s.Service = func(c *Call) { help(c, parent) }
	}
	errs := []error{s.checkWords(), s.checkHandlers()}
	args, err := ParseUsage(s.Usage)
	if err != nil {
		errs = append(errs, specError(s.full, "%v", err))
	}
	s.args = args
	s.planKeys()
	s.categorize()
	errs = append(errs, s.checkArity(), s.checkKeys(), s.adoptSubs())
	return s, errors.Join(errs...)
}

// adoptSubs makes s own copies of its subcommands, in name order, HELP included.
func (s *Spec) adoptSubs() error {
	if len(s.Subs) == 0 {
		return nil
	}
	if s.parent != nil {
		return specError(s.full, "a subcommand of a subcommand")
	}
	declared := s.Subs
	if !slices.ContainsFunc(declared, func(sub *Spec) bool { return sub.Name == "help" }) {
		declared = append(slices.Clip(declared), s.helpSpec())
	}
	names := map[string]*Spec{}
	s.Subs = nil
	var errs []error
	for _, d := range declared {
		if names[d.Name] != nil {
			errs = append(errs, specError(s.full, "subcommand %s declared twice", d.Name))
			continue
		}
		sub, err := adopt(d, s)
		errs = append(errs, err)
		names[d.Name] = sub
		s.Subs = append(s.Subs, sub)
	}
	slices.SortFunc(s.Subs, byName)
	s.subs = newIndex(names)
	return errors.Join(errs...)
}

// handlers counts the handlers that are set.
func (s *Spec) handlers() int {
	n := 0
	for _, set := range []bool{s.Read != nil, s.Write != nil, s.Service != nil} {
		if set {
			n++
		}
	}
	return n
}

func (s *Spec) checkHandlers() error {
	n := s.handlers()
	switch {
	case n > 1:
		return specError(s.full, "%d handlers", n)
	case n == 0 && len(s.Subs) == 0:
		return specError(s.full, "no handler")
	case s.Is(Write | ReadOnly):
		return specError(s.full, "both write and readonly")
	case s.Read != nil && s.Is(Write):
		return specError(s.full, "a write command with a read handler")
	case s.Write != nil && s.Is(ReadOnly) && !s.Is(MayReplicate):
		return specError(s.full, "a readonly command with a write handler")
	}
	return nil
}

// checkWords checks what is spelled from a fixed vocabulary.
func (s *Spec) checkWords() error {
	if s.Name == "" || strings.ContainsAny(s.Name, " |\r\n\x00") || strings.ToLower(s.Name) != s.Name {
		return specError(s.full, "bad name")
	}
	if _, ok := groupCategory[s.Group]; !ok {
		return specError(s.full, "no group %q", s.Group)
	}
	for _, c := range s.Categories {
		if category(c) == 0 {
			return specError(s.full, "no category %q", c)
		}
	}
	for _, f := range s.DocFlags {
		if f != "deprecated" && f != "syscmd" {
			return specError(s.full, "no doc flag %q", f)
		}
	}
	return nil
}

// checkArity compares the arity with the words that the usage allows.
func (s *Spec) checkArity() error {
	own := 1
	if s.parent != nil {
		own = 2
	}
	least, most := words(s.args)
	least, most = least+own, most+own
	switch {
	case s.Arity == 0 || max(s.Arity, -s.Arity) < own:
		return specError(s.full, "arity %d", s.Arity)
	case s.Arity > 0 && len(s.Subs) == 0 && (least != s.Arity || most != s.Arity),
		s.Arity < 0 && s.Usage != "" && (-s.Arity < least || -s.Arity > most):
		return specError(s.full, "arity %d, but the usage has %d to %d words", s.Arity, least, most)
	}
	return nil
}

// categorize finds the ACL categories.
func (s *Spec) categorize() {
	var explicit Categories
	for _, c := range s.Categories {
		explicit |= category(c)
	}
	if s.Categories == nil && s.handlers() > 0 {
		explicit = category(groupCategory[s.Group])
	}
	s.categories = impliedCategories(s.Flags, explicit)
}

// checkKeys checks each KeySpec, and that the usage refers to all of them.
func (s *Spec) checkKeys() error {
	var errs []error
	used := map[int]bool{}
	eachArg(s.args, func(a *Arg) {
		if a.KeySpec >= len(s.Keys) {
			errs = append(errs, specError(s.full, "argument %s names key spec %d of %d", a.Name, a.KeySpec, len(s.Keys)))
		}
		used[a.KeySpec] = true
	})
	for i := range s.Keys {
		k := &s.Keys[i]
		if text := k.wrong(); text != "" {
			errs = append(errs, specError(s.full, "key spec %d: %s", i, text))
		}
		if k.Flags&KeyNotKey == 0 && !used[i] {
			errs = append(errs, specError(s.full, "key spec %d has no argument in the usage", i))
		}
		if (k.Unknown || k.Flags&(KeyIncomplete|KeyVariable) != 0) && s.GetKeys == nil {
			errs = append(errs, specError(s.full, "key spec %d needs GetKeys", i))
		}
	}
	return errors.Join(errs...)
}

// eachArg calls f for args and their parts.
func eachArg(args []Arg, f func(*Arg)) {
	for i := range args {
		f(&args[i])
		eachArg(args[i].Args, f)
	}
}

// wrong says what is wrong with k, or "".
func (k *KeySpec) wrong() string {
	access := k.Flags & (KeyRO | KeyRW | KeyOW | KeyRM)
	switch {
	case k.Flags&KeyNotKey == 0 && (access == 0 || access&(access-1) != 0):
		return "not exactly one of RO, RW, OW, RM"
	case k.Unknown:
		return ""
	case k.Keyword == "" && k.Index < 1:
		return "no beginning"
	case k.Keyword != "" && k.StartFrom == 0:
		return "a keyword searched from nowhere"
	case k.Limit != 0 && k.Last != -1:
		return "a limit without last -1"
	case k.Step < 0 || k.KeyNumStep < 0 || k.Limit < 0 || k.KeyNum < 0 || k.FirstKey < 0:
		return "a negative number"
	}
	return ""
}

// doubtful tells whether a key specification can be wrong: when flags depend on the
// arguments, or when a keyword sought from the left may be somebody's name (XREADGROUP
// with a consumer called "streams").
func (k *KeySpec) doubtful() bool {
	return k.Flags&KeyVariable != 0 || k.Keyword != "" && k.StartFrom > 0
}

// planKeys draws the conclusions of the hot path from Keys, and sets MovableKeys
// as redis's populateCommandLegacyRangeSpec does.
func (s *Spec) planKeys() {
	p := &s.keys
	p.has = s.GetKeys != nil
	for i := range s.Keys {
		p.has = p.has || s.Keys[i].Flags&KeyNotKey == 0
		p.byFunc = p.byFunc || s.GetKeys != nil && s.Keys[i].doubtful()
		p.vary = p.vary || s.Keys[i].Flags&KeyVariable != 0
	}
	if len(s.Keys) == 1 && s.Keys[0].plain() && s.Keys[0].Last == 0 {
		p.only = s.Keys[0].Index
	}
	p.first, p.last, p.step = s.legacyRange()
}

// plain tells whether k is a range that begins at a fixed argument.
func (k *KeySpec) plain() bool { return !k.Unknown && k.Keyword == "" && !k.NumKeys }

// legacyRange joins the KeySpecs that follow each other into one range, as far
// as possible. MovableKeys is set if that is not the whole truth.
func (s *Spec) legacyRange() (first, last, step int) {
	step = 1
	for i := range s.Keys {
		k := &s.Keys[i]
		alone := len(s.Keys) == 1
		follows := k.Step <= 1 && (last == 0 || last == k.Index-1)
		if !k.plain() || !alone && !follows {
			s.Flags |= MovableKeys
			continue
		}
		if k.Flags&KeyIncomplete != 0 {
			s.Flags |= MovableKeys
		}
		if alone {
			step = max(k.Step, 1)
		}
		if first == 0 {
			first = k.Index
		}
		last = k.Last
		if last >= 0 {
			last += k.Index
		}
	}
	if first == 0 {
		return 0, 0, 0
	}
	return first, last, step
}
