package builtin

import "math/rand/v2"

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
