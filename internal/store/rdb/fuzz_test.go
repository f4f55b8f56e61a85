package rdb

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/data/zset"
)

// FuzzUndump reads any body as a dump. What it can read must bear all that one can
// do with a value, and writing and reading it again must change nothing.
func FuzzUndump(f *testing.F) {
	var e Encoder
	for _, text := range texts()[:60] {
		dump := e.DumpString(nil, text)
		f.Add(dump[:len(dump)-footerBytes])
	}
	for _, plain := range []bool{true, false} {
		e.Plain = plain
		for _, v := range values() {
			if dump, _ := e.Dump(nil, v.o); len(dump) < 10_000 { // the fuzzer is slow with long ones
				f.Add(dump[:len(dump)-footerBytes])
			}
		}
	}
	for _, v := range oldValues() {
		f.Add([]byte(v.body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := Undump(sealed(string(body), Version), usual)
		fromStream(t, body, v, err)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrType) {
				t.Fatal(err)
			}
			return
		}
		again, err := Undump(dumped(v), usual)
		if err != nil || text(again) != text(v) {
			t.Fatalf("%s became %s, %v", text(v), text(again), err)
		}
		if v.Object != nil {
			handle(t, v.Object.Freeze())
			handle(t, v.Object)
			if v.Object.Type() != again.Object.Type() || text(Value{Object: v.Object}) == "" && v.Object.Type() != value.TypeString {
				t.Fatal("the value is no more what it was")
			}
		}
		if _, err := Undump(body, usual); err == nil && len(body) < footerBytes {
			t.Fatal("a dump without a footer was read")
		}
	})
}

func dumped(v Value) []byte {
	if v.Object == nil {
		return new(Encoder).DumpString(nil, v.Str)
	}
	dump, err := new(Encoder).Dump(nil, v.Object)
	if err != nil {
		panic(err)
	}
	return dump
}

// fromStream asks that the value read from a stream is the same.
func fromStream(t *testing.T, body []byte, want Value, wantErr error) {
	d := newStreamDecoder(bytes.NewReader(body), usual)
	got := d.Value(d.Type())
	if (d.err == nil) != (wantErr == nil) || d.err == nil && text(got) != text(want) {
		t.Fatalf("%s, %v from a stream; %s, %v in memory", text(got), d.err, text(want), wantErr)
	}
}

// handle does all with o that one can do, and leaves something of it.
func handle(t *testing.T, o value.Object) {
	o.Bytes()
	o.Encoding()
	var scratch [32]byte
	odd := []byte("something odd")
	switch o := o.(type) {
	case *quicklist.List:
		o.PushFront(odd, usual.List)
		for i := 0; i < o.Len(); i++ {
			e := bytes.Clone(o.At(i, scratch[:]))
			o.Set(i, append(e, 'x'), usual.List)
		}
		for range o.Descend(o.Len() - 1) {
		}
		o.Insert(o.Len()/2, odd, usual.List)
		o.DeleteRange(1, o.Len()/2)
		o.PopBack(nil)
		o.PushBack(odd, usual.List)
		o.Shrink(usual.List)
	case *set.Set:
		for i := 0; i < o.Len(); i++ {
			if m := o.At(i, scratch[:]); !o.Has(m) {
				t.Fatalf("%q is not found", m)
			}
		}
		for o.Len() > 1 {
			o.Remove(bytes.Clone(o.At(0, scratch[:])))
		}
		o.Scan(0, 10, func([]byte) {})
		o.Add(odd, usual.Set)
	case *zset.ZSet:
		for i := 0; i < o.Len(); i++ {
			m, score := o.At(i, scratch[:])
			if rank, ok := o.Rank(m); !ok || rank != i || o.Below(score, true) <= i {
				t.Fatalf("%q has rank %d", m, rank)
			}
		}
		for range o.Descend(o.Len() - 1) {
		}
		o.Set(odd, 1, usual.ZSet)
		o.DeleteRange(0, o.Len()/2)
		for o.Len() > 1 {
			m, _ := o.At(0, scratch[:])
			o.Delete(bytes.Clone(m))
		}
		o.Scan(0, 10, func([]byte, float64) {})
	case *hash.Hash:
		for i := 0; i < o.Len(); i++ {
			if field, _ := o.At(i, scratch[:]); !o.Has(field) {
				t.Fatalf("%q is not found", field)
			}
		}
		for range o.Deadlines() {
		}
		for o.Len() > 1 {
			field, _ := o.At(0, scratch[:])
			o.Delete(bytes.Clone(field))
		}
		o.Set(odd, odd, usual.Hash)
		o.SetExpiry(odd, 5)
	case *stream.Stream:
		handleStream(o)
	}
}

func handleStream(s *stream.Stream) {
	opt := stream.Options{BlockBytes: 100, BlockEntries: 5}
	for range s.Descend(stream.Highest, stream.ID{}) {
	}
	for g := range s.Groups() {
		s.Position(g.Last)
	}
	for i := range 3 {
		if id, ok := s.NextID(0); ok {
			s.Append(id, [][]byte{[]byte("f"), fmt.Append(nil, i)}, opt)
		}
	}
	s.Delete(s.First())
	s.Delete(s.Final())
	s.TrimLen(s.Len()/2, true, 100)
	s.TrimLen(s.Len()/2, false, 0)
	var names []string
	for g := range s.Groups() {
		names = append(names, g.Name())
	}
	for _, name := range names {
		g := s.Edit([]byte(name))
		var ids []stream.ID
		for p := range g.PendingFrom(stream.ID{}) {
			ids = append(ids, p.ID)
		}
		for _, id := range ids {
			g.Ack(id)
		}
		for g.ConsumerCount() > 0 {
			for c := range g.Consumers() {
				g.RemoveConsumer([]byte(c.Name()))
				break
			}
		}
	}
}
