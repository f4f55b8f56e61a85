package command

// lower folds ASCII letters to lower case and leaves all other bytes.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// Lower is s with its ASCII letters in lower case; the other bytes may be anything.
func Lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
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
