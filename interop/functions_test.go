package interop

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

// The libraries of functions on their way between nodes and redis-servers, by redis's own tools.

// movedLibraries are two, one of which has functions with flags and descriptions, and odd bytes.
var movedLibraries = []string{
	"#!lua name=counts\nlocal function up(keys, args) return redis.call('incrby', keys[1], args[1] or 1) end\nredis.register_function('up', up)\n" +
		"redis.register_function{function_name='now', callback=function(keys) return redis.call('get', keys[1]) end, flags={'no-writes', 'allow-stale'}, description='reads \"it\"'}",
	"#!lua name=odd\nlocal text = 'caf\xc3\xa9 \x01\xff' -- " + strings.Repeat("x", 3000) + "\nredis.register_function{function_name='odd', callback=function() return text end, flags={'no-writes'}}",
}

func loadLibraries(s *server) {
	s.Want("counts", "FUNCTION", "LOAD", movedLibraries[0])
	s.Want("odd", "FUNCTION", "LOAD", movedLibraries[1])
}

// hasLibraries checks that a node knows the same libraries as another, and can run them.
func hasLibraries(t *testing.T, n, as *server) {
	t.Helper()
	library := func(n *server, name string) []string { // its functions are in any order
		words := strings.FieldsFunc(n.Do("FUNCTION", "LIST", "WITHCODE", "LIBRARYNAME", name), func(r rune) bool { return strings.ContainsRune(" []", r) })
		slices.Sort(words)
		return words
	}
	testkit.Eventually(t, "the libraries are there", func() bool { return strings.HasPrefix(n.Do("FUNCTION", "LIST", "LIBRARYNAME", "odd"), "[[") })
	for _, name := range []string{"counts", "odd"} {
		if got, want := library(n, name), library(as, name); !slices.Equal(got, want) {
			t.Errorf("port %d: %q instead of %q", n.Port, got, want)
		}
	}
	n.Want("caf\xc3\xa9 \x01\xff", "FCALL_RO", "odd", "0")
}

// bothWays are who gives to whom.
var bothWays = []struct {
	name     string
	from, to func(*testing.T, ...string) *server
}{
	{"skein to redis", startAnySkein, startAnyRedis},
	{"redis to skein", startAnyRedis, startAnySkein},
	{"skein to skein", startAnySkein, startAnySkein},
}

func startAnySkein(t *testing.T, directives ...string) *server {
	return testkit.StartSkein(t, directives...)
}
func startAnyRedis(t *testing.T, directives ...string) *server {
	return testkit.StartRedis(t, directives...)
}

// TestFunctionsByFullSync: a replica gets what its master has, in place of its own, by a file and without one, and
// then what is loaded and deleted.
func TestFunctionsByFullSync(t *testing.T) {
	t.Parallel()
	for i, way := range bothWays {
		t.Run(way.name, func(t *testing.T) {
			master := way.from(t, "repl-diskless-sync "+[]string{"yes", "no"}[i%2], "repl-diskless-sync-delay 0")
			replica := way.to(t)
			loadLibraries(master)
			master.Want(":5", "FCALL", "up", "1", "k", "5")
			replica.Want("old", "FUNCTION", "LOAD", "#!lua name=old\nredis.register_function('old', function() end)")
			replica.Want("+OK", "REPLICAOF", "127.0.0.1", strconv.Itoa(master.Port))
			hasLibraries(t, replica, master)
			replica.Want("5", "FCALL_RO", "now", "1", "k")
			replica.Want("[]", "FUNCTION", "LIST", "LIBRARYNAME", "old")

			master.Want("later", "FUNCTION", "LOAD", "#!lua name=later\nredis.register_function{function_name='later', callback=function() return 1 end, flags={'no-writes'}}")
			master.Want("+OK", "FUNCTION", "DELETE", "counts")
			master.Want(":1", "WAIT", "1", "20000")
			replica.Want(":1", "FCALL_RO", "later", "0")
			replica.Want("-ERR Function not found", "FCALL", "up", "1", "k")
		})
	}
}

// TestFunctionsByFile: redis-cli --functions-rdb writes a file of functions without keys, which each can start from.
func TestFunctionsByFile(t *testing.T) {
	t.Parallel()
	for _, way := range bothWays {
		t.Run(way.name, func(t *testing.T) {
			from, to := way.from(t, "repl-diskless-sync-delay 0"), way.to(t)
			loadLibraries(from)
			from.Want("+OK", "SET", "key", "stays")
			file := filepath.Join(t.TempDir(), "functions.rdb")
			testkit.RedisCLI(t, "-p", strconv.Itoa(from.Port), "--functions-rdb", file)
			to.Stop()
			move := filepath.Join(to.Dir, "dump.rdb")
			if err := os.Rename(file, move); err != nil {
				t.Fatal(err)
			}
			to.Start()
			hasLibraries(t, to, from)
			to.Want(":0", "DBSIZE")
		})
	}
}

// TestFunctionsOfAClusterGoToANewNode: redis-cli --cluster add-node brings them there by FUNCTION DUMP and RESTORE.
func TestFunctionsOfAClusterGoToANewNode(t *testing.T) {
	t.Parallel()
	for _, way := range bothWays {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			first, added := way.from(t, clusterMode...), way.to(t, clusterMode...)
			first.Want("+OK", "CLUSTER", "ADDSLOTSRANGE", "0", "16383")
			waitInfo(t, first, "cluster_state", "ok")
			loadLibraries(first)
			mustContain(t, manage(t, "add-node", added.Addr(), first.Addr()), "Getting functions from cluster", "[OK] New node added correctly.")
			waitSame(t, []*server{first, added})
			hasLibraries(t, added, first)
		})
	}
}
