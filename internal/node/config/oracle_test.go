package config

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/testkit"
)

// These tests ask a real redis-server the same questions as a Config. Debian's is
// 7.0.15; what 7.2 added is left out of the comparison.

func redisServer(t *testing.T) string {
	t.Helper()
	return testkit.Program(t, "redis-server")
}

// oracle is a running redis-server.
type oracle struct {
	t      *testing.T
	conn   net.Conn
	reader *resp.Reader
}

// startOracle runs redis-server in dir and waits until it is ready. args must not
// set a logfile. The port is added behind them.
func startOracle(t *testing.T, dir string, args ...string) *oracle {
	t.Helper()
	program, port := redisServer(t), freePort(t)
	cmd := exec.Command(program, append(slices.Clone(args), "--port", port)...)
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	log := bufio.NewScanner(out)
	for log.Scan() && !strings.Contains(log.Text(), "Ready to accept connections") {
	}
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &oracle{t, conn, resp.NewReader(conn)}
}

func freePort(t *testing.T) string {
	t.Helper()
	for port := 18000; port < 18500; port++ {
		if l, err := net.Listen("tcp", fmt.Sprintf(":%d", port)); err == nil {
			l.Close()
			return fmt.Sprint(port)
		}
	}
	t.Fatal("no port is free")
	return ""
}

func (o *oracle) do(words ...string) resp.Value {
	o.t.Helper()
	if _, err := o.conn.Write(resp.AppendCommand(nil, words...)); err != nil {
		o.t.Fatal(err)
	}
	v, err := o.reader.Read()
	if err != nil {
		o.t.Fatal(err)
	}
	return v
}

func (o *oracle) get(patterns ...string) map[string]string {
	o.t.Helper()
	v := o.do(append([]string{"CONFIG", "GET"}, patterns...)...)
	got := make(map[string]string)
	for i := 0; i+1 < len(v.Elems); i += 2 {
		got[v.Elems[i].Text()] = v.Elems[i+1].Text()
	}
	for _, name := range since72 {
		delete(got, name)
	}
	return got
}

// set returns the error of a CONFIG SET without its code, "" for none.
func (o *oracle) set(pairs []Setting) string {
	o.t.Helper()
	words := []string{"CONFIG", "SET"}
	for _, p := range pairs {
		words = append(words, p.Name, p.Value)
	}
	if v := o.do(words...); v.IsError() {
		return strings.TrimPrefix(v.Text(), "ERR ")
	}
	return ""
}

func asMap(settings []Setting) map[string]string {
	m := make(map[string]string)
	for _, s := range settings {
		m[s.Name] = s.Value
	}
	return m
}

// sameSettings compares the two without the port, which the oracle had to be given.
func sameSettings(t *testing.T, got, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] && name != "port" {
			t.Errorf("%s is %q, redis has %q", name, got[name], want[name])
		}
	}
}

// since72 are the directives that the oracle does not know, or does not hide.
var since72 = []string{"repl-sync-replicas", "cluster-flight-file", "cluster-slot-stats-enabled", "aof-disable-auto-gc", "cluster-announce-human-nodename", "locale-collate", "set-max-listpack-entries", "set-max-listpack-value"}

func TestGetAgreesWithRedis(t *testing.T) {
	dir := tempDir(t)
	redis, ours := startOracle(t, dir), mustLoad(t, dir)
	for _, patterns := range [][]string{
		{"*"}, {"maxmemory", "maxmemory*", "bind", "*of"}, {"MAXMEMORY"}, {"Slave-Priority", "replica-priority"},
		{"*ziplist*"}, {"key-load-delay", "*load*"}, {"nonsense", "non*sense"}, {"h[az]*"}, {"?z"}, {"save"},
		{"port", "PORT"}, {"P?RT", "port"}, {"user"}, {"rdb-key-save-delay", "watchdog-period", "use-exit-on-panic"},
	} {
		got, want := asMap(ours.Get(patterns)), redis.get(patterns...)
		for _, name := range since72 {
			delete(got, name)
		}
		sameSettings(t, got, want)
		if len(got) != len(want) {
			t.Errorf("CONFIG GET %v: %d settings, redis has %d", patterns, len(got), len(want))
		}
	}
}

