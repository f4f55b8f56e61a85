package clusterd

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

const errDisabled = "ERR This instance has cluster support disabled"

// Those of the subcommands that show something; those that change something and so need all stripes.
const (
	shows   = command.Stale
	changes = command.Admin | command.Stale | command.NoAsyncLoading | command.Whole
)

// set is the handlers of a node; without a Driver they all refuse.
type set struct{ d *Driver }

func (s set) service(h func(*Driver, *command.Call)) func(*command.Call) {
	if s.d == nil {
		return func(c *command.Call) { c.Out.Error(errDisabled) }
	}
	return func(c *command.Call) { h(s.d, c) }
}

// read is service for a handler that looks at keys.
func (s set) read(h func(*Driver, *command.Call, *keyspace.ReadTx)) func(*command.Call, *keyspace.ReadTx) {
	if s.d == nil {
		return func(c *command.Call, _ *keyspace.ReadTx) { c.Out.Error(errDisabled) }
	}
	return func(c *command.Call, tx *keyspace.ReadTx) { h(s.d, c, tx) }
}

// Specs is the CLUSTER command. d is nil in a node whose cluster support is disabled.
func Specs(d *Driver) []*command.Spec {
	s := set{d}
	var subs []*command.Spec
	for _, group := range [][]*command.Spec{s.nodeSpecs(), s.slotSpecs(), s.keySpecs(), s.tableSpecs(), s.topologySpecs(), s.ownSpecs(), s.historySpecs()} {
		subs = append(subs, group...)
	}
	help := &command.Spec{Name: "help", Since: "5.0.0", Arity: 2, Flags: command.Loading | command.Stale,
		Summary: "Lists the subcommands and what they do.", Complexity: "O(1)"}
	if d == nil {
		help.Service = s.service(nil) // else the table makes it
	}
	subs = append(subs, help)
	for _, sub := range subs {
		sub.Group = "cluster"
	}
	return []*command.Spec{{
		Name: "cluster", Group: "cluster", Since: "3.0.0", Arity: -2,
		Summary:    "Shows and changes the cluster as this node sees it.",
		Complexity: "Depends on subcommand.",
		Subs:       subs,
	}}
}

var nondeterministic = []string{"nondeterministic_output"}

// nodeSpecs change who is in the cluster, and as what.
func (s set) nodeSpecs() []*command.Spec {
	return []*command.Spec{
		{Name: "meet", Since: "3.0.0", Arity: -4, Flags: changes,
			Summary:    "Joins the node at an address, and with it its cluster.",
			Complexity: "O(1)",
			Usage:      "ip port:integer [cluster-bus-port:integer@4.0.0]",
			History:    [][2]string{{"4.0.0", "The bus port may be given."}},
			Service:    s.service((*Driver).meet)},
		{Name: "forget", Since: "3.0.0", Arity: 3, Flags: changes,
			Summary:    "Removes a node, and keeps gossip from bringing it back for a minute.",
			Complexity: "O(1)", Usage: "node-id",
			Service: s.service((*Driver).forget)},
		{Name: "replicate", Since: "3.0.0", Arity: 3, Flags: changes,
			Summary:    "Makes this node a replica of a master.",
			Complexity: "O(1)", Usage: "node-id",
			Read: s.read((*Driver).replicate)},
		{Name: "failover", Since: "3.0.0", Arity: -2, Flags: changes,
			Summary:    "Makes this replica take its master's place.",
			Complexity: "O(1)", Usage: "[FORCE | TAKEOVER]:options",
			Service: s.service((*Driver).failover)},
		{Name: "reset", Since: "3.0.0", Arity: -2, Flags: command.Admin | command.Stale | command.NoScript | command.Whole,
			Summary:    "Makes this node forget all others and its slots; HARD also its id and epochs.",
			Complexity: "O(N) where N is the number of known nodes. The command may execute a FLUSHALL as a side effect.",
			Usage:      "[HARD | SOFT]:reset-type",
			Read:       s.read((*Driver).reset)},
		{Name: "bumpepoch", Since: "3.0.0", Arity: 2, Flags: changes,
			Summary:    "Gives this node the greatest config epoch, without asking the others.",
			Complexity: "O(1)", Tips: nondeterministic,
			Service: s.service((*Driver).bumpEpoch)},
		{Name: "set-config-epoch", Since: "3.0.0", Arity: 3, Flags: changes,
			Summary:    "Sets the config epoch of a new node.",
			Complexity: "O(1)", Usage: "config-epoch:integer",
			Service: s.service((*Driver).setConfigEpoch)},
		{Name: "saveconfig", Since: "3.0.0", Arity: 2, Flags: changes,
			Summary:    "Writes nodes.conf now.",
			Complexity: "O(1)",
			Service:    s.service((*Driver).saveConfig)},
	}
}

