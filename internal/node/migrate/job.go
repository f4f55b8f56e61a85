package migrate

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"time"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// job is one MIGRATE. Nothing in it is a view of the command line or of the keyspace.
type job struct {
	address        string
	timeout        time.Duration
	toDB           int64 // at the target
	copy, replace  bool
	user, password []byte // password nil: no AUTH; user nil: AUTH without one
	cluster        bool

	db    int      // here
	keys  [][]byte // as called
	items []item   // the keys that are there
}

// item is a key to be moved.
type item struct {
	key   []byte
	ttlMs int64 // 0: none
	text  []byte
	big   value.Object // frozen; nil: text is the value
	moved bool         // the target has it
}

const errKeysForm command.Error = "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"

// defaultTimeout is what a timeout of 0 or less means.
const defaultTimeout = time.Second

func readJob(c *command.Call) (*job, error) {
	j := &job{address: net.JoinHostPort(c.Arg(1), c.Arg(2)), db: c.DB}
	keys := c.Args[3:4]
	a := c.Parse(6)
	for a.More() {
		switch {
		case a.Is("COPY"):
			j.copy = true
		case a.Is("REPLACE"):
			j.replace = true
		case a.IsWith("AUTH", 1):
			j.password = bytes.Clone(a.Next())
		case a.IsWith("AUTH2", 2):
			j.user, j.password = bytes.Clone(a.Next()), bytes.Clone(a.Next())
		case a.Is("KEYS"):
			if len(c.Args[3]) > 0 {
				a.Fail(errKeysForm)
			}
			keys = a.Rest()
		default:
			a.Syntax()
		}
	}
	if err := a.Err(); err != nil {
		return nil, err
	}
	a = c.Parse(5)
	j.timeout = defaultTimeout
	if ms := a.Int(); ms > 0 {
		j.timeout = time.Duration(min(ms, math.MaxInt32)) * time.Millisecond
	}
	if a.Err() == nil {
		a = c.Parse(4)
		j.toDB = a.Int()
	}
	for _, k := range keys {
		j.keys = append(j.keys, bytes.Clone(k))
	}
	return j, a.Err()
}

// slackMs is how much of the end of time is left out of what a key has to live: the target, redis or Skein, adds it to its own
// clock, and drops the key as one that is over if the sum overflows.
const slackMs = 24 * 3600 * 1000

// load notes the keys that are there, with their values as they are now.
func (j *job) load(tx *keyspace.WriteTx, nowMs int64) error {
	j.cluster = tx.Keyspace().Cluster()
	for _, key := range j.keys {
		r, found := tx.Get(key)
		if !found {
			continue
		}
		it := item{key: key}
		if at := r.Expiry(); at >= 0 {
			it.ttlMs = min(max(at-nowMs, 1), math.MaxInt64-nowMs-slackMs)
		}
		if o := r.Object(); o != nil {
			it.big = o.Freeze()
		} else {
			s, _, _ := tx.StrOf(r)
			it.text = s.AppendTo(nil)
		}
		j.items = append(j.items, it)
	}
	return nil
}

// beyond names what of the key a target may not know, "" if there is nothing.
func (it *item) beyond() string {
	if h, ok := it.big.(*hash.Hash); ok && h.Volatile() > 0 {
		return fmt.Sprintf(" (key '%.100s' is a hash with field expiration, which redis before 7.4 cannot read)", it.key)
	}
	return ""
}

// addStripes adds the stripes of all keys.
func (j *job) addStripes(h *keyspace.Hold) {
	for _, key := range j.keys {
		h.AddSlot(slot.Of(key))
	}
}

// deletes tells whether keys are to go that the target has.
func (j *job) deletes() bool {
	for i := range j.items {
		if j.items[i].moved {
			return !j.copy
		}
	}
	return false
}

// drop deletes the keys that the target has, and logs that as one DEL.
func (j *job) drop(tx *keyspace.WriteTx) {
	if !j.deletes() {
		return
	}
	argv := [][]byte{[]byte("DEL")}
	for i := range j.items {
		it := &j.items[i]
		if !it.moved {
			continue
		}
		argv = append(argv, it.key)
		if r, found := tx.Peek(it.key); found {
			tx.DeleteAt(r, it.key)
		}
		tx.Notify(keyspace.EventGeneric, "del", it.key)
	}
	tx.Propagate(argv...)
}
