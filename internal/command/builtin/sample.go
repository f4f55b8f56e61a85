package builtin

import (
	"iter"
	"math/rand/v2"

	"github.com/skeindb/skein/internal/command"
)

// maxRepeats is how many random elements, the same several times, may be asked for
// at once. In redis only memory, which larger numbers exhaust, or the limit of the
// client's output ends such a reply.
const maxRepeats = 1 << 28

// repeats counts to n, or until what is replied meanwhile is more than the client may
// be sent.
func repeats(c *command.Call, n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		from := len(c.Out.Buf)
		for i := range n {
			if i%repeatsStep == 0 && c.Overflows(len(c.Out.Buf)-from) || !yield(i) {
				return
			}
		}
	}
}

// repeatsStep is after how many elements the limit is looked at.
const repeatsStep = 256

const errRepeats command.Error = "ERR value is out of range, the reply would not fit into memory"

// sample is k different numbers of [0, n), each choice as likely as any other, in no
// particular order; k <= n.
func sample(n, k int) []int {
	chosen := make([]int, 0, k)
	seen := make(map[int]struct{}, k)
	for last := n - k; last < n; last++ { // Floyd's way: each round adds one of [0, last]
		i := rand.IntN(last + 1)
		if _, again := seen[i]; again {
			i = last
		}
		seen[i] = struct{}{}
		chosen = append(chosen, i)
	}
	return chosen
}
