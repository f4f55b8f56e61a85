//go:build linux && !portable

package netloop

import (
	"slices"

	"github.com/skeindb/skein/internal/base/polite"
)

// A connection that is in use keeps its read buffer, as in redis: bufferBytes
// at first, more while its requests need it. After idleMs it is given back, and
// one that has grown shrinks to what was needed lately and is needed by the
// argument under way.
const (
	bufferBytes = 16 << 10
	bufferMost  = 64 << 10  // beyond this only a large argument makes it grow
	readMost    = 256 << 10 // at once, however much there is: others wait for their turn
	idleMs      = 2000
	roomyBytes  = 2 * bufferBytes
	moveBytes   = 256 << 10 // a buffer with more in it than this is moved by another goroutine
	trustBytes  = 1 << 20   // of an argument that is announced, room that is made before any of it has come
)

// room returns where the next bytes of c are to be read to; nil: nowhere as yet.
func (l *Loop) room(c *conn) []byte {
	l.expect(c)
	switch free := cap(c.in) - len(c.in); {
	case c.growing:
		return nil
	case cap(c.in) == 0:
		c.in = make([]byte, 0, bufferBytes)
	case free == 0:
		c.in = slices.Grow(c.in, bufferBytes)
	case c.filled && len(c.in) == 0 && cap(c.in) < bufferMost: // the last read left something in the socket
		c.in = make([]byte, 0, min(2*cap(c.in), bufferMost))
	}
	return c.in[len(c.in):min(cap(c.in), len(c.in)+readMost)]
}

// expect makes room at once for what is to come of a large argument.
func (l *Loop) expect(c *conn) {
	switch need := c.need(); {
	case c.growing || need <= cap(c.in)-len(c.in):
	case len(c.in) <= moveBytes:
		c.in = slices.Grow(c.in, max(need, bufferBytes))
	default:
		l.grow(c, need)
	}
}

// grow has another goroutine make room for so many bytes more: to find memory for a few
// megabytes, and to move what is there, takes milliseconds, in which the loop serves
// others. The connection is neither read from nor fed meanwhile.
func (l *Loop) grow(c *conn, need int) {
	c.growing = true
	old := c.in
	go func() {
		var rester polite.Worker
		in := make([]byte, 0, len(old)+need)
		for len(in) < len(old) {
			in = append(in, old[len(in):min(len(in)+moveBytes, len(old))]...)
			rester.Rest()
		}
		l.Do(func() { l.grown(c, in) })
	}()
}

// grown goes on with c in its larger buffer.
func (l *Loop) grown(c *conn, in []byte) {
	if !l.live(c) {
		return
	}
	c.in, c.growing = in, false
	l.serveOne(c) // somebody may have woken the session, which has commands in front of the argument
	if l.live(c) {
		l.readLater(c)
	}
}

// need is how many bytes of the argument under way to make room for. Who only announces
// a large one gets a little; then as much again as has come, so that a client takes no
// more than about twice what it has sent.
func (c *conn) need() int {
	return min(c.s.Parser.Need(), max(trustBytes, len(c.in)))
}

// Trim gives back what idle connections keep. The node's clock calls it through Do.
func (l *Loop) Trim() {
	for _, c := range l.conns {
		if c != nil && c.acceptor == nil && cap(c.in) > 0 && !c.growing {
			l.trim(c)
		}
	}
}

func (l *Loop) trim(c *conn) {
	idle := l.turn.NowMs-c.s.Active > idleMs
	switch {
	case idle && len(c.in) == 0:
		c.in = nil
	case idle && cap(c.in) > len(c.in):
		c.in = slices.Clip(append([]byte(nil), c.in...))
	case cap(c.in) > roomyBytes && c.peak < cap(c.in)/2:
		c.in = append(make([]byte, 0, max(c.peak, len(c.in)+c.need(), bufferBytes)), c.in...)
	default:
		c.peak = len(c.in)
		return
	}
	c.peak = len(c.in)
	l.weigh(c)
	c.s.Pending.InFree = cap(c.in) - len(c.in)
	c.s.Publish()
}
