package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/testkit"
)

// TestUsers plays what an administrator ("a") and another client ("b") do. A line is
// "who> command = reply", or "who closed": the connection has ended; it is opened anew.
func TestUsers(t *testing.T) {
	for _, c := range []struct{ name, lines string }{
		{"commands and keys", `
			a> ACL SETUSER bob on >pw +get +set ~b* %R~r* = +OK
			b> AUTH bob wrong = -WRONGPASS invalid username-password pair or user is disabled.
			b> AUTH bob pw = +OK
			b> SET b1 x = +OK
			b> GET b1 = x
			b> GET r1 = (nil)
			b> SET r1 x = -NOPERM No permissions to access a key
			b> DEL b1 = -NOPERM User bob has no permissions to run the 'del' command
			b> ACL WHOAMI = -NOPERM User bob has no permissions to run the 'acl|whoami' command
			a> ACL SETUSER bob +acl|whoami = +OK
			b> ACL WHOAMI = bob`},
		{"transactions", `
			a> ACL SETUSER bob on nopass +@all ~b* = +OK
			b> AUTH bob x = +OK
			b> MULTI = +OK
			b> SET a x = -NOPERM No permissions to access a key
			b> EXEC = -EXECABORT Transaction discarded because of previous errors.
			b> MULTI = +OK
			b> INCR b = +QUEUED
			b> INCR b = +QUEUED
			a> ACL SETUSER bob -incr = +OK
			b> EXEC = [-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: no permission to execute the command or subcommand -NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: no permission to execute the command or subcommand]
			a> GET b = (nil)`},
		{"removed users", `
			a> ACL SETUSER bob on nopass +@all ~* = +OK
			b> AUTH bob x = +OK
			a> ACL DELUSER bob nobody = :1
			b closed
			a> ACL DELUSER default = -ERR The 'default' user cannot be removed
			a> ACL SETUSER bob on nopass +@all ~* = +OK
			b> AUTH bob x = +OK
			b> ACL DELUSER bob = :1
			b closed`},
		{"lost channels", `
			a> ACL SETUSER bob on nopass +@all ~* &a* &b = +OK
			b> AUTH bob x = +OK
			b> PSUBSCRIBE a? = -NOPERM No permissions to access a channel
			b> SUBSCRIBE a1 = [subscribe a1 :1]
			a> ACL SETUSER bob resetchannels &a* = +OK
			a> PUBLISH a1 x = :1
			b hears [message a1 x]
			a> ACL SETUSER bob resetchannels &b = +OK
			b closed
			a> PUBLISH a1 x = :0`},
		{"who has to authenticate", `
			a> CONFIG SET requirepass pw = +OK
			b> GET x = (nil)
			b> RESET = +RESET
			b> GET x = -NOAUTH Authentication required.
			b> ACL WHOAMI = -NOAUTH Authentication required.
			a> CONFIG SET requirepass "" = +OK
			b> ACL WHOAMI = default
			a> ACL SETUSER default off = +OK
			b> RESET = +RESET
			b> GET x = -NOAUTH Authentication required.`},
		{"sort", `
			a> ACL SETUSER bob on nopass +@all ~l* = +OK
			b> AUTH bob x = +OK
			b> SORT l BY w_* = -ERR BY option of SORT denied due to insufficient ACL permissions.
			b> SORT l GET # = -ERR GET option of SORT denied due to insufficient ACL permissions.
			a> ACL SETUSER bob %R~* = +OK
			b> SORT l BY w_* GET # = []`},
	} {
		t.Run(c.name, func(t *testing.T) { playUsers(t, c.lines) })
	}
}

func playUsers(t *testing.T, lines string) {
	r := run(t)
	dial := func() *testkit.Conn { // to a session that is open: who it is depends on what was so when it was opened
		c := r.dial(r.port)
		c.Do("PING")
		return c
	}
	who := map[string]*testkit.Conn{"a": dial(), "b": dial()}
	for line := range strings.Lines(strings.TrimSpace(lines)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutSuffix(line, " closed"); ok {
			for err := error(nil); err == nil; { // behind what was sent before
				_, err = who[name].Receive()
			}
			who[name] = dial()
			continue
		}
		if name, want, ok := strings.Cut(line, " hears "); ok {
			if v, err := who[name].Receive(); err != nil || testkit.Show(v) != want {
				t.Fatal(line, testkit.Show(v), err)
			}
			continue
		}
		name, rest, _ := strings.Cut(line, "> ")
		command, want, _ := strings.Cut(rest, " = ")
		v, err := who[name].Do(strings.Fields(strings.ReplaceAll(command, `""`, ""))...)
		if strings.HasSuffix(command, `""`) {
			v, err = who[name].Do(append(strings.Fields(command)[:3], "")...)
		}
		if err != nil {
			t.Fatal(line, err)
		}
		if got := testkit.Show(v); got != want {
			t.Fatalf("%s\n\tis answered by %s", line, got)
		}
	}
}

