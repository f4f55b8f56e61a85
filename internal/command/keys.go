package command

import "github.com/skeindb/skein/internal/base/resp"

// KeyPos says where a key stands and what the command does with it.
type KeyPos struct {
	Index int // argv[Index] is the key
	Flags KeyFlags
}

// What COMMAND GETKEYS answers when it cannot give keys.
const (
	// ErrKeyArguments: the arguments are not such that keys could be told; the
	// command itself would answer a syntax error.
	ErrKeyArguments Error = "ERR Invalid arguments specified for command"
	// ErrNoKeyArguments: no argument of the command is ever a key.
	ErrNoKeyArguments Error = "ERR The command has no key arguments"
	// ErrKeyCommand: there is no such command.
	ErrKeyCommand Error = "ERR Invalid command specified"
	// ErrKeyArity: the command does not take that many arguments.
	ErrKeyArity Error = "ERR Invalid number of arguments specified for command"
)

// keyPlan is what NewTable concludes from Keys, so that the hot path need not.
type keyPlan struct {
	only   int  // argument that is the only key or shard channel, 0: not that simple
	has    bool // some argument may be a key
	byFunc bool // ask GetKeys first: Keys are doubtful
	vary   bool // and do not ask them at all: their flags depend on the arguments

	// The range of COMMAND INFO that older clients read; last counts from the
	// end of argv when negative. All 0: none.
	first, last, step int
}

// OnlyKey is the index of the argument that is the command's only key (or the
// only shard channel), wherever that is the same in every call; else 0. For
// these commands, most of all, AppendKeys need not be asked.
func (s *Spec) OnlyKey() int { return s.keys.only }

// FirstArgIsKey tells whether argv[1] is a key or shard channel in every call.
func (s *Spec) FirstArgIsKey() bool { return s.keys.first == 1 }

// HasKeys tells whether some argument of the command may be a key. Shard
// channels are none.
func (s *Spec) HasKeys() bool { return s.keys.has }

// LegacyRange is the position of the first and the last key (from the end of
// argv when negative) and the step between them, as far as a single range can
// tell; all 0 if it cannot.
func (s *Spec) LegacyRange() (first, last, step int) {
	return s.keys.first, s.keys.last, s.keys.step
}

// AppendKeys appends the keys of a call to dst, in the order of the KeySpecs.
// It does not allocate while dst has room. ErrKeyArguments, with dst as it was,
// means that a command that needs keys has wrong arguments; its handler will say
// how.
func AppendKeys(dst []KeyPos, s *Spec, argv [][]byte) ([]KeyPos, error) {
	return appendKeys(dst, s, argv, false)
}

// AppendRouted is AppendKeys for whoever wants slots: it gives shard channels
// too, with KeyNotKey among their flags.
func AppendRouted(dst []KeyPos, s *Spec, argv [][]byte) ([]KeyPos, error) {
	if s.keys.only > 0 && s.keys.only < len(argv) {
		return append(dst, KeyPos{s.keys.only, s.Keys[0].Flags}), nil
	}
	return appendKeys(dst, s, argv, true)
}

func appendKeys(dst []KeyPos, s *Spec, argv [][]byte, channels bool) ([]KeyPos, error) {
	was := len(dst)
	if s.keys.byFunc {
		if dst, err := s.GetKeys(dst, argv); err == nil || s.keys.vary {
			return dst, err
		}
	}
	for i := range s.Keys {
		k := &s.Keys[i]
		if k.Flags&KeyNotKey != 0 && !channels {
			continue
		}
		if i > 0 && k.leftOut(argv) {
			continue
		}
		var ok bool
		if dst, ok = k.append(dst, argv); !ok {
			return s.askGetKeys(dst[:was], argv)
		}
	}
	return dst, nil
}

// askGetKeys is the last resort when Keys could not tell.
func (s *Spec) askGetKeys(dst []KeyPos, argv [][]byte) ([]KeyPos, error) {
	switch {
	case s.GetKeys != nil:
		return s.GetKeys(dst, argv)
	case s.Is(NoMandatoryKeys):
		return dst, nil
	}
	return dst, ErrKeyArguments
}

// append adds the keys of one KeySpec. It is false if the arguments do not fit
// the KeySpec, or if the KeySpec itself says that it is not the whole truth.
func (k *KeySpec) append(dst []KeyPos, argv [][]byte) ([]KeyPos, bool) {
	begin, ok := k.begin(argv)
	if !ok {
		return dst, false
	}
	if begin == 0 { // the keyword is not there, and so are its keys
		return dst, true
	}
	first, last, step, ok := k.span(argv, begin)
	if !ok || last < first || last >= len(argv) {
		return dst, false
	}
	for i := first; i <= last; i += step {
		dst = append(dst, KeyPos{i, k.Flags})
	}
	return dst, k.Flags&KeyIncomplete == 0
}

// leftOut tells whether the KeySpec is of optional keys at the end, as PFMERGE's
// sources, that are not given. (For redis the arguments then do not fit.)
func (k *KeySpec) leftOut(argv [][]byte) bool {
	return k.Index == len(argv) && k.Keyword == "" && !k.NumKeys && k.Last == -1
}

// begin is the argument at which the search begins, 0 if the keyword is missing.
func (k *KeySpec) begin(argv [][]byte) (at int, ok bool) {
	switch {
	case k.Unknown:
		return 0, false
	case k.Keyword == "":
		return k.Index, true
	case k.StartFrom > 0:
		for i := k.StartFrom; i < len(argv)-1; i++ {
			if equalFold(argv[i], k.Keyword) {
				return i + 1, true
			}
		}
	default:
		for i := min(len(argv)+k.StartFrom, len(argv)-1); i > 1; i-- {
			if equalFold(argv[i], k.Keyword) {
				return i + 1, true
			}
		}
	}
	return 0, true
}

// span is the range of keys that the search finds from argument begin on.
func (k *KeySpec) span(argv [][]byte, begin int) (first, last, step int, ok bool) {
	if k.NumKeys {
		at := begin + k.KeyNum
		if at >= len(argv) {
			return 0, 0, 0, false
		}
		n, isInt := resp.ParseInt(argv[at])
		if !isInt || n < 0 || n > int64(len(argv)) {
			return 0, 0, 0, false
		}
		first = begin + k.FirstKey
		step = max(k.KeyNumStep, 1)
		return first, first + int(n) - 1, step, true
	}
	switch {
	case k.Last >= 0:
		last = begin + k.Last
	case k.Limit == 0:
		last = len(argv) + k.Last
	default: // one of Limit equal parts, as XREAD's keys are the first half
		last = begin + (len(argv)-begin)/k.Limit + k.Last
	}
	return begin, last, max(k.Step, 1), true
}
