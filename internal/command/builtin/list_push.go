package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func listPushes() []*command.Spec {
	const complexity = "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments."
	push := func(name, since, several, summary string, e end, mustExist bool) *command.Spec {
		return &command.Spec{
			Name: name, Group: "list", Since: since, Summary: summary, Complexity: complexity,
			Arity: -3, Flags: command.Write | command.DenyOOM | command.Fast,
			Keys:    command.FirstKey(command.KeyRW | command.KeyInsert),
			Usage:   "key element...",
			History: [][2]string{{several, "Several elements may be given."}},
			Write:   func(c *command.Call, tx *keyspace.WriteTx) { pushElements(c, tx, e, mustExist) },
		}
	}
	return []*command.Spec{
		push("lpush", "1.0.0", "2.4.0", "Puts elements before the first one of a list, which is made if it does not exist.", left, false),
		push("rpush", "1.0.0", "2.4.0", "Puts elements behind the last one of a list, which is made if it does not exist.", right, false),
		push("lpushx", "2.2.0", "4.0.0", "Puts elements before the first one of a list that exists.", left, true),
		push("rpushx", "2.2.0", "4.0.0", "Puts elements behind the last one of a list that exists.", right, true),
	}
}

func pushElements(c *command.Call, tx *keyspace.WriteTx, e end, mustExist bool) {
	key, elements := c.Args[1], c.Args[2:]
	var l keyspace.Change[*quicklist.List]
	if err := l.Open(tx, key); err != nil {
		c.Fail(err)
		return
	}
	if !l.Found() {
		if mustExist {
			c.Out.Int(0)
			return
		}
		l.Value = quicklist.New()
	}
	bytes := 0
	for _, element := range elements {
		bytes += len(element)
	}
	o := tx.Limits().List
	l.Value.Grow(bytes, len(elements), o)
	for _, element := range elements {
		e.push(l.Value, element, o)
	}
	n := l.Value.Len()
	if _, err := l.Save(); err != nil {
		c.Fail(err)
		return
	}
	tx.CountMore(key, len(elements))
	tx.Notify(keyspace.EventList, pushEvents[e], key)
	c.Out.Int(int64(n))
}
