package exec

import (
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/command/script"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// Why a command of a script, or a script, is refused: redis's words.
const (
	errUnknownInScript = "Unknown Redis command called from script"
	errArityInScript   = "Wrong number of args calling Redis command from script"
	errNotInScript     = "This Redis command is not allowed from script"
	errStaleInScript   = "Can not execute the command on a stale replica"
	errWriteInScript   = "Write commands are not allowed from read-only scripts."
	errNotLocal        = "Script attempted to access a non local key in a cluster node"
	errDownInScript    = "Script attempted to execute a command while the cluster is down"
	errDownReadOnly    = "Script attempted to execute a write command while the cluster is down and readonly"
	errOtherSlot       = "Script attempted to access keys that do not hash to the same slot"

	errNoCluster   = "ERR Can not run script on cluster, 'no-cluster' flag is set."
	errStaleScript = "MASTERDOWN Link with MASTER is down, replica-serve-stale-data is set to 'no' and 'allow-stale' flag is not set on the script."
	errScriptWrite = "READONLY Can not run script with write flag on readonly replica"
	errScriptDisk  = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. " +
		"Writable scripts are blocked. Use 'no-writes' flag for read only scripts."
	errScriptRO  = "ERR Can not execute a script with write flag using *_ro command."
	errScriptOOM = "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'"
)

// refusedScript is why the script may not run at all, or "".
func (e *Engine) refusedScript(s *session.Session, j *script.Job) string {
	g, f := e.Gates, j.Flags
	obeys := s.Is(session.Master)
	if f.Any(script.Compat) {
		if g.MasterDown.Load() {
			return errMasterDown
		}
		return ""
	}
	writes := !f.Any(script.NoWrites)
	switch {
	case f.Any(script.NoCluster) && e.view() != nil:
		return errNoCluster
	case g.MasterDown.Load() && !f.Any(script.AllowStale):
		return errStaleScript
	case writes && g.ReadOnly.Load() && !obeys:
		return errScriptWrite
	case writes && g.MisConf.Load() != nil && !obeys:
		return errScriptDisk
	case writes && j.ReadOnly:
		return errScriptRO
	case writes && (g.FewReplicas.Load() || g.Sync.Load() == SyncFew):
		return errNoReplicas
	case writes && !f.Any(script.AllowOOM) && !obeys && e.overFull(s):
		return errScriptOOM
	}
	return ""
}

// Call implements script.Door.
func (r *runner) Call(argv [][]byte, out *resp.Writer) (refused string) {
	r.pace()
	if r.long {
		r.e.Keyspace.Acquire(&r.hold, nil)
	}
	defer func() { // what may have begun to be held in between
		if r.long {
			r.e.Keyspace.Release(&r.hold)
		}
	}()
	spec, err := r.e.Table.Resolve(argv)
	if refused = r.refuses(spec, err, argv); refused != "" {
		code := "ERR"
		if text, hasCode := strings.CutPrefix(refused, "-"); hasCode {
			code = r.turn.code([]byte(text))
		}
		r.turn.records = append(r.turn.records, session.Record{Spec: spec, Outcome: session.Rejected, Error: code})
		return refused
	}
	r.call(spec, argv, out)
	return ""
}

// refuses is why the command is not run, or "", in redis's order.
func (r *runner) refuses(spec *command.Spec, err error, argv [][]byte) string {
	g := r.e.Gates
	switch {
	case spec == nil:
		return errUnknownInScript
	case err != nil:
		return errArityInScript
	case spec.Is(command.NoScript) && !r.e.scripts.anyway.Load(), spec.Is(command.Scripted):
		return errNotInScript
	case g.MasterDown.Load() && !spec.Is(command.Stale):
		return errStaleInScript
	}
	if u := r.e.user(r.self); u != nil && u.Restricted() {
		if d := u.Check(spec, argv); d.Reason != acl.Allowed {
			r.denied(u, d, spec, argv)
			return "ACL failure in script: " + d.Error(u, spec)
		}
	}
	if text := r.refusesWrite(spec); text != "" {
		return text
	}
	if r.oom && spec.Is(command.DenyOOM) && !r.wrote.Load() && !r.self.Is(session.Master) && !r.allows(script.AllowOOM) {
		return "-" + errOOM
	}
	if text := r.reach(spec, argv); text != "" {
		return text
	}
	if spec.Is(command.Write) {
		r.wrote.Store(true)
	}
	return ""
}

// denied tells of a command that the caller's user may not run.
func (r *runner) denied(u *acl.User, d acl.Denial, spec *command.Spec, argv [][]byte) {
	if r.e.Denied != nil {
		r.e.Denied(&command.Call{Spec: spec, Args: argv, Now: r.turn.NowMs, DB: r.self.DB(), Client: r.caller}, u, d, acl.Script)
	}
}

// allows tells whether the script has said so itself.
func (r *runner) allows(f script.Flags) bool {
	return !r.job.Flags.Any(script.Compat) && r.job.Flags.Any(f)
}

func (r *runner) refusesWrite(spec *command.Spec) string {
	g := r.e.Gates
	if (r.job.ReadOnly || r.allows(script.NoWrites)) && spec.Any(command.Write|command.MayReplicate) {
		return errWriteInScript
	}
	if !spec.Is(command.Write) {
		return ""
	}
	switch {
	case r.orphan.Load():
		return "-" + errReadOnly
	case r.wrote.Load(): // it is too late for anything that may come and go
	case g.ReadOnly.Load() && !r.self.Is(session.Master):
		return "-" + errReadOnly
	case g.MisConf.Load() != nil:
		return "-" + *g.MisConf.Load()
	case g.FewReplicas.Load() || g.Sync.Load() == SyncFew:
		return "-" + errNoReplicas
	}
	return ""
}

// reach sees to it that the keys of the command are served here, and its stripes held.
func (r *runner) reach(spec *command.Spec, argv [][]byte) string {
	t := &r.turn
	v := r.e.view()
	if v == nil {
		return r.covers(spec, argv)
	}
	if r.self.Is(session.Master) {
		return ""
	}
	keys := r.e.appendRouted(t, nil, spec, argv)
	if len(keys) > 0 {
		at := slot.Of(keys[0])
		if text := r.route(v, spec, argv, keys, at); text != "" {
			return text
		}
		if r.slot < 0 {
			r.slot = int(at)
		} else if r.slot != int(at) && !r.job.Flags.Any(script.Compat|script.AllowCrossSlot) {
			return errOtherSlot
		}
	}
	return r.covers(spec, argv)
}

func (r *runner) route(v *topology.View, spec *command.Spec, argv, keys [][]byte, at uint16) string {
	if v.Serves(at) && len(keys) == 1 {
		return ""
	}
	q := topology.Request{Slot: at, Write: spec.Is(command.Write),
		Asking:   r.self.Is(session.Asking) || spec.Is(command.Asking),
		ReadOnly: r.self.Is(session.Readonly), ShardPubSub: spec.Is(command.PubSub), Migrate: spec.FullName() == "migrate"}
	for _, k := range keys[1:] {
		q.CrossSlot = q.CrossSlot || slot.Of(k) != at
	}
	q.Keys = func() topology.KeyFacts { return r.e.facts(r.self, r.turn.NowMs, keys) }
	switch v.Route(&q).Verdict {
	case topology.Serve:
		return ""
	case topology.Down:
		return errDownInScript
	case topology.DownReadOnly:
		return errDownReadOnly
	}
	return errNotLocal
}

// covers sees to it that the stripes of the command are held. A script that wants more
// than it has declared is run again with all stripes, if it has written nothing yet and
// its loop still waits; otherwise it gets them now, unless they are another one's.
func (r *runner) covers(spec *command.Spec, argv [][]byte) string {
	if r.hold.All() {
		return ""
	}
	all := spec.Everywhere(argv) || spec.Service != nil && spec.Any(command.Admin|command.Write)
	if !all {
		pos, err := command.AppendKeys(r.turn.pos[:0], spec, argv)
		if err != nil {
			return "" // the handler answers what is wrong with its arguments
		}
		r.turn.pos = pos
		for _, p := range pos {
			all = all || !r.hold.Names(slot.Of(argv[p.Index]))
		}
		if !all {
			return ""
		}
	}
	r.job.Widen()
	if r.inside {
		return errOtherSlot
	}
	if !r.wrote.Load() && !r.long && !r.step {
		r.again = true
		return errOtherSlot
	}
	return r.grow()
}

// grow makes r the owner of all stripes.
func (r *runner) grow() string {
	ks := r.e.Keyspace
	if r.long {
		ks.Release(&r.hold)
	} else {
		r.part()
	}
	var all keyspace.Hold
	all.Reset(ks)
	all.AddAll()
	all.As(r.owner)
	if !ks.Acquire(&all, nil) {
		ks.Acquire(&r.hold, nil)
		return errOtherSlot
	}
	ks.Claim(&all, r.owner) // besides its slots
	r.hold.Set(&all)
	return ""
}

// call runs the command.
func (r *runner) call(spec *command.Spec, argv [][]byte, out *resp.Writer) {
	e, t, c, tx := r.e, &r.turn, &r.self.Call, &r.caller.Tx
	t.began = e.Nanos()
	began, mark := t.began, len(out.Buf)
	c.Spec, c.Args, c.Out, c.Now, c.DB = spec, argv, out, t.NowMs, r.self.DB()
	tx.SelectDB(c.DB)
	switch {
	case spec.Read != nil:
		spec.Read(c, &tx.ReadTx)
		tx.EndCommand(nil)
	case spec.Write != nil:
		spec.Write(c, tx)
		tx.EndCommand(argv)
	default:
		spec.Service(c)
	}
	if r.self.Is(session.Tracking) {
		e.remember(t, r.caller, r.self.Flags, spec, argv)
	}
	t.began = e.Nanos()
	e.note(t, r.self, spec, argv, out.Buf[mark:], t.began-began)
	e.show(r.self, spec, argv)
	tx.SelectDB(r.caller.DB())
}
