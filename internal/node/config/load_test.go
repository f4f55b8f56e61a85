package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tempDir is a new directory under the name that getcwd would give it.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func mustLoad(t *testing.T, dir string, args ...string) *Config {
	t.Helper()
	c, err := Load(args, Env{Dir: dir, Stdin: strings.NewReader("")})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func log(c *Config) []string {
	var lines []string
	c.LogTo(func(level Level, text string) { lines = append(lines, string(level)+" "+text) })
	return lines
}

func TestCommandLineOnly(t *testing.T) {
	c := mustLoad(t, tempDir(t), "--port", "7001", "--maxmemory 1gb", "--bind", "127.0.0.1", "-::1", "--rename-command", "FLUSHALL", "")
	v := c.Values()
	if Port.Get(v) != 7001 || MaxMemory.Get(v) != 1<<30 || !slices.Equal(Bind.Get(v), []string{"127.0.0.1", "-::1"}) {
		t.Errorf("port %d, maxmemory %d, bind %q", Port.Get(v), MaxMemory.Get(v), Bind.Get(v))
	}
	if c.File() != "" || !slices.Equal(c.Renames(), []Rename{{"FLUSHALL", ""}}) {
		t.Errorf("file %q, renames %q", c.File(), c.Renames())
	}
}

func TestConfigFileNameIsMadeAbsolute(t *testing.T) {
	dir := tempDir(t)
	if err := os.MkdirAll(filepath.Join(dir, "a/b"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "a/redis.conf", "timeout 1")
	for _, name := range []string{"../redis.conf", " ../redis.conf\n", dir + "/a/redis.conf", "../../a/redis.conf"} {
		c := mustLoad(t, filepath.Join(dir, "a/b"), name, "--dir", "..")
		if c.File() != dir+"/a/redis.conf" {
			t.Errorf("%q is %s", name, c.File())
		}
	}
}

// The working directory of the process does not move; names do as if it had.
func TestDirIsAppliedWhileReading(t *testing.T) {
	dir := tempDir(t)
	if err := os.MkdirAll(filepath.Join(dir, "one/two"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("one/two", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "redis.conf", "dir one\ninclude in-one.conf\ndir two\ninclude in-two.conf\nlogfile log.txt\nunixsocket /abs/sock\n")
	write(t, dir, "one/in-one.conf", "timeout 1\n")
	write(t, dir, "one/two/in-two.conf", "tcp-keepalive 2\n")
	v := mustLoad(t, dir, "redis.conf").Values()
	if Timeout.Get(v) != 1 || TCPKeepalive.Get(v) != 2 {
		t.Errorf("timeout %d, tcp-keepalive %d", Timeout.Get(v), TCPKeepalive.Get(v))
	}
	for h, want := range map[Of[string]]string{
		Dir: dir + "/one/two", LogFile: dir + "/one/two/log.txt", UnixSocket: "/abs/sock",
		PidFile: "", ClusterConfigFile: dir + "/one/two/nodes.conf",
	} {
		if got := v.Path(h); got != want {
			t.Errorf("%s is %s, want %s", h.Name(), got, want)
		}
	}
	if _, err := os.Stat(dir + "/one/two/log.txt"); err != nil {
		t.Errorf("the log file was not created: %v", err)
	}
	if got := Dir.Get(mustLoad(t, dir, "--dir", "link").Values()); got != dir+"/one/two" {
		t.Errorf("a link leads to %s", got)
	}
}

func TestIncludeOfItselfIsAnError(t *testing.T) {
	dir := tempDir(t)
	write(t, dir, "redis.conf", "timeout 1\ninclude redis.conf\n")
	_, err := Load([]string{"redis.conf"}, Env{Dir: dir})
	var fatal *FatalError
	if !errors.As(err, &fatal) || fatal.Line != 2 || fatal.Reason != "include is nested more than 100 deep" {
		t.Errorf("error %v", err)
	}
}

func TestIncludePatternSkipsHiddenFiles(t *testing.T) {
	dir := filepath.Join(tempDir(t), "odd[1]")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "b.conf", "timeout 2\n")
	write(t, dir, "a.conf", "timeout 1\n")
	write(t, dir, ".c.conf", "timeout 3\n")
	if got := Timeout.Get(mustLoad(t, dir, "--include", "*.conf").Values()); got != 2 {
		t.Errorf("timeout %d, want the one of b.conf", got)
	}
}

func TestSaveLinesAddUpBehindAnInclude(t *testing.T) {
	dir := tempDir(t)
	write(t, dir, "empty.conf", "")
	write(t, dir, "redis.conf", "save 1 1\ninclude empty.conf\nsave 2 2\nsave 3 3\n")
	v := mustLoad(t, dir, "redis.conf").Values()
	if got := v.show(Save.Directive); got != "1 1 2 2 3 3" {
		t.Errorf("save %s", got)
	}
}

func TestClusterHasOneDatabase(t *testing.T) {
	c := mustLoad(t, tempDir(t), "--cluster-enabled", "yes")
	if n := Databases.Get(c.Values()); n != 1 {
		t.Errorf("%d databases", n)
	}
	want := []string{"warning WARNING: Changing databases number from 16 to 1 since we are in cluster mode"}
	if got := log(c); !slices.Equal(got, want) {
		t.Errorf("log %q", got)
	}
}

func TestDirectivesWithoutMeaningSaySoOnce(t *testing.T) {
	c := mustLoad(t, tempDir(t), "--io-threads", "4", "--port", "1", "--io-threads", "5", "--loadmodule", "/x.so", "a", "--x.y", "1")
	want := []string{
		"warning The directive 'io-threads' has no meaning in Skein and is ignored: every core runs its own event loop.",
		"warning The module '/x.so' is not loaded: Skein has no modules.",
	}
	if got := log(c); !slices.Equal(got, want) {
		t.Errorf("log %q", got)
	}
	if len(c.Modules()) != 1 || !slices.Equal(c.Modules()[0], []string{"/x.so", "a"}) {
		t.Errorf("modules %q", c.Modules())
	}
}

// Every directive that redis knows can be given its default explicitly.
func TestEveryDirectiveIsAccepted(t *testing.T) {
	dir := tempDir(t)
	var lines []string
	for _, f := range facts(t) {
		switch f.name {
		case "dir":
			lines = append(lines, "dir ./")
		case "replicaof":
			lines = append(lines, "replicaof no one")
		default:
			lines = append(lines, f.name+" "+quote(f.initial))
		}
		if f.alias != "-" && f.name != "replicaof" {
			lines = append(lines, strings.ToUpper(f.alias)+" '"+f.initial+"'")
		}
	}
	lines = append(lines, "list-max-ziplist-entries 1", "list-max-ziplist-value 1", "lua-replicate-commands yes",
		"user worker +@list +@connection ~jobs:* on >ffa9203c493aa99", "rename-command CONFIG b840fc02d524045429941cc15f59e41cb7be6c52",
		"loadmodule /path/to/other_module.so", "include /path/to/fragments/*.conf")
	write(t, dir, "redis.conf", strings.Join(lines, "\n"))
	c := mustLoad(t, dir, "redis.conf")
	for _, f := range facts(t) {
		if got := c.Get([]string{f.name})[0].Value; got != f.initial && f.name != "dir" {
			t.Errorf("%s is %q, want %q", f.name, got, f.initial)
		}
	}
	if len(c.Users()) != 1 || c.Users()[0][0] != "worker" {
		t.Errorf("users %q", c.Users())
	}
}

func TestNodeChecksCommandsAndUsers(t *testing.T) {
	env := Env{
		Dir:           tempDir(t),
		RenameCommand: func(from, _ string) error { return ErrNoSuchCommand },
		CheckUser:     func(words []string) error { return errors.New("'" + words[1] + "': Syntax error") },
	}
	for line, want := range map[string]string{
		"--rename-command bla x": "No such command in rename-command",
		"--user bob +bla":        "Error in user declaration '+bla': Syntax error",
	} {
		_, err := Load(strings.Split(line, " "), env)
		var fatal *FatalError
		if !errors.As(err, &fatal) || fatal.Reason != want {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestSentinelIsRefused(t *testing.T) {
	for _, args := range [][]string{{"--sentinel"}, {"--port", "1", "--sentinel", "--timeout", "1"}} {
		_, err := Load(args, Env{Dir: tempDir(t)})
		if err == nil || !strings.HasSuffix(err.Error(), "\nsentinel directive while not in sentinel mode\n") {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestMissingDirectoryOrFile(t *testing.T) {
	_, err := Load([]string{"no.conf"}, Env{Dir: "/"})
	var file *FileError
	if !errors.As(err, &file) || err.Error() != "Fatal error, can't open config file '/no.conf': No such file or directory" {
		t.Errorf("error %v", err)
	}
	if _, err := Load(nil, Env{Dir: "/missing"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// FuzzLoad reads text as a configuration file. Nothing makes it panic, and what
// it understood survives being written and read again.
func FuzzLoad(f *testing.F) {
	for _, line := range append(slices.Clone(setLines), fatal...) {
		f.Add(strings.ReplaceAll(line, " --", "\n"))
	}
	f.Add("# comment\n\nsave 900 1\ninclude x\nrename-command a \"\"\nuser a on\nuser b off\r\nlogfile '\\''\n")
	f.Add("include *\x00\nbind \"a b\" c\nreplicaof \"a b\" 1\nmodule.option 1 2\n\x0b\n\xff \"\\xff\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := loadText(text)
		if err != nil {
			if !stops(err) {
				t.Fatalf("error of an unknown type: %v", err)
			}
			return
		}
		for _, a := range Bind.Get(c.Values()) {
			if quoteIfOdd(a) != a {
				return // a single odd word is split once more, as in redis
			}
		}
		again, err := loadText(rewrite(text, c.Values(), RewriteOptions{Force: true}))
		if err != nil {
			t.Fatalf("rewritten: %v", err)
		}
		for _, d := range Directives() {
			if got, want := again.Values().show(d), c.Values().show(d); got != want && d != ReplicaOf.Directive {
				t.Errorf("%s is %q after a rewrite, was %q", d.Name(), got, want)
			}
		}
	})
}

// loadText loads one file whose includes hold a line each.
func loadText(text string) (*Config, error) {
	c := &Config{}
	l := newLoader(c, Env{}, "/")
	l.files = files{
		read:   func(string) ([]byte, error) { return []byte("timeout 7"), nil },
		expand: func(_, pattern string) []string { return []string{pattern, pattern} },
		append: func(string) error { return nil },
	}
	err := l.load(text)
	c.values.Store(l.values)
	return c, err
}
