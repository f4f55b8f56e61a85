package secure

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/testkit"
)

func settings(t testing.TB) (Settings, *testkit.Authority) {
	ca := testkit.NewAuthority(t)
	cert, key := ca.Issue("node", time.Now().Add(time.Hour))
	return Settings{CertFile: cert, KeyFile: key, CACertFile: ca.File, NeedCA: true, SessionCaching: true}, ca
}

func load(t testing.TB, s Settings) (*Context, []string) {
	t.Helper()
	var said []string
	c, err := Load(s, func(text string) { said = append(said, text) })
	if (err != nil) != (c == nil) {
		t.Fatal(c, err)
	}
	return c, said
}

func TestLoadSaysWhy(t *testing.T) {
	good, _ := settings(t)
	if c, said := load(t, good); c == nil || len(said) > 0 {
		t.Fatal(said)
	}
	for want, change := range map[string]func(*Settings){
		"No tls-cert-file configured!":                    func(s *Settings) { s.CertFile = "" },
		"No tls-key-file configured!":                     func(s *Settings) { s.KeyFile = "" },
		"Either tls-ca-cert-file or tls-ca-cert-dir must": func(s *Settings) { s.CACertFile = "" },
		"Failed to load certificate: /nowhere":            func(s *Settings) { s.CertFile = "/nowhere" },
		"Failed to load private key: /nowhere":            func(s *Settings) { s.KeyFile = "/nowhere" },
		"Failed to load private key: " + good.CertFile:    func(s *Settings) { s.KeyFile = s.CertFile },
		"Failed to configure CA certificate(s)":           func(s *Settings) { s.CACertFile = s.KeyFile },
		"Invalid tls-protocols specified.":                func(s *Settings) { s.Protocols = "TLSv1.2 SSLv3" },
		"Failed to configure ciphers: X:!Y":               func(s *Settings) { s.Ciphers = "X:!Y" },
		"Failed to configure ciphersuites: TLS_X":         func(s *Settings) { s.Ciphersuites = "TLS_X" },
	} {
		s := good
		change(&s)
		if c, said := load(t, s); c != nil || len(said) != 1 || !strings.HasPrefix(said[0], want) {
			t.Errorf("%q, not %q", said, want)
		}
	}
}

func TestUnheeded(t *testing.T) {
	for want, change := range map[string]func(*Settings){
		"of tls-ciphers this is not known here and has no effect: DHE-RSA-AES256-SHA:!SHA1": func(s *Settings) {
			s.Ciphers = "ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-SHA:!SHA1:!aNULL"
		},
		"tls-ciphersuites has no effect":          func(s *Settings) { s.Ciphersuites = "TLS_AES_128_GCM_SHA256" },
		"tls-prefer-server-ciphers has no effect": func(s *Settings) { s.PreferServerCiphers = true },
		"tls-dh-params-file has no effect":        func(s *Settings) { s.DHParamsFile = "dh" },
		"tls-session-cache-size and":              func(s *Settings) { s.SessionLimits = true },
	} {
		s, _ := settings(t)
		change(&s)
		if c, said := load(t, s); c == nil || len(said) != 1 || !strings.HasPrefix(said[0], "TLS: "+want) {
			t.Errorf("%q, not %q", said, want)
		}
	}
}

func TestCiphers(t *testing.T) {
	for list, want := range map[string][]uint16{
		"ECDHE-RSA-AES128-GCM-SHA256":                                     {tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
		"AES128-SHA:AES256-SHA:!AES128-SHA":                               {tls.TLS_RSA_WITH_AES_256_CBC_SHA},
		" ,ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305:!:-": {tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256},
	} {
		s := Settings{Ciphers: list}
		if got, err := s.suites(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", list, got, err)
		}
	}
	s := Settings{Ciphers: "DEFAULT:!MEDIUM"}
	if got, err := s.suites(); err != nil || len(got) < 6 {
		t.Error(got, err)
	}
}

// Each side of the bus is refused if it is not believed, and either hears of it.
func TestHandshakes(t *testing.T) {
	mine, ca := settings(t)
	theirs, _ := settings(t) // of another authority
	old := mine
	old.ClientCertFile, old.ClientKeyFile = ca.Issue("old", time.Now().Add(-time.Minute))
	for name, c := range map[string]struct {
		server, client Settings
		ok             bool
	}{
		"friends":   {mine, mine, true},
		"strangers": {mine, theirs, false},
		"expired":   {mine, old, false},
		"versions":  {withProtocols(mine, "TLSv1.2"), withProtocols(mine, "TLSv1.3"), false},
	} {
		server, _ := load(t, c.server)
		client, _ := load(t, c.client)
		a, b := connected(t)
		answer := make(chan error, 1)
		go func() {
			conn, err := server.Accept(t.Context(), a)
			if err == nil {
				_, err = conn.Write([]byte("x"))
			}
			answer <- err
		}()
		conn, err := client.Connect(t.Context(), b)
		if err == nil {
			_, err = conn.Read(make([]byte, 1))
		}
		b.Close()
		if served := <-answer; (served == nil) != c.ok || (err == nil) != c.ok {
			t.Errorf("%s: %v, %v", name, served, err)
		}
	}
}

// connected is a pair of sockets: the ends of a net.Pipe would wait for each other.
func connected(t *testing.T) (a, b net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if b, err = net.Dial("tcp", ln.Addr().String()); err == nil {
		a, err = ln.Accept()
	}
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

func withProtocols(s Settings, list string) Settings {
	s.Protocols = list
	return s
}

// A handshake ends with its context.
func TestHandshakeGivesUp(t *testing.T) {
	s, _ := settings(t)
	c, _ := load(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	a, _ := net.Pipe()
	cancel()
	if _, err := c.Accept(ctx, a); err == nil {
		t.Error("a handshake with nobody succeeds")
	}
}

func TestAuthorityDirectory(t *testing.T) {
	s, ca := settings(t)
	s.CACertDir, s.CACertFile = filepath.Dir(ca.File), ""
	if c, said := load(t, s); c == nil {
		t.Error(said)
	}
}

func TestEncryptedKeys(t *testing.T) {
	openssl := testkit.Program(t, "openssl")
	s, _ := settings(t)
	plain := s.KeyFile
	for name, args := range map[string][]string{
		"pkcs8":   {"pkcs8", "-topk8", "-v2", "aes-256-cbc"},
		"pkcs8-1": {"pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1"},
		"old":     {"ec", "-aes128"},
	} {
		s.KeyFile = filepath.Join(t.TempDir(), name)
		args = append(args, "-in", plain, "-out", s.KeyFile, "-passout", "pass:secret")
		if out, err := exec.Command(openssl, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", name, err, out)
		}
		for pass, ok := range map[string]bool{"secret": true, "wrong": false, "": false} {
			s.KeyPass = pass
			if c, said := load(t, s); (c != nil) != ok || !ok && !strings.HasPrefix(said[0], "Failed to load private key: "+s.KeyFile) {
				t.Errorf("%s, password %q: %q", name, pass, said)
			}
		}
	}
}

func FuzzOpenPKCS8(f *testing.F) {
	if openssl, err := exec.LookPath("openssl"); err == nil {
		s, _ := settings(f)
		out := filepath.Join(f.TempDir(), "key")
		if exec.Command(openssl, "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-iter", "10", "-in", s.KeyFile, "-out", out, "-passout", "pass:x").Run() == nil {
			data, _ := os.ReadFile(out)
			if block, _ := pem.Decode(data); block != nil {
				f.Add(block.Bytes)
			}
		}
	}
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, der []byte) { openPKCS8(der, "x") })
}
