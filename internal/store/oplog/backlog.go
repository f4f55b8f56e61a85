package oplog

import "slices"

// SetBacklog keeps at least so many bytes of the replication stream for replicas
// that come back, from now on; 0 ends the backlog.
func (l *Log) SetBacklog(bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.backlog == 0 {
		l.began = l.offset.Load()
	}
	l.backlog = max(bytes, 0)
	l.settle()
	if l.backlog > 0 {
		l.last() // its memory counts from now on, not from some later write on
	}
}

// Backlog is the size asked for, 0 without a backlog, the offset of the first byte
// that is kept, and how many are: INFO's repl_backlog_size,
// repl_backlog_first_byte_offset and repl_backlog_histlen.
func (l *Log) Backlog() (size, first, kept int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.backlog == 0 {
		return 0, 0, 0
	}
	from := l.oldest()
	return l.backlog, from + 1, l.offset.Load() - from
}

// oldest is the offset before the first byte that a replica may still ask for.
func (l *Log) oldest() int64 {
	if len(l.segments) == 0 {
		return l.offset.Load()
	}
	return max(l.segments[0].offset, l.began)
}

// Restart forgets everything and goes on from a replication offset: the node has
// taken over another's data set. Readers for replicas are cut off.
func (l *Log) Restart(offset int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range slices.Clone(l.readers) {
		if r.to == Replicas {
			l.cut(r, ErrCutOff)
		}
	}
	l.offset.Store(offset)
	l.began, l.db = offset, -1
	for _, s := range l.segments { // what the file's reader has not seen yet stays, without offsets
		s.restart(offset)
	}
	l.settle()
}

// Memory is the size of all segments in bytes.
func (l *Log) Memory() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.segments)
	if l.spare != nil {
		n++
	}
	return int64(n) * int64(l.size)
}

// settle follows a change of the log, the backlog or the readers.
func (l *Log) settle() {
	for i := len(l.readers) - 1; i >= 0; i-- { // which cut shortens
		if r := l.readers[i]; r.most > 0 && l.end-r.at > r.most {
			l.cut(r, ErrCutOff)
		}
	}
	active := l.backlog > 0 || len(l.readers) > 0
	if l.active.Load() != active {
		l.active.Store(active)
		l.segments, l.spare = nil, nil
	}
	l.trim()
}

// trim drops the oldest segments that nobody needs. One that goes when another is
// wanted is used again; if they are several, the log has become shorter.
func (l *Log) trim() {
	for dropped := 0; len(l.segments) > 1 && !l.needed(l.segments[1]); dropped++ {
		s := l.segments[0]
		l.segments[0] = nil
		l.segments = l.segments[1:]
		if l.spare = nil; dropped == 0 && s.pins.Load() == 0 {
			l.spare = s
		}
	}
}

// needed tells whether what lies before the segment next is for the backlog or
// for a reader.
func (l *Log) needed(next *segment) bool {
	if l.backlog > 0 && next.offset > l.began && l.end-next.at < l.backlog {
		return true
	}
	for _, r := range l.readers {
		if r.at < next.at {
			return true
		}
	}
	return false
}
