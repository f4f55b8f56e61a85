package ops

import (
	"context"
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

// pollEvery is how often waitOK asks.
const pollEvery = 20 * time.Millisecond

// waitOK returns when the node says that the cluster is ok.
func (c *conn) waitOK(ctx context.Context) error {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		info, err := c.do("CLUSTER", "INFO")
		if err != nil {
			return err
		}
		if strings.HasPrefix(info, "cluster_state:ok") {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the cluster did not become ok: %w", ctx.Err())
		case <-t.C:
		}
	}
}
