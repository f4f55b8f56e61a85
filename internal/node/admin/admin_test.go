package admin

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/testkit/commandfacts"
)

// TestFacts compares the declarations with what redis 7.2.4 says of its commands.
func TestFacts(t *testing.T) { commandfacts.Check(t, newServer(t, nil).table) }

func section(name string, byDefault bool) Section {
	return Section{name, byDefault, func(b []byte) []byte { return append(b, "of:"+name+"\r\n"...) }}
}

func titles(info string) (all []string) {
	for line := range strings.Lines(info) {
		if title, ok := strings.CutPrefix(strings.TrimSpace(line), "# "); ok {
			all = append(all, title)
		}
	}
	return all
}

func TestInfoSections(t *testing.T) {
	s := newServer(t, func(o *Options) {
		o.Sections = []Section{
			section("Commandstats", false), section("Stats", true), section("Clients", true), section("Debug", false), section("Replication", true),
		}
	})
	byDefault := "Server Clients Memory Stats Replication CPU Modules Cluster Keyspace"
	all := "Server Clients Memory Stats Replication CPU Modules Commandstats Cluster Keyspace"
	for _, c := range []struct{ ask, want string }{
		{"", byDefault},
		{"default", byDefault},
		{"all", all},
		{"everything", all},
		{"default commandstats", all},
		{"ALL debug", all + " Debug"},
		{"stats Clients STATS", "Clients Stats"},
		{"cpu nonsense", "CPU"},
		{"nonsense", ""},
	} {
		if got := strings.Join(titles(s.do("INFO "+c.ask)), " "); got != c.want {
			t.Errorf("INFO %s: %s, want %s", c.ask, got, c.want)
		}
	}
	if got := s.do("INFO replication stats"); got != "$52\r\n# Stats\r\nof:Stats\r\n\r\n# Replication\r\nof:Replication\r\n\r\n" {
		t.Errorf("%q", got)
	}
}

func TestInfoKeyspace(t *testing.T) {
	s := newServer(t, nil)
	s.set(0, "a", "1", 0)
	s.set(0, "b", "1", 3_600_000)
	s.set(9, "a", "1", 0)
	got := bulk(s.do("INFO keyspace"))
	if !strings.HasPrefix(got, "# Keyspace\r\ndb0:keys=2,expires=1,avg_ttl=3") || !strings.HasSuffix(got, "db9:keys=1,expires=0,avg_ttl=0\r\n") {
		t.Errorf("%q", got)
	}
}

func field(t testing.TB, info, name string) string {
	t.Helper()
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Errorf("INFO has no %s", name)
	return ""
}

