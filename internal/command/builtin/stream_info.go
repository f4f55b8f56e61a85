package builtin

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func streamInfoSpecs() []*command.Spec {
	sub := func(name, summary string, arity int, usage string, read func(*command.Call, *keyspace.ReadTx)) *command.Spec {
		return &command.Spec{
			Name: name, Group: "stream", Since: "5.0.0",
			Summary:    summary,
			Complexity: "O(1)",
			Arity:      arity, Flags: command.ReadOnly,
			Keys:  []command.KeySpec{{Flags: command.KeyRO | command.KeyAccess, Index: 2}},
			Usage: usage,
			Read:  read,
		}
	}
	consumers := sub("consumers", "Tells about the consumers of a group.", 4, "key group", xinfoConsumers)
	consumers.Tips = []string{"nondeterministic_output"}
	consumers.History = [][2]string{{"7.2.0", "`inactive` came."}}
	groups := sub("groups", "Tells about the consumer groups of a stream.", 3, "key", xinfoGroups)
	groups.History = [][2]string{{"7.0.0", "`entries-read` and `lag` came."}}
	whole := sub("stream", "Tells about a stream.", -3, "key [FULL [COUNT count:integer]]:full-block", xinfoStream)
	whole.History = [][2]string{
		{"6.0.0", "`FULL` came."},
		{"7.0.0", "`max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag` came."},
		{"7.2.0", "`active-time` came; `seen-time` no longer means it."},
	}
	return []*command.Spec{{
		Name: "xinfo", Group: "stream", Since: "5.0.0",
		Summary:    "Tells about streams, their groups and consumers.",
		Complexity: "Depends on subcommand.",
		Arity:      -2,
		Subs: []*command.Spec{
			consumers, groups,
			{
				Name: "help", Group: "stream", Since: "5.0.0",
				Summary:    "Lists the subcommands.",
				Complexity: "O(1)",
				Arity:      2, Flags: command.Loading | command.Stale,
			},
			whole,
		},
	}}
}

// findInfo finds the stream to tell about. Nil means that the error was replied.
func findInfo(c *command.Call, tx *keyspace.ReadTx) *stream.Stream {
	s, err := keyspace.Find[*stream.Stream](tx, c.Args[2])
	if err == nil && s == nil {
		err = command.Error(command.ErrNoKey)
	}
	if err != nil {
		c.Fail(err)
		return nil
	}
	return s
}

func xinfoConsumers(c *command.Call, tx *keyspace.ReadTx) {
	s := findInfo(c, tx)
	if s == nil {
		return
	}
	g := s.Group(c.Args[3])
	if g == nil {
		c.Fail(errNoGroupAt(c.Args[2], c.Args[3]))
		return
	}
	c.Out.Array(g.ConsumerCount())
	for consumer := range g.Consumers() {
		inactive := int64(-1)
		if consumer.Active >= 0 {
			inactive = c.Now - consumer.Active
		}
		c.Out.Map(4)
		textFact(c.Out, "name", consumer.Name())
		intFact(c.Out, "pending", int64(consumer.Pending()))
		intFact(c.Out, "idle", max(c.Now-consumer.Seen, 0))
		intFact(c.Out, "inactive", inactive)
	}
}

func xinfoGroups(c *command.Call, tx *keyspace.ReadTx) {
	s := findInfo(c, tx)
	if s == nil {
		return
	}
	c.Out.Array(s.GroupCount())
	for g := range s.Groups() {
		c.Out.Map(6)
		textFact(c.Out, "name", g.Name())
		intFact(c.Out, "consumers", int64(g.ConsumerCount()))
		intFact(c.Out, "pending", int64(g.Pending()))
		progressFacts(c.Out, s, g)
	}
}

// progressFacts tells how far a group has come: three pairs of a map.
func progressFacts(out *resp.Writer, s *stream.Stream, g *stream.Group) {
	idFact(out, "last-delivered-id", g.Last)
	knownFact(out, "entries-read", g.Read, g.Read >= 0)
	lag, known := s.Lag(g)
	knownFact(out, "lag", lag, known)
}

