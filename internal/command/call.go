package command

import (
	"net/netip"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/data/value"
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

// Aside answers the call from a goroutine of its own, so that a loop does not wait for
// what work waits for: a disk, other loops. work must not use the call, whose
// arguments are gone by then. A call that cannot be parked is answered on the spot.
func (c *Call) Aside(work func(out *resp.Writer)) {
	resume, ok := c.Client.Park()
	if !ok {
		work(c.Out)
		return
	}
	out := resp.Writer{Proto: c.Out.Proto}
	go func() {
		work(&out)
		resume(out.Buf)
	}()
}

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
	// Block is Call.Block.
	Block(c *Call, w *Wait)
}

// Preparer is a Client that can have work done for a call outside the locks.
type Preparer interface {
	Prepare(c *Call, work func(args [][]byte) any) (made any, ready bool)
}

// Prepare is for a handler that has to make something of its arguments which takes
// long. If it is not ready the handler returns, having changed and answered nothing: it
// is called again, from its beginning, when work has been done by another goroutine,
// and gets what that has made. What cannot wait is made on the spot. The work looks at
// nothing but the arguments that it is given, which are those of the call.
func (c *Call) Prepare(work func(args [][]byte) any) (made any, ready bool) {
	if p, ok := c.Client.(Preparer); ok {
		return p.Prepare(c, work)
	}
	return work(c.Args), true
}

// KeyReader is a Client whose user may be kept from keys. One that is none may read all.
type KeyReader interface {
	// MayReadAll tells whether the user may run a command and read any key with it, also
	// those that its arguments do not name.
	MayReadAll(spec *Spec, argv [][]byte) bool
}

// Overflows tells whether a reply of so many bytes is more than the client may be sent:
// it is disconnected when the handler returns, whatever else the reply holds. A handler
// whose reply may be much larger than what it replies from asks now and then.
func (c *Call) Overflows(bytes int) bool {
	l, ok := c.Client.(interface{ Overflows(bytes int) bool })
	return ok && l.Overflows(bytes)
}

// Wait says what a blocked call waits for.
type Wait struct {
	// Keys are those that may bring it; the first in the list is asked first.
	Keys [][]byte
	// Type is what one of them must hold for the call to be run again.
	Type value.Type
	// Gone has it run again, too, when a key that held Type is removed or gets
	// another type (XREADGROUP).
	Gone bool
	// UntilMs is when the wait is over, Unix ms; 0: never.
	UntilMs int64
	// Args are run again in place of the call's own, if not nil (XREAD with $).
	Args [][]byte
	// Null writes the reply to a wait that ended in vain.
	Null func(out *resp.Writer)
}

// Block leaves the call unanswered until there is something for it. A handler that
// finds nothing to reply calls it last, having changed and written nothing. When one
// of the keys changes so that it may serve, the whole command is run again, in the
// order in which clients began to wait, before anybody else gets at what came; its
// handler may block again, which changes nothing about its turn and its time. What
// cannot wait (inside EXEC or a script) is answered with w.Null at once.
func (c *Call) Block(w *Wait) { c.Client.Block(c, w) }

// InScript tells that a script calls. Its Client then has a method of that name, which
// says so.
func (c *Call) InScript() bool {
	s, ok := c.Client.(interface{ InScript() bool })
	return ok && s.InScript()
}
