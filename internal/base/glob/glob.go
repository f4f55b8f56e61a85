// Package glob matches byte strings against the patterns of KEYS, SCAN,
// PSUBSCRIBE, CONFIG GET and ACL rules, exactly as redis does.
//
//	?       any one byte
//	*       any bytes, also none
//	[abc]   one of these bytes; [a-z] a range; [^a] none of these
//	\x      the byte x itself, inside a class too
//
// The quirks are redis's and clients may lean on them: a class that is not
// closed ends where the pattern ends; a range may be written backwards; a ']'
// cannot be in a class unless escaped; a backslash that ends the pattern stands
// for itself; an empty string is matched only by an empty pattern, not by "*".
package glob

// Match reports whether pattern matches all of s. With nocase, ASCII letters
// match in either case.
//
// The time is at most len(pattern) * len(s): once the part between two stars
// has been placed as early as it can be, no other place of it can help.
func Match(pattern, s []byte, nocase bool) bool {
	if len(s) == 0 {
		return len(pattern) == 0
	}
	// p and i are the places in pattern and s. After a mismatch the last star
	// takes one byte more: matching goes on with the pattern behind it and the
	// text from one byte further on.
	p, i := 0, 0
	afterStar, atStar := 0, 0 // afterStar is 0 before the first star
	for i < len(s) {
		ok, next := false, p
		if p < len(pattern) {
			switch pattern[p] {
			case '*':
				for p < len(pattern) && pattern[p] == '*' {
					p++
				}
				if p == len(pattern) {
					return true
				}
				afterStar, atStar = p, i
				continue
			case '?':
				ok, next = true, p+1
			case '[':
				ok, next = matchClass(pattern, p+1, s[i], nocase)
			case '\\':
				if p+1 < len(pattern) {
					p++
				}
				ok, next = equal(pattern[p], s[i], nocase), p+1
			default:
				ok, next = equal(pattern[p], s[i], nocase), p+1
			}
		}
		if ok {
			p = next
			i++
			continue
		}
		if afterStar == 0 {
			return false
		}
		atStar++
		p, i = afterStar, atStar
	}
	// The text is used up. More of it for a star would leave less for the rest.
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchClass matches c against the class whose first byte is pattern[p], and
// returns the place behind it.
func matchClass(pattern []byte, p int, c byte, nocase bool) (ok bool, next int) {
	negated := p < len(pattern) && pattern[p] == '^'
	if negated {
		p++
	}
	for p < len(pattern) && pattern[p] != ']' {
		switch {
		case pattern[p] == '\\' && p+1 < len(pattern):
			// Redis compares an escaped byte of a class in its own case.
			ok = ok || pattern[p+1] == c
			p += 2
		case p+2 < len(pattern) && pattern[p+1] == '-':
			ok = ok || inRange(pattern[p], pattern[p+2], c, nocase)
			p += 3
		default:
			ok = ok || equal(pattern[p], c, nocase)
			p++
		}
	}
	return ok != negated, min(p+1, len(pattern))
}

// inRange compares bytes as redis does, whose C characters have a sign: 0x80 to
// 0xff come before 0.
func inRange(low, high, c byte, nocase bool) bool {
	if int8(low) > int8(high) {
		low, high = high, low
	}
	if nocase {
		low, high, c = Lower(low), Lower(high), Lower(c)
	}
	return int8(low) <= int8(c) && int8(c) <= int8(high)
}

func equal(a, b byte, nocase bool) bool {
	return a == b || nocase && Lower(a) == Lower(b)
}
