package rdb

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/crc64"
	"github.com/skeindb/skein/internal/data/value"
)

// sealed is body as a dump of the version given.
func sealed(body string, version uint16) []byte {
	b := binary.LittleEndian.AppendUint16([]byte(body), version)
	return binary.LittleEndian.AppendUint64(b, crc64.Update(0, b))
}

func TestDumpOfNumber(t *testing.T) { // the example of the package comment
	got := new(Encoder).DumpString(nil, []byte("1234"))
	if want := "00c1d2040a00"; !strings.HasPrefix(hex.EncodeToString(got), want) || len(got) != 14 {
		t.Errorf("got %x", got)
	}
}

func TestPlain(t *testing.T) {
	text := strings.Repeat("a", 100)
	e := Encoder{Plain: true}
	if got := e.AppendString(nil, []byte(text)); string(got) != "\x40\x64"+text {
		t.Errorf("got %q", got)
	}
}

// TestStream asks that a streamed dump has the size that was told and reads back.
func TestStream(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 16384, 200_000} {
		text := bytes.Repeat([]byte("x"), n)
		s := value.NewString(text)
		var out bytes.Buffer
		if err := Stream(&out, s); err != nil {
			t.Fatal(err)
		}
		if out.Len() != StreamSize(s) {
			t.Errorf("%d bytes: %d written, %d told", n, out.Len(), StreamSize(s))
		}
		if v, err := Undump(out.Bytes(), usual); err != nil || !bytes.Equal(v.Str, text) {
			t.Errorf("%d bytes came back as %d, %v", n, len(v.Str), err)
		}
		packed, err := new(Encoder).Dump(nil, s)
		if v, err2 := Undump(packed, usual); err != nil || err2 != nil || !bytes.Equal(v.Str, text) {
			t.Errorf("%d bytes dumped came back as %d, %v, %v", n, len(v.Str), err, err2)
		}
	}
}

func TestStreamStops(t *testing.T) {
	broken := errors.New("broken")
	for good := range 4 {
		w := &failing{good, broken}
		if err := Stream(w, value.NewString(make([]byte, 100_000))); err != broken {
			t.Errorf("after %d writes: %v", good, err)
		}
	}
}

type failing struct {
	good int
	err  error
}

func (w *failing) Write(p []byte) (int, error) {
	if w.good--; w.good < 0 {
		return 0, w.err
	}
	return len(p), nil
}

func TestUndumpRefuses(t *testing.T) {
	for _, test := range []struct {
		dump []byte
		want error
		text string
	}{
		{nil, ErrFooter, ""},
		{[]byte("\x00\x01a"), ErrFooter, ""},
		{sealed("\x00\x01a", MaxVersion+1), ErrFooter, ""},
		{append(sealed("\x00\x01a", 10), 'x'), ErrFooter, ""},
		{sealed("", 10), ErrCorrupt, "1 bytes expected, 0 left at byte 0"},
		{sealed("\x06\x01a", 10), ErrType, "type 6 (module value) at byte 1"},
		{sealed("\x16\x01a", 10), ErrType, "type 22 (unknown) at byte 1"},
		{sealed("\x00\x02a", 10), ErrCorrupt, "2 bytes expected, 1 left at byte 2"},
		{sealed("\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff", 10), ErrCorrupt, ""},
		{sealed("\x00\x90", 10), ErrCorrupt, "length of form 0x90 at byte 1"},
		{sealed("\x00\xc4", 10), ErrCorrupt, "string encoding 4 at byte 1"},
		{sealed("\x00\xc3\xc0\x01a", 10), ErrCorrupt, "encoding 0 in place of a length at byte 2"},
		{sealed("\x00\xc3\x02\x81\x7f\xff\xff\xff\xff\xff\xff\xff\x00a", 10), ErrCorrupt, "compressed string"},
	} {
		if _, err := Undump(test.dump, usual); !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%x: %v", test.dump, err)
		}
	}
	damaged := append(sealed("\x00\x01a", 10)[:12], 'x')
	if v, err := UndumpUnchecked(damaged, usual); err != nil || string(v.Str) != "a" {
		t.Error(v, err)
	}
	if _, err := UndumpUnchecked(sealed("\x00\x01a", MaxVersion+1), usual); err != ErrFooter {
		t.Error(err)
	}
	for _, version := range []uint16{0, 1, 10, 11, 12} {
		if v, err := Undump(sealed("\x00\x01a", version), usual); err != nil || string(v.Str) != "a" {
			t.Errorf("version %d: %q, %v", version, v.Str, err)
		}
	}
}

func TestOtherTypesAreNotWritten(t *testing.T) {
	if out, err := new(Encoder).Dump([]byte("x"), list{}); !errors.Is(err, ErrType) || string(out) != "x" {
		t.Errorf("%q, %v", out, err)
	}
}

type list struct{}

func (list) Type() value.Type     { return value.TypeList }
func (list) Encoding() string     { return "listpack" }
func (list) Bytes() int           { return 0 }
func (list) Freeze() value.Object { return list{} }
