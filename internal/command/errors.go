package command

import (
	"fmt"
	"strings"
)

// Error is the text of an error reply, code and all: "ERR syntax error". As a
// constant it becomes an error without an allocation.
type Error string

func (e Error) Error() string { return string(e) }

// quoteMax is how much of a client's words an error repeats.
const quoteMax = 128

// unknownCommand is the error of a command line whose first word is no command.
func unknownCommand(argv [][]byte) error {
	var args []byte
	for _, arg := range argv[1:] {
		if len(args) >= quoteMax {
			break
		}
		args = append(args, '\'')
		args = append(args, quoted(arg, quoteMax-(len(args)-1))...)
		args = append(args, "' "...)
	}
	return oneLine("ERR unknown command '" + quoted(argv[0], quoteMax) + "', with args beginning with: " + string(args))
}

// unknownSubcommand is the error of a second word that its container has not.
func unknownSubcommand(argv [][]byte) error {
	return oneLine("ERR unknown subcommand '" + quoted(argv[1], quoteMax) + "'. Try " +
		strings.ToUpper(quoted(argv[0], len(argv[0]))) + " HELP.")
}

// WrongArguments is the error of a subcommand whose arity admits more words than
// it knows what to do with, in redis's words.
func WrongArguments(argv [][]byte) error {
	return oneLine("ERR unknown subcommand or wrong number of arguments for '" + quoted(argv[1], quoteMax) + "'. Try " +
		strings.ToUpper(quoted(argv[0], len(argv[0]))) + " HELP.")
}

// Errorf is an error that repeats words of a client's, as redis's C writes them: each
// up to a NUL, and line breaks as spaces.
func Errorf(format string, words ...[]byte) error {
	args := make([]any, len(words))
	for i, w := range words {
		args[i] = quoted(w, len(w))
	}
	return oneLine(fmt.Sprintf(format, args...))
}

// quoted is b up to most bytes, and up to a NUL as redis's C has it.
func quoted(b []byte, most int) string {
	b = b[:min(len(b), most)]
	if i := strings.IndexByte(string(b), 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// oneLine makes an error of a text that may hold line breaks of a client's.
func oneLine(text string) error {
	return Error(strings.NewReplacer("\r", " ", "\n", " ").Replace(text))
}
