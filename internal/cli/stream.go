package cli

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
)

// errNotConnected: the connection went away, and the user has been told.
var errNotConnected = errors.New("not connected")

// isSubscription tells whether a command is answered once per channel, in RESP3
// by pushes.
func isSubscription(name string) bool {
	return strings.HasSuffix(name, "subscribe") && len(name) <= len("punsubscribe")
}

// follow reads what comes after the first reply v to a command: the further
// confirmations of UNSUBSCRIBE, or without end what SUBSCRIBE and MONITOR bring.
func (c *client) follow(name string, args [][]byte, v *resp.Value) error {
	switch {
	case name == "monitor":
		return c.stream()
	case !isSubscription(name) || !isPubSub(v):
		return nil
	case strings.HasSuffix(name, "unsubscribe"):
		for range len(args) - 2 {
			v, err := c.link.in.Read()
			if err != nil {
				return err
			}
			c.show(&v, false)
		}
		return nil
	}
	if c.attended && c.terminal {
		fmt.Fprintln(c.out, "Reading messages... (press Ctrl-C to quit)")
	}
	return c.stream()
}

// stream shows what comes until the connection ends. At a prompt Ctrl-C ends it
// before that, with a new connection, since the old one is good for nothing
// else; otherwise Ctrl-C ends the program.
func (c *client) stream() error {
	if c.interactive {
		interrupt, stop := c.interrupts()
		defer stop()
		done := make(chan struct{})
		defer close(done)
		go func(l *link) {
			select {
			case <-interrupt:
				l.close()
			case <-done:
			}
		}(c.link)
	}
	for {
		v, err := c.link.in.Read()
		if errors.Is(err, net.ErrClosed) {
			if c.terminal { // it shows ^C
				fmt.Fprintln(c.out)
			}
			if err := c.connect(); err != nil {
				fmt.Fprintln(c.errs, err)
			}
			return nil
		}
		if err != nil {
			return err
		}
		c.show(&v, false)
	}
}

// isPubSub tells whether v is a message of a channel or the confirmation of a
// subscription.
func isPubSub(v *resp.Value) bool {
	if v.Kind != resp.Push && v.Kind != resp.Array || len(v.Elems) < 3 || v.Elems[0].Kind != resp.Bulk {
		return false
	}
	word := v.Elems[0].Str
	return bytes.HasSuffix(word, []byte("message")) || bytes.HasSuffix(word, []byte("subscribe"))
}
