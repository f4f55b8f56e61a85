// Package session is the state of one client connection.
//
// A Session lives on one event loop, its home, and everything in it is used
// from there only, but for two doors that any goroutine may use: the mailbox
// (Deliver: bytes to be sent behind the replies made so far) and the published
// facts (Facts: what CLIENT LIST shows, copied out once per batch). Wake,
// Kill and Resume are messages to the home.
//
// The session knows nothing of sockets; package netloop feeds it and carries
// its output away. It knows nothing of commands; package exec runs them.
package session

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/command/pubsub"
	"github.com/skeindb/skein/internal/command/tracking"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// Flags are the modes of a session.
type Flags uint32

// The modes; the letters are those of CLIENT LIST's flags field.
const (
	Multi           Flags = 1 << iota // x: between MULTI and EXEC
	DirtyExec                         // an error while queueing: EXEC will abort
	Monitor                           // O
	ReplyOff                          // CLIENT REPLY OFF
	ReplySkip                         // CLIENT REPLY SKIP: the next command's reply
	ReplySkipping                     // the command whose reply is skipped runs now
	CloseAfterReply                   // c
	Readonly                          // r
	Asking                            // one-shot; cleared after the next command
	NoEvict                           // e
	NoTouch                           // T
	Unix                              // U
	Blocked                           // b: parked, its command unanswered
	Tracking                          // t
	Caching                           // CLIENT CACHING was given for the next command or transaction
	Master                            // M: the link from our master
	Replica                           // S: a replica follows through this connection
	Unwatch                           // forget the watched keys once no stripe is held
	Script                            // no connection, but a script: the client of the commands that it calls
)

// Home is the event loop that a session lives on.
type Home interface {
	// Notify makes the loop look at the session soon: mail, wake-ups, kill.
	// Safe from any goroutine.
	Notify(s *Session)
	// Carries is asked when the Source of a session that is Carried has got something.
	// True: somebody who is at work will pull from it before he ends, so that the
	// loop need not be woken. Safe from any goroutine.
	Carries() bool
}

// Session is the state of one connection.
type Session struct {
	id      uint64
	Remote  netip.AddrPort
	Local   netip.AddrPort
	Path    string // of the unix socket, if it came by one
	Secure  bool   // it came by TLS
	FD      int
	Created int64 // Unix ms

	Home   Home
	Parser resp.Parser
	Out    resp.Writer // replies not yet handed to the loop
	Flags  Flags

	Call    command.Call
	Tx      keyspace.WriteTx
	Hold    keyspace.Hold
	Queue   []Queued
	Watch   keyspace.Watcher
	Account *acl.User // who the session is; nil before authentication
	Subs    pubsub.Subscriptions

	// Active is when the session last received or sent something, Unix ms.
	Active int64

	// Weight is how many bytes of s package clients counts against the memory
	// limit of all clients.
	Weight atomic.Int64

	// Last is the command that was called last, nil before the first.
	Last *command.Spec

	// Retry is the command to run again once the session is woken: it met an
	// owned stripe or a pause. Its arguments are copies.
	Retry [][]byte

	// Errand is what the running command has sent another goroutine for; nil: nothing.
	Errand *Errand
	// Gives says that whoever feeds the session can do without the bytes that the
	// arguments of a command lie in: Taken then says that they are not his any more.
	Gives, Taken bool

	// TooMuch tells whether so many bytes of output are too many for the session, so
	// that it will be disconnected. Nil: none are.
	TooMuch func(s *Session, bytes int) bool

	// Asked is what the handler that has just run wants to wait for, nil: nothing.
	Asked *command.Wait

	// Away says that another goroutine runs the command of s, a script: it uses Tx,
	// Wrote and Due until its reply comes.
	Away bool
	// Rest is what package exec knows of an EXEC of s that a script has made it leave.
	Rest any
	// Told says that the error in the reply being made is in the statistics already.
	Told bool

	// Caller is who called the script that s stands for.
	Caller *Session

	// Link is set for a session flagged Master.
	Link Link

	// Source, if set, is where output comes from when nothing else waits to be sent.
	Source Source
	// Carried says that other loops than the home pull from the Source, too.
	Carried atomic.Bool
	// Following is what package repl knows of the session as a replica.
	Following any

	// Track is how the session tracks what it reads, nil if it does not (Tracking).
	// Other goroutines may look.
	Track atomic.Pointer[tracking.Member]
	// After goes out behind the reply to the running command (Follow).
	After []byte

	// Wrote is where the log ended behind the last command of s that made it longer:
	// what WAIT waits for.
	Wrote int64

	// Due is what the reply being made waits for, Owed what those in Out.Buf do. Only
	// From and To of Due are not set yet; its Offset is 0 if it waits for nobody.
	Due  Owed
	Owed []Owed

	// Pending are bytes of input and output that the loop keeps for the session.
	Pending Buffers

	// SoftSince is the Unix second since when Pending.Out exceeds the soft
	// limit without a break, 0 if it does not; package clients keeps it.
	SoftSince int64

	queuedBytes, queuedArgs int // the length and the number of all arguments in Queue

	db     int
	parked bool // unanswered until door.reply comes

	waiting atomic.Pointer[Waiting] // the command that waits for keys, if one does

	pushProto atomic.Int32 // Out.Proto for other goroutines

	door door

	factsMu sync.Mutex
	facts   Facts
}

