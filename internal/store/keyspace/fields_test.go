package keyspace

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/data/hash"
)

// hexpire gives a field a value and a deadline.
func hexpire(tx *WriteTx, key, field string, at int64) {
	c, _ := openedHash(tx, []byte(key), [][]byte{[]byte(field)}, 1)
	if c.Value == nil {
		c.Value = hash.New()
	}
	c.Value.Set([]byte(field), []byte("v"), tx.Limits().Hash)
	if at < 0 {
		c.Value.Persist([]byte(field))
	} else {
		c.Value.SetExpiry([]byte(field), at)
	}
	c.Save()
}

// seen are the fields of a hash that a command sees.
func seen(tx *WriteTx, key string) string {
	h, err := FindHash(&tx.ReadTx, []byte(key))
	if err != nil {
		return err.Error()
	}
	var list []string
	for field := range h.All() {
		list = append(list, string(field))
		if !h.Has(field) {
			list = append(list, "but it is not there")
		}
	}
	if len(list) != h.Len() {
		list = append(list, fmt.Sprint("but the length is ", h.Len()))
	}
	return strings.Join(list, " ")
}

// TestVolatileHash: who is asked for a hash whose fields have deadlines names one that has.
func TestVolatileHash(t *testing.T) {
	ks := newKeyspace(t, Options{Databases: 2})
	want := func(name string) {
		t.Helper()
		if got := ks.VolatileHash(); got != name {
			t.Errorf("%q, not %q", got, name)
		}
	}
	do(ks, 1000, func(tx *WriteTx) {
		hexpire(tx, "plain", "f", -1)
		want("")
		tx.SelectDB(1)
		hexpire(tx, "gone", "f", 5000)
		hexpire(tx, "h", "f", 9000)
		tx.Delete([]byte("gone"))
		want("h")
		hexpire(tx, "h", "f", -1)
		want("")
	})
	ks.check(t)
}

func TestFieldsPastTheirDeadline(t *testing.T) {
	r := &recorder{}
	ks := newKeyspace(t, Options{Log: r, Listener: r})
	ks.Tune(Tuning{Events: EventKeyevent | EventHash | EventGeneric, Limits: defaultLimits})
	do(ks, 1000, func(tx *WriteTx) {
		hexpire(tx, "h", "a", 2000)
		hexpire(tx, "h", "b", 3000)
		hexpire(tx, "h", "c", 2000)
	})
	ks.check(t)
	r.effects, r.events = nil, nil
	do(ks, 2000, func(tx *WriteTx) {
		if s := seen(tx, "h"); s != "a b c" {
			t.Error("in the last ms:", s)
		}
	})
	for _, hide := range []func(bool){ks.Replica.Store, ks.Frozen.Store} {
		hide(true)
		do(ks, 2001, func(tx *WriteTx) {
			if s := seen(tx, "h"); s != "b" {
				t.Error("who may not remove sees:", s)
			}
		})
		if ks.ExpireCycle(9000, time.Second); len(r.effects) != 0 {
			t.Errorf("removed by who may not: %q", r.effects)
		}
		hide(false)
	}
	doAs(ks, 2001, SeeExpired, func(tx *WriteTx) {
		if s := seen(tx, "h"); s != "a b c" {
			t.Error("the applier sees:", s)
		}
	})
	do(ks, 2001, func(tx *WriteTx) {
		if s := seen(tx, "h"); s != "b" || tx.Changed() {
			t.Error("the master sees:", s)
		}
	})
	do(ks, 3001, func(tx *WriteTx) {
		if s := seen(tx, "h"); s != "" || tx.Has([]byte("h")) {
			t.Error("the hash is there yet:", s)
		}
	})
	if got := fmt.Sprint(r.events); got != "[0:hexpired:h 0:hexpired:h 0:del:h]" {
		t.Error(got)
	}
	if len(r.effects) != 2 || !strings.Contains(r.effects[0], `HDEL\r\n$1\r\nh\r\n$1\r\na\r\n$1\r\nc`) {
		t.Error(r.effects)
	}
	ks.check(t)
}

