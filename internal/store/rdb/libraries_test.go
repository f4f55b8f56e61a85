package rdb

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func TestLibraries(t *testing.T) {
	sources := [][]byte{[]byte("#!lua name=a\nreturn 1"), bytes.Repeat([]byte("#!lua name=b\n"), 99), []byte("123"), {}}
	var e Encoder
	dump := e.DumpLibraries(nil, sources)
	if got, err := UndumpLibraries(dump); err != nil || !slices.EqualFunc(got, sources, bytes.Equal) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := UndumpLibraries(e.DumpLibraries(nil, nil)); err != nil || len(got) != 0 {
		t.Errorf("%q, %v", got, err)
	}
	for text, want := range map[string]error{
		"\xf6\x01a": ErrLibraryBeta, "\x00\x01a": ErrNotLibrary, "\xf5\x05a": ErrCorrupt, "\xf5": ErrCorrupt,
	} {
		if _, err := UndumpLibraries(new(Encoder).seal([]byte(text), 0, Version)); !errors.Is(err, want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range [][]byte{nil, dump[1:], dump[:len(dump)-1], new(Encoder).seal([]byte("\xf5\x01a"), 0, 99)} {
		if _, err := UndumpLibraries(text); err != ErrFooter {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzUndumpLibraries(f *testing.F) {
	f.Add([]byte("\xf5\x01a\xf5\xc0\x05\xf5\xc3\x04\x08\x00a\xe0\x00\x00"))
	f.Add([]byte("\xf5\x80\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		sources, err := UndumpLibraries(new(Encoder).seal(bytes.Clone(body), 0, Version))
		if err != nil {
			return
		}
		var e Encoder
		again, err := UndumpLibraries(e.DumpLibraries(nil, sources))
		if err != nil || !slices.EqualFunc(again, sources, bytes.Equal) {
			t.Errorf("%q, %v", again, err)
		}
	})
}
