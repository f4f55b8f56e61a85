package repl

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
)

// masterSpecs declares the commands of the master's side.
func (r *Repl) masterSpecs() []*command.Spec {
	const inner = command.Admin | command.NoScript | command.NoMulti
	return []*command.Spec{
		{Name: "sync", Group: "server", Since: "1.0.0", Arity: 1,
			Summary: "Sends the data set and then the replication stream.",
			Flags:   inner | command.NoAsyncLoading, Service: on(r.syncCommand)},
		{Name: "psync", Group: "server", Since: "2.8.0", Arity: -3,
			Summary: "Sends the replication stream from an offset on, if need be with the data set before it.",
			Flags:   inner | command.NoAsyncLoading | command.Whole, Usage: "replicationid offset:integer", Service: on(r.psyncCommand)},
		{Name: "replconf", Group: "server", Since: "3.0.0", Arity: -1,
			Summary: "Tells the master about the replica, and what it has applied.", Complexity: "O(1)",
			Flags:    command.Admin | command.NoScript | command.Loading | command.Stale | command.AllowBusy,
			DocFlags: []string{"syscmd"}, Service: on(r.replconfCommand)},
		{Name: "role", Group: "server", Since: "2.8.12", Arity: 1,
			Summary: "Tells whether the node is a master or a replica, and how it is connected.", Complexity: "O(1)",
			Flags:      command.NoScript | command.Loading | command.Stale | command.Fast,
			Categories: []string{"admin", "dangerous"}, Service: r.roleCommand},
		{Name: "wait", Group: "generic", Since: "3.0.0", Arity: 3,
			Summary: "Waits until replicas have acknowledged the writes made so far.", Complexity: "O(1)", Categories: []string{"connection"},
			Tips:  []string{"request_policy:all_shards", "response_policy:agg_min"},
			Usage: "numreplicas:integer timeout:integer", Service: r.waitCommand},
		{Name: "failover", Group: "server", Since: "6.2.0", Arity: -1,
			Summary: "Makes a replica the master, without losing a write.", Complexity: "O(1)",
			Flags: command.Admin | command.NoScript | command.Stale | command.Whole,
			Usage: "[TO <host port:integer [FORCE]>:target] [ABORT] [TIMEOUT milliseconds:integer]", Service: r.failoverCommand},
	}
}

// on makes a handler of one that needs the caller's session, which scripts are kept from.
func on(f func(c *command.Call, s *session.Session)) func(*command.Call) {
	return func(c *command.Call) {
		s, ok := c.Client.(*session.Session)
		if !ok {
			c.Out.Error("ERR This command needs a connection")
			return
		}
		f(c, s)
	}
}
