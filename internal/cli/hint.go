package cli

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// hint is what may follow a line, to be shown behind it: the syntax of the
// arguments that are still to be typed. It is empty if the line names no command
// or has arguments that the command does not take.
func (d *docs) hint(line string) string {
	split, err := resp.SplitArgs([]byte(line))
	if err != nil || len(split) == 0 {
		return ""
	}
	words := make([]string, len(split))
	for i := range split {
		words[i] = string(split[i])
	}
	space := unicode.IsSpace(rune(line[len(line)-1]))
	if !space { // the last word is not finished: it counts as not there
		words = words[:len(words)-1]
	}
	e := d.find(words)
	if e == nil {
		return ""
	}
	m := matchAll(e.args, words[e.words:])
	if m.used < len(words)-e.words || m.rest == "" {
		return ""
	}
	if !space {
		return " " + m.rest
	}
	return m.rest
}

// match is how far some words go as an argument, or as several.
type match struct {
	used int    // words taken; 0: they are something else
	done bool   // nothing has to follow
	rest string // the syntax of what may or must follow
}

// matchAll matches words with arguments in their order, but for optional ones
// that stand together: these may come in any order.
func matchAll(args []command.Arg, words []string) match {
	var m match
	var rest []string
	for len(args) > 0 {
		n := 0
		for n < len(args) && args[n].Optional {
			n++
		}
		if n > 0 {
			used, begun, others := matchOptional(args[:n], words[m.used:])
			m.used += used
			rest = append(rest, begun)
			if n == len(args) || m.used == len(words) {
				rest = append(rest, others...)
			}
			args = args[n:]
			continue
		}
		if m.used == len(words) {
			rest = append(rest, command.Syntax(args[:1]))
		} else {
			next := matchArg(&args[0], words[m.used:])
			if next.used == 0 {
				return match{}
			}
			m.used += next.used
			rest = append(rest, next.rest)
		}
		args = args[1:]
	}
	m.rest = join(rest...)
	m.done = m.rest == ""
	return m
}

// matchOptional matches words with any of args. It returns the words taken, what
// is missing of the argument begun last, and the syntax of those not begun.
func matchOptional(args []command.Arg, words []string) (used int, begun string, others []string) {
	taken := make([]bool, len(args))
	for more := true; more && used < len(words); {
		more = false
		for i := range args {
			if taken[i] {
				continue
			}
			if m := matchArg(&args[i], words[used:]); m.used > 0 {
				taken[i], more = true, true
				used, begun = used+m.used, m.rest
				break
			}
		}
	}
	for i := range args {
		if !taken[i] {
			others = append(others, command.Syntax(args[i:i+1]))
		}
	}
	return used, begun, others
}

// matchArg matches words with an argument, as often as it may be repeated.
func matchArg(a *command.Arg, words []string) match {
	m := matchOnce(a, words)
	if m.used == 0 || !a.Multiple {
		return m
	}
	again := *a
	again.Optional, again.Multiple = false, false
	if !a.MultipleToken {
		again.Token = ""
	}
	for m.done && m.used < len(words) {
		next := matchOnce(&again, words[m.used:])
		if next.used == 0 {
			break
		}
		m = match{used: m.used + next.used, done: next.done, rest: next.rest}
	}
	m.rest = join(m.rest, "["+command.Syntax([]command.Arg{again})+" ...]")
	return m
}

// matchOnce matches words, of which there is one at least, with an argument's
// token and what it announces.
func matchOnce(a *command.Arg, words []string) match {
	if a.Token == "" {
		return matchBody(a, words)
	}
	if word := orEmptyWord(words[0]); !strings.EqualFold(word, a.Token) {
		return match{}
	}
	if a.Type == command.TypePureToken {
		return match{used: 1, done: true}
	}
	if len(words) == 1 {
		body := *a
		body.Token, body.Optional, body.Multiple = "", false, false
		return match{used: 1, rest: command.Syntax([]command.Arg{body})}
	}
	m := matchBody(a, words[1:])
	if m.used > 0 {
		m.used++
	}
	return m
}

func matchBody(a *command.Arg, words []string) match {
	switch a.Type {
	case command.TypeBlock:
		return matchAll(a.Args, words)
	case command.TypeOneOf:
		for i := range a.Args {
			if m := matchArg(&a.Args[i], words); m.used > 0 {
				return m
			}
		}
		return match{}
	}
	if !fits(a.Type, words[0]) {
		return match{}
	}
	return match{used: 1, done: true}
}

// fits tells whether a word may be of a type. Numbers may have the "(" of an
// open interval before them.
func fits(t command.ArgType, word string) bool {
	var err error
	switch t {
	case command.TypeInteger, command.TypeUnixTime:
		_, err = strconv.ParseInt(word, 10, 64)
	case command.TypeDouble:
		_, err = strconv.ParseFloat(strings.TrimPrefix(word, "("), 64)
	}
	return err == nil
}

// join joins what is not empty by spaces.
func join(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		if part != "" && b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(part)
	}
	return b.String()
}
