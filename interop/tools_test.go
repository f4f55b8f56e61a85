package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

// The modes of redis-cli that look at a server or feed it.
func TestRedisCLIModes(t *testing.T) {
	s := testkit.StartSkein(t)
	port := fmt.Sprint(s.Port)
	cli := testkit.Program(t, "redis-cli")

	var protocol strings.Builder
	for i := range 5000 {
		key, value := fmt.Sprint("key:", i), strings.Repeat("v", i%700)
		fmt.Fprintf(&protocol, "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(key), key, len(value), value)
	}
	out, err := testkit.Run(t, protocol.String(), cli, "-p", port, "--pipe")
	if err != nil {
		t.Fatalf("--pipe: %v\n%s", err, out)
	}
	mustContain(t, out, "errors: 0, replies: 5000")
	s.Want(":5000", "DBSIZE")

	keys := strings.Fields(testkit.RedisCLI(t, "-p", port, "--scan", "--pattern", "key:49*"))
	if len(keys) != 111 {
		t.Errorf("--scan finds %d keys of 111", len(keys))
	}

	s.Want("+OK", "SET", "the-biggest", strings.Repeat("v", 9999))
	mustContain(t, testkit.RedisCLI(t, "-p", port, "--bigkeys"), "Sampled 5001 keys in the keyspace!", `Biggest string found '"the-biggest"' has 9999 bytes`)
	mustContain(t, testkit.RedisCLI(t, "-p", port, "--memkeys"), "Sampled 5001 keys in the keyspace!", `"the-biggest"`)

	for mode, wanted := range map[string]string{
		"--stat":    `keys +mem +clients +blocked +requests +connections\s+5001 +[0-9.]+M`,
		"--latency": `^[0-9]+ [0-9]+ [0-9.]+ [0-9]+`,
	} {
		// Without a terminal redis-cli would keep its lines until it ends.
		runUntil(t, regexp.MustCompile(wanted).MatchString, testkit.Program(t, "stdbuf"), "-oL", cli, "-p", port, mode, "-i", "1")
	}
}

// runUntil runs a program, which may go on for ever, until it has shown what is wanted.
func runUntil(t *testing.T, shown func(string) bool, program string, args ...string) {
	t.Helper()
	var out output
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	testkit.Within(testkit.Patience, func() bool { return len(ended) > 0 || shown(out.String()) })
	if len(ended) == 0 {
		cmd.Process.Kill()
		<-ended
	} else if err := <-ended; err != nil {
		t.Errorf("%s %v: %v", program, args, err)
	}
	if !shown(out.String()) {
		t.Errorf("%s %v shows:\n%s", program, args, out.String())
	}
}

// redis-benchmark finds the nodes by itself.
func TestRedisBenchmarkCluster(t *testing.T) {
	nodes := createdCluster(t, 3)
	out, err := testkit.Run(t, "", testkit.Program(t, "redis-benchmark"), "--cluster", "-p", fmt.Sprint(nodes[0].Port),
		"-t", "set,get,incr", "-n", "20000", "-r", "10000", "-P", "8", "-q")
	if err != nil {
		t.Fatalf("redis-benchmark: %v\n%s", err, out)
	}
	mustContain(t, out, "Cluster has 3 master nodes:", "SET: ", "GET: ", "INCR: ", "requests per second")
	for _, n := range nodes {
		if n.Do("DBSIZE") == ":0" {
			t.Errorf("port %d got no keys", n.Port)
		}
	}
}

// Called through a link named redis-server the binary takes redis-server's options, and its configuration file.
func TestLinkNamedRedisServer(t *testing.T) {
	link := filepath.Join(t.TempDir(), "redis-server")
	if err := os.Symlink(testkit.SkeinBinary(t), link); err != nil {
		t.Fatal(err)
	}
	out, err := testkit.Run(t, "", link, "--version")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	mustContain(t, out, "Skein server v=", "redis=7.2.4")
	out, err = testkit.Run(t, "", link, "--no-such-directive", "yes")
	if err == nil {
		t.Error("an unknown directive is taken")
	}
	mustContain(t, out, "*** FATAL CONFIG FILE ERROR", "'no-such-directive \"yes\"'", "Bad directive or wrong number of arguments")
}
