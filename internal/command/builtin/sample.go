package builtin

import (
	"math/rand/v2"

	"github.com/skeindb/skein/internal/command"
)

// maxRepeats is how many random elements, the same several times, may be asked for
// at once. In redis only memory, which larger numbers exhaust, or the limit of the
// client's output ends such a reply.
const maxRepeats = 1 << 28

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
