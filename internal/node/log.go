package node

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/session"
)

// LevelVerbose lies between slog's Debug and Info: redis's second level.
const LevelVerbose = slog.LevelDebug + 2

// Log writes lines in redis's format, one write each:
//
//	4711:M 22 Nov 2026 02:07:38.123 * Ready to accept connections tcp
//	pid  role                       level: . debug, - verbose, * notice, # warning
type Log struct {
	pid   int
	role  *atomic.Uint32 // 'M', 'S', or 'C' while nothing is known
	level *atomic.Int64
	attrs []slog.Attr

	mu     *sync.Mutex
	out    io.Writer
	closer io.Closer
}

// OpenLog opens the log that the configuration names.
func OpenLog(v *config.Values) (*Log, error) {
	if name := config.LogFile.Get(v); name != "" {
		path := v.Path(config.LogFile)
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, fmt.Errorf("Can't open the log file: %w", cause(err))
		}
		return NewLog(f, f), nil
	}
	return NewLog(os.Stdout, nil), nil
}

// NewLog returns a Log that writes to out; closer, if not nil, is closed with it.
func NewLog(out io.Writer, closer io.Closer) *Log {
	l := &Log{pid: os.Getpid(), role: new(atomic.Uint32), level: new(atomic.Int64), mu: new(sync.Mutex), out: out, closer: closer}
	l.role.Store('M')
	return l
}

// SetLevel makes the log drop what is below the level named as `loglevel` does.
func (l *Log) SetLevel(name string) {
	level := map[string]slog.Level{"debug": slog.LevelDebug, "verbose": LevelVerbose, "notice": slog.LevelInfo, "warning": slog.LevelWarn, "nothing": slog.LevelError + 100}[name]
	l.level.Store(int64(level))
}

// SetRole sets the role letter.
func (l *Log) SetRole(letter byte) { l.role.Store(uint32(letter)) }

// Enabled implements slog.Handler.
func (l *Log) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.Level(l.level.Load())
}

// Handle implements slog.Handler.
func (l *Log) Handle(_ context.Context, r slog.Record) error {
	line := fmt.Appendf(nil, "%d:%c %s %c %s", l.pid, l.role.Load(), r.Time.Format("02 Jan 2006 15:04:05.000"), letter(r.Level), r.Message)
	add := func(a slog.Attr) bool {
		line = fmt.Appendf(line, " %s=%v", a.Key, a.Value)
		return true
	}
	for _, a := range l.attrs {
		add(a)
	}
	r.Attrs(add)
	return l.Write(append(line, '\n'))
}

// Write appends text as it is.
func (l *Log) Write(text []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.out.Write(text)
	return err
}

func letter(level slog.Level) byte {
	switch {
	case level < LevelVerbose:
		return '.'
	case level < slog.LevelInfo:
		return '-'
	case level < slog.LevelWarn:
		return '*'
	}
	return '#'
}

// WithAttrs implements slog.Handler.
func (l *Log) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *l
	with.attrs = append(append([]slog.Attr(nil), l.attrs...), attrs...)
	return &with
}

// WithGroup implements slog.Handler; groups do not show.
func (l *Log) WithGroup(string) slog.Handler { return l }

// Close closes the file.
func (l *Log) Close() {
	if l.closer != nil {
		l.closer.Close()
	}
}

// sinkFor hands what the configuration has to say to the log.
func (n *Node) sink(level config.Level, text string) {
	at := slog.LevelInfo
	if level == config.Warning {
		at = slog.LevelWarn
	}
	n.slog.Log(context.Background(), at, text)
}

// attackEvery is how often the log tells of clients that speak HTTP.
const attackEvery = time.Minute

// attacked makes what is called when a client speaks HTTP.
func (n *Node) attacked() func(*session.Session) {
	var next atomic.Int64
	return func(s *session.Session) {
		now := time.Now()
		due := next.Load()
		if now.UnixNano() < due || !next.CompareAndSwap(due, now.Add(attackEvery).UnixNano()) {
			return
		}
		n.slog.Warn("Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. " +
			"This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis instance. " +
			"Connection from " + s.Peer() + " aborted.")
	}
}
