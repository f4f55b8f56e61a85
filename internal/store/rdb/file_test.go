package rdb

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/skeindb/skein/internal/base/crc64"
	"github.com/skeindb/skein/internal/data/value"
)

// taker keeps what it is handed.
type taker struct {
	aux       []string
	functions []string
	keys      []taken
	fail      error
}

type taken struct {
	db       int
	name     string
	text     string
	expiryMs int64
	idle     int64
	freq     int
}

func (h *taker) Aux(name, value []byte) error {
	h.aux = append(h.aux, string(name)+"="+string(value))
	return h.fail
}

func (h *taker) Function(code []byte) error {
	h.functions = append(h.functions, string(code))
	return h.fail
}

func (h *taker) Key(k *Key) error {
	h.keys = append(h.keys, taken{k.DB, string(k.Name), text(k.Value), k.ExpiryMs, k.IdleSec, k.Freq})
	return h.fail
}

// finished is a file that goes on from head with body and ends as it should.
func finished(head, body string) string {
	b := []byte(head + body + "\xff")
	sum := crc64.Update(0, b)
	for i := range 8 {
		b = append(b, byte(sum>>(8*i)))
	}
	return string(b)
}

// sample is a file with something of everything.
func sample(tb testing.TB, o WriterOptions) (file []byte, want taker) {
	var out bytes.Buffer
	w := NewWriter(&out, o)
	want.aux = []string{"redis-ver=7.2.4", "ctime=1700000000", "empty="}
	for _, a := range want.aux {
		name, value, _ := strings.Cut(a, "=")
		w.Aux(name, value)
	}
	want.functions = []string{"#!lua name=one\nredis.register_function('f', function() end)", "#!lua name=two"}
	for _, f := range want.functions {
		w.Function([]byte(f))
	}
	add := func(k taken, o value.Object) {
		key := Key{DB: k.db, Name: []byte(k.name), Value: Value{Str: []byte(k.text), Object: o}, ExpiryMs: k.expiryMs, IdleSec: k.idle, Freq: k.freq}
		if o != nil {
			key.Str = nil
		}
		if err := w.Key(&key); err != nil {
			tb.Fatal(err)
		}
		want.keys = append(want.keys, k)
	}
	w.Database(0)
	w.Sizes(4, 2)
	add(taken{0, "plain", "text", NoExpiry, Unknown, Unknown}, nil)
	add(taken{0, "due", "123", 1_700_000_000_123, 17, Unknown}, nil)
	add(taken{0, "", "", NoExpiry, Unknown, 255}, nil)
	add(taken{0, strings.Repeat("name", 100), strings.Repeat("value", 100), 0, 1 << 40, 0}, nil)
	w.Database(15)
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1000, value.ChunkBytes, value.ChunkBytes + 1, 300_000} {
		noise := make([]byte, n)
		for i := range noise {
			noise[i] = byte(rnd.Uint32())
		}
		add(taken{15, fmt.Sprint("noise", n), string(noise), NoExpiry, Unknown, Unknown}, value.NewString(noise))
		even := strings.Repeat("e", n)
		add(taken{15, fmt.Sprint("even", n), even, NoExpiry, Unknown, Unknown}, value.NewString([]byte(even)))
	}
	if err := w.End(); err != nil || w.Written() != int64(out.Len()) {
		tb.Fatal(err, w.Written(), out.Len())
	}
	return out.Bytes(), want
}

func same(t *testing.T, got, want *taker) {
	t.Helper()
	if fmt.Sprint(got.aux, got.functions) != fmt.Sprint(want.aux, want.functions) {
		t.Errorf("%q %q", got.aux, got.functions)
	}
	if len(got.keys) != len(want.keys) {
		t.Fatalf("%d keys instead of %d", len(got.keys), len(want.keys))
	}
	for i, k := range got.keys {
		if k != want.keys[i] {
			t.Errorf("key %d: %.200v instead of %.200v", i, fmt.Sprint(k), fmt.Sprint(want.keys[i]))
		}
	}
}

