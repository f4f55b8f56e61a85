package admin

import "github.com/skeindb/skein/internal/command"

const (
	anytime = command.Loading | command.Stale
	private = anytime | command.Admin | command.NoScript
	modular = command.NoAsyncLoading | command.Admin | command.NoScript | command.Protected
)

var (
	everyNode  = []string{"request_policy:all_nodes", "response_policy:all_succeeded"}
	everyShard = []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"}
)

// Specs are the commands of this package.
func (a *Admin) Specs() []*command.Spec {
	return []*command.Spec{
		{Name: "info", Group: "server", Since: "1.0.0", Arity: -1,
			Summary:    "Tells facts and figures about the server.",
			Complexity: "O(1)",
			Flags:      anytime, Categories: []string{"dangerous"}, Tips: everyShard,
			Usage:   "[section...]",
			History: [][2]string{{"7.0.0", "Several sections may be asked for at once."}},
			Service: a.infoCommand},
		{Name: "config", Group: "server", Since: "2.0.0", Arity: -2,
			Summary:    "Shows and changes the configuration.",
			Complexity: "Depends on subcommand.",
			Subs:       a.configSpecs()},
		{Name: "time", Group: "server", Since: "2.6.0", Arity: 1,
			Summary:    "Tells the server's time.",
			Complexity: "O(1)",
			Flags:      anytime | command.Fast, Tips: []string{"nondeterministic_output"},
			Service: timeCommand},
		{Name: "lolwut", Group: "server", Since: "5.0.0", Arity: -1,
			Summary: "Draws a picture and tells the version.",
			Flags:   command.ReadOnly | command.Fast,
			Usage:   "[VERSION version:integer]",
			Service: lolwut},
		{Name: "shutdown", Group: "server", Since: "1.0.0", Arity: -1,
			Summary:    "Ends the server.",
			Complexity: "O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)",
			Flags:      private | command.NoMulti | command.AllowBusy,
			Usage:      "[NOSAVE | SAVE]:save-selector [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]",
			History:    [][2]string{{"7.0.0", "NOW, FORCE and ABORT; it waits for replicas that lag behind."}},
			Service:    a.shutdown},
		{Name: "debug", Group: "server", Since: "1.0.0", Arity: -2,
			Summary:    "Serves tests and the search for faults.",
			Complexity: "Depends on subcommand.",
			Flags:      private | command.Protected | command.Whole,
			DocFlags:   []string{"syscmd"},
			Write:      a.debugCommand},
		{Name: "memory", Group: "server", Since: "4.0.0", Arity: -2,
			Summary:    "Tells about the use of memory.",
			Complexity: "Depends on subcommand.",
			Subs:       a.memorySpecs()},
		{Name: "module", Group: "server", Since: "4.0.0", Arity: -2,
			Summary:    "Speaks of modules, which Skein does not have.",
			Complexity: "Depends on subcommand.",
			Subs:       a.moduleSpecs()},
	}
}

func (a *Admin) configSpecs() []*command.Spec {
	return []*command.Spec{
		{Name: "get", Group: "server", Since: "2.0.0", Arity: -3,
			Summary:    "Tells the values of directives, given by name or pattern.",
			Complexity: "O(N) when N is the number of configuration parameters provided",
			Flags:      private, Usage: "parameter...",
			History: [][2]string{{"7.0.0", "Several names or patterns may be given."}},
			Service: a.configGet},
		{Name: "set", Group: "server", Since: "2.0.0", Arity: -4,
			Summary:    "Changes directives: all that are given, or none.",
			Complexity: "O(N) when N is the number of configuration parameters provided",
			Flags:      private | command.Whole, // routing, pausing and limits change between commands, not within one
			Tips:       everyNode, Usage: "<parameter value>:data...",
			History: [][2]string{{"7.0.0", "Several directives may be changed in one step."}},
			Hide:    hideSecrets, Service: a.configSet},
		{Name: "rewrite", Group: "server", Since: "2.8.0", Arity: 2,
			Summary:    "Writes the values in force into the configuration file.",
			Complexity: "O(1)",
			Flags:      private, Tips: everyNode,
			Service: a.configRewrite},
		{Name: "resetstat", Group: "server", Since: "2.0.0", Arity: 2,
			Summary:    "Sets the counters of INFO to zero.",
			Complexity: "O(1)",
			Flags:      private, Tips: everyNode,
			Service: a.configResetStat},
		{Name: "help", Group: "server", Since: "5.0.0", Arity: 2,
			Summary:    "Lists the subcommands and what they do.",
			Complexity: "O(1)", Flags: anytime},
	}
}

