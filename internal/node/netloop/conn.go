//go:build linux && !portable

package netloop

import (
	"syscall"
	"unsafe"

	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/session"
)

// serveOne feeds what was received to the session.
func (l *Loop) serveOne(c *conn) {
	if c.s.Killed() { // after this turn had begun
		l.attend(c)
		return
	}
	data := c.in
	if c.s.Parked() {
		l.keep(c, data)
		l.weigh(c)
		return
	}
	from := l.feed(c, data)
	l.post(c, from)
}

// read receives what there is behind what is not consumed yet; not ok: nothing.
func (l *Loop) read(c *conn) (ok bool) {
	room := l.room(c)
	if room == nil {
		return false
	}
	n, errno := rawReceive(c.fd, room)
	switch {
	case errno == syscall.EAGAIN:
		c.filled = false
		return false
	case n <= 0 || errno != 0:
		l.close(c)
		return false
	}
	l.opt.Received(n)
	c.s.Pending.NetIn += int64(n)
	c.s.Active = l.turn.NowMs
	c.s.Parser.MaxBulk = l.opt.MaxBulk()
	c.filled = n == len(room)
	if c.filled || c.ended {
		l.readLater(c)
	}
	c.in = c.in[:len(c.in)+n]
	c.peak = max(c.peak, len(c.in))
	return true
}

// feed lets the session run what is complete in data and keeps the rest. The
// replies stand in l.out, behind those of others, from the returned offset on.
func (l *Loop) feed(c *conn, data []byte) (from int) {
	from = len(l.out)
	c.s.Out.Buf = l.out
	p := &c.s.Pending
	p.In, p.InFree, p.Parsed = len(data), cap(c.in)-len(c.in), 0
	n := l.opt.Engine.Feed(&l.turn, c.s, data)
	l.out, c.s.Out.Buf = c.s.Out.Buf, nil
	l.keep(c, data[n:])
	return from
}

