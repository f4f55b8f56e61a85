// Package tracking tells clients that keep copies of values which of them are stale:
// client side caching.
//
// Who tracks is told in one of two ways. By default the keyspace remembers which keys
// each client reads (keyspace.Track), in a table of limited size, and a client hears of
// a key that it has read, once, when it changes. In broadcast mode a client hears of every
// key that begins with one of its prefixes, and nothing is remembered about what it reads.
//
//	invalidate  [key ...]                        a push, to clients that speak RESP3
//	invalidate  null                             all keys: FLUSHALL
//	message  __redis__:invalidate  [key ...]     RESP2: to another connection, which the
//	                                             client has named, in pub/sub mode
//	tracking-redir-broken  id                    that connection is no more
//
// Keys have no database here: a key counts as changed when it changes in any.
//
// The keyspace calls Changed and Flushed under the stripes of what changed, so that no
// client can read a new value, be remembered as its reader, and miss the next change. A
// client's own changes are told behind the replies to the command that made them, and
// those of others behind the replies made so far.
package tracking

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/skeindb/skein/internal/command"
)

// Client is one that tracks, or that is told in place of one that does.
type Client interface {
	ID() uint64
	// Deliver copies b behind the client's replies. Safe from any goroutine.
	Deliver(b []byte) (waiting int)
	// Follow keeps a copy of b until the running command of the client has been
	// answered. Only who runs the command calls it.
	Follow(b []byte)
	// PushProto is the client's protocol version. Safe from any goroutine.
	PushProto() int
	// Subscribed tells whether the client is in pub/sub mode. Safe from any goroutine.
	Subscribed() bool
}

// Mode is how a client tracks.
type Mode struct {
	Broadcast     bool   // BCAST
	OptIn, OptOut bool   // CLIENT CACHING says what is read to be kept, or not to be
	NoLoop        bool   // the client does not hear of its own changes
	Redirect      uint64 // the client that is told instead; 0: the client itself
}

// Member is a client that tracks. But for Broken it does not change: who changes
// modes becomes another Member.
type Member struct {
	Mode
	Prefixes []string // that the client has named, ascending; "": all keys

	client Client
	broken atomic.Bool
}

// Broken tells that the client of Redirect was gone when it was to be told something.
func (m *Member) Broken() bool { return m.broken.Load() }

// prefixBytes is about what a prefix costs beside its name.
const prefixBytes = 64

// Bytes is about how much memory the prefixes take.
func (m *Member) Bytes() (n int) {
	if m == nil {
		return 0
	}
	for _, p := range m.Prefixes {
		n += len(p) + prefixBytes
	}
	return n
}

// Options are what a Hub is made with.
type Options struct {
	// Find returns a client that is connected, nil if there is none with that id.
	Find func(id uint64) Client
	// Broadcasting says whether any client is in broadcast mode: the keyspace then
	// tells of all changes.
	Broadcasting func(on bool)
}

// Hub is the clients of one node that track. It implements keyspace.Tracker.
type Hub struct {
	opt Options

	mu       sync.RWMutex // taken after stripes
	members  map[uint64]*Member
	prefixes []*prefix // ascending by name
}

// prefix is one that some clients want to hear of.
type prefix struct {
	name    string
	members map[uint64]*Member
}

// New returns a Hub that nobody is in.
func New(o Options) *Hub { return &Hub{opt: o, members: map[uint64]*Member{}} }

// What Join refuses, in redis's words.
const (
	errPrefix   command.Error = "ERR PREFIX option requires BCAST mode to be enabled"
	errBcast    command.Error = "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode."
	errBcastOpt command.Error = "ERR OPTIN and OPTOUT are not compatible with BCAST"
	errBothOpt  command.Error = "ERR You can't specify both OPTIN mode and OPTOUT mode"
	errOpt      command.Error = "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode."
)

// Join makes c track. Who tracks already, as was, changes modes, as far as that is
// allowed, and keeps its prefixes beside the new ones. The errors are what is to be
// answered; then nothing has changed.
func (h *Hub) Join(c Client, was *Member, mode Mode, prefixes []string) (*Member, error) {
	if err := allowed(was, &mode, prefixes); err != nil {
		return nil, err
	}
	m := &Member{Mode: mode, client: c}
	if mode.Broadcast {
		if len(prefixes) == 0 {
			prefixes = []string{""}
		}
		if was != nil {
			prefixes = append(prefixes, was.Prefixes...)
		}
		slices.Sort(prefixes)
		m.Prefixes = slices.Compact(prefixes)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.members[c.ID()] = m
	for _, name := range m.Prefixes {
		h.prefix(name).members[c.ID()] = m
	}
	h.opt.Broadcasting(len(h.prefixes) > 0)
	return m, nil
}

func allowed(was *Member, mode *Mode, prefixes []string) error {
	switch {
	case !mode.Broadcast && len(prefixes) > 0:
		return errPrefix
	case was != nil && was.Broadcast != mode.Broadcast:
		return errBcast
	case mode.Broadcast && (mode.OptIn || mode.OptOut):
		return errBcastOpt
	case mode.OptIn && mode.OptOut:
		return errBothOpt
	case was != nil && (mode.OptIn && was.OptOut || mode.OptOut && was.OptIn):
		return errOpt
	}
	for i, p := range prefixes {
		if was != nil {
			if other, ok := collision(p, was.Prefixes); ok {
				return command.Error("ERR Prefix '" + p + "' overlaps with an existing prefix '" + other + "'. Prefixes for a single client must not overlap.")
			}
		}
		if other, ok := collision(p, prefixes[i+1:]); ok {
			return command.Error("ERR Prefix '" + p + "' overlaps with another provided prefix '" + other + "'. Prefixes for a single client must not overlap.")
		}
	}
	return nil
}

// collision finds one of others such that a key may begin with both.
func collision(p string, others []string) (other string, ok bool) {
	for _, o := range others {
		if n := min(len(p), len(o)); p[:n] == o[:n] {
			return o, true
		}
	}
	return "", false
}

// prefix finds or makes the prefix called name; h.mu is held.
func (h *Hub) prefix(name string) *prefix {
	i, found := slices.BinarySearchFunc(h.prefixes, name, byName)
	if !found {
		h.prefixes = slices.Insert(h.prefixes, i, &prefix{name, map[uint64]*Member{}})
	}
	return h.prefixes[i]
}

func byName(p *prefix, name string) int { return cmp.Compare(p.name, name) }

// Leave ends the tracking of a client. What the keyspace remembers about it is
// forgotten when the keys change.
func (h *Hub) Leave(id uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.members[id]
	if m == nil {
		return
	}
	delete(h.members, id)
	if len(m.Prefixes) == 0 {
		return
	}
	h.prefixes = slices.DeleteFunc(h.prefixes, func(p *prefix) bool {
		delete(p.members, id)
		return len(p.members) == 0
	})
	h.opt.Broadcasting(len(h.prefixes) > 0)
}

// Prefixes is how many prefixes somebody wants to hear of.
func (h *Hub) Prefixes() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.prefixes)
}

// Members is how many clients track.
func (h *Hub) Members() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.members)
}

// everybody are the members in the order in which they connected; h.mu is held.
func (h *Hub) everybody() []uint64 { return slices.Sorted(maps.Keys(h.members)) }
