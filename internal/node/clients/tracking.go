package clients

import (
	"strings"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/tracking"
	"github.com/skeindb/skein/internal/node/session"
)

// tracks is what CLIENT TRACKING asks for.
type tracks struct {
	mode     tracking.Mode
	prefixes []string
}

// track is CLIENT TRACKING ON|OFF [option ...].
func (r *Registry) track(c *command.Call, s *session.Session) {
	want, err := r.parseTracks(c)
	if err != nil {
		c.Fail(err)
		return
	}
	switch strings.ToUpper(c.Arg(2)) {
	case "ON":
		m, err := r.opt.Tracking.Join(s, s.Track.Load(), want.mode, want.prefixes)
		if err != nil {
			c.Fail(err)
			return
		}
		s.Track.Store(m)
		s.Set(session.Tracking)
	case "OFF":
		r.endTracking(s)
	default:
		c.Out.Error(command.ErrSyntax)
		return
	}
	c.Out.OK()
}

func (r *Registry) parseTracks(c *command.Call) (want tracks, err error) {
	a := c.Parse(3)
	for a.More() {
		switch {
		case a.IsWith("REDIRECT", 1):
			r.parseRedirect(&a, &want.mode)
		case a.Is("BCAST"):
			want.mode.Broadcast = true
		case a.Is("OPTIN"):
			want.mode.OptIn = true
		case a.Is("OPTOUT"):
			want.mode.OptOut = true
		case a.Is("NOLOOP"):
			want.mode.NoLoop = true
		case a.IsWith("PREFIX", 1):
			want.prefixes = append(want.prefixes, string(a.Next()))
		default:
			a.Syntax()
		}
	}
	return want, a.Err()
}

// parseRedirect reads the id of a client that is there just now.
func (r *Registry) parseRedirect(a *command.Args, mode *tracking.Mode) {
	if mode.Redirect != 0 {
		a.Fail(command.Error("ERR A client can only redirect to a single other client"))
		return
	}
	id := a.Int()
	if a.Err() == nil && (id <= 0 || r.Find(uint64(id)) == nil) {
		a.Fail(command.Error("ERR The client ID you want redirect to does not exist"))
		return
	}
	mode.Redirect = uint64(id)
}

// endTracking makes s track no more, if it does.
func (r *Registry) endTracking(s *session.Session) {
	if s.Is(session.Tracking) {
		r.opt.Tracking.Leave(s.ID())
		s.Track.Store(nil)
		s.Clear(session.Tracking | session.Caching)
	}
}

// FindTold returns the client with the id given, for Tracking: one that has not said
// goodbye already.
func (r *Registry) FindTold(id uint64) tracking.Client {
	if s := r.Find(id); s != nil && s.Facts().Flags&session.CloseAfterReply == 0 {
		return s
	}
	return nil
}

// caching is CLIENT CACHING YES|NO; the engine takes it back after the next command.
func caching(c *command.Call, s *session.Session) {
	m := s.Track.Load()
	if m == nil {
		c.Out.Error("ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled")
		return
	}
	a := c.Parse(2)
	which := a.OneOf("YES", "NO")
	switch {
	case which < 0:
		c.Out.Error(command.ErrSyntax)
	case which == 0 && !m.OptIn:
		c.Out.Error("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
	case which == 1 && !m.OptOut:
		c.Out.Error("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
	default:
		s.Set(session.Caching)
		c.Out.OK()
	}
}

// redirection is the id of the client that is told instead of s, 0 if that is s itself,
// -1 if it does not track.
func redirection(s *session.Session) int64 {
	if m := s.Track.Load(); m != nil {
		return int64(m.Redirect)
	}
	return -1
}

// trackingInfo is CLIENT TRACKINGINFO.
func trackingInfo(c *command.Call, s *session.Session) {
	m, words := s.Track.Load(), []string{"off"}
	var prefixes []string
	if m != nil {
		words, prefixes = modeWords(m, s.Is(session.Caching)), m.Prefixes
	}
	w := c.Out
	w.Map(3)
	w.BulkString("flags")
	w.Set(len(words))
	for _, word := range words {
		w.BulkString(word)
	}
	w.BulkString("redirect")
	w.Int(redirection(s))
	w.BulkString("prefixes")
	w.Array(len(prefixes))
	for _, p := range prefixes {
		w.BulkString(p)
	}
}

func modeWords(m *tracking.Member, caching bool) []string {
	words := []string{"on"}
	add := func(on bool, word string) {
		if on {
			words = append(words, word)
		}
	}
	add(m.Broadcast, "bcast")
	add(m.OptIn, "optin")
	add(m.OptIn && caching, "caching-yes")
	add(m.OptOut, "optout")
	add(m.OptOut && caching, "caching-no")
	add(m.NoLoop, "noloop")
	add(m.Broken(), "broken_redirect")
	return words
}
