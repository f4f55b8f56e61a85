package listpack

import (
	"bytes"
	"testing"
)

// What stays within its memory has the same bytes as what does not.
func FuzzWithin(f *testing.F) {
	f.Add([]byte("\x01abc\x05\x02def\x00\x03\x0112345\x02\x00"), uint8(40), uint8(40))
	f.Fuzz(func(t *testing.T, script []byte, before, behind uint8) {
		gap := int(before)
		buf := append(make([]byte, gap, gap+EmptyBytes+int(behind)), New()...)
		want, n := New(), 0
		for len(script) > 0 {
			op, size := script[0]%4, int(script[0]/4)
			script = script[1:]
			s := script[:min(size, len(script))]
			was, ok := gap, true
			switch {
			case op == 0:
				if buf, ok = AppendWithin(buf, gap, n, s); ok {
					want, n = Append(want, s), n+1
				}
			case op == 1:
				if gap, ok = PrependWithin(buf, gap, n, s); ok {
					want, n = Prepend(want, s), n+1
				}
			case op == 2 && n > 0:
				k := size%n + 1
				gap = CutFirst(buf, gap, n, k)
				want, n = DeleteRange(want, 0, k), n-k
			case op == 3 && n > 0:
				k := size%n + 1
				buf = CutLast(buf, gap, n, k)
				want, n = DeleteRange(want, n-k, k), n-k
			}
			if !ok && gap != was {
				t.Fatal("it moved without room")
			}
			if op < 2 {
				script = script[len(s):]
			}
			if !bytes.Equal(buf[gap:], want) {
				t.Fatalf("%x instead of %x", buf[gap:], want)
			}
		}
	})
}
