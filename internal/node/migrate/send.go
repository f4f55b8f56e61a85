package migrate

import (
	"bufio"
	"strconv"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/store/rdb"
)

// streamAbove is the length of a string above which it is sent from where it is, in
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
	e.Plain = m.Keyspace.Tuned().PlainDumps
	var scratch []byte
	for i := range j.items {
		it := &j.items[i]
		w.Write(j.appendHead(scratch[:0], it))
		switch s, isString := it.big.(*value.String); {
		case isString && s.Len() > streamAbove:
			w.Write(resp.AppendHeader(scratch[:0], resp.Bulk, rdb.StreamSize(s)))
			if err := rdb.Stream(w, s); err != nil {
				return err
			}
		case it.big != nil:
			dump, err := e.DumpPieces(it.big)
			if err != nil {
				return err
			}
			writeHead(w, dump.Len())
			for _, b := range dump {
				w.Write(b)
			}
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
