package commandgen

import (
	"strings"

	"github.com/skeindb/skein/internal/command"
)

// Rules makes rules of ACL SETUSER that leave a user some of the commands and keys that
// Next makes: each selector ends with the rules of always.
func (g *Generator) Rules(always ...string) []string {
	rules := append(g.selector(), always...)
	if g.chance(3) {
		words := append(g.selector(), always...)
		rules = append(rules, "("+strings.Join(words, " ")+")")
	}
	return rules
}

func (g *Generator) selector() []string {
	rules := []string{g.pick("+@all", "+@all", "-@all", "+@write", "+@read")}
	for range g.rand.IntN(6) {
		rules = append(rules, g.commandRule())
	}
	if g.chance(4) {
		return append(rules, "~*")
	}
	for range 1 + g.rand.IntN(8) {
		rules = append(rules, g.pick("~", "~", "%R~", "%W~", "%RW~")+g.keyPattern())
	}
	return rules
}

func (g *Generator) commandRule() string {
	if g.chance(2) {
		return g.pick("+", "-") + "@" + g.pick(command.CategoryWords()...)
	}
	return g.pick("+", "-") + g.specs[g.rand.IntN(len(g.specs))].FullName()
}

// keyPattern matches some of the favourites.
func (g *Generator) keyPattern() string {
	keys := favourites[g.pick(families...)]
	key := g.pick(keys...)
	return g.pick(key, key[:1]+"*", key[:1]+"?", key[:1]+"[12]", "?"+key[1:], "*")
}

// Rule makes a rule of ACL SETUSER of any kind, right or wrong.
func (g *Generator) Rule() string {
	switch g.rand.IntN(9) {
	case 0, 1:
		return g.anyCase(g.commandRule())
	case 2:
		return g.pick("+", "-") + g.pick("nosuch", "@nosuch", "", "select|0", "config|get", "config|nosuch", "config|get|x", "get|a|b", "select|", "@all", "@ALL", "acl", "client|id")
	case 3:
		return g.pick("~", "%R~", "%w~", "%RW~", "%RR~", "%Rx~", "&") + g.keyPattern()
	case 4:
		return g.pick("~", "&") + g.pick("*", "", "a b", "\\*", "a*", "[^x]", "\xff")
	case 5:
		return g.anyCase(g.pick("allkeys", "resetkeys", "allchannels", "resetchannels", "allcommands", "nocommands"))
	case 6:
		return g.anyCase(g.pick("on", "off", "nopass", "resetpass", "reset", "clearselectors", "sanitize-payload", "skip-sanitize-payload", "", "bogus"))
	case 7:
		return g.pick(">", "<", "#", "!") + g.pick("a", "b", "", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", "CA978112")
	}
	var words []string
	for range g.rand.IntN(4) {
		words = append(words, g.Rule())
	}
	return "(" + strings.Join(words, " ") + g.pick(")", ")", ")", ")", "")
}

// anyCase is a word, now and then in letters of another case.
func (g *Generator) anyCase(word string) string {
	if g.chance(10) {
		return strings.ToUpper(word)
	}
	return word
}
