package clients

import (
	"math"
	"strings"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
)

// on makes a handler of one that needs the caller's session. Commands of this
// room are kept from scripts by their flags, so the refusal is hardly ever seen.
func on(f func(c *command.Call, s *session.Session)) func(*command.Call) {
	return func(c *command.Call) {
		s, ok := c.Client.(*session.Session)
		if !ok {
			c.Out.Error("ERR This command needs a connection")
			return
		}
		f(c, s)
	}
}

// printable tells whether b keeps the format of CLIENT LIST: no spaces, no
// control characters, nothing beyond ASCII.
func printable(b []byte) bool {
	for _, c := range b {
		if c < '!' || c > '~' {
			return false
		}
	}
	return true
}

const errName = "ERR Client names cannot contain spaces, newlines or special characters."

func setName(c *command.Call, s *session.Session) {
	if !printable(c.Args[2]) {
		c.Out.Error(errName)
		return
	}
	s.SetName(c.Arg(2))
	c.Out.OK()
}

func getName(c *command.Call, s *session.Session) {
	if name := s.Name(); name != "" {
		c.Out.BulkString(name)
		return
	}
	c.Out.Null()
}

// setInfo is CLIENT SETINFO LIB-NAME name and LIB-VER version.
func setInfo(c *command.Call, s *session.Session) {
	value := c.Arg(3)
	a := c.Parse(2)
	which := a.OneOf("LIB-NAME", "LIB-VER")
	switch {
	case which < 0:
		c.Out.Error("ERR Unrecognized option '" + c.Arg(2) + "'")
		return
	case !printable(c.Args[3]):
		c.Out.Error("ERR " + c.Arg(2) + " cannot contain spaces, newlines or special characters.")
		return
	case which == 0:
		s.SetLib(&value, nil)
	default:
		s.SetLib(nil, &value)
	}
	c.Out.OK()
}

// reply is CLIENT REPLY ON|OFF|SKIP; the engine keeps the silence.
func reply(c *command.Call, s *session.Session) {
	a := c.Parse(2)
	switch a.OneOf("ON", "OFF", "SKIP") {
	case 0:
		s.Clear(session.ReplyOff | session.ReplySkip | session.ReplySkipping)
		c.Out.OK()
	case 1:
		s.Set(session.ReplyOff)
	case 2:
		if !s.Is(session.ReplyOff) {
			s.Set(session.ReplySkip)
		}
	default:
		c.Out.Error(command.ErrSyntax)
	}
}

// mode is a handler that turns a mode ON or OFF.
func mode(flag session.Flags) func(*command.Call) {
	return on(func(c *command.Call, s *session.Session) {
		a := c.Parse(2)
		switch a.OneOf("ON", "OFF") {
		case 0:
			s.Set(flag)
		case 1:
			s.Clear(flag)
		default:
			c.Out.Error(command.ErrSyntax)
			return
		}
		c.Out.OK()
	})
}

// pause is CLIENT PAUSE timeout [WRITE|ALL].
func (r *Registry) pause(c *command.Call) {
	all := true
	if len(c.Args) == 4 {
		switch strings.ToUpper(c.Arg(3)) {
		case "WRITE":
			all = false
		case "ALL":
		default:
			c.Out.Error("ERR CLIENT PAUSE mode must be WRITE or ALL")
			return
		}
	}
	if len(c.Args) > 4 {
		c.Fail(command.WrongArguments(c.Args))
		return
	}
	a := c.Parse(2)
	ms := a.IntOr(minInt, maxInt, "ERR timeout is not an integer or out of range")
	if a.Err() == nil && ms < 0 {
		a.Fail(command.Error("ERR timeout is negative"))
	}
	if a.Err() == nil && ms > math.MaxInt64-c.Now {
		a.Fail(command.Error("ERR timeout is out of range"))
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	if ms > 0 {
		r.opt.Pause(all, c.Now+ms)
	}
	c.Out.OK()
}

func (r *Registry) unpause(c *command.Call) {
	r.opt.Unpause()
	c.Out.OK()
}

// unblock is CLIENT UNBLOCK id [TIMEOUT|ERROR].
func (r *Registry) unblock(c *command.Call) {
	byError := false
	if len(c.Args) == 4 {
		switch strings.ToUpper(c.Arg(3)) {
		case "TIMEOUT":
		case "ERROR":
			byError = true
		default:
			c.Out.Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
			return
		}
	}
	if len(c.Args) > 4 {
		c.Fail(command.WrongArguments(c.Args))
		return
	}
	a := c.Parse(2)
	id := a.Int()
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	s := r.Find(uint64(id))
	if s == nil || r.opt.Unblock == nil || !r.opt.Unblock(s, byError) {
		c.Out.Int(0)
		return
	}
	c.Out.Int(1)
}
