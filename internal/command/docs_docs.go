package command

import "github.com/skeindb/skein/internal/base/resp"

// writeDocs writes what COMMAND DOCS says of a command: a map without the pairs
// that would be empty.
func writeDocs(w *resp.Writer, s *Spec) {
	var m []field
	text := func(name, value string) {
		if value != "" {
			m = append(m, field{name, value})
		}
	}
	part := func(name string, size int, write func()) {
		if size > 0 {
			m = append(m, field{name, write})
		}
	}
	text("summary", s.Summary)
	text("since", s.Since)
	text("group", s.Group)
	text("complexity", s.Complexity)
	part("doc_flags", len(s.DocFlags), func() { writeStatuses(w, s.DocFlags) })
	text("deprecated_since", s.Deprecated)
	text("replaced_by", s.ReplacedBy)
	part("history", len(s.History), func() { writeHistory(w, s.History) })
	part("arguments", len(s.args), func() { writeArgs(w, s.args) })
	part("subcommands", len(s.Subs), func() {
		w.Map(len(s.Subs))
		for _, sub := range s.Subs {
			w.BulkString(sub.full)
			writeDocs(w, sub)
		}
	})
	writeFields(w, m)
}

func writeHistory(w *resp.Writer, history [][2]string) {
	w.Set(len(history))
	for _, h := range history {
		writeBulks(w.Array, w, h[:])
	}
}

// writeArgs writes an array with a map for each argument.
func writeArgs(w *resp.Writer, args []Arg) {
	w.Array(len(args))
	for i := range args {
		writeArg(w, &args[i])
	}
}

func writeArg(w *resp.Writer, a *Arg) {
	m := []field{{"name", a.Name}, {"type", a.Type.String()}}
	text := func(name, value string) {
		if value != "" {
			m = append(m, field{name, value})
		}
	}
	text("display_text", a.Display)
	if a.KeySpec >= 0 {
		m = append(m, field{"key_spec_index", a.KeySpec})
	}
	text("token", a.Token)
	text("since", a.Since)
	text("deprecated_since", a.DeprecatedSince)
	if flags := a.flagWords(); flags != nil {
		m = append(m, field{"flags", func() { writeStatuses(w, flags) }})
	}
	if a.Type.Group() {
		m = append(m, field{"arguments", func() { writeArgs(w, a.Args) }})
	}
	writeFields(w, m)
}

// flagWords are redis's words for the properties that are set.
func (a *Arg) flagWords() (words []string) {
	if a.Optional {
		words = append(words, "optional")
	}
	if a.Multiple {
		words = append(words, "multiple")
	}
	if a.MultipleToken {
		words = append(words, "multiple_token")
	}
	return words
}
