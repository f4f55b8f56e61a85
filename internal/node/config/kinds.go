package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
)

// boolean declares a directive that is yes or no.
func boolean(name string, initial bool, options ...option) Of[bool] {
	return declare(name, initial, kind[bool]{
		parse: func(_ *scope, _ bool, words []string) (bool, error) {
			switch {
			case sameWord(words[0], "yes"):
				return true, nil
			case sameWord(words[0], "no"):
				return false, nil
			}
			return false, errors.New("argument must be 'yes' or 'no'")
		},
		show: func(on bool) string {
			if on {
				return "yes"
			}
			return "no"
		},
	}, options...)
}

// integer declares a directive that is a number from lowest to highest.
func integer(name string, initial, lowest, highest int, options ...option) Of[int] {
	return declare(name, initial, kind[int]{
		parse: func(_ *scope, _ int, words []string) (int, error) {
			n, ok := resp.ParseInt([]byte(words[0]))
			if !ok {
				return 0, errors.New("argument couldn't be parsed into an integer")
			}
			if n < int64(lowest) || n > int64(highest) {
				return 0, fmt.Errorf("argument must be between %d and %d inclusive", lowest, highest)
			}
			return int(n), nil
		},
		show: strconv.Itoa,
	}, options...)
}

// octal declares a directive that is a number from 0 to highest written in octal.
func octal(name string, initial, highest int, options ...option) Of[int] {
	return declare(name, initial, kind[int]{
		parse: func(_ *scope, _ int, words []string) (int, error) {
			n, ok := wholeInt(words[0], 8)
			if !ok {
				return 0, errors.New("argument couldn't be parsed as an octal number")
			}
			if n < 0 || n > int64(highest) {
				return 0, fmt.Errorf("argument must be between %o and %o inclusive", 0, highest)
			}
			return int(n), nil
		},
		show: func(n int) string { return strconv.FormatInt(int64(n), 8) },
	}, options...)
}

// memory declares a directive that is an amount of bytes from lowest to highest.
func memory(name string, initial, lowest, highest uint64, options ...option) Of[uint64] {
	return declare(name, initial, kind[uint64]{
		parse: func(_ *scope, _ uint64, words []string) (uint64, error) {
			n, ok := parseBytes(words[0])
			if !ok {
				return 0, errors.New("argument must be a memory value")
			}
			if n < lowest || n > highest {
				return 0, fmt.Errorf("argument must be between %d and %d inclusive", lowest, highest)
			}
			return n, nil
		},
		show:  func(n uint64) string { return strconv.FormatUint(n, 10) },
		write: formatBytes,
	}, options...)
}

// text declares a directive that is any string, the empty one included.
func text(name, initial string, options ...option) Of[string] {
	return declare(name, initial, kind[string]{
		parse: func(_ *scope, _ string, words []string) (string, error) { return words[0], nil },
		show:  func(s string) string { return s },
		write: quote,
	}, options...)
}

// optionalText declares a directive that is a string or not set, which is its
// default and the same as empty. When not set it is left out of a rewritten file.
func optionalText(name string, options ...option) Of[string] {
	return declare(name, "", kind[string]{
		parse: func(_ *scope, _ string, words []string) (string, error) { return words[0], nil },
		show:  func(s string) string { return s },
		lines: func(_ *Values, name, value string) []fileLine {
			if value == "" {
				return nil
			}
			return []fileLine{{name + " " + quote(value), true}}
		},
	}, options...)
}

// choices are the words that a directive accepts, in any case.
type choices []string

// canonical returns word as the table spells it.
func (c choices) canonical(word string) (string, bool) {
	i := slices.IndexFunc(c, func(choice string) bool { return sameWord(choice, word) })
	if i < 0 {
		return "", false
	}
	return c[i], true
}

func (c choices) refuse() error {
	return errors.New("argument(s) must be one of the following: " + strings.Join(c, ", "))
}

// enum declares a directive that is one of a few words.
func enum(name, initial string, allowed choices, options ...option) Of[string] {
	return declare(name, initial, kind[string]{
		parse: func(_ *scope, _ string, words []string) (string, error) {
			word, ok := allowed.canonical(words[0])
			if !ok {
				return "", allowed.refuse()
			}
			return word, nil
		},
		show: func(word string) string { return word },
	}, options...)
}

// enumSet declares a directive that is a set of words out of allowed, kept in the
// order of allowed. The first word stands for the empty set, which is the default.
func enumSet(name string, allowed choices, options ...option) Of[[]string] {
	return declare(name, nil, kind[[]string]{
		parse: func(_ *scope, _ []string, words []string) ([]string, error) {
			if len(words) == 0 {
				return nil, allowed.refuse()
			}
			given := make(map[string]bool, len(words))
			for _, w := range words {
				word, ok := allowed.canonical(w)
				if !ok {
					return nil, allowed.refuse()
				}
				given[word] = true
			}
			var set []string
			for _, word := range allowed[1:] {
				if given[word] {
					set = append(set, word)
				}
			}
			return set, nil
		},
		show: func(set []string) string {
			if len(set) == 0 {
				return allowed[0]
			}
			return strings.Join(set, " ")
		},
	}, append(options, MultiArg)...)
}
