package resp

import (
	"bytes"
	"fmt"
	"testing"
)

func TestSplitArgs(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{``, `[]`},
		{`   `, `[]`},
		{`a b  c`, `["a" "b" "c"]`},
		{"\v\f a\tb\n", `["a" "b"]`},
		{"a\vb", `["a\vb"]`},
		{`"" ''`, `["" ""]`},
		{`"a b" 'c d'`, `["a b" "c d"]`},
		{`foo"bar baz"`, `["foobar baz"]`},
		{`"\n\r\t\b\a\q\"\\"`, `["\n\r\t\b\aq\"\\"]`},
		{`"\x41\x4a\xff\xFF\xg1\x4"`, `["AJ\xff\xffxg1x4"]`},
		{`'\n\'\x41'`, `["\\n'\\x41"]`},
		{`"a'b" 'c"d'`, `["a'b" "c\"d"]`},
		{"\"a\"\vb", `["a" "b"]`},
		{`a\nb`, `["a\\nb"]`},
		{`"a`, `unbalanced quotes`}, {`'a`, `unbalanced quotes`}, {`"a\"`, `unbalanced quotes`},
		{`"a"b`, `unbalanced quotes`}, {`'a'b`, `unbalanced quotes`}, {`"a""b"`, `unbalanced quotes`},
		{`"\`, `unbalanced quotes`}, {`'\`, `unbalanced quotes`}, {`'\'`, `unbalanced quotes`}, {`"\x4`, `unbalanced quotes`},
	} {
		args, err := SplitArgs([]byte(test.line))
		got := fmt.Sprintf("%q", args)
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("SplitArgs(%q) = %s, want %s", test.line, got, test.want)
		}
	}
}

func TestAppendRepr(t *testing.T) {
	got := AppendRepr([]byte("> "), []byte("a \"\\\n\r\t\a\b\x00\x1f~\x7f\xffz"))
	if want := `> "a \"\\\n\r\t\a\b\x00\x1f~\x7f\xffz"`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Splitting never fails on words that AppendRepr wrote, and in place gives the
// same words as into a copy.
func FuzzSplitArgs(f *testing.F) {
	for _, seed := range []string{`a "b\x41" 'c\'' d`, `"unbalanced`, "\x00 \xff", `x"y"z`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		args, err := SplitArgs(line)
		if !bytes.Equal(line, before) {
			t.Fatal("SplitArgs changed its argument")
		}
		inPlace, errInPlace := splitArgs(nil, line, line[:0])
		if err != errInPlace || fmt.Sprint(args) != fmt.Sprint(inPlace) {
			t.Fatalf("in place %q %v, copied %q %v", inPlace, errInPlace, args, err)
		}
		args = append(args, before)
		var quoted []byte
		for _, arg := range args {
			quoted = AppendRepr(append(quoted, ' '), arg)
		}
		again, err := SplitArgs(quoted)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(args) {
			t.Fatalf("%q came back as %q, %v", args, again, err)
		}
	})
}
