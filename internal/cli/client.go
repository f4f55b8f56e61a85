package cli

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
)

// client is one conversation: a server, the connection to it if there is one,
// and what commands have changed about it. It is used by one goroutine.
type client struct {
	opt  *options
	in   io.Reader
	out  io.Writer
	errs io.Writer

	terminal    bool // out is one
	interactive bool // commands come as lines, one after the other
	attended    bool // typed by a person, with time between them
	link        *link
	host        string // where the next connection goes
	port        int
	db          int  // selected on the connection
	wantDB      int  // to be selected on the next one
	multi       bool // between MULTI and EXEC
	multiDB     int  // db before MULTI

	docs     *docs // what COMMAND DOCS tells, nil until it was asked
	docsFail bool  // the server would not tell

	// interrupts gives the channel where Ctrl-C shows up while it is wanted,
	// and stop, which lets it end the program again.
	interrupts func() (c <-chan os.Signal, stop func())
}

func newClient(opt *options, in io.Reader, out, errs io.Writer) *client {
	return &client{
		opt: opt, in: in, out: out, errs: errs, terminal: isTerminal(out),
		host: opt.host, port: opt.port, wantDB: opt.db,
		interrupts: func() (<-chan os.Signal, func()) {
			c := make(chan os.Signal, 1)
			signal.Notify(c, os.Interrupt)
			return c, func() { signal.Stop(c) }
		},
	}
}

// connect makes a new connection in the place of the one there is. Its error
// tells that there is none now. If the server accepts the connection but refuses
// the password, the database or RESP3 it says so and leaves it at that: the
// answer to the next command will tell more.
func (c *client) connect() error {
	c.drop()
	network, address, shown := "unix", c.opt.socket, c.opt.socket
	if address == "" {
		network, address = "tcp", net.JoinHostPort(c.host, strconv.Itoa(c.port))
		shown = c.host + ":" + strconv.Itoa(c.port)
	}
	l, err := dial(network, address, func(conn net.Conn) (net.Conn, error) { return c.opt.tls.wrap(conn, c.host) })
	if err != nil {
		return fmt.Errorf("Could not connect to Redis at %s: %s", shown, reason(err))
	}
	c.link, c.docsFail = l, false
	_ = c.authenticate() && c.selectDB() && c.hello()
	if c.link == nil {
		return fmt.Errorf("Could not connect to Redis at %s: Server closed the connection", shown)
	}
	return nil
}

// drop closes the connection, and with it ends what belonged to it.
func (c *client) drop() {
	if c.link != nil {
		c.link.close()
	}
	c.link, c.db, c.multi = nil, 0, false
}

// lost tells that the connection failed in the middle of something.
func (c *client) lost(err error) {
	fmt.Fprintln(c.errs, "Error:", reason(err))
	c.drop()
}

func (c *client) authenticate() bool {
	switch {
	case c.opt.pass == "":
		return true
	case c.opt.user == "":
		return c.setUp("AUTH failed", "AUTH", c.opt.pass)
	}
	return c.setUp("AUTH failed", "AUTH", c.opt.user, c.opt.pass)
}

func (c *client) selectDB() bool {
	if c.wantDB == c.db {
		return true
	}
	db := strconv.Itoa(c.wantDB)
	if !c.setUp("SELECT "+db+" failed", "SELECT", db) {
		return false
	}
	c.db = c.wantDB
	return true
}

func (c *client) hello() bool {
	return !c.opt.resp3 || c.setUp("HELLO 3 failed", "HELLO", "3")
}

// setUp runs a command that the connection needs and that is not the user's.
func (c *client) setUp(failure string, args ...string) bool {
	words := make([][]byte, len(args))
	for i, arg := range args {
		words[i] = []byte(arg)
	}
	v, err := c.ask(words)
	if err != nil {
		c.lost(err)
		return false
	}
	if v.IsError() {
		fmt.Fprintf(c.errs, "%s: %s\n", failure, v.Text())
		return false
	}
	return true
}

// ask sends a command and returns its reply.
func (c *client) ask(args [][]byte) (resp.Value, error) {
	if err := c.link.send(args); err != nil {
		return resp.Value{}, err
	}
	return c.reply(false)
}

// reply reads the next reply and shows what the server tells before it, unless a
// push is what the command is answered by.
func (c *client) reply(push bool) (resp.Value, error) {
	for {
		v, err := c.link.in.Read()
		if err != nil || push || v.Kind != resp.Push {
			return v, err
		}
		if c.opt.pushes {
			c.showPush(&v)
		}
	}
}

// execute runs a command repeat times (negative: for ever) and shows its replies.
// It returns false if there was none, or an error with -e.
func (c *client) execute(args [][]byte, repeat int64) bool {
	if word := string(args[0]); strings.EqualFold(word, "help") || word == "?" {
		c.help(args[1:])
		return true
	}
	for n := int64(0); repeat < 0 || n < repeat; n++ {
		if n > 0 && c.opt.interval > 0 {
			time.Sleep(c.opt.interval)
		}
		if !c.executeOnce(args) {
			return false
		}
	}
	return true
}

// ready makes sure of a connection. While a person thinks much may happen: then
// it looks whether the connection still is one. A new one does not take the place
// of one that had begun a transaction.
func (c *client) ready() bool {
	if c.link != nil && (!c.attended || c.link.alive()) {
		return true
	}
	if c.multi {
		c.lost(io.EOF)
		return false
	}
	if err := c.connect(); err != nil {
		fmt.Fprintln(c.errs, err)
		return false
	}
	return true
}

func (c *client) executeOnce(args [][]byte) bool {
	if !c.ready() {
		return false
	}
	name := strings.ToLower(string(args[0]))
	v, err := c.answer(args, isSubscription(name))
	if err != nil {
		return c.failed(name, err)
	}
	if v.IsError() && c.opt.errorCode && !c.interactive {
		fmt.Fprintln(c.errs, v.Text())
		return false
	}
	c.show(&v, isVerbatim(args))
	c.track(name, args, &v)
	if v.IsError() {
		return true
	}
	if err := c.follow(name, args, &v); err != nil {
		return c.failed(name, err)
	}
	return true
}

// answer sends a command, to where redirections lead, and returns its reply. It
// stays connected to the node that it came to.
func (c *client) answer(args [][]byte, push bool) (v resp.Value, err error) {
	for hops := 0; ; hops++ {
		if err = c.link.send(args); err != nil {
			return v, err
		}
		if v, err = c.reply(push); err != nil || !c.opt.cluster || hops == maxRedirects {
			return v, err
		}
		to, ok := parseRedirection(&v)
		if !ok {
			return v, nil
		}
		if err = c.redirect(to); err != nil {
			return v, err
		}
	}
}

// failed ends a command that lost its connection, which SHUTDOWN is meant to do.
func (c *client) failed(name string, err error) bool {
	if c.link == nil { // told already
		return false
	}
	if name == "shutdown" {
		c.drop()
		return true
	}
	c.lost(err)
	return false
}
