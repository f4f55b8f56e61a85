package clusterd

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/skeindb/skein/internal/cluster/core"
)

// link is one TCP connection of the bus, being dialled or up. Whoever takes it out of Driver.links closes it,
// and tells the core unless the core said so itself.
type link struct {
	id     core.Link
	ctx    context.Context // ends with the link
	cancel context.CancelFunc
	conn   net.Conn // nil while it is dialled; guarded by Driver.mu

	remote, local string // addresses of the two ends

	mu      sync.Mutex
	filled  sync.Cond
	emptied sync.Cond
	packets net.Buffers // to be written
	closed  bool        // or broken: nothing is written any more

	queued  atomic.Int64 // bytes in packets or being written
	reading atomic.Int64 // bytes of the receive buffer
}

func newLink(id core.Link) *link {
	l := &link{id: id}
	l.filled.L, l.emptied.L = &l.mu, &l.mu
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// put appends a packet, which nobody changes any more, and has it sent.
func (l *link) put(packet []byte) {
	l.add(packet)
	l.filled.Signal()
}

// add is put, but the packet may wait for the next one or for Driver.Send.
func (l *link) add(packet []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.packets = append(l.packets, packet)
		l.queued.Add(int64(len(packet)))
	}
}

// take waits for packets and takes all of them; none when the link is closed.
func (l *link) take() net.Buffers {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.packets) == 0 && !l.closed {
		l.filled.Wait()
	}
	packets := l.packets
	l.packets = nil
	return packets
}

// replyRoom is how many bytes of answers may wait on a link that a peer opened, before we stop to read what it asks.
const replyRoom = 1 << 20

// awaitRoom keeps a peer that asks and does not read the answers from filling our memory. On our own links, where
// others' questions do not come, answers are always read.
func (l *link) awaitRoom() {
	if l.id.Outbound() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.queued.Load() > replyRoom && !l.closed {
		l.emptied.Wait()
	}
}

// close ends the link. What is queued is lost. The caller holds Driver.mu.
func (l *link) close() {
	l.cancel()
	if l.conn != nil {
		l.conn.Close()
	}
	l.shut()
}

// shut drops what is queued.
func (l *link) shut() {
	l.mu.Lock()
	l.closed, l.packets = true, nil
	l.mu.Unlock()
	l.filled.Broadcast()
	l.emptied.Broadcast()
}

// write is the writer of an open link. An error is left to the reader to find.
func (l *link) write(conn net.Conn) {
	for packets := l.take(); packets != nil; packets = l.take() {
		bytes := int64(0)
		for _, p := range packets {
			bytes += int64(len(p))
		}
		if _, err := packets.WriteTo(conn); err != nil {
			conn.Close()
			l.shut()
			return
		}
		l.mu.Lock()
		l.queued.Add(-bytes)
		l.mu.Unlock()
		l.emptied.Signal()
	}
}

// memory is what the link costs in bytes.
func (l *link) memory() int64 {
	return int64(unsafe.Sizeof(*l)) + l.reading.Load() + l.queued.Load()
}

// open makes the link work on a connection. It reports false if the link was hung up meanwhile.
func (d *Driver) open(l *link, conn net.Conn) bool {
	l.remote, l.local = host(conn.RemoteAddr()), host(conn.LocalAddr())
	d.mu.Lock()
	current := d.links[l.id] == l
	if current {
		l.conn = conn
		d.done.Go(func() { l.write(conn) })
	}
	d.mu.Unlock()
	if !current {
		conn.Close()
		return false
	}
	_, ok := d.on(l, core.LinkUp{Link: l.id})
	return ok
}

// on is happen for an event of a link, if the link is still there.
func (d *Driver) on(l *link, ev core.Event) (o outcome, ok bool) {
	d.mu.Lock()
	if d.links[l.id] != l {
		d.mu.Unlock()
		return o, false
	}
	o, _ = d.step(ev, false)
	waiting := len(d.queue) > 0
	d.mu.Unlock()
	if waiting {
		d.finish()
	}
	return o, true
}

// lost ends a link that broke.
func (d *Driver) lost(l *link, why core.LinkDown) {
	d.mu.Lock()
	current := d.links[l.id] == l
	if current {
		d.drop(l, why)
	}
	waiting := len(d.queue) > 0
	d.mu.Unlock()
	if waiting {
		d.finish()
	}
}

// drop closes a link and tells the core. The caller holds d.mu.
func (d *Driver) drop(l *link, why core.LinkDown) {
	delete(d.links, l.id)
	l.close()
	why.Link = l.id
	d.step(why, false)
}

// closeFullLinks closes the links whose queue is over the limit: the peer does not read. The caller holds d.mu.
func (d *Driver) closeFullLinks() {
	limit := d.sendLimit.Load()
	if limit == 0 {
		return
	}
	for _, l := range d.links {
		if queued := l.queued.Load(); queued > limit {
			d.drop(l, core.LinkDown{OverLimit: true, BufferLen: queued})
		}
	}
}

// host is the IP of an address.
func host(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return ""
	}
	ip, _ := netip.AddrFromSlice(tcp.IP)
	return ip.Unmap().WithZone(tcp.Zone).String()
}