func TestACLLog(t *testing.T) {
	r := run(t, "acllog-max-len 2")
	r.expect("+OK", "ACL", "SETUSER", "bob", "on", ">pw", "+get", "~a", "&a", "+publish")
	b := r.dial(r.port)
	for _, words := range []string{"AUTH bob no", "AUTH bob pw", "CLIENT ID", "GET b", "GET b", "PUBLISH c x"} {
		if _, err := b.Do(strings.Fields(words)...); err != nil {
			t.Fatal(err)
		}
	}
	got := r.do("ACL", "LOG")
	for _, want := range []string{
		"[[count :1 reason channel context toplevel object c username bob age-seconds ",
		"cmd=publish user=bob ",
		"entry-id :3 timestamp-created :",
		"] [count :2 reason key context toplevel object b username bob age-seconds ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\n\tis not in %s", want, got)
		}
	}
	if strings.Contains(got, "reason command") {
		t.Error("longer than acllog-max-len: " + got)
	}
	for field, want := range map[string]string{"auth": "1", "cmd": "1", "key": "2", "channel": "1"} {
		if got := r.info("acl_access_denied_" + field); got != want {
			t.Errorf("%s: %s", field, got)
		}
	}
	r.expect("+OK", "ACL", "LOG", "RESET")
	r.expect("[]", "ACL", "LOG")
}

func TestUsersOfTheConfiguration(t *testing.T) {
	r := run(t, "user bob on nopass ~b* +@all -flushall (+get ~x)")
	const bob = "user bob on nopass sanitize-payload ~b* resetchannels +@all -flushall (~x resetchannels -@all +get)"
	const everybody = "[" + bob + " user default on nopass sanitize-payload ~* &* +@all]"
	r.expect(everybody, "ACL", "LIST")
	r.expect("+OK", "ACL", "SETUSER", "cyd", "on")
	r.expect("+OK", "CONFIG", "REWRITE")
	text, err := os.ReadFile(r.cfg.File())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{bob, "user cyd on sanitize-payload resetchannels -@all", "user default on nopass sanitize-payload ~* &* +@all"} {
		if strings.Count(string(text), want+"\n") != 1 {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	r.expect("-ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then "+
		"issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.", "ACL", "SAVE")
}

func TestACLFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.acl")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("user bob on nopass +@all ~*\n")
	r := run(t, "aclfile "+file, "requirepass pw")
	r.expect("[bob default]", "ACL", "USERS") // the file decides about the default user, too
	b := r.dial(r.port)
	if v, err := b.Do("AUTH", "bob", "x"); err != nil || v.IsError() {
		t.Fatal(v.Text(), err)
	}
	r.expect("+OK", "ACL", "SETUSER", "cyd")
	r.expect("+OK", "ACL", "SAVE")
	write(string(read(t, file)) + "user bob on\nbla\n\nuser dora +nosuch\nuser eve >secret% %\n")
	r.expect("-ERR WARNING: Duplicate user 'bob' found on line 4. "+file+":5 should start with user keyword followed by the username. "+
		file+":7: Error in applying operation '+nosuch': Unknown command or category name in ACL. "+file+":8: Syntax error. "+
		"WARNING: ACL errors detected, no change to the previously active ACL rules was performed", "ACL", "LOAD")
	r.expect("[bob cyd default]", "ACL", "USERS")
	write("user default on nopass +@all ~*\nuser zoe on\n")
	r.expect("+OK", "ACL", "LOAD")
	r.expect("[default zoe]", "ACL", "USERS")
	if _, err := b.Receive(); err == nil {
		t.Error("a user who is no more goes on")
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestBadUsersAreNoStart(t *testing.T) {
	dir := t.TempDir()
	file, err := os.CreateTemp(dir, "log")
	if err != nil {
		t.Fatal(err)
	}
	silent := NewLog(file, file)
	for _, options := range [][]string{
		{"--user", "bob +nosuch"},
		{"--aclfile", "not-there"},
		{"--aclfile", "not-there", "--user", "bob"},
	} {
		cfg, err := config.Load(options, config.Env{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(Options{Config: cfg, Log: silent}); err == nil {
			t.Errorf("%q: it starts", options)
		}
	}
}
