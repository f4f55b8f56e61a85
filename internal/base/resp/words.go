package resp

// AppendWords appends the first words of the command that b begins with, at most so many: its name, for most commands
// its key, and what follows. It is for a look ahead and knows only the usual case, short words in an array; it ends at
// the first other one, or one that is not there as a whole.
func AppendWords(words [][]byte, b []byte, most int) [][]byte {
	if len(b) == 0 || b[0] != '*' {
		return words
	}
	count, at := shortLength(b, 0)
	for range min(count, most) {
		if at == 0 {
			break
		}
		var word []byte
		if word, at = shortBulk(b, at); at > 0 {
			words = append(words, word)
		}
	}
	return words
}

// shortBulk is the bulk string at b[at:] and the offset behind it, 0 if it is not
// there as a whole or not short.
func shortBulk(b []byte, at int) (s []byte, next int) {
	if at >= len(b) || b[at] != '$' {
		return nil, 0
	}
	n, start := shortLength(b, at)
	if start == 0 || start+n+2 > len(b) {
		return nil, 0
	}
	return b[start : start+n : start+n], start + n + 2
}
