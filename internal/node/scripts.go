package node

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/skeindb/skein/internal/command/script"
	"github.com/skeindb/skein/internal/node/config"
)

func (n *Node) scriptOptions() script.Options {
	return script.Options{
		Host:    n.engine,
		Cluster: config.ClusterEnabled.Get(n.cfg.Values()),
		Version: config.RedisVersion,
		Log:     n.note,
		Random:  rand.Uint64,
	}
}

func (n *Node) tuneScripts(v *config.Values) {
	n.engine.TuneScripts(time.Duration(config.BusyReplyThreshold.Get(v)) * time.Millisecond)
}

// note writes a line into the log; level is redis's number, 0 is debug.
func (n *Node) note(level int, line string) {
	levels := [...]slog.Level{slog.LevelDebug, LevelVerbose, slog.LevelInfo, slog.LevelWarn}
	n.slog.Log(context.Background(), levels[min(max(level, 0), len(levels)-1)], line)
}
