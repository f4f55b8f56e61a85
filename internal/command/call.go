package command

import (
	"net/netip"

	"github.com/skeindb/skein/internal/base/resp"
)

// Call is one invocation of a command, as its handler sees it. It belongs to
// the caller's session and is valid until the handler returns.
//
// The hot facts are fields, not methods of an interface: a GET reads three of them.
type Call struct {
	Spec   *Spec
	Args   [][]byte     // the whole command line; valid until the handler returns
	Out    *resp.Writer // where the reply goes
	Now    int64        // Unix milliseconds; the same for a whole EXEC or script
	DB     int          // the selected database
	Client Client       // who calls
}

// Arg is argument i as a string; it allocates.
func (c *Call) Arg(i int) string { return string(c.Args[i]) }

// Errors that many handlers answer, in redis's words.
const (
	ErrSyntax      = "ERR syntax error"
	ErrNotInteger  = "ERR value is not an integer or out of range"
	ErrNotFloat    = "ERR value is not a valid float"
	ErrNotPositive = "ERR value is out of range, must be positive"
	ErrNoKey       = "ERR no such key"
	ErrWrongType   = "WRONGTYPE Operation against a key holding the wrong kind of value"
	ErrOutOfRange  = "ERR index out of range"
)

// Fail replies with err's text, which includes its code: see Error.
func (c *Call) Fail(err error) { c.Out.Error(err.Error()) }

// Client is what a handler may know of the connection that called, and do to
// it. package session implements it; scripts and the loader have their own.
type Client interface {
	ID() uint64
	Name() string
	User() string
	Addr() netip.AddrPort
	Proto() int
	// SelectDB makes db the database of the commands to come.
	SelectDB(db int)
	// InMulti tells that the call runs inside EXEC.
	InMulti() bool
	// Park leaves the call unanswered and its connection waiting, until the
	// returned function is called, once, from any goroutine, with the reply's
	// bytes. A command inside EXEC or a script cannot be parked (ok false).
	Park() (resume func(reply []byte), ok bool)
}
