package script

import "github.com/skeindb/skein/internal/command"

// Specs are FCALL, FCALL_RO and FUNCTION.
func (f *Functions) Specs() []*command.Spec {
	return []*command.Spec{
		f.callSpec("fcall", "Calls a function of a library.", false),
		f.callSpec("fcall_ro", "Calls a function of a library that does not write.", true),
		{Name: "function", Group: "scripting", Since: "7.0.0", Arity: -2,
			Summary: "Loads, lists and removes libraries of functions.", Complexity: "Depends on subcommand.",
			Subs: append(f.changeSpecs(), f.watchSpecs()...)},
	}
}

func (f *Functions) callSpec(name, summary string, readOnly bool) *command.Spec {
	flags := command.NoScript | command.SkipMonitor | command.NoMandatoryKeys | command.Stale | command.Scripted
	keys := command.KeyRW | command.KeyAccess | command.KeyUpdate
	notes := "What a function does with its keys cannot be told beforehand: it may read and change them."
	if readOnly {
		flags |= command.ReadOnly
		keys = command.KeyRO | command.KeyAccess
		notes = "What a function does with its keys cannot be told beforehand: it may read them."
	} else {
		flags |= command.MayReplicate
	}
	return &command.Spec{
		Name: name, Group: "scripting", Since: "7.0.0", Arity: -3, Summary: summary,
		Complexity: "Depends on the function that is executed.",
		Flags:      flags,
		Keys:       []command.KeySpec{{Flags: keys, Notes: notes, Index: 2, NumKeys: true, FirstKey: 1, KeyNumStep: 1}},
		Usage:      "function:string numkeys:integer [key...] [arg...]",
		FlagsFor: func(argv [][]byte) command.Flags {
			if fn := f.now.Load().find(argv[1]); fn != nil {
				return fn.Flags.CommandFlags(flags)
			}
			return flags
		},
		Wide:    f.wide,
		Service: func(c *command.Call) { f.call(c, readOnly) },
	}
}

var toAllShards = []string{"request_policy:all_shards", "response_policy:all_succeeded"}

// changeSpecs are the subcommands that change the libraries. They hold all stripes, so that saving and full
// syncs see one state.
func (f *Functions) changeSpecs() []*command.Spec {
	const writes = command.NoScript | command.Write | command.Whole
	return []*command.Spec{
		{Name: "load", Group: "scripting", Since: "7.0.0", Arity: -3, Flags: writes | command.DenyOOM,
			Summary:    "Makes a library of a source.",
			Complexity: "O(1) (considering compilation time is redundant)",
			Tips:       toAllShards,
			Usage:      "[REPLACE] function-code",
			Write:      f.load},
		{Name: "delete", Group: "scripting", Since: "7.0.0", Arity: 3, Flags: writes,
			Summary:    "Removes a library with its functions.",
			Complexity: "O(1)",
			Tips:       toAllShards,
			Usage:      "library-name",
			Write:      f.delete},
		{Name: "flush", Group: "scripting", Since: "7.0.0", Arity: -2, Flags: writes,
			Summary:    "Removes all libraries.",
			Complexity: "O(N) where N is the number of functions deleted",
			Tips:       toAllShards,
			Usage:      "[ASYNC | SYNC]:flush-type",
			Write:      f.flush},
		{Name: "restore", Group: "scripting", Since: "7.0.0", Arity: -3, Flags: writes | command.DenyOOM,
			Summary:    "Makes libraries of what FUNCTION DUMP has given.",
			Complexity: "O(N) where N is the number of functions on the payload",
			Tips:       toAllShards,
			Usage:      "serialized-value [FLUSH | APPEND | REPLACE]:policy",
			Write:      f.restore},
	}
}

func (f *Functions) watchSpecs() []*command.Spec {
	return []*command.Spec{
		{Name: "dump", Group: "scripting", Since: "7.0.0", Arity: 2, Flags: command.NoScript,
			Summary:    "Gives all libraries in a form that FUNCTION RESTORE takes.",
			Complexity: "O(N) where N is the number of functions",
			Service:    f.dump},
		{Name: "kill", Group: "scripting", Since: "7.0.0", Arity: 2, Flags: command.NoScript | command.AllowBusy,
			Summary:    "Ends a function that runs for too long and has written nothing.",
			Complexity: "O(1)",
			Tips:       []string{"request_policy:all_shards", "response_policy:one_succeeded"},
			Service:    f.kill},
		{Name: "list", Group: "scripting", Since: "7.0.0", Arity: -2, Flags: command.NoScript,
			Summary:    "Lists the libraries and their functions.",
			Complexity: "O(N) where N is the number of functions",
			Tips:       []string{"nondeterministic_output_order"},
			Usage:      "[LIBRARYNAME library-name-pattern] [WITHCODE]",
			Service:    f.list},
		{Name: "stats", Group: "scripting", Since: "7.0.0", Arity: 2, Flags: command.NoScript | command.AllowBusy,
			Summary:    "Tells of the function that runs, and counts libraries and functions.",
			Complexity: "O(1)",
			Tips:       []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"},
			Service:    f.stats},
	}
}
