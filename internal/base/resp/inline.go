package resp

import "errors"

// ErrUnbalancedQuotes: a quote was not closed, or text followed a closing
// quote without a space between.
var ErrUnbalancedQuotes = errors.New("unbalanced quotes")

// SplitArgs splits a line into words as redis does for inline commands, its
// configuration file and its console. Words are separated by blanks. Inside
// "double quotes" the escapes \n \r \t \b \a and \xHH are known and any other
// escaped byte stands for itself; inside 'single quotes' only \' is. The words
// are copies; line is left alone.
func SplitArgs(line []byte) ([][]byte, error) {
	return splitArgs(nil, line, make([]byte, 0, len(line)))
}

// splitArgs appends the words of line to args and their bytes to out. No word
// is longer than its source, so out may be line[:0]: the words then replace the
// line in place.
func splitArgs(args [][]byte, line, out []byte) ([][]byte, error) {
	for {
		for len(line) > 0 && isSpace(line[0]) {
			line = line[1:]
		}
		if len(line) == 0 {
			return args, nil
		}
		start := len(out)
		var ok bool
		out, line, ok = appendWord(out, line)
		if !ok {
			return nil, ErrUnbalancedQuotes
		}
		args = append(args, out[start:len(out):len(out)])
	}
}

// appendWord appends the first word of line to out and returns what follows.
// A quote may open in the middle of a word, but closing it ends the word.
func appendWord(out, line []byte) (word, rest []byte, ok bool) {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case ' ', '\n', '\r', '\t':
			return out, line[i:], true
		case '"', '\'':
			out, rest, ok = appendQuoted(out, line[i+1:], c)
			return out, rest, ok && (len(rest) == 0 || isSpace(rest[0]))
		default:
			out = append(out, c)
		}
	}
	return out, nil, true
}

// appendQuoted appends text up to its closing quote.
func appendQuoted(out, text []byte, quote byte) (word, rest []byte, ok bool) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == quote:
			return out, text[i+1:], true
		case c != '\\' || i+1 == len(text):
			out = append(out, c)
		case quote == '\'':
			if text[i+1] == '\'' {
				i++
				c = '\''
			}
			out = append(out, c)
		default:
			var n int
			c, n = unescape(text[i+1:])
			out = append(out, c)
			i += n
		}
	}
	return nil, nil, false
}

// unescape returns the byte that an escape sequence stands for and the number
// of bytes it took after the backslash.
func unescape(s []byte) (c byte, n int) {
	if s[0] == 'x' && len(s) >= 3 {
		high, low := hexDigit(s[1]), hexDigit(s[2])
		if high >= 0 && low >= 0 {
			return byte(high<<4 | low), 3
		}
	}
	switch s[0] {
	case 'n':
		return '\n', 1
	case 'r':
		return '\r', 1
	case 't':
		return '\t', 1
	case 'b':
		return '\b', 1
	case 'a':
		return '\a', 1
	}
	return s[0], 1
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// isSpace is C's isspace. Vertical tab and form feed separate words only where
// they stand before a word or after a closing quote; inside a word they are text.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
