package observe

import (
	"fmt"
	"math"
	"sync"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
)

// Limits of what the slowlog keeps of a command line.
const (
	slowArgs     = 32  // arguments
	slowArgBytes = 128 // bytes of an argument
)

// slowEntry is one slow command.
type slowEntry struct {
	id         int64
	second     int64 // Unix time
	micros     int64
	args       [][]byte
	peer, name string
}

// slowlog is the slow commands, the latest last.
type slowlog struct {
	mu      sync.Mutex
	next    int64
	entries []slowEntry
}

// Slow remembers a command that took longer than SlowMicros; the caller has
// seen to that. It runs on the session's loop.
func (o *Observer) Slow(s *session.Session, spec *command.Spec, args [][]byte, nanos, nowMs int64) {
	e := slowEntry{
		second: nowMs / 1000, micros: nanos / 1000,
		args: abridge(spec.Shown(args)), peer: s.Peer(), name: s.Name(),
	}
	l := &o.slow
	l.mu.Lock()
	defer l.mu.Unlock()
	e.id = l.next
	l.next++
	l.entries = append(l.entries, e)
	if over := len(l.entries) - o.tuning.Load().SlowLen; over > 0 {
		clear(l.entries[:over])
		l.entries = l.entries[over:]
	}
}

// abridge copies a command line, as much of it as the slowlog keeps.
func abridge(args [][]byte) [][]byte {
	n := min(len(args), slowArgs)
	short := make([][]byte, n)
	for i, arg := range args[:n] {
		kept := arg[:min(len(arg), slowArgBytes)]
		short[i] = append(make([]byte, 0, len(kept)), kept...)
		if more := len(arg) - len(kept); more > 0 {
			short[i] = fmt.Appendf(short[i], "... (%d more bytes)", more)
		}
	}
	if more := len(args) - n; more > 0 {
		short[n-1] = fmt.Appendf(nil, "... (%d more arguments)", more+1)
	}
	return short
}

// slowlogGet is SLOWLOG GET [count], the latest first.
func (o *Observer) slowlogGet(c *command.Call) {
	if len(c.Args) > 3 {
		c.Fail(command.WrongArguments(c.Args))
		return
	}
	count := int64(10)
	a := c.Parse(2)
	if a.More() {
		count = a.IntOr(-1, math.MaxInt64, "ERR count should be greater than or equal to -1")
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	l := &o.slow
	l.mu.Lock()
	defer l.mu.Unlock()
	all := int64(len(l.entries))
	if count < 0 || count > all {
		count = all
	}
	c.Out.Array(int(count))
	for i := all - 1; i >= all-count; i-- {
		e := &l.entries[i]
		c.Out.Array(6)
		c.Out.Int(e.id)
		c.Out.Int(e.second)
		c.Out.Int(e.micros)
		c.Out.Array(len(e.args))
		for _, arg := range e.args {
			c.Out.Bulk(arg)
		}
		c.Out.BulkString(e.peer)
		c.Out.BulkString(e.name)
	}
}

func (o *Observer) slowlogLen(c *command.Call) {
	o.slow.mu.Lock()
	defer o.slow.mu.Unlock()
	c.Out.Int(int64(len(o.slow.entries)))
}

func (o *Observer) slowlogReset(c *command.Call) {
	o.slow.mu.Lock()
	defer o.slow.mu.Unlock()
	o.slow.entries = nil
	c.Out.OK()
}
