package clusterd

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/testkit"
)

// redisNode is a real redis-server in cluster mode.
type redisNode struct {
	t         *testing.T
	port, bus int
	conn      net.Conn
	process   *os.Process
	in        *resp.Reader
	seen      bytes.Buffer // what in has read
}

// redisServers are the servers to mix with: the one that is installed, and the binary of 7.2.4 that SKEIN_REDIS_724 names.
func redisServers(t *testing.T) map[string]string {
	servers := map[string]string{"installed": testkit.Program(t, "redis-server")}
	if path := os.Getenv("SKEIN_REDIS_724"); path != "" {
		servers["7.2.4"] = path
	}
	return servers
}

func startRedis(t *testing.T, server string, directives ...string) *redisNode {
	t.Helper()
	r := &redisNode{t: t, port: freePort(t), bus: freePort(t)}
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{
		"--port", strconv.Itoa(r.port), "--cluster-port", strconv.Itoa(r.bus), "--bind", "127.0.0.1", "--dir", dir,
		"--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--save", "", "--appendonly", "no",
		"--loglevel", "debug", "--enable-debug-command", "yes",
	}, directives...)
	cmd := exec.Command(server, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.process = cmd.Process
	t.Cleanup(func() {
		if r.conn != nil {
			r.conn.Close()
		}
		cmd.Process.Kill()
		cmd.Wait()
		log.Close()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("log of redis at %d:\n%s", r.port, tail(string(text), 100))
		}
	})
	eventually(t, "redis-server accepts connections", func() bool {
		r.conn, err = net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)))
		return err == nil
	})
	r.in = resp.NewReader(io.TeeReader(r.conn, &r.seen))
	return r
}

func tail(text string, lines int) string {
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// raw runs a command and returns the bytes of its reply.
func (r *redisNode) raw(line string) string {
	r.t.Helper()
	var argv [][]byte
	for word := range strings.FieldsSeq(line) {
		argv = append(argv, []byte(word))
	}
	r.conn.SetDeadline(time.Now().Add(patience))
	if _, err := r.conn.Write(resp.AppendCommandBytes(nil, argv...)); err != nil {
		r.t.Fatal(err)
	}
	r.seen.Reset()
	if _, err := r.in.Read(); err != nil {
		r.t.Fatal(err)
	}
	return r.seen.String()
}

// do runs a command whose reply is a line or a bulk string.
func (r *redisNode) do(line string) string {
	r.t.Helper()
	got := r.raw(line)
	if got[0] == '$' {
		return bulk(got)
	}
	return strings.TrimSpace(got)
}

func (r *redisNode) fact(name string) string {
	for line := range strings.SplitSeq(r.do("cluster info"), "\r\n") {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return value
		}
	}
	return ""
}

// TestMixedCluster joins a redis-server and two nodes of ours, in both directions of MEET.
func TestMixedCluster(t *testing.T) {
	t.Parallel()
	for name, server := range redisServers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b, r := startNode(t), startNode(t), startRedis(t, server)
			a.ok("cluster addslotsrange 0 5000")
			b.ok("cluster addslotsrange 5001 10000")
			if got := r.do("cluster addslotsrange 10001 16383"); got != "+OK" {
				t.Fatal(got)
			}
			eventually(t, "all nodes joined", func() bool {
				a.ok(fmt.Sprintf("cluster meet 127.0.0.1 %d %d", r.port, r.bus))
				if got := r.do(fmt.Sprintf("cluster meet 127.0.0.1 %d %d", b.config.Port, b.bus)); got != "+OK" {
					t.Fatal(got)
				}
				return within(4*time.Second, func() bool {
					return a.fact("cluster_size") == "3" && b.fact("cluster_size") == "3" && r.fact("cluster_size") == "3"
				})
			})
			eventually(t, "all see cluster state ok", func() bool {
				return a.fact("cluster_state") == "ok" && b.fact("cluster_state") == "ok" && r.fact("cluster_state") == "ok"
			})
			for _, id := range []string{a.id(), b.id()} {
				if !strings.Contains(r.do("cluster nodes"), id) {
					t.Errorf("redis does not know %s", id)
				}
			}
			if got := a.do("set foo 1"); got != fmt.Sprintf("-MOVED 12182 127.0.0.1:%d\r\n", r.port) {
				t.Errorf("redirect to redis: %q", got)
			}
			if got := r.do("set bar 1"); got != fmt.Sprintf("-MOVED 5061 127.0.0.1:%d", b.config.Port) {
				t.Errorf("redirect by redis: %q", got)
			}
			sameReplies(t, a, r)
		})
	}
}

