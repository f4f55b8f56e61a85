package builtin

import (
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// limited is a client that may be sent so many bytes.
type limited struct {
	impatient
	most int
}

func (l limited) Overflows(bytes int) bool { return bytes > l.most }

// TestRepeatsEndWithTheLimit: of a reply that disconnects the client no more is made
// than it takes to do so.
func TestRepeatsEndWithTheLimit(t *testing.T) {
	out := resp.Writer{Proto: 2}
	out.Raw([]byte(strings.Repeat("x", 100_000))) // replies of others
	for _, limit := range []int{0, 10_000, 1 << 30} {
		c := command.Call{Out: &out, Client: limited{most: limit}}
		n, from := 0, len(out.Buf)
		for range repeats(&c, 100_000) {
			out.Bulk([]byte("0123456789"))
			n++
		}
		made := len(out.Buf) - from
		switch {
		case limit < 1<<30 && (made <= limit || made > limit+repeatsStep*17):
			t.Errorf("limit %d: %d bytes made", limit, made)
		case limit == 1<<30 && n != 100_000:
			t.Errorf("%d without a limit", n)
		}
	}
	c := command.Call{Out: &out, Client: impatient{}}
	n := 0
	for range repeats(&c, 1000) {
		n++
	}
	if n != 1000 {
		t.Errorf("%d for a client that knows of no limit", n)
	}
}
