package clusterd

import (
	"bytes"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// snapshot is the cluster as of now. It is rendered without a lock.
func (d *Driver) snapshot() topology.Snapshot {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.node.Snapshot(func(id core.Link, shown *topology.Link) {
		if l := d.links[id]; l != nil {
			shown.Reading = l.conn != nil
			shown.SendBufferBytes = l.queued.Load()
			shown.Writing = shown.SendBufferBytes > 0
		}
	})
}

func (d *Driver) info(c *command.Call) {
	s := d.snapshot()
	c.Out.Verbatim("txt", string(s.AppendInfo(nil)))
}

func (d *Driver) nodes(c *command.Call) {
	s := d.snapshot()
	c.Out.Verbatim("txt", string(s.AppendNodes(nil, byTLS(c))))
}

// byTLS tells whether who asks is connected by TLS, and so is shown the ports for TLS.
func byTLS(c *command.Call) bool {
	who, ok := c.Client.(interface{ ByTLS() bool })
	return ok && who.ByTLS()
}

func (d *Driver) myID(c *command.Call)      { c.Out.BulkString(d.me().ID.String()) }
func (d *Driver) myShardID(c *command.Call) { c.Out.BulkString(d.me().ShardID.String()) }

// me is this node by the view in force.
func (d *Driver) me() *topology.Node {
	v := d.opt.View.Load()
	return &v.Nodes[v.Me]
}

// replicas answers the lines of a master's replicas.
func (d *Driver) replicas(c *command.Call) {
	s := d.snapshot()
	for i := range s.Nodes {
		if s.Nodes[i].ID.String() != c.Arg(2) {
			continue
		}
		if s.Nodes[i].Flags.Has(bus.FlagSlave) {
			c.Out.Error("ERR The specified node is not a master")
			return
		}
		list := s.Replicas(uint16(i))
		c.Out.Array(len(list))
		for _, r := range list {
			c.Out.Bulk(s.AppendNode(nil, r, nil, byTLS(c))) // replicas own no slots
		}
		return
	}
	c.Out.Error("ERR Unknown node " + c.Arg(2))
}

func (d *Driver) countFailureReports(c *command.Call) {
	d.mu.Lock()
	n, err := d.node.CountFailureReports(d.now(), c.Arg(2))
	d.mu.Unlock()
	if err != nil {
		c.Out.Error("ERR " + err.Error())
		return
	}
	c.Out.Int(int64(n))
}

// slots answers the ranges: start, end, owner, replicas.
func (d *Driver) slots(c *command.Call) {
	s := d.snapshot()
	ranges := s.SlotRanges(byTLS(c))
	c.Out.Array(len(ranges))
	for _, r := range ranges {
		c.Out.Array(2 + len(r.Nodes))
		c.Out.Int(int64(r.Start))
		c.Out.Int(int64(r.End))
		for i := range r.Nodes {
			writeSlotNode(c.Out, &r.Nodes[i])
		}
	}
}

// writeSlotNode writes an endpoint, its port, the id, and a map of what else is known of the address.
func writeSlotNode(w *resp.Writer, n *topology.SlotNode) {
	w.Array(4)
	if n.HasEndpoint {
		w.BulkString(n.Endpoint)
	} else {
		w.Null()
	}
	w.Int(int64(n.Port))
	w.BulkString(n.ID.String())
	writeFields(w, n.Extra)
}

func writeFields(w *resp.Writer, fields []topology.Field) {
	w.Map(len(fields))
	for _, f := range fields {
		w.BulkString(f.Name)
		if f.IsNumber {
			w.Int(f.Number)
		} else {
			w.BulkString(f.Text)
		}
	}
}

// shards answers of each shard a map of its slots (starts and ends in turn) and its nodes.
func (d *Driver) shards(c *command.Call) {
	s := d.snapshot()
	shards := s.Shards()
	c.Out.Array(len(shards))
	for _, shard := range shards {
		c.Out.Map(2)
		c.Out.BulkString("slots")
		c.Out.Array(2 * len(shard.Slots))
		for _, r := range shard.Slots {
			c.Out.Int(int64(r.Start))
			c.Out.Int(int64(r.End))
		}
		c.Out.BulkString("nodes")
		c.Out.Array(len(shard.Nodes))
		for _, fields := range shard.Nodes {
			writeFields(c.Out, fields)
		}
	}
}

func (d *Driver) showLinks(c *command.Call) {
	s := d.snapshot()
	links := s.LinkFields()
	c.Out.Array(len(links))
	for _, fields := range links {
		writeFields(c.Out, fields)
	}
}

func (d *Driver) keySlot(c *command.Call) { c.Out.Int(int64(slot.Of(c.Args[2]))) }

func validSlot(s int64) bool { return 0 <= s && s < slot.Count }

func (d *Driver) countKeysInSlot(c *command.Call, tx *keyspace.ReadTx) {
	a := c.Parse(2)
	s := a.Int()
	switch err := a.Err(); {
	case err != nil:
		c.Fail(err)
	case !validSlot(s):
		c.Out.Error("ERR Invalid slot")
	default:
		c.Out.Int(int64(tx.SlotSize(uint16(s))))
	}
}

func (d *Driver) getKeysInSlot(c *command.Call, tx *keyspace.ReadTx) {
	a := c.Parse(2)
	s, most := a.Int(), a.Int()
	switch err := a.Err(); {
	case err != nil:
		c.Fail(err)
		return
	case !validSlot(s) || most < 0:
		c.Out.Error("ERR Invalid slot or number of keys")
		return
	}
	keys := someKeys(tx, uint16(s), int(min(most, int64(tx.SlotSize(uint16(s))))))
	c.Out.Array(len(keys))
	for _, key := range keys {
		c.Out.Bulk(key)
	}
}

// someKeys returns up to most different keys of a slot; a scan may show a key twice.
func someKeys(tx *keyspace.ReadTx, s uint16, most int) (keys [][]byte) {
	if most == 0 {
		return nil
	}
	shown := make(map[string]struct{}, most)
	tx.ScanSlot(s, func(r keyspace.Ref) bool {
		if _, again := shown[string(r.Key())]; !again {
			shown[string(r.Key())] = struct{}{}
			keys = append(keys, bytes.Clone(r.Key()))
		}
		return len(keys) < most
	})
	return keys
}