func xinfoStream(c *command.Call, tx *keyspace.ReadTx) {
	s := findInfo(c, tx)
	if s == nil {
		return
	}
	a := c.Parse(3)
	if !a.More() {
		c.Out.Map(10)
		streamFacts(c.Out, s)
		edgeFacts(c.Out, s)
		return
	}
	count := int64(10)
	if n := a.Left(); n != 1 && n != 3 || !a.Is("FULL") || n == 3 && !a.Is("COUNT") {
		c.Fail(command.WrongArguments(c.Args))
		return
	} else if n == 3 {
		if count = a.Int(); count < 0 {
			count = 10
		}
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	c.Out.Map(9)
	streamFacts(c.Out, s)
	c.Out.BulkString("entries")
	replyEntries(c.Out, s.Ascend(stream.ID{}, stream.Highest), count)
	c.Out.BulkString("groups")
	c.Out.Array(s.GroupCount())
	for g := range s.Groups() {
		groupFacts(c.Out, s, g, count)
	}
}

// streamFacts is what both forms of XINFO STREAM tell first: seven pairs of a map.
func streamFacts(out *resp.Writer, s *stream.Stream) {
	info := s.Info()
	intFact(out, "length", int64(s.Len()))
	intFact(out, "radix-tree-keys", int64(s.BlockCount()))
	intFact(out, "radix-tree-nodes", int64(s.RadixNodes()))
	idFact(out, "last-generated-id", info.Last)
	idFact(out, "max-deleted-entry-id", info.MaxDeleted)
	intFact(out, "entries-added", int64(info.Added))
	idFact(out, "recorded-first-entry-id", s.First())
}

// edgeFacts is what only the short form tells: three pairs.
func edgeFacts(out *resp.Writer, s *stream.Stream) {
	intFact(out, "groups", int64(s.GroupCount()))
	out.BulkString("first-entry")
	if !replyEntryAt(out, s, s.First()) {
		out.Null()
	}
	out.BulkString("last-entry")
	if !replyEntryAt(out, s, s.Final()) {
		out.Null()
	}
}

// groupFacts is what the long form tells about a group.
func groupFacts(out *resp.Writer, s *stream.Stream, g *stream.Group, count int64) {
	out.Map(7)
	textFact(out, "name", g.Name())
	progressFacts(out, s, g)
	intFact(out, "pel-count", int64(g.Pending()))
	out.BulkString("pending")
	m, n := out.BeginArray(), 0
	for p := range g.PendingFrom(stream.ID{}) {
		out.Array(4)
		replyID(out, p.ID)
		out.BulkString(p.Consumer)
		out.Int(p.Delivered)
		out.Int(int64(p.Count))
		if n++; int64(n) == count {
			break
		}
	}
	out.EndArray(m, n)
	out.BulkString("consumers")
	out.Array(g.ConsumerCount())
	for consumer := range g.Consumers() {
		consumerFacts(out, g, consumer, count)
	}
}

// consumerFacts is what the long form tells about a consumer.
func consumerFacts(out *resp.Writer, g *stream.Group, consumer *stream.Consumer, count int64) {
	out.Map(5)
	textFact(out, "name", consumer.Name())
	intFact(out, "seen-time", consumer.Seen)
	intFact(out, "active-time", consumer.Active)
	intFact(out, "pel-count", int64(consumer.Pending()))
	out.BulkString("pending")
	m, n := out.BeginArray(), 0
	for id := range consumer.PendingFrom(stream.ID{}) {
		p, _ := g.PendingAt(id)
		out.Array(3)
		replyID(out, id)
		out.Int(p.Delivered)
		out.Int(int64(p.Count))
		if n++; int64(n) == count {
			break
		}
	}
	out.EndArray(m, n)
}

// A fact is a pair of a map.

func intFact(out *resp.Writer, name string, n int64) {
	out.BulkString(name)
	out.Int(n)
}

func textFact(out *resp.Writer, name, text string) {
	out.BulkString(name)
	out.BulkString(text)
}

func idFact(out *resp.Writer, name string, id stream.ID) {
	out.BulkString(name)
	replyID(out, id)
}

// knownFact is a number, or null if it is not known.
func knownFact(out *resp.Writer, name string, n int64, known bool) {
	out.BulkString(name)
	if known {
		out.Int(n)
	} else {
		out.Null()
	}
}