// keep makes rest, the end of what is there, the connection's unconsumed input.
func (l *Loop) keep(c *conn, rest []byte) {
	switch {
	case c.s.Taken:
		c.s.Taken = false
		c.in = append(make([]byte, 0, max(len(rest), bufferBytes)), rest...)
	case len(rest) < len(c.in):
		c.in = c.in[:copy(c.in, rest)]
	}
	l.expect(c)
	p := &c.s.Pending
	p.Parsed = min(c.s.Parser.Known(), len(c.in))
	p.In, p.InFree = len(c.in)-p.Parsed, cap(c.in)-len(c.in)
	if limit := l.opt.MaxQuery(); len(c.in) > limit {
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
	from := len(l.out)
	s.Out.Buf = l.out
	s.Out.Raw(mail)
	if s.Away && knock.Replied {
		l.opt.Engine.Answer(&l.turn, s, knock.Reply)
		knock.Replied, knock.Wake = false, true
		if !s.Away { // or else an EXEC goes on, with another script
			s.TakeMail()
		}
	}
	if knock.Replied {
		l.opt.Engine.Answer(&l.turn, s, knock.Reply)
	}
	if knock.Wake && len(s.Retry) > 0 {
		l.opt.Engine.Retry(&l.turn, s)
	}
	if !s.Parked() && (knock.Replied || knock.Wake) && len(c.in) > 0 && !c.growing {
		n := l.opt.Engine.Feed(&l.turn, s, c.in)
		l.keep(c, c.in[n:])
	}
	l.out, s.Out.Buf = s.Out.Buf, nil
	l.post(c, from)
}

// live tells whether c is a connection of the loop still.
func (l *Loop) live(c *conn) bool { return l.conns[c.fd] == c }

// repay posts what c need not withhold any more.
func (l *Loop) repay(c *conn, settle func(*session.Owed) exec.Debt) {
	from := len(l.out)
	if l.out = c.withheld.release(l.out, settle); len(c.withheld.owed) == 0 {
		c.withheld = nil
	}
	if len(l.out) > from || c.withheld == nil {
		l.enqueue(c, from)
	}
}

// disown tells the peer of a connection about to be closed that nobody knows what
// its writes are worth.
func (l *Loop) disown(c *conn) {
	if !l.live(c) || c.withheld == nil {
		return
	}
	l.deliver() // what was made before
	if made := c.withheld.release(nil, lost); l.live(c) && len(c.out) == 0 {
		l.write(c, made)
	}
	c.withheld, l.debtors.fresh = nil, true
}

// post is flush at the end of the turn: the peers read what a whole turn made at
// once, and ask again together. One who is woken for each of them costs more than
// all the commands.
func (l *Loop) post(c *conn, from int) {
	if l.conns[c.fd] != c {
		l.out = l.out[:from]
		return
	}
	c.s.Publish() // before the peer, who may ask others about it, reads the replies
	if c.withheld != nil || len(c.s.Owed) > 0 {
		for i := range c.s.Owed { // which counts from the beginning of l.out
			c.s.Owed[i].From -= from
			c.s.Owed[i].To -= from
		}
		l.withhold(c, l.out[from:])
		l.out = l.out[:from]
		if !l.overLimit(c, len(c.out)-c.sent+len(c.withheld.bytes)) {
			l.weigh(c)
		}
		return
	}
	l.enqueue(c, from)
}

// enqueue makes l.out[from:] go to c when the turn ends.
func (l *Loop) enqueue(c *conn, from int) {
	if l.overLimit(c, len(c.out)-c.sent+len(l.out)-from) {
		l.out = l.out[:from]
		return
	}
	l.posted = append(l.posted, posted{c, from, len(l.out)})
	if len(l.out) > postBytes {
		l.deliver()
	}
}

// deliver writes what was posted, once the replicas have been sent what it tells of.
func (l *Loop) deliver() {
	l.carry()
	for i := range l.posted {
		p := &l.posted[i]
		if l.conns[p.c.fd] == p.c {
			l.flush(p.c, l.out[p.from:p.to])
		}
		p.c = nil
	}
	l.posted = l.posted[:0]
	if l.out = l.out[:0]; cap(l.out) > keepBytes {
		l.out = nil
	}
}

// flush sends what the session has put out, or keeps it until the socket takes it.
func (l *Loop) flush(c *conn, made []byte) {
	if c.carrier != nil {
		l.advance(c, made)
		return
	}
	if len(c.out) == 0 && len(made) > 0 {
		n := l.write(c, made)
		if n < 0 {
			return
		}
		made = made[n:]
	}
	if len(made) > 0 {
		c.out = append(c.out, made...)
		l.await(c, true)
	}
	l.settle(c)
}

// send is flush for what waited.
func (l *Loop) send(c *conn) {
	if c.carrier != nil {
		l.advance(c, nil)
		return
	}
	if len(c.out) > c.sent {
		n := l.write(c, c.out[c.sent:])
		if n < 0 {
			return
		}
		c.sent += n
	}
	if c.sent == len(c.out) {
		if c.out, c.sent = c.out[:0], 0; c.s.Source == nil {
			c.out = nil
		}
		l.await(c, false)
	}
	l.settle(c)
}

// overLimit closes a connection with too much output waiting. Redis looks before
// it writes: who asks for more than the limit at once does not get any of it.
func (l *Loop) overLimit(c *conn, waiting int) bool {
	why := l.opt.OverLimit(c.s, waiting, l.turn.NowMs)
	if why == "" {
		return false
	}
	l.opt.Log.Warn("Client closed for overcoming of output buffer limits.", "addr", c.s.Remote.String(), "limit", why)
	l.close(c)
	return true
}

// settle closes a connection that has said goodbye.
func (l *Loop) settle(c *conn) {
	if waiting := len(c.out) - c.sent; waiting != c.s.Pending.Out {
		c.s.Pending.Out = waiting
		c.s.Publish()
	}
	l.weigh(c)
	switch {
	case c.s.Pending.Out > 0 || c.withheld != nil:
	case c.s.Is(session.CloseAfterReply):
		l.close(c)
	case c.s.Source != nil:
		l.pull(c)
	}
}

// Pulling is bounded: others have their turn between.
const (
	pullBytes = 64 << 10
	pullsMax  = 16
)

// pull sends what the session's Source has, until the socket is full or there is no more.
func (l *Loop) pull(c *conn) {
	buf := l.pullBuffer()
	for range pullsMax {
		if c.s.Source.Live() {
			l.share(c)
			l.advance(c, nil)
			return
		}
		made, ok := c.s.Pull(buf)
		if !ok {
			l.close(c)
		}
		if !ok || made == 0 {
			return
		}
		sent := l.write(c, buf[:made])
		if sent < 0 {
			return
		}
		if sent < made {
			c.out = append(c.out, buf[sent:made]...)
			c.s.Pending.Out = made - sent
			c.s.Publish()
			l.await(c, true)
			return
		}
	}
	c.s.Ring()
}

// pullBuffer is where the loop pulls to.
func (l *Loop) pullBuffer() []byte {
	if l.pulled == nil {
		l.pulled = make([]byte, pullBytes)
	}
	return l.pulled
}

// connBytes is what a connection takes without its buffers.
const connBytes = int(unsafe.Sizeof(conn{}) + unsafe.Sizeof(session.Session{}))

// weigh counts what c holds now.
func (l *Loop) weigh(c *conn) {
	held := connBytes + cap(c.in) + c.s.QueueBytes() + c.s.Watch.Bytes()
	if c.s.Source == nil { // what a replica has to wait for evicts no key
		held += cap(c.out)
	}
	if c.withheld != nil {
		held += cap(c.withheld.bytes)
	}
	if c.relay != nil {
		held += relayBytes
	}
	if held != c.held && l.conns[c.fd] == c {
		l.held.Add(int64(held - c.held))
		c.held = held
	}
}

// Held is how many bytes the connections of the loop hold. Safe from any goroutine.
func (l *Loop) Held() int64 { return l.held.Load() }

// write returns how many bytes the socket took, or -1 if the connection is gone.
func (l *Loop) write(c *conn, b []byte) int {
	n, errno := rawSend(c.fd, b)
	switch {
	case errno == syscall.EAGAIN:
		return 0
	case errno != 0:
		l.close(c)
		return -1
	}
	if c.s.Source == nil {
		l.opt.Sent(n)
	} else {
		l.opt.ReplSent(n)
	}
	c.s.Pending.NetOut += int64(n)
	c.s.Active = l.turn.NowMs
	return n
}

// await turns the interest in a writable socket on and off.
func (l *Loop) await(c *conn, on bool) {
	if c.waiting == on {
		return
	}
	c.waiting = on
	events := connEvents
	if on {
		events |= syscall.EPOLLOUT
	}
	l.control(syscall.EPOLL_CTL_MOD, c.fd, events)
}

func (l *Loop) close(c *conn) {
	if l.conns[c.fd] != c {
		return
	}
	l.conns[c.fd] = nil
	l.debtors.gone(c)
	l.open--
	l.held.Add(-int64(c.held))
	l.control(syscall.EPOLL_CTL_DEL, c.fd, 0)
	l.unshare(c)
	l.opt.Closed(c.s) // before the peer can know: a replica that comes back finds nothing kept for its old connection
	syscall.Close(c.fd)
	if c.relay != nil {
		c.relay.left()
	}
}

// Adopt gives the loop a connected, non-blocking socket and its session. It
// runs on the loop's goroutine.
func (l *Loop) Adopt(fd int, s *session.Session) error {
	s.FD, s.Gives = fd, true
	c := &conn{s: s, fd: fd}
	l.place(c)
	l.open++
	l.weigh(c)
	if err := l.control(syscall.EPOLL_CTL_ADD, fd, connEvents); err != nil {
		l.close(c)
		return err
	}
	return nil
}
