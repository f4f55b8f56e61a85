//go:build linux && !portable

package netloop

import (
	"crypto/tls"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// A connection by TLS comes to its loop through a pair of sockets, so that to the
// loop it is a connection like others:
//
//	peer ══ TLS ══ tls.Conn ── relay ── socket ~~ socket ── loop
//
// Two goroutines carry bytes, one each way. An end of stream goes where bytes go:
// a peer that says goodbye is read to its end, and what the loop wrote before it
// closed is still sent.
type relay struct {
	outer *tls.Conn
	inner *net.UnixConn
}

const (
	inwardBytes  = 4 << 10  // of an idle connection, too
	outwardBytes = 16 << 10 // a TLS record; only while there is something
	relayBytes   = inwardBytes
	// lingerMost is how long the peer of a connection that the loop has closed may take
	// to read what was written before.
	lingerMost = 5 * time.Second
)

// enter gives the loop a connection whose handshake is done.
func (l *Loop) enter(c *tls.Conn) error {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(pair[1]), "relay")
	inner, err := net.FileConn(file)
	file.Close()
	if err != nil {
		syscall.Close(pair[0])
		return err
	}
	r := &relay{outer: c, inner: inner.(*net.UnixConn)}
	if !l.Do(func() { l.welcomeRelay(pair[0], r) }) {
		syscall.Close(pair[0])
		inner.Close()
		return net.ErrClosed
	}
	go r.inward()
	go r.outward(&l.records)
	return nil
}

// welcomeRelay makes a connection and its session of the loop's end of a relay.
func (l *Loop) welcomeRelay(fd int, r *relay) {
	s, refusal := l.opt.Open(l, tcpAddr(r.outer.RemoteAddr()), tcpAddr(r.outer.LocalAddr()), "")
	if refusal != "" {
		rawSend(fd, []byte("-"+refusal+"\r\n"))
		syscall.Close(fd)
		r.left()
		return
	}
	s.Secure = true
	if err := l.Adopt(fd, s); err != nil {
		l.opt.Log.Warn("accepting a client: " + err.Error())
		r.left()
		return
	}
	c := l.conns[fd]
	c.relay = r
	l.weigh(c)
}

// left is told when the loop has closed its end.
func (r *relay) left() { r.outer.SetDeadline(time.Now().Add(lingerMost)) }

// inward carries what the peer says to the loop.
func (r *relay) inward() {
	defer r.inner.CloseWrite()
	buf := make([]byte, inwardBytes)
	for {
		n, err := r.outer.Read(buf)
		if _, refused := r.inner.Write(buf[:n]); err != nil || refused != nil {
			return
		}
	}
}

// outward carries what the loop says to the peer. Its end is the end of the relay: the
// loop has closed, or the peer cannot be reached.
func (r *relay) outward(records *sync.Pool) {
	defer r.outer.Close()
	defer r.inner.Close()
	raw, err := r.inner.SyscallConn()
	if err != nil {
		return
	}
	for {
		record, n := r.next(raw, records)
		if n <= 0 {
			return
		}
		_, err := r.outer.Write((*record)[:n])
		records.Put(record)
		if err != nil {
			return
		}
	}
}

// next waits until there is something to be sent and reads it. An idle connection has
// no buffer for it.
func (r *relay) next(raw syscall.RawConn, records *sync.Pool) (record *[]byte, n int) {
	err := raw.Read(func(fd uintptr) bool {
		record, _ = records.Get().(*[]byte)
		if record == nil {
			made := make([]byte, outwardBytes)
			record = &made
		}
		var errno syscall.Errno
		if n, errno = rawReceive(int(fd), *record); errno == syscall.EAGAIN {
			records.Put(record)
			return false
		}
		return true
	})
	if err != nil {
		return nil, 0
	}
	return record, n
}

func tcpAddr(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		at := tcp.AddrPort()
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	}
	return netip.AddrPort{}
}
