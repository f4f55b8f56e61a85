package migrate

import (
	"errors"
	"os"
)

// transfer sends all of j and marks what the target took. A connection that
// fails before the first answer is replaced once, since one kept from before may
// have been closed by the target; a timeout is not tried again.
func (m *Migrator) transfer(j *job) error {
	for try := 0; ; try++ {
		c, err := m.pool.take(j.address)
		if c == nil {
			c, err = m.connect(j)
		}
		if err != nil {
			return errConnect
		}
		err, again := m.talk(c, j)
		if !again || try > 0 || m.stopping() {
			return err
		}
	}
}

func (m *Migrator) stopping() bool {
	select {
	case <-m.closing:
		return true
	default:
		return false
	}
}

func (m *Migrator) connect(j *job) (*conn, error) {
	nc, err := m.Dial(j.address, j.timeout)
	if err != nil {
		return nil, err
	}
	return m.pool.adopt(nc, j.address)
}

// talk sends j over c and reads the answers. again tells that the connection
// broke before any. c is kept for later, or closed.
func (m *Migrator) talk(c *conn, j *job) (err error, again bool) {
	sel := c.db != j.toDB
	if err := m.send(c, j, sel); err != nil {
		m.pool.drop(c)
		return errWriting, !isTimeout(err)
	}
	in := answers{c: c, timeout: j.timeout}
	if j.password != nil {
		in.prelude()
	}
	if sel {
		in.prelude()
	}
	for i := range j.items {
		first := in.refusal == ""
		j.items[i].moved = in.next()
		if first && in.refusal != "" {
			in.refusal += j.items[i].beyond()
		}
	}
	if in.broken != nil {
		m.pool.drop(c)
		if in.refusal != "" {
			return in.refused(), false
		}
		return errReading, in.restored == 0 && !isTimeout(in.broken)
	}
	c.db = j.toDB
	if in.refusal != "" {
		c.db = unknownDB
		err = in.refused()
	}
	m.pool.give(c)
	return err, false
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
