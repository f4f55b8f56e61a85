package migrate

import (
	"bufio"
	"net"
	"slices"
	"sync"
	"time"
)

// Connections are kept as redis keeps them: 64 at most, 10 seconds each.
const (
	keepMax  = 64
	keepTime = 10 * time.Second
)

// unknownDB is the database of a connection on which none was selected yet, or
// on which something went wrong.
const unknownDB = -1

// conn is a connection to a target. It is in use by one job, or idle.
type conn struct {
	net.Conn
	in      *bufio.Reader
	address string
	db      int64 // selected at the target
	stale   *time.Timer
}

// pool holds the connections. The zero value is ready to use.
type pool struct {
	mu     sync.Mutex
	idle   []*conn // the longest idle one first
	busy   []*conn
	closed bool
}

func (p *pool) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}

// take makes an idle connection to address busy. It is nil if there is none.
func (p *pool) take(address string) (*conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, net.ErrClosed
	}
	for i, c := range slices.Backward(p.idle) {
		if c.address == address {
			c.stale.Stop()
			p.idle = slices.Delete(p.idle, i, i+1)
			p.busy = append(p.busy, c)
			return c, nil
		}
	}
	return nil, nil
}

// adopt makes nc a busy connection.
func (p *pool) adopt(nc net.Conn, address string) (*conn, error) {
	c := &conn{Conn: nc, in: bufio.NewReader(nc), address: address, db: unknownDB}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		nc.Close()
		return nil, net.ErrClosed
	}
	p.busy = append(p.busy, c)
	return c, nil
}

// give makes a busy connection idle.
func (p *pool) give(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(&p.busy, c)
	if p.closed {
		c.Close()
		return
	}
	if len(p.idle) == keepMax {
		p.idle[0].stale.Stop()
		p.idle[0].Close()
		p.idle = slices.Delete(p.idle, 0, 1)
	}
	p.idle = append(p.idle, c)
	c.stale = time.AfterFunc(keepTime, func() { p.expire(c) })
}

// drop closes a busy connection.
func (p *pool) drop(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(&p.busy, c)
	c.Close()
}

// expire closes a connection that is still idle.
func (p *pool) expire(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.forget(&p.idle, c) {
		c.Close()
	}
}

// forget takes c out of a list.
func (p *pool) forget(list *[]*conn, c *conn) bool {
	i := slices.Index(*list, c)
	if i < 0 {
		return false
	}
	*list = slices.Delete(*list, i, i+1)
	return true
}

// close closes all connections, the busy ones too.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range slices.Concat(p.idle, p.busy) {
		c.Close()
	}
	p.idle = nil
}
