package config

// Flags say when and by whom a directive may be set, and how it is shown.
type Flags uint16

const (
	Immutable   Flags = 1 << iota // set at start only
	Hidden                        // CONFIG GET needs its exact name
	Protected                     // CONFIG SET needs enable-protected-configs
	Sensitive                     // its value is kept out of SLOWLOG, MONITOR and the log
	DenyLoading                   // CONFIG SET is refused while a data set is loading
	MultiArg                      // takes any number of words
	Own                           // Skein's: redis has no such directive
	Volatile                      // names something outside; setting the same value again applies it anew
)

// A Directive is one row of the table: everything about a directive but its
// value. It never changes.
type Directive struct {
	name    string
	alias   string
	flags   Flags
	inert   string
	index   int // its place in the table and in Values.slots
	initial any

	parse func(s *scope, old any, words []string) (any, error)
	show  func(value any) string
	lines func(v *Values, value any) []fileLine
}

// Name is the directive's name as redis.conf has it, in lower case.
func (d *Directive) Name() string { return d.name }

// Alias is the older name that means the same, or "".
func (d *Directive) Alias() string { return d.alias }

// Has reports whether all of flags are set.
func (d *Directive) Has(flags Flags) bool { return d.flags&flags == flags }

// Inert says why the directive has no meaning in Skein; it is "" for a directive
// that has one.
func (d *Directive) Inert() string { return d.inert }

func (d *Directive) row() *Directive { return d }

// A Handle is any Of[T].
type Handle interface {
	Name() string
	row() *Directive
}

// Of is the handle of a directive whose values are of type T.
type Of[T any] struct{ *Directive }

// Get returns the directive's value in v. Slices are shared: do not change them.
func (h Of[T]) Get(v *Values) T { return v.slots[h.index].(T) }

// Put changes the value without check or hook. It is for the node itself, where
// something else than CONFIG SET changes it: REPLICAOF, or a maxclients that the
// system's limit of open files does not allow. It waits for a running Set, and
// so must not be called from a hook.
func (h Of[T]) Put(c *Config, value T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := c.Values().clone()
	next.slots[h.index] = value
	c.values.Store(next)
}

// checked adds a check that runs after the value was parsed. It may also replace
// the value by one that is allowed.
func (h Of[T]) checked(check func(s *scope, old, value T) (T, error)) Of[T] {
	parse := h.parse
	h.parse = func(s *scope, old any, words []string) (any, error) {
		value, err := parse(s, old, words)
		if err != nil {
			return nil, err
		}
		return check(s, old.(T), value.(T))
	}
	return h
}

// scope is what the parser of a value may look at beside the words.
type scope struct {
	values *Values // what has been set so far
	file   bool    // in a file or on the command line, not CONFIG SET
	first  bool    // in a file: the first line of its directive
	log    func(level Level, text string)
}

// kind is how values of type T are read and shown. write and lines may be nil.
type kind[T any] struct {
	parse func(s *scope, old T, words []string) (T, error)
	show  func(T) string // as CONFIG GET shows it; tells different values apart
	write func(T) string // as redis.conf has it, where that differs from show

	// lines are the directive's lines of a rewritten file, where that is not
	// one line made by write.
	lines func(v *Values, name string, value T) []fileLine
}

// fileLine is one line of a rewritten configuration file. A line that is not
// forced is written only where the file already had a line of this directive.
type fileLine struct {
	text   string
	forced bool
}

// option is what may follow the facts in a declaration: Flags, alias or inert.
type option interface{ describe(*Directive) }

type (
	alias string // the older name
	inert string // why the directive has no meaning in Skein
)

func (f Flags) describe(d *Directive) { d.flags |= f }
func (a alias) describe(d *Directive) { d.alias = string(a) }
func (i inert) describe(d *Directive) { d.inert = string(i) }

// declare adds a row to the table.
func declare[T any](name string, initial T, k kind[T], options ...option) Of[T] {
	if k.write == nil {
		k.write = k.show
	}
	if k.lines == nil {
		k.lines = func(_ *Values, name string, value T) []fileLine {
			return []fileLine{{name + " " + k.write(value), k.show(value) != k.show(initial)}}
		}
	}
	d := &Directive{name: name, initial: initial}
	d.parse = func(s *scope, old any, words []string) (any, error) { return k.parse(s, old.(T), words) }
	d.show = func(value any) string { return k.show(value.(T)) }
	d.lines = func(v *Values, value any) []fileLine { return k.lines(v, name, value.(T)) }
	for _, o := range options {
		o.describe(d)
	}
	all.add(d)
	return Of[T]{d}
}
