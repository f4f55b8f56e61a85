package repl

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/node/session"
)

// BenchmarkApply is the applier's share of a command that a master ran: SETs of 1 million
// keys in random order, and values of 32 bytes. Beside it stands what the same engine
// takes for the same bytes from a client that pipelines.
func BenchmarkApply(b *testing.B) {
	const keys, batch = 1_000_000, 1000
	chunk := func(i int) []byte {
		var out []byte
		for j := range batch {
			k := uint64(i*batch+j) * 0x9e3779b97f4a7c15 % keys
			out = resp.AppendCommand(out, "SET", fmt.Sprintf("key:%012d", k), strings.Repeat("v", 32))
		}
		return out
	}
	chunks := make([][]byte, 300)
	for i := range chunks {
		chunks[i] = chunk(i)
	}
	b.Run("stream", func(b *testing.B) {
		n := newReplicaNode(b)
		a := n.applier(b)
		defer a.close()
		feed := func(data []byte) {
			a.makeRoom()
			a.buf = append(a.buf, data...)
			if err := a.feed(); err != nil {
				b.Fatal(err)
			}
		}
		for _, c := range chunks {
			feed(c)
		}
		b.ResetTimer()
		for i := 0; i < b.N; i += batch {
			feed(chunks[i/batch%len(chunks)])
		}
	})
	b.Run("client", func(b *testing.B) {
		n := newReplicaNode(b)
		a := n.applier(b) // its session without a link is a client's
		defer a.close()
		a.s.Link = nil
		a.s.Clear(^session.Flags(0))
		n.ks.Replica.Store(false)
		n.gates.ReadOnly.Store(false)
		feed := func(data []byte) {
			n.repl.opt.Engine.Feed(&n.repl.turn, a.s, data)
			a.s.Out.Buf = a.s.Out.Buf[:0]
		}
		for _, c := range chunks {
			feed(c)
		}
		b.ResetTimer()
		for i := 0; i < b.N; i += batch {
			feed(chunks[i/batch%len(chunks)])
		}
	})
}
