package exec

import (
	"bytes"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// batchMax is how many pipelined commands are prefetched together: the gain
// flattens there (the design's data path: 876, 403, 353 ns for 1, 16, 64).
const batchMax = 64

// Turn is the scratch of one event loop. It lives as long as the loop.
type Turn struct {
	NowMs int64 // Unix ms, set by the loop once per turn
	Ran   int64 // commands run or refused so far

	items   [batchMax]item
	n       int
	more    bool                    // complete commands may follow the batch
	hint    *keyspace.Hint          // of args[hinted] of the running command
	own     keyspace.Hint           // of a command outside a batch
	hinted  int                     // 0: of none
	at      int                     // the running command is items[at]
	seen    int                     // the elements of items before this one have been prefetched
	sought  keyspace.Sought         // of these
	hints   [batchMax]keyspace.Hint // of the batch, or of Ahead
	ahead   ahead
	spare   [batchMax]keyspace.Hint // of a command with several keys
	began   int64                   // nanos at which the running command began: when the one before it ended
	args    [][]byte
	end     int // behind the running command in what Feed was given
	records []session.Record
	record  func([]session.Record) // made when first used
	codes   map[string]string      // of errors, each kept once
	serving serving
	pos     []command.KeyPos
}

// errInlineMaster: a master's stream has no inline commands; what looks like one
// is the middle of something else.
const errInlineMaster = resp.ProtocolError("Master using the inline protocol. Desync?")

// item is one parsed command of a batch.
type item struct {
	spec *command.Spec
	args [][]byte
	end  int // offset behind the command in the fed bytes

	hinted int // its first argument is the key of Turn.hints[hinted-1]; 0: no hint
}

// Feed parses and runs what is complete in data, which begins where the last
// call's consumed bytes ended. Replies are in s.Out. It stops early when s has
// to wait (s.Parked) or to close; the rest of data is then fed again later.
func (e *Engine) Feed(t *Turn, s *session.Session, data []byte) (consumed int) {
	for consumed < len(data) && !s.Parked() && !s.Is(session.CloseAfterReply) {
		n, err := e.parse(t, s, data[consumed:])
		if t.n > 1 {
			e.prefetch(t, s)
		}
		done := 0
		t.began = e.Nanos()
		for i := range t.n {
			it := &t.items[i]
			if t.hinted = 0; it.hinted > 0 {
				t.hint, t.hinted = &t.hints[it.hinted-1], 1
			}
			t.at, t.end = i, consumed+it.end
			e.runOne(t, s, it.spec, it.args)
			done = it.end
			if s.Parked() || s.Is(session.CloseAfterReply) {
				break
			}
		}
		if done < n && (s.Parked() || s.Is(session.CloseAfterReply)) {
			s.Parser.Reset() // what was parsed ahead is parsed again
			n = done
		}
		consumed += n
		if err != nil && !s.Parked() && !s.Is(session.CloseAfterReply) {
			s.Out.Error("ERR " + err.Error())
			s.Set(session.CloseAfterReply)
		}
		if !t.more {
			break
		}
	}
	e.flush(t, s)
	return consumed
}

// parse fills t.items with complete commands and returns the bytes they took;
// t.more tells that it stopped before data did.
func (e *Engine) parse(t *Turn, s *session.Session, data []byte) (n int, err error) {
	t.n, t.seen, t.args, t.more = 0, 0, t.args[:0], true
	most := batchMax
	if s.Parser.Unauthenticated {
		most = 1 // AUTH lifts the parser's limits for what follows it
	}
	for t.n < most {
		if t.n > 0 && n < len(data) && data[n] != '*' {
			return n, nil // an inline command is unquoted in place: it cannot be parsed again
		}
		k, ok, err := s.Parser.Next(data[n:])
		n += k
		if err != nil || !ok {
			t.more = false
			return n, err
		}
		if s.Link != nil && s.Parser.Inline {
			t.more = false
			return n - k, errInlineMaster
		}
		from := len(t.args)
		t.args = append(t.args, s.Parser.Args...)
		it := &t.items[t.n]
		it.args = t.args[from:len(t.args):len(t.args)]
		it.spec = e.Table.Lookup(it.args[0])
		it.end = n
		it.hinted = 0
		t.n++
	}
	return n, nil
}

// prefetch loads the buckets of the batch's first keys, then their entries:
// the misses overlap instead of being paid one after the other.
func (e *Engine) prefetch(t *Turn, s *session.Session) {
	n := 0
	var last []byte
	for i := range t.n {
		it := &t.items[i]
		if it.spec != nil && it.spec.FirstArgIsKey() && len(it.args) > 1 {
			if key := it.args[1]; n == 0 || !bytes.Equal(key, last) { // most who go to one key again do so at once
				e.Keyspace.Hint(&t.hints[n], s.DB(), key)
				last = key
				n++
			}
			it.hinted = n
		}
	}
	e.Keyspace.Prefetch(t.hints[:n])
}

// prefetchElements is prefetch for what the running command, and those behind it that
// go to the same key, look for inside a collection. The key's stripe is held.
func (e *Engine) prefetchElements(t *Turn, s *session.Session, key []byte) {
	t.sought.Reset()
	i := t.at
	for ; i < t.n && len(t.sought.Elements) < batchMax; i++ {
		it := &t.items[i]
		if it.hinted == 0 || it.spec.Elements.First == 0 || t.hints[it.hinted-1].Hash != t.hint.Hash {
			break
		}
		it.spec.Elements.Add(&t.sought, it.args, batchMax)
	}
	t.seen = i
	if len(t.sought.Elements) > 1 {
		s.Tx.PrefetchElements(key, &t.sought)
	}
}

// prefetchKeys is prefetch for the keys of one command.
func (e *Engine) prefetchKeys(t *Turn, s *session.Session, pos []command.KeyPos, args [][]byte) {
	for len(pos) > 0 {
		n := min(len(pos), batchMax)
		for i, p := range pos[:n] {
			e.Keyspace.Hint(&t.spare[i], s.DB(), args[p.Index])
			s.Hold.AddSlot(t.spare[i].Slot)
		}
		e.Keyspace.Prefetch(t.spare[:n])
		pos = pos[n:]
	}
}

// slotOf is the slot of argument i of the running command.
func (t *Turn) slotOf(args [][]byte, i int) uint16 {
	if i == t.hinted {
		return t.hint.Slot
	}
	return slot.Of(args[i])
}

// flush hands on the batch's statistics, and what it has changed to those who want to
// hear of all changes.
func (e *Engine) flush(t *Turn, s *session.Session) {
	if !s.Away { // then it is another's
		s.Tx.Broadcast()
	}
	if len(t.records) > 0 {
		if t.record == nil {
			t.record = e.Recorder()
		}
		t.record(t.records)
		t.Ran += int64(len(t.records))
		s.Pending.Commands += int64(len(t.records))
		t.records = t.records[:0]
	}
}

// Limits of error codes: what is longer is no code, as in redis, and a loop
// remembers only so many.
const (
	codeMax  = 31
	codesMax = 128
)

// code is the code of an error's text: its first word, or ERR.
func (t *Turn) code(text []byte) string {
	text = text[:min(len(text), codeMax)]
	end := bytes.IndexAny(text, " \r")
	if end < 0 || text[end] != ' ' {
		return "ERR"
	}
	if c, ok := t.codes[string(text[:end])]; ok {
		return c
	}
	c := string(text[:end])
	if t.codes == nil {
		t.codes = map[string]string{}
	}
	if len(t.codes) < codesMax {
		t.codes[c] = c
	}
	return c
}
