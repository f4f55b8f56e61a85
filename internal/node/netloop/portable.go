//go:build !linux || portable

package netloop

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/session"
)

// The portable loop: where there is no epoll, two goroutines of each connection
// read and write, and the loop's goroutine runs the commands. It is slower, and
// tested with -tags portable.

const readBytes = 64 << 10

// Loop is one event loop.
type Loop struct {
	opt   *Options
	turn  exec.Turn
	conns map[*session.Session]*conn
	held  atomic.Int64
	work  work

	debtors debtors

	mu      sync.Mutex
	wake    *sync.Cond
	knocked []*session.Session
	tasks   []func()
	stopped bool

	done chan struct{}
}

// conn is a connection of the loop.
type conn struct {
	net.Conn
	s  *session.Session
	in []byte // received, not consumed

	withheld *withheld
	held     int // bytes counted in Loop.held

	mu      sync.Mutex
	ready   *sync.Cond
	out     []byte // made, not taken by the writer
	writing int    // bytes the writer has taken and not sent
	closing bool   // the writer ends once out is empty
	sourced bool   // the session has a Source: the writer says when it has sent
}

// lane is what loops share to send replicas the log before replies leave: nothing here.
type lane struct{}

// New returns a loop that Run will drive.
func New(opt *Options) (*Loop, error) {
	l := &Loop{opt: opt, conns: map[*session.Session]*conn{}, done: make(chan struct{})}
	l.wake = sync.NewCond(&l.mu)
	return l, nil
}

// Notify implements session.Home.
func (l *Loop) Notify(s *session.Session) {
	l.mu.Lock()
	l.knocked = append(l.knocked, s)
	l.mu.Unlock()
	l.wake.Signal()
}

// Carries implements session.Home: what replicas are sent leaves by their own loops.
func (l *Loop) Carries() bool { return false }

// Do runs task on the loop's goroutine, soon. It returns false if the loop has stopped.
func (l *Loop) Do(task func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return false
	}
	l.tasks = append(l.tasks, task)
	l.wake.Signal()
	return true
}

// Stop ends Run after the turn under way and closes all connections. It waits.
func (l *Loop) Stop() {
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	l.wake.Signal()
	<-l.done
}

// Run drives the loop until Stop.
func (l *Loop) Run() {
	defer close(l.done)
	for {
		l.mu.Lock()
		for len(l.knocked)+len(l.tasks) == 0 && !l.stopped {
			l.wake.Wait()
		}
		knocked, tasks, stopped := l.knocked, l.tasks, l.stopped
		l.knocked, l.tasks = nil, nil
		l.mu.Unlock()
		began, ran := l.opt.Engine.Nanos(), l.turn.Ran
		l.turn.NowMs = time.Now().UnixMilli()
		for _, task := range tasks {
			task()
		}
		for _, s := range knocked {
			if c := l.conns[s]; c != nil {
				l.attend(c)
			}
		}
		if l.debtors.fresh {
			l.collect()
		}
		l.work.count(l.opt.Engine.Nanos()-began, l.turn.Ran-ran)
		if stopped {
			for _, c := range l.conns {
				l.disown(c)
				l.close(c)
			}
			return
		}
	}
}

// receive is what the reader found; it runs on the loop.
func (l *Loop) receive(c *conn, data []byte) {
	if l.conns[c.s] != c {
		return
	}
	if c.s.Killed() {
		l.attend(c)
		return
	}
	l.opt.Received(len(data))
	c.s.Pending.NetIn += int64(len(data))
	c.in = append(c.in, data...)
	if !c.s.Parked() {
		l.feed(c)
	}
	l.flush(c)
}

func (l *Loop) feed(c *conn) {
	c.s.Pending.In = len(c.in)
	c.s.Parser.MaxBulk = l.opt.MaxBulk()
	n := l.opt.Engine.Feed(&l.turn, c.s, c.in)
	c.in = append(c.in[:0], c.in[n:]...)
	c.s.Pending.In, c.s.Pending.InFree = len(c.in), cap(c.in)-len(c.in)
	if len(c.in) > l.opt.MaxQuery() {
		l.opt.Log.Warn("Closing client that reached max query buffer length", "addr", c.s.Remote.String())
		l.close(c)
	}
}