// TestThereAndBack writes and reads, by readers that give more and less at a time.
func TestThereAndBack(t *testing.T) {
	for _, o := range []WriterOptions{{}, {Plain: true}, {NoChecksum: true}} {
		file, want := sample(t, o)
		for name, r := range map[string]io.Reader{
			"whole":        bytes.NewReader(file),
			"byte by byte": iotest.OneByteReader(bytes.NewReader(file)),
			"small buffer": bufio.NewReaderSize(bytes.NewReader(file), 16),
			"eof at once":  iotest.DataErrReader(bytes.NewReader(file)),
		} {
			var got taker
			sum, err := Read(r, ReadOptions{Limits: usual}, &got)
			if err != nil {
				t.Fatalf("%+v, %s: %v", o, name, err)
			}
			if (sum != Summary{Version, int64(len(file)), !o.NoChecksum}) {
				t.Errorf("%+v, %s: %+v", o, name, sum)
			}
			same(t, &got, &want)
		}
	}
	packed, _ := sample(t, WriterOptions{})
	if plain, _ := sample(t, WriterOptions{Plain: true}); len(plain) < len(packed)+300_000 {
		t.Errorf("%d bytes compressed, %d not", len(packed), len(plain))
	}
}

// TestNothingBehindIsRead: what follows a file in a stream is left there.
func TestNothingBehindIsRead(t *testing.T) {
	file, _ := sample(t, WriterOptions{})
	r := bufio.NewReader(strings.NewReader(string(file) + "behind"))
	if _, err := Read(r, ReadOptions{Limits: usual}, new(taker)); err != nil {
		t.Fatal(err)
	}
	if rest, _ := io.ReadAll(r); string(rest) != "behind" {
		t.Errorf("%.40q is left", rest)
	}
}

// TestOldFiles reads what only older versions write, and valkey 8.
func TestOldFiles(t *testing.T) {
	for _, test := range []struct {
		file string
		want taken
	}{
		{"REDIS0001\xfe\x02\x00\x01k\x01v\xff", taken{2, "k", "v", NoExpiry, Unknown, Unknown}}, // no checksum
		{"REDIS0002\xfd\x10\x00\x00\x00\x00\x01k\x01v\xff", taken{0, "k", "v", 16000, Unknown, Unknown}},
		{"REDIS0004\xfd\xff\xff\xff\xff\x00\x01k\x01v\xff", taken{0, "k", "v", 0, Unknown, Unknown}},
		{finished("REDIS0007", "\xfe\x00\xfb\x01\x01\xfc\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01k\x01v"), taken{0, "k", "v", 1, Unknown, Unknown}},
		{finished("REDIS0009", "\xfe\x00\xf9\x07\xf8\x40\x50\x00\x01k\xc0\xfe"), taken{0, "k", "-2", NoExpiry, 80, 7}},
		{finished("REDIS0011", "\xfe\x00\xfb\x01\x00\xf4\x50\x00\x01\x00\x00\x01k\x01v"), taken{0, "k", "v", NoExpiry, Unknown, Unknown}},
		{"REDIS0010\x00\x01k\x01v\xff\x00\x00\x00\x00\x00\x00\x00\x00", taken{0, "k", "v", NoExpiry, Unknown, Unknown}},
	} {
		var got taker
		if _, err := Read(strings.NewReader(test.file), ReadOptions{Limits: usual}, &got); err != nil || len(got.keys) != 1 || got.keys[0] != test.want {
			t.Errorf("%q: %v, %v", test.file, got.keys, err)
		}
	}
}

