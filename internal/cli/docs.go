package cli

import (
	"iter"
	"slices"
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// docs is what a server's COMMAND DOCS tells of its commands.
type docs struct {
	entries []*entry // by name
	groups  []string // by name
}

// entry is a command or a subcommand.
type entry struct {
	name    string // "CONFIG GET"
	words   int    // of the name
	args    []command.Arg
	summary string
	since   string
	group   string
}

// loadDocs asks the server for docs if there are none. It does not disturb: a
// server that does not tell is not asked again on this connection.
func (c *client) loadDocs() {
	if c.docs != nil || c.docsFail || c.link == nil || c.multi {
		return
	}
	v, err := c.ask([][]byte{[]byte("COMMAND"), []byte("DOCS")})
	switch {
	case err != nil:
		c.drop()
	case v.IsError():
		c.docsFail = true
	default:
		c.docs = readDocs(&v)
	}
}

// readDocs reads the reply to COMMAND DOCS, a map (in RESP2 an array) of names
// and descriptions. What it does not know it skips.
func readDocs(v *resp.Value) *docs {
	d := &docs{}
	for name, about := range fields(v) {
		d.add(strings.ToUpper(name), 1, about)
	}
	slices.SortFunc(d.entries, func(a, b *entry) int { return strings.Compare(a.name, b.name) })
	slices.Sort(d.groups)
	d.groups = slices.Compact(d.groups)
	return d
}

func (d *docs) add(name string, words int, v *resp.Value) {
	e := &entry{name: name, words: words}
	d.entries = append(d.entries, e)
	for field, about := range fields(v) {
		switch field {
		case "summary":
			e.summary = about.Text()
		case "since":
			e.since = about.Text()
		case "group":
			e.group = about.Text()
			d.groups = append(d.groups, e.group)
		case "arguments":
			e.args = readArgs(about)
		case "subcommands":
			for full, sub := range fields(about) { // "config|get"
				_, second, _ := strings.Cut(full, "|")
				d.add(name+" "+strings.ToUpper(second), words+1, sub)
			}
		}
	}
}

func readArgs(v *resp.Value) []command.Arg {
	args := make([]command.Arg, len(v.Elems))
	for i := range args {
		args[i] = readArg(&v.Elems[i])
	}
	return args
}

func readArg(v *resp.Value) command.Arg {
	var a command.Arg
	for field, about := range fields(v) {
		switch field {
		case "name":
			a.Name = about.Text()
		case "display_text":
			a.Display = about.Text()
		case "token":
			a.Token = orEmptyWord(about.Text())
		case "type":
			a.Type = argType(about.Text())
		case "arguments":
			a.Args = readArgs(about)
		case "flags":
			for i := range about.Elems {
				switch about.Elems[i].Text() {
				case "optional":
					a.Optional = true
				case "multiple":
					a.Multiple = true
				case "multiple_token":
					a.MultipleToken = true
				}
			}
		}
	}
	if a.Display == "" {
		a.Display = orEmptyWord(a.Name)
	}
	return a
}

// emptyWord is how the empty string is typed.
const emptyWord = `""`

// orEmptyWord makes what is to be typed, or stands for it, visible: MIGRATE has
// an argument that may be the empty string.
func orEmptyWord(text string) string {
	if text == "" {
		return emptyWord
	}
	return text
}

func argType(word string) command.ArgType {
	for t := command.TypeString; t <= command.TypeBlock; t++ {
		if t.String() == word {
			return t
		}
	}
	return command.TypeString
}

// fields walks over a map, or a RESP2 array in its place.
func fields(v *resp.Value) iter.Seq2[string, *resp.Value] {
	return func(yield func(string, *resp.Value) bool) {
		for i := 0; i+1 < len(v.Elems); i += 2 {
			if !yield(v.Elems[i].Text(), &v.Elems[i+1]) {
				return
			}
		}
	}
}

// find is the command that a line's words begin with, the longest name first.
func (d *docs) find(words []string) *entry {
	var found *entry
	for n := 1; n <= min(len(words), 2); n++ {
		name := strings.ToUpper(strings.Join(words[:n], " "))
		i, ok := slices.BinarySearchFunc(d.entries, name, func(e *entry, name string) int { return strings.Compare(e.name, name) })
		if ok && d.entries[i].words == n {
			found = d.entries[i]
		}
	}
	return found
}

// complete gives the lines that the beginning of a line may become: commands,
// and behind "help" groups of commands too. They are written in lower case if
// the line is.
func (d *docs) complete(line string) []string {
	prefix, name := "", line
	topics := d.entries
	if rest, ok := cutFold(line, "help "); ok {
		name = strings.TrimLeft(rest, " ")
		prefix = line[:len(line)-len(name)]
		for _, g := range d.groups {
			topics = append(topics[:len(topics):len(topics)], &entry{name: "@" + g})
		}
	}
	lower := name != "" && name == strings.ToLower(name)
	var lines []string
	for _, e := range topics {
		if _, ok := cutFold(e.name, name); !ok {
			continue
		}
		full := e.name
		if lower {
			full = strings.ToLower(full)
		}
		lines = append(lines, prefix+full)
	}
	return lines
}

// cutFold cuts a prefix in any case.
func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
