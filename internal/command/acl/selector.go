package acl

import (
	"slices"
	"strings"

	"github.com/skeindb/skein/internal/base/glob"
	"github.com/skeindb/skein/internal/command"
)

// access is what may be done with keys of a pattern.
type access uint8

const (
	reads access = 1 << iota
	writes
)

// keyPattern are keys and what may be done with them.
type keyPattern struct {
	pattern string
	access  access
}

func (p keyPattern) String() string {
	switch p.access {
	case reads:
		return "%R~" + p.pattern
	case writes:
		return "%W~" + p.pattern
	}
	return "~" + p.pattern
}

// selector is one set of commands, keys and channels that belong together.
type selector struct {
	allKeys, allChannels bool
	allCommands          bool // nothing was taken away since +@all

	commands  bits
	firstArgs map[int][]string // +select|0: of a command whose bit is not set, by its ID; in lower case
	rules     []string         // about commands, behind +@all or -@all, as they were given

	keys     []keyPattern
	channels []string
}

func (s *selector) clone() *selector {
	c := *s
	c.rules, c.keys, c.channels = slices.Clone(s.rules), slices.Clone(s.keys), slices.Clone(s.channels)
	c.firstArgs = nil
	for id, args := range s.firstArgs {
		c.allowFirstArg(id, args...)
	}
	return &c
}

// everything tells whether the selector refuses nothing.
func (s *selector) everything() bool { return s.allCommands && s.allKeys && s.allChannels }

// allowAll is +@all.
func (s *selector) allowAll() {
	for i := range s.commands {
		s.commands[i] = ^uint64(0)
	}
	s.allCommands, s.rules, s.firstArgs = true, nil, nil
}

// allowNone is -@all.
func (s *selector) allowNone() {
	s.commands = bits{}
	s.allCommands, s.rules, s.firstArgs = false, nil, nil
}

// permit allows a command with its subcommands, or forbids it.
func (s *selector) permit(spec *command.Spec, on bool) {
	s.commands.put(spec.ID(), on)
	delete(s.firstArgs, spec.ID())
	for _, sub := range spec.Subs {
		s.commands.put(sub.ID(), on)
	}
	s.allCommands = s.allCommands && on
}

// permitCategory is permit for all commands and subcommands of a category.
func (s *selector) permitCategory(c *catalog, category command.Categories, on bool) {
	for _, spec := range c.all {
		if spec.AllCategories()&category != 0 {
			s.permit(spec, on)
		}
	}
}

func (s *selector) allowFirstArg(id int, args ...string) {
	if s.firstArgs == nil {
		s.firstArgs = map[int][]string{}
	}
	for _, arg := range args {
		if arg = glob.LowerString(arg); !slices.Contains(s.firstArgs[id], arg) {
			s.firstArgs[id] = append(s.firstArgs[id], arg)
		}
	}
}

// noteRule keeps a rule about name, a command or an @category, and forgets what it
// makes pointless: rules about the same, and about subcommands of it.
func (s *selector) noteRule(sign byte, name string) {
	name = glob.LowerString(name)
	s.rules = slices.DeleteFunc(s.rules, func(rule string) bool {
		return rule[1:] == name || strings.HasPrefix(rule[1:], name+"|")
	})
	s.rules = append(s.rules, string(sign)+name)
}

// addKeys allows access to keys of a pattern, beside what was allowed before.
func (s *selector) addKeys(pattern string, a access) {
	for i := range s.keys {
		if s.keys[i].pattern == pattern {
			s.keys[i].access |= a
			return
		}
	}
	s.keys = append(s.keys, keyPattern{pattern, a})
}

func (s *selector) addChannels(pattern string) {
	if !slices.Contains(s.channels, pattern) {
		s.channels = append(s.channels, pattern)
	}
}
