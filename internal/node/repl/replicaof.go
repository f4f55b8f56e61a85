package repl

import (
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// replicaofSpecs are REPLICAOF and its old name. They hold all stripes: role, history
// and what clients are answered change together.
func (r *Repl) replicaofSpecs() []*command.Spec {
	spec := func(name, since string) *command.Spec {
		return &command.Spec{Name: name, Group: "server", Since: since, Arity: 3,
			Summary:    "Makes the server a replica of another, or a master.",
			Complexity: "O(1)",
			Flags:      command.Admin | command.NoScript | command.Stale | command.NoAsyncLoading | command.Whole,
			Usage:      "<<host port:integer>:host-port | <NO:no ONE:one>:no-one>:args",
			Read:       r.replicaof}
	}
	old := spec("slaveof", "1.0.0")
	old.DocFlags, old.Deprecated, old.ReplacedBy = []string{"deprecated"}, "5.0.0", "`REPLICAOF`"
	return []*command.Spec{spec("replicaof", "5.0.0"), old}
}

func (r *Repl) replicaof(c *command.Call, _ *keyspace.ReadTx) {
	host := c.Arg(1)
	s, _ := c.Client.(*session.Session)
	switch {
	case r.opt.Cluster:
		c.Out.Error("ERR REPLICAOF not allowed in cluster mode.")
	case r.failoverState() != noFailover:
		c.Out.Error("ERR REPLICAOF not allowed while failing over.")
	case strings.EqualFold(host, "no") && strings.EqualFold(c.Arg(2), "one"):
		if r.Following() {
			r.promote()
			r.masterChanged("", 0)
			r.opt.Slog.Info("MASTER MODE enabled (user request from '" + r.opt.Clients.Describe(c) + "')")
		}
		c.Out.OK()
	case s != nil && s.Is(session.Replica):
		c.Out.Error("ERR Command is not valid when client is a replica.")
	default:
		r.replicaofMaster(c, host)
	}
}

func (r *Repl) replicaofMaster(c *command.Call, host string) {
	port, ok := resp.ParseInt(c.Args[2])
	if !ok || port < 0 || port > 65535 {
		c.Out.Error("ERR Invalid master port")
		return
	}
	if l, following := r.Link(); following && l.Port == int(port) && strings.EqualFold(l.Host, host) {
		r.opt.Slog.Info("REPLICAOF would result into synchronization with the master we are already connected with. No operation performed.")
		c.Out.SimpleString("OK Already connected to specified master")
		return
	}
	r.follow(host, int(port), nil)
	r.masterChanged(host, int(port))
	r.opt.Slog.Info("REPLICAOF " + host + ":" + c.Arg(2) + " enabled (user request from '" + r.opt.Clients.Describe(c) + "')")
	c.Out.OK()
}

func (r *Repl) masterChanged(host string, port int) {
	if r.opt.MasterChanged != nil {
		r.opt.MasterChanged(host, port)
	}
}

// Specs are the commands of the room.
func (r *Repl) Specs() []*command.Spec { return append(r.masterSpecs(), r.replicaofSpecs()...) }