// attend looks at what was left at the session's door.
func (l *Loop) attend(c *conn) {
	s := c.s
	mail, knock := s.Open(nil)
	if knock.Kill {
		l.disown(c)
		l.close(c)
		return
	}
	if knock.Replied {
		l.opt.Engine.Answer(&l.turn, s, knock.Reply)
		if !s.Away {
			s.TakeMail()
		}
	}
	if knock.Wake && len(s.Retry) > 0 {
		l.opt.Engine.Retry(&l.turn, s)
	}
	if !s.Parked() && (knock.Replied || knock.Wake) && len(c.in) > 0 {
		l.feed(c)
	}
	s.Out.Raw(mail)
	l.flush(c)
}

// live tells whether c is a connection of the loop still.
func (l *Loop) live(c *conn) bool { return l.conns[c.s] == c }

// flush hands the replies to the writer, or withholds them.
func (l *Loop) flush(c *conn) {
	if !l.live(c) {
		return
	}
	c.s.Publish() // before the peer, who may ask others about it, reads the replies
	if c.withheld != nil || len(c.s.Owed) > 0 {
		l.withhold(c, c.s.Out.Buf)
		c.s.Out.Buf = c.s.Out.Buf[:0]
		return
	}
	l.hand(c)
}

// repay hands over what c need not withhold any more.
func (l *Loop) repay(c *conn, settle func(*session.Owed) exec.Debt) {
	if c.s.Out.Buf = c.withheld.release(c.s.Out.Buf, settle); len(c.withheld.owed) == 0 {
		c.withheld = nil
	}
	if len(c.s.Out.Buf) > 0 || c.withheld == nil {
		l.hand(c)
	}
}

// disown tells the peer of a connection about to be closed that nobody knows what
// its writes are worth.
func (l *Loop) disown(c *conn) {
	if l.live(c) && c.withheld != nil {
		c.Conn.SetWriteDeadline(time.Now().Add(farewell))
		c.Conn.Write(c.withheld.release(nil, lost))
		c.withheld, l.debtors.fresh = nil, true
	}
}

// farewell is how long the last words to a peer may take.
const farewell = 10 * time.Millisecond

// hand gives the replies to the writer.
func (l *Loop) hand(c *conn) {
	c.mu.Lock()
	c.out = append(c.out, c.s.Out.Buf...)
	c.s.Out.Buf = c.s.Out.Buf[:0]
	c.s.Pending.Out = len(c.out) + c.writing
	l.weigh(c)
	goodbye := c.s.Is(session.CloseAfterReply) && c.withheld == nil
	c.closing = c.closing || goodbye
	c.sourced = c.s.Source != nil
	c.mu.Unlock()
	l.pull(c)
	c.ready.Signal()
	if goodbye {
		l.forget(c)
		return
	}
	if why := l.opt.OverLimit(c.s, c.s.Pending.Out, l.turn.NowMs); why != "" {
		l.opt.Log.Warn("Client closed for overcoming of output buffer limits.", "addr", c.s.Remote.String(), "limit", why)
		l.close(c)
	}
}

// sentBytes counts what the writer has sent.
func (c *conn) sentBytes(opt *Options, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sourced {
		opt.ReplSent(n)
	} else {
		opt.Sent(n)
	}
}

// pullBytes is how much is taken from a Source at once.
const pullBytes = 64 << 10

// pull gives the writer what the session's Source has, if it has nothing to do.
func (l *Loop) pull(c *conn) {
	if c.s.Source == nil || l.conns[c.s] != c {
		return
	}
	c.mu.Lock()
	busy := len(c.out)+c.writing > 0
	c.mu.Unlock()
	if busy {
		return
	}
	made := make([]byte, pullBytes)
	n, ok := c.s.Pull(made)
	if !ok {
		l.close(c)
		return
	}
	c.mu.Lock()
	c.out = append(c.out, made[:n]...)
	c.mu.Unlock()
	c.ready.Signal()
}

