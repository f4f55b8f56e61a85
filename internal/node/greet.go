package node

import (
	"fmt"
	"os"
	"runtime"

	"github.com/skeindb/skein/internal/node/config"
)

// greet writes the first lines of the log: who we are, and what of the
// configuration has no meaning here.
func (n *Node) greet() {
	v := n.cfg.Values()
	n.slog.Info("oO0OoO0OoO0Oo Skein is starting oO0OoO0OoO0Oo")
	n.slog.Info(fmt.Sprintf("Skein %s (Redis %s), bits=64, %s, pid=%d, just started", Version, config.RedisVersion, runtime.Version(), os.Getpid()))
	if n.cfg.File() == "" {
		n.slog.Warn("Warning: no config file specified, using the default config. In order to specify a config file use skein server /path/to/redis.conf")
	} else {
		n.slog.Info("Configuration loaded")
	}
	mode := "standalone"
	if config.ClusterEnabled.Get(v) {
		mode = "cluster"
	}
	n.slog.Info(fmt.Sprintf("Running mode=%s, port=%d. PID: %d", mode, clientPort(v, false), os.Getpid()))
	n.confess(v)
}

// ready tells on which kinds of sockets clients can connect now.
func (n *Node) ready() {
	told := ""
	for _, l := range n.listeners.all() {
		if l.kind != told {
			n.slog.Info("Ready to accept connections " + l.kind)
		}
		told = l.kind
	}
}
