package glob

// Lower is c in lower case if it is an ASCII letter; all other bytes stay what they are. So redis compares words.
func Lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// LowerString is s with its ASCII letters in lower case; the other bytes may be anything.
func LowerString(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = Lower(c)
	}
	return string(b)
}
