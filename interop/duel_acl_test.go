package interop

import (
	"slices"
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/testkit/commandgen"
)

// Users in TestDuel: random changes of theirs, descriptions, ACL LOG, which commands they may run with which
// arguments, and transactions in the middle of which a connection becomes one of them. How 7.0 writes rules about
// commands is another way than 7.2's, and is not compared: what they allow is.

// someUsers are those that stories change.
var someUsers = []string{"ann", "bob", "cy d"}

// ruler makes rules, and commands for ACL DRYRUN.
func (d *duel) ruler(seed uint64) *commandgen.Generator {
	return commandgen.New(d.table, seed, commandgen.Options{Version: d.version, Skip: func(name string) bool {
		return !d.known[name] || name == "zrank" || name == "zrevrank" // of which 7.2 takes more words
	}})
}

// user is a line about users.
func (w *wrapper) user(lead int) line {
	name := someUsers[w.rand.IntN(len(someUsers))]
	words := []string{"ACL", "LOG", "20"}
	switch w.rand.IntN(13) {
	case 0, 1, 2:
		words = []string{"ACL", "SETUSER", name}
		for range w.rand.IntN(4) {
			words = append(words, w.users.Rule())
		}
	case 3:
		words = []string{"ACL", "GETUSER", name}
	case 4:
		words = []string{"ACL", "USERS"}
	case 5:
		words = append([]string{"ACL", "DELUSER"}, someUsers[:w.rand.IntN(len(someUsers))]...)
	case 6, 7:
		return w.become(name, lead)
	case 8:
	default:
		_, command := w.users.Next()
		words = append([]string{"ACL", "DRYRUN", name}, command...)
	}
	return line{spec: specOfUsers, words: words, lead: lead, wrap: &wrap{}}
}

// become is a transaction in which the default user becomes another one for some commands.
func (w *wrapper) become(name string, lead int) line {
	auth := func(words ...string) line { return line{spec: specOfUsers, words: append([]string{"AUTH"}, words...)} }
	inner := []line{auth(name, []string{"a", "b"}[w.rand.IntN(2)])}
	inner = append(append(inner, w.commands(1+w.rand.IntN(3), false)...), auth("default", ""))
	b := wrap{inner: inner, before: [][]string{{"MULTI"}}}
	for _, l := range inner {
		b.before = append(b.before, l.words)
	}
	return line{spec: specOfExec, words: []string{"EXEC"}, lead: lead, wrap: &b}
}

// userReply is a reply in which both versions agree.
func userReply(words []string, v resp.Value) string {
	const unmatched = "ERR Unmatched parenthesis in acl selector starting at "
	switch {
	case v.IsError() && strings.HasPrefix(v.Text(), unmatched):
		return unmatched // 7.0 may name another word
	case v.IsError() || len(words) < 2:
	case words[1] == "DRYRUN":
		// "This user has no permissions …" of 7.0, "User bob has no permissions …" of 7.2.
		if _, what, found := strings.Cut(v.Text(), " has no permissions "); found {
			return what
		}
	case words[1] == "GETUSER":
		// A new user has the flag in 7.2 only.
		return strings.ReplaceAll(canonical(without(v, "commands")), ` "sanitize-payload"`, "")
	case words[1] == "LOG" && len(v.Elems) > 0:
		var entries []string
		for _, e := range v.Elems {
			entries = append(entries, canonical(without(e, "age-seconds", "client-info", "entry-id", "timestamp-created", "timestamp-last-updated")))
		}
		return strings.Join(entries, "\n")
	}
	return canonical(v)
}

// without is a map, in which there may be maps, without some fields. (RESP2 has lists.)
func without(v resp.Value, fields ...string) resp.Value {
	if !isList(v) {
		return v
	}
	var kept []resp.Value
	for i := 0; i < len(v.Elems); i++ {
		if e := v.Elems[i]; slices.Contains(fields, e.Text()) && i%2 == 0 {
			i++
			continue
		}
		kept = append(kept, without(v.Elems[i], fields...))
	}
	v.Elems = kept
	return v
}
