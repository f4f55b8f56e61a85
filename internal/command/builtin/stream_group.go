package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func streamGroupSpecs() []*command.Spec {
	sub := func(name, since, summary string, arity int, flags command.Flags, key command.KeyFlags, usage string,
		write func(*command.Call, *keyspace.WriteTx)) *command.Spec {
		return &command.Spec{
			Name: name, Group: "stream", Since: since,
			Summary:    summary,
			Complexity: "O(1)",
			Arity:      arity, Flags: command.Write | flags,
			Keys:  []command.KeySpec{{Flags: command.KeyRW | key, Index: 2}},
			Usage: usage,
			Write: write,
		}
	}
	create := sub("create", "5.0.0", "Makes a consumer group.", -5, command.DenyOOM, command.KeyInsert,
		"key group <id | $:new-id>:id-selector [MKSTREAM] [ENTRIESREAD entries-read:integer]", xgroupCreate)
	create.History = [][2]string{{"7.0.0", "`ENTRIESREAD` came."}}
	destroy := sub("destroy", "5.0.0", "Removes a consumer group.", 4, 0, command.KeyDelete, "key group", xgroupDestroy)
	destroy.Complexity = "O(N) where N is the number of entries in the group's pending entries list (PEL)."
	setID := sub("setid", "5.0.0", "Sets the ID that a group was given last.", -5, 0, command.KeyUpdate,
		"key group <id | $:new-id>:id-selector [ENTRIESREAD entriesread=entries-read:integer]", xgroupSetID)
	setID.History = [][2]string{{"7.0.0", "`ENTRIESREAD` came."}}
	return []*command.Spec{{
		Name: "xgroup", Group: "stream", Since: "5.0.0",
		Summary:    "Makes, changes and removes consumer groups.",
		Complexity: "Depends on subcommand.",
		Arity:      -2,
		Subs: []*command.Spec{
			create,
			sub("createconsumer", "6.2.0", "Makes a consumer in a group.", 5, command.DenyOOM, command.KeyInsert,
				"key group consumer", xgroupCreateConsumer),
			sub("delconsumer", "5.0.0", "Removes a consumer from its group, with all that is pending for it.", 5, 0,
				command.KeyDelete, "key group consumer", xgroupDelConsumer),
			destroy,
			{
				Name: "help", Group: "stream", Since: "5.0.0",
				Summary:    "Lists the subcommands.",
				Complexity: "O(1)",
				Arity:      2, Flags: command.Loading | command.Stale,
			},
			setID,
		},
	}}
}

const (
	errGroupKey  command.Error = "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically."
	errGroupRead command.Error = "ERR value for ENTRIESREAD must be positive or -1"
	errGroupBusy command.Error = "BUSYGROUP Consumer Group name already exists"
)

// groupOptions are what may follow the ID in XGROUP CREATE and SETID.
type groupOptions struct {
	makeStream bool
	read       int64 // -1: nobody knows
}

func (o *groupOptions) parse(c *command.Call, create bool) error {
	o.read = -1
	a := c.Parse(5)
	for a.More() {
		switch {
		case create && a.Is("MKSTREAM"):
			o.makeStream = true
		case a.IsWith("ENTRIESREAD", 1):
			if o.read = a.Int(); o.read < -1 {
				a.Fail(errGroupRead)
			}
		default:
			return command.WrongArguments(c.Args)
		}
	}
	return a.Err()
}

// openGroup opens the stream of a subcommand, which must be there, and finds its
// group, nil if there is none. False means that the error was replied.
func openGroup(c *command.Call, tx *keyspace.WriteTx, must bool) (change streamChange, g groupChange, ok bool) {
	key, name := c.Args[2], c.Args[3]
	err := change.Open(tx, key)
	switch {
	case err != nil:
	case !change.Found():
		err = errGroupKey
	case must && change.Value.Group(name) == nil:
		err = errNoGroupAt(key, name)
	}
	if err != nil {
		c.Fail(err)
		return change, g, false
	}
	return change, groupChange{tx, key, name, change.Value.Edit(name)}, true
}

