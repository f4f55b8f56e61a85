package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/skeindb/skein/internal/base/glob"
	"github.com/skeindb/skein/internal/base/vfs"
)

// blanks surround lines and are not part of them.
const blanks = " \t\r\n"

// maxIncludeDepth is how many files may be inside each other.
const maxIncludeDepth = 100

// loader reads lines into a Config that nobody else sees yet.
type loader struct {
	*Config
	env    Env
	files  files
	values *Values
	seen   map[*Directive]bool
	depth  int // of includes
	// moduleOptions are lines of modules, such as search.timeout 100.
	moduleOptions []string
}

func newLoader(c *Config, env Env, dir string) *loader {
	return &loader{Config: c, env: env, files: realFiles(), values: defaults(dir), seen: make(map[*Directive]bool)}
}

func (l *loader) log(level Level, text string) { l.journal.log(level, text) }

// load reads the lines of one text and then checks the whole.
func (l *loader) load(source string) error {
	for i, line := range strings.Split(source, "\n") {
		line = strings.Trim(line, blanks)
		if line == "" || line[0] == '#' {
			continue
		}
		err := l.line(line)
		if err == nil {
			continue
		}
		if stops(err) {
			return err // from an included file
		}
		return &FatalError{i + 1, line, err.Error()}
	}
	return l.finish()
}

// stops tells an error that already says where it happened.
func stops(err error) bool {
	var fatal *FatalError
	var file *FileError
	return errors.As(err, &fatal) || errors.As(err, &file)
}

func (l *loader) line(line string) error {
	words, err := splitWords(line)
	if err != nil {
		return errors.New("Unbalanced quotes in configuration line")
	}
	if len(words) == 0 {
		return nil
	}
	if e, ok := lookup(words[0]); ok {
		return l.set(e, words[1:])
	}
	return l.statement(glob.LowerString(words[0]), words[1:])
}

// set gives a directive of the table its value.
func (l *loader) set(e entry, words []string) error {
	if !e.Has(MultiArg) && len(words) != 1 {
		return errWordCount
	}
	// "a b c" as one word means the same as a b c; but "" is one empty word.
	if e.Has(MultiArg) && len(words) == 1 && words[0] != "" {
		words, _ = splitWords(words[0])
	}
	s := &scope{values: l.values, file: true, first: !l.seen[e.Directive], log: l.log}
	value, err := e.parse(s, l.values.slots[e.index], words)
	if err != nil {
		return err
	}
	l.values.slots[e.index] = value
	if e.inert != "" && s.first {
		l.log(Warning, fmt.Sprintf("The directive '%s' has no meaning in Skein and is ignored: %s.", e.Directive.name, e.inert))
	}
	l.seen[e.Directive] = true
	return nil
}

// statement runs a line that sets no directive of the table.
func (l *loader) statement(name string, words []string) error {
	switch {
	case name == "include" && len(words) == 1:
		return l.include(words[0])
	case name == "rename-command" && len(words) == 2:
		return l.rename(Rename{From: words[0], To: words[1]})
	case name == "user" && len(words) >= 1:
		return l.user(words)
	case name == "loadmodule" && len(words) >= 1:
		l.modules = append(l.modules, words)
		l.log(Warning, fmt.Sprintf("The module '%s' is not loaded: Skein has no modules.", words[0]))
		return nil
	case strings.Contains(name, "."):
		if len(words) == 0 {
			return errors.New("Module config specified without value")
		}
		l.moduleOptions = append(l.moduleOptions, name)
		return nil
	case name == "sentinel":
		return errors.New("sentinel directive while not in sentinel mode")
	case retired(name) && len(words) == 1:
		return nil
	}
	return errors.New("Bad directive or wrong number of arguments")
}

// retired directives are accepted and mean nothing, in redis as here.
func retired(name string) bool {
	return name == "list-max-ziplist-entries" || name == "list-max-ziplist-value" || name == "lua-replicate-commands"
}

func (l *loader) rename(r Rename) error {
	if l.env.RenameCommand != nil {
		if err := l.env.RenameCommand(r.From, r.To); err != nil {
			return err
		}
	}
	l.renames = append(l.renames, r)
	return nil
}

func (l *loader) user(words []string) error {
	for _, u := range l.users {
		if u[0] == words[0] {
			return fmt.Errorf("Error in user declaration '%s': Duplicate user found. A user can only be defined once in config files", words[0])
		}
	}
	if l.env.CheckUser != nil {
		if err := l.env.CheckUser(words); err != nil {
			return fmt.Errorf("Error in user declaration %w", err)
		}
	}
	l.users = append(l.users, words)
	return nil
}

// include reads another file, or all files that match a pattern as if they were
// one. No match is no error.
func (l *loader) include(name string) error {
	if l.depth == maxIncludeDepth {
		return fmt.Errorf("include is nested more than %d deep", maxIncludeDepth)
	}
	dir := Dir.Get(l.values)
	paths := []string{absolute(dir, name)}
	if strings.ContainsAny(name, "*?[") {
		paths = l.files.expand(dir, name)
	}
	var source strings.Builder
	for _, p := range paths {
		text, err := l.files.read(p)
		if err != nil {
			return &FileError{p, err}
		}
		source.Write(text)
	}
	l.depth++
	defer func() { l.depth-- }()
	return l.load(source.String())
}

// finish checks what no single line can, at the end of every file.
func (l *loader) finish() error {
	if log := l.values.Path(LogFile); log != "" {
		if err := l.files.append(log); err != nil {
			return &FatalError{Reason: "Can't open the log file: " + vfs.Reason(err)}
		}
	}
	if !ClusterEnabled.Get(l.values) {
		return nil
	}
	if ReplicaOf.Get(l.values) != (HostPort{}) {
		return &FatalError{Reason: "replicaof directive not allowed in cluster mode"}
	}
	if n := Databases.Get(l.values); n > 1 {
		l.log(Warning, fmt.Sprintf("WARNING: Changing databases number from %d to 1 since we are in cluster mode", n))
		l.values.slots[Databases.index] = 1
	}
	return nil
}

// modulesMissing refuses options of modules as redis does, for without the
// module they are likely to be misspelt; with it, it was said already that there
// are no modules.
func (l *loader) modulesMissing() error {
	if len(l.moduleOptions) == 0 || len(l.modules) > 0 {
		return nil
	}
	for _, name := range l.moduleOptions {
		l.log(Warning, fmt.Sprintf(">>> '%s'", name))
	}
	return &FatalError{Reason: "Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting"}
}
