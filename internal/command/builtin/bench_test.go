package builtin

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
)

// BenchmarkCommands times one command without network: look-up of the Spec,
// locks, handler and commit. The keys lie in the processor's cache.
func BenchmarkCommands(b *testing.B) {
	for _, line := range []string{
		"GET text", "GET int", "SET text value", "SET text value EX 100", "SET text value XX GET",
		"INCR int", "INCRBYFLOAT float 0.1", "APPEND text x", "SETBIT raw 3 1", "MGET text int text int",
	} {
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) {
			s := benchServer(b, "SET text value", "SET int 12345", "SETRANGE raw 20 x")
			run(b, s, line)
		})
	}
}

// BenchmarkBits times work on bitmaps of 1 MB; MB/s counts the bytes read.
func BenchmarkBits(b *testing.B) {
	const size = 1 << 20
	for _, line := range []string{
		"BITCOUNT one", "BITPOS zero 1", "BITPOS one 0", "BITOP AND d one zero", "BITOP OR d one zero one zero", "BITOP NOT d one",
	} {
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) {
			s := benchServer(b, fmt.Sprintf("SETRANGE zero %d \"\\x00\"", size-1), "BITOP NOT one zero")
			b.SetBytes(size)
			run(b, s, line)
		})
	}
}

func benchServer(b *testing.B, lines ...string) *server {
	s := newServer(b)
	s.silent, s.unread = true, true
	for _, l := range lines {
		argv, _ := resp.SplitArgs([]byte(l))
		s.play(argv)
	}
	return s
}

func run(b *testing.B, s *server, line string) {
	argv, _ := resp.SplitArgs([]byte(line))
	b.ReportAllocs()
	for b.Loop() {
		s.out.Buf = s.out.Buf[:0]
		s.run(argv)
	}
}
