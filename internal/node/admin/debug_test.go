package admin

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/data/zset"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// TestDebugHooks: what is connected is called with what the client said.
func TestDebugHooks(t *testing.T) {
	var got []string
	note := func(name string) func(bool) {
		return func(on bool) { got = append(got, fmt.Sprint(name, " ", on)) }
	}
	num := func(name string) func(int64) {
		return func(n int64) { got = append(got, fmt.Sprint(name, " ", n)) }
	}
	s := newServer(t, func(o *Options) {
		o.Facts.Cluster = true
		o.Debug = Debug{
			StopWorld: func(d time.Duration) { got = append(got, fmt.Sprint("stop ", d)) },
			PauseCron: note("cron"), AllowInScripts: note("scripts"), SkipChecksums: note("sums"), PackedThreshold: num("packed"),
			FlushSleep: num("flush"), ReplyPeakReset: num("peak"), ReplyResizing: note("resizing"),
			Replicate:    func(argv [][]byte) { got = append(got, fmt.Sprintf("replicate %s", argv)) },
			ChangeReplID: func() { got = append(got, "id") }, DropPackets: num("drop"), DropAndClose: note("close"),
			ClusterLog: func(w io.Writer) error {
				got = append(got, "log")
				_, err := io.WriteString(w, "nowhere\n")
				return err
			},
			KillLinks: func(node string, to, from bool) bool {
				got = append(got, fmt.Sprint("kill ", node, " ", to, " ", from))
				return node == "n1"
			},
		}
	})
	for _, c := range []struct{ line, hook, reply string }{
		{"DEBUG SLEEP 0.25", "stop 250ms", "+OK\r\n"},
		{"DEBUG PAUSE-CRON 1", "cron true", "+OK\r\n"},
		{"DEBUG PAUSE-CRON x", "cron false", "+OK\r\n"},
		{"DEBUG SET-DISABLE-DENY-SCRIPTS 1", "scripts true", "+OK\r\n"},
		{"DEBUG SET-SKIP-CHECKSUM-VALIDATION 0", "sums false", "+OK\r\n"},
		{"DEBUG QUICKLIST-PACKED-THRESHOLD 10b", "packed 10", "+OK\r\n"},
		{"DEBUG QUICKLIST-PACKED-THRESHOLD 2KB", "packed 2048", "+OK\r\n"},
		{"DEBUG QUICKLIST-PACKED-THRESHOLD 4gb", "", "-ERR argument must be a memory value bigger than 1 and smaller than 4gb\r\n"},
		{"DEBUG QUICKLIST-PACKED-THRESHOLD x", "", "-ERR argument must be a memory value bigger than 1 and smaller than 4gb\r\n"},
		{"DEBUG AOF-FLUSH-SLEEP 7", "flush 7", "+OK\r\n"},
		{"DEBUG REPLYBUFFER PEAK-RESET-TIME never", "peak -1", "+OK\r\n"},
		{"DEBUG REPLYBUFFER peak-reset-time RESET", "peak 5000", "+OK\r\n"},
		{"DEBUG REPLYBUFFER PEAK-RESET-TIME 100", "peak 100", "+OK\r\n"},
		{"DEBUG REPLYBUFFER PEAK-RESET-TIME x", "", "-ERR value is not an integer or out of range\r\n"},
		{"DEBUG REPLYBUFFER RESIZING 0", "resizing false", "+OK\r\n"},
		{"DEBUG REPLYBUFFER OTHER 0", "", "-ERR unknown subcommand or wrong number of arguments for 'REPLYBUFFER'. Try DEBUG HELP.\r\n"},
		{"DEBUG CHANGE-REPL-ID", "id", "+OK\r\n"},
		{"DEBUG REPLICATE set a b", "replicate [set a b]", "+OK\r\n"},
		{"DEBUG DROP-CLUSTER-PACKET-FILTER -1", "drop -1", "+OK\r\n"},
		{"DEBUG DROP-CLUSTER-PACKET-FILTER x", "", "-ERR value is not an integer or out of range\r\n"},
		{"DEBUG CLOSE-CLUSTER-LINK-ON-PACKET-DROP 1", "close true", "+OK\r\n"},
		{"DEBUG CLUSTER-LOG", "log", "$8\r\nnowhere\n\r\n"},
		{"DEBUG CLUSTERLINK KILL to n1", "kill n1 true false", "+OK\r\n"},
		{"DEBUG CLUSTERLINK KILL from n1", "kill n1 false true", "+OK\r\n"},
		{"DEBUG CLUSTERLINK KILL ALL n2", "kill n2 true true", "-ERR Unknown node n2\r\n"},
		{"DEBUG CLUSTERLINK KILL up n1", "", "-ERR Unknown direction up\r\n"},
		{"DEBUG CLUSTERLINK x to n1", "", "-ERR unknown subcommand or wrong number of arguments for 'CLUSTERLINK'. Try DEBUG HELP.\r\n"},
	} {
		got = nil
		s.want(c.line, c.reply)
		if hook := strings.Join(got, "; "); hook != c.hook {
			t.Errorf("%s: %q, want %q", c.line, hook, c.hook)
		}
	}
}