func TestInfoMemory(t *testing.T) {
	var beside Memory
	s := newServer(t, func(o *Options) { o.Memory = func() Memory { return beside } })
	s.set(0, "k", strings.Repeat("x", 100_000), 0)
	beside = Memory{Clients: 5000, ClusterLinks: 700, ReplicaBuffers: 50, Backlog: 40, NotCounted: 3}
	info := s.do("INFO memory")
	used := s.ks.Used() + 5740
	for name, want := range map[string]string{
		"used_memory": f(used), "used_memory_peak": f(used), "used_memory_startup": "0", "used_memory_peak_perc": "100.00%",
		"mem_clients_normal": "5000", "mem_cluster_links": "700", "mem_replication_backlog": "40", "mem_total_replication_buffers": "50",
		"mem_not_counted_for_evict": "3", "mem_allocator": "go", "maxmemory_policy": "noeviction", "maxmemory_human": "0B",
	} {
		if got := field(t, info, name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	beside = Memory{}
	if got := field(t, s.do("INFO memory"), "used_memory_peak"); got != f(used) {
		t.Errorf("the peak has sunk to %s", got)
	}
	s.admin.Tick(time.Now().UnixMilli() + 10_000)
	info = s.do("INFO memory")
	if field(t, info, "used_memory_rss") == "0" || field(t, info, "allocator_resident") == "0" {
		t.Errorf("no samples: %s", info)
	}
}

func f(n int64) string { b := fields{}; b.num("", n); return strings.TrimSpace(string(b[1:])) }

func TestHuman(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0B", 1023: "1023B", 1024: "1.00K", 1536: "1.50K", 1 << 20: "1.00M", 3 << 30: "3.00G", 1 << 40: "1.00T", 5 << 50: "5.00P",
	} {
		if got := human(n); got != want {
			t.Errorf("human(%d) = %s, want %s", n, got, want)
		}
	}
	var b fields
	b.seconds("cpu", 12_000_345)
	if string(b) != "cpu:12.000345\r\n" {
		t.Errorf("%q", b)
	}
}

func TestConfig(t *testing.T) {
	cfg := &settings{all: []Setting{{"hz", "10"}, {"save", ""}}}
	s := newServer(t, func(o *Options) { o.Config = cfg })
	s.want("CONFIG GET hz save", "*4\r\n$2\r\nhz\r\n$2\r\n10\r\n$4\r\nsave\r\n$0\r\n\r\n")
	s.out.Proto = 3
	s.want("CONFIG GET nothing", "%0\r\n")
	s.want("CONFIG SET hz 20 port 1", "+OK\r\n")
	if len(cfg.set) != 2 || cfg.set[1] != (Setting{"port", "1"}) || !cfg.local {
		t.Errorf("set %v, local %v", cfg.set, cfg.local)
	}
	cfg.err = errors.New("CONFIG SET failed (possibly related to argument 'hz') - no")
	s.want("CONFIG SET hz x", "-ERR CONFIG SET failed (possibly related to argument 'hz') - no\r\n")
	cfg.err = command.Error("LOADING Redis is loading the dataset in memory")
	s.want("CONFIG SET hz x", "-LOADING Redis is loading the dataset in memory\r\n")
	cfg.err = errors.New("The server is running without a config file")
	s.want("CONFIG REWRITE", "-ERR The server is running without a config file\r\n")
	cfg.err = errors.New("Rewriting config file: Permission denied")
	s.want("DEBUG CONFIG-REWRITE-FORCE-ALL", "-ERR CONFIG-REWRITE-FORCE-ALL failed: Permission denied\r\n")
	if !cfg.forced {
		t.Error("not forced")
	}
	s.want("CONFIG RESETSTAT", "+OK\r\n")
	if cfg.resets != 1 {
		t.Error("nothing was reset")
	}
}

// TestConfigAside: a client that can be parked gets the answer to what takes
// long from elsewhere.
func TestConfigAside(t *testing.T) {
	cfg := &settings{}
	s := newServer(t, func(o *Options) { o.Config = cfg })
	s.client = client{parks: true, addr: netip.MustParseAddrPort("10.1.2.3:4")}
	s.want("CONFIG SET hz 20", "+OK\r\n")
	if cfg.local || cfg.set[0] != (Setting{"hz", "20"}) {
		t.Errorf("%v, local %v", cfg.set, cfg.local)
	}
	cfg.err = errors.New("no")
	s.want("CONFIG REWRITE", "")
	if got := s.parked(); got != "-ERR no\r\n" {
		t.Errorf("%q", got)
	}
}

func TestConfigSetHidesPasswords(t *testing.T) {
	spec := newServer(t, nil).table.LookupFull("config|set")
	words := strings.Fields("CONFIG SET hz 1 REQUIREPASS secret masterauth other")
	var argv [][]byte
	for _, w := range words {
		argv = append(argv, []byte(w))
	}
	var hidden []string
	spec.Hide(argv, func(i int) { hidden = append(hidden, words[i]) })
	if strings.Join(hidden, " ") != "secret other" {
		t.Errorf("hidden: %v", hidden)
	}
}

func TestShutdown(t *testing.T) {
	var how Shutdown
	var failed func()
	aborts := true
	s := newServer(t, func(o *Options) {
		o.Shutdown = func(h Shutdown, f func()) { how, failed = h, f }
		o.AbortShutdown = func() bool { return aborts }
	})
	s.want("SHUTDOWN", "-ERR SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client\r\n")
	if failed != nil {
		t.Fatal("it began")
	}
	s.client.parks = true
	s.want("shutdown nosave now Force", "")
	if how != (Shutdown{NoSave: true, Now: true, Force: true}) {
		t.Errorf("%+v", how)
	}
	failed()
	if got := s.parked(); got != "-ERR Errors trying to SHUTDOWN. Check logs.\r\n" {
		t.Errorf("%q", got)
	}
	s.want("SHUTDOWN ABORT", "+OK\r\n")
	aborts = false
	s.want("SHUTDOWN ABORT", "-ERR No shutdown in progress.\r\n")
}

func TestTime(t *testing.T) {
	s := newServer(t, nil)
	s.client.multi = true
	if got := s.do("TIME"); !strings.HasPrefix(got, "*2\r\n$10\r\n") || !strings.HasSuffix(got, "000\r\n") {
		t.Errorf("inside EXEC: %q", got)
	}
}

func TestMemoryCommands(t *testing.T) {
	s := newServer(t, nil)
	s.set(0, "small", "1", 0)
	s.set(0, "large", strings.Repeat("x", 1<<20), 1000)
	s.set(3, "gone", "x", -1)
	small, large := s.do("MEMORY USAGE small"), s.do("MEMORY USAGE large SAMPLES 0")
	if small != ":34\r\n" && len(small) > 6 || !strings.HasPrefix(large, ":104") {
		t.Errorf("small %q, large %q", small, large)
	}
	stats := s.do("MEMORY STATS")
	for _, want := range []string{"*58\r\n", "$10\r\nkeys.count\r\n:3\r\n", "$4\r\ndb.3\r\n*6\r\n", "$14\r\npeak.allocated\r\n:"} {
		if !strings.Contains(stats, want) {
			t.Errorf("no %q in %q", want, stats)
		}
	}
	if got := s.do("MEMORY DOCTOR"); !strings.Contains(got, "too little data") {
		t.Errorf("%q", got)
	}
	s.want("MEMORY PURGE", "+OK\r\n")
	if got := s.do("MEMORY MALLOC-STATS"); !strings.Contains(got, "arena_resident:") {
		t.Errorf("%q", got)
	}
}

func TestDiagnosis(t *testing.T) {
	for _, c := range []struct {
		m    account
		want string
	}{
		{account{used: 1}, "too little"},
		{account{used: 100 << 20, peak: 100 << 20, rss: 110 << 20}, "Nothing is wrong"},
		{account{used: 100 << 20, peak: 200 << 20}, "up to 200.00M"},
		{account{used: 100 << 20, rss: 200 << 20}, "takes 200.00M for 100.00M"},
		{account{used: 100 << 20, Memory: Memory{Clients: 80 << 20}}, "Clients take more"},
		{account{used: 100 << 20, Memory: Memory{Replicas: 20 << 20}}, "wait for replicas"},
	} {
		if got := c.m.diagnosis(); !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q", c.m, got)
		}
	}
}

