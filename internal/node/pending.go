package node

import (
	"errors"

	"github.com/skeindb/skein/internal/node/config"
)

// errAppendOnly is why CONFIG SET cannot switch the append-only file on.
var errAppendOnly = errors.New("the append-only file is not supported yet")

// confess says in the log what the configuration asks for and Skein cannot do yet.
func (n *Node) confess(v *config.Values) {
	tell := func(asked bool, text string) {
		if asked {
			n.slog.Warn("Not supported yet: " + text)
		}
	}
	tell(config.AppendOnly.Get(v), "appendonly. Nothing is written to disk.")
	tell(config.SyslogEnabled.Get(v), "syslog. The log goes to logfile only.")
	tell(len(n.cfg.Modules()) > 0, "modules.")
}
