package repl

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
)

// errSilent: nothing has come from the master within repl-timeout.
var errSilent = errors.New("repl: the master is silent")

// errLongLine: the master sent a line that is no reply.
var errLongLine = errors.New("repl: the master's line is too long")

// stepMost is how long a read waits before it looks at other things: whether it is
// time for an acknowledgement, or for giving up.
const stepMost = time.Second

// lineMost is the longest line of a handshake, in bytes.
const lineMost = 1024

// wire is the connection to the master, as the follower's goroutine uses it.
type wire struct {
	net.Conn
	f  *follower
	in *bufio.Reader // over patient reads: handshake and RDB
}

func newWire(f *follower, c net.Conn) *wire {
	w := &wire{Conn: c, f: f}
	w.in = bufio.NewReaderSize(patient{w}, 64<<10)
	return w
}

// step reads once what there is, waiting for at most the time given. That nothing came
// is no error, n is 0 then; errSilent says that nothing came for too long. Who has put
// something into bell and then sets a deadline in the past ends the wait.
func (w *wire) step(p []byte, most time.Duration, bell <-chan struct{}) (n int, err error) {
	limit := w.f.tuned().Timeout
	if limit > 0 {
		most = min(most, limit)
	}
	w.SetReadDeadline(time.Now().Add(most))
	switch {
	case w.f.ctx.Err() != nil:
		return 0, net.ErrClosed
	case len(bell) > 0:
		return 0, nil
	}
	n, err = w.Read(p)
	if n > 0 {
		w.f.lastMs.Store(now())
		if w.f.r.opt.Received != nil {
			w.f.r.opt.Received(n)
		}
		return n, nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
		if limit > 0 && now()-w.f.lastMs.Load() > limit.Milliseconds() {
			err = errSilent
		}
	}
	return n, err
}

// patient reads until something comes, the master is silent or the follower stopped.
type patient struct{ *wire }

// Read implements io.Reader.
func (p patient) Read(b []byte) (int, error) {
	for {
		if n, err := p.step(b, stepMost, nil); n > 0 || err != nil {
			return n, err
		}
	}
}

// line reads a line, without its end.
func (w *wire) line() (string, error) {
	var line []byte
	for {
		b, err := w.in.ReadByte()
		switch {
		case err != nil:
			return "", err
		case b == '\n':
			return strings.TrimRight(string(line), "\r"), nil
		case len(line) == lineMost:
			return "", errLongLine
		}
		line = append(line, b)
	}
}

// send writes a command.
func (w *wire) send(words ...string) error { return w.write(resp.AppendCommand(nil, words...)) }

func (w *wire) write(b []byte) error {
	limit := w.f.tuned().Timeout
	if limit <= 0 {
		limit = time.Minute
	}
	w.SetWriteDeadline(time.Now().Add(limit))
	_, err := w.Conn.Write(b)
	return err
}

// reason is why something failed, in the words of the system where it has some.
func reason(err error) string {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		text := errno.Error()
		return strings.ToUpper(text[:1]) + text[1:]
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "connection lost"
	case errors.Is(err, errSilent):
		return "Connection timed out"
	}
	return err.Error()
}
