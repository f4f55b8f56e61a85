package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

// fillStrings makes strings of all kinds in several databases, some with a deadline.
func fillStrings(s *testkit.Server) {
	for db := range 4 {
		s.Want("+OK", "SELECT", fmt.Sprint(db))
		for i := range 200 {
			key := fmt.Sprint("key:", i)
			switch i % 5 {
			case 0:
				s.Want("+OK", "SET", key, fmt.Sprint(i*i*i*1_000_003-5_000_000))
			case 1:
				s.Want("+OK", "SET", key, strings.Repeat(key, i))
			case 2:
				s.Want("+OK", "SET", key, key, "PXAT", fmt.Sprint(4_000_000_000_000+i))
			case 3:
				s.Want(":1", "APPEND", key, "x")
			case 4:
				s.Want("+OK", "SET", key, "\x00\xff\r\n"+key)
			}
		}
		s.Do("SETRANGE", "large", "6000000", fmt.Sprint("end", db))
	}
	s.Want("+OK", "SELECT", "0")
}

// TestFilesBothWays: the file of each loads in the other, and DEBUG DIGEST agrees.
func TestFilesBothWays(t *testing.T) {
	t.Parallel()
	for _, settings := range [][]string{
		{"rdbcompression yes", "maxmemory-policy noeviction"},
		{"rdbcompression no", "maxmemory-policy allkeys-lru"},
		{"rdbchecksum no", "maxmemory-policy volatile-lfu"},
	} {
		settings = append(settings, "enable-debug-command yes")
		skein, redis := testkit.StartSkein(t, settings...), testkit.StartRedis(t, settings...)
		for _, way := range [][2]*testkit.Server{{skein, redis}, {redis, skein}} {
			from, to := way[0], way[1]
			from.Want("+OK", "FLUSHALL")
			fillStrings(from)
			digest := from.Do("DEBUG", "DIGEST")
			from.Want("+OK", "SAVE")
			move(t, from, to)
			if got := to.Do("DEBUG", "DIGEST"); got != digest {
				t.Errorf("%v: %s is read as %s", settings, digest, got)
			}
			to.Want("+OK", "DEBUG", "RELOAD")
			if got := to.Do("DEBUG", "DIGEST"); got != digest {
				t.Errorf("%v: %s is reloaded as %s", settings, digest, got)
			}
		}
		out, err := testkit.Run(t, "", testkit.Program(t, "redis-check-rdb"), filepath.Join(skein.Dir, "dump.rdb"))
		if err != nil || !strings.Contains(out, "RDB looks OK!") {
			t.Errorf("redis-check-rdb: %v\n%s", err, out)
		}
	}
}

// move starts to anew with the file of from.
func move(t *testing.T, from, to *testkit.Server) {
	t.Helper()
	to.Stop()
	file, err := os.ReadFile(filepath.Join(from.Dir, "dump.rdb"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to.Dir, "dump.rdb"), file, 0o644); err != nil {
		t.Fatal(err)
	}
	to.Start()
	testkit.Eventually(t, "the file is loaded", func() bool { return to.Do("PING") == "+PONG" })
}

// TestKeysOutliveAStop: by SIGTERM and SHUTDOWN with save points, not by SIGKILL, nor
// without them.
func TestKeysOutliveAStop(t *testing.T) {
	t.Parallel()
	s := testkit.StartSkein(t, "save 1000 1000000")
	again := func(end func(), want string) {
		t.Helper()
		end()
		s.Start()
		if got := s.Do("GET", "k"); got != want {
			t.Errorf("%q is left, not %q", got, want)
		}
	}
	shutdown := func(args ...string) func() {
		return func() {
			t.Helper()
			s.Conn().Send(append([]string{"SHUTDOWN"}, args...)...)
			if v, err := s.Conn().Receive(); err == nil {
				t.Errorf("SHUTDOWN answers %s", testkit.Show(v))
			}
			s.Kill() // it is gone
		}
	}
	s.Want("+OK", "SET", "k", "1")
	again(s.Stop, "1")
	s.Want("+OK", "SET", "k", "2")
	again(s.Kill, "1")
	s.Want("+OK", "SET", "k", "3")
	again(shutdown(), "3")
	s.Want("+OK", "SET", "k", "4")
	again(shutdown("NOSAVE"), "3")
	s.Configure("save ''")
	s.Stop()
	s.Start()
	s.Want("+OK", "SET", "k", "5")
	again(s.Stop, "3")
	s.Want("+OK", "SET", "k", "6")
	again(shutdown("SAVE"), "6")
}

// TestStopThatCannotSave: a node that cannot save its keys goes on, unless it is forced.
func TestStopThatCannotSave(t *testing.T) {
	t.Parallel()
	s := testkit.StartSkein(t, "save 1000 1000000")
	s.Want("+OK", "SET", "k", "v")
	if err := os.Mkdir(filepath.Join(s.Dir, "dump.rdb"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.Want("-ERR Errors trying to SHUTDOWN. Check logs.", "SHUTDOWN")
	s.Signal(syscall.SIGTERM)
	testkit.Eventually(t, "writes are refused", func() bool {
		s.Do("BGSAVE")
		return strings.HasPrefix(s.Do("SET", "k", "v"), "-MISCONF ")
	})
	s.Want("v", "GET", "k")
	if got := s.Do("PING"); !strings.HasPrefix(got, "-MISCONF ") {
		t.Error(got)
	}
	s.Want("+OK", "CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
	s.Want("+OK", "SET", "k", "w")
	s.Conn().Send("SHUTDOWN", "FORCE")
	if v, err := s.Conn().Receive(); err == nil {
		t.Errorf("SHUTDOWN FORCE answers %s", testkit.Show(v))
	}
	s.Kill()
}

// TestDamagedFile: a node does not start with half of its keys.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	s := testkit.StartSkein(t)
	fillStrings(s)
	s.Want("+OK", "SAVE")
	s.Stop()
	path := filepath.Join(s.Dir, "dump.rdb")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file[:len(file)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := testkit.Run(t, "", testkit.SkeinBinary(t), "server", filepath.Join(s.Dir, "redis.conf"))
	if err == nil || !strings.Contains(out, "rdb: unexpected end") || !strings.Contains(out, "at byte ") || !strings.Contains(out, path) {
		t.Errorf("%v\n%s", err, out)
	}
}
