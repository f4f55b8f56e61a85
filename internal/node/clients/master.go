package clients

import (
	"net/netip"
	"time"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
)

// OpenMaster makes the session of the link to our master, whose stream link applies.
// It may do everything, and no limit of connections refuses it. Closed ends it.
func (r *Registry) OpenMaster(home session.Home, link session.Link, remote, local netip.AddrPort) *session.Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lastID++
	s := session.New(r.lastID, home)
	s.Remote, s.Local, s.Link = remote, local, link
	s.Created = time.Now().UnixMilli()
	s.Active = s.Created
	s.Set(session.Master)
	login(s, r.opt.Accounts.Superuser())
	s.Publish()
	r.all[s.ID()] = s
	return s
}

// Describe is the line of CLIENT LIST about the caller of c, for the log.
func (r *Registry) Describe(c *command.Call) string {
	s, ok := c.Client.(*session.Session)
	if !ok {
		return ""
	}
	return string(own(nil, c, s))
}