// TestFieldsOpenedPastTheirDeadline: a command that writes a field finds it gone, on a
// writable replica too, however many others must go before it.
func TestFieldsOpenedPastTheirDeadline(t *testing.T) {
	for _, replica := range []bool{false, true} {
		ks := newKeyspace(t, Options{})
		do(ks, 1000, func(tx *WriteTx) {
			for i := range 10 * fieldSlice {
				hexpire(tx, "h", fmt.Sprint(i), 2000)
			}
			hexpire(tx, "h", "last", 2001)
		})
		ks.Replica.Store(replica)
		do(ks, 3000, func(tx *WriteTx) {
			c, err := openedHash(tx, []byte("h"), [][]byte{[]byte("last"), []byte("value"), []byte("last")}, 2)
			if err != nil || !c.Found() || c.Value.Has([]byte("last")) {
				t.Error("it is there yet", err)
			}
			if s := seen(tx, "h"); s != "" {
				t.Error("there is", s)
			}
			hexpire(tx, "h", "last", NoExpiry)
			if s := seen(tx, "h"); s != "last" {
				t.Error("there is", s)
			}
			tx.SetStr([]byte("k"), []byte("v"), NoExpiry)
			if _, err := openedHash(tx, []byte("k"), nil, 1); !errors.Is(err, ErrWrongType) {
				t.Error(err)
			}
			if _, err := FindHash(&tx.ReadTx, []byte("k")); !errors.Is(err, ErrWrongType) {
				t.Error(err)
			}
		})
		ks.check(t)
	}
}

// TestManyFieldsAtOnce ends very many fields in one moment: none of the pieces in which
// they go is large, and what is late is not seen.
func TestManyFieldsAtOnce(t *testing.T) {
	const fields = 20_000 / scale
	r := &recorder{}
	ks := newKeyspace(t, Options{Log: r})
	do(ks, 1000, func(tx *WriteTx) {
		c := Change[*hash.Hash]{Value: hash.New()}
		for i := range fields {
			f := []byte(fmt.Sprint(i))
			c.Value.Set(f, f, tx.Limits().Hash)
			c.Value.SetExpiry(f, 2000)
		}
		tx.SetObject([]byte("large"), c.Value, NoExpiry)
		for i := range 1000 {
			hexpire(tx, fmt.Sprint("small", i), "f", 2000)
			hexpire(tx, fmt.Sprint("small", i), "g", int64(2000+i))
		}
	})
	ks.check(t)
	r.effects = nil
	do(ks, 2001, func(tx *WriteTx) {
		if s := seen(tx, "large"); s != "" {
			t.Errorf("there is %.50s", s)
		}
	})
	for _, e := range r.effects {
		if n := strings.Count(e, `\r\n$`); n > fieldSlice+3 {
			t.Fatal(n, "words in one piece")
		}
	}
	for ks.Size(0) > 999 {
		ks.ExpireCycle(2001, 0)
	}
	ks.check(t)
	for range 1000 {
		ks.ExpireCycle(9000, time.Second)
	}
	if n := ks.Size(0); n != 0 {
		t.Error(n, "hashes are left")
	}
	ks.check(t)
}

// TestFieldsModel sets, moves and removes deadlines at random, and compares what is seen
// with a map.
func TestFieldsModel(t *testing.T) {
	ks := newKeyspace(t, Options{Stripes: 2})
	model := map[string]map[string]int64{}
	rnd := rand.New(rand.NewPCG(1, 2))
	now := int64(1000)
	for step := range 5000 {
		now += rnd.Int64N(5)
		key, field := fmt.Sprint("h", rnd.IntN(5)), fmt.Sprint("f", rnd.IntN(8))
		for _, fields := range model {
			for f, at := range fields {
				if at >= 0 && at < now {
					delete(fields, f)
				}
			}
		}
		do(ks, now, func(tx *WriteTx) {
			switch rnd.IntN(8) {
			case 0:
				other := fmt.Sprint("h", rnd.IntN(5))
				if seen(tx, key) != "" && key != other {
					tx.Rename([]byte(key), []byte(other))
					model[other] = model[key]
					delete(model, key)
				}
			case 1:
				tx.Delete([]byte(key))
				delete(model, key)
			case 2:
				if c, _ := openedHash(tx, []byte(key), [][]byte{[]byte(field)}, 1); c.Found() && c.Value.Delete([]byte(field)) {
					c.Save()
				}
				delete(model[key], field)
			default:
				at := now + rnd.Int64N(200)
				if rnd.IntN(3) == 0 {
					at = NoExpiry
				}
				hexpire(tx, key, field, at)
				if model[key] == nil {
					model[key] = map[string]int64{}
				}
				model[key][field] = at
			}
			for i := range 5 {
				key := fmt.Sprint("h", i)
				h, _ := FindHash(&tx.ReadTx, []byte(key))
				if h.Len() != len(model[key]) {
					t.Fatalf("step %d: %s has %d fields, want %v", step, key, h.Len(), model[key])
				}
				for f, at := range model[key] {
					if got, ok := h.Expiry([]byte(f)); !h.Has([]byte(f)) || ok != (at >= 0) || ok && got != at {
						t.Fatalf("step %d: %s of %s: %d %v, want %d", step, f, key, got, ok, at)
					}
				}
			}
		})
		if step%10 == 0 {
			ks.ExpireCycle(now, time.Second)
		}
		if step%500 == 0 {
			ks.check(t)
		}
	}
	ks.check(t)
}
