package script

import (
	"bytes"
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// flagWords are the words of redis's flags.
var flagWords = [...]struct {
	flag Flags
	word string
}{
	{NoWrites, "no-writes"},
	{AllowOOM, "allow-oom"},
	{AllowStale, "allow-stale"},
	{NoCluster, "no-cluster"},
	{AllowCrossSlot, "allow-cross-slot-keys"},
}

// ParseFlag finds a flag by its word.
func ParseFlag(word string) (Flags, bool) {
	for _, e := range flagWords {
		if e.word == word {
			return e.flag, true
		}
	}
	return 0, false
}

// Words are the words of the flags, in redis's order.
func (f Flags) Words() []string {
	var words []string
	for _, e := range flagWords {
		if f.Any(e.flag) {
			words = append(words, e.word)
		}
	}
	return words
}

// CommandFlags are the flags of the command that runs a script with flags f: what it
// says itself replaces what is assumed of all.
func (f Flags) CommandFlags(c command.Flags) command.Flags {
	if f.Any(Compat) {
		return c
	}
	c &^= command.Stale | command.DenyOOM | command.Write | command.MayReplicate
	if !f.Any(AllowOOM | NoWrites) {
		c |= command.DenyOOM
	}
	if !f.Any(NoWrites) {
		c |= command.Write
	}
	if f.Any(AllowStale) {
		c |= command.Stale
	}
	return c
}

const (
	errShebang command.Error = "ERR Invalid script shebang"
	errEngine  command.Error = "ERR Invalid engine in script shebang"
)

// shebang reads the first line of a script, if it begins with #!:
//
//	#!lua flags=no-writes,allow-stale
//
// length is how much of text that line takes, without its end. Scripts without such a
// line have the flag Compat.
func shebang(text []byte) (f Flags, length int, err error) {
	if len(text) < 2 || text[0] != '#' || text[1] != '!' {
		return Compat, 0, nil
	}
	length = bytes.IndexByte(text, '\n')
	if length < 0 {
		return 0, 0, errShebang
	}
	words, err := resp.SplitArgs(text[:length])
	if err != nil || len(words) == 0 {
		return 0, 0, errEngine
	}
	if string(words[0]) != "#!lua" {
		return 0, 0, command.Errorf("ERR Unexpected engine in script shebang: %s", words[0])
	}
	for _, w := range words[1:] {
		list, isFlags := strings.CutPrefix(string(w), "flags=")
		if !isFlags {
			return 0, 0, command.Errorf("ERR Unknown lua shebang option: %s", w)
		}
		if list == "" {
			continue
		}
		for word := range strings.SplitSeq(list, ",") {
			flag, known := ParseFlag(word)
			if !known {
				return 0, 0, command.Errorf("ERR Unexpected flag in script shebang: %s", []byte(word))
			}
			f |= flag
		}
	}
	return f, length, nil
}
