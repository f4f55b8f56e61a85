package interop

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/testkit"
)

// secureServer is a server with a TLS port besides its plain one.
type secureServer struct {
	*server
	tlsPort int
	cert    []string // options of redis-cli
}

// secureDirectives are what Skein and redis-server need for TLS.
func secureDirectives(t *testing.T, ca *testkit.Authority, name string, port int, directives ...string) []string {
	cert, key := ca.Issue(name, time.Now().Add(time.Hour))
	return append([]string{"tls-port " + strconv.Itoa(port), "tls-cert-file " + cert, "tls-key-file " + key, "tls-ca-cert-file " + ca.File}, directives...)
}

func startSecure(t *testing.T, ca *testkit.Authority, start func(testing.TB, ...string) *server, directives ...string) *secureServer {
	t.Helper()
	port := testkit.FreePort(t)
	name := "node" + strconv.Itoa(port)
	s := &secureServer{tlsPort: port}
	s.server = start(t, secureDirectives(t, ca, name, port, directives...)...)
	cert, key := ca.Issue("cli"+strconv.Itoa(port), time.Now().Add(time.Hour))
	s.cert = []string{"--tls", "--cacert", ca.File, "--cert", cert, "--key", key}
	return s
}

// cli runs a command by redis-cli --tls.
func (s *secureServer) cli(t *testing.T, args ...string) string {
	t.Helper()
	return testkit.RedisCLI(t, append(append([]string{"-p", strconv.Itoa(s.tlsPort)}, s.cert...), args...)...)
}

func TestTLSWithRedisCLI(t *testing.T) {
	ca := testkit.NewAuthority(t)
	s := startSecure(t, ca, testkit.StartSkein)
	if got := s.cli(t, "SET", "k", "v"); got != "OK\n" {
		t.Error(got)
	}
	s.Want("v", "GET", "k")
	ours, err := testkit.Run(t, "", testkit.SkeinBinary(t), append(append([]string{"cli", "-p", strconv.Itoa(s.tlsPort)}, s.cert...), "GET", "k")...)
	if err != nil || ours != "v\n" {
		t.Error(ours, err)
	}
	if out, _ := testkit.Run(t, "", testkit.SkeinBinary(t), "cli", "-p", strconv.Itoa(s.tlsPort), "--tls", "PING"); !strings.Contains(out, "unknown authority") {
		t.Error(out) // the system believes nobody who is made for a test
	}
	old, oldKey := ca.Issue("old", time.Now().Add(-time.Minute))
	for _, shown := range [][]string{nil, {"--cert", old, "--key", oldKey}} {
		out, _ := testkit.TryRedisCLI(t, append(append([]string{"-p", strconv.Itoa(s.tlsPort), "--tls", "--cacert", ca.File}, shown...), "PING")...)
		if strings.Contains(out, "PONG") {
			t.Errorf("served with %q", shown)
		}
	}
	for _, text := range []string{"didn't provide a certificate (addr=", "certificate has expired"} {
		testkit.Eventually(t, "the log says "+text, func() bool { return strings.Contains(s.Log(), text) })
	}
}

// Two nodes are Skein and two are redis-server, and all that they say to each other goes by TLS.
func TestMixedTLSCluster(t *testing.T) {
	all := secureCluster(t, [][2]int{{0, 8191}, {8192, 16383}}, testkit.StartSkein, testkit.StartRedis, testkit.StartSkein, testkit.StartRedis)
	skein, redis := all[0], all[1]
	// Each follows a master of the other kind.
	follow := func(replica, master *secureServer) {
		testkit.Eventually(t, "the master is known", func() bool {
			return replica.Do("CLUSTER", "REPLICATE", idOf(master.server)) == "+OK"
		})
		testkit.Eventually(t, "the replica follows", func() bool { return strings.Contains(replica.Do("INFO", "replication"), "master_link_status:up") })
	}
	follow(all[2], redis)
	follow(all[3], skein)
	for i := range 100 {
		key := fmt.Sprintf("key:%d", i)
		if got := skein.cli(t, "-c", "SET", key, key); !strings.HasSuffix(got, "OK\n") {
			t.Fatal(got)
		}
	}
	for master, replica := range map[*secureServer]*secureServer{redis: all[2], skein: all[3]} {
		testkit.Eventually(t, "the replica has got all", func() bool { return master.Do("DBSIZE") == replica.Do("DBSIZE") })
	}
	for _, s := range []*secureServer{skein, redis} { // both kinds are told the same of both
		for _, of := range all {
			if got := s.Do("CLUSTER", "NODES"); !strings.Contains(got, "127.0.0.1:"+strconv.Itoa(of.Port)+"@") {
				t.Error(got)
			}
			if got := s.cli(t, "CLUSTER", "NODES"); !strings.Contains(got, "127.0.0.1:"+strconv.Itoa(of.tlsPort)+"@") {
				t.Error(got)
			}
		}
	}
}

