package keyspace

import (
	"errors"
	"fmt"
	"testing"

	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/data/zset"
)

// objects is how many values are Go objects.
func (ks *Keyspace) objects() (n int) {
	for i := range ks.stripes {
		for db := range ks.stripes[i].shelves {
			if sh := ks.stripes[i].shelves[db].Load(); sh != nil {
				n += len(sh.objects) - len(sh.holes)
			}
		}
	}
	return n
}

// hset sets a field as HSET does.
func hset(tx *WriteTx, key, field, val []byte) error {
	c, err := opened[*hash.Hash](tx, key)
	if err != nil {
		return err
	}
	if c.Value == nil {
		c.Value = hash.New()
	}
	c.Value.Set(field, val, tx.Limits().Hash)
	_, err = c.Save()
	return err
}

// hget is a field as HGET has it.
func hget(tx *WriteTx, key, field string) string {
	h, err := Find[*hash.Hash](&tx.ReadTx, []byte(key))
	if err != nil || h == nil {
		return fmt.Sprint("none ", err)
	}
	var scratch [20]byte
	v, _ := h.Get([]byte(field), scratch[:])
	return string(v)
}

// TestPackedBecomesObjectAndBack follows a list through its forms.
func TestPackedBecomesObjectAndBack(t *testing.T) {
	ks := newKeyspace(t, Options{})
	key := []byte("list")
	element := alphabets[:100]
	for n := 1; n <= 100; n++ {
		do(ks, 1000, func(tx *WriteTx) {
			c, _ := opened[*quicklist.List](tx, key)
			if c.Value == nil {
				c.Value = quicklist.New()
			}
			c.Value.PushBack(element, tx.Limits().List)
			if gone, err := c.Save(); gone || err != nil || c.Value.Len() != n {
				t.Fatal(gone, err, c.Value.Len())
			}
		})
		if want := n > inlineMax/103; ks.objects() == 1 != want {
			t.Fatalf("%d elements: an object is %v", n, !want)
		}
		ks.check(t)
	}
	for n := 99; n >= 0; n-- {
		do(ks, 1000, func(tx *WriteTx) {
			c, _ := opened[*quicklist.List](tx, key)
			c.Value.PopFront(nil)
			c.Value.Shrink(tx.Limits().List)
			if gone, err := c.Save(); gone != (n == 0) || err != nil {
				t.Fatal(gone, err)
			}
			l, err := Find[*quicklist.List](&tx.ReadTx, key)
			if err != nil || n > 0 && l.Len() != n {
				t.Fatal(l, err)
			}
		})
		if want := n > repackMax/103; ks.objects() == 1 != want {
			t.Fatalf("%d elements: an object is %v", n, !want)
		}
		ks.check(t)
	}
	if ks.Size(0) != 0 {
		t.Error("the key is there yet")
	}
}

