package interop

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/testkit/commandgen"
)

// TestDuelUsers plays the same random changes of users to redis-server and to a node,
// and compares replies, descriptions, ACL LOG, and which commands a user may run with
// which arguments. How 7.0 writes rules about commands is another way than 7.2's, and is
// not compared: what they allow is.
func TestDuelUsers(t *testing.T) {
	d := newDuel(t)
	seed := *duelSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 40)
	}
	for i := range uint64(size(3, 60)) {
		if problem := d.users(seed + i); problem != "" {
			t.Fatalf("-duel.seed=%d: %s", seed+i, problem)
		}
	}
}

// users plays one round; "" means that all was the same.
func (d *duel) users(seed uint64) string {
	g := commandgen.New(d.table, seed, commandgen.Options{Version: d.version, Skip: func(name string) bool {
		return !d.known[name] || name == "zrank" || name == "zrevrank" // of which 7.2 takes more words
	}})
	names := []string{"ann", "bob", "cy d"}
	for _, p := range d.admins {
		p.do("ACL", "DELUSER", "ann", "bob", "limited")
		p.do("ACL", "LOG", "RESET")
	}
	r := rand.New(rand.NewPCG(seed, 1))
	for range 500 {
		name := names[r.IntN(len(names))]
		words := []string{"ACL", "LOG", "20"}
		switch r.IntN(12) {
		case 0, 1, 2:
			words = []string{"ACL", "SETUSER", name}
			for range r.IntN(4) {
				words = append(words, g.Rule())
			}
		case 3:
			words = []string{"ACL", "GETUSER", name}
		case 4:
			words = []string{"ACL", "USERS"}
		case 5:
			words = append([]string{"ACL", "DELUSER"}, names[:r.IntN(len(names))]...)
		case 6:
			words = []string{"AUTH", name, "ab"[r.IntN(2):][:1]}
		case 7:
		default:
			_, line := g.Next()
			words = append([]string{"ACL", "DRYRUN", name}, line...)
		}
		if problem := d.ask(words); problem != "" {
			return problem
		}
		if words[0] == "AUTH" { // who has logged in may have lost ACL
			d.ask([]string{"AUTH", "default", ""})
		}
	}
	return ""
}

func (d *duel) ask(words []string) string {
	redis, skein := userReply(words, d.admins[0].do(words...)), userReply(words, d.admins[1].do(words...))
	if redis == skein {
		return ""
	}
	return fmt.Sprintf("%q\n redis %.800s\n skein %.800s", words, redis, skein)
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
