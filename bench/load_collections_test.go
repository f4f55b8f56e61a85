//go:build linux

package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestCollectionsAreLoadedWhole(t *testing.T) {
	for _, typ := range collectionTypes {
		m := MemoryCell{Type: typ, Keys: 3, Elements: 25}
		var sent bytes.Buffer
		if err := sendCollections(&sent, m); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("\r\n$%d\r\n%s\r\n", len(adders[typ]), adders[typ])
		commands := strings.Count(sent.String(), name)
		for i := range m.Keys * m.Elements {
			want := 1
			if i < m.Keys { // it is the name of a key too
				want += commands / m.Keys
			}
			if n := strings.Count(sent.String(), string(appendKey(nil, i))); n != want {
				t.Fatalf("%s: element %d is sent %d times, want %d", typ, i, n, want)
			}
		}
		if err := checkAdded(strings.NewReader(strings.Repeat("$3\r\n1-1\r\n", commands)), m); err != nil {
			t.Errorf("%s: %d replies: %v", typ, commands, err)
		}
		if err := checkAdded(strings.NewReader(strings.Repeat(":1\r\n", commands-1)), m); err == nil {
			t.Errorf("%s: a missing reply is not missed", typ)
		}
		if err := checkAdded(strings.NewReader("-ERR\r\n"), m); err == nil {
			t.Errorf("%s: an error is not seen", typ)
		}
	}
}
