package repl

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

// A full sync is an RDB in one of two frames:
//
//	$<length>\r\n <length bytes>
//	$EOF:<mark of 40 bytes>\r\n <bytes> <mark>
//
// Empty lines before it say that the master is busy making it.

// markLen is the length of the mark behind an RDB of unknown length.
const markLen = 40

// errBrokenMark: the RDB was read to its end, and something else than the mark follows.
var errBrokenMark = errors.New("Replication stream EOF marker is broken")

// frame is how an RDB is framed.
type frame struct {
	length int64  // in bytes, -1: up to the mark
	mark   []byte // nil if the length is known
}

// parseFrame reads the line before an RDB.
func parseFrame(line string) (frame, bool) {
	rest, ok := strings.CutPrefix(line, "$")
	if !ok {
		return frame{}, false
	}
	if mark, ok := strings.CutPrefix(rest, "EOF:"); ok && len(mark) >= markLen {
		return frame{length: -1, mark: []byte(mark[:markLen])}, true
	}
	n, err := strconv.ParseInt(rest, 10, 64)
	return frame{length: n}, err == nil && n >= 0
}

// payload reads the bytes inside a frame, and not one more. An end of the input
// before that is io.ErrUnexpectedEOF.
type payload struct {
	in   *bufio.Reader
	left int64  // -1: until the mark
	mark []byte //
	done bool
	read func(n int) // told how many bytes came
}

// Read implements io.Reader.
func (p *payload) Read(b []byte) (n int, err error) {
	switch {
	case p.done || p.left == 0:
		p.done = true
		return 0, io.EOF
	case len(b) == 0:
		return 0, nil
	case p.mark == nil:
		n, err = p.in.Read(b[:min(int64(len(b)), p.left)])
		p.left -= int64(n)
	default:
		n, err = p.untilMark(b)
	}
	if n > 0 && p.read != nil {
		p.read(n)
	}
	if err == io.EOF && !p.done {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// untilMark reads what is before the mark. What may be its beginning is left in the
// input until more has come.
func (p *payload) untilMark(b []byte) (n int, err error) {
	seen, err := p.in.Peek(markLen)
	if len(seen) < markLen {
		return 0, err
	}
	seen, _ = p.in.Peek(p.in.Buffered())
	at := bytes.Index(seen, p.mark)
	switch {
	case at == 0:
		p.in.Discard(markLen)
		p.done = true
		return 0, io.EOF
	case at < 0:
		at = len(seen) - markLen + 1 // the mark may begin behind that
	}
	return p.in.Read(b[:min(len(b), at)])
}

// frame waits for the line before the RDB. What went wrong is in the log when it returns.
func (f *follower) frame(w *wire) (frame, error) {
	for {
		line, err := w.line()
		switch {
		case err != nil && f.ctx.Err() == nil && !errors.Is(err, errSilent):
			f.warn("I/O error reading bulk count from MASTER: " + reason(err))
			fallthrough
		case err != nil:
			f.silent(err)
			return frame{}, err
		case line == "":
			continue
		case line[0] == '-':
			f.warn("MASTER aborted replication with an error: " + line[1:])
			return frame{}, errRefused
		}
		fr, ok := parseFrame(line)
		if !ok {
			f.warn("Bad protocol from MASTER, the first byte is not '$' (we received '" + line + "'), are you sure the host and port are right?")
			return frame{}, errRefused
		}
		return fr, nil
	}
}

// silent logs that the transfer has come to a standstill, if that is what err says.
func (f *follower) silent(err error) {
	if errors.Is(err, errSilent) {
		f.warn("Timeout receiving bulk data from MASTER... If the problem persists try to set the 'repl-timeout' parameter in redis.conf to a larger value.")
	}
}

// payload is the RDB inside its frame.
func (f *follower) payload(w *wire, fr frame) *payload {
	f.total.Store(max(fr.length, 0))
	return &payload{in: w.in, left: fr.length, mark: fr.mark, read: func(n int) {
		f.got.Add(int64(n))
		f.gotMs.Store(now())
	}}
}

// rest reads what stands behind the RDB inside its frame: nothing, or the frame is broken.
func (p *payload) rest() error {
	if _, err := io.Copy(io.Discard, p); err != nil {
		return errBrokenMark
	}
	return nil
}
