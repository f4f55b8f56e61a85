package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

func set(c *Config, words ...string) error {
	var pairs []Setting
	for i := 0; i+1 < len(words); i += 2 {
		pairs = append(pairs, Setting{words[i], words[i+1]})
	}
	return c.Set(pairs, Caller{})
}

func TestHooksAreAskedOnceAndInOrder(t *testing.T) {
	c := mustLoad(t, tempDir(t))
	var asked []string
	c.OnApply(func(ch Change) error {
		if Timeout.Get(c.Values()) != 0 {
			t.Error("the new value was visible before all hooks agreed")
		}
		asked = append(asked, fmt.Sprintf("listen %d>%d %t", Port.Get(ch.Old), Port.Get(ch.New), ch.Of(Bind)))
		return nil
	}, Port, Bind)
	c.OnApply(func(ch Change) error {
		asked = append(asked, fmt.Sprintf("timeout %d>%d", Timeout.Get(ch.Old), Timeout.Get(ch.New)))
		return nil
	}, Timeout)
	if err := set(c, "timeout", "5", "bind", "::1", "hz", "20", "port", "7"); err != nil {
		t.Fatal(err)
	}
	if want := []string{"timeout 0>5", "listen 6379>7 true"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
	asked = nil
	if err := set(c, "port", "7", "hz", "30"); err != nil || asked != nil {
		t.Errorf("nothing of theirs changed, but asked %q (%v)", asked, err)
	}
}

func TestVolatileDirectivesApplyWithoutChange(t *testing.T) {
	c := mustLoad(t, tempDir(t), "--tls-cert-file", "x")
	asked := 0
	c.OnApply(func(Change) error { asked++; return nil }, TLSCertFile, TLSKeyFile)
	if err := set(c, "tls-cert-file", "x", "tls-key-file", "y"); err != nil || asked != 1 {
		t.Errorf("asked %d times (%v)", asked, err)
	}
}

func TestRefusalOfAHookUndoesAll(t *testing.T) {
	c := mustLoad(t, tempDir(t))
	var asked []int
	c.OnApply(func(ch Change) error { asked = append(asked, Timeout.Get(ch.New)); return nil }, Timeout)
	c.OnApply(func(ch Change) error {
		asked = append(asked, Port.Get(ch.New))
		if Port.Get(ch.New) == 1 {
			return errors.New("Unable to listen on this port. Check server logs.")
		}
		return errors.New("not even back")
	}, Port)
	c.OnApply(func(Change) error { t.Error("asked in vain"); return nil }, MaxMemory)
	before := c.Get([]string{"*"})
	err := set(c, "timeout", "5", "port", "1", "maxmemory", "10")
	const want = "CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs."
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if !slices.Equal(c.Get([]string{"*"}), before) {
		t.Error("something changed all the same")
	}
	if !slices.Equal(asked, []int{5, 1, 0, 6379}) {
		t.Errorf("asked for %v", asked)
	}
	wantLog := []string{
		"warning Failed applying new configuration. Possibly related to new port setting. Restoring previous settings.",
		"warning Failed applying restored failed CONFIG SET command: not even back",
	}
	if got := log(c); !slices.Equal(got, wantLog) {
		t.Errorf("log %q", got)
	}
}

func TestWhoMaySetWhatWhen(t *testing.T) {
	for _, c := range []struct {
		action string
		from   Caller
		name   string
		want   string
	}{
		{"no", Caller{Local: true}, "dbfilename", "CONFIG SET failed (possibly related to argument 'dbfilename') - can't set protected config"},
		{"local", Caller{}, "dbfilename", "CONFIG SET failed (possibly related to argument 'dbfilename') - can't set protected config"},
		{"local", Caller{Local: true}, "dbfilename", ""},
		{"yes", Caller{}, "dbfilename", ""},
		{"yes", Caller{Loading: true}, "dir", "LOADING Redis is loading the dataset in memory"},
		{"yes", Caller{Loading: true}, "nonsense", "Unknown option or number of arguments for CONFIG SET - 'nonsense'"},
		{"yes", Caller{Loading: true}, "Port", "CONFIG SET failed (possibly related to argument 'port') - argument couldn't be parsed into an integer"},
		{"yes", Caller{}, "Daemonize", "CONFIG SET failed (possibly related to argument 'Daemonize') - can't set immutable config"},
	} {
		config := mustLoad(t, tempDir(t), "--enable-protected-configs", c.action)
		got := ""
		if err := config.Set([]Setting{{c.name, "x"}}, c.from); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestSetDirectivesOfRedis72(t *testing.T) {
	c := mustLoad(t, tempDir(t))
	for pair, want := range map[string]string{
		"loglevel nothing":                                      "",
		"loglevel quiet":                                        "argument(s) must be one of the following: debug, verbose, notice, warning, nothing",
		"locale-collate C":                                      "",
		"locale-collate tlh":                                    "Invalid locale name",
		"set-max-listpack-entries -1":                           "argument must be between 0 and 9223372036854775807 inclusive",
		"cluster-announce-human-nodename a.b-c":                 "",
		"cluster-announce-human-nodename a*b":                   "Announced human node name contained invalid character",
		"cluster-announce-hostname " + strings.Repeat("h", 256): "Hostnames must be less than 256 characters",
		"cluster-announce-hostname a_b":                         "Hostnames may only contain alphanumeric characters, hyphens or dots",
	} {
		name, value, _ := strings.Cut(pair, " ")
		got := ""
		if err := set(c, name, value); err != nil {
			got = strings.TrimPrefix(err.Error(), "CONFIG SET failed (possibly related to argument '"+name+"') - ")
		}
		if got != want {
			t.Errorf("%s: %q, want %q", pair, got, want)
		}
	}
}

func TestQuota(t *testing.T) {
	c := mustLoad(t, tempDir(t))
	for value, want := range map[string]uint64{"0": 0, "1kb": 1024, "5%": 50, "100%": 1000, "0%": 0} {
		if err := set(c, "maxmemory-clients", value); err != nil {
			t.Fatal(err)
		}
		if got := MaxMemoryClients.Get(c.Values()).Bytes(1000); got != want {
			t.Errorf("%s of 1000 is %d, want %d", value, got, want)
		}
	}
}

func TestPutIsSeenByGetAndRewrite(t *testing.T) {
	dir := tempDir(t)
	write(t, dir, "redis.conf", "maxclients 100000\n")
	c := mustLoad(t, dir, "redis.conf")
	MaxClients.Put(c, 4064)
	ReplicaOf.Put(c, HostPort{"10.0.0.1", 7000})
	if got := asMap(c.Get([]string{"maxclients", "slaveof"})); got["maxclients"] != "4064" || got["slaveof"] != "10.0.0.1 7000" {
		t.Errorf("settings %v", got)
	}
	if err := c.Rewrite(RewriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if text := read(t, dir, "redis.conf"); !strings.HasPrefix(text, "maxclients 4064\n") || !strings.Contains(text, "\nreplicaof 10.0.0.1 7000\n") {
		t.Errorf("file %s", text)
	}
}

// A reader sees all of a CONFIG SET or nothing.
func TestReadersSeeWholeChanges(t *testing.T) {
	c := mustLoad(t, tempDir(t))
	var wait sync.WaitGroup
	stop := make(chan struct{})
	wait.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if v := c.Values(); Port.Get(v)-6379 != Timeout.Get(v) {
				t.Errorf("port %d beside timeout %d", Port.Get(v), Timeout.Get(v))
				return
			}
			c.Get([]string{"*"})
		}
	})
	for i := range 100 {
		if err := set(c, "port", fmt.Sprint(6379+i), "timeout", fmt.Sprint(i)); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wait.Wait()
}

func TestRewriteWithoutFile(t *testing.T) {
	if err := mustLoad(t, tempDir(t)).Rewrite(RewriteOptions{}); err != ErrNoFile {
		t.Errorf("error %v", err)
	}
}

func TestRewriteMakesAMissingFileAndKeepsTheOldOnError(t *testing.T) {
	dir := tempDir(t)
	write(t, dir, "redis.conf", "timeout 3")
	c := mustLoad(t, dir, "redis.conf")
	if err := os.Remove(c.File()); err != nil {
		t.Fatal(err)
	}
	if err := c.Rewrite(RewriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if text := read(t, dir, "redis.conf"); !strings.HasPrefix(text, signature+"\n") || !strings.Contains(text, "\ntimeout 3\n") {
		t.Errorf("file %s", text)
	}
	if err := os.Remove(c.File()); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(c.File(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := c.Rewrite(RewriteOptions{}); err == nil || err.Error() != "Rewriting config file: Is a directory" {
		t.Errorf("error %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRewriteLeavesToOthersWhatIsTheirs(t *testing.T) {
	const file = "user a on\nloadmodule /x.so\ninclude nothing*\nRENAME-command a b\n"
	v := defaults("/d")
	for _, c := range []struct {
		name    string
		users   []string
		aclfile string
		want    string
	}{
		{"unknown users", nil, "", "user a on\nloadmodule /x.so\ninclude nothing*\nRENAME-command a b\n"},
		{"other users", []string{"default off", "b on"}, "", "user default off\nloadmodule /x.so\ninclude nothing*\nRENAME-command a b\n"},
		{"odd users", []string{`o'neil off ~a\b (~"x +get)`}, "", `user "o'neil" off ~a\b "(~\"x" +get)` + "\nloadmodule /x.so\ninclude nothing*\nRENAME-command a b\n"},
		{"users in a file", []string{"default off"}, "users.acl", "\nloadmodule /x.so\ninclude nothing*\nRENAME-command a b\n"},
	} {
		values := v.clone()
		values.slots[ACLFile.index] = c.aclfile
		got := rewrite(file, values, RewriteOptions{Users: c.users})
		if kept, _, _ := strings.Cut(got, "\n"+signature); kept != c.want {
			t.Errorf("%s: %q, want %q", c.name, kept, c.want)
		}
	}
}
