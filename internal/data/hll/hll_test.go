package hll

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

const usual = 3000 // hll-sparse-max-bytes

func add(t testing.TB, b []byte, format string, from, to int) []byte {
	t.Helper()
	for i := from; i < to; i++ {
		var err error
		if b, _, err = Add(b, fmt.Appendf(nil, format, i), usual); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// The lengths, hashes and counts are those of redis 7.0.15 after the same PFADD, PFMERGE and PFCOUNT.
func TestSameBytesAsRedis(t *testing.T) {
	h := add(t, New(), "element:%d", 0, 200)
	if len(h) != 505 || hash(h) != "02ac2335bad5141b1ae06806afbb5cb653af4c0c9581617ec8eb05ef043efbd9" {
		t.Errorf("%d bytes, %s", len(h), hash(h))
	}
	g := add(t, New(), "element:%d", 0, 50000)
	if len(g) != denseBytes || hash(g[headerBytes:]) != "23974b4ca04caa646fe30441f1657316c409438fc6f43033a68b44c3d45c4c0e" {
		t.Errorf("%d bytes, %s", len(g), hash(g[headerBytes:]))
	}
	h2 := add(t, New(), "x%d", 1100, 1120)
	if got := hex.EncodeToString(h2); got != "48594c4c010000000000000000000080"+"43cb80471994412984409e84462e80405a80417a88410480459c8830804ac48840b98045d7800d84430380406c9443b29440948447ab804266844133" {
		t.Error(got)
	}
	for _, c := range []struct {
		all  [][]byte
		want uint64
	}{{[][]byte{h}, 200}, {[][]byte{g}, 49716}, {[][]byte{h2}, 20}, {[][]byte{h, h2}, 220}, {[][]byte{g, h}, 49716}, {nil, 0}} {
		var r Registers
		for _, b := range c.all {
			if err := r.Merge(b); err != nil {
				t.Fatal(err)
			}
		}
		if n := r.Cardinality(); n != c.want {
			t.Errorf("%d instead of %d", n, c.want)
		}
	}
	var r Registers
	r.Merge(h)
	r.Merge(g)
	d, _ := ToDense(New())
	m, err := r.Store(d, usual)
	if err != nil || hash(m) != "03cc866f5170e0e222a0ff3e9ad69f4ad41cda7659b671800d36efaaedcc9f10" {
		t.Errorf("merged: %s, %v", hash(m), err)
	}
}

func TestHash(t *testing.T) {
	// Every length around a word of the hash takes all of its bytes.
	for i := range 20 {
		b := []byte(strings.Repeat("a", i))
		if murmur(b, 1) == murmur(append(b, 'a'), 1) || i > 0 && murmur(b, 1) == murmur(b, 2) {
			t.Error("the hash does not tell apart", i)
		}
	}
}

func TestCache(t *testing.T) {
	b := New()
	if n, ok := Cached(b); n != 0 || !ok {
		t.Error("an empty one must be counted")
	}
	b = add(t, b, "%d", 0, 1)
	if _, ok := Cached(b); ok {
		t.Error("still true after a change")
	}
	SetCached(b, 77)
	if n, ok := Cached(b); n != 77 || !ok {
		t.Error(n, ok)
	}
	b = add(t, b, "%d", 0, 1)
	if _, ok := Cached(b); !ok {
		t.Error("out of date without a change")
	}
}

func TestRuns(t *testing.T) {
	b, _, _ := Set(New(), 100, 3, usual)
	b, _, _ = Set(b, 101, 3, usual)
	if got := AppendRuns(nil, b); string(got) != "Z:100 v:3,2 Z:16282" {
		t.Errorf("%s", got)
	}
	b, _, _ = Set(b, 5, 33, usual)
	if !IsDense(b) {
		t.Error("sparse with 33")
	}
}

// FuzzModel sets registers in all encodings.
func FuzzModel(f *testing.F) {
	f.Add(uint64(1), 300, 3000, 16384)
	f.Add(uint64(2), 2000, 3000, 200)
	f.Add(uint64(3), 1000, 100, 16384)
	f.Fuzz(func(t *testing.T, seed uint64, steps, sparseMax, span int) {
		r := rand.New(rand.NewPCG(seed, 0))
		b := New()
		var model Registers
		span = min(max(span, 1), Count)
		for range min(steps, 3000) {
			i, v := r.IntN(span), uint8(r.IntN(4)+1)
			if r.IntN(1000) == 0 {
				v = uint8(r.IntN(registerMax) + 1)
			}
			var changed bool
			var err error
			if b, changed, err = Set(b, i, v, sparseMax); err != nil || changed != (v > model[i]) {
				t.Fatal(changed, err)
			}
			model[i] = max(model[i], v)
			if !IsDense(b) && len(b) > max(sparseMax, headerBytes+2) {
				t.Fatalf("sparse with %d bytes", len(b))
			}
			if Check(b) != nil {
				t.Fatal("not a HyperLogLog any more")
			}
		}
		var got Registers
		if err := got.Merge(b); err != nil || got != model {
			t.Fatal("the registers differ", err)
		}
		d, err := ToDense(b)
		if err != nil {
			t.Fatal(err)
		}
		got = Registers{}
		if got.Merge(d); got != model {
			t.Fatal("made dense, the registers differ")
		}
	})
}

// FuzzBytes gives all functions whatever Check accepts.
func FuzzBytes(f *testing.F) {
	f.Add(New())
	f.Add(add(f, New(), "%d", 0, 100))
	f.Add(append(New()[:headerBytes], 0x7F))
	f.Add(append(New()[:headerBytes], 0x7F, 0xFF, 0x80, 0x80))
	f.Fuzz(func(t *testing.T, b []byte) {
		if Check(b) != nil {
			return
		}
		n, err := Cardinality(b)
		_, err2 := ToDense(append([]byte(nil), b...))
		if (err == nil) != (err2 == nil) {
			t.Fatal(err, err2)
		}
		AppendRuns(nil, b)
		for i := range 20 {
			b, _, err2 = Add(b, []byte{byte(i)}, usual)
		}
		if err == nil {
			more, err := Cardinality(b)
			if err2 != nil || err != nil || more < n {
				t.Fatal(err, err2, n, more)
			}
		}
	})
}

func TestEstimate(t *testing.T) {
	b := New()
	for n := 1; n <= 100000; n *= 10 {
		b = add(t, b, "e%d", 0, n)
		got, err := Cardinality(b)
		if off := math.Abs(float64(got)-float64(n)) / float64(n); err != nil || off > 0.03 {
			t.Errorf("%d instead of %d", got, n)
		}
	}
}

// How many bytes a hundred elements take.
func BenchmarkAdd(b *testing.B) {
	h := New()
	for i := 0; b.Loop(); i++ {
		h, _, _ = Add(h, fmt.Append(nil, i%100), usual)
	}
	b.ReportMetric(float64(len(h)), "B")
}

func BenchmarkCardinality(b *testing.B) {
	h := add(b, New(), "%d", 0, 100000)
	for b.Loop() {
		Cardinality(h)
	}
}

func TestSelfTest(t *testing.T) {
	if err := SelfTest(3, 10_000, 3000); err != nil {
		t.Fatal(err)
	}
}

// TestRaises compares Raises with what Add then does.
func TestRaises(t *testing.T) {
	b, err := ToDense(New())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		e := []byte{byte(i), byte(i >> 8), byte(i % 3)}
		want := Raises(b, e)
		var changed bool
		if b, changed, err = Add(b, e, 0); err != nil || changed != want {
			t.Fatalf("element %x: Raises says %t, Add %t, %v", e, want, changed, err)
		}
	}
}
