package command

import "strings"

// helpSpec is the HELP subcommand of a container that declares none.
func (s *Spec) helpSpec() *Spec {
	return &Spec{
		Name: "help", Group: s.Group, Since: s.Since,
		Summary:    "Lists the subcommands and what they do.",
		Complexity: "O(1)",
		Arity:      2, Flags: Loading | Stale,
	}
}

// help answers a container's HELP with what its subcommands declare.
func help(c *Call, container *Spec) {
	lines := container.helpLines()
	c.Out.Array(len(lines) + 1)
	c.Out.SimpleString(strings.ToUpper(string(c.Args[0])) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
	for _, line := range lines {
		c.Out.SimpleString(line)
	}
}

// helpLines are the HELP reply behind its first line: of each subcommand its
// syntax and, indented, its summary; HELP itself comes last.
func (s *Spec) helpLines() []string {
	var lines []string
	add := func(syntax, summary string) {
		lines = append(lines, syntax)
		if summary != "" {
			lines = append(lines, "    "+summary)
		}
	}
	if s.handlers() > 0 {
		add("(no subcommand)", s.Summary)
	}
	for _, sub := range s.Subs {
		if sub.Name != "help" && !sub.Is(Hidden) {
			add(strings.TrimSpace(strings.ToUpper(sub.Name)+" "+helpSyntax(sub.args)), sub.Summary)
		}
	}
	add("HELP", "Print this help.")
	return lines
}
