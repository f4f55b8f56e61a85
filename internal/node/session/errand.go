package session

import (
	"sync/atomic"

	"github.com/skeindb/skein/internal/command"
)

// Errand is work that a command has sent another goroutine for, before it can do what
// it is to do: see command.Call.Prepare. Its session keeps the command for Retry.
type Errand struct {
	work  func(args [][]byte) any
	begun bool
	made  any
	done  atomic.Bool // made is there
}

// Prepare implements command.Preparer. A call that is part of something larger, as in
// EXEC or a script, does the work on the spot.
func (s *Session) Prepare(c *command.Call, work func(args [][]byte) any) (made any, ready bool) {
	r := s.Errand
	switch {
	case c != &s.Call || s.InMulti():
		return work(c.Args), true
	case r == nil:
		s.Errand = &Errand{work: work}
		return nil, false
	case !r.done.Load():
		return nil, false
	}
	s.Errand = nil
	return r.made, true
}

// Begin tells whether nobody was sent yet, and that somebody is sent now.
func (r *Errand) Begin() bool {
	was := r.begun
	r.begun = true
	return !was
}

// Done tells whether the work is done.
func (r *Errand) Done() bool { return r.done.Load() }

// Run does the work for the command of s, which waits with these arguments, and wakes it.
func (r *Errand) Run(s *Session, args [][]byte) {
	r.made = r.work(args)
	r.done.Store(true)
	s.Wake()
}
