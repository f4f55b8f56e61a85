package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
)

func ok(*node, []string) string { return "+OK\n" }

// echo answers with what it was asked, and PING with PONG.
func echo(_ *node, args []string) string {
	if args[0] == "ping" {
		return "+PONG\n"
	}
	return bulk(strings.Join(args, " "))
}

func TestOneCommand(t *testing.T) {
	f := startFake(t, echo)
	expect(t, "", f.args("ping"), "PONG\n", "", 0)
	expect(t, "", f.args("--no-raw", "get", "a b"), "\"get a b\"\n", "", 0)
	expect(t, "from stdin", f.args("-x", "set", "k"), "set k from stdin\n", "", 0)
	expect(t, "IN", f.args("-X", "tag", "set", "tag", "v"), "set IN v\n", "", 0)
	expect(t, "IN", f.args("-X", "tag", "set", "k", "v"), "", "Using -X option but stdin tag not match.\n", 1)
	expect(t, "", f.args("--quoted-input", "get", `"\x41"`), "get A\n", "", 0)
	expect(t, "", f.args("--quoted-input", "get", `"a`), "Invalid quoted string\n", "", 1)
	expect(t, "", f.args("-r", "3", "-i", "0.001", "ping"), "PONG\nPONG\nPONG\n", "", 0)
}

func TestNoServer(t *testing.T) {
	dead := startFake(t, func(*node, []string) string { return "" })
	expect(t, "", dead.args("ping"), "", "Error: Server closed the connection\n", 1)
	expect(t, "", []string{"-s", "/nonexistent/socket", "ping"}, "", "Could not connect to Redis at /nonexistent/socket: No such file or directory\n", 1)
	expect(t, "", []string{"-s", "/nonexistent/socket"}, "", "Could not connect to Redis at /nonexistent/socket: No such file or directory\n", 0)
}

func TestShutdownMayCloseTheConnection(t *testing.T) {
	f := startFake(t, func(*node, []string) string { return "" })
	expect(t, "", f.args("shutdown", "nosave"), "", "", 0)
}

func TestErrorReplies(t *testing.T) {
	f := startFake(t, func(*node, []string) string { return "-ERR bad\n" })
	expect(t, "", f.args("x"), "ERR bad\n\n", "", 0)
	expect(t, "", f.args("-e", "x"), "", "ERR bad\n", 1)
	expect(t, "", f.args("-e", "-r", "5", "x"), "", "ERR bad\n", 1)
	expect(t, "x\n", f.args("-e"), "ERR bad\n\n", "", 0)
}

func TestNotAServer(t *testing.T) {
	f := startFake(t, func(*node, []string) string { return "HTTP/1.1 400 Bad Request\n" })
	_, errs, code := run("", f.args("ping")...)
	if code != 1 || !strings.HasPrefix(errs, "Error: Protocol error: malformed reply") {
		t.Errorf("%q, %d", errs, code)
	}
}

func TestSetUp(t *testing.T) {
	const warning = "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.\n"
	for _, test := range []struct {
		args, asked, warns string
	}{
		{"ping", "ping", ""},
		{"-a pw ping", "AUTH pw\nping", warning},
		{"--no-auth-warning -a pw --user u -n 3 -3 ping", "AUTH u pw\nSELECT 3\nHELLO 3\nping", ""},
		{"-u redis://u:pw@127.0.0.1:$PORT/4 ping", "AUTH u pw\nSELECT 4\nping", warning},
	} {
		f := startFake(t, ok)
		args := strings.ReplaceAll(test.args, "$PORT", fmt.Sprint(f.port))
		expect(t, "", f.args(strings.Fields(args)...), "OK\n", test.warns, 0)
		if got := f.commands(); got != test.asked {
			t.Errorf("%s asked %q", test.args, got)
		}
	}
}

