package clusterd

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// CLUSTER SLOT-STATS, as valkey 8 has it, of the slots of this shard:
//
//	[[slot, {"key-count": n}], …]
//
// and, while cluster-slot-stats-enabled is on, behind key-count what is counted for it
// (exec.SlotCosts). A replica counts what it serves itself.

const (
	errSlotRange command.Error = "ERR Invalid or out of range slot"
	errMetric    command.Error = "ERR Unrecognized sort metric for ORDERBY."
	errLimit     command.Error = "ERR Limit has to lie in between 1 and 16384 (maximum number of slots)."
	errTwice     command.Error = "ERR Multiple filters of the same type are disallowed."
)

// slotStat is one metric of a slot.
type slotStat struct {
	name string
	of   func(*exec.SlotCost) int64
}

const keyCount = "key-count"

var costStats = []slotStat{
	{"cpu-usec", func(c *exec.SlotCost) int64 { return c.Micros }},
	{"network-bytes-in", func(c *exec.SlotCost) int64 { return c.BytesIn }},
	{"network-bytes-out", func(c *exec.SlotCost) int64 { return c.BytesOut }},
}

func (d *Driver) slotStats(c *command.Call, tx *keyspace.ReadTx) {
	a := c.Parse(2)
	switch {
	case len(c.Args) == 5 && a.Is("SLOTSRANGE"):
		d.slotStatsOfRange(c, tx, &a)
	case a.Is("ORDERBY"):
		d.slotStatsInOrder(c, tx, &a)
	default:
		badArguments(c)
	}
}

func (d *Driver) slotStatsOfRange(c *command.Call, tx *keyspace.ReadTx, a *command.Args) {
	first, last := a.IntOr(0, slot.Count-1, errSlotRange), a.IntOr(0, slot.Count-1, errSlotRange)
	if first > last {
		a.Fail(command.Error(fmt.Sprintf("ERR Start slot number %d is greater than end slot number %d", first, last)))
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	d.writeSlotStats(c, tx, shardSlots(d.opt.View.Load(), uint16(first), uint16(last)))
}

func (d *Driver) slotStatsInOrder(c *command.Call, tx *keyspace.ReadTx, a *command.Args) {
	metric := d.metric(tx, a)
	limit, ascending := slotOrder(a)
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	type ranked struct {
		slot uint16
		n    int64
	}
	var list []ranked
	for _, s := range shardSlots(d.opt.View.Load(), 0, slot.Count-1) {
		list = append(list, ranked{s, metric(s)})
	}
	slices.SortFunc(list, func(x, y ranked) int {
		by := cmp.Compare(x.n, y.n)
		if !ascending {
			by = -by
		}
		return cmp.Or(by, cmp.Compare(x.slot, y.slot))
	})
	list = list[:min(len(list), limit)]
	slots := make([]uint16, len(list))
	for i, one := range list {
		slots[i] = one.slot
	}
	d.writeSlotStats(c, tx, slots)
}

// metric reads the word behind ORDERBY.
func (d *Driver) metric(tx *keyspace.ReadTx, a *command.Args) func(uint16) int64 {
	if a.Is(keyCount) {
		return func(s uint16) int64 { return int64(tx.SlotSize(s)) }
	}
	for _, stat := range costStats {
		if d.opt.Costs.Counting() && a.Is(stat.name) {
			return func(s uint16) int64 {
				cost := d.opt.Costs.Of(s)
				return stat.of(&cost)
			}
		}
	}
	a.Fail(errMetric)
	return nil
}

// slotOrder reads what may follow the metric.
func slotOrder(a *command.Args) (limit int, ascending bool) {
	limit = slot.Count
	var limits, orders int
	for a.Err() == nil && a.More() {
		switch {
		case a.IsWith("LIMIT", 1):
			limit = int(a.IntOr(1, slot.Count, errLimit))
			limits++
		case a.Is("ASC"):
			ascending = true
			orders++
		case a.Is("DESC"):
			ascending = false
			orders++
		default:
			a.Syntax()
		}
		if limits > 1 || orders > 1 {
			a.Fail(errTwice)
		}
	}
	return limit, ascending
}

// shardSlots are those of the slots first to last that this node or its master owns.
func shardSlots(v *topology.View, first, last uint16) (list []uint16) {
	owner := v.MyMaster()
	if owner == topology.NoNode {
		owner = v.Me
	}
	for s := first; s <= last; s++ {
		if v.Owners[s] == owner {
			list = append(list, s)
		}
	}
	return list
}

func (d *Driver) writeSlotStats(c *command.Call, tx *keyspace.ReadTx, slots []uint16) {
	var costs []slotStat
	if d.opt.Costs.Counting() {
		costs = costStats
	}
	c.Out.Array(len(slots))
	for _, s := range slots {
		c.Out.Array(2)
		c.Out.Int(int64(s))
		c.Out.Map(1 + len(costs))
		writeNumber(c.Out, keyCount, int64(tx.SlotSize(s)))
		cost := d.opt.Costs.Of(s)
		for _, stat := range costs {
			writeNumber(c.Out, stat.name, stat.of(&cost))
		}
	}
}

// forgetCosts begins again at 0 for the slots that change hands between two views.
func (d *Driver) forgetCosts(old, now *topology.View) {
	if old == nil || !d.opt.Costs.Kept() {
		return
	}
	for s := range uint16(slot.Count) {
		if ownerID(old, s) != ownerID(now, s) {
			d.opt.Costs.Forget(s)
		}
	}
}

func ownerID(v *topology.View, s uint16) (id nodeid.ID) {
	if i := v.Owners[s]; i != topology.NoNode {
		id = v.Nodes[i].ID
	}
	return id
}
