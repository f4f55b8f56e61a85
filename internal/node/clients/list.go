package clients

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
)

// appendLine appends the line of CLIENT LIST that describes s, without its end.
//
// Some fields are about buffers that redis has and Skein has not: a client's
// replies go to a buffer of its loop and become its own only when the socket
// does not take them. Those are shown as obl, redis's fixed buffer, as long as
// they would fit there, and else as oll blocks and omem bytes; rbs and rbp are 0.
func appendLine(b []byte, s *session.Session, f *session.Facts, nowMs int64) []byte {
	obl := f.Out
	if obl > fixedOutput {
		obl = 0
	}
	events := "r"
	if f.Out > 0 {
		events = "rw"
	}
	last := "NULL"
	if f.Last != nil {
		last = f.Last.FullName()
	}
	user := f.User
	if user == "" {
		user = "default"
	}
	return fmt.Appendf(b, "id=%d addr=%s laddr=%s fd=%d name=%s age=%d idle=%d flags=%s db=%d sub=%d psub=%d ssub=%d multi=%d "+
		"qbuf=%d qbuf-free=%d argv-mem=%d multi-mem=%d rbs=0 rbp=0 obl=%d oll=%d omem=%d tot-mem=%d events=%s cmd=%s user=%s "+
		"redir=%d resp=%d lib-name=%s lib-ver=%s",
		s.ID(), s.Peer(), s.LocalAddr(), s.FD, f.Name, nowMs/1000-s.Created/1000, nowMs/1000-f.LastMs/1000, flagLetters(s, f),
		f.DB, f.Channels, f.Patterns, f.ShardChannels, f.Multi,
		f.In, f.InFree, f.ArgBytes+f.Parsed, f.QueuedBytes, obl, outputBlocks(f.Out), outputBytes(f.Out),
		memory(s, f), events, last, user, redirection(s), f.Proto, f.LibName, f.LibVer)
}

// flagLetters are a client's modes, in redis's letters and order.
func flagLetters(s *session.Session, f *session.Facts) string {
	var letters []byte
	add := func(on bool, letter byte) {
		if on {
			letters = append(letters, letter)
		}
	}
	is := func(flag session.Flags) bool { return f.Flags&flag != 0 }
	add(is(session.Monitor), 'O')
	add(is(session.Replica) && !is(session.Monitor), 'S')
	add(is(session.Master), 'M')
	add(subscribed(f), 'P')
	add(is(session.Multi), 'x')
	add(is(session.Blocked), 'b')
	add(is(session.Tracking), 't')
	if m := s.Track.Load(); m != nil {
		add(m.Broken(), 'R')
		add(m.Broadcast, 'B')
	}
	add(s.Watch.Dirty(), 'd')
	add(is(session.CloseAfterReply), 'c')
	add(is(session.Unix), 'U')
	add(is(session.Readonly), 'r')
	add(is(session.NoEvict), 'e')
	add(is(session.NoTouch), 'T')
	if len(letters) == 0 {
		return "N"
	}
	return string(letters)
}

// memory is about how many bytes a client takes.
func memory(s *session.Session, f *session.Facts) int {
	return f.ArgBytes + f.QueueBytes + f.WatchBytes + bufferBytes(s, &f.Buffers)
}

// bufferBytes is what a client takes without its commands: b are its buffers.
func bufferBytes(s *session.Session, b *session.Buffers) int {
	return int(unsafe.Sizeof(*s)) + b.Parsed + b.In + b.InFree + b.Out + s.Subs.Bytes() + s.Track.Load().Bytes()
}

// own is the line of the calling client itself, which is in the middle of a
// command and has not published its state yet. If it is Away the caller is a script of its,
// and all but what is published its loop's.
func own(b []byte, c *command.Call, s *session.Session) []byte {
	if !s.Away {
		s.Active = c.Now
		s.Publish()
	}
	f := s.Facts()
	for _, arg := range c.Args {
		f.ArgBytes += len(arg)
	}
	return appendLine(b, s, &f, c.Now)
}

// line is the line of any client, own if it is the caller's.
func line(b []byte, c *command.Call, caller, s *session.Session) []byte {
	if s == caller {
		return append(own(b, c, s), '\n')
	}
	f := s.Facts()
	return append(appendLine(b, s, &f, c.Now), '\n')
}

// info is CLIENT INFO.
func (r *Registry) info(c *command.Call, s *session.Session) {
	c.Out.Verbatim("txt", string(line(nil, c, s, s)))
}

// list is CLIENT LIST [TYPE class | ID id ...].
func (r *Registry) list(c *command.Call, caller *session.Session) {
	a := c.Parse(2)
	var text []byte
	switch {
	case a.Left() == 2 && a.Is("TYPE"):
		class := parseClass(&a)
		if a.Err() != nil {
			break
		}
		for _, s := range r.All() {
			if f := s.Facts(); classOf(f.Flags, subscribed(&f)) == class {
				text = line(text, c, caller, s)
			}
		}
	case a.Left() > 1 && a.Is("ID"):
		for a.More() {
			id := a.IntOr(minInt, maxInt, "ERR Invalid client ID")
			if s := r.Find(uint64(id)); s != nil {
				text = line(text, c, caller, s)
			}
		}
	case a.Left() == 0:
		for _, s := range r.All() {
			text = line(text, c, caller, s)
		}
	default:
		a.Syntax()
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	c.Out.Verbatim("txt", string(text))
}

// parseClass reads the name of a class of clients.
func parseClass(a *command.Args) Class {
	word := a.Next()
	for _, e := range classWords {
		if strings.EqualFold(string(word), e.word) {
			return e.class
		}
	}
	a.Fail(command.Error("ERR Unknown client type '" + string(word) + "'"))
	return 0
}
