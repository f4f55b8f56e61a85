package ops

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
)

// conn is a client connection for an operator's few commands.
type conn struct {
	net.Conn
	in *resp.Reader
}

func dial(ctx context.Context, addr string) (*conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &conn{c, resp.NewReader(c)}, nil
}

func (c *conn) close() { c.Conn.Close() }

// do runs a command and returns its reply as text; an error reply is an error.
func (c *conn) do(args ...string) (string, error) {
	if _, err := c.Write(resp.AppendCommand(nil, args...)); err != nil {
		return "", err
	}
	v, err := c.in.Read()
	switch {
	case err != nil:
		return "", err
	case v.IsError():
		return "", fmt.Errorf("%s: %s", strings.Join(args, " "), v.Text())
	}
	return v.Text(), nil
}

// pollEvery is how often it is asked whether something has come about.
const pollEvery = 20 * time.Millisecond

// retry tries until it works. When the time is over, the error is the last one.
func (c *conn) retry(ctx context.Context, try func() error) error {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-t.C:
		}
	}
}

// waitFor asks until the answer contains want; otherwise says that it did not.
func (c *conn) waitFor(ctx context.Context, otherwise, want string, question ...string) error {
	return c.retry(ctx, func() error {
		answer, err := c.do(question...)
		if err == nil && !strings.Contains(answer, want) {
			err = errors.New(otherwise)
		}
		return err
	})
}

// waitOK returns when the node says that the cluster is ok.
func (c *conn) waitOK(ctx context.Context) error {
	return c.waitFor(ctx, "the cluster did not become ok", "cluster_state:ok", "CLUSTER", "INFO")
}
