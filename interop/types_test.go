package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

// typed are commands that make a key of each type in each encoding, under redis's own limits and those of 7.0. Scores are
// such that 7.0 and 7.2 print them alike, which is not so of 0.1 or 1e9.
func typed() (commands [][]string) {
	do := func(words ...string) { commands = append(commands, words) }
	long := strings.Repeat("0123456789 and so on ", 20)
	add := func(count int, command, key string, args func(i int) []string) {
		for i := range count {
			do(append([]string{command, key}, args(i)...)...)
		}
	}
	add(10, "RPUSH", "list:short", func(i int) []string { return []string{fmt.Sprint(i), fmt.Sprint("element ", i), "-1", ""} })
	add(300, "RPUSH", "list:long", func(i int) []string { return []string{fmt.Sprint(i * i * i), long[:i]} })
	add(3, "LPUSH", "list:wide", func(i int) []string { return []string{strings.Repeat(long, 50*i)} })
	add(40, "SADD", "set:numbers", func(i int) []string { return []string{fmt.Sprint(i * i * i * i * i * i * 1001)} })
	add(600, "SADD", "set:many numbers", func(i int) []string { return []string{fmt.Sprint(i * i)} })
	add(40, "SADD", "set:words", func(i int) []string { return []string{fmt.Sprint("member", i), fmt.Sprint(i)} })
	add(300, "SADD", "set:many", func(i int) []string { return []string{fmt.Sprint("member", i)} })
	do("SADD", "set:wide", "a", "1", long)
	add(30, "ZADD", "zset:short", func(i int) []string { return []string{fmt.Sprint(float64(i) / 4), fmt.Sprint("member", i%20)} })
	add(300, "ZADD", "zset:long", func(i int) []string { return []string{fmt.Sprint(float64(i%7) / 8), fmt.Sprint(i)} })
	do("ZADD", "zset:wide", "-inf", "a", "inf", "b", "-0.5", long, "0", "zero")
	add(30, "HSET", "hash:short", func(i int) []string { return []string{fmt.Sprint("field", i), fmt.Sprint(i * 1000)} })
	add(600, "HSET", "hash:long", func(i int) []string { return []string{fmt.Sprint(i), fmt.Sprint("value", i)} })
	do("HSET", "hash:wide", "field", long, "other", "", "", "empty")
	add(100, "PFADD", "hll", func(i int) []string { return []string{fmt.Sprint(i)} })
	do("GEOADD", "geo", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania")
	do("SET", "int", "12345")
	do("SET", "text", long)
	do("SETBIT", "bits", "50000", "1")
	for _, key := range []string{"list:short", "set:numbers", "zset:short", "hash:short", "list:long"} {
		do("COPY", key, key+":due")
		do("PEXPIREAT", key+":due", "4000000000000")
	}
	return commands
}

// streams are commands that make streams with groups.
func streams() (commands [][]string) {
	do := func(words ...string) { commands = append(commands, words) }
	for i := range 300 {
		do("XADD", "stream", fmt.Sprintf("%d-%d", 1000+i/3, i%3+1), "field", fmt.Sprint("value", i), "number", fmt.Sprint(i))
		if i%10 == 0 {
			do("XADD", "stream", "*", "other", "fields") // which ends what can be added by hand
			do("XDEL", "stream", fmt.Sprintf("%d-%d", 1000+i/3, i%3+1))
			do("XTRIM", "stream", "MAXLEN", "0")
			do("XSETID", "stream", fmt.Sprintf("%d-%d", 1000+i/3, i%3+1))
		}
	}
	do("XGROUP", "CREATE", "stream", "group", "1098-0")
	do("XGROUP", "CREATE", "stream", "new", "$")
	do("XREADGROUP", "GROUP", "group", "one", "COUNT", "3", "STREAMS", "stream", ">")
	do("XREADGROUP", "GROUP", "group", "two", "COUNT", "2", "STREAMS", "stream", ">")
	do("XGROUP", "CREATECONSUMER", "stream", "group", "idle")
	do("XDEL", "stream", "1099-2")
	do("XADD", "stream:empty", "5-5", "a", "b")
	do("XDEL", "stream:empty", "5-5")
	return commands
}

// fillTypes makes keys of all types, and returns their names.
func fillTypes(t *testing.T, s *testkit.Server) {
	t.Helper()
	for _, argv := range append(typed(), streams()...) {
		if reply := s.Do(argv...); strings.HasPrefix(reply, "-") {
			t.Fatalf("%.80q: %s", argv, reply)
		}
	}
}

// TestTypesInFiles: the file of each loads in the other, and DEBUG DIGEST and the encodings agree, there and back.
func TestTypesInFiles(t *testing.T) {
	t.Parallel()
	for _, settings := range [][]string{
		{"rdbcompression yes"},
		{"rdbcompression no", "hash-max-listpack-entries 5", "zset-max-listpack-entries 5", "list-max-listpack-size 4", "set-max-intset-entries 20"},
		{"list-max-listpack-size -1", "hash-max-listpack-value 1000", "zset-max-listpack-value 1000", "list-compress-depth 1"},
	} {
		settings = append(settings, "enable-debug-command yes")
		skein, redis := testkit.StartSkein(t, settings...), testkit.StartRedis(t, settings...)
		fillTypes(t, redis)
		redis.Want("+OK", "SAVE")
		move(t, redis, skein)
		sameTypes(t, redis, skein)
		skein.Want("+OK", "DEBUG", "RELOAD")
		sameTypes(t, redis, skein)
		skein.Want("+OK", "SAVE")
		out, err := testkit.Run(t, "", testkit.Program(t, "redis-check-rdb"), filepath.Join(skein.Dir, "dump.rdb"))
		if err != nil || !strings.Contains(out, "RDB looks OK!") {
			t.Errorf("redis-check-rdb: %v\n%s", err, out)
		}
		again := testkit.StartRedis(t, settings...)
		move(t, skein, again)
		sameTypes(t, redis, again)
	}
}

// TestTypesMadeHere: what commands make here is what they make in redis, and redis loads it from our file.
func TestTypesMadeHere(t *testing.T) {
	t.Parallel()
	const debug = "enable-debug-command yes"
	skein, redis := testkit.StartSkein(t, debug), testkit.StartRedis(t, debug)
	for _, s := range []*testkit.Server{skein, redis} {
		for _, argv := range typed() { // the IDs of streams() are of the clock
			if reply := s.Do(argv...); strings.HasPrefix(reply, "-") {
				t.Fatalf("%.80q: %s", argv, reply)
			}
		}
	}
	sameTypes(t, redis, skein)
	for _, argv := range streams() {
		if reply := skein.Do(argv...); strings.HasPrefix(reply, "-") {
			t.Fatalf("%.80q: %s", argv, reply)
		}
	}
	skein.Want("+OK", "SAVE")
	loaded := testkit.StartRedis(t, debug)
	move(t, skein, loaded)
	sameTypes(t, skein, loaded)
}

// activeTime is what XINFO tells of a consumer since 7.2.
var activeTime = regexp.MustCompile(` active-time :-?\d+`)

// sameTypes asks two servers for the digest of every key and its encoding. Redis 7.0 has no listpacks of sets.
func sameTypes(t *testing.T, a, b *testkit.Server) {
	t.Helper()
	keys, _ := a.Conn().Do("KEYS", "*")
	for _, k := range keys.Elems {
		key := k.Text()
		if x, y := a.Do("DEBUG", "DIGEST-VALUE", key), b.Do("DEBUG", "DIGEST-VALUE", key); x != y {
			t.Errorf("%s: digests %s, %s", key, x, y)
			return
		}
		x, y := a.Do("OBJECT", "ENCODING", key), b.Do("OBJECT", "ENCODING", key)
		plain := strings.NewReplacer("quicklist", "listpack")
		if strings.HasPrefix(key, "list:") { // 7.0 has no lists that are no quicklist
			x, y = plain.Replace(x), plain.Replace(y)
		}
		if x != y && !(strings.HasPrefix(key, "set:") && (x == "listpack" || y == "listpack")) {
			t.Errorf("%s: encodings %s, %s", key, x, y)
		}
	}
	for _, argv := range [][]string{{"DEBUG", "DIGEST"}, {"DBSIZE"}, {"XINFO", "STREAM", "stream", "FULL"}} {
		x, y := activeTime.ReplaceAllString(a.Do(argv...), ""), activeTime.ReplaceAllString(b.Do(argv...), "")
		if x != y && !strings.Contains(x+y, "unknown command") {
			t.Errorf("%q: %s, %s", argv, x, y)
		}
	}
}

// TestTypesInSync: a replica of the other kind has all types, and what follows.
func TestTypesInSync(t *testing.T) {
	t.Parallel()
	debug := "enable-debug-command yes"
	first, skein, last := testkit.StartRedis(t, debug), testkit.StartSkein(t, debug), testkit.StartRedis(t, debug)
	fillTypes(t, first)
	follow := func(replica, master *testkit.Server) {
		t.Helper()
		replica.Want("+OK", "REPLICAOF", "127.0.0.1", fmt.Sprint(master.Port))
		testkit.Eventually(t, "the link is up", func() bool {
			return testkit.Info(replica.Do("INFO", "replication"), "master_link_status") == "up"
		})
	}
	follow(skein, first)
	sameTypes(t, first, skein)
	follow(last, skein)
	sameTypes(t, skein, last)
	skein.Want("+OK", "REPLICAOF", "NO", "ONE")
	sameTypes(t, skein, last)
}

// TestTypesDumped: a payload of each is restored by the other, and MIGRATE moves keys both ways.
func TestTypesDumped(t *testing.T) {
	t.Parallel()
	debug := "enable-debug-command yes"
	redis, skein := testkit.StartRedis(t, debug), testkit.StartSkein(t, debug)
	fillTypes(t, redis)
	keys, _ := redis.Conn().Do("KEYS", "*")
	before := redis.Do("DEBUG", "DIGEST")
	for _, k := range keys.Elems {
		key := k.Text()
		payload, _ := redis.Conn().Do("DUMP", key)
		skein.Want("+OK", "RESTORE", key, "0", payload.Text())
		want := redis.Do("DEBUG", "DIGEST-VALUE", key)
		ours, _ := skein.Conn().Do("DUMP", key)
		redis.Want("+OK", "RESTORE", "ours:"+key, "0", ours.Text())
		redis.Want("+OK", "RENAME", "ours:"+key, "ours")
		if got := redis.Do("DEBUG", "DIGEST-VALUE", "ours"); got != want && !strings.HasSuffix(key, ":due") {
			t.Errorf("%s comes back as %s, not %s", key, got, want)
		}
		redis.Want(":1", "DEL", "ours")
	}
	skein.Want("+OK", "FLUSHALL")
	move := func(from, to *testkit.Server) {
		t.Helper()
		for _, k := range keys.Elems {
			from.Want("+OK", "MIGRATE", "127.0.0.1", fmt.Sprint(to.Port), k.Text(), "0", "5000")
		}
		if got := to.Do("DEBUG", "DIGEST"); got != before {
			t.Errorf("%s arrives as %s", before, got)
		}
		from.Want(":0", "DBSIZE")
	}
	move(redis, skein)
	move(skein, redis)
}

// TestFilesOfOldServers: those that stand in testdata, made by redis 2.4 to 6.2.
func TestFilesOfOldServers(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/rdb/*.rdb")
	for _, path := range files {
		skein, redis := testkit.StartSkein(t, "enable-debug-command yes"), testkit.StartRedis(t, "enable-debug-command yes")
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*testkit.Server{skein, redis} {
			s.Stop()
			if err := os.WriteFile(filepath.Join(s.Dir, "dump.rdb"), file, 0o644); err != nil {
				t.Fatal(err)
			}
			s.Start()
			testkit.Eventually(t, "the file is loaded", func() bool { return s.Do("PING") == "+PONG" })
		}
		keys, _ := redis.Conn().Do("KEYS", "*")
		if n := skein.Do("DBSIZE"); len(keys.Elems) == 0 || n != redis.Do("DBSIZE") {
			t.Errorf("%s: %s keys", path, n)
		}
		for _, k := range keys.Elems {
			ask := []string{"DEBUG", "DIGEST-VALUE", k.Text()}
			if redis.Do("TYPE", k.Text()) == "+zset" { // 7.0 and 7.2 write some scores in different ways
				ask = []string{"ZRANGE", k.Text(), "0", "-1", "WITHSCORES"}
			}
			if want, got := redis.Do(ask...), skein.Do(ask...); want != got {
				t.Errorf("%s: %q is %s, not %s", path, ask, got, want)
			}
		}
	}
}

// TestFieldDeadlinesTravel: they outlive a restart, and go to another Skein by MIGRATE and synchronization; redis 7.0 is
// refused them by the name of the key.
func TestFieldDeadlinesTravel(t *testing.T) {
	t.Parallel()
	debug := "enable-debug-command yes"
	a, b, redis := testkit.StartSkein(t, debug, "repl-diskless-sync-delay 0"), testkit.StartSkein(t, debug), testkit.StartRedis(t, debug)
	a.Want(":2", "HSET", "h", "f", "v", "g", "w")
	a.Want("[:1]", "HPEXPIREAT", "h", "4000000000000", "FIELDS", "1", "f")
	has := func(s *testkit.Server) {
		t.Helper()
		s.Want("[:4000000000000 :-1]", "HPEXPIRETIME", "h", "FIELDS", "2", "f", "g")
	}
	a.Want("+OK", "SAVE")
	a.Kill()
	a.Start()
	has(a)
	a.Want("+OK", "DEBUG", "RELOAD")
	has(a)
	got := a.Do("MIGRATE", "127.0.0.1", fmt.Sprint(redis.Port), "h", "0", "5000")
	if !strings.Contains(got, "DUMP payload version or checksum are wrong (key 'h' is a hash with field expiration") {
		t.Error(got)
	}
	has(a)
	redis.Want("+OK", "SET", "mine", "1")
	redis.Want("+OK", "REPLICAOF", "127.0.0.1", fmt.Sprint(a.Port))
	const refused = `key 'h' is a hash with field expiration`
	testkit.Eventually(t, "the replica is refused", func() bool { return strings.Contains(redis.Log(), refused) })
	if !strings.Contains(a.Log(), "Full resynchronization refused to replica") || !strings.Contains(a.Log(), refused) {
		t.Error("the master's log does not name the key")
	}
	redis.Want("+OK", "REPLICAOF", "NO", "ONE")
	redis.Want(":1", "EXISTS", "mine")
	b.Want("+OK", "REPLICAOF", "127.0.0.1", fmt.Sprint(a.Port))
	testkit.Eventually(t, "the replica has the key", func() bool { return b.Do("EXISTS", "h") == ":1" })
	has(b)
	if x, y := a.Do("DEBUG", "DIGEST"), b.Do("DEBUG", "DIGEST"); x != y {
		t.Errorf("digests %s, %s", x, y)
	}
	b.Want("+OK", "REPLICAOF", "NO", "ONE")
	b.Want("+OK", "FLUSHALL")
	a.Want("+OK", "MIGRATE", "127.0.0.1", fmt.Sprint(b.Port), "h", "0", "5000")
	has(b)
}
