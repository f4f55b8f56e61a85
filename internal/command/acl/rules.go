package acl

import (
	"slices"
	"strings"

	"github.com/skeindb/skein/internal/base/glob"
	"github.com/skeindb/skein/internal/command"
)

// ruleError says what is wrong with a rule, in redis's words.
type ruleError string

func (e ruleError) Error() string { return string(e) }

const (
	errUnknown      ruleError = "Unknown command or category name in ACL"
	errSyntax       ruleError = "Syntax error"
	errAfterAllKeys ruleError = "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. " +
		"Try 'resetkeys' to start with an empty list of patterns"
	errAfterAllChannels ruleError = "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. " +
		"Try 'resetchannels' to start with an empty list of channels"
	errNoPassword ruleError = "The password you are trying to remove from the user does not exist"
	errBadHash    ruleError = "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
	errFirstArg   ruleError = "Allowing first-arg of a subcommand is not supported"
	errFormat     ruleError = "Wrong format"
)

// editing is what rules need to know to be applied.
type editing struct {
	catalog     *catalog
	allChannels bool // acl-pubsub-default
}

// apply applies one rule; an error changes nothing.
func (e *editing) apply(r *rights, rule string) error {
	if rule == "" {
		return nil
	}
	switch word(rule) {
	case "on":
		r.on = true
	case "off":
		r.on = false
	case "skip-sanitize-payload":
		r.skipSanitize = true
	case "sanitize-payload":
		r.skipSanitize = false
	case "nopass":
		r.noPass, r.passwords = true, nil
	case "resetpass":
		r.noPass, r.passwords = false, nil
	case "clearselectors":
		r.selectors = r.selectors[:1]
	case "reset":
		e.reset(r)
	default:
		return e.applyOther(r, rule)
	}
	return nil
}

// applyOther applies the rules that are not one fixed word.
func (e *editing) applyOther(r *rights, rule string) error {
	switch {
	case rule[0] == '>' || rule[0] == '#':
		return r.addPassword(rule)
	case rule[0] == '<' || rule[0] == '!':
		return r.dropPassword(rule)
	case rule[0] == '(' && rule[len(rule)-1] == ')':
		s := &selector{allChannels: e.allChannels}
		for _, inner := range innerRules(rule[1 : len(rule)-1]) {
			if strings.HasSuffix(inner, ")") { // read again, it would end the selector
				return errSyntax
			}
			if err := e.applySelector(s, inner); err != nil {
				return err
			}
		}
		r.selectors = append(r.selectors, s)
		return nil
	}
	return e.applySelector(r.selectors[0], rule)
}

// reset makes a user what it was when it was new. The root keeps nothing.
func (e *editing) reset(r *rights) { *r = *ofNew(e.allChannels) }

func (r *rights) addPassword(rule string) error {
	h, err := passwordOf(rule)
	if err != nil {
		return err
	}
	if !slices.Contains(r.passwords, h) {
		r.passwords = append(r.passwords, h)
	}
	r.noPass = false
	return nil
}

func (r *rights) dropPassword(rule string) error {
	h, err := passwordOf(rule)
	if err != nil {
		return err
	}
	i := slices.Index(r.passwords, h)
	if i < 0 {
		return errNoPassword
	}
	r.passwords = slices.Delete(r.passwords, i, i+1)
	return nil
}

// passwordOf is the hash in #hash and !hash, or that of >password and <password.
func passwordOf(rule string) (hash, error) {
	if rule[0] == '>' || rule[0] == '<' {
		return hashOf([]byte(rule[1:])), nil
	}
	h, ok := parseHash(rule[1:])
	if !ok {
		return h, errBadHash
	}
	return h, nil
}