func xgroupCreate(c *command.Call, tx *keyspace.WriteTx) {
	var o groupOptions
	if err := o.parse(c, true); err != nil {
		c.Fail(err)
		return
	}
	key, name := c.Args[2], c.Args[3]
	var change streamChange
	err := change.Open(tx, key)
	if err == nil && !change.Found() && !o.makeStream {
		err = errGroupKey
	}
	if err == nil && len(c.Args) > 8 {
		err = command.WrongArguments(c.Args)
	}
	var last stream.ID
	if err == nil {
		last, err = groupStart(change.Value, c, strictID)
	}
	if err != nil {
		c.Fail(err)
		return
	}
	if !change.Found() {
		change.Value = stream.New()
	}
	if !change.Value.AddGroup(name, last, o.read) {
		c.Fail(errGroupBusy)
		return
	}
	if err := keep(&change); err != nil {
		c.Fail(err)
		return
	}
	if change.Found() {
		tx.DirtyKey(key)
	}
	tx.Notify(keyspace.EventStream, "xgroup-create", key)
	c.Out.OK()
}

// keep saves a stream for a change of a group, which only a stream just made shows.
func keep(change *streamChange) error {
	if change.Found() {
		change.Keep()
		return nil
	}
	_, err := change.Save()
	return err
}

// groupStart is the ID behind which a group begins: an argument, or $ for the last one
// of the stream, if there is one.
func groupStart(s *stream.Stream, c *command.Call, parse func(*command.Args) stream.ID) (stream.ID, error) {
	a := c.Parse(4)
	if isByte(a.Peek(), '$') {
		if s == nil {
			return stream.ID{}, nil
		}
		return s.Info().Last, nil
	}
	id := parse(&a)
	return id, a.Err()
}

func xgroupSetID(c *command.Call, tx *keyspace.WriteTx) {
	var o groupOptions
	if err := o.parse(c, false); err != nil {
		c.Fail(err)
		return
	}
	change, g, ok := openGroup(c, tx, true)
	if !ok {
		return
	}
	if len(c.Args) > 7 {
		c.Fail(command.WrongArguments(c.Args))
		return
	}
	last, err := groupStart(change.Value, c, func(a *command.Args) stream.ID { return looseID(a, 0) })
	if err != nil {
		c.Fail(err)
		return
	}
	g.group.Last, g.group.Read = last, o.read
	change.Keep()
	tx.DirtyKey(g.key)
	tx.Notify(keyspace.EventStream, "xgroup-setid", g.key)
	c.Out.OK()
}

func xgroupDestroy(c *command.Call, tx *keyspace.WriteTx) {
	change, g, ok := openGroup(c, tx, false)
	if !ok {
		return
	}
	if g.group == nil {
		c.Out.Int(0)
		return
	}
	change.Value.RemoveGroup(g.name)
	change.Keep()
	change.Wake() // those who wait for the group
	tx.DirtyKey(g.key)
	tx.Notify(keyspace.EventStream, "xgroup-destroy", g.key)
	c.Out.Int(1)
}

func xgroupCreateConsumer(c *command.Call, tx *keyspace.WriteTx) {
	change, g, ok := openGroup(c, tx, true)
	if !ok {
		return
	}
	if !g.group.AddConsumer(c.Args[4], c.Now) {
		c.Out.Int(0)
		return
	}
	change.Keep()
	tx.DirtyKey(g.key)
	tx.Notify(keyspace.EventStream, "xgroup-createconsumer", g.key)
	c.Out.Int(1)
}

func xgroupDelConsumer(c *command.Call, tx *keyspace.WriteTx) {
	change, g, ok := openGroup(c, tx, true)
	if !ok {
		return
	}
	pending, found := g.group.RemoveConsumer(c.Args[4])
	if found {
		change.Keep()
		tx.DirtyKey(g.key)
		tx.Notify(keyspace.EventStream, "xgroup-delconsumer", g.key)
	}
	c.Out.Int(int64(pending))
}
