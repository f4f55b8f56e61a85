package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
)

// maxRedirects of one command. A cluster that sends it on more often than this
// does not agree with itself.
const maxRedirects = 16

// redirection is what a MOVED or ASK error asks for.
type redirection struct {
	slot int
	host string // "" if it is the host that we talk to
	port int
	ask  bool // for this command only, and announced by ASKING
}

// parseRedirection reads an error as in "MOVED 3999 127.0.0.1:6381" or
// "ASK 3999 ::1:6381".
func parseRedirection(v *resp.Value) (r redirection, ok bool) {
	words := strings.Fields(v.Text())
	if !v.IsError() || len(words) != 3 || words[0] != "MOVED" && words[0] != "ASK" {
		return r, false
	}
	slot, err := strconv.Atoi(words[1])
	if err != nil {
		return r, false
	}
	colon := strings.LastIndexByte(words[2], ':')
	if colon < 0 {
		return r, false
	}
	port, err := strconv.Atoi(words[2][colon+1:])
	if err != nil {
		return r, false
	}
	host := words[2][:colon]
	if host == "?" { // the node has not been told its name
		host = ""
	}
	return redirection{slot: slot, host: host, port: port, ask: words[0] == "ASK"}, true
}

// redirect connects to another node. Its error has been told; the next command
// then goes to where this one came from, which may know better by then.
func (c *client) redirect(to redirection) error {
	host, port := c.host, c.port
	if to.host != "" {
		c.host = to.host
	}
	c.port = to.port
	if c.interactive {
		fmt.Fprintf(c.out, "-> Redirected to slot [%d] located at %s:%d\n", to.slot, c.host, c.port)
	}
	if err := c.connect(); err != nil {
		fmt.Fprintln(c.errs, err)
		c.host, c.port = host, port
		return err
	}
	if to.ask && !c.setUp("ASKING failed", "ASKING") && c.link == nil {
		return errNotConnected
	}
	return nil
}
