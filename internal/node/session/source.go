package session

// Source is where the output of a session comes from once nothing else waits to
// be sent: the home pulls as long as the socket takes more. The bytes stay where
// they are until then, so that a peer who reads slowly costs no memory here.
type Source interface {
	// Pull copies the next bytes to p. If it has none, whoever makes more calls
	// Session.Ring. Not ok: there will be no more, the connection is to be closed.
	// Only one goroutine at a time calls it.
	Pull(p []byte) (n int, ok bool)
	// Live tells that what Pull gives from now on is what the node has just done,
	// of which no client should hear before it is on its way. Only the home asks.
	Live() bool
	// Waiting is how many bytes there are to be pulled. Safe from any goroutine.
	Waiting() int64
}

// Pull is the Source's Pull, for those who send. A session that has been killed is given
// nothing any more, even if its home does not know yet: what others do behind the Kill is
// not for it. That is looked at last, since the Source may have got it meanwhile.
func (s *Session) Pull(p []byte) (n int, ok bool) {
	n, ok = s.Source.Pull(p)
	if s.Killed() {
		return 0, false
	}
	return n, ok
}

// Ring makes the home pull from the Source. Safe from any goroutine.
func (s *Session) Ring() {
	if s.Carried.Load() && s.Home.Carries() {
		return
	}
	s.door.mu.Lock()
	s.knock()
}
