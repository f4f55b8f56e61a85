package session

// Owed is a reply that waits for replicas: its write is in the log, and is answered
// when enough of them have it (repl-sync-replicas). Package exec notes it, the home
// holds it back.
type Owed struct {
	From, To int    // of the reply in Out.Buf
	Offset   int64  // of the log behind the write
	Reign    uint32 // of this node as a master in which it was made
}

// Owe notes that the reply that begins at from in Out.Buf, and ends it, waits as
// Due says. A client that gets no reply waits for none.
func (s *Session) Owe(from int) {
	if o := s.Due; from < len(s.Out.Buf) {
		o.From, o.To = from, len(s.Out.Buf)
		s.Owed = append(s.Owed, o)
	}
	s.Due = Owed{}
}
