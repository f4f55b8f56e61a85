package slot

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestOf(t *testing.T) {
	if got := crc16([]byte("123456789")); got != 0x31C3 {
		t.Errorf("crc16 of the check string = %#x, want 0x31c3", got)
	}
	for key, want := range map[string]uint16{ // from CLUSTER KEYSLOT of redis 7.0.15
		"":                 0,
		"foo":              12182,
		"bar":              5061,
		"somekey":          11058,
		"123456789":        12739,
		"key:000000000012": 8590,
		"foo{hash_tag}":    2515,
		"user:{1000}.a":    11326,
		"foo{bar}{zap}":    5061,
		"foo{{bar}}zap":    4015,
		"foo{}{bar}":       8363,
		"{}":               15257,
		"{x}":              16287,
		"a{b":              13340,
	} {
		if got := Of([]byte(key)); got != want {
			t.Errorf("Of(%q) = %d, want %d", key, got, want)
		}
		if got := OfString(key); got != want {
			t.Errorf("OfString(%q) = %d, want %d", key, got, want)
		}
	}
}

func TestTag(t *testing.T) {
	for key, want := range map[string]string{
		"": "", "a": "a", "{": "{", "}": "}", "{}": "{}", "{}{a}": "{}{a}", "a{b}c": "b",
		"a}b{c}": "c", "a{b": "a{b", "{{}}": "{", "foo{}{bar}": "foo{}{bar}",
	} {
		if got := Tag([]byte(key)); string(got) != want {
			t.Errorf("Tag(%q) = %q, want %q", key, got, want)
		}
	}
}

// The sliced CRC must agree with the definition, bit by bit.
func FuzzOf(f *testing.F) {
	f.Add([]byte("foo"))
	f.Add([]byte("a longer key {with} a tag"))
	f.Fuzz(func(t *testing.T, key []byte) {
		var crc uint16
		for _, b := range Tag(key) {
			crc ^= uint16(b) << 8
			for range 8 {
				carry := crc&0x8000 != 0
				crc <<= 1
				if carry {
					crc ^= poly
				}
			}
		}
		if got := Of(key); got != crc%Count {
			t.Fatalf("Of(%q) = %d, want %d", key, got, crc%Count)
		}
	})
}

func TestSetAgainstModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var s, other Set
		model := make([]bool, Count)
		for range rnd.IntN(30) {
			a, b := rnd.IntN(Count), rnd.IntN(Count)
			r := Range{uint16(a), uint16(min(Count-1, a+b%500))}
			add := rnd.IntN(3) > 0
			for i := r.Start; i <= r.End; i++ {
				model[i] = add
			}
			if add {
				s.AddRange(r)
			} else {
				s.RemoveRange(r)
			}
			one := uint16(rnd.IntN(Count))
			model[one] = true
			s.Add(one)
			other.Add(one)
		}
		check(t, &s, model)
		if s.Intersects(&other) != slices.ContainsFunc(slices.Collect(other.All()), s.Has) {
			t.Fatal("Intersects disagrees with the elements")
		}
		both := s
		both.Intersect(&other)
		s.Subtract(&other)
		for slot := range other.All() {
			model[slot] = false
		}
		check(t, &s, model)
		s.Union(&both)
		for slot := range both.All() {
			model[slot] = true
		}
		check(t, &s, model)
		same := s
		if !same.Equal(&s) {
			t.Fatal("a copy differs")
		}
		same.Clear()
		if !same.Empty() || same.Len() != 0 {
			t.Fatal("Clear left slots")
		}
	}
}

func check(t *testing.T, s *Set, model []bool) {
	t.Helper()
	var want []uint16
	for i, in := range model {
		if in {
			want = append(want, uint16(i))
		}
		if s.Has(uint16(i)) != in {
			t.Fatalf("Has(%d) = %v", i, !in)
		}
	}
	if got := slices.Collect(s.All()); !slices.Equal(got, want) {
		t.Fatalf("All yields %d slots, want %d", len(got), len(want))
	}
	if s.Len() != len(want) || s.Empty() != (len(want) == 0) {
		t.Fatalf("Len %d Empty %v, want %d slots", s.Len(), s.Empty(), len(want))
	}
	var again Set
	last := -2
	for r := range s.Ranges() {
		if int(r.Start) <= last+1 || r.End < r.Start {
			t.Fatalf("range %v follows %d", r, last)
		}
		last = int(r.End)
		again.AddRange(r)
	}
	if again != *s {
		t.Fatal("the ranges do not make the set")
	}
}

func TestSetBitOrder(t *testing.T) {
	var s Set
	s.Add(0)
	s.Add(9)
	s.Add(Count - 1)
	if s[0] != 1 || s[1] != 2 || s[2047] != 0x80 {
		t.Fatalf("bytes %x %x … %x", s[0], s[1], s[2047])
	}
	s.Remove(9)
	if !bytes.Equal(s[:2], []byte{1, 0}) {
		t.Fatalf("after Remove: %x", s[:2])
	}
	var full Set
	full.AddRange(Range{0, Count - 1})
	if full.Len() != Count || (Range{0, Count - 1}).Len() != Count {
		t.Fatalf("full set has %d slots", full.Len())
	}
	if got := slices.Collect(full.Ranges()); len(got) != 1 || got[0] != (Range{0, Count - 1}) {
		t.Fatalf("full set has ranges %v", got)
	}
	full.Clear()
	full.AddRange(Range{5, 4})
	if !full.Empty() {
		t.Fatal("a reversed range added slots")
	}
}

func TestIteratorsStop(t *testing.T) {
	var s Set
	s.AddRange(Range{3, 5})
	s.Add(9)
	for range s.All() {
		break
	}
	for range s.Ranges() {
		break
	}
}

func TestOfAllocatesNothing(t *testing.T) {
	key := []byte("key:{000000}0012")
	if n := testing.AllocsPerRun(100, func() { Of(key) }); n != 0 {
		t.Fatalf("Of allocates %v times", n)
	}
}

func BenchmarkOf16(b *testing.B) {
	key := []byte("key:000000000012")
	for b.Loop() {
		Of(key)
	}
}
