package lzf

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// Strings as redis 7.0.15 compressed them for DUMP.
func samples() map[string]string {
	var keys strings.Builder
	for i := 1; i <= 60; i++ {
		fmt.Fprintf(&keys, "key:%d value ", i)
	}
	return map[string]string{
		strings.Repeat("abc", 150) + "xyz": "0361626361e0ff02e1ad070278797a",
		strings.Repeat("a", 1000):          "016161e0ff00e0ff00e0ff00e0c300016161",
		keys.String(): "0c6b65793a312076616c7565206b200b0032e0020b0033e0020b0034e0020b0035e0020b0036e0020b0037e0020b0038e0" +
			"020b0039e0020b013130e0030ce003790031e0037a0031e0037b0031e0037c0031e0037d0031e0037e0031e0037f0031e003" +
			"800031e003810032e003810032e003810032e003810032e003810032e003810032e003810032e003810032e003810032e003" +
			"810032e003810033e003810033e003810033e003810033e003810033e003810033e003810033e003810033e003810033e003" +
			"810033e003810034e003810034e003810034e003810034e003810034e003810034e003810034e003810034e003810034e003" +
			"810034e003810035e003810035e003810035e003810035e003810035e003810035e003810035e003810035e003810035e003" +
			"810035e0038100368081016520",
	}
}

func TestAsRedis(t *testing.T) {
	for want, text := range samples() {
		packed, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decompress(packed, len(want))
		if err != nil || string(got) != want {
			t.Errorf("%.20q…: got %.40q, %v", want, got, err)
		}
		ours, ok := Compress(nil, []byte(want))
		if !ok || !bytes.Equal(ours, packed) {
			t.Errorf("%.20q…: we make %x, redis %s", want, ours, text)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var e Encoder
	packed := 0
	for range 200 {
		src := make([]byte, rnd.IntN(20000))
		letters := 1 + rnd.IntN(256)
		for i := range src {
			if i > 300 && rnd.IntN(20) == 0 {
				copy(src[i:], src[rnd.IntN(i-260):][:rnd.IntN(280)])
			}
			if src[i] == 0 {
				src[i] = byte(rnd.IntN(letters))
			}
		}
		out, ok := e.Compress([]byte("prefix"), src)
		fresh, okFresh := Compress([]byte("prefix"), src)
		if ok != okFresh || !bytes.Equal(out, fresh) {
			t.Fatal("an Encoder's history changes its result")
		}
		if !ok {
			if string(out) != "prefix" {
				t.Fatal("a refused string left bytes")
			}
			continue
		}
		packed++
		out = out[len("prefix"):]
		if len(out) > len(src)-minSaving {
			t.Fatalf("%d bytes became %d", len(src), len(out))
		}
		back, err := Decompress(out, len(src))
		if err != nil || !bytes.Equal(back, src) {
			t.Fatalf("%d bytes of %d letters did not come back: %v", len(src), letters, err)
		}
	}
	if packed < 50 {
		t.Errorf("only %d strings were compressed", packed)
	}
}

func TestCompressRefuses(t *testing.T) {
	for _, src := range []string{"", "a", "aaaa", "aaaaa", "abcdefghijklmnopqrstuvwxyz"} {
		if out, ok := Compress(nil, []byte(src)); ok {
			t.Errorf("%q became %x", src, out)
		}
	}
}

// When places no longer fit 32 bits the Encoder starts over.
func TestEncoderWrapsAround(t *testing.T) {
	e := Encoder{base: 1<<32 - 100}
	src := bytes.Repeat([]byte("abc"), 100)
	out, ok := e.Compress(nil, src)
	fresh, _ := Compress(nil, src)
	if !ok || !bytes.Equal(out, fresh) {
		t.Fatal("the result differs at the end of the counter")
	}
}

func TestDecompressRefuses(t *testing.T) {
	for _, test := range []struct {
		packed string
		n      int
	}{
		{"\x00a", 0}, {"\x00a", 2}, {"\x00a", -1}, {"\x00a", 1 << 30}, {"\x01a", 2}, {"\x00a\x20", 4}, {"\x00a\xe0\x00", 10},
		{"\x00a\xe0", 10}, {"\x00a\x20\x01", 4}, {"\x20\x00", 3}, {"\x00a\x20\x00", 3}, {"", 1},
	} {
		if out, err := Decompress([]byte(test.packed), test.n); err != ErrCorrupt {
			t.Errorf("Decompress(%q, %d) = %q, %v", test.packed, test.n, out, err)
		}
	}
	if out, err := Decompress(nil, 0); err != nil || len(out) != 0 {
		t.Errorf("nothing: %q, %v", out, err)
	}
}

func FuzzRoundTrip(f *testing.F) {
	for want := range samples() {
		f.Add([]byte(want))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		packed, ok := Compress(nil, src)
		if !ok {
			return
		}
		back, err := Decompress(packed, len(src))
		if err != nil || !bytes.Equal(back, src) {
			t.Fatalf("%q came back as %q, %v", src, back, err)
		}
	})
}

func FuzzDecompress(f *testing.F) {
	for want, text := range samples() {
		packed, _ := hex.DecodeString(text)
		f.Add(packed, len(want))
	}
	f.Fuzz(func(t *testing.T, packed []byte, n int) {
		out, err := Decompress(packed, n)
		if err == nil && len(out) != n {
			t.Fatalf("%d bytes instead of %d", len(out), n)
		}
	})
}

func BenchmarkCompress(b *testing.B) {
	src := []byte(strings.Repeat("a line of text that comes again, ", 100))
	var e Encoder
	var out []byte
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		out, _ = e.Compress(out[:0], src)
	}
}
