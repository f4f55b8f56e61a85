package cli

import (
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/fatih/color"
	"golang.org/x/term"
)

// editor reads lines from a terminal: history by the arrow keys, completion by
// TAB, and behind the cursor the arguments that may follow.
type editor struct {
	client *client
	term   *term.Terminal
	keys   *keyboard
	grey   func(...any) string
	hints  bool
	cycle  cycle

	raw  func() (restore func(), err error) // takes the terminal for one line
	size func() (width, height int, err error)
}

// newEditor is for a client whose in is a terminal.
func newEditor(c *client) *editor {
	fd, _ := descriptor(c.in)
	e := editorOn(c, loadHistory(historyPath()))
	e.raw = func() (func(), error) {
		state, err := term.MakeRaw(fd)
		return func() { term.Restore(fd, state) }, err
	}
	e.size = func() (int, int, error) { return term.GetSize(fd) }
	return e
}

// editorOn is an editor without the calls to the system.
func editorOn(c *client, h *history) *editor {
	e := &editor{client: c, grey: c.paint(color.FgHiBlack), hints: true}
	e.keys = &keyboard{in: c.in, out: c.out}
	e.term = term.NewTerminal(e.keys, "")
	e.term.History = h
	e.term.AutoCompleteCallback = e.key
	e.raw = func() (func(), error) { return func() {}, nil }
	e.size = func() (int, int, error) { return 80, 24, nil }
	return e
}

func (e *editor) line() (string, error) {
	e.client.loadDocs()
	prompt := e.client.prompt()
	restore, err := e.raw()
	if err != nil {
		return "", err
	}
	defer restore()
	if width, height, err := e.size(); err == nil && width > 0 {
		e.keys.width = width
		e.term.SetSize(width, height)
	}
	e.keys.before = utf8.RuneCountInString(prompt)
	e.term.SetPrompt(prompt)
	line, err := e.term.ReadLine()
	if err != nil {
		io.WriteString(e.client.out, "\r\n")
	}
	return line, err
}

func (e *editor) setHints(on bool) { e.hints = on }

func (e *editor) clear() { io.WriteString(e.client.out, "\x1b[H\x1b[2J") }

// key is called by the Terminal for each key that it has no meaning for.
func (e *editor) key(line string, pos int, key rune) (string, int, bool) {
	switch {
	case e.client.docs == nil || pos != len(line):
	case key == keyIdle && e.hints:
		e.keys.hint(line, e.client.docs.hint(line), e.grey)
	case key == '\t':
		if next, ok := e.cycle.next(line, e.client.docs.complete); ok {
			return next, len(next), true
		}
	}
	return "", 0, false
}

// cycle walks through the completions of a line, one with each TAB, and at the
// end back to the line.
type cycle struct {
	lines []string // the completions and last the line itself
	at    int
}

func (c *cycle) next(line string, complete func(string) []string) (string, bool) {
	if c.at >= len(c.lines) || c.lines[c.at] != line { // it is not what the last TAB gave
		c.lines, c.at = append(complete(line), line), -1
	}
	c.at = (c.at + 1) % len(c.lines)
	return c.lines[c.at], len(c.lines) > 1
}

// keyIdle is a control character that nobody types. The keyboard sends it to the
// Terminal after the keys that were typed, because there is no other way to
// learn what the line has become.
const keyIdle = 0x1f

// escape begins the sequences that keys without a character send. None is longer
// than maxEscape bytes.
const (
	escape    = 0x1b
	maxEscape = 32
)

// keyboard is the terminal as the Terminal sees it. It hands over whole keys
// only, with keyIdle behind them, and draws hints:
//
//	127.0.0.1:7000> SET key value [NX|XX] [GET]
//	                        ^cursor (then grey)
//
// A hint is wiped away before the next key has an effect.
type keyboard struct {
	in     io.Reader
	out    io.Writer
	width  int // columns
	before int // columns of the prompt

	pending []byte // read, not handed over
	idle    bool   // keys were handed over since the last keyIdle
	hinted  bool
}

func (k *keyboard) Write(p []byte) (int, error) { return k.out.Write(p) }

func (k *keyboard) Read(p []byte) (int, error) {
	if k.idle {
		k.idle = false
		p[0] = keyIdle
		return 1, nil
	}
	var chunk [256]byte
	for {
		if n := k.take(p); n > 0 {
			k.idle = true
			k.wipe()
			return n, nil
		}
		n, err := k.in.Read(chunk[:])
		k.pending = append(k.pending, chunk[:n]...)
		if n == 0 && err != nil {
			return 0, err
		}
	}
}

// hint draws text behind the line, as far as there is room in the row.
func (k *keyboard) hint(line, text string, grey func(...any) string) {
	column := (k.before + utf8.RuneCountInString(line)) % max(k.width, 1)
	runes := []rune(text)
	if room := k.width - column - 1; len(runes) > room {
		runes = runes[:max(room, 0)]
	}
	if len(runes) == 0 {
		return
	}
	fmt.Fprintf(k.out, "%s\x1b[%dD", grey(string(runes)), len(runes))
	k.hinted = true
}

func (k *keyboard) wipe() {
	if k.hinted {
		io.WriteString(k.out, "\x1b[J")
		k.hinted = false
	}
}

// take moves whole keys from pending to p. What is no text it drops: on that the
// Terminal would wait for ever.
func (k *keyboard) take(p []byte) (n int) {
	for len(k.pending) > 0 {
		size, ok := nextKey(k.pending)
		if size == 0 || n+size > len(p) {
			break
		}
		if ok {
			n += copy(p[n:], k.pending[:size])
		}
		k.pending = k.pending[size:]
	}
	return n
}

// nextKey is the size of the key that b begins with, 0 if it is not complete,
// and whether it is good for anything. Escape sequences end with a letter or a
// tilde.
func nextKey(b []byte) (size int, ok bool) {
	if b[0] != escape {
		if !utf8.FullRune(b) {
			return 0, false
		}
		r, size := utf8.DecodeRune(b)
		return size, r != utf8.RuneError
	}
	for i, c := range b {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '~' {
			return i + 1, true
		}
		if i == maxEscape || i > 0 && (c < ' ' || c > '~') { // it is none
			return i, false
		}
	}
	return 0, false
}

// askPassword reads a password that is not shown.
func askPassword(in io.Reader, errs io.Writer) (string, error) {
	fmt.Fprint(errs, "Please input password: ")
	fd, ok := descriptor(in)
	if !ok || !term.IsTerminal(fd) {
		return newPipe(in).line()
	}
	pass, err := term.ReadPassword(fd)
	fmt.Fprintln(errs)
	return string(pass), err
}
