package interop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

// TestRewrittenSecretsAndUsers: passwords and users with quotes, spaces and backslashes are the same after CONFIG
// REWRITE and a start, of a node and of a redis-server that is given the lines.
func TestRewrittenSecretsAndUsers(t *testing.T) {
	s := testkit.StartSkein(t)
	odd := []string{`o'neil"x\`, `back\slash`, "plain"}
	for _, name := range odd {
		s.Want("+OK", "ACL", "SETUSER", name, "on", `>pa "ss' \word`, ">", `~a"b`, "~it's", `%R~c\d`, `%W~"'`, `&"q' \`[:4], "~\xff\x01", "+@read", `(~x"y +set)`, `(%R~' &'\'' -@all)`)
	}
	secrets := map[string]string{"masteruser": `m "u'`, "masterauth": ` sp ace\`, "requirepass": `re "q'uire`}
	for name, value := range secrets {
		s.Want("+OK", "CONFIG", "SET", name, value)
	}
	s.Want("+OK", "CONFIG", "REWRITE")
	listed := s.Do("ACL", "LIST")
	described := describeUsers(s, odd)
	s.Stop()
	s.Start()
	s.Want("-NOAUTH Authentication required.", "GET", "k")
	s.Want("+OK", "AUTH", secrets["requirepass"])
	if again := s.Do("ACL", "LIST"); again != listed {
		t.Errorf("after the start\n%s\nbefore\n%s", again, listed)
	}

	text, err := os.ReadFile(filepath.Join(s.Dir, "redis.conf"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if name, _, _ := strings.Cut(line, " "); name == "user" || secrets[name] != "" {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	redis := testkit.StartRedis(t, lines...)
	redis.Want("+OK", "AUTH", secrets["requirepass"])
	for name, value := range secrets {
		redis.Want("["+name+" "+value+"]", "CONFIG", "GET", name)
	}
	// What 7.2 says of the flags, 7.0 does not.
	if got := describeUsers(redis, odd); got != strings.ReplaceAll(described, " sanitize-payload", "") {
		t.Errorf("redis-server has\n%s\nwritten were\n%s", got, described)
	}
	for _, name := range odd {
		redis.Want("+OK", "AUTH", name, `pa "ss' \word`)
		redis.Want("(nil)", "GET", `a"b`)
		redis.Want("+OK", "AUTH", "default", secrets["requirepass"])
	}
}

// describeUsers is ACL GETUSER without how commands are written, which is another way in 7.0.
func describeUsers(s *server, names []string) string {
	var all []string
	for _, name := range names {
		v, err := s.Conn().Do("ACL", "GETUSER", name)
		if err != nil {
			return err.Error()
		}
		all = append(all, canonical(without(v, "commands")))
	}
	return strings.Join(all, "\n")
}
