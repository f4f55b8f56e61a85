package session

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
)

// Facts is what others may see of a session: CLIENT LIST, INFO, CLIENT KILL's
// filters. The home publishes them before it sends a batch's replies.
type Facts struct {
	Name, LibName, LibVer string
	User                  string
	Account               *acl.User // nil before authentication
	Flags                 Flags
	DB                    int
	Proto                 int
	Channels              int
	Patterns              int
	ShardChannels         int
	Multi                 int // queued commands, -1 outside MULTI
	WatchBytes            int // memory of WATCH
	Last                  *command.Spec
	LastMs                int64 // Unix ms of the last input or output
	QueuedBytes           int   // length of the arguments of the queued commands
	QueueBytes            int   // memory of the queued commands
	ArgBytes              int   // memory of the arguments of a parked command
	Source                Source
	Buffers
}

// Facts returns what was published last. Safe from any goroutine.
func (s *Session) Facts() Facts {
	s.factsMu.Lock()
	defer s.factsMu.Unlock()
	f := s.facts
	if f.Source != nil {
		f.Out += int(f.Source.Waiting())
	}
	return f
}

// Publish makes the present state of s visible to others.
func (s *Session) Publish() {
	s.factsMu.Lock()
	f := &s.facts
	f.Last, f.LastMs = s.Last, s.Active
	f.Flags, f.DB, f.Proto = s.Flags, s.db, s.Out.Proto
	f.User, f.Account = s.User(), s.Account
	f.Channels, f.Patterns, f.ShardChannels = s.Subs.Counts()
	f.Multi = -1
	if s.Is(Multi) {
		f.Multi = len(s.Queue)
	}
	f.QueuedBytes, f.QueueBytes, f.WatchBytes, f.ArgBytes = s.queuedBytes, s.QueueBytes(), s.Watch.Bytes(), 0
	for _, arg := range s.Retry {
		f.ArgBytes += len(arg)
	}
	f.Buffers, f.Source = s.Pending, s.Source
	s.factsMu.Unlock()
}

// SetName sets the connection's name, "" for none.
func (s *Session) SetName(name string) { s.edit(func(f *Facts) { f.Name = name }) }

// SetLib sets the client library's name or version as it reports them.
func (s *Session) SetLib(name, version *string) {
	s.edit(func(f *Facts) {
		if name != nil {
			f.LibName = *name
		}
		if version != nil {
			f.LibVer = *version
		}
	})
}

func (s *Session) edit(change func(*Facts)) {
	s.factsMu.Lock()
	change(&s.facts)
	s.factsMu.Unlock()
}
