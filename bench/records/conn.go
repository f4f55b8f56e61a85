package records

import (
	"fmt"
	"net"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
)

const dialLimit = time.Second

// Conn is a client's connection that waits for each reply. Not for use by several goroutines at once.
type Conn struct {
	conn  net.Conn
	in    *resp.Reader
	out   []byte
	limit time.Duration
}

// Dial connects to a node. The limit is how long a reply may take.
func Dial(addr string, limit time.Duration) (*Conn, error) {
	c, err := net.DialTimeout("tcp", addr, dialLimit)
	if err != nil {
		return nil, err
	}
	return &Conn{conn: c, in: resp.NewReader(c), limit: limit}, nil
}

// Close closes the connection.
func (c *Conn) Close() { c.conn.Close() }

// Do sends a command and waits for the reply. An error reply is a value, not an error.
func (c *Conn) Do(args ...string) (resp.Value, error) {
	c.out = resp.AppendCommand(c.out[:0], args...)
	return c.Exchange(c.out)
}

// Exchange is Do for a command that is encoded already.
func (c *Conn) Exchange(command []byte) (resp.Value, error) {
	if err := c.conn.SetDeadline(time.Now().Add(c.limit)); err != nil {
		return resp.Value{}, err
	}
	if _, err := c.conn.Write(command); err != nil {
		return resp.Value{}, err
	}
	return c.in.Read()
}

// Ask connects, does one command, and returns its reply, a text or a number. An error reply is an error.
func Ask(addr string, limit time.Duration, args ...string) (string, error) {
	c, err := Dial(addr, limit)
	if err != nil {
		return "", err
	}
	defer c.Close()
	v, err := c.Do(args...)
	switch {
	case err != nil:
		return "", err
	case v.IsError():
		return "", fmt.Errorf("%s: %s", addr, v.Text())
	case v.Kind == resp.Integer:
		return fmt.Sprint(v.Int), nil
	}
	return v.Text(), nil
}
