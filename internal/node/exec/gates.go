package exec

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// Bits of Gates.Protected: which protected commands are refused to whom.
const (
	DebugForRemote uint32 = 1 << iota
	DebugForLocal
	ModuleForRemote
	ModuleForLocal
)

// Refusals, in redis's words.
const (
	errNoAuth      = "NOAUTH Authentication required."
	errInMulti     = "ERR Command not allowed inside a transaction"
	errOOM         = "OOM command not allowed when used memory > 'maxmemory'."
	errNoReplicas  = "NOREPLICAS Not enough good replicas to write."
	errReadOnly    = "READONLY You can't write against a read only replica."
	errMasterDown  = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
	errReplica     = "ERR Replica can't interact with the keyspace"
	errLoading     = "LOADING Redis is loading the dataset in memory"
	errNotLocalFmt = " command not allowed. If the enable-"
)

// refusedUnlocked is what can be told without the stripes: "" or the error.
func (e *Engine) refusedUnlocked(s *session.Session, spec *command.Spec, args [][]byte) string {
	if spec.Is(command.Protected) {
		if text := e.protected(s, spec); text != "" {
			return text
		}
	}
	u := e.user(s)
	if u == nil && !spec.Is(command.NoAuth) {
		return errNoAuth
	}
	if s.Is(session.Multi) && spec.Is(command.NoMulti) {
		return errInMulti
	}
	if u == nil || !u.Restricted() {
		return ""
	}
	if d := u.Check(spec, args); d.Reason != acl.Allowed {
		e.denied(s, u, d, context(s), spec, args)
		return "NOPERM " + d.Error(u, spec)
	}
	return ""
}

// context is where a command of s is refused.
func context(s *session.Session) acl.Context {
	if s.Is(session.Multi) {
		return acl.Multi
	}
	return acl.TopLevel
}

// user is who s is, nil if it has to authenticate first. Who came when that was needed
// becomes who comes now, when it is needed no more.
func (e *Engine) user(s *session.Session) *acl.User {
	if s.Account == nil && e.Nobody != nil {
		s.Account = e.Nobody()
		s.Parser.Unauthenticated = s.Account == nil
	}
	return s.Account
}

// denied tells of a refusal.
func (e *Engine) denied(s *session.Session, u *acl.User, d acl.Denial, in acl.Context, spec *command.Spec, args [][]byte) {
	if e.Denied == nil {
		return
	}
	c := s.Call // a copy: in EXEC it is in use
	c.Spec, c.Args, c.Now = spec, args, time.Now().UnixMilli()
	e.Denied(&c, u, d, in)
}

func (e *Engine) protected(s *session.Session, spec *command.Spec) string {
	name := "debug"
	if strings.HasPrefix(spec.FullName(), "module") {
		name = "module"
	}
	remote, local := DebugForRemote, DebugForLocal
	if name == "module" {
		remote, local = ModuleForRemote, ModuleForLocal
	}
	bits := e.Gates.Protected.Load()
	if isLocal(s) && bits&local == 0 || bits&remote == 0 {
		return ""
	}
	return "ERR " + strings.ToUpper(name) + errNotLocalFmt + name +
		"-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server."
}

func isLocal(s *session.Session) bool {
	return s.Is(session.Unix) || s.Remote.Addr().Unmap().IsLoopback()
}

// speaksHTTP tells whether a command's name is what a web browser sends that was
// made to talk to this port: a page can make it POST commands in the request's body.
func speaksHTTP(name []byte) bool {
	return bytes.EqualFold(name, []byte("post")) || bytes.EqualFold(name, []byte("host:"))
}

// abort closes the connection without another word.
func (e *Engine) abort(s *session.Session) {
	if e.Attacked != nil {
		e.Attacked(s)
	}
	s.Set(session.CloseAfterReply)
}

// makeRoom evicts keys when memory is over its limit and tells whether it
// still is. It runs before the command's stripes are taken.
func (e *Engine) makeRoom(t *Turn, s *session.Session) (oom bool) {
	limit := e.Gates.MaxMemory.Load()
	if limit == 0 || s.Is(session.Master) {
		return false
	}
	oom = !e.Keyspace.Evict(limit, e.Beside())
	if s.Is(session.Tracking) && s.Flags&(session.ReplyOff|session.ReplySkipping) == 0 {
		s.TakeMail() // of keys that were evicted
	}
	t.began = e.Nanos() // what was evicted is not the command's doing
	return oom
}

