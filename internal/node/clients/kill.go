package clients

import (
	"math"
	"slices"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/node/session"
)

const (
	minInt = math.MinInt64
	maxInt = math.MaxInt64
)

// filter says which clients CLIENT KILL means.
type filter struct {
	addr, laddr *string
	class       Class
	byClass     bool
	id          int64 // 0: any
	user        *string
	skipMe      bool
}

// matches tells whether s, which has published f, is meant.
func (k *filter) matches(s *session.Session, f *session.Facts) bool {
	switch {
	case k.addr != nil && s.Peer() != *k.addr,
		k.laddr != nil && s.LocalAddr() != *k.laddr,
		k.byClass && classOf(f.Flags, subscribed(f)) != k.class,
		k.id != 0 && s.ID() != uint64(k.id),
		k.user != nil && f.User != *k.user:
		return false
	}
	return true
}

// kill is CLIENT KILL, by address or by filters.
func (r *Registry) kill(c *command.Call, caller *session.Session) {
	if len(c.Args) == 3 { // the old form, which may kill the caller
		addr := c.Arg(2)
		if r.killAll(c, caller, &filter{addr: &addr}) == 0 {
			c.Out.Error("ERR No such client")
		} else {
			c.Out.OK()
		}
		return
	}
	k, err := r.parseFilter(c)
	if err != nil {
		c.Fail(err)
		return
	}
	c.Out.Int(r.killAll(c, caller, k))
}

func (r *Registry) parseFilter(c *command.Call) (*filter, error) {
	k := &filter{skipMe: true}
	a := c.Parse(2)
	for a.More() {
		switch {
		case a.IsWith("ID", 1):
			k.id = a.IntOr(1, maxInt, "ERR client-id should be greater than 0")
		case a.IsWith("TYPE", 1):
			k.class, k.byClass = parseClass(&a), true
		case a.IsWith("ADDR", 1):
			k.addr = text(&a)
		case a.IsWith("LADDR", 1):
			k.laddr = text(&a)
		case a.IsWith("USER", 1):
			if name := a.Next(); r.opt.Accounts.User(name) == nil {
				a.Fail(command.Error("ERR No such user '" + string(name) + "'"))
			} else {
				user := string(name)
				k.user = &user
			}
		case a.IsWith("SKIPME", 1):
			switch a.OneOf("YES", "NO") {
			case 0:
				k.skipMe = true
			case 1:
				k.skipMe = false
			default:
				a.Syntax()
			}
		default:
			a.Syntax()
		}
	}
	return k, a.Err()
}

func text(a *command.Args) *string {
	s := string(a.Next())
	return &s
}

// killAll closes the clients that k means and counts them. The caller, if it is
// one of them, goes when it has read the reply.
func (r *Registry) killAll(c *command.Call, caller *session.Session, k *filter) (killed int64) {
	caller.Active = c.Now
	caller.Publish()
	for _, s := range r.All() {
		f := s.Facts()
		if f.User == "" {
			f.User = r.opt.Accounts.Default().Name
		}
		if s == caller && k.skipMe || !k.matches(s, &f) {
			continue
		}
		killed++
		r.end(s, caller)
	}
	return killed
}

// KillUsers closes, by the caller of c, all clients of users that are no more.
func (r *Registry) KillUsers(c *command.Call, gone []*acl.User) {
	r.killIf(c, func(_ *session.Session, f *session.Facts) bool { return slices.Contains(gone, f.Account) })
}

// KillSubscribers closes, by the caller of c, those clients of a user who have subscribed
// to something that may refuses.
func (r *Registry) KillSubscribers(c *command.Call, u *acl.User, may func(name []byte, pattern bool) bool) {
	refused := func(names []string, pattern bool) bool {
		return slices.ContainsFunc(names, func(name string) bool { return !may([]byte(name), pattern) })
	}
	r.killIf(c, func(s *session.Session, f *session.Facts) bool {
		return f.Account == u && s.Subs.Active() &&
			(refused(s.Subs.Patterns(), true) || refused(s.Subs.Channels(), false) || refused(s.Subs.ShardChannels(), false))
	})
}

// killIf closes the clients that meant tells of; the caller when it has read the reply.
func (r *Registry) killIf(c *command.Call, meant func(*session.Session, *session.Facts) bool) {
	caller, _ := c.Client.(*session.Session)
	if caller != nil {
		caller.Active = c.Now
		caller.Publish()
	}
	for _, s := range r.All() {
		if f := s.Facts(); meant(s, &f) {
			r.end(s, caller)
		}
	}
}

// end closes a client: at once, or if it is the caller, when it has read the reply.
func (r *Registry) end(s, caller *session.Session) {
	if s == caller {
		s.Set(session.CloseAfterReply)
	} else {
		r.Kill(s)
	}
}
