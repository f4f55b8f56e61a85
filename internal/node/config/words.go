package config

import (
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
)

// splitWords splits a line into words, with the quotes of redis.conf.
func splitWords(line string) ([]string, error) {
	parts, err := resp.SplitArgs([]byte(line))
	words := make([]string, len(parts))
	for i, p := range parts {
		words[i] = string(p)
	}
	return words, err
}

// quote is the opposite of splitWords for one word.
func quote(word string) string { return string(resp.AppendRepr(nil, []byte(word))) }

// quoteIfOdd quotes a word only where it would not be read back as it is.
func quoteIfOdd(word string) string {
	if words, err := splitWords(word); err == nil && len(words) == 1 && words[0] == word {
		return word
	}
	return quote(word)
}

// splitAtSpaces splits at every single space; an empty string has no words, and
// two spaces have an empty one between them.
func splitAtSpaces(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, " ")
}
