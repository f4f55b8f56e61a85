package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/netloop"
	"github.com/skeindb/skein/internal/node/session"
)

// listener is one socket on which clients arrive.
type listener struct {
	net.Listener
	kind string // "tcp" or "unix", as the log says
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
		Closed:    func(s *session.Session) { n.engine.Forget(s); n.clients.Closed(s) },
		OverLimit: n.clients.OverLimit,
		Received:  n.observer.Traffic.Received,
		Sent:      n.observer.Traffic.Sent,
		MaxQuery:  func() int { return int(config.ClientQueryBufferLimit.Get(n.cfg.Values())) },
		KeepAlive: func() int { return config.TCPKeepalive.Get(n.cfg.Values()) },
		Log:       n.slog,
	}
}

// listenAll opens what the configuration names.
func (n *Node) listenAll() error {
	v := n.cfg.Values()
	if port := config.Port.Get(v); port != 0 {
		if err := n.listenTCP(config.Bind.Get(v), port); err != nil {
			return err
		}
	}
	if config.UnixSocket.Get(v) != "" {
		if err := n.listenUnix(v.Path(config.UnixSocket), os.FileMode(config.UnixSocketPerm.Get(v))); err != nil {
			return err
		}
	}
	if len(n.listeners) == 0 {
		n.slog.Warn("Configured to not listen anywhere, exiting.")
		return errors.New("configured to not listen anywhere")
	}
	return nil
}

// listenTCP opens a port on each address. An address with a dash before it may
// be missing on this machine.
func (n *Node) listenTCP(addrs []string, port int) error {
	opened := 0
	for _, addr := range addrs {
		optional := strings.HasPrefix(addr, "-")
		addr = strings.TrimPrefix(addr, "-")
		network, host := "tcp4", addr
		switch {
		case addr == "*":
			host = ""
		case addr == "::*":
			network, host = "tcp6", ""
		case strings.Contains(addr, ":"):
			network = "tcp6"
		}
		ln, err := listenReuse(network, net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			if optional && (errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)) {
				continue
			}
			n.slog.Warn(fmt.Sprintf("Warning: Could not create server TCP listening socket %s:%d: %v", addr, port, cause(err)))
			n.slog.Warn(fmt.Sprintf("Failed listening on port %d (tcp), aborting.", port))
			return &ListenError{net.JoinHostPort(host, strconv.Itoa(port)), cause(err)}
		}
		if err := n.serve(ln, "tcp"); err != nil {
			return err
		}
		opened++
	}
	if opened == 0 {
		n.slog.Warn(fmt.Sprintf("Failed listening on port %d (tcp), aborting.", port))
		return &ListenError{strconv.Itoa(port), syscall.EADDRNOTAVAIL}
	}
	return nil
}

// listenReuse listens on an address that a server left a moment ago.
func listenReuse(network, addr string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1} // the loops set what tcp-keepalive says
	return lc.Listen(context.Background(), network, addr)
}

func (n *Node) listenUnix(path string, perm os.FileMode) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &ListenError{path, err}
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		n.slog.Warn("Failed opening Unix socket: bind: " + cause(err).Error())
		return &ListenError{path, cause(err)}
	}
	if perm != 0 {
		if err := os.Chmod(path, perm); err != nil {
			ln.Close()
			return &ListenError{path, err}
		}
	}
	return n.serve(ln, "unix")
}

func (n *Node) serve(ln net.Listener, kind string) error {
	if err := netloop.Listen(ln, n.loops); err != nil {
		ln.Close()
		return &ListenError{ln.Addr().String(), err}
	}
	n.listeners = append(n.listeners, &listener{ln, kind})
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
