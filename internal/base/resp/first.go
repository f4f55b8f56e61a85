package resp

// First finds the first two words of the command that b begins with: its name and,
// for most commands, its key. It is for a look ahead and knows only the usual case,
// short words in an array; ok is false for all others and while they are incomplete.
func First(b []byte) (name, word []byte, ok bool) {
	if len(b) == 0 || b[0] != '*' {
		return nil, nil, false
	}
	count, at := shortLength(b, 0)
	if at == 0 || count < 2 {
		return nil, nil, false
	}
	if name, at = shortBulk(b, at); at == 0 {
		return nil, nil, false
	}
	word, at = shortBulk(b, at)
	return name, word, at > 0
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
