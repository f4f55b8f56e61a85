package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/fatih/color"

	"github.com/skeindb/skein/internal/command"
)

// paint is a colour for text on the terminal, if out is one and the user has
// nothing against it.
func (c *client) paint(attributes ...color.Attribute) func(...any) string {
	p := color.New(attributes...)
	if c.terminal && os.Getenv("NO_COLOR") == "" {
		p.EnableColor()
	} else {
		p.DisableColor()
	}
	return p.SprintFunc()
}

// help answers HELP: about commands whose names begin with topic, or about all
// of a "@group".
func (c *client) help(topic [][]byte) {
	if len(topic) == 0 {
		fmt.Fprintln(c.out, "skein cli", version())
		fmt.Fprint(c.out, `To get help about commands type:
      "help @<group>" to get a list of commands in <group>
      "help <command>" for help on <command>
      "help <tab>" to get a list of possible help topics
      "quit" to exit

To set preferences:
      ":set hints" enable online hints
      ":set nohints" disable online hints
`)
		return
	}
	if c.link == nil && c.connect() != nil {
		fmt.Fprintln(c.errs, "No help without a server: it is the server that knows its commands.")
		return
	}
	c.loadDocs()
	words := make([]string, len(topic))
	for i := range topic {
		words[i] = string(topic[i])
	}
	name := strings.Join(words, " ")
	group, isGroup := strings.CutPrefix(name, "@")
	if c.docs != nil {
		for _, e := range c.docs.entries {
			if isGroup && strings.EqualFold(group, e.group) || !isGroup && e.isAbout(name) {
				c.describe(e, !isGroup)
			}
		}
	}
	fmt.Fprintln(c.out)
}

// isAbout tells whether name is the entry's name or its first word.
func (e *entry) isAbout(name string) bool {
	rest, ok := cutFold(e.name, name)
	return ok && (rest == "" || rest[0] == ' ')
}

func (c *client) describe(e *entry, group bool) {
	bold, grey, label := c.paint(color.Bold), c.paint(color.FgHiBlack), c.paint(color.FgYellow)
	fmt.Fprintf(c.out, "\n  %s %s\n", bold(e.name), grey(command.Syntax(e.args)))
	fmt.Fprintf(c.out, "  %s %s\n", label("summary:"), e.summary)
	if e.since != "" {
		fmt.Fprintf(c.out, "  %s %s\n", label("since:"), e.since)
	}
	if group {
		fmt.Fprintf(c.out, "  %s %s\n", label("group:"), e.group)
	}
}