// slotSpecs change who owns a slot.
func (s set) slotSpecs() []*command.Spec {
	return []*command.Spec{
		{Name: "addslots", Since: "3.0.0", Arity: -3, Flags: changes,
			Summary:    "Takes slots that nobody owns.",
			Complexity: "O(N) where N is the total number of hash slot arguments", Usage: "slot:integer...",
			Service: s.service((*Driver).addSlots)},
		{Name: "delslots", Since: "3.0.0", Arity: -3, Flags: changes,
			Summary:    "Leaves slots without an owner, in the view of this node.",
			Complexity: "O(N) where N is the total number of hash slot arguments", Usage: "slot:integer...",
			Service: s.service((*Driver).delSlots)},
		{Name: "addslotsrange", Since: "7.0.0", Arity: -4, Flags: changes,
			Summary:    "Takes ranges of slots that nobody owns.",
			Complexity: "O(N) where N is the total number of the slots between the start slot and end slot arguments.",
			Usage:      "<start-slot:integer end-slot:integer>:range...",
			Service:    s.service((*Driver).addSlotsRange)},
		{Name: "delslotsrange", Since: "7.0.0", Arity: -4, Flags: changes,
			Summary:    "Leaves ranges of slots without an owner, in the view of this node.",
			Complexity: "O(N) where N is the total number of the slots between the start slot and end slot arguments.",
			Usage:      "<start-slot:integer end-slot:integer>:range...",
			Service:    s.service((*Driver).delSlotsRange)},
		{Name: "flushslots", Since: "3.0.0", Arity: 2, Flags: changes,
			Summary:    "Gives up all slots of this node, which must be empty.",
			Complexity: "O(1)",
			Read:       s.read((*Driver).flushSlots)},
		{Name: "setslot", Since: "3.0.0", Arity: -4, Flags: changes,
			Summary:    "Opens a slot for its way from node to node, closes it, or gives it to a node.",
			Complexity: "O(1)",
			Usage:      "slot:integer <IMPORTING importing=node-id | MIGRATING migrating=node-id | NODE node=node-id | STABLE>:subcommand",
			Read:       s.read((*Driver).setSlot)},
	}
}

// keySpecs are about keys and their slots.
func (s set) keySpecs() []*command.Spec {
	return []*command.Spec{
		{Name: "keyslot", Since: "3.0.0", Arity: 3, Flags: shows,
			Summary:    "Tells the slot of a key.",
			Complexity: "O(N) where N is the number of bytes in the key", Usage: "key:string",
			Service: s.service((*Driver).keySlot)},
		{Name: "countkeysinslot", Since: "3.0.0", Arity: 3, Flags: shows | command.Whole,
			Summary:    "Counts the keys that this node has in a slot.",
			Complexity: "O(1)", Usage: "slot:integer",
			Read: s.read((*Driver).countKeysInSlot)},
		{Name: "getkeysinslot", Since: "3.0.0", Arity: 4, Flags: shows | command.Whole,
			Summary:    "Lists some of the keys that this node has in a slot.",
			Complexity: "O(N) where N is the number of requested keys",
			Tips:       nondeterministic, Usage: "slot:integer count:integer",
			Read: s.read((*Driver).getKeysInSlot)},
		{Name: "slot-stats", Arity: -4, Flags: command.Loading | command.Stale | command.Whole,
			Summary:    "Tells of slots of this shard how many keys they hold and, if that is counted, what their commands cost.",
			Complexity: "O(N) where N is the total number of slots based on arguments. O(N*log(N)) with ORDERBY subcommand.",
			Tips:       []string{"nondeterministic_output", "request_policy:all_shards"},
			Usage:      "<SLOTSRANGE <start-slot:integer end-slot:integer>:slotsrange | ORDERBY <metric:string [LIMIT limit:integer] [ASC | DESC]:order>:orderby>:filter",
			Read:       s.read((*Driver).slotStats)},
	}
}

