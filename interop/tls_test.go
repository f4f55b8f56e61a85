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
		if log := s.Log(); !strings.Contains(log, text) {
			t.Errorf("the log does not say %q:\n%s", text, log)
		}
	}
}

// Two nodes are Skein and two are redis-server, and all that they say to each other goes by TLS.
func TestMixedTLSCluster(t *testing.T) {
	ca := testkit.NewAuthority(t)
	directives := []string{"cluster-enabled yes", "cluster-node-timeout 5000", "tls-cluster yes", "tls-replication yes"}
	var all []*secureServer
	for _, start := range []func(testing.TB, ...string) *server{testkit.StartSkein, testkit.StartRedis, testkit.StartSkein, testkit.StartRedis} {
		bus := "cluster-port " + strconv.Itoa(testkit.FreePort(t))
		all = append(all, startSecure(t, ca, start, append([]string{bus}, directives...)...))
	}
	skein, redis := all[0], all[1]
	skein.Want("+OK", "CLUSTER", "ADDSLOTSRANGE", "0", "8191")
	redis.Want("+OK", "CLUSTER", "ADDSLOTSRANGE", "8192", "16383")
	for i, s := range all {
		s.Want("+OK", "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
	}
	for _, s := range all[1:] {
		skein.Want("+OK", "CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(s.tlsPort), busPortOf(s))
	}
	stable := func() bool {
		for _, s := range all {
			if info := s.Do("CLUSTER", "INFO"); !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:4") {
				return false
			}
		}
		return true
	}
	testkit.Eventually(t, "the cluster", stable)
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
		if master.Do("WAIT", "1", "0"); master.Do("DBSIZE") != replica.Do("DBSIZE") {
			t.Error("the replica has not got all")
		}
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

// busPortOf is the port of a node's bus as the node says it.
func busPortOf(s *secureServer) string {
	_, after, _ := strings.Cut(s.Do("CLUSTER", "NODES"), "@")
	return after[:strings.IndexAny(after, " ,")]
}
