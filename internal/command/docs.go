package command

import (
	"github.com/skeindb/skein/internal/base/glob"
	"github.com/skeindb/skein/internal/base/resp"
)

// Specs declares COMMAND and its subcommands, which tell clients of the table.
// The table is asked for at each call, since it holds these commands too.
func Specs(table func() *Table) []*Spec {
	d := docs{table}
	flags := Loading | Stale
	connection := []string{"connection"}
	unordered := []string{"nondeterministic_output_order"}
	return []*Spec{{
		Name: "command", Group: "server", Since: "2.8.13",
		Summary:    "Describes every command of this server.",
		Complexity: "O(N) where N is the total number of Redis commands",
		Arity:      -1, Flags: flags, Categories: connection, Tips: unordered,
		Service: d.command,
		Subs: []*Spec{{
			Name: "count", Group: "server", Since: "2.8.13",
			Summary:    "Counts the commands of this server.",
			Complexity: "O(1)",
			Arity:      2, Flags: flags, Categories: connection,
			Service: d.count,
		}, {
			Name: "docs", Group: "server", Since: "7.0.0",
			Summary:    "Gives the documentation of some commands, or of all.",
			Complexity: "O(N) where N is the number of commands to look up",
			Arity:      -2, Flags: flags, Categories: connection, Tips: unordered,
			Usage:   "[command-name...]",
			Service: d.docs,
		}, {
			Name: "getkeys", Group: "server", Since: "2.8.13",
			Summary:    "Finds the keys in a command line.",
			Complexity: "O(N) where N is the number of arguments to the command",
			Arity:      -3, Flags: flags, Categories: connection,
			Usage:   "command [arg...]",
			Service: d.getKeys,
		}, {
			Name: "getkeysandflags", Group: "server", Since: "7.0.0",
			Summary:    "Finds the keys in a command line, and what the command does with each.",
			Complexity: "O(N) where N is the number of arguments to the command",
			Arity:      -3, Flags: flags, Categories: connection,
			Usage:   "command [arg...]",
			Service: d.getKeysAndFlags,
		}, {
			Name: "help", Group: "server", Since: "5.0.0",
			Summary:    "Lists the subcommands of COMMAND.",
			Complexity: "O(1)",
			Arity:      2, Flags: flags, Categories: connection,
		}, {
			Name: "info", Group: "server", Since: "2.8.13",
			Summary:    "Describes some commands, or all: arity, flags, keys, categories.",
			Complexity: "O(N) where N is the number of commands to look up",
			Arity:      -2, Flags: flags, Categories: connection, Tips: unordered,
			Usage:   "[command-name...]",
			History: [][2]string{{"7.0.0", "May be called without a command name, and then describes all."}},
			Service: d.info,
		}, {
			Name: "list", Group: "server", Since: "7.0.0",
			Summary:    "Names the commands of this server, or those that a filter selects.",
			Complexity: "O(N) where N is the total number of Redis commands",
			Arity:      -2, Flags: flags, Categories: connection, Tips: unordered,
			Usage:   "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
			Service: d.list,
		}},
	}}
}

// docs has the handlers of COMMAND.
type docs struct{ table func() *Table }

// shown are the commands that are not hidden.
func (d docs) shown() []*Spec {
	var specs []*Spec
	for _, s := range d.table().Commands() {
		if !s.Is(Hidden) {
			specs = append(specs, s)
		}
	}
	return specs
}

// lookup finds what a client calls name, "get" or "config|get", unless it is hidden.
func (d docs) lookup(name []byte) *Spec {
	if s := d.table().LookupFull(string(name)); s != nil && !s.Is(Hidden) {
		return s
	}
	return nil
}

func (d docs) command(c *Call) {
	specs := d.shown()
	c.Out.Array(len(specs))
	for _, s := range specs {
		writeInfo(c.Out, s)
	}
}

func (d docs) count(c *Call) { c.Out.Int(int64(len(d.shown()))) }

func (d docs) info(c *Call) {
	names := c.Args[2:]
	if len(names) == 0 {
		d.command(c)
		return
	}
	c.Out.Array(len(names))
	for _, name := range names {
		writeInfo(c.Out, d.lookup(name))
	}
}

func (d docs) docs(c *Call) {
	specs := d.shown()
	if len(c.Args) > 2 {
		specs = nil
		for _, name := range c.Args[2:] {
			if s := d.lookup(name); s != nil {
				specs = append(specs, s)
			}
		}
	}
	c.Out.Map(len(specs))
	for _, s := range specs {
		c.Out.BulkString(s.full)
		writeDocs(c.Out, s)
	}
}

func (d docs) list(c *Call) {
	keep, err := parseListFilter(c)
	if err != nil {
		c.Fail(err)
		return
	}
	var names []string
	for _, s := range d.shown() {
		for _, s := range append([]*Spec{s}, s.Subs...) {
			if keep(s) {
				names = append(names, s.full)
			}
		}
	}
	writeBulks(c.Out.Array, c.Out, names)
}

// parseListFilter reads COMMAND LIST's arguments.
func parseListFilter(c *Call) (keep func(*Spec) bool, err error) {
	keep = func(*Spec) bool { return true }
	a := c.Parse(2)
	for a.More() {
		if a.Left() != 3 || !a.Is("FILTERBY") {
			return nil, Error(ErrSyntax)
		}
		switch {
		case a.Is("MODULE"):
			a.Next()
			keep = func(*Spec) bool { return false } // nothing here comes from a module
		case a.Is("ACLCAT"):
			wanted, _ := ParseCategory(a.Next())
			keep = func(s *Spec) bool { return s.categories&wanted != 0 }
		case a.Is("PATTERN"):
			pattern := a.Next()
			keep = func(s *Spec) bool { return glob.Match(pattern, []byte(s.full), true) }
		default:
			return nil, Error(ErrSyntax)
		}
	}
	return keep, nil
}

func (d docs) getKeys(c *Call) {
	d.keys(c, func(key []byte, _ KeyFlags) { c.Out.Bulk(key) })
}

func (d docs) getKeysAndFlags(c *Call) {
	d.keys(c, func(key []byte, f KeyFlags) {
		c.Out.Array(2)
		c.Out.Bulk(key)
		writeStatuses(c.Out, f.Words())
	})
}

// keys answers an array of what write says of each key of the command line in
// the arguments.
func (d docs) keys(c *Call, write func(key []byte, f KeyFlags)) {
	argv := c.Args[2:]
	spec, err := d.table().Resolve(argv)
	switch {
	case spec == nil:
		c.Fail(ErrKeyCommand)
		return
	case !spec.HasKeys():
		c.Fail(ErrNoKeyArguments)
		return
	case err != nil:
		c.Fail(ErrKeyArity)
		return
	}
	keys, err := AppendKeys(nil, spec, argv)
	if err != nil || len(keys) == 0 && !spec.Is(NoMandatoryKeys) {
		c.Fail(ErrKeyArguments)
		return
	}
	c.Out.Array(len(keys))
	for _, k := range keys {
		write(argv[k.Index], k.Flags)
	}
}

// writeStatuses writes words as a set of statuses.
func writeStatuses(w *resp.Writer, words []string) {
	w.Set(len(words))
	for _, word := range words {
		w.SimpleString(word)
	}
}

// writeBulks writes words as bulk strings behind the head that head writes.
func writeBulks(head func(int), w *resp.Writer, words []string) {
	head(len(words))
	for _, word := range words {
		w.BulkString(word)
	}
}
