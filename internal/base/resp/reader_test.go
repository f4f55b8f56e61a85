package resp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// show writes a value in a form that tests compare.
func show(v Value) string {
	var b strings.Builder
	if len(v.Attr) > 0 {
		fmt.Fprintf(&b, "|%s", showAll(v.Attr))
	}
	b.WriteByte(byte(v.Kind))
	switch v.Kind {
	case Integer, Bool:
		fmt.Fprint(&b, v.Int)
	case Double:
		fmt.Fprintf(&b, "%g", v.Float)
	case Array, Set, Push, Map:
		b.WriteString(showAll(v.Elems))
	case Null:
	default:
		fmt.Fprintf(&b, "%s%q", v.Format, v.Str)
	}
	return b.String()
}

func showAll(values []Value) string {
	var parts []string
	for _, v := range values {
		parts = append(parts, show(v))
	}
	return "[" + strings.Join(parts, " ") + "]"
}

func TestReader(t *testing.T) {
	for _, test := range []struct{ input, want string }{
		{"+OK\r\n", `+"OK"`},
		{"+\r\n", `+""`},
		{"-ERR x\r\n", `-"ERR x"`},
		{":-12\r\n", `:-12`},
		{"$3\r\na\r\n\r\n", `$"a\r\n"`},
		{"$0\r\n\r\n", `$""`},
		{"$-1\r\n", `_`},
		{"*-1\r\n", `_`},
		{"_\r\n", `_`},
		{"*0\r\n", `*[]`},
		{"*2\r\n:1\r\n*1\r\n$1\r\nx\r\n", `*[:1 *[$"x"]]`},
		{",3.5\r\n", `,3.5`}, {",-inf\r\n", `,-Inf`}, {",nan\r\n", `,NaN`}, {",1e5\r\n", `,100000`},
		{"#t\r\n", `#1`}, {"#f\r\n", `#0`},
		{"!5\r\nERR x\r\n", `!"ERR x"`},
		{"=7\r\ntxt:abc\r\n", `=txt"abc"`},
		{"(12345678901234567890\r\n", `("12345678901234567890"`},
		{"%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n", `%[+"a" :1 +"b" :2]`},
		{"~1\r\n+a\r\n", `~[+"a"]`},
		{">2\r\n+message\r\n+x\r\n", `>[+"message" +"x"]`},
		{"|1\r\n+k\r\n+v\r\n*1\r\n:1\r\n", `|[+"k" +"v"]*[:1]`},
		{"*1\r\n|1\r\n+k\r\n+v\r\n:1\r\n", `*[|[+"k" +"v"]:1]`},
		{"+" + strings.Repeat("x", 20000) + "\r\n", `+"` + strings.Repeat("x", 20000) + `"`},
	} {
		for name, in := range map[string]io.Reader{
			"at once": strings.NewReader(test.input), "bytewise": iotest.OneByteReader(strings.NewReader(test.input)),
		} {
			r := NewReader(in)
			v, err := r.Read()
			if err != nil || show(v) != test.want {
				t.Errorf("%s %.40q: got %.80s, %v; want %.80s", name, test.input, show(v), err, test.want)
			}
			if _, err := r.Read(); err != io.EOF {
				t.Errorf("%.40q: a second value, or %v instead of EOF", test.input, err)
			}
		}
		for cut := 1; cut < min(len(test.input), 30); cut++ {
			if _, err := NewReader(strings.NewReader(test.input[:cut])).Read(); err != io.ErrUnexpectedEOF {
				t.Errorf("%q: error %v, want unexpected EOF", test.input[:cut], err)
			}
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	for _, input := range []string{
		"\r\n", "x\r\n", "+a\n", ":\r\n", ":1x\r\n", ":99999999999999999999\r\n", "$-2\r\n", "$x\r\n", "$1\r\nab\r\n",
		"*-2\r\n", "*x\r\n", "%-1\r\n", "~-1\r\n", "!-1\r\n", "=3\r\nabc\r\n", "=4\r\nabcd\r\n", "_x\r\n", "#x\r\n", ",x\r\n", ",\r\n",
		"$99999999999\r\n", "*9999999999999\r\n", "$?\r\n", strings.Repeat("*1\r\n", 1000), strings.Repeat("|0\r\n", 1000),
		"+" + strings.Repeat("x", 2<<20) + "\r\n",
	} {
		if v, err := NewReader(strings.NewReader(input)).Read(); !errors.Is(err, ErrReply) {
			t.Errorf("%.40q: got %s, %v; want ErrReply", input, show(v), err)
		}
	}
	r := NewReader(strings.NewReader("*1\r\n*3\r\n$2\r\nab\r\n"))
	r.MaxElems = 2
	if _, err := r.Read(); !errors.Is(err, ErrReply) {
		t.Errorf("beyond MaxElems: %v", err)
	}
	r = NewReader(strings.NewReader("$2\r\nab\r\n"))
	r.MaxBulk = 1
	if _, err := r.Read(); !errors.Is(err, ErrReply) {
		t.Errorf("beyond MaxBulk: %v", err)
	}
}

// A length that is not followed by bytes must not reserve memory.
func TestReaderBelievesNoLength(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, input := range []string{"$4000000000\r\nabc", "*1000000000\r\n+a\r\n", strings.Repeat("*1000000000\r\n", 100)} {
		if _, err := NewReader(strings.NewReader(input)).Read(); err != io.ErrUnexpectedEOF {
			t.Errorf("%.20q: %v", input, err)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
}

func TestReaderLargeString(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789"), 30000)
	r := NewReader(bytes.NewReader(append(AppendBulk(nil, body), "raw"...)))
	v, err := r.Read()
	if err != nil || !bytes.Equal(v.Str, body) {
		t.Fatalf("got %d bytes, %v", len(v.Str), err)
	}
	rest, _ := io.ReadAll(r.Raw())
	if string(rest) != "raw" {
		t.Fatalf("behind the value: %q", rest)
	}
}

func TestReaderUsesGivenBuffer(t *testing.T) {
	r := NewReader(strings.NewReader("+a\r\n+b\r\n"))
	if r.Buffered() != 0 {
		t.Error("bytes are buffered before the first read")
	}
	r.Read()
	if v, err := NewReader(r.Raw()).Read(); err != nil || v.Text() != "b" || v.IsError() || v.IsNull() {
		t.Errorf("got %s, %v", show(v), err)
	}
}

// What a Writer writes, a Reader reads: whatever Read accepts, written again in
// RESP3, reads as the same value.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"+OK\r\n", "*2\r\n:1\r\n$-1\r\n", "%1\r\n+a\r\n,1.5\r\n", "|1\r\n+a\r\n#t\r\n=5\r\ntxt:a\r\n", "~0\r\n", "(1\r\n", "!1\r\nx\r\n", ">1\r\n_\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		r := NewReader(bytes.NewReader(input))
		for {
			v, err := r.Read()
			if err != nil {
				return
			}
			w := Writer{Proto: 3}
			write(&w, v)
			again, err := NewReader(bytes.NewReader(w.Buf)).Read()
			if err != nil || show(again) != show(v) {
				t.Fatalf("%s came back as %s, %v", show(v), show(again), err)
			}
		}
	})
}

// write writes a value that was read.
func write(w *Writer, v Value) {
	if len(v.Attr) > 0 {
		w.Attribute(len(v.Attr) / 2)
		writeAll(w, v.Attr)
	}
	switch v.Kind {
	case SimpleString, Error, BigNumber: // as they are: Writer would mend a CR in them
		w.Raw(append([]byte{byte(v.Kind)}, v.Str...))
		w.Raw([]byte("\r\n"))
	case BlobError:
		w.Buf = AppendHeader(w.Buf, BlobError, len(v.Str))
		w.Raw(append(bytes.Clone(v.Str), "\r\n"...))
	case Bulk:
		w.Bulk(v.Str)
	case Integer:
		w.Int(v.Int)
	case Bool:
		w.Bool(v.Int == 1)
	case Double:
		w.Double(v.Float)
	case Null:
		w.Null()
	case Verbatim:
		w.Verbatim(v.Format, string(v.Str))
	default:
		n := len(v.Elems)
		if v.Kind == Map {
			n /= 2
		}
		w.Buf = AppendHeader(w.Buf, v.Kind, n)
		writeAll(w, v.Elems)
	}
}

func writeAll(w *Writer, values []Value) {
	for _, v := range values {
		write(w, v)
	}
}

// A double read back from its text is the same double.
func FuzzAppendDouble(f *testing.F) {
	f.Add(uint64(0))
	f.Add(math.Float64bits(0.1))
	f.Add(math.Float64bits(1e300))
	f.Fuzz(func(t *testing.T, bits uint64) {
		d := math.Float64frombits(bits)
		if math.IsNaN(d) {
			return
		}
		text := AppendDouble(nil, d)
		back, err := double(text)
		if err != nil || !reflect.DeepEqual(back, d) {
			t.Fatalf("%g is written %s and read %g, %v", d, text, back, err)
		}
	})
}
