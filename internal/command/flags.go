package command

import "slices"

// flagWords are the words of COMMAND INFO, in redis's order. Flags without one
// are kept from clients: MayReplicate, Protected, TouchesArbitraryKeys and ours.
var flagWords = [...]struct {
	flag Flags
	word string
}{
	{Write, "write"},
	{ReadOnly, "readonly"},
	{DenyOOM, "denyoom"},
	{Module, "module"},
	{Admin, "admin"},
	{PubSub, "pubsub"},
	{NoScript, "noscript"},
	{Blocking, "blocking"},
	{Loading, "loading"},
	{Stale, "stale"},
	{SkipMonitor, "skip_monitor"},
	{SkipSlowlog, "skip_slowlog"},
	{Asking, "asking"},
	{Fast, "fast"},
	{NoAuth, "no_auth"},
	{NoMandatoryKeys, "no_mandatory_keys"},
	{NoAsyncLoading, "no_async_loading"},
	{NoMulti, "no_multi"},
	{MovableKeys, "movablekeys"},
	{AllowBusy, "allow_busy"},
}

// Words are the flags that clients may see, in redis's words and order.
func (f Flags) Words() []string {
	var words []string
	for _, e := range flagWords {
		if f&e.flag != 0 {
			words = append(words, e.word)
		}
	}
	return words
}

// keyFlagWords are redis's words for the bits of KeyFlags, from the lowest.
var keyFlagWords = [...]string{
	"RO", "RW", "OW", "RM", "access", "update", "insert", "delete",
	"not_key", "incomplete", "variable_flags",
}

// Words are the flags in redis's words and order.
func (f KeyFlags) Words() []string {
	var words []string
	for i, w := range keyFlagWords {
		if f&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	return words
}

// Categories is a set of ACL categories, one bit each.
type Categories uint32

// categoryWords are redis's ACL categories, in its order: bit i is word i.
var categoryWords = [...]string{
	"keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap",
	"hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking",
	"dangerous", "connection", "transaction", "scripting",
}

// CategoryWords are the names of all ACL categories, without "@", in redis's order.
func CategoryWords() []string { return slices.Clone(categoryWords[:]) }

// ParseCategory finds a category by its name without "@", in any case.
func ParseCategory(name []byte) (Categories, bool) {
	for i, w := range categoryWords {
		if equalFold(name, w) {
			return 1 << i, true
		}
	}
	return 0, false
}

// Words are the names of the categories, without "@", in redis's order.
func (c Categories) Words() []string {
	var words []string
	for i, w := range categoryWords {
		if c&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	return words
}

func category(word string) Categories {
	c, _ := ParseCategory([]byte(word))
	return c
}

// groupCategory is the category that a group's commands are in without saying
// so. The groups server, cluster and pubsub have none.
var groupCategory = map[string]string{
	"generic":      "keyspace",
	"string":       "string",
	"list":         "list",
	"set":          "set",
	"sorted-set":   "sortedset",
	"hash":         "hash",
	"hyperloglog":  "hyperloglog",
	"geo":          "geo",
	"stream":       "stream",
	"bitmap":       "bitmap",
	"connection":   "connection",
	"transactions": "transaction",
	"scripting":    "scripting",
	"server":       "",
	"cluster":      "",
	"pubsub":       "",
}

// impliedCategories are what redis's setImplicitACLCategories concludes from a
// command's flags and its explicit categories.
func impliedCategories(f Flags, explicit Categories) Categories {
	c := explicit
	add := func(flag Flags, words ...string) {
		if f&flag == 0 {
			return
		}
		for _, w := range words {
			c |= category(w)
		}
	}
	add(Write, "write")
	if explicit&category("scripting") == 0 { // a script that only reads is no read command
		add(ReadOnly, "read")
	}
	add(Admin, "admin", "dangerous")
	add(PubSub, "pubsub")
	add(Fast, "fast")
	add(Blocking, "blocking")
	if c&category("fast") == 0 {
		c |= category("slow")
	}
	return c
}
