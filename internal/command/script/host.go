package script

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// Host runs scripts in a node: package exec.
type Host interface {
	// Run runs j.Body for the call c, whose stripes are held, and answers c with what it
	// writes, now or later. It refuses a script that may not run at all.
	Run(c *command.Call, j *Job)
	// Kill ends the scripts that have been running for so long that clients are told
	// about them. eval tells which command asks: it ends scripts of its own kind.
	Kill(eval bool) error
	// Running tells about the function that has been running for so long; ok false: there
	// is none. It is for FUNCTION STATS.
	Running() (name string, argv [][]byte, ms int64, ok bool)
}

// Door is the way from a running script to its node. Only the goroutine that runs the
// script uses it.
type Door interface {
	// Call runs a command, which writes its reply to out. If it is refused it is not run:
	// refused is why, without a code or behind a "-" and one.
	Call(argv [][]byte, out *resp.Writer) (refused string)
	// Hear is redis.set_repl: who is told of changes from now on.
	Hear(file, replicas bool)
	// Permitted tells whether the caller's user may run the command; known false: there is no such command.
	Permitted(argv [][]byte) (ok, known bool)
	// Breathe is called every now and then while the script computes. It tells whether
	// the script is to end.
	Breathe() (end bool)
	// Log writes a line into the node's log. Levels are redis's, 0 is debug.
	Log(level int, line string)
}

// Job is a script that is to run.
type Job struct {
	// Name is what messages call the script: the SHA1 of its text, or the function.
	Name string
	// Eval tells a script of EVAL from a function.
	Eval     bool
	Flags    Flags
	ReadOnly bool // the command called is one that must not write

	// Body runs the script and writes its reply to out. It may be run on another
	// goroutine than that which called Host.Run; the command line is readable until it
	// calls ready. Its result tells that the reply is an error that statistics know.
	Body func(d Door, out *resp.Writer, ready func()) (told bool)

	// Widen notes that the script uses keys that it does not declare: its next run should
	// hold all stripes.
	Widen func()
}
