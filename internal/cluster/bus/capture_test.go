package bus

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var captureFlag = flag.String("capture", "", "path of a redis-server to record testdata/*.bin from anew")

const (
	captureNodes   = 4 // three masters and a replica of the first
	capturePort    = 17000
	captureBusPort = 17100 // where the nodes listen
	captureProxy   = 17200 // what they announce
	capturePerType = 3
)

// TestCapture makes the golden packets of this package. It runs a cluster of redis-servers whose announced
// bus ports lead through a proxy, makes them say everything they can say, and keeps the first packets of
// each type. It runs only with -capture; 7.0 and 7.2 are recorded.
func TestCapture(t *testing.T) {
	if *captureFlag == "" {
		t.Skip("records packets only with -capture")
	}
	version := serverVersion(t)
	rec := &recorder{kept: map[Type][][]byte{}}
	pids := make([]*os.Process, captureNodes)
	for i := range captureNodes {
		rec.proxy(t, captureProxy+i, captureBusPort+i)
		pids[i] = startRedis(t, i, version)
	}
	id := make([]string, captureNodes)
	for i := range captureNodes {
		waitFor(t, func() bool { return cli(i, "PING") == "PONG" })
		id[i] = cli(i, "CLUSTER", "MYID")
		cli(0, "CLUSTER", "MEET", "127.0.0.1", fmt.Sprint(capturePort+i), fmt.Sprint(captureProxy+i))
	}
	waitFor(t, func() bool {
		return strings.Contains(cli(0, "CLUSTER", "INFO"), fmt.Sprintf("known_nodes:%d", captureNodes)) &&
			strings.Contains(cli(3, "CLUSTER", "NODES"), id[0])
	})
	cli(0, "CLUSTER", "ADDSLOTSRANGE", "0", "5460")
	cli(1, "CLUSTER", "ADDSLOTSRANGE", "5461", "10922")
	cli(2, "CLUSTER", "ADDSLOTSRANGE", "10923", "16383")
	cli(3, "CLUSTER", "REPLICATE", id[0])
	waitFor(t, func() bool { return strings.Contains(cli(3, "CLUSTER", "INFO"), "cluster_state:ok") })
	waitFor(t, func() bool { return strings.Contains(cli(3, "INFO", "replication"), "link_status:up") })

	cli(0, "PUBLISH", "news", "hello bus")
	cli(0, "SPUBLISH", "news", "hello shard")
	waitFor(t, func() bool { return rec.has(TypePublish) && rec.has(TypePublishShard) })

	waitFor(t, func() bool { // MFSTART is refused until the master has heard of its replica
		cli(3, "CLUSTER", "FAILOVER")
		return strings.Contains(cli(3, "ROLE"), "master")
	})
	waitFor(t, func() bool { return strings.Contains(cli(0, "INFO", "replication"), "link_status:up") })

	// Freeze the new master: FAIL goes round and the old one takes over. Wake it: it claims slots that are
	// no longer its own and gets an UPDATE.
	pids[3].Signal(syscall.SIGSTOP)
	waitFor(t, func() bool { return strings.Contains(cli(0, "ROLE"), "master") })
	pids[3].Signal(syscall.SIGCONT)
	waitFor(t, func() bool { return rec.has(TypeUpdate) && rec.has(TypeFail) })

	// A forgotten node is named in the extensions of the heartbeats from then on.
	cli(1, "CLUSTER", "FORGET", id[2])
	cli(1, "PUBLISH", "news", "after FORGET")
	waitFor(t, func() bool { return strings.HasPrefix(version, "7.0") || rec.hasForgotten() })
	rec.write(t, version)
}

// serverVersion returns "7.0.15" of "Redis server v=7.0.15 sha=…".
func serverVersion(t *testing.T) string {
	out, err := exec.Command(*captureFlag, "--version").Output()
	_, rest, found := strings.Cut(string(out), " v=")
	if err != nil || !found {
		t.Fatal(err, string(out))
	}
	version, _, _ := strings.Cut(rest, " ")
	return version
}

