package admin

import (
	"slices"
	"strings"

	"github.com/skeindb/skein/internal/command"
)

// Section is one part of INFO.
type Section struct {
	// Name is the section's title, "Server"; clients ask for it in any case.
	Name string
	// Default tells whether INFO without arguments shows it.
	Default bool
	// Append appends the lines "field:value\r\n", without the title.
	Append func(b []byte) []byte
}

// sectionOrder is the order of redis's INFO. Sections that it does not name
// come last, in the order in which they were given.
var sectionOrder = []string{
	"Server", "Clients", "Memory", "Persistence", "Stats", "Replication", "CPU", "Modules",
	"Commandstats", "Errorstats", "Latencystats", "Cluster", "Keyspace",
}

// sectionDebug is shown only to who asks for it by name.
const sectionDebug = "Debug"

// inOrder joins sections; a later one replaces an earlier of the same name.
func inOrder(lists ...[]Section) []Section {
	var all []Section
	for _, s := range slices.Concat(lists...) {
		if i := slices.IndexFunc(all, func(o Section) bool { return strings.EqualFold(o.Name, s.Name) }); i >= 0 {
			all[i] = s
			continue
		}
		all = append(all, s)
	}
	rank := func(s Section) int {
		if i := slices.Index(sectionOrder, s.Name); i >= 0 {
			return i
		}
		return len(sectionOrder)
	}
	slices.SortStableFunc(all, func(a, b Section) int { return rank(a) - rank(b) })
	return all
}

// infoCommand is INFO [section ...].
func (a *Admin) infoCommand(c *command.Call) {
	verbatim(c.Out, a.AppendInfo(make([]byte, 0, 6<<10), c.Args[1:]))
}

// AppendInfo appends the sections that names ask for, the default ones if there
// are no names. "default", "all" and "everything" stand for several; a name
// that nobody knows stands for nothing.
func (a *Admin) AppendInfo(b []byte, names [][]byte) []byte {
	start := len(b)
	for i := range a.info {
		s := &a.info[i]
		if !s.wanted(names) {
			continue
		}
		if len(b) > start {
			b = append(b, "\r\n"...)
		}
		b = append(b, "# "...)
		b = append(b, s.Name...)
		b = append(b, "\r\n"...)
		b = s.Append(b)
	}
	return b
}

func (s *Section) wanted(names [][]byte) bool {
	if len(names) == 0 {
		return s.Default
	}
	for _, name := range names {
		switch {
		case is(name, s.Name):
			return true
		case is(name, "default") && s.Default:
			return true
		case (is(name, "all") || is(name, "everything")) && s.Name != sectionDebug:
			return true
		case is(name, "module_list") && s.Name == "Modules":
			return true
		}
	}
	return false
}

// is compares a client's word with one of ours, in any case.
func is(word []byte, token string) bool {
	return len(word) == len(token) && strings.EqualFold(string(word), token)
}
