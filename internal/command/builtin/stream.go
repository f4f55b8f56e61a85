package builtin

import (
	"iter"
	"slices"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func streamSpecs() []*command.Spec {
	return slices.Concat(
		streamAddSpecs(), streamTrimSpecs(), streamEditSpecs(), streamRangeSpecs(), streamReadSpecs(),
		streamGroupSpecs(), streamPendingSpecs(), streamClaimSpecs(), streamInfoSpecs(),
	)
}

// streamChange is a stream open for change.
type streamChange = keyspace.Change[*stream.Stream]

// openRead opens a stream for change after a look-up that counts as a read, as most
// commands of consumer groups make it. False means that the error was replied.
func openRead(c *command.Call, tx *keyspace.WriteTx, key []byte) (streamChange, bool) {
	r, _ := tx.Get(key)
	var change streamChange
	err := change.OpenAt(tx, r, key)
	if err != nil {
		c.Fail(err)
	}
	return change, err == nil
}

// errNoGroup is the error of a group that is not there, nor perhaps its key.
func errNoGroup(key, group []byte) error {
	return command.Errorf("NOGROUP No such key '%s' or consumer group '%s'", key, group)
}

// errNoGroupAt is the error of a group that a stream has not.
func errNoGroupAt(key, group []byte) error {
	return command.Errorf("NOGROUP No such consumer group '%s' for key name '%s'", group, key)
}

// replyEntry replies with an entry: its ID, and its fields and values by turns.
func replyEntry(out *resp.Writer, e *stream.Entry) {
	out.Array(2)
	replyID(out, e.ID)
	out.Array(2 * e.Len)
	for field, val := range e.Fields() {
		out.Bulk(field)
		out.Bulk(val)
	}
}

// replyEntries replies with up to count entries, 0 being no limit.
func replyEntries(out *resp.Writer, entries iter.Seq[*stream.Entry], count int64) {
	m, n := out.BeginArray(), 0
	for e := range entries {
		replyEntry(out, e)
		if n++; int64(n) == count {
			break
		}
	}
	out.EndArray(m, n)
}

// replyEntryAt replies with the entry of an ID, if it is there.
func replyEntryAt(out *resp.Writer, s *stream.Stream, id stream.ID) bool {
	for e := range s.Ascend(id, id) {
		replyEntry(out, e)
		return true
	}
	return false
}
