package clusterd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/skeindb/skein/internal/cluster/core"
)

const minDialTimeout = time.Second

// dial opens a connection to another node. The caller holds d.mu.
func (d *Driver) dial(to core.Dial) {
	if d.stopped {
		return
	}
	l := newLink(to.Link)
	d.links[to.Link] = l
	d.done.Go(func() { d.connect(l, to) })
}

// connect is the life of a link that we dial.
func (d *Driver) connect(l *link, to core.Dial) {
	dialer := net.Dialer{Timeout: d.patience()}
	if d.opt.Source != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(d.opt.Source)}
	}
	conn, err := dialer.DialContext(l.ctx, "tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	atOnce := neverBegan(err)
	if err == nil {
		conn, err = d.secure(l, conn, false)
	}
	if err != nil {
		d.logf(core.Verbose, "Connection with Node %s at %s:%d failed: %v", to.Node, to.Host, to.Port, cause(err))
		d.lost(l, core.LinkDown{AtOnce: atOnce})
		return
	}
	if d.open(l, conn) {
		d.read(l, conn)
	}
}

// patience is how long a connection may take to be made.
func (d *Driver) patience() time.Duration {
	return max(time.Duration(d.nodeTimeout.Load())*time.Millisecond, minDialTimeout)
}

// secure does the handshake of a new connection of l, if the bus has one.
func (d *Driver) secure(l *link, conn net.Conn, accepted bool) (net.Conn, error) {
	if d.opt.Secure == nil {
		return conn, nil
	}
	ctx, cancel := context.WithTimeout(l.ctx, d.patience())
	defer cancel()
	return d.opt.Secure(ctx, conn, accepted)
}

// neverBegan tells whether a dial failed before a packet could leave this machine.
func neverBegan(err error) bool {
	switch {
	case err == nil, errors.Is(err, context.Canceled), os.IsTimeout(err):
		return false
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EHOSTUNREACH):
		return false
	}
	return true
}

// listen opens the bus port on all addresses. One with a dash before it may be missing on this machine.
func (d *Driver) listen() error {
	bind := d.opt.Bind
	if len(bind) == 0 {
		bind = []string{"*", "-::*"}
	}
	for _, addr := range bind {
		ln, err := listenOn(strings.TrimPrefix(addr, "-"), d.opt.Port)
		if err == nil {
			d.listeners = append(d.listeners, ln)
			continue
		}
		if addr[0] == '-' && (errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)) {
			continue
		}
		for _, ln := range d.listeners {
			ln.Close()
		}
		d.logf(core.Warning, "Failed listening on port %d (cluster), aborting.", d.opt.Port)
		return fmt.Errorf("listening on port %d (cluster): %w", d.opt.Port, err)
	}
	if len(d.listeners) == 0 {
		return fmt.Errorf("listening on port %d (cluster): %w", d.opt.Port, syscall.EADDRNOTAVAIL)
	}
	return nil
}

func listenOn(addr string, port uint16) (net.Listener, error) {
	network, ip := "tcp4", addr
	switch {
	case addr == "*":
		ip = ""
	case addr == "::*":
		network, ip = "tcp6", ""
	case strings.Contains(addr, ":"):
		network = "tcp6"
	}
	return net.Listen(network, net.JoinHostPort(ip, strconv.Itoa(int(port))))
}

// accept takes in the connections of others, known or not: a stranger may bring a MEET.
func (d *Driver) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // most likely no file descriptor is free
			d.logf(core.Verbose, "Error accepting cluster node: %v", cause(err))
			select {
			case <-d.quit:
				return
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		d.take(conn)
	}
}

// take makes a link of an accepted connection.
func (d *Driver) take(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		conn.Close()
		return
	}
	d.inbound++
	l := newLink(d.inbound)
	d.links[l.id] = l
	d.done.Go(func() {
		from := conn.RemoteAddr()
		conn, err := d.secure(l, conn, true)
		if err != nil {
			d.logf(core.Verbose, "Error accepting cluster node connection: %v (addr=%s)", cause(err), from)
			d.lost(l, core.LinkDown{})
			return
		}
		if d.open(l, conn) {
			d.read(l, conn)
		}
	})
}

// cause is the system's word on a failed call, without Go's words around it.
func cause(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