// TestPackedTypes asks each type of packed collection what it is.
func TestPackedTypes(t *testing.T) {
	ks := newKeyspace(t, Options{})
	lim := defaultLimits
	do(ks, 1000, func(tx *WriteTx) {
		l, ints, texts := quicklist.New(), set.New([]byte("1"), 1, lim.Set), set.New([]byte("a"), 1, lim.Set)
		z, h, due := zset.New(1, 1, lim.ZSet), hash.New(), hash.New()
		l.PushBack([]byte("a"), lim.List)
		ints.Add([]byte("1"), lim.Set)
		texts.Add([]byte("a"), lim.Set)
		z.Set([]byte("a"), 1, lim.ZSet)
		h.Set([]byte("a"), []byte("b"), lim.Hash)
		due.Set([]byte("a"), []byte("b"), lim.Hash)
		due.SetExpiry([]byte("a"), 5000)
		for i, v := range []struct {
			o        value.Object
			encoding string
			objects  int
		}{{l, "listpack", 0}, {ints, "intset", 0}, {texts, "listpack", 0}, {z, "listpack", 0}, {h, "listpack", 0}, {due, "listpack", 1}} {
			key := name(i)
			if err := tx.SetObject(key, v.o, 7000); err != nil {
				t.Fatal(err)
			}
			if err := tx.Copy(key, append(key, "copy"...), 1); err != nil {
				t.Fatal(err)
			}
			if err := tx.Rename(key, append(key, "renamed"...)); err != nil {
				t.Fatal(err)
			}
			tx.SelectDB(1)
			if err := tx.MoveTo(append(key, "copy"...), 0); err != nil {
				t.Fatal(err)
			}
			tx.SelectDB(0)
			for _, tail := range []string{"copy", "renamed"} {
				r, ok := tx.Get(append(key, tail...))
				if !ok || r.Type() != v.o.Type() || r.Encoding() != v.encoding || r.Expiry() != 7000 {
					t.Errorf("%d %s: %v %v %v %v", i, tail, ok, r.Type(), r.Encoding(), r.Expiry())
				}
				if o := r.Object(); o.Type() != v.o.Type() || o.Encoding() != v.encoding || o.(interface{ Len() int }).Len() != 1 {
					t.Errorf("%d %s: as an object it is %v", i, tail, o)
				}
				if _, _, err := tx.StrOf(r); !errors.Is(err, ErrWrongType) {
					t.Error(err)
				}
				if _, err := r.Len(); !errors.Is(err, ErrWrongType) {
					t.Error(err)
				}
			}
			if ks.objects() != 2*v.objects {
				t.Errorf("%d: %d objects", i, ks.objects())
			}
		}
		if _, err := Find[*hash.Hash](&tx.ReadTx, []byte("k0copy")); !errors.Is(err, ErrWrongType) {
			t.Error(err)
		}
		if _, err := opened[*zset.ZSet](tx, []byte("k0copy")); !errors.Is(err, ErrWrongType) {
			t.Error(err)
		}
	})
	ks.check(t)
}

// TestSeveralAtOnce reads and changes several packed collections in one command.
func TestSeveralAtOnce(t *testing.T) {
	ks := newKeyspace(t, Options{})
	do(ks, 1000, func(tx *WriteTx) {
		const n = 3 * slotsKept
		for i := range n {
			hset(tx, name(i), []byte("f"), name(i))
		}
		var found [n]*hash.Hash
		var open [n]Change[*hash.Hash]
		for i := range n {
			found[i], _ = Find[*hash.Hash](&tx.ReadTx, name(i))
			open[i], _ = opened[*hash.Hash](tx, name(i))
		}
		for i := range n {
			v, _ := found[i].Get([]byte("f"), nil)
			open[i].Value.Set([]byte("g"), append([]byte("more "), v...), tx.Limits().Hash)
		}
		for i := range n {
			open[i].Save()
		}
		for i := range n {
			if v := hget(tx, string(name(i)), "g"); v != "more "+string(name(i)) {
				t.Errorf("%d: %q", i, v)
			}
		}
	})
}

// TestFullChangesNothing lets a packed hash grow where there is no memory.
func TestFullChangesNothing(t *testing.T) {
	ks := newKeyspace(t, Options{Arena: smallArena})
	do(ks, 1000, func(tx *WriteTx) {
		err := hset(tx, []byte("h"), []byte("f"), []byte("1"))
		if err != nil {
			t.Fatal("not even one fits")
		}
		for i := 0; err == nil; i++ {
			err = tx.SetStr(name(i), alphabets[:60], NoExpiry)
		}
		fields := 1
		for err = nil; err == nil && fields < 40; fields++ { // a place of another size may be left
			err = hset(tx, []byte("h"), name(fields), alphabets[:64])
		}
		if !errors.Is(err, ErrFull) {
			t.Fatalf("%d fields fit", fields)
		}
		if v := hget(tx, "h", "f"); v != "1" {
			t.Errorf("now it has %q", v)
		}
		if v := hget(tx, "h", string(name(fields-1))); v != "" {
			t.Errorf("the field that did not fit is %q", v)
		}
	})
	ks.check(t)
}