func startRedis(t *testing.T, i int, version string) *os.Process {
	args := []string{
		"--port", fmt.Sprint(capturePort + i), "--dir", t.TempDir(), "--save", "", "--cluster-enabled", "yes",
		"--cluster-port", fmt.Sprint(captureBusPort + i), "--cluster-announce-bus-port", fmt.Sprint(captureProxy + i),
		"--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no", "--logfile", "redis.log",
	}
	if i%2 == 1 {
		args = append(args, "--cluster-announce-hostname", fmt.Sprintf("node-%d.example.org", i),
			"--cluster-announce-ip", "127.0.0.1")
	}
	if i == 3 && !strings.HasPrefix(version, "7.0") {
		args = append(args, "--cluster-announce-human-nodename", "shelf-3")
	}
	cmd := exec.Command(*captureFlag, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGCONT)
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd.Process
}

func cli(node int, args ...string) string {
	out, _ := exec.Command("redis-cli", append([]string{"-p", fmt.Sprint(capturePort + node)}, args...)...).Output()
	return strings.TrimSpace(string(out))
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen within a minute")
		}
	}
}

type recorder struct {
	mu   sync.Mutex
	kept map[Type][][]byte
}

// proxy forwards connections from one loopback port to another and records what passes both ways.
func (r *recorder) proxy(t *testing.T, from, to int) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", from))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", to))
			if err != nil {
				client.Close()
				continue
			}
			go r.pipe(server, client)
			go r.pipe(client, server)
		}
	}()
}

func (r *recorder) pipe(dst, src net.Conn) {
	defer dst.Close()
	defer src.Close()
	var pending []byte
	chunk := make([]byte, 64<<10)
	for {
		n, err := src.Read(chunk)
		if err != nil {
			return
		}
		if _, err := dst.Write(chunk[:n]); err != nil {
			return
		}
		pending = append(pending, chunk[:n]...)
		for {
			total, err := PacketLen(pending)
			if err != nil || total == 0 || len(pending) < total {
				break
			}
			r.keep(pending[:total])
			pending = pending[total:]
		}
	}
}

// keep copies packet unless enough of its sort are there. Heartbeats that carry slots, gossip or a host
// name are of other sorts than bare ones, so that each sort is represented.
func (r *recorder) keep(packet []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	typ := Type(be.Uint16(packet[offType:]))
	sort := func(p []byte) string {
		return fmt.Sprint(len(p), p[offSlaveOf] != 0, p[offMyIP] != 0, be.Uint16(p[offExtensions:]), be.Uint16(p[offFlags:]),
			p[offSlots:offSlaveOf][100] != 0)
	}
	for _, have := range r.kept[typ] {
		if sort(have) == sort(packet) {
			return
		}
	}
	limit := capturePerType
	if typ.Heartbeat() {
		limit *= 12
	}
	if len(r.kept[typ]) < limit {
		r.kept[typ] = append(r.kept[typ], append([]byte(nil), packet...))
	}
}

func (r *recorder) has(typ Type) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.kept[typ]) > 0
}

// hasForgotten reports whether a heartbeat that names a forgotten node was kept.
func (r *recorder) hasForgotten() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range slices.Concat(r.kept[TypePing], r.kept[TypePong]) {
		if m, _, err := Decode(p); err == nil && m.Ext.Forgotten != nil {
			return true
		}
	}
	return false
}

func (r *recorder) write(t *testing.T, version string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for typ, packets := range r.kept {
		var stream []byte
		for _, p := range packets {
			stream = append(stream, p...)
		}
		name := filepath.Join("testdata", "redis-"+version+"-"+typ.String()+".bin")
		if err := os.WriteFile(name, stream, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d packets, %d bytes", name, len(packets), len(stream))
	}
}
