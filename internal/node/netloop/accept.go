//go:build linux && !portable

package netloop

import (
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

// acceptsPerEvent bounds how many connections one event accepts, so that a
// storm of them does not starve those that are there.
const acceptsPerEvent = 1000

// acceptor hands the connections of a listening socket to the loops in turn.
type acceptor struct {
	fd    int
	loops []*Loop
	next  atomic.Uint32
	path  string // of a unix socket
	ln    net.Listener
}

// Listen makes loops accept from ln, a TCP or unix listener, until Unlisten. It
// does not wait for a loop: what comes meanwhile is in the socket's backlog.
func Listen(ln net.Listener, loops []*Loop) error {
	a := &acceptor{loops: loops, ln: ln}
	if u, ok := ln.Addr().(*net.UnixAddr); ok {
		a.path = u.Name
	}
	if err := control(ln, func(fd int) { a.fd = fd }); err != nil {
		return err
	}
	first := loops[0]
	first.Do(func() {
		first.place(&conn{fd: a.fd, acceptor: a})
		if err := first.control(syscall.EPOLL_CTL_ADD, a.fd, syscall.EPOLLIN); err != nil {
			first.conns[a.fd] = nil
			first.opt.Log.Warn("accepting clients: " + err.Error())
		}
	})
	return nil
}

// Unlisten undoes Listen and closes ln. When it returns nobody can connect and
// the address is free for another listener; it does not wait for a loop.
func Unlisten(ln net.Listener, loops []*Loop) {
	control(ln, func(fd int) { syscall.Shutdown(fd, syscall.SHUT_RDWR) })
	first := loops[0]
	known := first.Do(func() {
		for fd, c := range first.conns {
			if c != nil && c.acceptor != nil && c.acceptor.ln == ln {
				first.conns[fd] = nil
				first.control(syscall.EPOLL_CTL_DEL, fd, 0)
			}
		}
		ln.Close() // not before the loop has forgotten its number
	})
	if !known {
		ln.Close()
	}
}

// SetBacklog makes pending the number of connections that may wait on ln to be
// accepted. The system has a limit of its own.
func SetBacklog(ln net.Listener, pending int) {
	control(ln, func(fd int) { syscall.Listen(fd, pending) })
}

func control(ln net.Listener, work func(fd int)) error {
	raw, err := ln.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) { work(int(fd)) })
}

func (a *acceptor) accept() {
	for range acceptsPerEvent {
		fd, from, err := syscall.Accept4(a.fd, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		if err != nil {
			if err == syscall.EMFILE || err == syscall.ENFILE {
				a.loops[0].opt.Log.Warn("Accepting client connection: " + err.Error())
				time.Sleep(time.Millisecond) // the event stays until a descriptor is free
			}
			return
		}
		l := a.loops[int(a.next.Add(1)-1)%len(a.loops)]
		if l == a.loops[0] {
			l.welcome(fd, from, a.path)
		} else if !l.Do(func() { l.welcome(fd, from, a.path) }) {
			syscall.Close(fd)
		}
	}
}

// welcome makes a connection and its session of an accepted socket.
func (l *Loop) welcome(fd int, from syscall.Sockaddr, path string) {
	var local netip.AddrPort
	if path == "" {
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
		l.keepAlive(fd)
		if at, err := syscall.Getsockname(fd); err == nil {
			local = addrPort(at)
		}
	}
	s, refusal := l.opt.Open(l, addrPort(from), local, path)
	if refusal != "" {
		rawSend(fd, []byte("-"+refusal+"\r\n"))
		syscall.Close(fd)
		return
	}
	if err := l.Adopt(fd, s); err != nil {
		l.opt.Log.Warn("accepting a client: " + err.Error())
	}
}

func (l *Loop) keepAlive(fd int) {
	s := l.opt.KeepAlive()
	if s <= 0 {
		return
	}
	syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1)
	syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, s)
	syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, max(s/3, 1))
	syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 3)
}

func addrPort(at syscall.Sockaddr) netip.AddrPort {
	switch at := at.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(at.Addr), uint16(at.Port))
	case *syscall.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(at.Addr).Unmap(), uint16(at.Port))
	}
	return netip.AddrPort{}
}