func (a *Admin) memorySpecs() []*command.Spec {
	return []*command.Spec{
		{Name: "doctor", Group: "server", Since: "4.0.0", Arity: 2,
			Summary:    "Names what looks wrong.",
			Complexity: "O(1)", Tips: everyShard,
			Service: a.memoryDoctor},
		{Name: "malloc-stats", Group: "server", Since: "4.0.0", Arity: 2,
			Summary:    "Tells the figures of the allocators.",
			Complexity: "Depends on how much memory is allocated, could be slow", Tips: everyShard,
			Service: a.mallocStats},
		{Name: "purge", Group: "server", Since: "4.0.0", Arity: 2,
			Summary:    "Gives free memory back to the system.",
			Complexity: "Depends on how much memory is allocated, could be slow",
			Tips:       []string{"request_policy:all_shards", "response_policy:all_succeeded"},
			Service:    memoryPurge},
		{Name: "stats", Group: "server", Since: "4.0.0", Arity: 2,
			Summary:    "Tells what takes how much memory.",
			Complexity: "O(1)", Tips: everyShard,
			Service: a.memoryStats},
		{Name: "usage", Group: "server", Since: "4.0.0", Arity: -3,
			Summary:    "Tells how many bytes a key and its value take.",
			Complexity: "O(N) where N is the number of samples.",
			Flags:      command.ReadOnly, Keys: []command.KeySpec{{Flags: command.KeyRO, Index: 2}},
			Usage: "key [SAMPLES count:integer]",
			Read:  memoryUsage},
		{Name: "help", Group: "server", Since: "4.0.0", Arity: 2,
			Summary:    "Lists the subcommands and what they do.",
			Complexity: "O(1)", Flags: anytime},
	}
}

func (a *Admin) moduleSpecs() []*command.Spec {
	return []*command.Spec{
		{Name: "list", Group: "server", Since: "4.0.0", Arity: 2,
			Summary:    "Lists the modules: none.",
			Complexity: "O(N) where N is the number of loaded modules.",
			Flags:      command.Admin | command.NoScript, Tips: []string{"nondeterministic_output_order"},
			Service: func(c *command.Call) { c.Out.EmptyArray() }},
		{Name: "load", Group: "server", Since: "4.0.0", Arity: -3,
			Summary:    "Fails to load a module.",
			Complexity: "O(1)", Flags: modular, Usage: "path [arg...]",
			Service: a.moduleLoad},
		{Name: "loadex", Group: "server", Since: "7.0.0", Arity: -3,
			Summary:    "Fails to load a module with its configuration.",
			Complexity: "O(1)", Flags: modular, Usage: "path [CONFIG <name value>:configs]... [ARGS args...]",
			Service: a.moduleLoad},
		{Name: "unload", Group: "server", Since: "4.0.0", Arity: 3,
			Summary:    "Fails to unload a module.",
			Complexity: "O(1)", Flags: modular, Usage: "name",
			Service: a.moduleUnload},
		{Name: "help", Group: "server", Since: "5.0.0", Arity: 2,
			Summary:    "Lists the subcommands and what they do.",
			Complexity: "O(1)", Flags: anytime},
	}
}
