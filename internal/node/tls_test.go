package node

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/testkit"
)

// secured is a node with a TLS port, and what its clients need.
type secured struct {
	*running
	ca        *testkit.Authority
	tlsPort   int
	cert, key string // of a client
	logFile   string
}

func soon() time.Time { return time.Now().Add(time.Hour) }

// runTLS starts a node that serves with and without TLS.
func runTLS(t *testing.T, directives ...string) *secured {
	t.Helper()
	return runSecured(t, testkit.NewAuthority(t), directives...)
}

func runSecured(t *testing.T, ca *testkit.Authority, directives ...string) *secured {
	t.Helper()
	r := &secured{ca: ca, running: &running{t: t, port: testkit.FreePort(t)}, tlsPort: testkit.FreePort(t)}
	dir := t.TempDir()
	cert, key := r.ca.Issue("server"+strconv.Itoa(r.port), soon())
	r.cert, r.key = r.ca.Issue("client"+strconv.Itoa(r.port), soon())
	r.logFile = filepath.Join(dir, "log")
	lines := append([]string{"port " + strconv.Itoa(r.port), "bind 127.0.0.1", "save ''", "dir " + dir, "tls-port " + strconv.Itoa(r.tlsPort),
		"tls-cert-file " + cert, "tls-key-file " + key, "tls-ca-cert-file " + r.ca.File}, directives...)
	file := filepath.Join(dir, "redis.conf")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load([]string{file}, config.Env{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(r.logFile)
	if err != nil {
		t.Fatal(err)
	}
	if r.Node, err = New(Options{Config: cfg, Loops: 2, Log: NewLog(log, log)}); err != nil {
		t.Fatal(err)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	r.conn = r.running.dial(r.port)
	return r
}

func (r *secured) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.tlsPort)) }

// try connects and asks for something: with TLS 1.3, who is refused learns it then.
func (r *secured) try(config *tls.Config) (*testkit.Conn, error) {
	c, err := testkit.DialTLS(r.addr(), config)
	if err != nil {
		return nil, err
	}
	r.t.Cleanup(c.Close)
	_, err = c.Do("PING")
	return c, err
}