// claim adds to the session's Hold the stripes that the command works on.
func (e *Engine) claim(t *Turn, s *session.Session, spec *command.Spec, args [][]byte) {
	h := &s.Hold
	switch {
	case spec.OnlyKey() > 0:
		if i := spec.OnlyKey(); i != t.hinted {
			t.hint, t.hinted = &t.own, i
			e.Keyspace.Hint(t.hint, s.DB(), args[i])
		}
		h.AddSlot(t.hint.Slot)
	case spec.Everywhere(args), spec.Is(command.Scripted) && s.Is(session.Master):
		h.AddAll()
	case spec.HasKeys():
		pos, err := command.AppendKeys(t.pos[:0], spec, args)
		if err != nil {
			return // the handler answers what is wrong with its arguments
		}
		t.pos = pos
		e.prefetchKeys(t, s, pos, args)
	case spec == e.exec:
		e.claimQueued(t, s)
	case spec.Is(command.MayReplicate) && e.view() == nil:
		h.AddSlot(keyspace.SlotOfNoKey)
	}
}

// refusedLocked is what is tested under the stripes, in redis's order.
func (e *Engine) refusedLocked(t *Turn, s *session.Session, spec *command.Spec, args [][]byte, oom bool) string {
	g := e.Gates
	flags := spec.FlagsOf(args)
	writes := flags.Is(command.Write) || spec == e.exec && queuedAny(s, command.Write)
	if v := e.view(); v != nil && !s.Is(session.Master) {
		if text := e.route(t, s, spec, args, v); text != "" {
			if spec == e.exec {
				s.Discard()
			}
			return text
		}
	}
	switch {
	case oom && e.deniesOOM(s, spec, flags):
		return errOOM
	case g.MisConf.Load() != nil && (writes || spec.FullName() == "ping") && !s.Is(session.Master):
		return *g.MisConf.Load()
	case writes && (g.FewReplicas.Load() || g.Sync.Load() == SyncFew):
		return errNoReplicas
	case writes && g.ReadOnly.Load() && !s.Is(session.Master):
		return errReadOnly
	case s.Proto() == 2 && s.Subs.Active() && !allowedWhileSubscribed(spec):
		return "ERR Can't execute '" + strings.ReplaceAll(spec.FullName(), "|", " ") +
			"': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
	case g.MasterDown.Load() && e.lacks(s, spec, flags, command.Stale):
		return errMasterDown
	case g.Loading.Load() && e.lacks(s, spec, flags, command.Loading):
		return errLoading
	case g.AsyncLoading.Load() && (spec.Is(command.NoAsyncLoading) || spec == e.exec && queuedAny(s, command.NoAsyncLoading)):
		return errLoading
	case e.scripts.busy.Load() != 0 && !spec.Is(command.AllowBusy) && !s.Is(session.Master):
		return e.scripts.text()
	case s.Is(session.Replica) && spec.Any(command.Write|command.ReadOnly|command.MayReplicate):
		return errReplica
	}
	return ""
}

// lacks tells whether the command, or one that EXEC is about to run, is without a flag.
func (e *Engine) lacks(s *session.Session, spec *command.Spec, flags, f command.Flags) bool {
	if !flags.Is(f) {
		return true
	}
	return spec == e.exec && slices.ContainsFunc(s.Queue, func(q session.Queued) bool { return !q.Flags.Is(f) })
}

func (e *Engine) deniesOOM(s *session.Session, spec *command.Spec, flags command.Flags) bool {
	if s.Is(session.Multi) && spec != e.exec { // a queue takes memory, whatever is in it
		return !endsMulti(spec)
	}
	return flags.Is(command.DenyOOM) || spec == e.exec && queuedAny(s, command.DenyOOM)
}

func endsMulti(spec *command.Spec) bool {
	switch spec.FullName() {
	case "discard", "quit", "reset":
		return true
	}
	return false
}

func allowedWhileSubscribed(spec *command.Spec) bool {
	switch spec.FullName() {
	case "ping", "quit", "reset", "subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe":
		return true
	}
	return false
}

// access says how the session's reads leave their mark on keys.
func (e *Engine) access(s *session.Session) keyspace.Access {
	a := keyspace.Serves
	if s.Is(session.NoTouch) {
		a |= keyspace.NoTouch
	}
	if s.Is(session.Master) {
		a |= keyspace.SeeExpired | keyspace.Applied
	}
	return a
}
