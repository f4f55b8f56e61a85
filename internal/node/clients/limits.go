package clients

import (
	"fmt"

	"github.com/skeindb/skein/internal/node/session"
)

// Class is a group of clients with limits of its own.
type Class int

// The classes in the order of client-output-buffer-limit. The link to a master
// is limited like a normal client.
const (
	Normal Class = iota
	Replica
	PubSub
	Master
)

// OutputLimit says when a client that does not read is disconnected: at once
// over Hard bytes of waiting output, or after SoftSeconds over Soft bytes. Zero
// bytes is no limit.
type OutputLimit struct {
	Hard, Soft  uint64
	SoftSeconds int64
}

// Limits are the options that may change while the node runs.
type Limits struct {
	MaxClients    int
	IdleSeconds   int64 // timeout; 0: never
	ProtectedMode bool
	Output        [3]OutputLimit // by Class
	Memory        int64          // maxmemory-clients in bytes; 0: none
	Backlog       uint64         // repl-backlog-size: replicas may always lag that far
}

// errProtectedMode is what a remote client reads while nobody has set a password.
const errProtectedMode = "DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. " +
	"In this mode connections are only accepted from the loopback interface. " +
	"If you want to connect from external computers to Redis you may adopt one of the following solutions: " +
	"1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface " +
	"by connecting to Redis from the same host the server is running, however MAKE SURE Redis is not publicly accessible " +
	"from internet if you do so. Use CONFIG REWRITE to make this change permanent. " +
	"2) Alternatively you can just disable the protected mode by editing the Redis configuration file, " +
	"and setting the protected mode option to 'no', and then restarting the server. " +
	"3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. " +
	"4) Set up an authentication password for the default user. " +
	"NOTE: You only need to do one of the above things in order for the server to start accepting connections from the outside."

// admits tells whether protected mode lets a new session in; open: nobody needs
// a password.
func (l *Limits) admits(s *session.Session, open bool) bool {
	return !l.ProtectedMode || !open || s.Path != "" || s.Remote.Addr().Unmap().IsLoopback()
}

// classOf is the class of a client with these modes.
func classOf(flags session.Flags, subscribed bool) Class {
	switch {
	case flags&session.Master != 0:
		return Master
	case flags&session.Replica != 0:
		return Replica
	case subscribed:
		return PubSub
	}
	return Normal
}

// classFromWord reads the class names of CLIENT LIST and CLIENT KILL.
var classWords = [...]struct {
	word  string
	class Class
}{{"normal", Normal}, {"slave", Replica}, {"replica", Replica}, {"pubsub", PubSub}, {"master", Master}}

// Redis keeps a client's output in a fixed buffer, which counts neither as output
// memory nor against limits, or in blocks, which count as a whole. Some replies
// pass by the fixed buffer; we let all do so that do not fit in.
const (
	fixedOutput   = 16 << 10
	outputBlock   = 16 << 10
	blockOverhead = 40
)

// outputBlocks is how many blocks redis needs for out waiting bytes.
func outputBlocks(out int) int {
	if out <= fixedOutput {
		return 0
	}
	return (out + outputBlock - 1) / outputBlock
}

// outputBytes is what counts against limits of out waiting bytes.
func outputBytes(out int) int { return outputBlocks(out) * (outputBlock + blockOverhead) }

// OverLimit says why s must be closed before its loop writes to it: waiting
// bytes of output are too many. "" means it need not. Only its loop calls it.
func (r *Registry) OverLimit(s *session.Session, waiting int, nowMs int64) string {
	limits := r.limits.Load()
	if used := uint64(outputBytes(waiting)); used > 0 {
		if why := limits.over(s, used, nowMs/1000); why != "" {
			return why
		}
	} else {
		s.SoftSince = 0
	}
	if limits.Memory > 0 {
		r.weigh(s, waiting, limits.Memory)
	}
	return ""
}

// tooMuch tells whether OverLimit will have s closed at once for so many bytes.
func (r *Registry) tooMuch(s *session.Session, bytes int) bool {
	class := classOf(s.Flags, s.Subs.Active())
	if class != Normal && class != PubSub { // a link has no replies
		return false
	}
	hard := r.limits.Load().Output[class].Hard
	return hard > 0 && uint64(outputBytes(bytes)) >= hard
}

// over compares used bytes of output with the limits of the session's class.
func (l *Limits) over(s *session.Session, used uint64, now int64) string {
	class := classOf(s.Flags, s.Subs.Active())
	if class == Master {
		class = Normal
	}
	limit := l.Output[class]
	hard := limit.Hard
	if class == Replica {
		hard = max(hard, l.Backlog)
	}
	if limit.Hard > 0 && used >= hard {
		return fmt.Sprintf("%d bytes are waiting, the hard limit is %d", used, hard)
	}
	if limit.Soft == 0 || used < limit.Soft {
		s.SoftSince = 0
		return ""
	}
	if s.SoftSince == 0 {
		s.SoftSince = now
	}
	if since := now - s.SoftSince; since > limit.SoftSeconds {
		return fmt.Sprintf("%d bytes are waiting, the soft limit of %d is exceeded for %d seconds", used, limit.Soft, since)
	}
	return ""
}

// Tick closes clients that were silent for too long, or that take too much
// memory together, and has loops look at those that do not read. The node
// calls it ten times a second.
func (r *Registry) Tick(nowMs int64) {
	limits := r.limits.Load()
	second := r.peaks.newSecond(nowMs)
	if !second && limits.Memory == 0 {
		return
	}
	if second {
		for _, s := range r.All() {
			r.look(s, limits, nowMs)
		}
	}
	if limits.Memory > 0 {
		r.evict(limits.Memory)
	}
}

// look is what happens to a client once a second.
func (r *Registry) look(s *session.Session, limits *Limits, nowMs int64) {
	f := s.Facts()
	r.peaks.note(nowMs, f.Parsed+f.In+f.InFree, f.Out)
	if limits.idles(&f, nowMs) {
		r.opt.Log.Debug("Closing idle client", "id", s.ID())
		r.Kill(s)
		return
	}
	if outputBytes(f.Out) > 0 {
		s.Wake() // its loop asks OverLimit: the time of the soft limit may be over
	}
}

// idles tells whether the client is silent for too long.
func (l *Limits) idles(f *session.Facts, nowMs int64) bool {
	const exempt = session.Master | session.Replica | session.Monitor | session.Blocked
	return l.IdleSeconds > 0 && f.Flags&exempt == 0 && !subscribed(f) &&
		nowMs/1000-f.LastMs/1000 > l.IdleSeconds
}

func subscribed(f *session.Facts) bool { return f.Channels+f.Patterns+f.ShardChannels > 0 }