// applySelector applies a rule about commands, keys or channels.
func (e *editing) applySelector(s *selector, rule string) error {
	if rule == "" {
		return errSyntax
	}
	switch word(rule) {
	case "allkeys", "~*":
		s.allKeys, s.keys = true, nil
	case "resetkeys":
		s.allKeys, s.keys = false, nil
	case "allchannels", "&*":
		s.allChannels, s.channels = true, nil
	case "resetchannels":
		s.allChannels, s.channels = false, nil
	case "allcommands", "+@all":
		s.allowAll()
	case "nocommands", "-@all":
		s.allowNone()
	default:
		switch rule[0] {
		case '~', '%':
			return s.applyKeys(rule)
		case '&':
			return s.applyChannels(rule)
		case '+', '-':
			return e.applyCommand(s, cString(rule))
		}
		return errSyntax
	}
	return nil
}

// applyKeys is ~pattern, %R~pattern, %W~pattern and %RW~pattern.
func (s *selector) applyKeys(rule string) error {
	if s.allKeys {
		return errAfterAllKeys
	}
	a, pattern := reads|writes, rule[1:]
	if rule[0] == '%' {
		var letters string
		letters, pattern, _ = strings.Cut(rule[1:], "~")
		if a = accessOf(letters); a == 0 {
			return errSyntax
		}
	}
	if hasSpaces(pattern) {
		return errSyntax
	}
	s.addKeys(pattern, a)
	return nil
}

// accessOf reads the letters R and W, each once, in any case; 0 is neither or more.
func accessOf(letters string) (a access) {
	for _, letter := range []byte(letters) {
		var one access
		switch letter {
		case 'r', 'R':
			one = reads
		case 'w', 'W':
			one = writes
		}
		if one == 0 || a&one != 0 {
			return 0
		}
		a |= one
	}
	return a
}

func (s *selector) applyChannels(rule string) error {
	switch {
	case s.allChannels:
		return errAfterAllChannels
	case hasSpaces(rule[1:]):
		return errSyntax
	}
	s.addChannels(rule[1:])
	return nil
}

// applyCommand is +command, -command, +container|subcommand, -container|subcommand,
// +command|argument, +@category and -@category.
func (e *editing) applyCommand(s *selector, rule string) error {
	sign, name := rule[0], rule[1:]
	on := sign == '+'
	if strings.HasPrefix(name, "@") {
		category, ok := command.ParseCategory([]byte(name[1:]))
		if !ok {
			return errUnknown
		}
		s.noteRule(sign, name)
		s.permitCategory(e.catalog, category, on)
		return nil
	}
	if bar := strings.LastIndexByte(name, '|'); on && bar >= 0 {
		return e.applyPart(s, name, name[:bar], name[bar+1:])
	}
	spec := e.catalog.find(name)
	if spec == nil {
		return errUnknown
	}
	s.permit(spec, on)
	s.noteRule(sign, spec.FullName())
	return nil
}

// applyPart is +whole|part: a subcommand, or an argument of a command that has no
// subcommands and is not allowed otherwise.
func (e *editing) applyPart(s *selector, name, whole, part string) error {
	spec := e.catalog.find(whole)
	switch {
	case spec == nil:
		return errUnknown
	case spec.Parent() != nil:
		return errFirstArg
	case part == "" || strings.ContainsAny(part, "\"'\\") || hasSpaces(part): // it could not be read again
		return errSyntax
	case len(spec.Subs) == 0:
		s.allowFirstArg(spec.ID(), part)
	default:
		sub := e.catalog.find(name)
		if sub == nil {
			return errUnknown
		}
		s.permit(sub, true)
	}
	s.noteRule('+', name)
	return nil
}

// word is a rule for comparison with fixed words: in lower case, up to a NUL as C has it.
func word(rule string) string { return glob.LowerString(cString(rule)) }

// cString is s up to a NUL.
func cString(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return s
}

// hasSpaces tells whether s has white space or a NUL: names and patterns may not, since
// they are written into lines of words.
func hasSpaces(s string) bool { return strings.ContainsAny(s, " \t\n\v\f\r\x00") }
