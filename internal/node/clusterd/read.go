package clusterd

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
)

// A receive buffer begins small, since a node may have thousands of links, and doubles while a packet does not fit: a
// peer that announces a large packet gets memory for what it really sends.
const (
	readMin  = 4 << 10
	readKeep = 64 << 10 // a larger buffer is given back once it is empty
)

// read is the reader of a link, until the link ends.
func (d *Driver) read(l *link, conn net.Conn) {
	var dec bus.Decoder
	buf := make([]byte, 0, readMin)
	for {
		l.reading.Store(int64(cap(buf)))
		l.awaitRoom()
		n, err := conn.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		used, ok := d.packets(l, &dec, buf)
		if !ok {
			return
		}
		if err != nil {
			d.logf(core.Debug, "I/O error reading from node link: %v", cause(err))
			d.lost(l, core.LinkDown{})
			return
		}
		buf = rest(buf, used)
	}
}

// rest moves what is not used to the front of a buffer that has room for more.
func rest(buf []byte, used int) []byte {
	left := buf[used:]
	switch {
	case len(left) == 0 && cap(buf) > readKeep:
		return make([]byte, 0, readMin)
	case len(left) == cap(buf):
		return append(make([]byte, 0, 2*cap(buf)), left...)
	}
	return append(buf[:0], left...)
}

// packets gives the complete packets in buf to the core and returns how many bytes they were. It reports false
// when the link is over.
func (d *Driver) packets(l *link, dec *bus.Decoder, buf []byte) (used int, ok bool) {
	for used < len(buf) {
		m, n, err := dec.Decode(buf[used:])
		used += n
		var ignored *bus.Ignored
		switch {
		case errors.As(err, &ignored):
			ok = d.ignored(l, ignored)
		case err != nil:
			d.logf(core.Warning, "Bad message length or signature received on the Cluster bus from %s", l.remote)
			d.lost(l, core.LinkDown{})
			return used, false
		case m == nil:
			return used, true
		default:
			ok = d.received(l, m)
		}
		if !ok {
			return used, false
		}
	}
	return used, true
}

// ignored is a packet whose content makes no sense. The core counts it and does nothing else: it names no sender.
func (d *Driver) ignored(l *link, why *bus.Ignored) bool {
	if !errors.Is(why, bus.ErrType) { // of which the core makes a record
		d.logf(core.Verbose, "From %s: %v", l.remote, why)
	}
	_, ok := d.on(l, core.Received{Link: l.id, Msg: &bus.Msg{Type: why.Type}})
	return ok
}

// received gives a packet to the core. Of a PUBLISH the core sees the header only, and says whether we know the sender.
func (d *Driver) received(l *link, m *bus.Msg) bool {
	seen := m
	if m.Publish != nil || m.Module != nil { // they point into the buffer, and the flight recorder keeps what it sees
		header := *m
		header.Publish, header.Module = nil, nil
		seen = &header
	}
	o, ok := d.on(l, core.Received{Link: l.id, Msg: seen, RemoteIP: l.remote, LocalIP: l.local})
	if ok && o.dropped && d.closesOnDrop() {
		d.lost(l, core.LinkDown{})
		return false
	}
	if o.deliver && m.Publish != nil && d.opt.Deliver != nil {
		d.opt.Deliver(m.Publish.Channel, m.Publish.Message, m.Type == bus.TypePublishShard)
	}
	return ok
}

func (d *Driver) logf(level core.Level, format string, args ...any) {
	if at := slogLevels[level]; d.log.Enabled(context.Background(), at) {
		d.log.Log(context.Background(), at, fmt.Sprintf(format, args...))
	}
}