// TestVotesForRedis kills the redis master of a cluster whose other masters are ours: their votes promote its redis
// replica.
func TestVotesForRedis(t *testing.T) {
	for name, server := range redisServers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			directives := []string{"--repl-diskless-sync-delay", "0", "--cluster-node-timeout", "1500"}
			a, b := startNode(t), startNode(t)
			master, replica := startRedis(t, server, directives...), startRedis(t, server, directives...)
			a.ok("cluster addslotsrange 0 5000")
			b.ok("cluster addslotsrange 5001 10000")
			master.do("cluster addslotsrange 10001 16383")
			a.ok("cluster set-config-epoch 1") // a master that dies while it finds out about equal epochs cannot be replaced
			b.ok("cluster set-config-epoch 2")
			master.do("cluster set-config-epoch 3")
			replica.do("cluster set-config-epoch 4")
			eventually(t, "all nodes joined", func() bool {
				a.ok(fmt.Sprintf("cluster meet 127.0.0.1 %d %d", b.config.Port, b.bus))
				for _, r := range []*redisNode{master, replica} {
					a.ok(fmt.Sprintf("cluster meet 127.0.0.1 %d %d", r.port, r.bus))
				}
				return within(4*time.Second, func() bool {
					return a.fact("cluster_known_nodes") == "4" && b.fact("cluster_size") == "3" && replica.fact("cluster_size") == "3"
				})
			})
			eventually(t, "the replica follows", func() bool {
				return replica.do("cluster replicate "+master.do("cluster myid")) == "+OK"
			})
			eventually(t, "the replica is in sync, and known", func() bool {
				master.do("incr {x}foo")
				return strings.Contains(replica.do("info replication"), "master_link_status:up") &&
					strings.HasPrefix(a.do("cluster replicas "+master.do("cluster myid")), "*1") &&
					strings.HasPrefix(b.do("cluster replicas "+master.do("cluster myid")), "*1")
			})
			master.process.Kill()
			eventually(t, "the replica is promoted", func() bool {
				return strings.Contains(replica.do("cluster nodes"), "myself,master")
			})
			want := fmt.Sprintf("-MOVED 12182 127.0.0.1:%d\r\n", replica.port)
			for _, n := range []*testNode{a, b} {
				eventually(t, "clients are sent to the new master", func() bool { return n.do("set foo 1") == want })
			}
			eventually(t, "the votes are in the history", func() bool { return voted(a) || voted(b) })
		})
	}
}

func voted(n *testNode) bool {
	return slices.ContainsFunc(n.d.History(), func(r core.Record) bool { return r.What == core.VoteGranted })
}

// sameReplies compares what a node of ours and redis show of the same cluster, in both protocols. Order is not
// compared where redis follows a hash table; ids stand for each other where a link has two ends.
func sameReplies(t *testing.T, n *testNode, r *redisNode) {
	t.Helper()
	c := n.client()
	for _, proto := range []int{2, 3} {
		c.s.SetProto(proto)
		r.raw(fmt.Sprintf("hello %d", proto))
		for line, normal := range map[string]func(string) string{
			"cluster slots":  func(s string) string { return s },
			"cluster shards": sortedLines,
			"cluster links":  func(s string) string { return sortedLines(linkFacts.ReplaceAllString(s, "$1")) },
			"cluster nodes":  func(s string) string { return s[:1] },
			"cluster info":   func(s string) string { return s[:1] },
			"cluster myid":   func(s string) string { return s[:5] },
		} {
			var ours, redis string
			eventually(t, "the same reply to "+line, func() bool {
				ours, redis = normal(c.do(strings.Fields(line)...)), normal(r.raw(line))
				return ours == redis
			})
		}
	}
}

// linkFacts is what differs between the two ends of a link: ids, times, whether something is being written.
var linkFacts = regexp.MustCompile(`(node|create-time|events|send-buffer-\w+)\r\n(?:\$\d+\r\n\w*|:\d+)`)

func sortedLines(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
