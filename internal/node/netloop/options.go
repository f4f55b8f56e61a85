package netloop

import (
	"log/slog"
	"net/netip"

	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/session"
)

// Options are what the node gives its loops.
type Options struct {
	Engine *exec.Engine
	// Open makes the session of an accepted connection, or refuses it with the
	// text of an error that the peer is still to be told.
	Open func(home session.Home, remote, local netip.AddrPort, unixPath string) (*session.Session, string)
	// Closed is called when a session's connection is gone.
	Closed func(s *session.Session)
	// OverLimit says why so many bytes of waiting output are too many for a
	// session, or "". It is asked before output is written.
	OverLimit func(s *session.Session, waiting int, nowMs int64) string
	// Received and Sent count bytes. ReplSent counts those for replicas instead of Sent.
	Received, Sent, ReplSent func(n int)
	// MaxQuery is the limit of a query buffer in bytes (client-query-buffer-limit).
	MaxQuery func() int
	// MaxBulk is the longest argument in bytes (proto-max-bulk-len), 0 for redis's default.
	MaxBulk func() int64
	// Acked is the highest offset of the log that as many replicas have acknowledged
	// as a write waits for; Await calls done when that reaches offset, from any
	// goroutine, unless the cancel that it returns is called before. Both are used
	// only for replies that the engine says must wait.
	Acked func() int64
	Await func(offset int64, done func()) (cancel func())
	// LogEnd is the offset at which the log ends that the Sources of replicas are fed from.
	LogEnd func() int64
	// KeepAlive is tcp-keepalive in seconds, 0 for none.
	KeepAlive func() int
	// Dedicated says that the process runs as many threads of Go code as it has
	// loops, and at least one for the rest (GOMAXPROCS).
	Dedicated bool
	Log       *slog.Logger

	lane lane // of all loops that are given these Options
}
