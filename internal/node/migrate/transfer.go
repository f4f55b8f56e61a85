package migrate

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"strconv"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/rdb"
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
		j.items[i].moved = in.next()
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

// errNotRedis: what the target says is neither +OK nor an error.
var errNotRedis = errors.New("migrate: unexpected answer of the target")

// answers reads the lines that the target sends back. Behind the first error of
// the connection there are none; behind a refused AUTH or SELECT none counts.
type answers struct {
	c        *conn
	timeout  time.Duration
	restored int    // answers to RESTORE that came
	spoiled  bool   // AUTH or SELECT was refused
	refusal  string // the first error the target replied
	broken   error
}

func (a *answers) refused() error {
	return command.Error("ERR Target instance replied with error: " + a.refusal)
}

// line is the text of the next answer if that is an error.
func (a *answers) line() (text string, isError bool) {
	if a.broken != nil {
		return "", false
	}
	a.c.SetReadDeadline(time.Now().Add(a.timeout))
	line, err := a.c.in.ReadSlice('\n')
	if err != nil { // longer than the buffer, too: that is no redis
		a.broken = err
		return "", false
	}
	switch line[0] {
	case '-':
		return string(bytes.TrimRight(line[1:], "\r\n")), true
	case '+':
		return "", false
	}
	a.broken = errNotRedis
	return "", false
}

// refuse keeps the first refusal.
func (a *answers) refuse(text string) {
	if a.refusal == "" {
		a.refusal = text
	}
}

// prelude reads the answer to AUTH or SELECT.
func (a *answers) prelude() {
	if text, isError := a.line(); isError {
		a.spoiled = true
		a.refuse(text)
	}
}

// next reads the answer to a RESTORE and tells whether the target has the key.
func (a *answers) next() bool {
	text, isError := a.line()
	if a.broken != nil {
		return false
	}
	a.restored++
	if isError {
		a.refuse(text)
	}
	return !isError && !a.spoiled
}

// streamAbove is the length of value above which it is sent from where it is, in
// pieces and uncompressed, instead of being made a dump in memory first.
const streamAbove = 1 << 20

// sendBytes is how much is written at once, and how much may take j.timeout.
const sendBytes = 64 << 10

// send writes all commands of j.
func (m *Migrator) send(c *conn, j *job, sel bool) error {
	w := bufio.NewWriterSize(&slowly{c, j.timeout}, sendBytes)
	w.Write(j.appendPrelude(nil, sel))
	e := m.encoders.Get().(*rdb.Encoder)
	defer m.encoders.Put(e)
	var scratch []byte
	for i := range j.items {
		it := &j.items[i]
		w.Write(j.appendHead(scratch[:0], it))
		switch {
		case it.big != nil && it.big.Len() > streamAbove:
			w.Write(resp.AppendHeader(scratch[:0], resp.Bulk, rdb.StreamSize(it.big)))
			if err := rdb.Stream(w, it.big); err != nil {
				return err
			}
		case it.big != nil:
			scratch, _ = e.Dump(scratch[:0], it.big)
			writeHead(w, len(scratch))
			w.Write(scratch)
		default:
			scratch = e.DumpString(scratch[:0], it.text)
			writeHead(w, len(scratch))
			w.Write(scratch)
		}
		w.WriteString("\r\n")
		if j.replace {
			w.WriteString("$7\r\nREPLACE\r\n")
		}
	}
	return w.Flush() // which fails if any write before it did
}

func writeHead(w *bufio.Writer, n int) {
	w.Write(resp.AppendHeader(w.AvailableBuffer(), resp.Bulk, n))
}

// appendPrelude appends what precedes the keys.
func (j *job) appendPrelude(b []byte, sel bool) []byte {
	switch {
	case j.user != nil:
		b = resp.AppendCommandBytes(b, []byte("AUTH"), j.user, j.password)
	case j.password != nil:
		b = resp.AppendCommandBytes(b, []byte("AUTH"), j.password)
	}
	if sel {
		b = resp.AppendCommand(b, "SELECT", strconv.FormatInt(j.toDB, 10))
	}
	return b
}

// appendHead appends the RESTORE of a key up to its dump.
func (j *job) appendHead(b []byte, it *item) []byte {
	name, n := "RESTORE", 4
	if j.cluster {
		name = "RESTORE-ASKING"
	}
	if j.replace {
		n++
	}
	b = resp.AppendArray(b, n)
	b = resp.AppendBulkString(b, name)
	b = resp.AppendBulk(b, it.key)
	return resp.AppendBulkInt(b, it.ttlMs)
}

// slowly writes in pieces, each of which may take timeout.
type slowly struct {
	c       *conn
	timeout time.Duration
}

func (s *slowly) Write(p []byte) (n int, err error) {
	for n < len(p) {
		s.c.SetWriteDeadline(time.Now().Add(s.timeout))
		k, err := s.c.Write(p[n:min(len(p), n+sendBytes)])
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
