package cli

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
)

// keepAlive finds out soon that the other side has gone while a long command runs.
const keepAlive = 15 * time.Second

// aliveWait is how long a look at an idle connection may take.
const aliveWait = time.Millisecond

// link is one connection to a server.
type link struct {
	conn net.Conn
	in   *resp.Reader
	out  []byte
}

// dial connects to a "tcp" or "unix" address; secure then does the handshake.
func dial(network, address string, secure func(net.Conn) (net.Conn, error)) (*link, error) {
	d := net.Dialer{KeepAlive: keepAlive}
	conn, err := d.Dial(network, address)
	if err == nil {
		conn, err = secure(conn)
	}
	if err != nil {
		return nil, err
	}
	return &link{conn: conn, in: resp.NewReader(conn)}, nil
}

func (l *link) send(args [][]byte) error {
	l.out = resp.AppendCommandBytes(l.out[:0], args...)
	_, err := l.conn.Write(l.out)
	return err
}

func (l *link) close() { l.conn.Close() }

// alive tells whether the server has not closed the connection while nobody
// looked, so that no command is lost in it. It waits for news, but not long.
func (l *link) alive() bool {
	if l.in.Buffered() > 0 {
		return true
	}
	l.conn.SetReadDeadline(time.Now().Add(aliveWait))
	_, err := l.in.Raw().Peek(1)
	l.conn.SetReadDeadline(time.Time{})
	var timeout net.Error
	return err == nil || errors.As(err, &timeout) && timeout.Timeout()
}

// reason is an error of a connection in the words that redis-cli's users know.
func reason(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "Server closed the connection"
	}
	var errno syscall.Errno
	var lookup *net.DNSError
	text := ""
	switch {
	case errors.As(err, &lookup):
		text = lookup.Err
	case errors.As(err, &errno):
		text = errno.Error()
	case errors.Is(err, resp.ErrReply):
		return "Protocol error: " + strings.TrimPrefix(err.Error(), "resp: ")
	default:
		return err.Error()
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
