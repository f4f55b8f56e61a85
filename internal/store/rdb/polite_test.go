package rdb

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/skeindb/skein/internal/data/quicklist"
)

// TestPoliteMakesNoDifference: who lets others run writes and reads the same.
func TestPoliteMakesNoDifference(t *testing.T) {
	l := quicklist.New()
	for i := range 300_000 / 10 {
		l.PushBack([]byte(fmt.Sprint(i*7919%1000003)), quicklist.Options{Fill: -2})
	}
	plain := Encoder{Plain: true}
	want, err := plain.Dump(nil, l)
	if err != nil {
		t.Fatal(err)
	}
	if len(want) < 2*politeBytes {
		t.Fatalf("%d bytes only", len(want))
	}
	if got, err := plain.DumpPieces(l); err != nil || !bytes.Equal(bytes.Join(got, nil), want) || got.Len() != len(want) {
		t.Error("another dump", err)
	}
	v, err := Undump(want, Limits{Polite: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := plain.Dump(nil, v.Object); !bytes.Equal(got, want) {
		t.Error("another value")
	}
}
