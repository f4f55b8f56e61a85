package testkit

import (
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
)

// Conn is a client connection without any cleverness. Not for use by several goroutines at once.
type Conn struct {
	conn net.Conn
	in   *resp.Reader
}

// Dial connects to a server.
func Dial(addr string) (*Conn, error) {
	c, err := net.DialTimeout("tcp", addr, Patience)
	if err != nil {
		return nil, err
	}
	return &Conn{c, resp.NewReader(c)}, nil
}

// Close closes the connection.
func (c *Conn) Close() { c.conn.Close() }

// Do runs a command. An error reply is a value, not an error.
func (c *Conn) Do(args ...string) (resp.Value, error) {
	if err := c.Send(args...); err != nil {
		return resp.Value{}, err
	}
	return c.Receive()
}

// Send sends a command.
func (c *Conn) Send(args ...string) error {
	c.conn.SetDeadline(time.Now().Add(Patience))
	_, err := c.conn.Write(resp.AppendCommand(nil, args...))
	return err
}

// Receive waits for a reply.
func (c *Conn) Receive() (resp.Value, error) {
	c.conn.SetDeadline(time.Now().Add(Patience))
	return c.in.Read()
}

// Show makes one line of a reply: "+OK", "-ERR …", ":1", "text", "(nil)", "[a b]".
func Show(v resp.Value) string {
	switch v.Kind {
	case resp.SimpleString:
		return "+" + v.Text()
	case resp.Error, resp.BlobError:
		return "-" + v.Text()
	case resp.Integer:
		return fmt.Sprint(":", v.Int)
	case resp.Null:
		return "(nil)"
	case resp.Array, resp.Set, resp.Push, resp.Map:
		var elems []string
		for _, e := range v.Elems {
			elems = append(elems, Show(e))
		}
		return "[" + strings.Join(elems, " ") + "]"
	}
	return v.Text()
}

// Conn is the server's connection for the test's own commands.
func (s *Server) Conn() *Conn {
	s.tb.Helper()
	if s.conn == nil {
		c, err := Dial(s.Addr())
		if err != nil {
			s.tb.Fatal(err)
		}
		s.conn = c
	}
	return s.conn
}

// Do runs a command and returns its reply as Show writes it.
func (s *Server) Do(args ...string) string {
	s.tb.Helper()
	v, err := s.Conn().Do(args...)
	if err != nil {
		s.tb.Fatalf("port %d, %s: %v", s.Port, strings.Join(args, " "), err)
	}
	return Show(v)
}

// Want runs a command whose reply is known.
func (s *Server) Want(reply string, args ...string) {
	s.tb.Helper()
	if got := s.Do(args...); got != reply {
		s.tb.Fatalf("port %d, %s: %q instead of %q", s.Port, strings.Join(args, " "), got, reply)
	}
}

// Info is one field of INFO or CLUSTER INFO, "" if it is not there.
func Info(text, field string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if value, ok := strings.CutPrefix(strings.TrimSuffix(line, "\r"), field+":"); ok {
			return value
		}
	}
	return ""
}
