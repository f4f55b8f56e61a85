package builtin

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
)

// A script is a text file of command lines, each followed by what came of it:
//
//	# a comment
//	! proto 3                an option to set
//	SET k v EX 10            a command line, in SplitArgs form
//	  +OK                    the lines of its reply, indented by two
//	~ set k                  the events it announced
//	~ expire k
//	= SET k v PXAT <soon>    what it logged
//	@ SETBIT k 1 0           a command line that redis 7.0 answers otherwise than 7.2
//
// What is not printable ASCII stands as \xHH. A time that lies near the present
// stands as <soon>, and so does a stream's ID of that time; how many ms ago something
// was, as <idle>, which follows the word idle or inactive or one of the
// consumers alice, bob and carol.

var record = flag.Bool("record", false, "write what redis-server answers into the scripts")

// step is a command line and what came of it.
type step struct {
	line  int
	text  string // the line as it stands: a command, an option, a comment, or nothing
	want  []string
	since bool // of 7.2: not for the oracle
}

func (s *step) isCommand() bool {
	return s.text != "" && !strings.HasPrefix(s.text, "#") && !strings.HasPrefix(s.text, "!")
}

func (s *step) argv() ([][]byte, error) {
	return resp.SplitArgs([]byte(strings.TrimPrefix(s.text, "@ ")))
}

func readScript(t *testing.T, path string) (steps []step) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		if strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "~ ") || strings.HasPrefix(line, "= ") {
			last := &steps[len(steps)-1]
			last.want = append(last.want, line)
			continue
		}
		steps = append(steps, step{line: i + 1, text: line, since: strings.HasPrefix(line, "@ ")})
	}
	return steps
}

// lines are an outcome as it stands in a script.
func (o outcome) lines() (lines []string) {
	reply := strings.TrimSuffix(string(o.reply), "\r\n")
	before := ""
	for _, l := range strings.Split(reply, "\r\n") {
		lines = append(lines, "  "+escape(timeless(before, l)))
		before = l
	}
	for _, e := range o.events {
		lines = append(lines, "~ "+escape(e))
	}
	for _, l := range o.logged {
		lines = append(lines, "= "+l)
	}
	return lines
}

func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || c == '\\' {
			fmt.Fprintf(&b, `\x%02x`, c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// logLine is a logged command as it stands in a script.
func logLine(words []resp.Value) string {
	var line []string
	for _, w := range words {
		text := w.Text()
		if timeless("", ":"+text) == ":<soon>" {
			text = "<soon>"
		} else if text == "" || strings.ContainsAny(text, "\"' ") || escape(text) != text {
			text = string(resp.AppendRepr(nil, w.Str))
		}
		line = append(line, text)
	}
	return strings.Join(line, " ")
}

// timeless is a line of a reply without what depends on when it was asked for.
func timeless(before, line string) string {
	text, isInt := strings.CutPrefix(line, ":")
	ms, _, isID := strings.Cut(text, "-")
	n, err := strconv.ParseInt(ms, 10, 64)
	switch {
	case err != nil:
	case near(n) && isInt:
		return ":<soon>"
	case near(n) && isID:
		return "<soon>"
	case isInt && n < 60_000 && slices.Contains([]string{"idle", "inactive", "alice", "bob", "carol"}, before):
		return ":<idle>"
	}
	return line
}

// near tells whether n may be a time in ms that a test's relative deadline became.
func near(n int64) bool {
	now := time.Now().UnixMilli()
	return n > now-60_000 && n < now+86_400_000
}

func scripts(t *testing.T) []string {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no scripts", err)
	}
	return paths
}

// playScript plays a script and gives what came of each command to judge.
func playScript(t *testing.T, p player, steps []step, judge func(*step, []string)) {
	for i := range steps {
		s := &steps[i]
		if option, ok := strings.CutPrefix(s.text, "! "); ok {
			name, value, _ := strings.Cut(option, " ")
			p.set(name, value)
		}
		if !s.isCommand() {
			continue
		}
		argv, err := s.argv()
		if err != nil || len(argv) == 0 {
			t.Fatalf("line %d: %q: %v", s.line, s.text, err)
		}
		judge(s, p.play(argv).lines())
	}
}

func compare(t *testing.T, path string) func(*step, []string) {
	return func(s *step, got []string) {
		if a, b := strings.Join(s.want, "\n"), strings.Join(got, "\n"); a != b {
			t.Errorf("%s:%d: %s\nwant\n%s\ngot\n%s", path, s.line, s.text, a, b)
		}
	}
}

// TestScripts plays the scripts against the handlers.
func TestScripts(t *testing.T) {
	for _, path := range scripts(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			playScript(t, newServer(t), readScript(t, path), compare(t, path))
		})
	}
}

// TestScriptsAgainstRedis plays the same scripts against redis-server, which
// must give the same replies byte for byte, announce the same events and send
// the same to its replicas.
func TestScriptsAgainstRedis(t *testing.T) {
	o := startOracle(t)
	for _, path := range scripts(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			o.flush()
			o.set("proto", "2")
			o.set("proto-max-bulk-len", "536870912")
			o.set("lazyfree-lazy-expire", "no")
			o.set("lazyfree-lazy-server-del", "no")
			o.set("zset-max-listpack-entries", "128")
			o.set("zset-max-listpack-value", "64")
			o.set("maxmemory-policy", "noeviction")
			o.set("stream-node-max-entries", "100")
			o.set("db", "0")
			steps := readScript(t, path)
			judge := compare(t, path)
			if *record {
				judge = func(s *step, got []string) { s.want = got }
			}
			playScript(t, o, steps, func(s *step, got []string) {
				if !s.since {
					judge(s, got)
				}
			})
			if *record {
				recordSince(t, steps)
				writeScript(t, path, steps)
			}
		})
	}
}

// recordSince fills in, by our handlers, what only 7.2 answers.
func recordSince(t *testing.T, steps []step) {
	playScript(t, newServer(t), steps, func(s *step, got []string) {
		if s.since {
			s.want = got
		}
	})
}

func writeScript(t *testing.T, path string, steps []step) {
	var b bytes.Buffer
	for _, s := range steps {
		fmt.Fprintln(&b, strings.Join(append([]string{s.text}, s.want...), "\n"))
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
