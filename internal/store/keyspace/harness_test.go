package keyspace

import (
	"fmt"
	"testing"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/data/arena"
	"github.com/skeindb/skein/internal/data/hash"
)

func newKeyspace(t testing.TB, o Options) *Keyspace {
	t.Helper()
	if o.Arena.Limit == 0 {
		o.Arena.Limit = 1 << 30
	}
	ks, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ks.Close)
	return ks
}

// do runs fn in a transaction of database 0 that holds all stripes.
func do(ks *Keyspace, nowMs int64, fn func(tx *WriteTx)) { doAs(ks, nowMs, 0, fn) }

func doAs(ks *Keyspace, nowMs int64, a Access, fn func(tx *WriteTx)) {
	var h Hold
	h.Reset(ks)
	h.AddAll()
	ks.Acquire(&h, nil)
	defer ks.Release(&h)
	var tx WriteTx
	tx.Begin(ks, &h, 0, nowMs, a)
	fn(&tx)
	tx.Commit(nil)
}

// fill sets keys "k0" to "k<n-1>".
func fill(t testing.TB, ks *Keyspace, n int, val string, expiry func(i int) int64) {
	t.Helper()
	do(ks, 1000, func(tx *WriteTx) {
		for i := range n {
			at := NoExpiry
			if expiry != nil {
				at = expiry(i)
			}
			if err := tx.SetStr(name(i), []byte(val), at); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func name(i int) []byte { return fmt.Appendf(nil, "k%d", i) }

// text is what a key holds, "(none)" if it is not there.
func textOf(tx *WriteTx, key string) string {
	s, ok, err := tx.Str([]byte(key))
	if !ok || err != nil {
		return "(none)"
	}
	return string(s.Bytes())
}

// recorder is a Log and a Listener that remember.
type recorder struct {
	effects []string
	events  []string
}

func (r *recorder) Active() bool { return true }

func (r *recorder) Append(list []Effect, _ bool) {
	line := ""
	for _, e := range list {
		line += fmt.Sprintf("%d:%q ", e.DB, e.Argv)
	}
	r.effects = append(r.effects, line)
}

func (r *recorder) KeyEvent(db int, _ Class, event string, key []byte) {
	r.events = append(r.events, fmt.Sprintf("%d:%s:%s", db, event, key))
}

var smallArena = arena.Options{Limit: 1}

func slotHold(ks *Keyspace, keys ...string) *Hold {
	h := new(Hold)
	h.Reset(ks)
	for _, k := range keys {
		h.AddSlot(slot.Of([]byte(k)))
	}
	return h
}

// opened is the collection at key, open for change.
func opened[T Collection](tx *WriteTx, key []byte) (c Change[T], err error) {
	err = c.Open(tx, key)
	return c, err
}

func openedHash(tx *WriteTx, key []byte, names [][]byte, step int) (c Change[*hash.Hash], err error) {
	err = OpenHash(&c, tx, key, names, step)
	return c, err
}
