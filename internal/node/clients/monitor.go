package clients

import (
	"slices"
	"strconv"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
)

// monitor is MONITOR. A client that monitors already gets no answer, as in redis.
func (r *Registry) monitor(c *command.Call, s *session.Session) {
	switch {
	case s.InMulti():
		c.Out.Error("ERR MONITOR isn't allowed for DENY BLOCKING client")
		return
	case s.Flags&(session.Monitor|session.Replica) != 0:
		return
	}
	c.Out.OK()
	s.Set(session.Monitor)
	r.changeMonitors(func(list []*session.Session) []*session.Session { return append(list, s) })
}

// endMonitor takes s out of the monitors, if it is one.
func (r *Registry) endMonitor(s *session.Session) {
	if !s.Is(session.Monitor) {
		return
	}
	s.Clear(session.Monitor)
	r.changeMonitors(func(list []*session.Session) []*session.Session {
		return slices.DeleteFunc(list, func(m *session.Session) bool { return m == s })
	})
}

// changeMonitors replaces the list of monitors by what change makes of a copy.
func (r *Registry) changeMonitors(change func([]*session.Session) []*session.Session) {
	r.monitorsMu.Lock()
	defer r.monitorsMu.Unlock()
	list := change(slices.Clone(*r.monitors.Load()))
	r.monitors.Store(&list)
	if r.opt.Monitoring != nil {
		r.opt.Monitoring(len(list) > 0)
	}
}

// Feed shows a command to the monitors:
//
//	+1700000000.123456 [0 127.0.0.1:50000] "set" "key" "value"
//	+1700000000.123457 [0 lua] "get" "key"
//
// Secret arguments are hidden. The caller leaves out what is not to be shown
// (command.SkipMonitor, command.Admin).
func (r *Registry) Feed(s *session.Session, db int, spec *command.Spec, args [][]byte) {
	list := *r.monitors.Load()
	if len(list) == 0 {
		return
	}
	from := s.Peer()
	if s.InScript() {
		from = "lua"
	}
	line := monitorLine(make([]byte, 0, 256), time.Now(), db, from, spec, args)
	for _, m := range list {
		m.Deliver(line)
	}
}

func monitorLine(b []byte, at time.Time, db int, from string, spec *command.Spec, args [][]byte) []byte {
	b = append(b, byte(resp.SimpleString))
	b = strconv.AppendInt(b, at.Unix(), 10)
	micros := strconv.Itoa(1_000_000 + at.Nanosecond()/1000)
	b = append(append(b, '.'), micros[1:]...)
	b = append(b, " ["...)
	b = strconv.AppendInt(b, int64(db), 10)
	b = append(append(b, ' '), from...)
	b = append(b, ']')
	for _, arg := range spec.Shown(args) {
		b = resp.AppendRepr(append(b, ' '), arg)
	}
	return append(b, '\r', '\n')
}
