package repl

import (
	"sync"

	"github.com/skeindb/skein/internal/store/oplog"
)

// stream is what a replica is sent: first what stands in head, then the RDB, then
// the log. It is the session's Source.
type stream struct {
	ring func() // session.Ring

	mu      sync.Mutex
	head    []byte
	pipe    *pipe         // the RDB; nil if there is none, or it is sent
	reader  *oplog.Reader // the log; nil before the cut
	flowing bool          // the log may be sent
	last    bool          // the connection ends behind head
}

// say puts b before what comes next. It must not be called while the RDB or the
// log is being sent.
func (st *stream) say(b []byte) {
	st.mu.Lock()
	st.head = append(st.head, b...)
	st.mu.Unlock()
	st.ring()
}

// begin makes the RDB, if there is one, and the log behind it what comes next;
// line goes before.
func (st *stream) begin(line string, rdb *pipe, log *oplog.Reader) {
	st.mu.Lock()
	st.head = append(st.head, line...)
	st.pipe, st.reader = rdb, log
	st.mu.Unlock()
	st.ring()
}

// insert makes rdb come before the log.
func (st *stream) insert(rdb *pipe) {
	st.mu.Lock()
	st.pipe = rdb
	if st.last { // the replica is gone
		rdb.close()
	}
	st.mu.Unlock()
	st.ring()
}

// flow lets the log be sent.
func (st *stream) flow() {
	st.mu.Lock()
	st.flowing = true
	st.mu.Unlock()
	st.ring()
}

// end closes the connection behind the line.
func (st *stream) end(line string) {
	st.mu.Lock()
	st.head, st.last = append(st.head, line...), true
	st.mu.Unlock()
	st.ring()
}

// close lets go of pipe and log.
func (st *stream) close() {
	st.mu.Lock()
	pipe, reader := st.pipe, st.reader
	st.last = true
	st.mu.Unlock()
	if pipe != nil {
		pipe.close()
	}
	if reader != nil {
		reader.Close()
	}
}

// Pull implements session.Source.
func (st *stream) Pull(p []byte) (n int, ok bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch {
	case len(st.head) > 0:
		n = copy(p, st.head)
		st.head = append(st.head[:0], st.head[n:]...)
		return n, true
	case st.last || st.reader != nil && st.reader.Err() != nil:
		return 0, false
	case st.pipe != nil:
		n, done := st.pipe.pull(p)
		if !done {
			return n, true
		}
		st.pipe = nil
	}
	if !st.flowing {
		return 0, true
	}
	n, err := st.reader.Read(p)
	return n, err == nil
}

// Live implements session.Source: the log is being sent, and nothing else will be.
func (st *stream) Live() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.flowing && len(st.head) == 0 && st.pipe == nil
}

// Waiting implements session.Source.
func (st *stream) Waiting() int64 {
	st.mu.Lock()
	defer st.mu.Unlock()
	n := int64(len(st.head))
	if st.pipe != nil {
		n += st.pipe.waiting()
	}
	if st.reader != nil {
		n += st.reader.Behind()
	}
	return n
}

// stuckSince is since when (Unix ms) the RDB does not get through, 0 if it does.
func (st *stream) stuckSince() int64 {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.pipe == nil {
		return 0
	}
	return st.pipe.stuckSince()
}

// cutOff tells whether the log is no longer kept for the replica.
func (st *stream) cutOff() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return !st.last && st.reader != nil && st.reader.Err() != nil
}
