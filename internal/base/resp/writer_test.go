package resp

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestWriter(t *testing.T) {
	for _, test := range []struct {
		write        func(w *Writer)
		resp2, resp3 string
	}{
		{func(w *Writer) { w.OK() }, "+OK\r\n", ""},
		{func(w *Writer) { w.SimpleString("PONG") }, "+PONG\r\n", ""},
		{func(w *Writer) { w.SimpleString("a\r\nb") }, "+a  b\r\n", ""},
		{func(w *Writer) { w.Error("ERR syntax error") }, "-ERR syntax error\r\n", ""},
		{func(w *Writer) { w.Error("\nERR a\nb\rc\r\n") }, "-ERR a b c\r\n", ""},
		{func(w *Writer) { w.Int(7) }, ":7\r\n", ""},
		{func(w *Writer) { w.Int(-1234) }, ":-1234\r\n", ""},
		{func(w *Writer) { w.Int(math.MinInt64) }, ":-9223372036854775808\r\n", ""},
		{func(w *Writer) { w.Bulk([]byte("a\r\nb")) }, "$4\r\na\r\nb\r\n", ""},
		{func(w *Writer) { w.Bulk(nil) }, "$0\r\n\r\n", ""},
		{func(w *Writer) { w.BulkString(strings.Repeat("x", 10)) }, "$10\r\nxxxxxxxxxx\r\n", ""},
		{func(w *Writer) { w.BulkString(strings.Repeat("x", 123)) }, "$123\r\n" + strings.Repeat("x", 123) + "\r\n", ""},
		{func(w *Writer) { w.BulkInt(-42) }, "$3\r\n-42\r\n", ""},
		{func(w *Writer) { w.Raw([]byte(":1\r\n")) }, ":1\r\n", ""},
		{func(w *Writer) { w.Null() }, "$-1\r\n", "_\r\n"},
		{func(w *Writer) { w.NullArray() }, "*-1\r\n", "_\r\n"},
		{func(w *Writer) { w.EmptyArray() }, "*0\r\n", ""},
		{func(w *Writer) { w.Array(99) }, "*99\r\n", ""},
		{func(w *Writer) { w.Array(100) }, "*100\r\n", ""},
		{func(w *Writer) { w.Map(5) }, "*10\r\n", "%5\r\n"},
		{func(w *Writer) { w.Set(5) }, "*5\r\n", "~5\r\n"},
		{func(w *Writer) { w.Push(3) }, "*3\r\n", ">3\r\n"},
		{func(w *Writer) { w.Double(3.5) }, "$3\r\n3.5\r\n", ",3.5\r\n"},
		{func(w *Writer) { w.Double(math.Inf(-1)) }, "$4\r\n-inf\r\n", ",-inf\r\n"},
		{func(w *Writer) { w.DoubleText([]byte("10.50")) }, "$5\r\n10.50\r\n", ",10.50\r\n"},
		{func(w *Writer) { w.Bool(true) }, ":1\r\n", "#t\r\n"},
		{func(w *Writer) { w.Bool(false) }, ":0\r\n", "#f\r\n"},
		{func(w *Writer) { w.Verbatim("txt", "abc") }, "$3\r\nabc\r\n", "=7\r\ntxt:abc\r\n"},
		{func(w *Writer) { w.Verbatim("m", "") }, "$0\r\n\r\n", "=4\r\nm  :\r\n"},
		{func(w *Writer) { w.BigNumber("123") }, "$3\r\n123\r\n", "(123\r\n"},
	} {
		if test.resp3 == "" {
			test.resp3 = test.resp2
		}
		for proto, want := range map[int]string{0: test.resp2, 2: test.resp2, 3: test.resp3} {
			w := Writer{Proto: proto}
			test.write(&w)
			if string(w.Buf) != want {
				t.Errorf("RESP%d: got %q, want %q", proto, w.Buf, want)
			}
		}
	}
	w := Writer{Proto: 3}
	w.Attribute(1)
	if string(w.Buf) != "|1\r\n" {
		t.Errorf("attribute: %q", w.Buf)
	}
}

