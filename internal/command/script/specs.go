package script

import (
	"strings"

	"github.com/skeindb/skein/internal/command"
)

// Specs are EVAL and its like, and SCRIPT.
func (e *Engine) Specs() []*command.Spec {
	return []*command.Spec{
		e.evalSpec("eval", "2.6.0", "Runs a script in Lua.", "script", form{}),
		e.evalSpec("evalsha", "2.6.0", "Runs a script that is in the cache, by the SHA1 of its text.", "sha1", form{bySHA: true}),
		e.evalSpec("eval_ro", "7.0.0", "Runs a script in Lua that must not write.", "script", form{readOnly: true}),
		e.evalSpec("evalsha_ro", "7.0.0", "Runs a script that is in the cache, by the SHA1 of its text, and must not write.", "sha1", form{bySHA: true, readOnly: true}),
		e.scriptSpec(),
	}
}

func (e *Engine) evalSpec(name, since, summary, first string, f form) *command.Spec {
	flags := command.NoScript | command.SkipMonitor | command.NoMandatoryKeys | command.Stale | command.Scripted
	keys := command.KeyRW | command.KeyAccess | command.KeyUpdate
	notes := "What a script does with its keys cannot be told beforehand: it may read and change them."
	if f.readOnly {
		flags |= command.ReadOnly
		keys = command.KeyRO | command.KeyAccess
		notes = "What a script does with its keys cannot be told beforehand: it may read them."
	} else {
		flags |= command.MayReplicate
	}
	if f.bySHA {
		notes = ""
	}
	return &command.Spec{
		Name: name, Group: "scripting", Since: since, Arity: -3, Summary: summary,
		Complexity: "Depends on the script that is executed.",
		Flags:      flags,
		Keys:       []command.KeySpec{{Flags: keys, Notes: notes, Index: 2, NumKeys: true, FirstKey: 1, KeyNumStep: 1}},
		Usage:      first + ":string numkeys:integer [key...] [arg...]",
		FlagsFor:   e.flagsOf(flags, f),
		Wide:       e.wide(f),
		Service:    e.eval(f),
	}
}

func (e *Engine) scriptSpec() *command.Spec {
	return &command.Spec{
		Name: "script", Group: "scripting", Since: "2.6.0", Arity: -2,
		Summary: "Keeps, shows and ends scripts.", Complexity: "Depends on subcommand.",
		Subs: []*command.Spec{
			{Name: "debug", Group: "scripting", Since: "3.2.0", Arity: 3, Flags: command.NoScript,
				Summary: "Would run the scripts of this connection step by step: there is no debugger.", Complexity: "O(1)",
				Usage:   "<YES | SYNC | NO>:mode",
				Service: e.debugCommand},
			{Name: "exists", Group: "scripting", Since: "2.6.0", Arity: -3, Flags: command.NoScript,
				Summary:    "Tells which scripts are in the cache.",
				Complexity: "O(N) with N being the number of scripts to check (so checking a single script is an O(1) operation).",
				Tips:       []string{"request_policy:all_shards", "response_policy:agg_logical_and"},
				Usage:      "sha1...",
				Service:    e.existsCommand},
			{Name: "flush", Group: "scripting", Since: "2.6.0", Arity: -2, Flags: command.NoScript,
				Summary:    "Forgets all scripts.",
				Complexity: "O(N) with N being the number of scripts in cache",
				Tips:       []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
				History:    [][2]string{{"6.2.0", "Takes ASYNC and SYNC."}},
				Usage:      "[ASYNC | SYNC]:flush-type@6.2.0",
				Service:    e.flushCommand},
			{Name: "kill", Group: "scripting", Since: "2.6.0", Arity: 2, Flags: command.NoScript | command.AllowBusy,
				Summary:    "Ends a script that runs for too long and has written nothing.",
				Complexity: "O(1)",
				Tips:       []string{"request_policy:all_shards", "response_policy:one_succeeded"},
				Service:    e.killCommand},
			{Name: "load", Group: "scripting", Since: "2.6.0", Arity: 3, Flags: command.NoScript | command.Stale,
				Summary:    "Puts a script into the cache.",
				Complexity: "O(N) with N being the length in bytes of the script body.",
				Tips:       []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
				Usage:      "script",
				Service:    e.loadCommand},
		},
	}
}

func (e *Engine) debugCommand(c *command.Call) {
	switch strings.ToLower(c.Arg(2)) {
	case "no":
		c.Out.OK()
	case "yes", "sync":
		c.Out.Error("ERR there is no debugger of scripts here")
	default:
		c.Out.Error("ERR Use SCRIPT DEBUG YES/SYNC/NO")
	}
}

func (e *Engine) existsCommand(c *command.Call) {
	c.Out.Array(len(c.Args) - 2)
	for _, digest := range c.Args[2:] {
		if e.Find(digest) != nil {
			c.Out.Int(1)
		} else {
			c.Out.Int(0)
		}
	}
}

func (e *Engine) flushCommand(c *command.Call) {
	if len(c.Args) > 2 {
		mode := strings.ToLower(c.Arg(2))
		if len(c.Args) > 3 || mode != "sync" && mode != "async" {
			c.Out.Error("ERR SCRIPT FLUSH only support SYNC|ASYNC option")
			return
		}
	}
	e.flush()
	c.Out.OK()
}

func (e *Engine) killCommand(c *command.Call) {
	if err := e.opt.Host.Kill(true); err != nil {
		c.Fail(err)
		return
	}
	c.Out.OK()
}

func (e *Engine) loadCommand(c *command.Call) {
	s, err := e.Load(c.Args[2])
	if err != nil {
		c.Fail(err)
		return
	}
	c.Out.BulkString(s.Digest)
}