// Keys go by TLS from one node to the next, of both kinds.
func TestReshardOverTLS(t *testing.T) {
	all := secureCluster(t, [][2]int{{0, 5460}, {5461, 10922}, {10923, 16383}}, testkit.StartSkein, testkit.StartSkein, testkit.StartRedis)
	var plain []*server
	for _, s := range all {
		plain = append(plain, s.server)
	}
	const slots = 3
	for slot := range slots {
		tag := "{" + tagOf(slot) + "}"
		all[0].Want("+OK", "SET", tag+"large", strings.Repeat("v", 1<<20))
		all[0].Want(":3", "RPUSH", tag+"list", "a", "b", "c")
	}
	key := "{" + tagOf(0) + "}list"
	if got := all[0].Do("MIGRATE", "127.0.0.1", strconv.Itoa(all[1].Port), key, "0", "5000"); !strings.HasPrefix(got, "-IOERR") {
		t.Errorf("MIGRATE to a port without TLS: %s", got)
	}
	for i, from := range all {
		to := all[(i+1)%len(all)]
		waitSame(t, plain)
		from.cli(t, "--cluster", "reshard", "127.0.0.1:"+strconv.Itoa(from.tlsPort), "--cluster-from", idOf(from.server), "--cluster-to", idOf(to.server),
			"--cluster-slots", strconv.Itoa(slots), "--cluster-yes")
		from.Want(fmt.Sprintf("-MOVED 0 127.0.0.1:%d", to.Port), "LLEN", key)
		for slot := range slots {
			tag := "{" + tagOf(slot) + "}"
			to.Want(":1048576", "STRLEN", tag+"large")
			to.Want("[a b c]", "LRANGE", tag+"list", "0", "-1")
		}
		from.Want(":0", "DBSIZE")
	}
}

// secureCluster is a cluster whose nodes speak TLS to each other. The first ones have slots.
func secureCluster(t *testing.T, slots [][2]int, kinds ...func(testing.TB, ...string) *server) (all []*secureServer) {
	t.Helper()
	ca := testkit.NewAuthority(t)
	for i, start := range kinds {
		s := startSecure(t, ca, start, "cluster-port "+strconv.Itoa(testkit.FreePort(t)), "cluster-enabled yes", "cluster-node-timeout 5000",
			"tls-cluster yes", "tls-replication yes")
		if i < len(slots) {
			s.Want("+OK", "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(slots[i][0]), strconv.Itoa(slots[i][1]))
		}
		s.Want("+OK", "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		all = append(all, s)
	}
	for _, s := range all[1:] {
		all[0].Want("+OK", "CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(s.tlsPort), busPortOf(s))
	}
	testkit.Eventually(t, "the cluster", func() bool {
		for _, s := range all {
			info := s.Do("CLUSTER", "INFO")
			if testkit.Info(info, "cluster_state") != "ok" || testkit.Info(info, "cluster_known_nodes") != strconv.Itoa(len(all)) {
				return false
			}
		}
		return true
	})
	return all
}

// busPortOf is the port of a node's bus as the node says it.
func busPortOf(s *secureServer) string {
	_, after, _ := strings.Cut(s.Do("CLUSTER", "NODES"), "@")
	return after[:strings.IndexAny(after, " ,")]
}