func TestModulesAndRest(t *testing.T) {
	s := newServer(t, nil)
	s.want("MODULE LOAD x", "-ERR Error loading the extension. Please check the server logs.\r\n")
	s.want("MODULE LOADEX x CONFIG a b ARGS c", "-ERR Error loading the extension. Please check the server logs.\r\n")
	s.want("MODULE UNLOAD x", "-ERR Error unloading module: no such module with that name\r\n")
	if got := s.do("LOLWUT VERSION 5 1 2"); !strings.HasSuffix(got, "\nRedis ver. 7.2.4\n\r\n") {
		t.Errorf("%q", got)
	}
}

// TestInfoAllocations keeps INFO cheap: tests and monitors ask without end.
func TestInfoAllocations(t *testing.T) {
	s := newServer(t, nil)
	argv := [][]byte{[]byte("INFO"), []byte("memory")}
	var b []byte
	n := testing.AllocsPerRun(100, func() { b = s.admin.AppendInfo(b[:0], argv[1:]) })
	if n > 30 {
		t.Errorf("INFO memory allocates %v times", n)
	}
}

func BenchmarkInfo(b *testing.B) {
	s := newServer(b, nil)
	s.set(0, "k", "v", 1000)
	for _, section := range []string{"memory", "default"} {
		b.Run(section, func(b *testing.B) {
			names := [][]byte{[]byte(section)}
			var buf []byte
			for b.Loop() {
				buf = s.admin.AppendInfo(buf[:0], names)
			}
		})
	}
}
