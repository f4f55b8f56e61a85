package clusterd

import (
	"bytes"
	"math"
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// busPortDistance is how far a bus port is from the client port if nobody says otherwise.
const busPortDistance = 10000

// wish lets the core fulfil what the administrator wants, or tells why not. The engine holds all stripes (see
// command.Whole), so everything is in force when this returns; the reply waits for the disk if something was to be saved,
// but for SETSLOT where redis does not fsync either.
//
// Inside EXEC it cannot wait, for the transaction is one step: there the reply says that it is done, not that a crash
// cannot undo it. Nothing depends on that but the administrator's memory: whatever the node tells others of it, packets
// with a new epoch, role or slot set, waits for the disk all the same, and a node that cannot write ends.
func (d *Driver) wish(c *command.Call, ev core.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	o, err := d.step(ev, true)
	if err != nil {
		c.Out.Error("ERR " + err.Error())
		return
	}
	if o.reply == "" {
		o.reply = "OK"
	}
	if o.save != 0 {
		if resume, parked := c.Client.Park(); parked {
			d.whenSaved(o.save, func(err error) { resume(reply(o.reply, err)) })
			return
		}
	}
	c.Out.SimpleString(o.reply)
}

// reply is the answer to a wish once its save is done. Only that of SAVECONFIG may fail.
func reply(status string, err error) []byte {
	var w resp.Writer
	if err != nil {
		why := cause(err).Error()
		w.Error("ERR error saving the cluster node config: " + strings.ToUpper(why[:1]) + why[1:]) // as C's strerror has it
	} else {
		w.SimpleString(status)
	}
	return w.Buf
}

func (d *Driver) meet(c *command.Call) {
	if len(c.Args) > 5 {
		badArguments(c)
		return
	}
	port, ok := resp.ParseInt(c.Args[3])
	if !ok {
		c.Out.Error("ERR Invalid base port specified: " + c.Arg(3))
		return
	}
	busPort := port
	if port <= math.MaxUint16 {
		busPort += busPortDistance
	}
	if len(c.Args) == 5 {
		if busPort, ok = resp.ParseInt(c.Args[4]); !ok {
			c.Out.Error("ERR Invalid bus port specified: " + c.Arg(4))
			return
		}
	}
	d.wish(c, core.Meet{IP: c.Arg(2), Port: port, BusPort: busPort})
}

// badArguments answers more arguments than a subcommand takes.
func badArguments(c *command.Call) {
	c.Out.Error("ERR unknown subcommand or wrong number of arguments for '" + string(c.Args[1][:min(len(c.Args[1]), 128)]) +
		"'. Try CLUSTER HELP.")
}

func (d *Driver) forget(c *command.Call) { d.wish(c, core.Forget{Node: c.Arg(2)}) }

func (d *Driver) replicate(c *command.Call, tx *keyspace.ReadTx) {
	d.wish(c, core.Replicate{Node: c.Arg(2), HasKeys: hasKeys(tx)})
}

func hasKeys(tx *keyspace.ReadTx) bool { return tx.Keyspace().Size(0) > 0 }

// option is the index of the only optional argument among words, -1 if there is none. It answers what is wrong.
func option(c *command.Call, words ...string) (i int, ok bool) {
	a := c.Parse(2)
	switch {
	case a.Left() > 1:
		badArguments(c)
		return 0, false
	case a.Left() == 0:
		return -1, true
	}
	if i = a.OneOf(words...); i < 0 {
		c.Out.Error(command.ErrSyntax)
		return 0, false
	}
	return i, true
}

func (d *Driver) failover(c *command.Call) {
	if i, ok := option(c, "FORCE", "TAKEOVER"); ok {
		d.wish(c, core.Failover{Mode: [...]core.FailoverMode{core.FailoverPlain, core.FailoverForce, core.FailoverTakeover}[i+1]})
	}
}

func (d *Driver) reset(c *command.Call, tx *keyspace.ReadTx) {
	if i, ok := option(c, "SOFT", "HARD"); ok {
		d.wish(c, core.Reset{Hard: i == 1, HasKeys: hasKeys(tx)})
	}
}

func (d *Driver) bumpEpoch(c *command.Call) { d.wish(c, core.BumpEpoch{}) }

func (d *Driver) setConfigEpoch(c *command.Call) {
	a := c.Parse(2)
	epoch := a.Int()
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	d.wish(c, core.SetConfigEpoch{Epoch: epoch})
}

func (d *Driver) saveConfig(c *command.Call) { d.wish(c, core.SaveConfig{}) }

// slotOf reads a slot; what is no number is -1, which the core refuses with the right words.
func slotOf(arg []byte) int64 {
	n, ok := resp.ParseInt(arg)
	if !ok {
		return -1
	}
	return n
}

func slotList(c *command.Call) []int64 {
	slots := make([]int64, 0, len(c.Args)-2)
	for _, arg := range c.Args[2:] {
		slots = append(slots, slotOf(arg))
	}
	return slots
}

func (d *Driver) addSlots(c *command.Call) { d.wish(c, core.AddSlots{Slots: slotList(c)}) }
func (d *Driver) delSlots(c *command.Call) { d.wish(c, core.DelSlots{Slots: slotList(c)}) }

// slotRanges reads pairs of slots, or answers that one is left over.
func slotRanges(c *command.Call) (ranges [][2]int64, ok bool) {
	slots := slotList(c)
	if len(slots)%2 != 0 {
		c.Out.Error("ERR wrong number of arguments for '" + c.Spec.FullName() + "' command")
		return nil, false
	}
	for i := 0; i < len(slots); i += 2 {
		ranges = append(ranges, [2]int64{slots[i], slots[i+1]})
	}
	return ranges, true
}

func (d *Driver) addSlotsRange(c *command.Call) {
	if ranges, ok := slotRanges(c); ok {
		d.wish(c, core.AddSlotRanges{Ranges: ranges})
	}
}

func (d *Driver) delSlotsRange(c *command.Call) {
	if ranges, ok := slotRanges(c); ok {
		d.wish(c, core.DelSlotRanges{Ranges: ranges})
	}
}

func (d *Driver) flushSlots(c *command.Call, tx *keyspace.ReadTx) {
	d.wish(c, core.FlushSlots{HasKeys: hasKeys(tx)})
}

// slotActions are the words of SETSLOT that name a node.
var slotActions = map[string]core.SlotAction{"migrating": core.SlotMigrating, "importing": core.SlotImporting, "node": core.SlotNode}

func (d *Driver) setSlot(c *command.Call, tx *keyspace.ReadTx) {
	ev := core.SetSlot{Slot: slotOf(c.Args[2])}
	switch word := string(bytes.ToLower(c.Args[3])); {
	case len(c.Args) == 5:
		ev.Action, ev.Node = slotActions[word], c.Arg(4)
	case len(c.Args) == 4 && word == "stable":
		ev.Action = core.SlotStable
	}
	if validSlot(ev.Slot) {
		ev.KeysInSlot = tx.SlotSize(uint16(ev.Slot))
	}
	d.wish(c, ev)
}
