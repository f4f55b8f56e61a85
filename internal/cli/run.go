package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"golang.org/x/term"
)

// Exit codes, as redis-cli has them.
const (
	exitOK     = 0
	exitFailed = 1 // no connection, a bad option, or an error reply with -e
)

// Run is the program: args are its arguments without its name. It returns the
// exit code. If in and out are terminals (files are asked) it edits lines and
// formats replies for people, else for programs.
//
// From the environment it takes REDISCLI_AUTH (a password), SKEINCLI_HISTFILE
// (where the history is kept, instead of ~/.skeincli_history; /dev/null for
// nowhere), NO_COLOR and HOME.
func Run(args []string, in io.Reader, out, errs io.Writer) int {
	opt, err := parseOptions(args, isTerminal(out))
	switch {
	case errors.Is(err, errHelp):
		fmt.Fprint(out, usage())
		return exitOK
	case errors.Is(err, errVersion):
		fmt.Fprintln(out, "skein cli", version())
		return exitOK
	case err != nil:
		fmt.Fprintln(errs, err)
		return exitFailed
	}
	if opt.pass != "" && !opt.noWarning {
		fmt.Fprintln(errs, "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.")
	}
	if opt.pass == "" {
		opt.pass = os.Getenv("REDISCLI_AUTH")
	}
	if opt.askPass {
		if opt.pass, err = askPassword(in, errs); err != nil {
			fmt.Fprintln(errs, "Reading the password:", err)
			return exitFailed
		}
	}
	c := newClient(opt, in, out, errs)
	defer c.drop()
	if len(opt.args) > 0 {
		return c.command()
	}
	return c.converse()
}

// command runs the one command of the command line.
func (c *client) command() int {
	args, err := c.opt.command(c.in)
	if err == errQuoting { // where redis-cli says this
		fmt.Fprintln(c.out, err)
		return exitFailed
	}
	if err != nil {
		fmt.Fprintln(c.errs, err)
		return exitFailed
	}
	if !c.execute(args, c.opt.repeat) {
		return exitFailed
	}
	return exitOK
}

// converse runs the commands that come in as lines.
func (c *client) converse() int {
	c.interactive, c.attended = true, isTerminal(c.in)
	if err := c.connect(); err != nil {
		fmt.Fprintln(c.errs, err) // each command will try again
	}
	if c.attended {
		c.repl(newEditor(c))
	} else {
		c.repl(newPipe(c.in))
	}
	return exitOK
}

// version is that of the module the binary was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// isTerminal tells whether f is a file that is a terminal.
func isTerminal(f any) bool {
	fd, ok := descriptor(f)
	return ok && term.IsTerminal(fd)
}

func descriptor(f any) (fd int, ok bool) {
	file, ok := f.(interface{ Fd() uintptr })
	if !ok {
		return 0, false
	}
	return int(file.Fd()), true
}
