package admin

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// Setting is a directive's name and its value.
type Setting struct{ Name, Value string }

// Configurer is the node's configuration as CONFIG works on it. Its methods may
// be called from any goroutine; Get and Set are called from loops, inside EXEC
// with stripes held, and must not wait for a loop. An error's text is the reply behind "ERR "; one
// that wraps a command.Error is that reply, with its own code.
type Configurer interface {
	// Get lists the settings that the patterns select.
	Get(patterns []string) []Setting
	// Set changes all settings, or none. local tells that the client came over
	// the loopback interface or a unix socket.
	Set(pairs []Setting, local bool) error
	// Rewrite brings the configuration file up to date; with force it writes
	// directives that have their default, too.
	Rewrite(force bool) error
	// ResetStat sets the counters of all rooms to zero.
	ResetStat()
}

func (a *Admin) configGet(c *command.Call) {
	var patterns []string
	for _, arg := range c.Args[2:] {
		patterns = append(patterns, string(arg))
	}
	found := a.opt.Config.Get(patterns)
	c.Out.Map(len(found))
	for _, s := range found {
		c.Out.BulkString(s.Name)
		c.Out.BulkString(s.Value)
	}
}

func (a *Admin) configSet(c *command.Call) {
	if len(c.Args)%2 != 0 {
		c.Out.Error(command.ErrSyntax)
		return
	}
	var pairs []Setting
	for pair := range slices.Chunk(c.Args[2:], 2) {
		pairs = append(pairs, Setting{string(pair[0]), string(pair[1])})
	}
	done(c.Out, a.opt.Config.Set(pairs, isLocal(c.Client.Addr())))
}

// secrets are the directives whose values are nobody's business.
var secrets = []string{"requirepass", "masterauth", "masteruser"}

// hideSecrets keeps passwords out of MONITOR and SLOWLOG.
func hideSecrets(argv [][]byte, hide func(i int)) {
	for i := 2; i+1 < len(argv); i += 2 {
		if slices.ContainsFunc(secrets, func(name string) bool { return is(argv[i], name) }) {
			hide(i + 1)
		}
	}
}

// isLocal tells whether a client at that address is on this machine. Unix
// sockets have no address.
func isLocal(at netip.AddrPort) bool {
	return !at.IsValid() || at.Addr().Unmap().IsLoopback()
}

// configRewrite waits for the disk, beside the loop.
func (a *Admin) configRewrite(c *command.Call) {
	c.Aside(func(out *resp.Writer) { done(out, a.opt.Config.Rewrite(false)) })
}

func (a *Admin) configResetStat(c *command.Call) {
	a.opt.Config.ResetStat()
	c.Out.OK()
}

// done answers OK or what went wrong.
func done(out *resp.Writer, err error) {
	var reply command.Error
	switch {
	case err == nil:
		out.OK()
	case errors.As(err, &reply):
		out.Error(string(reply))
	default:
		out.Error("ERR " + err.Error())
	}
}
