// Package command says what a command is.
//
// A command is declared once, by one Spec literal beside its handler: name,
// arity, flags, where its keys are, its usage grammar and its documentation.
// Everything else is derived from that literal: COMMAND and its subcommands,
// ACL categories, slot checks, lock sets, statistics, the hints of the prompt
// and the inputs of fuzz tests.
//
// The package holds shapes only. The data commands are in package builtin;
// rooms that own state (clients, config, clusterd, …) export the Specs that
// work on it; package node puts them into one Table; package exec runs them.
package command

import "github.com/skeindb/skein/internal/store/keyspace"

// Flags are the properties of a command that gates, COMMAND INFO and the ACL read.
type Flags uint32

// The flags of redis 7.2 (their COMMAND INFO words in flagNames), and our own after them.
const (
	Write Flags = 1 << iota
	ReadOnly
	DenyOOM
	Module
	Admin
	PubSub
	NoScript
	Blocking
	Loading
	Stale
	SkipMonitor
	SkipSlowlog
	Asking
	Fast
	NoAuth
	MayReplicate
	NoMandatoryKeys
	Protected
	AllowBusy
	NoMulti
	MovableKeys
	NoAsyncLoading
	TouchesArbitraryKeys

	// Whole marks a command that works on the whole keyspace: it locks all stripes.
	Whole
	// Hidden keeps a command out of COMMAND.
	Hidden
	// Scripted marks a command that runs a script.
	Scripted
)

// KeyFlags tell what a command does with the keys of one KeySpec.
type KeyFlags uint16

// The key specification flags of redis 7 (words in keyFlagNames).
const (
	KeyRO KeyFlags = 1 << iota
	KeyRW
	KeyOW
	KeyRM
	KeyAccess
	KeyUpdate
	KeyInsert
	KeyDelete
	KeyNotKey
	KeyIncomplete
	KeyVariable
)

// ChannelUse tells what a command does with channels, for the ACL: all its arguments are
// channels, or, of one that publishes, the first.
type ChannelUse uint8

// What is done with channels; with ChannelPattern, with all that match.
const (
	ChannelPublish ChannelUse = 1 << iota
	ChannelSubscribe
	ChannelPattern
)

// KeySpec tells where keys stand among the arguments (argv[0] is the command's
// name; for a subcommand argv[1] is its second word).
//
// The search begins at argument Index, or, if Keyword is not empty, behind the
// first argument equal to Keyword at or after StartFrom (counted from the end
// when negative). From there either a range of keys follows (Last relative to
// the beginning, or from the end of argv when negative; Step; Limit as in
// redis), or, if NumKeys is set, a count at offset KeyNum and then the keys.
type KeySpec struct {
	Flags     KeyFlags
	Notes     string
	Index     int
	Keyword   string
	StartFrom int
	Unknown   bool // positions cannot be told; Spec.GetKeys must

	Last, Step, Limit int // Step 0 means 1

	NumKeys                      bool
	KeyNum, FirstKey, KeyNumStep int
}

// Elements are the argument First and each one Step behind another. First 0: there
// are none. Scored ones have the scores that they are to get before them. They are a
// guess, which options may make a wrong one.
type Elements struct {
	First, Step int
	Scored      bool
}

// Add adds the elements among argv to s, until there are most.
func (e Elements) Add(s *keyspace.Sought, argv [][]byte, most int) {
	for i := e.First; i < len(argv) && len(s.Elements) < most; i += e.Step {
		s.Elements = append(s.Elements, argv[i])
		if e.Scored {
			if score, ok := ParseFloat(argv[i-1]); ok {
				s.Scores = append(s.Scores, score)
			}
		}
	}
}