func TestPasswordFromElsewhere(t *testing.T) {
	t.Setenv("REDISCLI_AUTH", "fromenv")
	f := startFake(t, ok)
	expect(t, "", f.args("ping"), "OK\n", "", 0)
	expect(t, "typed\n", f.args("--askpass", "ping"), "OK\n", "Please input password: ", 0)
	if got, want := f.commands(), "AUTH fromenv\nping\nAUTH typed\nping"; got != want {
		t.Errorf("asked %q", got)
	}
}

func TestRefusedSetUp(t *testing.T) {
	f := startFake(t, func(_ *node, args []string) string {
		if args[0] == "ping" {
			return "+PONG\n"
		}
		return "-ERR no " + args[0] + "\n"
	})
	expect(t, "", f.args("--no-auth-warning", "-a", "pw", "ping"), "PONG\n", "AUTH failed: ERR no AUTH\n", 0)
	expect(t, "", f.args("-n", "99", "ping"), "PONG\n", "SELECT 99 failed: ERR no SELECT\n", 0)
	expect(t, "", f.args("-3", "ping"), "PONG\n", "HELLO 3 failed: ERR no HELLO\n", 0)
}

func TestPushes(t *testing.T) {
	f := startFake(t, func(*node, []string) string {
		return ">2\n" + bulk("invalidate") + "*2\n" + bulk("a") + bulk("b") + ">1\n+other\n+OK\n"
	})
	expect(t, "", f.args("ping"), "OK\n", "", 0)
	expect(t, "", f.args("--show-pushes", "yes", "ping"), "invalidate\na\nb\nother\nOK\n", "", 0)
	expect(t, "", f.args("--show-pushes", "y", "--no-raw", "ping"), "-> invalidate: 'a', 'b'\n1) other\nOK\n", "", 0)
}

func TestMoved(t *testing.T) {
	there := startFake(t, echo)
	here := startFake(t, func(_ *node, args []string) string {
		if args[0] == "ping" {
			return "+HERE\n"
		}
		return fmt.Sprintf("-MOVED 3999 127.0.0.1:%d\n", there.port)
	})
	moved := fmt.Sprintf("MOVED 3999 127.0.0.1:%d\n\n", there.port)
	expect(t, "", here.args("get", "k"), moved, "", 0)
	expect(t, "", here.args("-c", "get", "k"), "get k\n", "", 0)
	expect(t, "ping\nget k\nping\n", here.args("-c"),
		fmt.Sprintf("HERE\n-> Redirected to slot [3999] located at 127.0.0.1:%d\nget k\nPONG\n", there.port), "", 0)
}

func TestMovedToUnknownHost(t *testing.T) {
	there := startFake(t, echo)
	for _, host := range []string{"", "?"} {
		here := startFake(t, func(*node, []string) string { return fmt.Sprintf("-MOVED 1 %s:%d\n", host, there.port) })
		expect(t, "", here.args("-c", "get", "k"), "get k\n", "", 0)
	}
}

func TestAsk(t *testing.T) {
	there := startFake(t, func(_ *node, args []string) string {
		if args[0] == "ASKING" {
			return "+OK\n"
		}
		return ":1\n"
	})
	here := startFake(t, func(*node, []string) string { return fmt.Sprintf("-ASK 7 127.0.0.1:%d\n", there.port) })
	expect(t, "", here.args("-c", "--user", "u", "-a", "p", "--no-auth-warning", "incr", "k"), "1\n",
		fmt.Sprintf("AUTH failed: ASK 7 127.0.0.1:%d\n", there.port), 0)
	if got, want := there.commands(), "AUTH u p\nASKING\nincr k"; got != want {
		t.Errorf("asked %q", got)
	}
}

func TestMovedForEver(t *testing.T) {
	var f *fake
	f = startFake(t, func(n *node, _ []string) string { return fmt.Sprintf("-MOVED 1 127.0.0.1:%d\n", n.server.port) })
	expect(t, "", f.args("-c", "get", "k"), fmt.Sprintf("MOVED 1 127.0.0.1:%d\n\n", f.port), "", 0)
	if got := strings.Count(f.commands(), "get k"); got != maxRedirects+1 {
		t.Errorf("asked %d times", got)
	}
}

