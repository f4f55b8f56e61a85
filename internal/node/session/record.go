package session

import "github.com/skeindb/skein/internal/command"

// Record says what one command cost. Package exec makes them, package observe
// counts them.
type Record struct {
	Spec    *command.Spec // nil: there is no such command
	Nanos   int64
	Outcome Outcome
	Error   string // the code of an error reply, "ERR", for INFO errorstats; "" if there was none
}

// Outcome is how a command ended.
type Outcome uint8

// A call that ran, one that ran and answered an error, one refused before it ran.
const (
	Ran Outcome = iota
	Failed
	Rejected
)
