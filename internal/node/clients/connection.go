package clients

import (
	"math"
	"strings"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/command/pubsub"
	"github.com/skeindb/skein/internal/node/session"
)

// version is the redis version that we present ourselves as.
const version = "7.2.4"

// ping is PING [message]. A RESP2 client in pub/sub mode gets an array, so that
// it can tell the answer from messages.
func ping(c *command.Call) {
	if len(c.Args) > 2 {
		c.Out.Error("ERR wrong number of arguments for 'ping' command")
		return
	}
	who, ok := c.Client.(pubsub.Subscriber)
	switch {
	case ok && c.Out.Proto == 2 && who.Subscriptions().Active():
		c.Out.Array(2)
		c.Out.BulkString("pong")
		if len(c.Args) == 2 {
			c.Out.Bulk(c.Args[1])
		} else {
			c.Out.BulkString("")
		}
	case len(c.Args) == 2:
		c.Out.Bulk(c.Args[1])
	default:
		c.Out.SimpleString("PONG")
	}
}

// selectDB is SELECT index.
func (r *Registry) selectDB(c *command.Call) {
	a := c.Parse(1)
	db := a.IntIn(math.MinInt32, math.MaxInt32)
	switch err := a.Err(); {
	case err != nil:
		c.Fail(err)
	case r.opt.Cluster && db != 0:
		c.Out.Error("ERR SELECT is not allowed in cluster mode")
	case db < 0 || db >= int64(r.opt.Databases):
		c.Out.Error("ERR DB index is out of range")
	default:
		c.Client.SelectDB(int(db))
		c.Out.OK()
	}
}

// auth is AUTH [username] password.
func (r *Registry) auth(c *command.Call, s *session.Session) {
	name, password := []byte(acl.DefaultName), c.Args[1]
	switch {
	case len(c.Args) > 3:
		c.Out.Error(command.ErrSyntax)
		return
	case len(c.Args) == 3:
		name, password = c.Args[1], c.Args[2]
	case r.opt.Accounts.Open():
		c.Fail(acl.ErrNoPassword)
		return
	}
	if err := r.authenticate(c, s, name, password); err != nil {
		c.Fail(err)
		return
	}
	c.Out.OK()
}

// authenticate makes s the user of that name, if the password is right.
func (r *Registry) authenticate(c *command.Call, s *session.Session, name, password []byte) error {
	u := r.opt.Accounts.Authenticate(name, password)
	if u == nil {
		r.opt.Accounts.LoginFailed(c, name)
		return acl.ErrWrongPass
	}
	login(s, u)
	return nil
}

// greeting is what HELLO asks for.
type greeting struct {
	proto          int64 // 0: as it is
	user, password []byte
	name           []byte
	named          bool
}

func parseGreeting(c *command.Call) (g greeting, err error) {
	a := c.Parse(1)
	if a.More() {
		g.proto = a.IntOr(minInt, maxInt, "ERR Protocol version is not an integer or out of range")
		if a.Err() == nil && (g.proto < 2 || g.proto > 3) {
			a.Fail(command.Error("NOPROTO unsupported protocol version"))
		}
	}
	for a.More() {
		switch {
		case a.IsWith("AUTH", 2):
			g.user, g.password = a.Next(), a.Next()
		case a.IsWith("SETNAME", 1):
			g.name, g.named = a.Next(), true
			if !printable(g.name) {
				a.Fail(command.Error(errName))
			}
		default:
			a.Fail(command.Error("ERR Syntax error in HELLO option '" + string(a.Peek()) + "'"))
		}
	}
	return g, a.Err()
}

const errHelloNoAuth = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> " +
	"option can be used to authenticate the client and select the RESP protocol version at the same time"

// hello is HELLO [protover [AUTH username password] [SETNAME clientname]].
func (r *Registry) hello(c *command.Call, s *session.Session) {
	g, err := parseGreeting(c)
	if err == nil && g.user != nil {
		err = r.authenticate(c, s, g.user, g.password)
	}
	if err == nil && s.Account == nil {
		err = command.Error(errHelloNoAuth)
	}
	if err != nil {
		c.Fail(err)
		return
	}
	if g.named {
		s.SetName(string(g.name))
	}
	if g.proto != 0 {
		s.SetProto(int(g.proto))
	}
	mode := "standalone"
	if r.opt.Cluster {
		mode = "cluster"
	}
	w := c.Out
	w.Map(7)
	w.BulkString("server")
	w.BulkString("redis")
	w.BulkString("version")
	w.BulkString(version)
	w.BulkString("proto")
	w.Int(int64(s.Proto()))
	w.BulkString("id")
	w.Int(int64(s.ID()))
	w.BulkString("mode")
	w.BulkString(mode)
	w.BulkString("role")
	w.BulkString(r.opt.Role())
	w.BulkString("modules")
	w.EmptyArray()
}

// hideAuth and hideHello hide passwords from MONITOR and SLOWLOG.
func hideAuth(argv [][]byte, hide func(i int)) {
	if len(argv) > 3 {
		return
	}
	for i := 1; i < len(argv); i++ {
		hide(i)
	}
}

func hideHello(argv [][]byte, hide func(i int)) {
	for i := 2; i < len(argv); i++ {
		switch {
		case strings.EqualFold(string(argv[i]), "AUTH") && i+2 < len(argv):
			hide(i + 1)
			hide(i + 2)
			i += 2
		case strings.EqualFold(string(argv[i]), "SETNAME"):
			i++
		}
	}
}

// reset is RESET: the connection becomes what it was when it was new, but for
// the library name and version.
func (r *Registry) reset(c *command.Call, s *session.Session) {
	if s.Flags&(session.Master|session.Replica) != 0 {
		c.Out.Error("ERR can only reset normal client connections")
		return
	}
	r.endMonitor(s)
	r.endTracking(s)
	r.opt.Hub.Forget(s)
	s.TakeMail()
	s.Discard()
	s.SelectDB(0)
	s.SetProto(2)
	r.greet(s)
	s.SetName("")
	s.Clear(session.Asking | session.Readonly | session.ReplyOff | session.ReplySkip | session.ReplySkipping |
		session.NoTouch | session.NoEvict)
	c.Out.SimpleString("RESET")
}

func quit(c *command.Call, s *session.Session) {
	c.Out.OK()
	s.Set(session.CloseAfterReply)
}

// clusterMode is a handler that changes a mode which only a cluster node has.
func (r *Registry) clusterMode(change func(*session.Session)) func(*command.Call) {
	return on(func(c *command.Call, s *session.Session) {
		if !r.opt.Cluster {
			c.Out.Error("ERR This instance has cluster support disabled")
			return
		}
		change(s)
		c.Out.OK()
	})
}