func TestMovedToNowhere(t *testing.T) {
	f := startFake(t, func(*node, []string) string { return "-MOVED 1 127.0.0.1:1\n" })
	expect(t, "", f.args("-c", "get", "k"), "", "Could not connect to Redis at 127.0.0.1:1: Connection refused\n", 1)
}

func TestANodeThatIsDown(t *testing.T) {
	down := true
	f := startFake(t, func(*node, []string) string {
		if down {
			down = false
			return "-MOVED 1 127.0.0.1:1\n"
		}
		return "+OK\n"
	})
	expect(t, "get k\nget k\n", f.args("-c"), "-> Redirected to slot [1] located at 127.0.0.1:1\nOK\n",
		"Could not connect to Redis at 127.0.0.1:1: Connection refused\n", 0)
}

func TestParseRedirection(t *testing.T) {
	for text, want := range map[string]redirection{
		"MOVED 3999 127.0.0.1:6381": {3999, "127.0.0.1", 6381, false},
		"ASK 0 ::1:7000":            {0, "::1", 7000, true},
		"MOVED 1 :7":                {1, "", 7, false},
		"MOVED 1 ?:7":               {1, "", 7, false},
	} {
		if got, ok := parseRedirection(&resp.Value{Kind: resp.Error, Str: []byte(text)}); !ok || got != want {
			t.Errorf("%s: %+v, %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "MOVED", "MOVED 1", "MOVED x h:1", "MOVED 1 h", "MOVED 1 h:x", "MOVEDX 1 h:1", "ERR 1 h:1"} {
		if _, ok := parseRedirection(&resp.Value{Kind: resp.Error, Str: []byte(text)}); ok {
			t.Errorf("%q is taken for a redirection", text)
		}
	}
}

func FuzzParseRedirection(f *testing.F) {
	f.Add("MOVED 3999 127.0.0.1:6381")
	f.Add("ASK -1 ::1:-5")
	f.Fuzz(func(t *testing.T, text string) {
		to, ok := parseRedirection(&resp.Value{Kind: resp.Error, Str: []byte(text)})
		if ok && (strings.Contains(to.host, " ") || to.ask != strings.HasPrefix(strings.TrimSpace(text), "ASK")) {
			t.Errorf("%q: %+v", text, to)
		}
	})
}

// script is lines of a test, which looks at the client between them.
type script struct {
	t      *testing.T
	client *client
	out    bytes.Buffer
	errs   bytes.Buffer
}

func newScript(t *testing.T, f *fake, args ...string) *script {
	t.Helper()
	opt, err := parseOptions(f.args(args...), false)
	if err != nil {
		t.Fatal(err)
	}
	s := &script{t: t}
	s.client = newClient(opt, strings.NewReader(""), &s.out, &s.errs)
	s.client.interactive, s.client.attended = true, true
	if err := s.client.connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.client.drop)
	return s
}

// line runs a line and compares what was printed and the prompt after it, in
// which "@" stands for the address.
func (s *script) line(line, out, errs, prompt string) {
	s.t.Helper()
	s.out.Reset()
	s.errs.Reset()
	s.client.runLine(line, newPipe(s.client.in))
	prompt = strings.Replace(prompt, "@", fmt.Sprintf("127.0.0.1:%d", s.client.port), 1)
	if s.out.String() != out || s.errs.String() != errs || s.client.prompt() != prompt {
		s.t.Errorf("%s:\n%q, %q, %q, want\n%q, %q, %q", line, s.out.String(), s.errs.String(), s.client.prompt(), out, errs, prompt)
	}
}

func TestPrompt(t *testing.T) {
	f := startFake(t, func(_ *node, args []string) string {
		switch args[0] {
		case "exec":
			return "*-1\n"
		case "bad":
			return "-ERR bad\n"
		}
		return "+OK\n"
	})
	s := newScript(t, f)
	s.line("", "", "", "@> ")
	s.line("select 3", "OK\n", "", "@[3]> ")
	s.line("multi", "OK\n", "", "@[3](TX)> ")
	s.line("select 4", "OK\n", "", "@[4](TX)> ")
	s.line("exec", "\n", "", "@[3]> ")
	s.line("multi", "OK\n", "", "@[3](TX)> ")
	s.line("discard", "OK\n", "", "@[3]> ")
	s.line("bad", "ERR bad\n\n", "", "@[3]> ")
	s.line("multi", "OK\n", "", "@[3](TX)> ")
	s.line("reset", "OK\n", "", "@> ")
	s.line("3 set a b", "OK\nOK\nOK\n", "", "@> ")
	s.line("0 set a b", "Invalid redis-cli repeat command option value.\n", "", "@> ")
	s.line("99999999999999999999 set a b", "Invalid redis-cli repeat command option value.\n", "", "@> ")
	s.line(`set "a`, "Invalid argument(s)\n", "", "@> ")
	s.line(`""`, "OK\n", "", "@> ")
	s.line(":set hints", "", "", "@> ")
	s.line(":set colours", "unknown redis-cli preference 'colours'\n", "", "@> ")
	s.line(":foo", "unknown redis-cli internal command ':foo'\n", "", "@> ")
	s.line("connect 127.0.0.1 x", "", "Invalid server port.\n", "@> ")
	s.line("connect 127.0.0.1 1", "", "Could not connect to Redis at 127.0.0.1:1: Connection refused\n", "not connected> ")
	s.line(fmt.Sprintf("CONNECT 127.0.0.1 %d", f.port), "", "", "@> ")
	s.client.host = "::1"
	if got, want := s.client.prompt(), fmt.Sprintf("[::1]:%d> ", f.port); got != want {
		t.Errorf("prompt %q, want %q", got, want)
	}
}

func TestQuitEndsTheLines(t *testing.T) {
	f := startFake(t, echo)
	for _, word := range []string{"quit", "EXIT"} {
		expect(t, "ping\n\n  \n"+word+"\nping\n", f.args(), "PONG\n", "", 0)
	}
	expect(t, "ping\nping", f.args(), "PONG\nPONG\n", "", 0)
}

func TestReconnect(t *testing.T) {
	f := startFake(t, func(n *node, args []string) string {
		switch args[0] {
		case "die": // without a reply
			return ""
		case "bye": // after it
			n.Write([]byte("+BYE\r\n"))
			return ""
		}
		return "+OK\n"
	})
	s := newScript(t, f, "--no-auth-warning", "-a", "pw", "-n", "2")
	s.line("die", "", "Error: Server closed the connection\n", "not connected> ")
	s.line("ping", "OK\n", "", "@[2]> ")
	s.line("bye", "BYE\n", "", "@[2]> ")
	s.closedByPeer()
	s.line("ping", "OK\n", "", "@[2]> ")
	s.line("multi", "OK\n", "", "@[2](TX)> ")
	s.line("bye", "BYE\n", "", "@[2](TX)> ")
	s.closedByPeer()
	s.line("set k v", "", "Error: Server closed the connection\n", "not connected> ")
	s.line("auth other", "OK\n", "", "@[2]> ")
	s.line("die", "", "Error: Server closed the connection\n", "not connected> ")
	s.line("ping", "OK\n", "", "@[2]> ")
	want := "AUTH pw\nSELECT 2\ndie\n" +
		"AUTH pw\nSELECT 2\nping\nbye\n" +
		"AUTH pw\nSELECT 2\nping\nmulti\nbye\n" +
		"AUTH pw\nSELECT 2\nauth other\ndie\n" +
		"AUTH other\nSELECT 2\nping"
	if got := f.commands(); got != want {
		t.Errorf("asked\n%s", got)
	}
}

// Lines of a script are not looked after: what it costs is a command.
func TestReconnectInAScript(t *testing.T) {
	f := startFake(t, func(_ *node, args []string) string {
		if args[0] == "die" {
			return ""
		}
		return "+OK\n"
	})
	expect(t, "ping\ndie\nping\n", f.args("-n", "1"), "OK\nOK\n", "Error: Server closed the connection\n", 0)
	if got, want := f.commands(), "SELECT 1\nping\ndie\nSELECT 1\nping"; got != want {
		t.Errorf("asked %q", got)
	}
}

// closedByPeer waits until the server's end of the connection is known here.
func (s *script) closedByPeer() {
	s.t.Helper()
	if _, err := s.client.link.in.Raw().Peek(1); err != io.EOF {
		s.t.Fatalf("the connection is not closed: %v", err)
	}
}

func TestServerGone(t *testing.T) {
	f := startFake(t, ok)
	s := newScript(t, f)
	s.client.drop()
	s.client.port = 1
	s.line("ping", "", "Could not connect to Redis at 127.0.0.1:1: Connection refused\n", "not connected> ")
	s.line("help get", "", "No help without a server: it is the server that knows its commands.\n", "not connected> ")
}

func confirmation(word, channel string, n int) string {
	return "*3\n" + bulk(word) + bulk(channel) + fmt.Sprintf(":%d\n", n)
}

func TestStreams(t *testing.T) {
	f := startFake(t, func(n *node, args []string) string {
		switch args[0] {
		case "subscribe":
			n.Write([]byte(strings.ReplaceAll(confirmation("subscribe", "c", 1)+"*3\n"+bulk("message")+bulk("c")+bulk("hi"), "\n", "\r\n")))
			return "" // a server that goes away
		case "monitor":
			n.Write([]byte("+OK\r\n+1.0 \"get\" \"k\"\r\n"))
			return ""
		case "unsubscribe":
			return confirmation("unsubscribe", "a", 0) + strings.Replace(confirmation("unsubscribe", "b", 0), "*", ">", 1)
		case "psubscribe", "MONITOR":
			return "-NOPERM no\n"
		}
		return "+OK\n"
	})
	closed := "Error: Server closed the connection\n"
	expect(t, "", f.args("subscribe", "c"), "subscribe\nc\n1\nmessage\nc\nhi\n", closed, 1)
	expect(t, "", f.args("monitor"), "OK\n1.0 \"get\" \"k\"\n", closed, 1)
	expect(t, "unsubscribe a b\nping\n", f.args(), "unsubscribe\na\n0\nunsubscribe\nb\n0\nOK\n", "", 0)
	expect(t, "", f.args("psubscribe", "c"), "NOPERM no\n\n", "", 0)
	expect(t, "", f.args("MONITOR"), "NOPERM no\n\n", "", 0)
}

// notice is a writer that tells when a word was written.
type notice struct {
	bytes.Buffer
	word string
	seen chan os.Signal
}

func (n *notice) Write(p []byte) (int, error) {
	if strings.Contains(string(p), n.word) {
		n.seen <- os.Interrupt
	}
	return n.Buffer.Write(p)
}

func TestInterruptEndsAStream(t *testing.T) {
	f := startFake(t, func(_ *node, args []string) string {
		if args[0] == "subscribe" {
			return confirmation("subscribe", "c", 1) + "*3\n" + bulk("message") + bulk("c") + bulk("hi")
		}
		return "+OK\n"
	})
	opt, err := parseOptions(f.args("--csv"), false)
	if err != nil {
		t.Fatal(err)
	}
	out := &notice{word: "hi", seen: make(chan os.Signal, 1)}
	var errs bytes.Buffer
	c := newClient(opt, strings.NewReader("subscribe c\nping\n"), out, &errs)
	c.interrupts = func() (<-chan os.Signal, func()) { return out.seen, func() {} }
	if code := c.converse(); code != 0 || errs.Len() > 0 {
		t.Errorf("%d, %q", code, errs.String())
	}
	c.drop()
	if want := "\"subscribe\",\"c\",1\n\"message\",\"c\",\"hi\"\n\"OK\"\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
