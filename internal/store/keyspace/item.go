package keyspace

import (
	"errors"

	"github.com/skeindb/skein/internal/data/value"
)

// Item is one key of a cut, or one to be loaded. It and what it refers to are
// valid until the call that it is passed to returns.
type Item struct {
	DB       int
	Slot     uint16 // that the key selects; a builder finds it out by itself
	Key      []byte
	Bytes    []byte       // a string in one piece, if Object is nil
	Object   value.Object // immutable in a cut; a builder takes it over
	ExpiryMs int64        // deadline in Unix ms, -1: none

	// One of the two is meaningful, as Policy.Frequency says.
	IdleSec int64 // since the last access; loading, 0 is now
	Freq    uint8 // LFU counter; loading, 0 is that of a new key
}

// Sink takes the items of a cut. Its methods are called one after the other, from
// the goroutine of Walk and without a lock, so they may take their time. Their
// errors end the walk.
type Sink interface {
	// Database says that the items which follow are of database db, which had so
	// many keys at the cut, and so many of them with a deadline. Each database
	// that had any is announced, in ascending order; and each change to another
	// one, since keys that are about to change come out of turn.
	Database(db int, keys, volatile int64) error
	Put(*Item) error
}

var (
	// ErrCutting is the answer to a cut while another is under way.
	ErrCutting = errors.New("keyspace: another cut is under way")
	// ErrAborted ends the walk of a cut that somebody has aborted, or that has
	// been walked already.
	ErrAborted = errors.New("keyspace: the cut was aborted")
	// ErrBehind ends the walk of a cut whose sink is too slow: what it has not
	// taken yet of keys that have changed needs more memory than Cut.Limit allows.
	ErrBehind = errors.New("keyspace: the sink of the cut is too slow for the writers")
	// ErrExists is a builder's answer to a key that it has already.
	ErrExists = errors.New("keyspace: the key is there already")
	// ErrNoDatabase is a builder's answer to a database beyond Options.Databases.
	ErrNoDatabase = errors.New("keyspace: there is no such database")
)
