package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
)

// maxHistory is how many lines are kept.
const maxHistory = 1000

// history is the lines typed before, in memory and in a file that only its owner
// may read. Commands with secrets are in neither. It serves term.Terminal.
type history struct {
	path  string   // "" for no file
	lines []string // oldest first
}

// historyPath is where the history is kept, or "".
func historyPath() string {
	switch path := os.Getenv("SKEINCLI_HISTFILE"); path {
	case "":
	case os.DevNull:
		return ""
	default:
		return path
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".skeincli_history")
}

// loadHistory reads the file, and shortens it if it has grown too long. Without
// a file that can be read the history is empty.
func loadHistory(path string) *history {
	h := &history{path: path}
	if path == "" {
		return h
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return h
	}
	h.lines = strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
	if extra := len(h.lines) - maxHistory; extra > 0 {
		h.lines = h.lines[extra:]
		if os.WriteFile(path, []byte(strings.Join(h.lines, "\n")+"\n"), 0o600) != nil {
			h.path = ""
		}
	}
	return h
}

// Add takes a new line, unless it repeats the last one or must not be kept.
func (h *history) Add(line string) {
	if strings.TrimSpace(line) == "" || isSecret(line) {
		return
	}
	if n := len(h.lines); n > 0 && h.lines[n-1] == line {
		return
	}
	h.lines = append(h.lines, line)
	if len(h.lines) > maxHistory {
		h.lines = slices.Delete(h.lines, 0, 1)
	}
	if h.path == "" {
		return
	}
	f, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return // a prompt without history is better than none
	}
	f.WriteString(line + "\n")
	f.Close()
}

// Len is the number of lines.
func (h *history) Len() int { return len(h.lines) }

// At is a line; the last one has index 0.
func (h *history) At(i int) string { return h.lines[len(h.lines)-1-i] }

// isSecret tells whether a line may hold a password:
//
//	AUTH …                                 HELLO version AUTH user password
//	ACL SETUSER …                          MIGRATE … AUTH password
//	CONFIG SET requirepass, masterauth, …  MIGRATE … AUTH2 user password
//
// When in doubt it may.
func isSecret(line string) bool {
	args, err := resp.SplitArgs([]byte(line))
	if err != nil { // a quote is missing: words are good enough
		args = nil
		for _, word := range strings.Fields(line) {
			args = append(args, []byte(word))
		}
	}
	if _, rest, ok := repetition(args); ok {
		args = rest
	}
	words := make([]string, len(args)+2) // two more, so that there is a second
	for i := range args {
		words[i] = strings.ToLower(string(args[i]))
	}
	switch words[0] {
	case "auth":
		return true
	case "acl":
		return words[1] == "setuser"
	case "config":
		return words[1] == "set" && slices.ContainsFunc(words[2:], func(w string) bool {
			return strings.Contains(w, "pass") || strings.Contains(w, "auth") || w == "masteruser"
		})
	case "hello":
		return slices.Contains(words, "auth")
	case "migrate":
		return slices.Contains(words, "auth") || slices.Contains(words, "auth2")
	}
	return false
}
