package command

import (
	"math"
	"testing"
)

func reader(words ...string) Args {
	c := &Call{Args: bytesOf(append([]string{"cmd"}, words...)...)}
	return c.Parse(1)
}

func TestArgsOptions(t *testing.T) {
	a := reader("nx", "EX", "10", "rest", "more")
	nx, seconds := false, int64(0)
	for a.More() && string(a.Peek()) != "rest" {
		switch {
		case a.Is("NX"):
			nx = true
		case a.IsWith("EX", 1):
			seconds = a.Int()
		default:
			a.Syntax()
		}
	}
	if !nx || seconds != 10 || a.Index() != 4 || a.Left() != 2 || a.Err() != nil {
		t.Errorf("nx %v, seconds %d, index %d, left %d, %v", nx, seconds, a.Index(), a.Left(), a.Err())
	}
	if a.OneOf("foo", "REST") != 1 || a.OneOf("foo") != -1 {
		t.Error("OneOf")
	}
	if rest := a.Rest(); len(rest) != 1 || a.More() {
		t.Errorf("%q left", rest)
	}
	a.End()
	if a.Err() != nil {
		t.Error(a.Err())
	}
}

func TestArgsFirstErrorSticks(t *testing.T) {
	a := reader("x", "y", "z")
	if a.Int() != 0 || a.More() || a.Left() != 0 || a.Is("y") || a.Peek() != nil {
		t.Error("arguments left after an error")
	}
	a.Syntax()
	if a.Next() != nil || a.Float() != 0 || a.Positive() != 0 {
		t.Error("not zero after an error")
	}
	if a.Err() != Error(ErrNotInteger) {
		t.Error(a.Err())
	}
}

func TestArgsErrors(t *testing.T) {
	const own Error = "ERR own"
	for want, read := range map[string]func() error{
		ErrSyntax:      func() error { a := reader(); a.Next(); return a.Err() },
		ErrNotInteger:  func() error { a := reader("1.5"); a.Int(); return a.Err() },
		ErrNotPositive: func() error { a := reader("-1"); a.Positive(); return a.Err() },
		ErrNotFloat:    func() error { a := reader("1e"); a.Float(); return a.Err() },
		"ERR own":      func() error { a := reader("x"); a.IntOr(0, 9, own); return a.Err() },
		"ERR value is out of range, value must between 0 and 9": func() error { a := reader("10"); a.IntIn(0, 9); return a.Err() },
	} {
		if err := read(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	a := reader("10")
	if a.IntOr(0, 9, own); a.Err() != own {
		t.Error(a.Err())
	}
	b := reader("x")
	if b.End(); b.Err() != Error(ErrSyntax) {
		t.Error(b.Err())
	}
}

func TestParseFromBehindTheEnd(t *testing.T) {
	c := &Call{Args: bytesOf("cmd")}
	if a := c.Parse(3); a.More() || a.Left() != 0 || len(a.Rest()) != 0 {
		t.Error("arguments from nowhere")
	}
}

func TestParseFloat(t *testing.T) {
	for text, want := range map[string]float64{
		"1": 1, "-1.5": -1.5, "+2": 2, ".5": .5, "5.": 5, "1e3": 1000, "1E+3": 1000, "0": 0, "-0.0e9": 0, "00": 0,
		"inf": math.Inf(1), "-Infinity": math.Inf(-1), "0x10": 16, "-0X1.8": -1.5, "0x1p4": 16, "0x0": 0, "0e-999": 0,
		"4.9e-324": 4.9e-324,
	} {
		if got, ok := ParseFloat([]byte(text)); !ok || got != want {
			t.Errorf("%q: %v %v", text, got, ok)
		}
	}
	for _, text := range []string{"", " 1", "1 ", "1_0", "0x_1", "nan", "-NaN", "1e", "1e400", "-1e400", "1e-400", "0x", "0xp1",
		"0x1p", "0x1p-2000", "a", "1\x00", "--1", "infinit", "0b1", "0o7"} {
		if got, ok := ParseFloat([]byte(text)); ok {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestArgsAllocateNothing(t *testing.T) {
	c := &Call{Args: bytesOf("set", "k", "v", "NX", "EX", "10", "1.5", "x")}
	if n := testing.AllocsPerRun(100, func() {
		a := c.Parse(3)
		a.Is("NX")
		a.Is("EX")
		a.Int()
		a.Float()
		a.Syntax()
		_ = a.Err()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseFloat(f *testing.F) {
	for _, s := range []string{"1.5", "0x1.8p3", "-inf", "1e-400", "0x.p0", "1_0"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, ok := ParseFloat(b); ok && math.IsNaN(v) || !ok && v != 0 {
			t.Errorf("%q: %v %v", b, v, ok)
		}
	})
}