// TestPackedAllocatesNothing counts what small collections do to the Go heap.
func TestPackedAllocatesNothing(t *testing.T) {
	if scale > 1 {
		t.Skip("the race detector allocates")
	}
	ks := newKeyspace(t, Options{})
	keys := []string{"{k}hash", "{k}list", "{k}set", "{k}ints", "{k}zset"}
	h := slotHold(ks, keys...)
	var tx WriteTx
	run := func(what string, fn func()) {
		t.Helper()
		if n := testing.AllocsPerRun(1000, func() {
			ks.Acquire(h, nil)
			tx.Begin(ks, h, 0, 1000, 0)
			fn()
			tx.Commit(nil)
			ks.Release(h)
		}); n != 0 {
			t.Errorf("%s allocates %v times", what, n)
		}
	}
	var scratch [20]byte
	hashKey, listKey, setKey, intsKey, zsetKey := []byte(keys[0]), []byte(keys[1]), []byte(keys[2]), []byte(keys[3]), []byte(keys[4])
	field, other, val, number := []byte("field"), []byte("other field"), []byte("some value"), []byte("12345")
	lim := &defaultLimits
	do(ks, 1000, func(tx *WriteTx) {
		hset(tx, hashKey, other, val)
		l, s, is, z := quicklist.New(), set.New(val, 1, lim.Set), set.New(number, 1, lim.Set), zset.New(1, 5, lim.ZSet)
		l.PushBack(val, lim.List)
		s.Add(val, lim.Set)
		is.Add(number, lim.Set)
		z.Set(val, 1, lim.ZSet)
		tx.SetObject(listKey, l, NoExpiry)
		tx.SetObject(setKey, s, NoExpiry)
		tx.SetObject(intsKey, is, NoExpiry)
		tx.SetObject(zsetKey, z, NoExpiry)
	})
	run("HSET", func() { hset(&tx, hashKey, field, val) })
	run("HGET", func() {
		h, _ := Find[*hash.Hash](&tx.ReadTx, hashKey)
		if v, _ := h.Get(field, scratch[:]); string(v) != "some value" {
			t.Error("HGET finds", v)
		}
	})
	run("LPUSH and LPOP", func() {
		c, _ := opened[*quicklist.List](&tx, listKey)
		c.Value.PushFront(field, lim.List)
		c.Save()
		c, _ = opened[*quicklist.List](&tx, listKey)
		c.Value.PopFront(scratch[:0])
		c.Save()
	})
	run("LRANGE", func() {
		l, _ := Find[*quicklist.List](&tx.ReadTx, listKey)
		for range l.Ascend(0) {
		}
	})
	run("SADD and SREM", func() {
		for _, key := range [][]byte{setKey, intsKey} {
			c, _ := opened[*set.Set](&tx, key)
			c.Value.Add(number[:3], lim.Set)
			c.Save()
			c, _ = opened[*set.Set](&tx, key)
			c.Value.Remove(number[:3])
			c.Save()
		}
	})
	run("SISMEMBER of two", func() {
		a, _ := Find[*set.Set](&tx.ReadTx, setKey)
		b, _ := Find[*set.Set](&tx.ReadTx, intsKey)
		if !a.Has(val) || !b.Has(number) {
			t.Error("a member is not found")
		}
	})
	run("ZADD and ZREM", func() {
		c, _ := opened[*zset.ZSet](&tx, zsetKey)
		c.Value.Set(field, 0.5, lim.ZSet)
		c.Save()
		c, _ = opened[*zset.ZSet](&tx, zsetKey)
		c.Value.Delete(field)
		c.Save()
	})
	run("ZSCORE", func() {
		z, _ := Find[*zset.ZSet](&tx.ReadTx, zsetKey)
		if score, _ := z.Score(val); score != 1 {
			t.Error("the score is", score)
		}
	})
}
