package oplog

import (
	"errors"
	"slices"
)

// ErrCutOff is what a reader gets that fell too far behind, or whose stream was
// replaced by another one.
var ErrCutOff = errors.New("oplog: the reader was cut off")

// ErrNotKept is returned for an offset that is not in the log: too old, or of a
// future that never was.
var ErrNotKept = errors.New("oplog: the offset is not in the log")

// ErrClosed is what a closed reader gets.
var ErrClosed = errors.New("oplog: the reader is closed")

// Reader pulls one of the two streams out of a Log. Read and Close are for one
// goroutine; the rest is for anybody.
type Reader struct {
	// Ring, if set before the first Read, is called instead of ringing the Bell. It
	// must be quick and not use the log, whose lock is held.
	Ring func()

	log  *Log
	to   Class // Replicas or File
	most int64 // bytes that it may be behind, 0: no limit
	bell chan struct{}

	// Under the log's lock.
	at    int64 // position of the next byte
	waits bool  // the last Read found nothing
	err   error

	db   int    // selected in the file's stream, -1: none
	head []byte // SELECT to be delivered before the next byte
}

// ReadFrom returns a reader of the replication stream that begins after an offset:
// with its next byte, offset+1. It is cut off when it falls more than most bytes
// behind, unless that is 0. The error is ErrNotKept.
func (l *Log) ReadFrom(offset, most int64) (*Reader, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.offset.Load(); offset > now || offset < l.oldest() {
		return nil, ErrNotKept
	}
	return l.open(&Reader{log: l, to: Replicas, most: most, at: l.position(offset)}), nil
}

// ReadFile returns a reader of the file's stream that begins with what is appended
// next. It is never cut off.
func (l *Log) ReadFile() *Reader {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open(&Reader{log: l, to: File, at: l.end})
}

func (l *Log) open(r *Reader) *Reader {
	r.bell, r.db = make(chan struct{}, 1), -1
	l.readers = append(l.readers, r)
	l.settle()
	return r
}

// position is where the byte after a replication offset lies.
func (l *Log) position(offset int64) int64 {
	for _, s := range slices.Backward(l.segments) {
		if s.offset <= offset {
			return s.at + int64(s.seek(offset))
		}
	}
	return l.end
}

// Read copies the next bytes to p and returns how many they are, 0 if there are
// none yet: Bell then rings once there are. A copy may end within a command.
func (r *Reader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(r.head) > 0 {
			k := copy(p[n:], r.head)
			r.head, n = r.head[k:], n+k
			continue
		}
		s, b, err := r.next(len(p)-n, n == 0)
		if s == nil {
			if n > 0 {
				err = nil // it comes again with the next call
			}
			return n, err
		}
		n += copy(p[n:], b)
		s.pins.Add(-1)
	}
	return n, nil
}

// next takes up to most bytes of the reader's stream and pins their segment, or
// none before a SELECT that is in r.head then. A reader that finds nothing, and may
// wait, is woken.
func (r *Reader) next(most int, wait bool) (s *segment, b []byte, err error) {
	l := r.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.err != nil {
		return nil, nil, r.err
	}
	for {
		s := l.segmentOf(r.at)
		if s == nil {
			r.waits = wait
			return nil, nil, nil
		}
		i := int(r.at - s.at)
		j := s.runAt(i)
		in, limit := &s.runs[j], s.limit(j)
		switch {
		case !goes(in.class, r.to):
			r.at = s.at + int64(limit)
			continue
		case r.to == File && in.db >= 0 && in.db != r.db:
			r.db = in.db
			r.head = appendSelect(r.head[:0], in.db)
			limit = i
		}
		n := min(limit-i, most)
		r.at += int64(n)
		s.pins.Add(1)
		return s, s.bytes[i : i+n], nil
	}
}

// segmentOf is the segment that has the byte at a position, nil at the end.
func (l *Log) segmentOf(at int64) *segment {
	n := len(l.segments)
	if n == 0 || at >= l.end {
		return nil
	}
	i := int((at - l.segments[0].at) / int64(l.size)) // all but the last are full
	return l.segments[min(i, n-1)]
}

// Bell rings, once, when there is something to read after Read had found nothing,
// and when the reader was cut off.
func (r *Reader) Bell() <-chan struct{} { return r.bell }

// ring is called after the log has grown, or r has ended.
func (r *Reader) ring() {
	switch {
	case !r.waits && r.err == nil || r.at >= r.log.end && r.err == nil:
		return
	case r.Ring != nil:
		r.waits = false
		r.Ring()
		return
	}
	r.waits = false
	select {
	case r.bell <- struct{}{}:
	default:
	}
}

// Err is why the reader has ended, nil if it has not.
func (r *Reader) Err() error {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	return r.err
}

// Behind is how many bytes of the log the reader has not read yet.
func (r *Reader) Behind() int64 {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	return r.log.end - r.at
}

// Close ends the reader; a Read that waits is woken.
func (r *Reader) Close() {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	r.log.cut(r, ErrClosed)
	r.log.settle()
}

// cut ends r with an error.
func (l *Log) cut(r *Reader, err error) {
	if r.err == nil {
		r.err = err
	}
	l.readers = slices.DeleteFunc(l.readers, func(o *Reader) bool { return o == r })
	r.ring()
}
