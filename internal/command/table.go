package command

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// Table is all commands of a node. It is complete when NewTable returns and
// Rename has been called for the configuration's rename-command lines; from
// then on it does not change, and any number of goroutines may use it.
type Table struct {
	names    map[string]*Spec // by what clients type, in lower case
	index    *index           // the same
	commands []*Spec          // names' values, ordered by full name
	all      []*Spec          // by id: all commands and subcommands, renamed or not
}

// NewTable checks specs and makes a table of them. It keeps copies: the Specs it
// was given may serve other tables too. Its error tells of everything that is
// wrong.
func NewTable(specs ...[]*Spec) (*Table, error) {
	t := &Table{names: map[string]*Spec{}}
	var errs []error
	for _, s := range slices.Concat(specs...) {
		if t.names[s.Name] != nil {
			errs = append(errs, specError(s.Name, "declared twice"))
			continue
		}
		adopted, err := adopt(s, nil)
		errs = append(errs, err)
		t.names[s.Name] = adopted
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	t.reindex()
	for _, s := range t.commands {
		t.number(s)
	}
	return t, nil
}

// number gives s and its subcommands their ids.
func (t *Table) number(s *Spec) {
	s.id = len(t.all)
	t.all = append(t.all, s)
	for _, sub := range s.Subs {
		t.number(sub)
	}
}

func (t *Table) reindex() {
	t.index = newIndex(t.names)
	t.commands = slices.SortedFunc(maps.Values(t.names), byName)
}

func byName(a, b *Spec) int { return strings.Compare(a.full, b.full) }

// Len is the number of commands and subcommands, the bound of Spec.ID.
func (t *Table) Len() int { return len(t.all) }

// All are all commands and subcommands by their IDs, which is the order of full
// names but for subcommands following their container. Do not change it.
func (t *Table) All() []*Spec { return t.all }

// Commands are the commands that clients may call, without subcommands, ordered
// by full name. Do not change it.
func (t *Table) Commands() []*Spec { return t.commands }

// Lookup finds a command by its first word in any case, or nil. It does not
// allocate.
func (t *Table) Lookup(name []byte) *Spec { return t.index.find(name) }

// LookupFull finds a command or subcommand by its full name, "config|get", in
// any case, or nil.
func (t *Table) LookupFull(name string) *Spec {
	first, second, isSub := strings.Cut(name, "|")
	s := t.index.find([]byte(first))
	if s == nil || !isSub {
		return s
	}
	return s.Sub([]byte(second))
}

// Resolve finds the command or subcommand that a command line means, and checks
// the number of its arguments. The Spec is returned beside an error about it.
func (t *Table) Resolve(argv [][]byte) (*Spec, error) {
	return t.Check(t.Lookup(argv[0]), argv)
}

// Check is Resolve for who has looked up argv[0] already.
func (t *Table) Check(s *Spec, argv [][]byte) (*Spec, error) {
	if s == nil {
		return nil, unknownCommand(argv)
	}
	if s.subs != nil && len(argv) > 1 {
		if s = s.subs.find(argv[1]); s == nil {
			return nil, unknownSubcommand(argv)
		}
	}
	if !s.takes(len(argv)) {
		return s, s.errArity
	}
	return s, nil
}

// takes tells whether the command may have n words.
func (s *Spec) takes(n int) bool { return n == s.Arity || n >= -s.Arity && s.Arity < 0 }

// The errors of Rename, in redis's words.
var (
	ErrRenameMissing = errors.New("No such command in rename-command")
	ErrRenameTaken   = errors.New("Target command name already exists")
)

// Rename makes the command old known as name only, in any case, or as nothing if
// name is empty. What the command calls itself (COMMAND INFO, statistics, ACL)
// stays. It must not be called once the table is in use.
func (t *Table) Rename(old, name string) error {
	old, name = strings.ToLower(old), strings.ToLower(name)
	s := t.names[old]
	if s == nil {
		return ErrRenameMissing
	}
	if name != "" && name != old && t.names[name] != nil {
		return ErrRenameTaken
	}
	delete(t.names, old)
	if name != "" {
		t.names[name] = s
	}
	t.reindex()
	return nil
}