// TestRefusals: each error is of its kind and names the place.
func TestRefusals(t *testing.T) {
	huge := "\x81\x7f\xff\xff\xff\xff\xff\xff\xff"
	for _, test := range []struct {
		file string
		want error
		text string
	}{
		{"", ErrShort, "9 bytes expected, 0 left at byte 0"},
		{"REDIS001", ErrShort, "9 bytes expected, 8 left at byte 0"},
		{"RODIS0010", ErrSignature, `"RODIS0010" at byte 0`},
		{"REDIS0000", ErrVersion, `"0000" at byte 5`},
		{"REDIS0013", ErrVersion, `"0013" at byte 5`},
		{"REDIS+001", ErrVersion, `"+001" at byte 5`},
		{"VALKEY080", ErrVersion, "valkey 9"},
		{"REDIS0010", ErrShort, "at byte 9"},
		{"REDIS0010\xff\x01", ErrShort, "8 bytes expected, 1 left at byte 10"},
		{"REDIS0010\xff12345678", ErrChecksum, "at byte 10"},
		{"REDIS0010\x00\x02k", ErrShort, "2 bytes expected, 1 left at byte 11"},
		{"REDIS0010\x00\x01k\x05v", ErrShort, "5 bytes expected, 1 left at byte 13"},
		{"REDIS0010\x00\x01k" + huge, ErrShort, "at byte 21"},
		{"REDIS0010\x00" + huge, ErrShort, "9223372036854775807 bytes expected, 0 left at byte 19"},
		{"REDIS0010\x00\x01k\xc3\x05" + huge + "abcde", ErrCorrupt, "compressed string: lzf: corrupt data at byte 12"},
		{"REDIS0010\x00\x01k\x90", ErrCorrupt, "length of form 0x90 at byte 12"},
		{"REDIS0010\xfe\xc0", ErrCorrupt, "encoding 0 in place of a length at byte 10"},
		{"REDIS0010\xfe\x81\x00\x00\x00\x01\x00\x00\x00\x00", ErrCorrupt, "database 4294967296 at byte 10"},
		{"REDIS0010\xfe\x03\x08\x01k", ErrType, `type 8 (unknown) at byte 14, key "k" in database 3`},
		{"REDIS0010\x15\x01k", ErrShort, "1 bytes expected, 0 left at byte 12"},
		{"REDIS0010\x10\x01k\x02ab", ErrCorrupt, `Hash listpack integrity check failed: listpack: corrupt data at byte 12, key "k" in database 0`},
		{"REDIS0010\x07\x01k", ErrType, `type 7 (module value) at byte 12`},
		{"REDIS0010\x16\x01k", ErrType, `type 22 (unknown) at byte 12`},
		{"REDIS0010\xf7\x01", ErrType, "data of a module at byte 9"},
		{"REDIS0010\xf6\x01", ErrType, "redis 7.0 at byte 9"},
	} {
		if _, err := Read(strings.NewReader(test.file), ReadOptions{Limits: usual}, new(taker)); !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%q: %v", test.file, err)
		}
	}
	if sum, err := Read(strings.NewReader("REDIS0010\xff12345678"), ReadOptions{NoChecksum: true, Limits: usual}, new(taker)); err != nil || sum.Checked {
		t.Error(sum, err)
	}
}

// TestEveryByteCounts damages each byte of a file in turn: it is read as another
// file or refused, and the checksum tells the first.
func TestEveryByteCounts(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out, WriterOptions{})
	w.Aux("name", "value")
	w.Database(3)
	w.Sizes(1, 1)
	w.Key(&Key{Name: []byte("key"), Value: Value{Str: []byte("a value, a value, a value")}, ExpiryMs: 1, IdleSec: 2, Freq: 3})
	w.End()
	file := out.Bytes()
	for i := range file {
		bad := bytes.Clone(file)
		bad[i] ^= 0x41
		if _, err := Read(bytes.NewReader(bad), ReadOptions{Limits: usual}, new(taker)); err == nil {
			t.Errorf("nobody sees that byte %d is another", i)
		}
		if _, err := Read(bytes.NewReader(file[:i]), ReadOptions{Limits: usual}, new(taker)); !errors.Is(err, ErrShort) {
			t.Errorf("the first %d bytes: %v", i, err)
		}
	}
}

