package session

import "github.com/skeindb/skein/internal/command"

// Link is who feeds a session flagged Master with its master's stream: package
// repl's applier. The engine asks and tells it of every command.
type Link interface {
	// May tells whether a command may still run: no longer once the node has been
	// promoted or follows another master. Its stripes are held.
	May() bool
	// Ran is told of each command that has run, was queued or was refused: first
	// while its stripes are still held, if it took any, and then once more, held
	// being false. end is the offset behind it in what Feed was given.
	Ran(spec *command.Spec, args [][]byte, end int, held bool)
}
