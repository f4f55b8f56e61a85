package repl

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
)

// once makes a link and lives with it until it fails.
func (f *follower) once() retry {
	f.notice("MASTER <-> REPLICA sync started")
	w, err := f.connect()
	switch {
	case errors.Is(err, errSilent):
		f.warn("Timeout connecting to the MASTER...")
		return atOnce
	case err != nil && f.ctx.Err() == nil:
		f.warn("Error condition on socket for SYNC: " + reason(err))
		return later
	case err != nil:
		return later
	}
	defer f.hangUp(w)
	f.notice("Non blocking connect for SYNC fired the event.")
	answer, err := f.greet(w)
	switch {
	case f.ctx.Err() != nil:
		return later
	case errors.Is(err, errSilent):
		f.warn("Timeout connecting to the MASTER...")
		return atOnce
	case err != nil:
		return later
	}
	return f.synchronize(w, answer)
}

// connect dials the master.
func (f *follower) connect() (*wire, error) {
	if !f.enter(dialling) {
		return nil, f.ctx.Err()
	}
	ctx, limit := f.ctx, f.tuned().Timeout
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, errSilent)
		defer cancel()
	}
	dial := f.r.opt.Dial
	if dial == nil {
		var plain net.Dialer
		dial = func(ctx context.Context, address string) (net.Conn, error) {
			return plain.DialContext(ctx, "tcp", address)
		}
	}
	c, err := dial(ctx, f.address())
	if err != nil {
		if context.Cause(ctx) == errSilent {
			err = errSilent
		}
		return nil, err
	}
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	if f.stopped {
		c.Close()
		return nil, net.ErrClosed
	}
	w := newWire(f, c)
	f.wire.Store(w)
	f.lastMs.Store(now())
	f.state.Store(int32(handshaking))
	return w, nil
}

func (f *follower) hangUp(w *wire) {
	f.wire.Store(nil)
	w.Close()
}

// greet says who we are and asks for the stream. It returns the answer to PSYNC. What
// went wrong is in the log when it returns.
func (f *follower) greet(w *wire) (answer psyncAnswer, err error) {
	if err = f.ping(w); err != nil {
		return
	}
	t := f.tuned()
	port := t.Port
	if t.AnnouncePort != 0 {
		port = t.AnnouncePort
	}
	var asked []string // what the replies are about, in order
	say := func(what string, words ...string) {
		if err == nil {
			asked = append(asked, what)
			err = w.send(words...)
		}
	}
	switch {
	case t.MasterAuth != "" && t.MasterUser != "":
		say("AUTH", "AUTH", t.MasterUser, t.MasterAuth)
	case t.MasterAuth != "":
		say("AUTH", "AUTH", t.MasterAuth)
	}
	say("listening-port", "REPLCONF", "listening-port", strconv.Itoa(port))
	if t.AnnounceIP != "" {
		say("ip-address", "REPLCONF", "ip-address", t.AnnounceIP)
	}
	say("capa", "REPLCONF", "capa", "eof", "capa", "psync2", "capa", capaFields)
	if err != nil {
		f.warn("Sending command to master in replication handshake: -Writing to master: " + reason(err))
		return
	}
	for _, what := range asked {
		if err = f.hear(w, what); err != nil {
			return
		}
	}
	return f.psync(w)
}

// errRefused: the master's answer ends the handshake. What it was is in the log.
var errRefused = errors.New("repl: the master refused")

// ping asks whether the master answers at all. An error for want of a password is
// an answer.
func (f *follower) ping(w *wire) error {
	if err := w.send("PING"); err != nil {
		f.warn("Sending command to master in replication handshake: -Writing to master: " + reason(err))
		return err
	}
	line, err := f.reply(w)
	switch {
	case err != nil:
		return err
	case strings.HasPrefix(line, "+"), strings.HasPrefix(line, "-NOAUTH"), strings.HasPrefix(line, "-NOPERM"),
		strings.HasPrefix(line, "-ERR operation not permitted"):
		f.notice("Master replied to PING, replication can continue...")
		return nil
	}
	f.warn("Error reply to PING from master: '" + line + "'")
	return errRefused
}

// hear takes the reply to one of the commands that follow PING. Old masters do not
// know all of REPLCONF.
func (f *follower) hear(w *wire, what string) error {
	line, err := f.reply(w)
	if err != nil {
		return err
	}
	if strings.HasPrefix(line, "-") {
		if what == "AUTH" {
			f.warn("Unable to AUTH to MASTER: " + line)
			return errRefused
		}
		f.notice("(Non critical) Master does not understand REPLCONF " + what + ": " + line)
	}
	return nil
}

// reply reads a line of the handshake.
func (f *follower) reply(w *wire) (string, error) {
	line, err := w.line()
	if err != nil && !errors.Is(err, errSilent) && f.ctx.Err() == nil {
		f.warn("Failed to read response from the server: " + reason(err))
		f.warn("Master did not respond to command during SYNC handshake")
	}
	return line, err
}
