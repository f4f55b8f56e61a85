package command

// lower folds ASCII letters to lower case and leaves all other bytes.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// equalFold compares b with an ASCII word in any case. Unlike bytes.EqualFold
// it knows nothing of Unicode, as redis does not.
func equalFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if c != word[i] && lower(c) != lower(word[i]) {
			return false
		}
	}
	return true
}
