// Package clients knows all connections of a node, and has the commands by
// which clients speak about connections: HELLO, AUTH, CLIENT, MONITOR and the
// like.
//
//	accept ──> Registry.Open ──> session, counted and numbered
//	                └─ refused: too many clients, protected mode
//	loop   ──> OverLimit after each write     Tick ten times a second:
//	gone   ──> Registry.Closed                idle clients, client eviction
//
// A session belongs to its loop. What this package shows of others comes from
// their published facts, and what it does to them is a message to their loop.
// A client that is killed is gone from the registry at once, though its loop
// closes the socket a moment later.
package clients

import (
	"cmp"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/command/pubsub"
	"github.com/skeindb/skein/internal/command/tracking"
	"github.com/skeindb/skein/internal/node/session"
)

// Options are what the node gives a Registry.
type Options struct {
	Accounts  *acl.Accounts
	Hub       *pubsub.Hub
	Tracking  *tracking.Hub
	Log       *slog.Logger
	Databases int  // how many there are to SELECT
	Cluster   bool // cluster mode is on

	// ClusterConns counts the connections of the cluster bus, which share
	// maxclients with clients. Nil: there are none.
	ClusterConns func() int
	// Role is HELLO's word for the node's role, "master" or "replica".
	Role func() string
	// Pause makes commands wait until untilMs (Unix ms): all of them, or those
	// that may write. All stripes are held. Unpause ends it.
	Pause   func(all bool, untilMs int64)
	Unpause func()
	// Monitoring tells whether anybody listens: from then on Feed is to be
	// called for each command, or no more.
	Monitoring func(on bool)
	// Unblock ends the wait of a client's blocking command, by an error or as
	// if its time were over, and tells whether there was one. Nil: no command blocks.
	Unblock func(s *session.Session, byError bool) bool
	// Waits tells of those who wait for keys: at how many keys, at how many also for
	// their removal, and how many have a time limit. Nil: no command blocks.
	Waits func() (keys, gone, limited int)
}

// Registry is the clients of one node.
type Registry struct {
	opt    Options
	limits atomic.Pointer[Limits]

	mu     sync.Mutex
	lastID uint64
	all    map[uint64]*session.Session
	weight int64 // sum of their Weights

	evicting sync.Mutex

	monitorsMu sync.Mutex
	monitors   atomic.Pointer[[]*session.Session] // replaced, never changed

	peaks   peaks
	counter counter
}

// counter counts events since the start or the last CONFIG RESETSTAT.
type counter struct{ received, rejected, evicted atomic.Int64 }

// New returns a Registry without clients.
func New(o Options) *Registry {
	r := &Registry{opt: o, all: map[uint64]*session.Session{}}
	r.limits.Store(&Limits{MaxClients: 10000})
	r.monitors.Store(&[]*session.Session{})
	return r
}

// Refusals of new connections, in redis's words.
const (
	errMaxClients        = "ERR max number of clients reached"
	errMaxClientsCluster = "ERR max number of clients + cluster connections reached"
)

// Open makes the session of an accepted connection, or returns the error that
// the peer is to be told before the connection is closed. unixPath is the path
// of the socket it came by, if that is a unix socket.
func (r *Registry) Open(home session.Home, remote, local netip.AddrPort, unixPath string) (*session.Session, string) {
	limits := r.limits.Load()
	others := r.clusterConns() // not under r.mu, which comes after all locks of those who end sessions
	r.mu.Lock()
	if len(r.all)+others >= limits.MaxClients {
		r.mu.Unlock()
		r.counter.rejected.Add(1)
		if r.opt.Cluster {
			return nil, errMaxClientsCluster
		}
		return nil, errMaxClients
	}
	r.lastID++
	s := session.New(r.lastID, home)
	s.TooMuch = r.tooMuch
	s.Remote, s.Local, s.Path = remote, local, unixPath
	s.Created = time.Now().UnixMilli()
	if unixPath != "" {
		s.Set(session.Unix)
	}
	r.greet(s)
	s.Active = s.Created
	s.Publish()
	if !limits.admits(s, r.opt.Accounts.Open()) {
		r.mu.Unlock()
		r.counter.rejected.Add(1)
		return nil, errProtectedMode
	}
	r.all[s.ID()] = s
	r.mu.Unlock()
	r.counter.received.Add(1)
	return s, ""
}

// greet makes s the default user, if that needs no password.
func (r *Registry) greet(s *session.Session) {
	if r.opt.Accounts.Open() {
		login(s, r.opt.Accounts.Default())
	} else {
		login(s, nil)
	}
}

// login makes s the user u, or nobody.
func login(s *session.Session, u *acl.User) {
	s.Account = u
	s.Parser.Unauthenticated = u == nil
}

// Closed forgets a session whose connection is gone. Its loop calls it.
func (r *Registry) Closed(s *session.Session) {
	r.forget(s)
	r.endMonitor(s)
	r.endTracking(s)
	r.opt.Hub.Forget(s)
}

// forget takes s out of the registry and tells whether it was there.
func (r *Registry) forget(s *session.Session) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.all[s.ID()] == s
	delete(r.all, s.ID())
	r.weight -= s.Weight.Swap(0)
	return was
}

// Find returns the session with the id given, or nil.
func (r *Registry) Find(id uint64) *session.Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[id]
}

// All returns all sessions by ascending id.
func (r *Registry) All() []*session.Session {
	r.mu.Lock()
	list := make([]*session.Session, 0, len(r.all))
	for _, s := range r.all {
		list = append(list, s)
	}
	r.mu.Unlock()
	slices.SortFunc(list, func(a, b *session.Session) int { return cmp.Compare(a.ID(), b.ID()) })
	return list
}

// Len is the number of clients.
func (r *Registry) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

// Kill closes a client's connection. To others it is gone when Kill returns.
func (r *Registry) Kill(s *session.Session) {
	r.forget(s)
	s.Kill()
}

// Full tells, before a session can be opened, whether it would be refused for want of
// room, when so many others are to be opened before it. It is counted as refused then.
func (r *Registry) Full(coming int) bool {
	full := r.Len()+coming+r.clusterConns() >= r.limits.Load().MaxClients
	if full {
		r.counter.rejected.Add(1)
	}
	return full
}

func (r *Registry) clusterConns() int {
	if r.opt.ClusterConns == nil {
		return 0
	}
	return r.opt.ClusterConns()
}
