package keyspace

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/data/zset"
)

// In the model a collection is a text like any other value: its type and its
// elements, those of sets and hashes in the order of their bytes.
//
//	collection hash \x01 field \x02 value \x01 field \x02 value \x02 deadline ...
const (
	collectionMark = "collection "
	elementMark    = "\x01"
	partMark       = "\x02"
)

func isCollection(val string) bool { return strings.HasPrefix(val, collectionMark) }

// render is the text of a value that is an object.
func render(o value.Object) string {
	var list []string
	switch o := o.(type) {
	case nil:
		return "a string"
	case *value.String:
		return string(Str{big: o}.Bytes())
	case *quicklist.List:
		for e := range o.Ascend(0) {
			list = append(list, string(e))
		}
	case *set.Set:
		for m := range o.All() {
			list = append(list, string(m))
		}
		slices.Sort(list)
	case *zset.ZSet:
		for m, score := range o.Ascend(0) {
			list = append(list, string(m)+partMark+strconv.FormatFloat(score, 'g', -1, 64))
		}
	case *hash.Hash:
		for f, v := range o.All() {
			e := string(f) + partMark + string(v)
			if ms, ok := o.Expiry(f); ok {
				e += partMark + strconv.FormatInt(ms, 10)
			}
			list = append(list, e)
		}
		slices.Sort(list)
	case *stream.Stream:
		for e := range o.Ascend(stream.ID{}, stream.Highest) {
			list = append(list, strconv.FormatUint(e.ID.Ms, 10))
		}
		for g := range o.Groups() {
			list = append(list, g.Name()+partMark+strconv.Itoa(g.Pending()))
		}
	}
	return collectionMark + o.Type().String() + elementMark + strings.Join(list, elementMark)
}

// collect changes a collection, mostly a little, sometimes much.
func (p *player) collect(db int, key []byte) {
	lim := p.tx.Limits()
	switch p.rnd(5) {
	case 0:
		alter(p, db, key, quicklist.New, func(l *quicklist.List) {
			l.PushFront(p.element(), lim.List)
		}, func(l *quicklist.List) {
			l.DeleteRange(p.rnd(l.Len()), 1)
			l.Shrink(lim.List)
		})
	case 1:
		alter(p, db, key, func() *set.Set { return set.New([]byte("1"), 1, lim.Set) }, func(s *set.Set) {
			s.Add(p.element(), lim.Set)
		}, func(s *set.Set) {
			s.Remove(bytes.Clone(s.At(p.rnd(s.Len()), nil)))
		})
	case 2:
		alter(p, db, key, func() *zset.ZSet { return zset.New(1, 1, lim.ZSet) }, func(z *zset.ZSet) {
			z.Set(p.element(), float64(p.rnd(100)), lim.ZSet)
		}, func(z *zset.ZSet) {
			z.DeleteRange(p.rnd(z.Len()), 1)
		})
	case 3:
		alter(p, db, key, hash.New, func(h *hash.Hash) {
			field := p.element()
			h.Set(field, p.element(), lim.Hash)
			if p.rnd(100) == 0 {
				h.SetExpiry(field, 1<<40)
			}
		}, func(h *hash.Hash) {
			field, _ := h.At(p.rnd(h.Len()), nil)
			h.Delete(bytes.Clone(field))
		})
	case 4:
		alter(p, db, key, stream.New, func(s *stream.Stream) {
			id, _ := s.NextID(0)
			s.Append(id, [][]byte{p.element(), p.element()}, lim.Stream)
			s.AddGroup([]byte("group"), stream.ID{}, 0)
			s.Edit([]byte("group")).AddConsumer([]byte("consumer"), 1)
			s.Edit([]byte("group")).Deliver(stream.Pending{ID: id, Consumer: "consumer"})
		}, func(s *stream.Stream) {
			id := s.First()
			s.Delete(id)
			s.Edit([]byte("group")).Ack(id)
		})
	}
}

// element is one of not too many, often a number.
func (p *player) element() []byte {
	if p.rnd(3) > 0 {
		return strconv.AppendInt(nil, int64(p.rnd(1000)), 10)
	}
	return fmt.Append(nil, p.rnd(500), string(alphabets[:p.rnd(70)]))
}

// alter opens a collection, adds some elements or removes some, and saves it.
func alter[T Collection](p *player, db int, key []byte, fresh func() T, add, remove func(T)) {
	old, had := p.get(db, key)
	c, err := opened[T](&p.tx, key)
	if had && !strings.HasPrefix(old.val, collectionMark+fresh().Type().String()+elementMark) {
		if !errors.Is(err, ErrWrongType) {
			p.failf("%s is open: %v", key, err)
		}
		return
	}
	if p.must(err); !had {
		c.Value = fresh()
	} else if got := render(c.Value); got != old.val {
		p.failf("%s is open as %q, want %q", key, got, old.val)
	}
	more, n := p.rnd(3) > 0, []int{1, 1, 1, 1, 2, 2, 2, 3, 20, 40, 60, 300}[p.rnd(12)]
	for ; n > 0 && (more || c.Value.Len() > 0); n-- {
		if more {
			add(c.Value)
		} else {
			remove(c.Value)
		}
	}
	val := render(c.Value)
	empty := c.Value.Len() == 0 && c.Value.Type() != value.TypeStream
	if gone, err := c.Save(); err != nil || gone != empty {
		p.failf("%s is saved: gone is %v, %v", key, gone, err)
	}
	if m := p.at(db, key); empty {
		delete(m, string(key))
	} else {
		p.edited(m, key, old, had, val)
	}
}