func TestSetAgreesWithRedis(t *testing.T) {
	dir := tempDir(t)
	for _, sub := range []string{"sub", "sub/deep"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	redis := startOracle(t, dir, "--enable-protected-configs", "yes")
	ours := mustLoad(t, dir, "--enable-protected-configs", "yes")
	for _, line := range setLines {
		words, err := splitWords(line)
		if err != nil || len(words)%2 != 0 {
			t.Fatalf("test line %s: %v", line, err)
		}
		var pairs []Setting
		for i := 0; i < len(words); i += 2 {
			pairs = append(pairs, Setting{words[i], words[i+1]})
		}
		got := ""
		if err := ours.Set(pairs, Caller{}); err != nil {
			got = err.Error()
		}
		if want := redis.set(pairs); got != want {
			t.Errorf("CONFIG SET %s: %q, redis says %q", line, got, want)
		}
	}
	sameSettings(t, asMap(ours.Get([]string{"*"})), redis.get("*"))
}

// setLines are the words after CONFIG SET, one test a line.
var setLines = strings.Split(strings.TrimSpace(`
maxmemory 100mb
maxmemory 1k
maxmemory 18446744073709551615
maxmemory ""
maxmemory kb
maxmemory -1
maxmemory 1.5gb
maxmemory " 1"
maxmemory 10000002
maxmemory 10000001 maxmemory-clients 200% client-query-buffer-limit invalid
maxmemory 1 maxmemory 2
maxmemory 1 MAXMEMORY 2
maxmemory-clients 5%
maxmemory-clients 0%
maxmemory-clients 101%
maxmemory-clients -5%
maxmemory-clients %
maxmemory-clients 05%
maxmemory-clients 100000
maxmemory-clients 9223372036854775808
maxmemory-clients x
maxmemory-policy ALLKEYS-lru
maxmemory-policy lru
maxmemory-samples 0
slave-priority 50 replica-priority 60
replica-priority 50 replica-priority 60
replica-priority 1 nonsense 2 other 3
nonsense 1 replica-priority x
replica-priority x nonsense 1
replica-priority 1.0
replica-priority +1
replica-priority ""
replica-priority 99999999999999999999999
replica-priority -1
daemonize yes
replica-priority 1 daemonize yes databases 5
appendonly maybe
save ""
save "900 1 300 10"
save "900"
save "900 1 300"
save "0 1"
save "900 -1"
save "900 x"
save "900  1"
save " 900 1"
save "+900 1"
client-output-buffer-limit "normal 1mb 2mb 3"
client-output-buffer-limit "slave 5 6 7 pubsub 1k 1kb 1"
client-output-buffer-limit "replica 5 6 8 REPLICA 9 9 9"
client-output-buffer-limit "master 5 6 7"
client-output-buffer-limit "wrong 5 6 7"
client-output-buffer-limit "slave 5 6"
client-output-buffer-limit "slave x 6 7"
client-output-buffer-limit "slave 5 6 -7"
client-output-buffer-limit "slave 5 6 7s"
client-output-buffer-limit ""
notify-keyspace-events KEA
notify-keyspace-events gE
notify-keyspace-events "g$lshzxetdK"
notify-keyspace-events AKEmn
notify-keyspace-events nm
notify-keyspace-events KB
notify-keyspace-events Eg$nm
notify-keyspace-events ""
notify-keyspace-events Kxl
oom-score-adj-values "1 2 3"
oom-score-adj-values "1 2"
oom-score-adj-values "1 2 3000"
oom-score-adj-values "1 2 x"
oom-score-adj-values ""
oom-score-adj-values "0 200 800"
oom-score-adj maybe
latency-tracking-info-percentiles "50 99.99 12.345678"
latency-tracking-info-percentiles ""
latency-tracking-info-percentiles "50 101"
latency-tracking-info-percentiles "-1"
latency-tracking-info-percentiles "50 x"
latency-tracking-info-percentiles "50  60"
latency-tracking-info-percentiles nan
latency-tracking-info-percentiles inf
latency-tracking-info-percentiles "0.1 1e1 100.0"
shutdown-on-sigterm "now NOSAVE"
shutdown-on-sigterm "save nosave"
shutdown-on-sigterm "force  now"
shutdown-on-sigterm ""
shutdown-on-sigterm "default now"
shutdown-on-sigint "default"
shutdown-on-sigint "force save now"
shutdown-on-sigint never
hz 1000
hz 0
hz 50
hz -1
dbfilename a/b
dbfilename a\b
dbfilename other.rdb
appendfilename x
proc-title-template {wrong}
proc-title-template {
proc-title-template {title
proc-title-template {title}
proc-title-template " "
proc-title-template "{{x} {listen-addr}"
proc-title-template "{config-file} {port} {tls-port} {unixsocket}"
proc-title-template ""
activedefrag no
activedefrag yes
cluster-announce-hostname a.b-c
cluster-announce-hostname a_b
cluster-announce-hostname ""
cluster-announce-ip 1.2.3.4
replica-announce-ip ""
slowlog-log-slower-than -1
slowlog-log-slower-than -2
tcp-keepalive 2147483647
tcp-keepalive 2147483648
unixsocketperm 777
requirepass ""
masterauth "a b\x01"
masteruser me
dir nowhere
dir ""
dir sub
dir deep
dir ..
dir ./deep/../deep/
replicaof "127.0.0.1 1"
slaveof "no one"
lua-time-limit 7
hash-max-ziplist-entries 7 hash-max-listpack-value 1kb
list-max-ziplist-size -5
loglevel DEBUG
proto-max-bulk-len 1
proto-max-bulk-len 1mb
repl-backlog-size 0
repl-backlog-size 1
rdb-key-save-delay -5
key-load-delay 1
watchdog-period x
enable-debug-command yes
io-threads 4
port x
port 70000
bind "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"
repl-diskless-load swapdb
sanitize-dump-payload clients
propagation-error-behavior panic
ignore-warnings ARM64-COW-BUG
syslog-enabled yes
tls-auth-clients optional
user "a on"
include x
`), "\n")

// fatal are command lines that redis refuses, one argument a word.
var fatal = strings.Split(strings.TrimSpace(`
--invalid
--port
--port 6380 --loglevel
--port 6379 6380
--port --loglevel verbose
--port --bla --loglevel verbose
--appendfsync --bla
--shutdown-on-sigint
--shutdown-on-sigint "now force" --shutdown-on-sigterm
--shutdown-on-sigint "save nosave"
--replicaof 127.0.0.1 abc
--replicaof --127.0.0.1 abc
--replicaof --127.0.0.1 --abc
--replicaof 127.0.0.1
--replicaof 127.0.0.1 1 --cluster-enabled yes
"--port 1 2"
"--port x"
"--port '1"
"--logfile \"a\"b"
--maxmemory 1tb
--save 900
--save "900 1" "300 10"
--save 900 x
--user foo --user foo
--user
--rename-command a
--include
--include missing.conf --port
--include bad.conf
--include *.conf
--dir missing
--dir ""
--logfile /missing/log
--some.module
--databases 0
--unixsocketperm 999
--oom-score-adj-values 1 2
--notify-keyspace-events X
--client-output-buffer-limit normal 0 0
--list-max-ziplist-entries 1 2
--lua-replicate-commands
--io-threads 0
--bind 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17
missing.conf
sentinel.conf
good.conf --port
bad.conf
bad.conf --port 1
good.conf - --timeout x
- --timeout x
--timeout x -
"-" - --timeout
`), "\n")

func TestFatalErrorsAgreeWithRedis(t *testing.T) {
	program := redisServer(t)
	dir := tempDir(t)
	write(t, dir, "good.conf", "# a comment\n\ntimeout 5\n  loglevel   \"verbose\"  \r\n")
	write(t, dir, "sentinel.conf", "sentinel monitor x 127.0.0.1 1 1")
	write(t, dir, "bad.conf", "timeout 5\n\n# x\n\tTimeout \"five\" \n")
	const stdin = "timeout 1\n\n"
	for _, line := range fatal {
		args, err := splitWords(line)
		if err != nil {
			t.Fatalf("test line %s: %v", line, err)
		}
		cmd := exec.Command(program, args...)
		var stderr bytes.Buffer
		cmd.Dir, cmd.Stdin, cmd.Stderr = dir, strings.NewReader(stdin), &stderr
		out, err := cmd.Output()
		if err == nil {
			t.Fatalf("redis-server %s: ended without error", line)
		}
		want := strings.ReplaceAll(stderr.String(), "7.0.15", RedisVersion)
		_, err = Load(args, Env{Dir: dir, Stdin: strings.NewReader(stdin)})
		if err == nil {
			t.Errorf("redis-server %s: no error, redis says %s", line, want)
			continue
		}
		if want == "" { // redis said it in its log
			if name := strings.NewReplacer(dir+"/", ""); !strings.Contains(name.Replace(string(out)), name.Replace(err.Error())) {
				t.Errorf("redis-server %s: %s\nredis says %s", line, err, out)
			}
			continue
		}
		if err.Error() != want {
			t.Errorf("redis-server %s: %s\nredis says %s", line, err, want)
		}
	}
}

// good are command lines that redis starts with.
var good = strings.Split(strings.TrimSpace(`
good.conf "--maxmemory 700mb" "--maxmemory-policy volatile-lru"
good.conf loglevel verbose "--maxmemory '700mb'" "--maxmemory-policy 'volatile-lru'"
good.conf --proc-title-template --my--title--template --loglevel verbose --save --loglevel notice
good.conf --proc-title-template --save --save "" --shutdown-on-sigint nosave force now --shutdown-on-sigterm "nosave force"
--save 100 100 --client-output-buffer-limit "pubsub 1mb 2mb 3" --slaveof no one --bind 127.0.0.1 -::1
--include good.conf --include nothing*.conf --include part*.conf --dir sub --include more.conf --list-max-ziplist-entries 5
--cluster-enabled yes --databases 1 --hz 1000 --save 1 1 --save 2 2
- --timeout 7 --repl-backlog-size 1
`), "\n")

func TestLoadAgreesWithRedis(t *testing.T) {
	for _, line := range good {
		dir := tempDir(t)
		if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, dir, "good.conf", "save 900 1\nsave 300 10\ntimeout 5\nclient-output-buffer-limit normal 1 2 3\nlogfile ''\nRequirePass \"\"")
		write(t, dir, "part1.conf", "tcp-keepalive 1\nlua-time-limit 1\n")
		write(t, dir, "part2.conf", "tcp-keepalive 2\n")
		write(t, dir, "sub/more.conf", "dbfilename more.rdb\n")
		args, err := splitWords(line)
		if err != nil {
			t.Fatal(err)
		}
		redis, ours := startOracle(t, dir, args...), mustLoad(t, dir, args...)
		sameSettings(t, asMap(ours.Get([]string{"*"})), redis.get("*"))
	}
}

