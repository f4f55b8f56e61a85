package exec

import (
	"runtime"

	"github.com/skeindb/skein/internal/node/session"
)

// A command may send another goroutine for what takes long, and be run again when it
// is there (command.Call.Prepare): RESTORE has a large value made in this way, while
// its session waits, its stripe is free and its loop serves others.

// errands bounds how many are under way: they are to leave processors to the loops.
type errands chan struct{}

func newErrands() errands { return make(errands, max(1, runtime.NumCPU()/2)) }

// send sends somebody for what the handler that has just run wants to have prepared,
// and keeps the command until then. Not ok: it wants nothing. The command must not
// have changed or answered anything.
func (e *Engine) send(s *session.Session, args [][]byte) (ok bool) {
	r := s.Errand
	switch {
	case r == nil:
		return false
	case r.Done(): // and not asked for any more
		s.Errand = nil
		return false
	}
	keep(s, args)
	if r.Begin() {
		args := s.Retry
		go func() {
			e.errands <- struct{}{}
			defer func() { <-e.errands }()
			r.Run(s, args)
		}()
	}
	return true
}

// keep is wait for arguments that may be large: if the loop gives away what it has
// read, they stay where they are.
func keep(s *session.Session, args [][]byte) {
	if !s.Gives {
		Wait(s, args)
		return
	}
	s.Taken = true
	s.Retry = append([][]byte(nil), args...)
	s.Set(session.Blocked)
}
