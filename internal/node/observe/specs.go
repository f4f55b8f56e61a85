package observe

import "github.com/skeindb/skein/internal/command"

const (
	forAdmins = command.Admin | command.Loading | command.Stale
	noScript  = forAdmins | command.NoScript
)

var special = []string{"nondeterministic_output", "request_policy:all_nodes", "response_policy:special"}

// Specs are SLOWLOG and LATENCY.
func (o *Observer) Specs() []*command.Spec {
	return []*command.Spec{
		{Name: "slowlog", Group: "server", Since: "2.2.12", Arity: -2,
			Summary:    "Shows the commands that took long.",
			Complexity: "Depends on subcommand.",
			Subs:       o.slowlogSpecs()},
		{Name: "latency", Group: "server", Since: "2.8.13", Arity: -2,
			Summary:    "Tells what took long, and how long commands take.",
			Complexity: "Depends on subcommand.",
			Subs:       append(o.eventSpecs(), o.reportSpecs()...)},
	}
}

func (o *Observer) slowlogSpecs() []*command.Spec {
	return []*command.Spec{
		{Name: "get", Group: "server", Since: "2.2.12", Arity: -2,
			Summary:    "Lists the latest slow commands: 10, as many as given, or all with -1.",
			Complexity: "O(N) where N is the number of entries returned",
			Flags:      forAdmins, Usage: "[count:integer]",
			Tips:    []string{"request_policy:all_nodes", "nondeterministic_output"},
			History: [][2]string{{"4.0.0", "Entries tell the client's address and name."}},
			Service: o.slowlogGet},
		{Name: "len", Group: "server", Since: "2.2.12", Arity: 2,
			Summary:    "Counts the slow commands that are remembered.",
			Complexity: "O(1)", Flags: forAdmins,
			Tips:    []string{"request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"},
			Service: o.slowlogLen},
		{Name: "reset", Group: "server", Since: "2.2.12", Arity: 2,
			Summary:    "Forgets the slow commands.",
			Complexity: "O(N) where N is the number of entries in the slowlog", Flags: forAdmins,
			Tips:    []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
			Service: o.slowlogReset},
		{Name: "help", Group: "server", Since: "6.2.0", Arity: 2,
			Summary:    "Lists the subcommands.",
			Complexity: "O(1)",
			Flags:      command.Loading | command.Stale},
	}
}

// eventSpecs are the subcommands about single events.
func (o *Observer) eventSpecs() []*command.Spec {
	return []*command.Spec{
		{Name: "latest", Group: "server", Since: "2.8.13", Arity: 2,
			Summary:    "Lists of each event the latest and the worst time it took.",
			Complexity: "O(1)", Flags: noScript, Tips: special,
			Service: o.latest},
		{Name: "history", Group: "server", Since: "2.8.13", Arity: 3,
			Summary:    "Lists when an event took how long.",
			Complexity: "O(1)", Flags: noScript, Tips: special, Usage: "event",
			Service: o.history},
		{Name: "graph", Group: "server", Since: "2.8.13", Arity: 3,
			Summary:    "Draws how long an event took.",
			Complexity: "O(1)", Flags: noScript, Tips: special, Usage: "event",
			Service: o.graph},
		{Name: "reset", Group: "server", Since: "2.8.13", Arity: -2,
			Summary:    "Forgets events, those given or all, and counts them.",
			Complexity: "O(1)", Flags: noScript, Usage: "[event...]",
			Tips:    []string{"request_policy:all_nodes", "response_policy:agg_sum"},
			Service: o.resetEvents},
	}
}

// reportSpecs are the subcommands that sum up.
func (o *Observer) reportSpecs() []*command.Spec {
	return []*command.Spec{
		{Name: "doctor", Group: "server", Since: "2.8.13", Arity: 2,
			Summary:    "Reports what took long and what may help.",
			Complexity: "O(1)", Flags: noScript, Tips: special,
			Service: o.doctor},
		{Name: "histogram", Group: "server", Since: "7.0.0", Arity: -2,
			Summary:    "Shows how many calls of commands took how long at most.",
			Complexity: "O(N) where N is the number of commands with latency information being retrieved.",
			Flags:      noScript, Tips: special, Usage: "[command...]",
			Service: o.histograms},
		{Name: "help", Group: "server", Since: "2.8.13", Arity: 2,
			Summary:    "Lists the subcommands.",
			Complexity: "O(1)",
			Flags:      command.Loading | command.Stale},
	}
}