// Both rewrite the same file after the same changes. The order of appended lines
// is redis's hash table's, so these are compared as a set.
func TestRewriteAgreesWithRedis(t *testing.T) {
	const file = `# The head
port 1


maxmemory 100mb
# ??? odd
unknown-directive 5
save 900 1
save 300 10
save 60 10000
slave-priority 100
hash-max-ziplist-entries 5
bind * -::*
requirepass ""
timeout 0
"quoted" line
rename-command FLUSHALL ""
include other.conf
client-output-buffer-limit normal 0 0 0
client-output-buffer-limit slave 256mb 64mb 60
user alice on nopass
timeout 4
loglevel notice
notify-keyspace-events ""
dir ./
`
	// What redis cannot start with goes into the file after the start.
	clean := func(text string) string {
		text = strings.Replace(text, "unknown-directive 5\n", "", 1)
		return strings.Replace(text, "\"quoted\" line\n", "", 1)
	}
	for name, changes := range map[string][]Setting{
		"none": nil,
		"some": {{"maxmemory", "3000"}, {"save", "1 1"}, {"timeout", "9"}, {"masterauth", "p\"\x01w"}, {"slave-priority", "3"},
			{"client-output-buffer-limit", "pubsub 1kb 2 3"}, {"latency-tracking-info-percentiles", ""}, {"hz", "100"},
			{"maxmemory-clients", "5%"}, {"notify-keyspace-events", "KEA"}, {"shutdown-on-sigint", "now nosave"}},
		"defaults": {{"maxmemory", "0"}, {"save", ""}, {"timeout", "0"}, {"hash-max-listpack-entries", "512"}},
	} {
		t.Run(name, func(t *testing.T) {
			dirs := []string{tempDir(t), tempDir(t)}
			for _, dir := range dirs {
				write(t, dir, "redis.conf", clean(file))
				write(t, dir, "other.conf", "tcp-keepalive 7\n")
			}
			redis, ours := startOracle(t, dirs[0], "redis.conf"), mustLoad(t, dirs[1], "redis.conf")
			Port.Put(ours, atoi(t, redis.get("port")["port"]))
			for _, dir := range dirs {
				write(t, dir, "redis.conf", file)
			}
			for _, change := range changes {
				if e := redis.set([]Setting{change}); e != "" {
					t.Fatal(e)
				}
				if err := ours.Set([]Setting{change}, Caller{}); err != nil {
					t.Fatal(err)
				}
			}
			var users []string
			for _, u := range redis.do("ACL", "LIST").Elems {
				users = append(users, strings.TrimPrefix(u.Text(), "user "))
			}
			for range 2 { // the second time nothing may change
				if v := redis.do("CONFIG", "REWRITE"); v.IsError() {
					t.Fatal(v.Text())
				}
				if err := ours.Rewrite(RewriteOptions{Users: users}); err != nil {
					t.Fatal(err)
				}
				want := strings.ReplaceAll(read(t, dirs[0], "redis.conf"), dirs[0], dirs[1])
				sameRewritten(t, read(t, dirs[1], "redis.conf"), want)
			}
		})
	}
}

func sameRewritten(t *testing.T, got, want string) {
	t.Helper()
	gotKept, gotNew, _ := strings.Cut(got, signature)
	wantKept, wantNew, _ := strings.Cut(want, signature)
	if gotKept != wantKept {
		t.Errorf("kept lines\n%s\nredis has\n%s", gotKept, wantKept)
	}
	gotLines, wantLines := strings.Split(gotNew, "\n"), strings.Split(wantNew, "\n")
	slices.Sort(gotLines)
	slices.Sort(wantLines)
	if !slices.Equal(gotLines, wantLines) {
		t.Errorf("new lines\n%q\nredis has\n%q", gotLines, wantLines)
	}
}