// tableSpecs show nodes as lines of text.
func (s set) tableSpecs() []*command.Spec {
	return []*command.Spec{
		{Name: "info", Since: "3.0.0", Arity: 2, Flags: shows,
			Summary:    "Tells the state of the cluster.",
			Complexity: "O(1)", Tips: nondeterministic,
			Service: s.service((*Driver).info)},
		{Name: "nodes", Since: "3.0.0", Arity: 2, Flags: shows,
			Summary:    "Lists the nodes, a line each.",
			Complexity: "O(N) where N is the total number of Cluster nodes", Tips: nondeterministic,
			Service: s.service((*Driver).nodes)},
		{Name: "replicas", Since: "5.0.0", Arity: 3, Flags: command.Admin | command.Stale,
			Summary:    "Lists the replicas of a master.",
			Complexity: "O(N) where N is the number of replicas.", Tips: nondeterministic, Usage: "node-id",
			Service: s.service((*Driver).replicas)},
		{Name: "slaves", Since: "3.0.0", Arity: 3, Flags: command.Admin | command.Stale,
			Summary:    "Lists the replicas of a master.",
			Complexity: "O(N) where N is the number of replicas.", Tips: nondeterministic, Usage: "node-id",
			DocFlags: []string{"deprecated"}, Deprecated: "5.0.0", ReplacedBy: "`CLUSTER REPLICAS`",
			Service: s.service((*Driver).replicas)},
		{Name: "count-failure-reports", Since: "3.0.0", Arity: 3, Flags: command.Admin | command.Stale,
			Summary:    "Counts the nodes that report a node as failing.",
			Complexity: "O(N) where N is the number of failure reports", Tips: nondeterministic, Usage: "node-id",
			Service: s.service((*Driver).countFailureReports)},
	}
}

// topologySpecs show the topology to clients.
func (s set) topologySpecs() []*command.Spec {
	return []*command.Spec{
		{Name: "slots", Since: "3.0.0", Arity: 2, Flags: command.Loading | command.Stale,
			Summary:    "Lists ranges of slots with the nodes that serve them.",
			Complexity: "O(N) where N is the total number of Cluster nodes", Tips: nondeterministic,
			History: [][2]string{
				{"4.0.0", "Node ids are part of the reply."},
				{"7.0.0", "What else is known of a node's address is part of the reply."},
			},
			DocFlags: []string{"deprecated"}, Deprecated: "7.0.0", ReplacedBy: "`CLUSTER SHARDS`",
			Service: s.service((*Driver).slots)},
		{Name: "shards", Since: "7.0.0", Arity: 2, Flags: command.Loading | command.Stale,
			Summary:    "Lists the shards with their slots and nodes.",
			Complexity: "O(N) where N is the total number of cluster nodes", Tips: nondeterministic,
			Service: s.service((*Driver).shards)},
		{Name: "links", Since: "7.0.0", Arity: 2, Flags: shows,
			Summary:    "Lists the connections of the bus between this node and the others.",
			Complexity: "O(N) where N is the total number of Cluster nodes", Tips: nondeterministic,
			Service: s.service((*Driver).showLinks)},
	}
}

// historySpecs are for whoever wants to know what happened, and why the cluster is down. Redis has nothing like them.
func (s set) historySpecs() []*command.Spec {
	return []*command.Spec{
		{Name: "events", Arity: -2, Flags: command.Loading | command.Stale,
			Summary:    "Tells what happened to the cluster as this node saw it: suspicions, votes, failovers.",
			Complexity: "O(N) where N is the number of events shown", Tips: nondeterministic,
			Usage:   "[COUNT count:integer] [SINCE unix-time-milliseconds:integer]",
			Service: s.service((*Driver).events)},
		{Name: "explain", Arity: 2, Flags: command.Loading | command.Stale,
			Summary:    "Tells why the cluster is not ok, who could mend it and how, or that it is ok.",
			Complexity: "O(N) where N is the total number of cluster nodes", Tips: nondeterministic,
			Service: s.service((*Driver).explain)},
	}
}

// ownSpecs tell who this node is.
func (s set) ownSpecs() []*command.Spec {
	return []*command.Spec{
		{Name: "myid", Since: "3.0.0", Arity: 2, Flags: shows,
			Summary: "Tells the id of this node.", Complexity: "O(1)",
			Service: s.service((*Driver).myID)},
		{Name: "myshardid", Since: "7.2.0", Arity: 2, Flags: shows,
			Summary: "Tells the id of this node's shard.", Complexity: "O(1)", Tips: nondeterministic,
			Service: s.service((*Driver).myShardID)},
	}
}