func (r *secured) connect() *testkit.Conn {
	r.t.Helper()
	c, err := r.try(r.ca.Client(r.cert, r.key))
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

func (r *secured) logged(text string) {
	r.t.Helper()
	testkit.Eventually(r.t, "the log says "+text, func() bool {
		data, _ := os.ReadFile(r.logFile)
		return bytes.Contains(data, []byte(text))
	})
}

func ask(t *testing.T, c *testkit.Conn, args ...string) string {
	t.Helper()
	v, err := c.Do(args...)
	if err != nil {
		t.Fatal(args, err)
	}
	return testkit.Show(v)
}

func TestTLSVersions(t *testing.T) {
	for _, c := range []struct {
		protocols string
		served    []uint16
	}{
		{"", []uint16{tls.VersionTLS12, tls.VersionTLS13}},
		{"TLSv1.2", []uint16{tls.VersionTLS12}},
		{"TLSv1.3", []uint16{tls.VersionTLS13}},
		{"TLSv1.1 TLSv1.3", []uint16{tls.VersionTLS11, tls.VersionTLS13}},
	} {
		t.Run(c.protocols, func(t *testing.T) {
			r := runTLS(t, "tls-protocols '"+c.protocols+"'")
			for v := uint16(tls.VersionTLS10); v <= tls.VersionTLS13; v++ {
				config := r.ca.Client(r.cert, r.key)
				config.MinVersion, config.MaxVersion = v, v
				_, err := r.try(config)
				if served := bytes.Contains(versionBytes(c.served), []byte{byte(v)}); served != (err == nil) {
					t.Errorf("%s: %v", tls.VersionName(v), err)
				}
			}
			r.logged("Error accepting a client connection: ")
		})
	}
}

func versionBytes(list []uint16) (b []byte) {
	for _, v := range list {
		b = append(b, byte(v))
	}
	return b
}

func TestTLSClientCertificates(t *testing.T) {
	r := runTLS(t)
	stranger := testkit.NewAuthority(t)
	strangeCert, strangeKey := stranger.Issue("stranger", soon())
	oldCert, oldKey := r.ca.Issue("old", time.Now().Add(-time.Minute))
	for _, c := range []struct {
		auth                            string
		none, good, expired, unbelieved bool // served
	}{
		{"yes", false, true, false, false},
		{"optional", true, true, false, false},
		{"no", true, true, true, true},
	} {
		r.expect("+OK", "CONFIG", "SET", "tls-auth-clients", c.auth)
		for _, who := range []struct {
			name, cert, key string
			served          bool
			log             string
		}{
			{"none", "", "", c.none, "didn't provide a certificate"},
			{"good", r.cert, r.key, c.good, ""},
			{"expired", oldCert, oldKey, c.expired, "expired"},
			{"unbelieved", strangeCert, strangeKey, c.unbelieved, "signed by unknown authority"},
		} {
			if _, err := r.try(r.ca.Client(who.cert, who.key)); (err == nil) != who.served {
				t.Errorf("tls-auth-clients %s, certificate %s: %v", c.auth, who.name, err)
			}
			if !who.served {
				r.logged("Error accepting a client connection: ")
				r.logged(who.log)
			}
		}
	}
}

// What is not TLS is refused, and the log tells who it was.
func TestTLSPortRefusesPlainText(t *testing.T) {
	r := runTLS(t)
	c := r.running.dial(r.tlsPort)
	if _, err := c.Do("PING"); err == nil {
		t.Error("a plain PING is answered on the TLS port")
	}
	r.logged("Error accepting a client connection: tls: first record does not look like a TLS handshake (addr=127.0.0.1:")
	r.expect("+PONG", "PING")
}

func TestTLSReload(t *testing.T) {
	r := runTLS(t)
	before := r.connect()
	serial := func() string {
		c, err := tls.Dial("tcp", r.addr(), r.ca.Client(r.cert, r.key))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	cert, key := r.ca.Issue("other", soon())
	r.expect("+OK", "CONFIG", "SET", "tls-cert-file", cert, "tls-key-file", key)
	second := serial()
	if first == second {
		t.Error("the new certificate is not shown")
	}
	broken := filepath.Join(t.TempDir(), "broken.crt")
	if err := os.WriteFile(broken, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, set := range [][]string{{"tls-cert-file", broken}, {"tls-cert-file", broken + ".absent"}, {"tls-key-file", r.key},
		{"tls-ca-cert-file", broken}, {"tls-protocols", "SSLv3"}, {"tls-ciphers", "NONSENSE"}, {"tls-ciphersuites", "NONSENSE"}, {"tls-cert-file", ""}} {
		r.expect("-ERR CONFIG SET failed (possibly related to argument '"+set[0]+"') - Unable to update TLS configuration. Check server logs.",
			"CONFIG", "SET", set[0], set[1])
	}
	r.logged("Failed to load certificate: " + broken)
	r.expect("[tls-cert-file "+cert+"]", "CONFIG", "GET", "tls-cert-file")
	if serial() != second {
		t.Error("a refused certificate changes something")
	}
	// The same name, another file: what certificate agents do.
	again, againKey := r.ca.Issue("again", soon())
	for from, to := range map[string]string{again: cert, againKey: key} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	r.expect("+OK", "CONFIG", "SET", "tls-cert-file", cert)
	if serial() == second {
		t.Error("the file is not read again")
	}
	if ask(t, before, "PING") != "+PONG" {
		t.Error("who was connected is not any more")
	}
	r.expect("+OK", "CONFIG", "SET", "tls-ciphersuites", "TLS_AES_128_GCM_SHA256")
	r.logged("tls-ciphersuites has no effect")
}

func TestTLSPortMoves(t *testing.T) {
	r := runTLS(t)
	old := r.tlsPort
	r.tlsPort = testkit.FreePort(t)
	r.expect("+OK", "CONFIG", "SET", "tls-port", strconv.Itoa(r.tlsPort))
	r.connect()
	if c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(old))); err == nil {
		c.Close()
		t.Error("the old TLS port is still open")
	}
	r.expect("+OK", "CONFIG", "SET", "port", "0")
	c := r.connect()
	if got := ask(t, c, "INFO", "server"); !strings.Contains(got, "tcp_port:"+strconv.Itoa(r.tlsPort)) || !strings.Contains(got, "name=tls,bind=127.0.0.1,port="+strconv.Itoa(r.tlsPort)) {
		t.Error(got)
	}
}

// The engine must not see a difference: waits, pushes, large values, kills.
func TestTLSSessions(t *testing.T) {
	r := runTLS(t)
	c, other := r.connect(), r.connect()
	big := strings.Repeat("x", 3<<20)
	if ask(t, c, "SET", "big", big) != "+OK" || ask(t, c, "GET", "big") != big {
		t.Error("a large value is not what it was")
	}
	if err := c.Send("BLPOP", "list", "0"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the wait", func() bool { return r.info("blocked_clients") == "1" })
	r.expect(":1", "RPUSH", "list", "v")
	if v, err := c.Receive(); err != nil || testkit.Show(v) != "[list v]" {
		t.Error(v, err)
	}
	ask(t, c, "SUBSCRIBE", "news")
	if ask(t, other, "PUBLISH", "news", "hello") != ":1" {
		t.Error("nobody hears")
	}
	if v, err := c.Receive(); err != nil || testkit.Show(v) != "[message news hello]" {
		t.Error(v, err)
	}
	gone := r.connect()
	if err := gone.Send("BLPOP", "list", "0"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the wait", func() bool { return r.info("blocked_clients") == "1" })
	gone.Close()
	testkit.Eventually(t, "its end", func() bool { return r.info("blocked_clients") == "0" })
	list := r.do("CLIENT", "LIST")
	if strings.Count(list, "laddr="+r.addr()) != 2 {
		t.Error(list)
	}
	r.expect(":2", "CLIENT", "KILL", "LADDR", r.addr())
	if _, err := other.Do("PING"); err == nil {
		t.Error("a killed client is answered")
	}
	last := r.connect()
	if ask(t, last, "QUIT") != "+OK" {
		t.Error("the answer to QUIT is lost")
	}
	if _, err := last.Do("PING"); err == nil {
		t.Error("a client that quit is answered")
	}
	testkit.Eventually(t, "one client", func() bool { return r.info("connected_clients") == "1" })
}

// A peer that does not read and is disconnected for it does not keep anything.
func TestTLSOutputLimit(t *testing.T) {
	r := runTLS(t, "client-output-buffer-limit normal 1mb 0 0")
	c := r.connect()
	ask(t, c, "SET", "big", strings.Repeat("x", 1<<19))
	for range 64 {
		c.Send("GET", "big")
	}
	testkit.Eventually(t, "the disconnection", func() bool { return r.info("connected_clients") == "1" })
	r.logged("Client closed for overcoming of output buffer limits.")
}

func TestTLSFull(t *testing.T) {
	r := runTLS(t, "maxclients 2")
	r.connect()
	if _, err := r.try(r.ca.Client(r.cert, r.key)); err == nil {
		t.Error("one client too many is served")
	}
	if r.number("rejected_connections") == 0 {
		t.Error("it is not counted")
	}
}

func TestTLSReplication(t *testing.T) {
	ca := testkit.NewAuthority(t)
	master := runSecured(t, ca, "repl-diskless-sync-delay 0")
	c := master.connect()
	ask(t, c, "SET", "k", strings.Repeat("v", 1<<20))
	replica := runSecured(t, ca, "tls-replication yes", "replicaof 127.0.0.1 "+strconv.Itoa(master.tlsPort))
	testkit.Eventually(t, "the link", func() bool { return replica.info("master_link_status") == "up" })
	ask(t, c, "SET", "later", "1")
	if got := ask(t, c, "WAIT", "1", "0"); got != ":1" {
		t.Error(got)
	}
	replica.expect("1", "GET", "later")
	replica.expect(":1048576", "STRLEN", "k")
	if got := ask(t, c, "ROLE"); !strings.Contains(got, strconv.Itoa(replica.tlsPort)) {
		t.Error(got)
	}
}

func TestTLSCluster(t *testing.T) {
	ca := testkit.NewAuthority(t)
	var nodes [2]*secured
	for i := range nodes {
		nodes[i] = runSecured(t, ca, "cluster-enabled yes", "tls-cluster yes", "tls-replication yes", "cluster-node-timeout 5000",
			"cluster-port "+strconv.Itoa(testkit.FreePort(t)), "cluster-config-file nodes.conf")
	}
	a, b := nodes[0], nodes[1]
	a.expect("+OK", "CLUSTER", "ADDSLOTSRANGE", "0", "8191")
	b.expect("+OK", "CLUSTER", "ADDSLOTSRANGE", "8192", "16383")
	b.expect("+OK", "CLUSTER", "SET-CONFIG-EPOCH", "2")
	bus, _, _ := strings.Cut(strings.SplitN(b.do("CLUSTER", "NODES"), "@", 2)[1], " ")
	bus, _, _ = strings.Cut(bus, ",")
	a.expect("+OK", "CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(b.tlsPort), bus)
	testkit.Eventually(t, "the cluster", func() bool {
		return strings.Contains(a.do("CLUSTER", "INFO"), "cluster_state:ok") && strings.Contains(b.do("CLUSTER", "INFO"), "cluster_state:ok")
	})
	c := a.connect()
	plain, tls := strconv.Itoa(b.port), strconv.Itoa(b.tlsPort)
	a.expect("-MOVED 12182 127.0.0.1:"+plain, "GET", "foo")
	if got := ask(t, c, "GET", "foo"); got != "-MOVED 12182 127.0.0.1:"+tls {
		t.Error(got)
	}
	// The bare digits of a port may stand in a node's name, or be those of a slot.
	for what, address := range map[string]string{"NODES": "127.0.0.1:%s@", "SLOTS": "[127.0.0.1 :%s "} {
		plain, tls := fmt.Sprintf(address, plain), fmt.Sprintf(address, tls)
		if got := a.do("CLUSTER", what); !strings.Contains(got, plain) || strings.Contains(got, tls) {
			t.Error(got)
		}
		if got := ask(t, c, "CLUSTER", what); !strings.Contains(got, tls) || strings.Contains(got, plain) {
			t.Error(got)
		}
	}
	if got := a.do("CLUSTER", "SHARDS"); !strings.Contains(got, "tls-port :"+tls) || !strings.Contains(got, plain) {
		t.Error(got)
	}
	ask(t, c, "SET", "bar", "1") // slot 5061
	if got := ask(t, c, "MIGRATE", "127.0.0.1", tls, "bar", "0", "5000"); !strings.Contains(got, "Target instance replied with error: MOVED") {
		t.Error(got) // it was reached, by TLS
	}
}

func TestTLSNeedsCertificate(t *testing.T) {
	r := run(t)
	r.expect("-ERR CONFIG SET failed (possibly related to argument 'tls-port') - Unable to update TLS configuration. Check server logs.",
		"CONFIG", "SET", "tls-port", strconv.Itoa(testkit.FreePort(t)))
	r.expect("[tls-port 0]", "CONFIG", "GET", "tls-port")
	r.expect("+PONG", "PING")
}