// TestErrorsOfOthers: those of stream and handler come through, with their place.
func TestErrorsOfOthers(t *testing.T) {
	broken := errors.New("broken")
	file, _ := sample(t, WriterOptions{})
	r := io.MultiReader(bytes.NewReader(file[:100]), iotest.ErrReader(broken))
	if _, err := Read(r, ReadOptions{Limits: usual}, new(taker)); !errors.Is(err, broken) || !strings.Contains(err.Error(), "at byte 100") {
		t.Error(err)
	}
	for body, place := range map[string]string{
		"\xfa\x01a\x01b":        `field "a" at byte 9`,
		"\xf5\x01f":             "library at byte 9",
		"\xfe\x02\x00\x01k\x00": `key "k" in database 2 at byte 11`,
	} {
		if _, err := Read(strings.NewReader(finished("REDIS0010", body)), ReadOptions{Limits: usual}, &taker{fail: broken}); !errors.Is(err, broken) || !strings.Contains(err.Error(), place) {
			t.Error(err)
		}
	}
}

func TestWriterStops(t *testing.T) {
	broken := errors.New("broken")
	w := NewWriter(&failing{1, broken}, WriterOptions{})
	k := Key{Name: []byte("k"), Value: Value{Object: value.NewString(bytes.Repeat([]byte{0, 1, 2, 3}, 2<<20))}, ExpiryMs: NoExpiry, IdleSec: Unknown, Freq: Unknown}
	if err := w.Key(&k); err != broken {
		t.Error(err)
	}
	if err := w.Sizes(0, 0); err != broken {
		t.Error(err)
	}
	if err := w.End(); err != broken {
		t.Error(err)
	}
	if err := NewWriter(io.Discard, WriterOptions{}).Key(&Key{Value: Value{Object: list{}}}); !errors.Is(err, ErrType) {
		t.Error(err)
	}
}

// TestMemoryOfLies: a length that is not followed by so many bytes reserves none.
func TestMemoryOfLies(t *testing.T) {
	allocated := func(body string) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		Read(strings.NewReader("REDIS0010"+body), ReadOptions{Limits: usual}, new(taker))
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	for _, n := range []uint64{1 << 32, 1 << 40, math.MaxInt64, math.MaxUint64} {
		length := string(AppendLen(nil, n))
		for _, body := range []string{
			"\x00" + length, "\x00\x01k" + length, "\x00\x01k\xc3" + length + "\x01", "\x00\x01k\xc3\x03" + length + "abc", "\xf5" + length,
		} {
			if got := allocated(body); got > 8<<20 {
				t.Errorf("%q takes %d bytes", body, got)
			}
		}
	}
}

// FuzzRead reads any bytes as a file, and asks of what it can read that writing it
// and reading it again changes nothing.
func FuzzRead(f *testing.F) {
	file, _ := sample(f, WriterOptions{})
	f.Add(file[9:200])
	f.Add(file[9:600])
	f.Add([]byte("\xfe\x02\xfb\x01\x00\xf8\x05\xf9\x06\x00\x01k\xc3\x05\x0babcde\xff"))
	f.Add([]byte("\xfd\x10\x00\x00\x00\x00\x01k\x01v\xff"))
	f.Add([]byte("\xf4\x50\x00\x01\x00\x00\x01k\x01v\xff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		var first, second taker
		if _, err := Read(strings.NewReader("REDIS0004"+string(body)), ReadOptions{Limits: usual}, &first); err != nil {
			return
		}
		var out bytes.Buffer
		w := NewWriter(&out, WriterOptions{})
		for _, a := range first.aux {
			name, value, _ := strings.Cut(a, "=")
			w.Aux(name, value)
		}
		for _, code := range first.functions {
			w.Function([]byte(code))
		}
		for _, k := range first.keys {
			w.Database(k.db)
			w.Key(&Key{Name: []byte(k.name), Value: Value{Str: []byte(k.text)}, ExpiryMs: k.expiryMs, IdleSec: k.idle, Freq: k.freq})
		}
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(bytes.NewReader(out.Bytes()), ReadOptions{Limits: usual}, &second); err != nil {
			t.Fatal(err)
		}
		same(t, &second, &first)
	})
}
