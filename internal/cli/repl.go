package cli

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
)

// slow is how long a command may take before the prompt says how long it took.
const slow = 500 * time.Millisecond

// lines is where commands come from.
type lines interface {
	// line returns the next line without its end. An error, mostly io.EOF, tells
	// that there are no more.
	line() (string, error)
	setHints(on bool)
	clear()
}

// repl runs the commands of all lines.
func (c *client) repl(from lines) {
	for {
		line, err := from.line()
		if err != nil || !c.runLine(line, from) {
			return
		}
	}
}

// prompt tells where the next command goes, and what may surprise there.
func (c *client) prompt() string {
	if c.link == nil {
		return "not connected> "
	}
	p := net.JoinHostPort(c.host, strconv.Itoa(c.port))
	if c.opt.socket != "" {
		p = "redis " + c.opt.socket
	}
	if c.db != 0 {
		p += "[" + strconv.Itoa(c.db) + "]"
	}
	if c.multi {
		p += "(TX)"
	}
	return p + "> "
}

// runLine runs a line. It returns false if that was the last one.
func (c *client) runLine(line string, from lines) (more bool) {
	args, err := resp.SplitArgs([]byte(line))
	if err != nil {
		fmt.Fprintln(c.out, "Invalid argument(s)")
		return true
	}
	if len(args) == 0 {
		return true
	}
	repeat, args, ok := repetition(args)
	if !ok {
		fmt.Fprintln(c.out, "Invalid redis-cli repeat command option value.")
		return true
	}
	switch word := strings.ToLower(string(args[0])); {
	case word == "quit" || word == "exit":
		return false
	case word[:min(1, len(word))] == ":":
		c.prefer(args, from)
	case word == "clear" && len(args) == 1:
		from.clear()
	case word == "connect" && len(args) == 3:
		c.connectTo(string(args[1]), string(args[2]))
	default:
		start := time.Now()
		c.execute(args, repeat)
		if took := time.Since(start); took >= slow && c.opt.format == formatTTY {
			fmt.Fprintf(c.out, "(%.2fs)\n", took.Seconds())
		}
	}
	return true
}

// repetition takes the number off a line like "5 INCR counter".
func repetition(args [][]byte) (repeat int64, rest [][]byte, ok bool) {
	if len(args) < 2 {
		return 1, args, true
	}
	n, err := strconv.ParseInt(string(args[0]), 10, 64)
	switch {
	case err == nil && n > 0:
		return n, args[1:], true
	case err == nil, err.(*strconv.NumError).Err == strconv.ErrRange:
		return 0, nil, false
	}
	return 1, args, true
}

// prefer sets a preference.
func (c *client) prefer(args [][]byte, from lines) {
	if !strings.EqualFold(string(args[0]), ":set") || len(args) < 2 {
		fmt.Fprintf(c.out, "unknown redis-cli internal command '%s'\n", args[0])
		return
	}
	switch strings.ToLower(string(args[1])) {
	case "hints":
		from.setHints(true)
	case "nohints":
		from.setHints(false)
	default:
		fmt.Fprintf(c.out, "unknown redis-cli preference '%s'\n", args[1])
	}
}

// connectTo turns to another server.
func (c *client) connectTo(host, port string) {
	n, err := strconv.Atoi(port)
	if err != nil || n < 0 || n > 65535 {
		fmt.Fprintln(c.errs, "Invalid server port.")
		return
	}
	c.host, c.port, c.opt.socket = host, n, ""
	c.docs = nil
	if err := c.connect(); err != nil {
		fmt.Fprintln(c.errs, err)
	}
}

// pipe reads lines that no person types.
type pipe struct{ in *bufio.Reader }

func newPipe(in io.Reader) *pipe { return &pipe{bufio.NewReader(in)} }

func (p *pipe) line() (string, error) {
	line, err := p.in.ReadString('\n')
	if line != "" { // the last one may have no end
		err = nil
	}
	return strings.TrimSuffix(line, "\n"), err
}

func (p *pipe) setHints(bool) {}
func (p *pipe) clear()        {}