// Buffers are sizes of the buffers a loop keeps for a session, in bytes.
type Buffers struct {
	In, InFree int   // query buffer: not parsed yet, and free
	Parsed     int   // query buffer: the part of an incomplete command that is parsed
	Out        int   // replies waiting for the socket
	NetIn      int64 // bytes received, ever
	NetOut     int64 // bytes sent, ever
	Commands   int64 // commands run, ever
}

// New returns a session with the id given; ids are never used twice in a process.
func New(id uint64, home Home) *Session {
	s := &Session{id: id, Home: home}
	s.SetProto(2)
	s.Tx.By = id
	s.Call.Client = s
	s.Call.Out = &s.Out
	return s
}

// ID is the connection's number.
func (s *Session) ID() uint64 { return s.id }

// Overflows is command.Call.Overflows.
func (s *Session) Overflows(bytes int) bool { return s.TooMuch != nil && s.TooMuch(s, bytes) }

// Addr is the peer's address.
func (s *Session) Addr() netip.AddrPort { return s.Remote }

// Peer is the peer's address as redis shows it: "127.0.0.1:1234", or the path
// of a unix socket with ":0".
func (s *Session) Peer() string {
	if s.Caller != nil { // not its flags: other goroutines may ask
		return "?:0"
	}
	return s.shown(s.Remote)
}

// LocalAddr is the address that the peer connected to, in the form of Peer.
func (s *Session) LocalAddr() string { return s.shown(s.Local) }

func (s *Session) shown(at netip.AddrPort) string {
	if s.Path != "" {
		return s.Path + ":0"
	}
	return at.String()
}

// ByTLS tells whether the peer, or the caller of the script that s stands for, is
// connected by TLS and so is to be shown the ports for TLS.
func (s *Session) ByTLS() bool {
	if s.Caller != nil {
		return s.Caller.Secure
	}
	return s.Secure
}

// Proto is the protocol version, 2 or 3.
func (s *Session) Proto() int { return s.Out.Proto }

// SetProto makes proto, 2 or 3, the protocol of the replies to come.
func (s *Session) SetProto(proto int) {
	s.Out.Proto = proto
	s.pushProto.Store(int32(proto))
}

// PushProto is Proto for other goroutines. With Deliver, TakeMail and
// Subscriptions it makes the session a pubsub.Subscriber.
func (s *Session) PushProto() int { return int(s.pushProto.Load()) }

// Subscribed tells whether the session is in pub/sub mode. With ID, Deliver, Follow and
// PushProto it makes the session a tracking.Client.
func (s *Session) Subscribed() bool { return s.Subs.Active() }

// Follow puts b behind the reply to the command that is running. Only who runs it calls it.
func (s *Session) Follow(b []byte) { s.After = append(s.After, b...) }

// TakeAfter returns what Follow has been given.
func (s *Session) TakeAfter() []byte {
	b := s.After
	s.After = nil
	return b
}

// Subscriptions is what the session has subscribed to.
func (s *Session) Subscriptions() *pubsub.Subscriptions { return &s.Subs }

// DB is the selected database.
func (s *Session) DB() int { return s.db }

// SelectDB makes db the database of the commands to come.
func (s *Session) SelectDB(db int) { s.db, s.Call.DB = db, db }

// InMulti tells that EXEC is running the queued commands, or that a script calls.
func (s *Session) InMulti() bool { return s.Flags&(Multi|Script) != 0 }

// Transaction is what the commands of s work in: that of the caller, in a script.
func (s *Session) Transaction() *keyspace.WriteTx {
	if s.Caller != nil {
		return &s.Caller.Tx
	}
	return &s.Tx
}

// Patient implements keyspace.Patient: a master's stream waits for a script however
// long it takes, and so do the few commands that never get BUSY.
func (s *Session) Patient() bool {
	return s.Is(Master) || s.Last != nil && s.Last.Is(command.AllowBusy)
}

// InScript tells that s stands for a script.
func (s *Session) InScript() bool { return s.Is(Script) }

// Discard ends MULTI without running what was queued, and WATCH.
func (s *Session) Discard() {
	s.Dequeue()
	s.Clear(Multi | DirtyExec)
	s.Set(Unwatch)
}

// Is tells whether all of f are set.
func (s *Session) Is(f Flags) bool { return s.Flags&f == f }

// Set and Clear change modes.
func (s *Session) Set(f Flags) { s.Flags |= f }

// Clear removes the modes f.
func (s *Session) Clear(f Flags) { s.Flags &^= f }

// User is the name of the account, "" before authentication.
func (s *Session) User() string {
	if s.Account == nil {
		return ""
	}
	return s.Account.Name
}

// MayReadAll implements command.KeyReader.
func (s *Session) MayReadAll(spec *command.Spec, argv [][]byte) bool {
	return s.Account == nil || s.Account.MayReadAll(spec, argv)
}

// Name is the name given by CLIENT SETNAME.
func (s *Session) Name() string { return s.facts.Name }