// TestDebugUnconnected: every subcommand that needs another room says so when
// there is none.
func TestDebugUnconnected(t *testing.T) {
	s := newServer(t, nil)
	for _, line := range []string{
		"PAUSE-CRON 1", "SET-DISABLE-DENY-SCRIPTS 1", "SET-SKIP-CHECKSUM-VALIDATION 1", "QUICKLIST-PACKED-THRESHOLD 1", "AOF-FLUSH-SLEEP 1",
		"REPLYBUFFER RESIZING 1", "REPLYBUFFER PEAK-RESET-TIME 1", "CHANGE-REPL-ID", "DROP-CLUSTER-PACKET-FILTER -1",
		"CLOSE-CLUSTER-LINK-ON-PACKET-DROP 1", "CLUSTER-LOG", "RELOAD", "RELOAD NOSAVE", "LOADAOF", "RESTART", "CRASH-AND-RECOVER 5", "REPLICATE a b",
		"STRUCTSIZE", "SDSLEN k", "LISTPACK k", "QUICKLIST k 1", "CLIENT-EVICTION", "DICT-RESIZING 1",
	} {
		want := "-ERR DEBUG " + strings.Fields(line)[0] + " is not supported: "
		if got := s.do("DEBUG " + line); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q", line, got)
		}
	}
	if hooks := reflect.TypeFor[Debug]().NumField(); hooks != 15 {
		t.Errorf("%d hooks: test the new ones", hooks)
	}
}

func TestDebugHelp(t *testing.T) {
	got := newServer(t, nil).do("DEBUG HELP")
	for _, want := range []string{"+DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n+AOF", "+DIGEST\r\n", "+HELP\r\n+    Print this help.\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	if strings.Contains(got, "LOADAOF") {
		t.Error("HELP mentions what does not work")
	}
}

func TestDebugReload(t *testing.T) {
	var got []Reload
	s := newServer(t, func(o *Options) {
		o.Debug.Reload = func(c *command.Call, how Reload) { got = append(got, how); c.Out.OK() }
	})
	s.want("DEBUG RELOAD", "+OK\r\n")
	s.want("DEBUG RELOAD NOSAVE merge NoFlush", "+OK\r\n")
	s.want("DEBUG RELOAD NOSAVE x", "-ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.\r\n")
	if want := []Reload{{Save: true, Flush: true}, {Merge: true}}; !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestDebugSetActiveExpire(t *testing.T) {
	s := newServer(t, nil)
	s.set(0, "k", "v", -10)
	s.want("DEBUG SET-ACTIVE-EXPIRE 0", "+OK\r\n")
	if n := s.ks.ExpireCycle(time.Now().UnixMilli(), time.Second); n != 0 {
		t.Errorf("%d keys expired", n)
	}
	s.want("DEBUG SET-ACTIVE-EXPIRE 1", "+OK\r\n")
	if n := s.ks.ExpireCycle(time.Now().UnixMilli(), time.Second); n != 1 {
		t.Errorf("%d keys expired", n)
	}
}

func TestDebugStringMatch(t *testing.T) {
	newServer(t, nil).want("DEBUG STRINGMATCH-TEST", "+Apparently Redis did not crash: test passed\r\n")
}

func TestDebugTables(t *testing.T) {
	s := newServer(t, nil)
	s.want("DEBUG POPULATE 1000", "+OK\r\n")
	s.set(0, "k", "v", 100_000)
	got := s.do("DEBUG HTSTATS 0 full")
	for _, want := range []string{"number of elements: 1001\n", "[Expires HT]\nHeap of deadlines:\n number of elements: 1\n", " tables: "} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	s.want("DEBUG HTSTATS-KEY k", "-ERR The value stored at the specified key is not represented using an hash table\r\n")
	members := set.New([]byte("a"), 1, set.Limits{})
	members.Add([]byte("a"), set.Limits{})
	for _, o := range []value.Object{members, zset.Of([]zset.Item{{Member: []byte("a"), Score: 1}}, zset.Limits{})} {
		var tx keyspace.WriteTx
		tx.Begin(s.ks, nil, 0, time.Now().UnixMilli(), 0)
		if err := tx.SetObject([]byte("big"), o, keyspace.NoExpiry); err != nil {
			t.Fatal(err)
		}
		tx.Commit(nil)
		if got := s.do("DEBUG HTSTATS-KEY big full"); !strings.Contains(got, " number of elements: 1\n") {
			t.Errorf("%s: %q", o.Encoding(), got)
		}
	}
	if bytes := s.ks.IndexBytes(); bytes < 1000*6 {
		t.Errorf("tables of 1001 keys take %d bytes", bytes)
	}
}

func TestAtoi(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "1": 1, "-1": -1, "+2": 2, " 3x": 3, "x": 0, "--1": 0, "99999999999999999999": 9999999999} {
		if got := atoi([]byte(text)); got != want {
			t.Errorf("atoi(%q) = %d, want %d", text, got, want)
		}
	}
}

// TestCrashes runs each crash in a process of its own.
func TestCrashes(t *testing.T) {
	if how := os.Getenv("SKEIN_ADMIN_CRASH"); how != "" {
		s := newServer(t, nil)
		defer func() { fmt.Print("LOG ", s.log.String()) }()
		s.do("DEBUG " + how)
		return
	}
	for how, want := range map[string]string{
		"PANIC": "panic: DEBUG PANIC called at Unix time", "ASSERT": "panic: DEBUG ASSERT", "OOM": "panic: DEBUG OOM",
		"SEGFAULT": "SIGSEGV: segmentation violation",
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestCrashes$")
		cmd.Env = append(os.Environ(), "SKEIN_ADMIN_CRASH="+how)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v: %s", how, err, out)
		}
		if strings.Contains(string(out), "runtime error") {
			t.Errorf("%s: the suites take this for a sanitizer's report: %s", how, out)
		}
	}
}
