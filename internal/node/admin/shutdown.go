package admin

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
)

// Shutdown says how a node is to end.
type Shutdown struct {
	NoSave bool // do not save, even if save points are configured
	Save   bool // save, even if none are
	Now    bool // do not wait for replicas
	Force  bool // end even if saving fails
}

// shutdown is SHUTDOWN [NOSAVE|SAVE] [NOW] [FORCE] [ABORT]. It is answered only
// if the node lives on.
func (a *Admin) shutdown(c *command.Call) {
	how, abort, err := parseShutdown(c)
	switch {
	case err != nil:
		c.Fail(err)
	case abort:
		a.abortShutdown(c)
	case a.opt.Shutdown == nil:
		c.Out.Error("ERR SHUTDOWN is not supported by this node")
	default:
		a.beginShutdown(c, how)
	}
}

func parseShutdown(c *command.Call) (how Shutdown, abort bool, err error) {
	a := c.Parse(1)
	for a.More() {
		switch a.OneOf("NOSAVE", "SAVE", "NOW", "FORCE", "ABORT") {
		case 0:
			how.NoSave = true
		case 1:
			how.Save = true
		case 2:
			how.Now = true
		case 3:
			how.Force = true
		case 4:
			abort = true
		default:
			a.Syntax()
		}
	}
	if abort && how != (Shutdown{}) || how.Save && how.NoSave {
		a.Syntax()
	}
	return how, abort, a.Err()
}

func (a *Admin) abortShutdown(c *command.Call) {
	if a.opt.AbortShutdown == nil || !a.opt.AbortShutdown() {
		c.Out.Error("ERR No shutdown in progress.")
		return
	}
	c.Out.OK()
}

func (a *Admin) beginShutdown(c *command.Call, how Shutdown) {
	resume, ok := c.Client.Park()
	if !ok {
		c.Out.Error("ERR SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client")
		return
	}
	if s, ok := c.Client.(*session.Session); ok {
		s.Set(session.Blocked) // it may take as long as replicas lag behind
	}
	a.opt.Shutdown(how, func() {
		resume(resp.AppendError(nil, "ERR Errors trying to SHUTDOWN. Check logs."))
	})
}
