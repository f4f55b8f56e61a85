package value

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestStringAgainstSlice changes a String and a plain slice alike, freezes now
// and then, and asks that the live one follows the slice and no frozen copy moves.
func TestStringAgainstSlice(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	model := bytes.Repeat([]byte("adopted"), 30_000)
	s := AdoptString(bytes.Clone(model))
	type frozen struct {
		s    *String
		want []byte
	}
	var cuts []frozen
	for range 400 {
		switch rnd.IntN(4) {
		case 0:
			b := bytes.Repeat([]byte{byte(rnd.Uint32())}, rnd.IntN(90_000))
			s.Append(b)
			model = append(model, b...)
		case 1:
			if len(model) > 0 {
				off := rnd.IntN(len(model))
				b := bytes.Repeat([]byte{byte(rnd.Uint32())}, rnd.IntN(min(len(model)-off, 70_000)+1))
				s.WriteAt(off, b)
				copy(model[off:], b)
			}
		case 2:
			s.Grow(len(model) + rnd.IntN(5000))
			model = append(model, make([]byte, s.Len()-len(model))...)
		case 3:
			if len(cuts) < 20 {
				cuts = append(cuts, frozen{s.Freeze().(*String), bytes.Clone(model)})
			}
		}
		sum := 64 + 24*len(s.chunks)
		for _, c := range s.chunks {
			sum += cap(c)
		}
		if s.Bytes() != sum {
			t.Fatalf("it takes %d bytes, says it takes %d", sum, s.Bytes())
		}
		if len(model) > 3_000_000 {
			s, model = NewString(nil), nil
		}
	}
	if got := s.AppendRange(nil, 0, s.Len()); !bytes.Equal(got, model) {
		t.Fatal("the live string differs from its model")
	}
	for i, c := range cuts {
		if got := c.s.AppendRange(nil, 0, c.s.Len()); !bytes.Equal(got, c.want) {
			t.Fatalf("frozen copy %d changed", i)
		}
	}
}
