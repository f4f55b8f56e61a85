package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/netloop"
	"github.com/skeindb/skein/internal/node/session"
)

// The kinds of listeners, as the log says them.
const (
	kindTCP  = "tcp"
	kindTLS  = "tls"
	kindUnix = "unix"
)

// listener is one socket on which clients arrive.
type listener struct {
	net.Listener
	kind string
}

// listeners are the sockets that are open. CONFIG SET replaces those that have ports.
type listeners struct {
	mu   sync.Mutex
	open []*listener
}

func (ls *listeners) all() []*listener {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return slices.Clone(ls.open)
}

// take removes and returns the listeners of kind, all if it is "".
func (ls *listeners) take(kind string) (taken []*listener) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.open = slices.DeleteFunc(ls.open, func(l *listener) bool {
		is := kind == "" || l.kind == kind
		if is {
			taken = append(taken, l)
		}
		return is
	})
	return taken
}

func (ls *listeners) add(l *listener) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.open = append(ls.open, l)
}

// ListenError is a socket that could not be opened. Redis ends with exit code 1.
type ListenError struct {
	Addr string
	Err  error
}

func (e *ListenError) Error() string { return fmt.Sprintf("listening on %s: %v", e.Addr, e.Err) }

// Unwrap returns the cause.
func (e *ListenError) Unwrap() error { return e.Err }

func (n *Node) loopOptions() *netloop.Options {
	return &netloop.Options{
		Engine:    n.engine,
		Open:      n.clients.Open,
		Closed:    func(s *session.Session) { n.repl.Closed(s); n.clients.Closed(s); n.engine.Forget(s) },
		OverLimit: n.clients.OverLimit,
		Received:  n.observer.Traffic.Received,
		Sent:      n.observer.Traffic.Sent,
		ReplSent:  n.observer.Traffic.ReplSent,
		MaxQuery:  func() int { return int(config.ClientQueryBufferLimit.Get(n.cfg.Values())) },
		MaxBulk:   func() int64 { return int64(config.ProtoMaxBulkLen.Get(n.cfg.Values())) },
		Acked:     n.acked,
		Await:     n.await,
		LogEnd:    n.oplog.Offset,
		KeepAlive: func() int { return config.TCPKeepalive.Get(n.cfg.Values()) },
		Dedicated: runtime.GOMAXPROCS(0) > runtime.NumCPU(), // as the binary makes it
		Log:       n.slog,
	}
}

// listenAll opens what the configuration names.
func (n *Node) listenAll() error {
	v := n.cfg.Values()
	for _, kind := range portKinds {
		port := portOf(kind, v)
		if port == 0 {
			continue
		}
		if err := n.listenTCP(config.Bind.Get(v), port, kind); err != nil {
			n.slog.Warn(fmt.Sprintf("Failed listening on port %d (%s), aborting.", port, kind))
			return err
		}
	}
	if config.UnixSocket.Get(v) != "" {
		if err := n.listenUnix(v.Path(config.UnixSocket), os.FileMode(config.UnixSocketPerm.Get(v))); err != nil {
			n.slog.Warn("Failed opening Unix socket: bind: " + cause(err).Error())
			return err
		}
	}
	if len(n.listeners.all()) == 0 {
		n.slog.Warn("Configured to not listen anywhere, exiting.")
		return errors.New("configured to not listen anywhere")
	}
	return nil
}

// portKinds are the kinds of listeners that have ports.
var portKinds = [...]string{kindTCP, kindTLS}

func portOf(kind string, v *config.Values) int {
	if kind == kindTLS {
		return config.TLSPort.Get(v)
	}
	return config.Port.Get(v)
}

// relisten makes CONFIG SET of port, tls-port and bind true. What is connected stays.
// An address may be in the old set and in the new one, or contain another, so the
// old sockets are closed first.
func (n *Node) relisten(ch config.Change) error {
	moved := func(kind string) bool { return ch.Of(config.Bind) || portOf(kind, ch.Old) != portOf(kind, ch.New) }
	if config.TLSPort.Get(ch.New) != 0 && n.secure.Load() == nil && n.loadTLS(ch.New) != nil {
		return errTLS
	}
	for _, kind := range portKinds {
		if moved(kind) {
			n.unlistenAll(kind)
		}
	}
	for _, kind := range portKinds {
		port := portOf(kind, ch.New)
		if port == 0 || !moved(kind) {
			continue
		}
		switch err := n.listenTCP(config.Bind.Get(ch.New), port, kind); {
		case err == nil:
		case ch.Of(config.Bind):
			return errors.New("Failed to bind to specified addresses.")
		default:
			return errors.New("Unable to listen on this port. Check server logs.")
		}
	}
	return nil
}

// unlisten closes a listener.
func (n *Node) unlisten(l *listener) {
	if l.kind == kindTLS {
		l.Close()
		return
	}
	netloop.Unlisten(l.Listener, n.loops)
}

func (n *Node) unlistenAll(kind string) {
	for _, l := range n.listeners.take(kind) {
		n.unlisten(l)
	}
}

// listenTCP opens a port on each address, or on none. An address with a dash
// before it may be missing on this machine.
func (n *Node) listenTCP(addrs []string, port int, kind string) error {
	for _, addr := range addrs {
		addr, optional := strings.CutPrefix(addr, "-")
		network, host := tcpAddress(addr)
		at := net.JoinHostPort(host, strconv.Itoa(port))
		ln, err := n.listenReuse(network, at)
		if err == nil {
			err = n.serve(ln, kind)
		}
		if err == nil || optional && isMissing(err) {
			continue
		}
		n.slog.Warn(fmt.Sprintf("Warning: Could not create server TCP listening socket %s:%d: %v", addr, port, cause(err)))
		n.unlistenAll(kind)
		return &ListenError{at, cause(err)}
	}
	return nil
}

// tcpAddress is an address of the directive bind as package net wants it: the
// stars stand for all addresses of a family.
func tcpAddress(addr string) (network, host string) {
	switch {
	case addr == "*":
		return "tcp4", ""
	case addr == "::*":
		return "tcp6", ""
	case strings.Contains(addr, ":"):
		return "tcp6", addr
	}
	return "tcp4", addr
}

// isMissing tells whether err says that the machine has no such address.
func isMissing(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

// listenReuse listens on an address that a server left a moment ago.
func (n *Node) listenReuse(network, addr string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1} // the loops set what tcp-keepalive says
	ln, err := lc.Listen(context.Background(), network, addr)
	if err == nil {
		netloop.SetBacklog(ln, config.TCPBacklog.Get(n.cfg.Values()))
	}
	return ln, err
}

func (n *Node) listenUnix(path string, perm os.FileMode) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &ListenError{path, err}
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return &ListenError{path, cause(err)}
	}
	if perm != 0 {
		if err := os.Chmod(path, perm); err != nil {
			ln.Close()
			return &ListenError{path, err}
		}
	}
	return n.serve(ln, kindUnix)
}

func (n *Node) serve(ln net.Listener, kind string) error {
	if kind == kindTLS {
		go netloop.ListenTLS(ln, n.loops, n.secureClients())
	} else if err := netloop.Listen(ln, n.loops); err != nil {
		ln.Close()
		return &ListenError{ln.Addr().String(), err}
	}
	n.listeners.add(&listener{ln, kind})
	return nil
}

// cause is the system's word on a failed call, without Go's words around it.
func cause(err error) error {
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Err
	}
	return err
}