// weigh counts what c holds now.
func (l *Loop) weigh(c *conn) {
	held := cap(c.in) + c.s.QueueBytes() + c.s.Watch.Bytes()
	if c.s.Source == nil { // what a replica has to wait for evicts no key
		held += c.s.Pending.Out
	}
	if c.withheld != nil {
		held += cap(c.withheld.bytes)
	}
	l.held.Add(int64(held - c.held))
	c.held = held
}

// Held is how many bytes the connections of the loop hold. Safe from any goroutine.
func (l *Loop) Held() int64 { return l.held.Load() }

// forget takes the connection from the loop; its writer still sends what waits.
func (l *Loop) forget(c *conn) {
	if l.conns[c.s] == c {
		delete(l.conns, c.s)
		l.debtors.gone(c)
		l.held.Add(-int64(c.held))
		l.opt.Closed(c.s)
	}
}

func (l *Loop) close(c *conn) {
	l.forget(c)
	c.Conn.Close()
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.ready.Signal()
}

// Trim does nothing: readers' buffers live as long as a read.
func (l *Loop) Trim() {}

// read carries what arrives to the loop.
func (l *Loop) read(c *conn) {
	for {
		buf := make([]byte, readBytes)
		n, err := c.Read(buf)
		if n > 0 && !l.Do(func() { l.receive(c, buf[:n]) }) {
			return
		}
		if err != nil {
			l.Do(func() { l.close(c) })
			return
		}
	}
}

// write sends what the loop has put out.
func (l *Loop) write(c *conn) {
	defer c.Conn.Close()
	var batch []byte
	for {
		c.mu.Lock()
		c.writing = 0
		for len(c.out) == 0 && !c.closing {
			c.ready.Wait()
		}
		batch, c.out = c.out, batch[:0]
		c.writing = len(batch)
		c.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		n, err := c.Conn.Write(batch)
		c.sentBytes(l.opt, n)
		if err != nil {
			l.Do(func() { l.close(c) })
			return
		}
		c.mu.Lock()
		c.writing = 0
		sourced := c.sourced
		c.mu.Unlock()
		if sourced {
			l.Do(func() { l.pull(c) })
		}
	}
}

// Listen makes loops accept from ln until it is closed.
func Listen(ln net.Listener, loops []*Loop) error {
	path := ""
	if u, ok := ln.Addr().(*net.UnixAddr); ok {
		path = u.Name
	}
	go func() {
		for i := 0; ; i++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			l := loops[i%len(loops)]
			if !l.Do(func() { l.welcome(c, path) }) {
				c.Close()
			}
		}
	}()
	return nil
}

// Unlisten undoes Listen and closes ln.
func Unlisten(ln net.Listener, _ []*Loop) { ln.Close() }

// SetBacklog does nothing here: the system decides.
func SetBacklog(net.Listener, int) {}

// enter gives the loop a connection whose handshake is done.
func (l *Loop) enter(c *tls.Conn) error {
	if !l.Do(func() { l.welcome(abrupt{c}, "") }) {
		return net.ErrClosed
	}
	return nil
}

// abrupt is a connection by TLS that is closed at once: the loop must not wait until a
// goodbye is sent.
type abrupt struct{ *tls.Conn }

// Close implements net.Conn.
func (a abrupt) Close() error { return a.NetConn().Close() }

func (l *Loop) welcome(nc net.Conn, path string) {
	if tcp, ok := nc.(*net.TCPConn); ok {
		if s := l.opt.KeepAlive(); s > 0 {
			tcp.SetKeepAlive(true)
			tcp.SetKeepAlivePeriod(time.Duration(s) * time.Second)
		}
	}
	s, refusal := l.opt.Open(l, addrPort(nc.RemoteAddr()), addrPort(nc.LocalAddr()), path)
	if refusal != "" {
		nc.Write([]byte("-" + refusal + "\r\n"))
		nc.Close()
		return
	}
	c := &conn{Conn: nc, s: s}
	_, s.Secure = nc.(abrupt)
	c.ready = sync.NewCond(&c.mu)
	l.conns[s] = c
	go l.read(c)
	go l.write(c)
}

func addrPort(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		at := tcp.AddrPort()
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	}
	return netip.AddrPort{}
}
