package session

import (
	"bytes"
	"sync"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// Waiting is a command of a session that waits for keys (Call.Block). Its session is
// parked. Whoever holds its lock, and finds that the wait is not over, may use the
// session's Call, Tx, Wrote and Due, from any goroutine, to run it again; and may end the wait.
//
// The lock is taken after stripes, never before.
type Waiting struct {
	keyspace.Waiter
	Session *Session
	Spec    *command.Spec
	Args    [][]byte // copies
	Hold    keyspace.Hold
	UntilMs int64 // when the wait is over, Unix ms; 0: never
	Place   int   // among those with an UntilMs, as package exec counts it
	Nanos   int64 // spent on tries so far

	Noted bool // statistics know how it ended
	Close bool // the connection is to be closed behind its reply

	mu     sync.Mutex
	over   bool
	resume func(reply []byte)
}

// Block implements command.Client. The engine does the rest when the handler has
// returned. A master's stream must not stand still.
func (s *Session) Block(c *command.Call, w *command.Wait) {
	if s.InMulti() || s.Is(Master) {
		w.Null(c.Out)
		return
	}
	s.Asked = w
}

// Await parks s with a command that waits for keys.
func (s *Session) Await(spec *command.Spec, args [][]byte) *Waiting {
	w := &Waiting{Session: s, Spec: spec, Args: cloned(args)}
	w.Who = w
	w.resume, _ = s.Park()
	s.Set(Blocked)
	s.waiting.Store(w)
	return w
}

func cloned(args [][]byte) [][]byte {
	copies := make([][]byte, len(args))
	for i, a := range args {
		copies[i] = bytes.Clone(a)
	}
	return copies
}

// Waiting is the command of s that waits for keys, or has waited and is not answered
// yet; nil if there is none. Safe from any goroutine.
func (s *Session) Waiting() *Waiting { return s.waiting.Load() }

// Awaited says that the reply of the command that waited has come.
func (s *Session) Awaited() { s.waiting.Store(nil) }

// Claim locks w and tells whether it waits still; if not, w is not locked.
func (w *Waiting) Claim() bool {
	if w.mu.Lock(); w.over {
		w.mu.Unlock()
		return false
	}
	return true
}

// GoOn unlocks w, which waits on.
func (w *Waiting) GoOn() { w.mu.Unlock() }

// End ends the wait of w, which is locked, and unlocks it. The session's home gets
// the reply; nil: the session is gone.
func (w *Waiting) End(reply []byte) {
	w.over = true
	w.mu.Unlock()
	if reply != nil {
		w.resume(reply)
	}
}

// abandon ends the wait of a client that is about to be disconnected. If the command
// is being run just now the client gets what it brings, or would have.
func (w *Waiting) abandon() {
	if w.mu.TryLock() {
		w.over = true
		w.mu.Unlock()
	}
}
