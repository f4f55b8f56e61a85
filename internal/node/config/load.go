package config

import (
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Env is what Load needs from outside. The zero value will do.
type Env struct {
	// Dir is the directory to start in; "" is the process's own.
	Dir string
	// Stdin is read where the arguments say so with a single dash.
	Stdin io.Reader
	// RenameCommand checks a rename-command line, see ErrNoSuchCommand.
	RenameCommand func(from, to string) error
	// CheckUser checks the words of a `user` line: a name, then rules. Its error
	// completes "Error in user declaration", as in "'+@bla': Syntax error".
	CheckUser func(words []string) error
}

// Load reads the configuration that args ask for, args being what follows the
// name of the program:
//
//	[redis.conf] [-] [--directive value …] [-]
//
// A first argument that does not begin with a dash is the configuration file; a
// single dash, first or last, is standard input. The options count as lines
// after both, so the last word on a directive wins. The error is a *FatalError
// or a *FileError.
func Load(args []string, env Env) (*Config, error) {
	dir, err := startDir(env.Dir)
	if err != nil {
		return nil, err
	}
	c := &Config{}
	l := newLoader(c, env, dir)
	var source strings.Builder
	first := 0
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		first = 1
		c.file = absolute(dir, strings.Trim(args[0], blanks))
		text, err := l.files.read(c.file)
		if err != nil {
			return nil, &FileError{c.file, err}
		}
		source.Write(text)
	}
	options, stdin := optionLines(args, first)
	if stdin && env.Stdin != nil {
		l.log(Notice, "Reading config from stdin")
		if _, err := io.Copy(&source, env.Stdin); err != nil {
			return nil, &FileError{"-", err}
		}
	}
	source.WriteString("\n" + options)
	if err := l.load(source.String()); err != nil {
		return nil, err
	}
	if err := l.modulesMissing(); err != nil {
		return nil, err
	}
	c.values.Store(l.values)
	return c, nil
}

func startDir(dir string) (string, error) {
	if dir == "" {
		var err error
		if dir, err = os.Getwd(); err != nil {
			return "", &FileError{".", err}
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", &FileError{dir, err}
	}
	entered, err := enter(dir)
	if err != nil {
		return "", &FileError{dir, err}
	}
	return entered, nil
}

// optionLines turns the command line from args[first] on into lines of a
// configuration file.
//
// An argument that begins with two dashes begins a line, unless it directly
// follows the name of an option that still waits for its value: --logfile
// --my-log names a file. An argument of several words holds its own value. All
// others are quoted and added to the line; before any option they are a line of
// their own (loglevel verbose), as redis allows by accident.
func optionLines(args []string, first int) (lines string, stdin bool) {
	var b strings.Builder
	waiting := false // the option still has no value
	for i := first; i < len(args); i++ {
		arg, last := args[i], i == len(args)-1
		switch {
		case arg == "-" && (i == 0 || last):
			stdin = true
		case strings.HasPrefix(arg, "--") && !waiting:
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(arg[len("--"):] + " ")
			words, err := splitWords(arg)
			waiting = err == nil && len(words) == 1
			// Scripts write --save and an empty variable to mean: never.
			if waiting && sameWord(arg, "--save") && (last || strings.HasPrefix(args[i+1], "--")) {
				b.WriteString(`""`)
				waiting = false
			}
		default:
			b.WriteString(quote(arg) + " ")
			waiting = false
		}
	}
	return b.String(), stdin
}

// files is the outside world as a loader sees it.
type files struct {
	read   func(name string) ([]byte, error)
	expand func(dir, pattern string) []string // the files that match, sorted
	append func(name string) error            // whether the file can be appended to; creates it
}

func realFiles() files {
	return files{
		read:   os.ReadFile,
		expand: expand,
		append: func(name string) error {
			f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
			if err != nil {
				return err
			}
			return f.Close()
		},
	}
}

// literal makes the special characters of a pattern stand for themselves.
var literal = strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`, `\`, `\\`)

// expand lists the files in dir that match pattern. As in C, a wildcard does not match
// a dot at the beginning of a name, and a pattern that makes no sense matches
// nothing.
func expand(dir, pattern string) []string {
	if !strings.HasPrefix(pattern, "/") {
		pattern = absolute(literal.Replace(dir), pattern)
	}
	names, _ := filepath.Glob(pattern)
	visible := names[:0]
	for _, name := range names {
		if !strings.HasPrefix(filepath.Base(name), ".") || strings.HasPrefix(filepath.Base(pattern), ".") {
			visible = append(visible, name)
		}
	}
	return visible
}
