package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/skeindb/skein/internal/base/vfs"
)

// FatalError stops the start of a node: a line that cannot be understood, or
// lines that contradict each other. Print it to standard error as it is and
// exit with status 1.
type FatalError struct {
	Line   int    // counted from 1 in its file, or in the file, standard input and command line together; 0: no single line is at fault
	Text   string // the line without blanks around it
	Reason string
}

// Error returns all that redis prints, with the empty line before it and the
// newline at its end.
func (e *FatalError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n*** FATAL CONFIG FILE ERROR (Redis %s) ***\n", RedisVersion)
	if e.Line > 0 {
		fmt.Fprintf(&b, "Reading the configuration file, at line %d\n>>> '%s'\n", e.Line, e.Text)
	}
	return b.String() + e.Reason + "\n"
}

// FileError stops the start of a node: a configuration file could not be read.
// Redis writes its text to the log, which then is standard output.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string {
	return fmt.Sprintf("Fatal error, can't open config file '%s': %s", e.Path, vfs.Reason(e.Err))
}

func (e *FileError) Unwrap() error { return e.Err }

// Errors of lines that only the node can check. It returns them, or others, from
// the hooks of Env.
var (
	ErrNoSuchCommand = errors.New("No such command in rename-command")
	ErrCommandExists = errors.New("Target command name already exists")
)

// ErrLoading: the directive must wait until the data set is loaded. It is an
// error code of its own, not an ERR.
var ErrLoading = errors.New("LOADING Redis is loading the dataset in memory")

// ErrNoFile: CONFIG REWRITE has nothing to rewrite.
var ErrNoFile = errors.New("The server is running without a config file")
