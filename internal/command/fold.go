package command

import "github.com/skeindb/skein/internal/base/glob"

// equalFold compares b with an ASCII word in any case. Unlike bytes.EqualFold
// it knows nothing of Unicode, as redis does not.
func equalFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if c != word[i] && glob.Lower(c) != glob.Lower(word[i]) {
			return false
		}
	}
	return true
}