func TestWriterMarks(t *testing.T) {
	for _, n := range []int{0, 1, 9, 10, 99, 100, 12345} {
		w := Writer{Proto: 3, Buf: []byte("before")}
		outer := w.BeginArray()
		inner := w.Begin()
		for i := range n {
			w.Int(int64(i))
		}
		w.EndSet(inner, n)
		last := w.Begin()
		w.OK()
		w.EndMap(last, 1)
		w.EndArray(outer, 2)

		want := Writer{Proto: 3, Buf: []byte("before")}
		want.Array(2)
		want.Set(n)
		for i := range n {
			want.Int(int64(i))
		}
		want.Map(1)
		want.OK()
		if string(w.Buf) != string(want.Buf) {
			t.Fatalf("n=%d:\n got %.80q\nwant %.80q", n, w.Buf, want.Buf)
		}
	}

	w := Writer{Proto: 2, Buf: []byte("+OK\r\n")}
	m := w.Begin()
	w.EndMap(m, 7)
	if string(w.Buf) != "+OK\r\n*14\r\n" {
		t.Errorf("a map in RESP2: %q", w.Buf)
	}
	w.Rewind(m)
	if string(w.Buf) != "+OK\r\n" {
		t.Errorf("after Rewind: %q", w.Buf)
	}
}

func TestAppendCommand(t *testing.T) {
	const want = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
	if got := AppendCommand(nil, "GET", "a"); string(got) != want {
		t.Errorf("AppendCommand: %q", got)
	}
	if got := AppendCommandBytes(nil, []byte("GET"), []byte("a")); string(got) != want {
		t.Errorf("AppendCommandBytes: %q", got)
	}
}

func TestAppendDouble(t *testing.T) {
	for _, test := range []struct {
		d    float64
		want string
	}{
		{0, "0"}, {math.Copysign(0, -1), "-0"}, {1, "1"}, {-1, "-1"}, {100, "100"}, {1e15, "1000000000000000"},
		{math.Inf(1), "inf"}, {math.Inf(-1), "-inf"}, {math.NaN(), "nan"},
		{0.1, "0.1"}, {-0.5, "-0.5"}, {3.14, "3.14"}, {1234.5678, "1234.5678"}, {0.30000000000000004, "0.30000000000000004"},
		{1 << 62, "4611686018427387904"}, {1e18, "1000000000000000000"},
		{1e19, "1e+19"}, {1.5e19, "1.5e+19"}, {1.7976931348623157e308, "1.7976931348623157e+308"},
		{123456789012345678901234567890, "1.2345678901234568e+29"},
		{1e-5, "0.00001"}, {1e-6, "0.000001"}, {1e-7, "1e-7"}, {1.5e-7, "1.5e-7"}, {0.000123, "0.000123"},
		{5e-324, "5e-324"}, {-1.25e-10, "-1.25e-10"},
	} {
		if got := string(AppendDouble(nil, test.d)); got != test.want {
			t.Errorf("AppendDouble(%g) = %s, want %s", test.d, got, test.want)
		}
	}
}

func TestParseInt(t *testing.T) {
	for _, s := range []string{"0", "1", "-1", "10", "9223372036854775807", "-9223372036854775808", "1000000000000000000"} {
		n, ok := ParseInt([]byte(s))
		if !ok || fmt.Sprint(n) != s {
			t.Errorf("ParseInt(%q) = %d, %v", s, n, ok)
		}
	}
	for _, s := range []string{
		"", "-", "-0", "00", "01", "-01", "+1", " 1", "1 ", "1a", "a", "1.0", "9223372036854775808", "--1",
		"-9223372036854775809", "18446744073709551615", "18446744073709551617", "99999999999999999999", "123456789012345678901",
	} {
		if n, ok := ParseInt([]byte(s)); ok {
			t.Errorf("ParseInt(%q) = %d, want a refusal", s, n)
		}
	}
}

func TestWriterAllocatesNothing(t *testing.T) {
	w := Writer{Proto: 3, Buf: make([]byte, 0, 4096)}
	value := []byte("value")
	allocs := testing.AllocsPerRun(100, func() {
		w.Buf = w.Buf[:0]
		m := w.BeginArray()
		w.Bulk(value)
		w.BulkInt(123456)
		w.Int(1234567)
		w.Double(0.1)
		w.Error("ERR no")
		w.Null()
		w.EndArray(m, 12)
	})
	if allocs != 0 {
		t.Fatalf("writing replies allocates %v times", allocs)
	}
}

func BenchmarkBulk3(b *testing.B) {
	w := Writer{Buf: make([]byte, 0, 64)}
	value := []byte("xxx")
	for b.Loop() {
		w.Buf = w.Buf[:0]
		w.Bulk(value)
	}
}

func BenchmarkBulk512(b *testing.B) {
	w := Writer{Buf: make([]byte, 0, 1024)}
	value := make([]byte, 512)
	for b.Loop() {
		w.Buf = w.Buf[:0]
		w.Bulk(value)
	}
}
