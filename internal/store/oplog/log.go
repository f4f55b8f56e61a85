package oplog

import (
	"strconv"
	"sync"
	"sync/atomic"
)

// Class says who gets an effect.
type Class = uint8

// The classes.
const (
	Both     Class = iota
	Replicas       // PUBLISH, PING, REPLCONF GETACK
	File           // writes of a writable replica to itself
	nobody         // what a Restart has made meaningless for replicas
)

// goes tells whether what has class c goes to readers of class to, which is
// Replicas or File.
func goes(c, to Class) bool { return c == Both || c == to }

// Effect is one command as replicas and the file run it.
type Effect = struct {
	DB    int    // that it works in; -1: in whatever is selected
	Class Class  //
	Argv  []byte // RESP
}

// Options shape a Log. The zero value is a good default.
type Options struct {
	// SegmentBytes is the size of a segment, 16 KiB if 0: a small backlog is not much larger than asked.
	SegmentBytes int
}

const defaultSegment = 16 << 10

// Log is the log of one node. It is safe for concurrent use.
type Log struct {
	active atomic.Bool
	offset atomic.Int64 // of the last byte that replicas get

	mu       sync.Mutex
	size     int        // of a segment
	segments []*segment // from the oldest on
	spare    *segment   // one that was dropped, to be used again
	end      int64      // position: bytes ever appended, of all classes
	db       int        // that the replication stream has selected, -1: none
	backlog  int64      // bytes of replication to keep, 0: no backlog
	began    int64      // offset at which the backlog began
	readers  []*Reader
}

// New returns an empty Log without backlog.
func New(o Options) *Log {
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = defaultSegment
	}
	return &Log{size: o.SegmentBytes, db: -1}
}

// Active tells whether anybody reads or may read later what is appended now.
func (l *Log) Active() bool { return l.active.Load() }

// Offset is the replication offset of the last byte appended for replicas.
func (l *Log) Offset() int64 { return l.offset.Load() }

var (
	wordMulti = []byte("*1\r\n$5\r\nMULTI\r\n")
	wordExec  = []byte("*1\r\n$4\r\nEXEC\r\n")
)

// Append adds effects, nothing coming between them. If they are several and whole
// says that they belong together, they are framed in MULTI and EXEC.
func (l *Log) Append(effects []Effect, whole bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.active.Load() || len(effects) == 0 {
		return
	}
	whole = whole && len(effects) > 1
	if whole {
		l.write(frame(effects), effects[0].DB, wordMulti)
	}
	for i := range effects {
		e := &effects[i]
		if e.DB >= 0 && e.DB != l.db && goes(e.Class, Replicas) {
			l.choose(e.DB)
		}
		l.write(e.Class, e.DB, e.Argv)
	}
	if whole {
		l.write(frame(effects), effects[len(effects)-1].DB, wordExec)
	}
	l.grown()
}

// frame is the class of MULTI and EXEC around effects: whoever gets one of them
// gets these.
func frame(effects []Effect) Class {
	c := effects[0].Class
	for i := range effects {
		if effects[i].Class != c {
			return Both
		}
	}
	return c
}

// choose makes the replication stream select db.
func (l *Log) choose(db int) {
	var room [40]byte
	l.write(Replicas, -1, appendSelect(room[:0], db))
	l.db = db
}

func appendSelect(b []byte, db int) []byte {
	var room [20]byte
	digits := strconv.AppendInt(room[:0], int64(db), 10)
	b = append(b, "*2\r\n$6\r\nSELECT\r\n$"...)
	b = strconv.AppendInt(b, int64(len(digits)), 10)
	b = append(b, "\r\n"...)
	return append(append(b, digits...), "\r\n"...)
}

// AppendVerbatim adds effects as they are, without SELECT and framing: on a replica
// what its master sent, once it is applied, command by command. The master's own
// SELECTs are of class Replicas, and their DB is the one that they select.
func (l *Log) AppendVerbatim(effects []Effect) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(effects); n > 0 {
		l.db = effects[n-1].DB
	}
	if !l.active.Load() {
		for i := range effects { // the offset counts them all the same
			if goes(effects[i].Class, Replicas) {
				l.offset.Add(int64(len(effects[i].Argv)))
			}
		}
		return
	}
	for i := range effects {
		l.write(effects[i].Class, effects[i].DB, effects[i].Argv)
	}
	l.grown()
}

// ForgetDB makes the next effect be preceded by a SELECT: a replica that begins
// with a snapshot has nothing selected.
func (l *Log) ForgetDB() {
	l.mu.Lock()
	l.db = -1
	l.mu.Unlock()
}

// Position is the offset and, for that offset, the database that the replication
// stream has selected; -1 if the next effect will be preceded by a SELECT.
func (l *Log) Position() (offset int64, db int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.offset.Load(), l.db
}

// Select notes that the replication stream has selected db: it goes on where a
// master's snapshot ends.
func (l *Log) Select(db int) {
	l.mu.Lock()
	l.db = db
	l.mu.Unlock()
}

// write adds bytes of one class and database.
func (l *Log) write(c Class, db int, b []byte) {
	for len(b) > 0 {
		s := l.last()
		s.begin(c, db)
		n := copy(s.bytes[s.used:], b)
		s.used += n
		b = b[n:]
		l.end += int64(n)
		if goes(c, Replicas) {
			l.offset.Store(l.offset.Load() + int64(n))
		}
	}
}

// last is the segment being written, which has room.
func (l *Log) last() *segment {
	if n := len(l.segments); n > 0 && l.segments[n-1].used < l.size {
		return l.segments[n-1]
	}
	l.trim()
	s := l.spare
	if s == nil {
		s = &segment{bytes: make([]byte, l.size)}
	}
	l.spare = nil
	s.reset(l.end, l.offset.Load())
	l.segments = append(l.segments, s)
	return s
}

// grown tells the readers that wait, and cuts off those that are too far behind.
func (l *Log) grown() {
	for _, r := range l.readers {
		r.ring()
	}
	l.settle()
}
