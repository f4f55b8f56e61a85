package acl

import (
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
)

// mergeSelectors joins the words of selectors that were given as several:
// "(+get", "~a)" becomes "(+get ~a)". Not ok: the parenthesis that the word at the
// index open begins with is never closed.
func mergeSelectors(words []string) (merged []string, open int, ok bool) {
	open = -1
	var selector string
	for i, w := range words {
		ends := strings.HasSuffix(w, ")")
		switch {
		case open < 0 && strings.HasPrefix(w, "(") && !ends:
			selector, open = w, i
		case open < 0:
			merged = append(merged, w)
		default:
			selector += " " + cString(w)
			if ends {
				merged, open = append(merged, selector), -1
			}
		}
	}
	return merged, open, open < 0
}

// innerRules splits what stands between the parentheses of a selector, quotes being as in
// the configuration file; what is not balanced holds no rules, as in redis.
func innerRules(text string) []string {
	words, err := resp.SplitArgs([]byte(cString(text)))
	if err != nil {
		return nil
	}
	return texts(words)
}

func texts(words [][]byte) []string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	return list
}
