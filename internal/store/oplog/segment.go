package oplog

import "sync/atomic"

// segment is a piece of the log. Bytes that are written do not change until the
// segment is used again, so they are copied out without the lock, pinned.
type segment struct {
	at     int64 // position of the first byte
	offset int64 // replication offset before the first byte
	used   int
	bytes  []byte
	runs   []run
	pins   atomic.Int32
}

// run says what the bytes from begin on are, up to the next run.
type run struct {
	begin int
	class Class
	db    int
}

func (s *segment) reset(at, offset int64) {
	s.at, s.offset, s.used, s.runs = at, offset, 0, s.runs[:0]
}

// begin makes what is written next of a class and database.
func (s *segment) begin(c Class, db int) {
	if n := len(s.runs); n > 0 && s.runs[n-1].class == c && s.runs[n-1].db == db {
		return
	}
	s.runs = append(s.runs, run{s.used, c, db})
}

// restart takes what is written from the replicas' stream, which goes on at offset.
func (s *segment) restart(offset int64) {
	s.offset = offset
	for i := range s.runs {
		switch s.runs[i].class {
		case Both:
			s.runs[i].class = File
		case Replicas:
			s.runs[i].class = nobody
		}
	}
}

// limit is where run i ends.
func (s *segment) limit(i int) int {
	if i+1 < len(s.runs) {
		return s.runs[i+1].begin
	}
	return s.used
}

// runAt is the run that byte i lies in.
func (s *segment) runAt(i int) int {
	lo, hi := 0, len(s.runs)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; s.runs[mid].begin <= i {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// seek is the index of the byte that comes after replication offset, which is in
// this segment or its end.
func (s *segment) seek(offset int64) int {
	left := offset - s.offset
	for i, r := range s.runs {
		if n := int64(s.limit(i) - r.begin); goes(r.class, Replicas) {
			if left < n {
				return r.begin + int(left)
			}
			left -= n
		}
	}
	return s.used
}