// Spec declares one command or subcommand.
type Spec struct {
	Name       string // lower case, without the container's name
	Group      string // redis's group word: "string", "generic", "connection", …
	Since      string // first redis version; "" for what only Skein has
	Summary    string // one sentence
	Complexity string
	Arity      int // including the command's own words; negative: at least
	Flags      Flags
	Categories []string // ACL categories beyond those that flags imply; nil: the group's own
	Keys       []KeySpec
	Channels   ChannelUse
	Tips       []string
	Usage      string      // argument grammar, see ParseUsage
	History    [][2]string // {version, what changed}
	DocFlags   []string    // "deprecated", "syscmd"
	Deprecated string      // version since when
	ReplacedBy string
	Subs       []*Spec // what makes this a container; HELP is added, or completed, by NewTable

	// GetKeys appends the keys to dst where Keys cannot tell them, or cannot
	// tell what is done to them (Unknown, KeyIncomplete, KeyVariable). It does
	// not allocate while dst has room. Its error is ErrKeyArguments.
	GetKeys func(dst []KeyPos, argv [][]byte) ([]KeyPos, error)

	// Wide tells whether these arguments make the command one that works on keys
	// which nobody can name beforehand, so that it locks all stripes as a Whole one
	// does. Nil: none do.
	Wide func(argv [][]byte) bool

	// Elements is where the command names elements of the collection at its first
	// argument, to look for them: the engine has those of several commands on their
	// way from memory at once.
	Elements Elements

	// FlagsFor tells the flags of the command with these arguments, as gates see them: a
	// script may say what it will not do. Nil: they are Flags.
	FlagsFor func(argv [][]byte) Flags

	// Hide calls hide with the index of each argument that is a secret, which
	// MONITOR and SLOWLOG do not show. Nil: there are none.
	Hide func(argv [][]byte, hide func(i int))

	// Exactly one handler is set; a container has none, or one for its bare name (COMMAND).
	Read    func(c *Call, tx *keyspace.ReadTx)
	Write   func(c *Call, tx *keyspace.WriteTx)
	Service func(c *Call)

	derived // what NewTable finds out
}

// derived is what NewTable finds out about a Spec.
type derived struct {
	full       string // "config|get"
	parent     *Spec
	id         int // dense number, index of statistics
	args       []Arg
	categories Categories
	keys       keyPlan
	subs       *index // nil unless a container
	errArity   error
}

// FullName is the name with its container's: "get", "config|get".
func (s *Spec) FullName() string { return s.full }

// Parent is the container of a subcommand, or nil.
func (s *Spec) Parent() *Spec { return s.parent }

// ID is a dense number below Table.Len, for arrays of per-command facts.
func (s *Spec) ID() int { return s.id }

// Args is the tree of arguments that Usage describes. Do not change it.
func (s *Spec) Args() []Arg { return s.args }

// AllCategories are the ACL categories, explicit and implied.
func (s *Spec) AllCategories() Categories { return s.categories }

// Sub finds a subcommand by its second word in any case, or nil.
func (s *Spec) Sub(name []byte) *Spec {
	if s.subs == nil {
		return nil
	}
	return s.subs.find(name)
}

// Everywhere tells whether the command with these arguments locks all stripes.
func (s *Spec) Everywhere(argv [][]byte) bool {
	return s.Is(Whole) || s.Wide != nil && s.Wide(argv)
}

// FlagsOf is the flags of the command with these arguments.
func (s *Spec) FlagsOf(argv [][]byte) Flags {
	if s.FlagsFor == nil {
		return s.Flags
	}
	return s.FlagsFor(argv)
}

// Is tells whether all of f are set.
func (s *Spec) Is(f Flags) bool { return s.Flags&f == f }

// Any tells whether one of f is set.
func (s *Spec) Any(f Flags) bool { return s.Flags&f != 0 }

// Is tells whether all of g are set.
func (f Flags) Is(g Flags) bool { return f&g == g }

// Any tells whether one of g is set.
func (f Flags) Any(g Flags) bool { return f&g != 0 }

// FirstKey is the KeySpec list of a command whose only key is its first argument.
func FirstKey(f KeyFlags) []KeySpec { return []KeySpec{{Flags: f, Index: 1}} }

// AllKeys is that of a command whose arguments are all keys.
func AllKeys(f KeyFlags) []KeySpec { return []KeySpec{{Flags: f, Index: 1, Last: -1}} }
