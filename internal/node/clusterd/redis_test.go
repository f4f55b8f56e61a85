package clusterd

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
)

// redisNode is a real redis-server in cluster mode.
type redisNode struct {
	t         *testing.T
	port, bus int
	conn      net.Conn
	in        *bufio.Reader
}

// redisServers are the servers to mix with: the one that is installed, and one built from 7.2.4's source if it is there.
func redisServers() map[string]string {
	servers := map[string]string{}
	if path, err := exec.LookPath("redis-server"); err == nil {
		servers["installed"] = path
	}
	if path := os.Getenv("SKEIN_REDIS_724"); path != "" {
		servers["7.2.4"] = path
	} else if path := "/tmp/r724/src/redis-server"; isFile(path) {
		servers["7.2.4"] = path
	}
	return servers
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
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
	r.in = bufio.NewReader(r.conn)
	return r
}

func tail(text string, lines int) string {
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// do runs a command whose reply is a line or a bulk string.
func (r *redisNode) do(line string) string {
	r.t.Helper()
	var argv [][]byte
	for word := range strings.FieldsSeq(line) {
		argv = append(argv, []byte(word))
	}
	r.conn.SetDeadline(time.Now().Add(patience))
	if _, err := r.conn.Write(resp.AppendCommandBytes(nil, argv...)); err != nil {
		r.t.Fatal(err)
	}
	head, err := r.in.ReadString('\n')
	if err != nil {
		r.t.Fatal(err)
	}
	if head[0] != '$' {
		return strings.TrimSpace(head)
	}
	n, err := strconv.Atoi(strings.TrimSpace(head[1:]))
	if err != nil {
		r.t.Fatal(err)
	}
	body := make([]byte, n+2)
	if _, err := io.ReadFull(r.in, body); err != nil {
		r.t.Fatal(err)
	}
	return string(body[:n])
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
	for name, server := range redisServers() {
		t.Run(name, func(t *testing.T) {
			a, b, r := startNode(t), startNode(t), startRedis(t, server)
			a.ok("cluster addslotsrange 0 5000")
			b.ok("cluster addslotsrange 5001 10000")
			if got := r.do("cluster addslotsrange 10001 16383"); got != "OK" && got != "+OK" {
				t.Fatal(got)
			}
			a.ok(fmt.Sprintf("cluster meet 127.0.0.1 %d %d", r.port, r.bus))
			if got := r.do(fmt.Sprintf("cluster meet 127.0.0.1 %d %d", b.config.Port, b.bus)); got != "+OK" {
				t.Fatal(got)
			}
			for _, n := range []*testNode{a, b} {
				eventually(t, "cluster state ok", func() bool { return n.fact("cluster_state") == "ok" && n.fact("cluster_size") == "3" })
			}
			eventually(t, "redis sees cluster state ok", func() bool {
				return r.fact("cluster_state") == "ok" && r.fact("cluster_known_nodes") == "3"
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
		})
	}
}
