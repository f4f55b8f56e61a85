package session

import (
	"sync"
	"sync/atomic"
)

// door is where other goroutines leave things for a session. Whatever comes,
// the home is notified once and takes all of it.
type door struct {
	mu       sync.Mutex
	notified bool
	mail     []byte // to be sent behind the replies made so far
	reply    []byte // the answer to the parked command
	replied  bool
	wake     bool // the reason to wait is gone: try Retry again
	killed   atomic.Bool
}

// Knock is what the home finds at the door.
type Knock struct {
	Reply   []byte // the parked command's answer, if Replied
	Replied bool
	Wake    bool
	Kill    bool
}

// Deliver puts b behind the output of s: a push message, a MONITOR line, the
// replication stream. It copies b and returns how many bytes now wait at the
// door. Safe from any goroutine.
func (s *Session) Deliver(b []byte) (waiting int) {
	d := &s.door
	d.mu.Lock()
	d.mail = append(d.mail, b...)
	waiting = len(d.mail)
	s.knock()
	return waiting
}

// TakeMail moves the mail left so far behind the replies made so far: what is
// replied next comes after it.
func (s *Session) TakeMail() {
	d := &s.door
	d.mu.Lock()
	s.Out.Buf = d.take(s.Out.Buf)
	d.mu.Unlock()
}

// Wake tells the home that the parked or paused command may be tried again.
func (s *Session) Wake() {
	s.door.mu.Lock()
	s.door.wake = true
	s.knock()
}

// Kill asks the home to close the connection. Safe from any goroutine.
func (s *Session) Kill() {
	if w := s.Waiting(); w != nil {
		w.abandon()
	}
	s.door.killed.Store(true)
	s.door.mu.Lock()
	s.knock()
}

// Killed tells that nothing is to be done for the session any more: whoever killed it
// may have been told so already.
func (s *Session) Killed() bool { return s.door.killed.Load() }

// Park implements command.Client. It is refused inside EXEC and scripts, where the
// whole is one step.
func (s *Session) Park() (resume func(reply []byte), ok bool) {
	if s.InMulti() {
		return nil, false
	}
	return s.park(), true
}

// Leave parks s, whose command, or a part of which, another goroutine goes on with: s is
// Away.
func (s *Session) Leave() (resume func(reply []byte)) {
	s.Away = true
	return s.park()
}

func (s *Session) park() (resume func(reply []byte)) {
	s.parked = true
	return func(reply []byte) {
		s.edit(func(f *Facts) { f.Flags &^= Blocked })
		s.door.mu.Lock()
		s.door.reply = append(s.door.reply, reply...)
		s.door.replied = true
		s.knock()
	}
}

// Parked tells that a command of the session is unanswered and its input waits.
func (s *Session) Parked() bool { return s.parked || len(s.Retry) > 0 }

// Unpark ends the wait that Park began.
func (s *Session) Unpark() { s.parked = false }

// Open takes everything that was left at the door; mail is appended to mailTo. While s is Away its mail stays there:
// what a script has published comes behind its reply (TakeMail).
func (s *Session) Open(mailTo []byte) ([]byte, Knock) {
	d := &s.door
	d.mu.Lock()
	defer d.mu.Unlock()
	k := Knock{d.reply, d.replied, d.wake, d.killed.Load()}
	if !s.Away {
		mailTo = d.take(mailTo)
	}
	d.reply, d.replied, d.wake, d.notified = nil, false, false, false
	return mailTo, k
}

// take moves the mail behind b.
func (d *door) take(b []byte) []byte {
	b = append(b, d.mail...)
	if d.mail = d.mail[:0]; cap(d.mail) > 16<<10 {
		d.mail = nil
	}
	return b
}

// knock notifies the home once for all that waits, and unlocks the door.
func (s *Session) knock() {
	first := !s.door.notified
	s.door.notified = true
	s.door.mu.Unlock()
	if first {
		s.Home.Notify(s)
	}
}
