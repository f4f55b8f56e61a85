package config

import "github.com/skeindb/skein/internal/base/glob"

// all is the table. Only declare changes it, while the variables of this package
// are initialized.
var all = table{names: make(map[string]entry)}

type table struct {
	rows  []*Directive
	names map[string]entry // by name and by alias, in lower case
}

// entry is a name of a directive. The name and the alias of one directive are
// two entries: CONFIG GET shows both and CONFIG SET takes both at once.
type entry struct {
	*Directive
	name string
}

func (e entry) isAlias() bool { return e.name != e.Directive.name }

func (t *table) add(d *Directive) {
	d.index = len(t.rows)
	t.rows = append(t.rows, d)
	t.names[d.name] = entry{d, d.name}
	if d.alias != "" {
		t.names[d.alias] = entry{d, d.alias}
	}
}

// lookup finds a directive by name or alias, in any case.
func lookup(name string) (entry, bool) {
	e, ok := all.names[glob.LowerString(name)]
	return e, ok
}

// Directives returns every directive in the order of the table.
func Directives() []*Directive { return append([]*Directive(nil), all.rows...) }

// IsSensitive reports whether the value given to the directive called name must
// be kept out of SLOWLOG, MONITOR, ACL LOG and the log file.
func IsSensitive(name string) bool {
	e, ok := lookup(name)
	return ok && e.Has(Sensitive)
}

// sameWord compares two words regardless of the case of ASCII letters.
func sameWord(a, b string) bool {
	return len(a) == len(b) && glob.LowerString(a) == glob.LowerString(b)
}
