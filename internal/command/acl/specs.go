package acl

import "github.com/skeindb/skein/internal/command"

const (
	anytime = command.Loading | command.Stale
	open    = anytime | command.NoScript
	private = open | command.Admin
)

// Specs is ACL and its subcommands.
func (a *Accounts) Specs() []*command.Spec {
	return []*command.Spec{{Name: "acl", Group: "server", Since: "6.0.0", Arity: -2,
		Summary:    "Shows and changes users and what they may do.",
		Complexity: "Depends on subcommand.",
		Subs:       append(a.userSpecs(), a.otherSpecs()...)}}
}

// userSpecs are the subcommands about users.
func (a *Accounts) userSpecs() []*command.Spec {
	everyNode := []string{"request_policy:all_nodes", "response_policy:all_succeeded"}
	return []*command.Spec{
		{Name: "setuser", Group: "server", Since: "6.0.0", Arity: -3,
			Summary:    "Makes a user, or changes it, by rules.",
			Complexity: "O(N). Where N is the number of rules provided.",
			Flags:      private, Tips: everyNode, Usage: "username [rule...]",
			History: [][2]string{{"6.2.0", "Rules about channels."}, {"7.0.0", "Selectors, and keys to read or write only."}},
			Hide:    hideRules, Service: a.setUser},
		{Name: "deluser", Group: "server", Since: "6.0.0", Arity: -3,
			Summary:    "Removes users and closes their connections.",
			Complexity: "O(1) amortized time considering the typical user.",
			Flags:      private, Tips: everyNode, Usage: "username...",
			Service: a.delUser},
		{Name: "getuser", Group: "server", Since: "6.0.0", Arity: 3,
			Summary:    "Tells the rules of a user.",
			Complexity: "O(N). Where N is the number of password, command and pattern rules that the user has.",
			Flags:      private, Usage: "username",
			History: [][2]string{{"6.2.0", "Patterns of channels."}, {"7.0.0", "Selectors; keys and channels are told as rules, not as lists."}},
			Service: a.getUser},
		{Name: "list", Group: "server", Since: "6.0.0", Arity: 2,
			Summary:    "Lists all users with their rules, as lines of an aclfile.",
			Complexity: "O(N). Where N is the number of configured users.",
			Flags:      private, Service: a.list},
		{Name: "users", Group: "server", Since: "6.0.0", Arity: 2,
			Summary:    "Lists the names of all users.",
			Complexity: "O(N). Where N is the number of configured users.",
			Flags:      private, Service: a.names},
		{Name: "load", Group: "server", Since: "6.0.0", Arity: 2,
			Summary:    "Reads the aclfile again; its users replace all others.",
			Complexity: "O(N). Where N is the number of configured users.",
			Flags:      private, Service: a.loadCommand},
		{Name: "save", Group: "server", Since: "6.0.0", Arity: 2,
			Summary:    "Writes all users into the aclfile.",
			Complexity: "O(N). Where N is the number of configured users.",
			Flags:      private, Tips: everyNode, Service: a.saveCommand},
		{Name: "dryrun", Group: "server", Since: "7.0.0", Arity: -4,
			Summary:    "Tells whether a user might run a command, and does not run it.",
			Complexity: "O(1).",
			Flags:      private, Usage: "username command [arg...]",
			Service: a.dryRun},
		{Name: "whoami", Group: "server", Since: "6.0.0", Arity: 2,
			Summary:    "Tells which user the connection is.",
			Complexity: "O(1)",
			Flags:      open, Service: whoAmI},
	}
}

// otherSpecs are the subcommands that are not about one user.
func (a *Accounts) otherSpecs() []*command.Spec {
	return []*command.Spec{
		{Name: "cat", Group: "server", Since: "6.0.0", Arity: -2,
			Summary:    "Lists the categories of commands, or the commands of one.",
			Complexity: "O(1) since the categories and commands are a fixed set.",
			Flags:      open, Usage: "[category]",
			Service: a.categories},
		{Name: "genpass", Group: "server", Since: "6.0.0", Arity: -2,
			Summary:    "Makes a password nobody can guess.",
			Complexity: "O(1)",
			Flags:      open, Usage: "[bits:integer]",
			Service: genPass},
		{Name: "log", Group: "server", Since: "6.0.0", Arity: -2,
			Summary:    "Shows what was refused lately, or forgets it.",
			Complexity: "O(N) with N being the number of entries shown.",
			Flags:      private, Usage: "[count:integer | RESET]:operation",
			History: [][2]string{{"7.2.0", "Entries have a number and the times of the first and the last event."}},
			Service: a.logCommand},
		{Name: "help", Group: "server", Since: "6.0.0", Arity: 2,
			Summary:    "Lists the subcommands and what they do.",
			Complexity: "O(1)", Flags: anytime},
	}
}

// hideRules keeps names and rules, in which there are passwords, out of MONITOR and SLOWLOG.
func hideRules(argv [][]byte, hide func(i int)) {
	for i := 2; i < len(argv); i++ {
		hide(i)
	}
}
