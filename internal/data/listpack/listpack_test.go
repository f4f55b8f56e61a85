package listpack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// samples are one element of each encoding and on both sides of each bound. redis 7.0.15 made a listpack with this hash
// of them.
var samples = append(strings.Split("0,1,63,127,128,-1,-4096,4095,4096,-4097,32767,-32768,32768,-32769,8388607,-8388608,8388608,-8388609,"+
	"2147483647,-2147483648,2147483648,-2147483649,9223372036854775807,-9223372036854775808,9223372036854775808,"+
	"-9223372036854775809,,a,-,-0,01,+1, 1,1.5", ","), repeated("x", 63, 64, 124, 125, 126, 127, 128, 4095)...)

const (
	samplesHash = "d766d8603bd08011b6c362ae3d2ab1734398be3a027d054cdd7ee3dbea48b5de"
	longHash    = "341b5e6bf02d5db858a0f431f47d13dc47cd106f4351d4910f5cece92332d54b"
)

func repeated(s string, counts ...int) (all []string) {
	for _, n := range counts {
		all = append(all, strings.Repeat(s, n))
	}
	return all
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func TestSameBytesAsRedis(t *testing.T) {
	if got := hash(Of(samples...)); got != samplesHash {
		t.Errorf("the samples became %s", got)
	}
	if got := hash(Of(repeated("y", 16376, 16377, 16378)...)); got != longHash {
		t.Errorf("long elements became %s", got)
	}
}

func TestElementsComeBack(t *testing.T) {
	lp := Of(samples...)
	if n, err := Validate(lp); n != len(samples) || err != nil {
		t.Fatal(n, err)
	}
	if got := all(lp); !slices.Equal(got, samples) {
		t.Fatalf("%q", got)
	}
	p := Last(lp)
	for i := len(samples) - 1; i >= 0; i-- {
		e := Get(lp, p)
		if string(e.Append(nil)) != samples[i] || e.Len() != len(samples[i]) || !e.Equal([]byte(samples[i])) || e.Equal([]byte("other")) {
			t.Errorf("element %d backwards is %v", i, e)
		}
		if q := Find(lp, First(lp), []byte(samples[i]), 0); q != p {
			t.Errorf("%q found at %d, not %d", samples[i], q, p)
		}
		p = Prev(lp, p)
	}
	if p != 0 {
		t.Error("more elements before the first")
	}
}

func TestFindPassesOver(t *testing.T) {
	lp := Of("a", "1", "1", "a", "b", "c")
	if p := Find(lp, First(lp), []byte("1"), 1); p != Seek(lp, 2) {
		t.Errorf("found at %d", p)
	}
	if p := Find(lp, First(lp), []byte("c"), 1); p != 0 {
		t.Errorf("found a value as a key at %d", p)
	}
}

func TestManyElements(t *testing.T) {
	lp := New()
	for range unknown + 10 {
		lp = AppendInt(lp, 5)
	}
	if n, err := Validate(lp); n != unknown+10 || Len(lp) != n || err != nil {
		t.Fatal(n, Len(lp), err)
	}
	if Seek(lp, -1) != Last(lp) || Seek(lp, unknown+9) != Last(lp) || Seek(lp, unknown+10) != 0 {
		t.Error("seeking is wrong")
	}
	left, right := Split(lp, 3)
	if Len(left) != 3 || Len(right) != unknown+7 {
		t.Error(Len(left), Len(right))
	}
}

func TestValidateRefuses(t *testing.T) {
	good := Of("a", "1000", strings.Repeat("x", 100))
	for i := range good {
		for _, bad := range [][]byte{good[:i], append(good[:i:i], good[i]^0x80), append(append(good[:i:i], good[i]^0xFF), good[i+1:]...)} {
			if _, err := Validate(bad); err == nil && len(bad) != len(good) {
				t.Errorf("%x was accepted", bad)
			}
		}
	}
	for _, bad := range []string{"", "07000000", "0700000000000", "0700000000ffff", "07000000010000ff"} {
		b, _ := hex.DecodeString(bad)
		if _, err := Validate(b); err == nil && bad != "" && len(b) != 7 {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func all(lp []byte) (s []string) {
	for p := First(lp); p != 0; p = Next(lp, p) {
		s = append(s, string(Get(lp, p).Append(nil)))
	}
	return s
}

// FuzzValidate reads, and then changes, whatever Validate lets pass.
func FuzzValidate(f *testing.F) {
	f.Add(Of(samples[:34]...))
	f.Add(New())
	f.Add(Of(repeated("x", 63, 64, 4095, 4096, 20000)...))
	f.Fuzz(func(t *testing.T, lp []byte) {
		n, err := Validate(lp)
		if err != nil {
			return
		}
		want := all(lp)
		if len(want) != n || Len(lp) != n {
			t.Fatalf("%d elements, not %d", len(want), n)
		}
		back := []string{}
		for p := Last(lp); p != 0; p = Prev(lp, p) {
			back = append(back, string(Get(lp, p).Append(nil)))
		}
		slices.Reverse(back)
		if !slices.Equal(back, append([]string{}, want...)) {
			t.Fatal("backwards it reads differently")
		}
		check(t, Append(slices.Clone(lp), []byte("new")), append(slices.Clone(want), "new"))
		if n > 0 {
			check(t, Delete(slices.Clone(lp), First(lp), 1), want[1:])
			check(t, Replace(slices.Clone(lp), Last(lp), []byte("12345")), append(slices.Clone(want[:n-1]), "12345"))
		}
	})
}

func check(t *testing.T, lp []byte, want []string) {
	t.Helper()
	if n, err := Validate(lp); err != nil || n != len(want) {
		t.Fatalf("%d elements instead of %d, %v: %x", n, len(want), err, lp)
	}
	if got := all(lp); !slices.Equal(got, want) {
		t.Fatalf("%q instead of %q", got, want)
	}
}

// FuzzModel changes a listpack and a slice alike.
func FuzzModel(f *testing.F) {
	f.Add(uint64(1), 100)
	f.Add(uint64(2), 400)
	f.Fuzz(func(t *testing.T, seed uint64, steps int) {
		r := rand.New(rand.NewPCG(seed, 0))
		lp, model := New(), []string{}
		for range min(steps, 500) {
			s := samples[r.IntN(len(samples))]
			i := 0
			if len(model) > 0 {
				i = r.IntN(len(model))
			}
			switch op := r.IntN(10); {
			case op < 3 || len(model) == 0:
				lp, model = Append(lp, []byte(s)), append(model, s)
			case op == 3:
				lp, model = Prepend(lp, []byte(s)), slices.Insert(model, 0, s)
			case op == 4:
				lp, model = InsertAfter(lp, Seek(lp, i), []byte(s)), slices.Insert(model, i+1, s)
			case op == 5:
				lp, model = InsertBefore(lp, Seek(lp, i-len(model)), []byte(s)), slices.Insert(model, i, s)
			case op == 6:
				lp, model = Replace(lp, Seek(lp, i), []byte(s)), slices.Replace(model, i, i+1, s)
			case op == 7:
				n := r.IntN(4)
				lp, model = DeleteRange(lp, i, n), slices.Delete(model, i, min(i+n, len(model)))
			default:
				left, right := Split(lp, i)
				check(t, left, model[:i])
				check(t, right, model[i:])
				lp = Concat(right, left)
				model = append(slices.Clone(model[i:]), model[:i]...)
			}
			check(t, lp, model)
			if fresh := Of(model...); !bytes.Equal(fresh, lp) {
				t.Fatalf("%x, and made afresh %x", lp, fresh)
			}
		}
	})
}

// What an element of a small list costs.
func BenchmarkMemory(b *testing.B) {
	var lp []byte
	for b.Loop() {
		lp = New()
		for range 100 {
			lp = Append(lp, []byte("element:00000001"))
		}
	}
	b.ReportMetric(float64(cap(lp))/100, "B/element")
}

func BenchmarkFind(b *testing.B) {
	lp := New()
	for i := range 128 {
		lp = AppendInt(lp, int64(i*1000))
		lp = Append(lp, []byte("value of some bytes"))
	}
	for b.Loop() {
		Find(lp, First(lp), []byte("127000"), 1)
	}
}
