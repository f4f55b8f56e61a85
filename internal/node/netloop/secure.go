package netloop

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// handshakeMost is how long a peer may take for its handshake.
const handshakeMost = 10 * time.Second

// Secure is what the node decides about connections by TLS.
type Secure struct {
	// Config is how to talk to who connects now.
	Config func() *tls.Config
	// Full tells whether there is no room for one client more, when so many are in
	// their handshake. It is asked before a handshake, and whom it turns away hears
	// nothing: there is no way to tell him yet.
	Full func(handshakes int) bool
}

// ListenTLS makes loops serve who connects to ln, a TCP listener, by TLS. It ends when
// ln is closed. Goroutines do the handshakes; a session begins when one has succeeded.
func ListenTLS(ln net.Listener, loops []*Loop, o Secure) {
	var handshakes atomic.Int64
	for i := 0; ; i++ {
		c, err := ln.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // most likely no descriptor is free
			loops[0].opt.Log.Warn("Accepting client connection: " + err.Error())
			time.Sleep(time.Millisecond)
			continue
		case o.Full(int(handshakes.Load())):
			c.Close()
			continue
		}
		l, config := loops[i%len(loops)], o.Config()
		handshakes.Add(1)
		go func() {
			defer handshakes.Add(-1)
			l.admit(c, config)
		}()
	}
}

// admit does the handshake and hands the connection to the loop.
func (l *Loop) admit(plain net.Conn, config *tls.Config) {
	if tcp, ok := plain.(*net.TCPConn); ok {
		if s := l.opt.KeepAlive(); s > 0 {
			second := func(n int) time.Duration { return time.Duration(n) * time.Second }
			tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: second(s), Interval: second(max(s/3, 1)), Count: 3})
		}
	}
	c := tls.Server(plain, config)
	ctx, cancel := context.WithTimeout(context.Background(), handshakeMost)
	err := c.HandshakeContext(ctx)
	cancel()
	if err == nil {
		err = l.enter(c)
	}
	if err != nil {
		var errno syscall.Errno
		if errors.As(err, &errno) {
			err = errno
		}
		l.opt.Log.Warn(fmt.Sprintf("Error accepting a client connection: %v (addr=%s laddr=%s)", err, plain.RemoteAddr(), plain.LocalAddr()))
		plain.Close()
	}
}
