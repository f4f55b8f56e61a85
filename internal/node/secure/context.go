package secure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
)

// Settings are the directives. Files are absolute paths, "" for none.
type Settings struct {
	CertFile, KeyFile, KeyPass                   string
	ClientCertFile, ClientKeyFile, ClientKeyPass string
	CACertFile, CACertDir                        string
	DHParamsFile                                 string
	Protocols, Ciphers, Ciphersuites             string
	PreferServerCiphers                          bool
	SessionCaching                               bool
	// SessionLimits says that the size or the life of the session cache was chosen.
	SessionLimits bool
	// NeedCA says that somebody must show a certificate: a client, a node, a master.
	NeedCA bool
}

// Auth is what tls-auth-clients asks of who connects.
type Auth uint8

// A certificate is asked for and wanted, not asked for, or believed if it is shown.
const (
	AuthYes Auth = iota
	AuthNo
	AuthOptional
)

var clientAuth = map[Auth]tls.ClientAuthType{
	AuthYes: tls.RequireAndVerifyClientCert, AuthNo: tls.NoClientCert, AuthOptional: tls.VerifyClientCertIfGiven,
}

// Context is all that a connection by TLS is made with.
type Context struct {
	servers map[Auth]*tls.Config // each with tickets of its own: one seldom asked for a certificate opens no other door
	client  *tls.Config
}

// ErrLoad says that the directives make no Context; the log has the reason.
var ErrLoad = errors.New("TLS cannot be configured")

// Load makes a Context. What is wrong, and what is not honoured, goes to warn line
// by line; the error is ErrLoad then.
func Load(s Settings, warn func(string)) (*Context, error) {
	base, err := s.base()
	if err != nil {
		warn(err.Error())
		return nil, ErrLoad
	}
	client := base.Clone()
	if s.ClientCertFile != "" && s.ClientKeyFile != "" {
		cert, err := keyPair(s.ClientCertFile, s.ClientKeyFile, s.ClientKeyPass)
		if err != nil {
			warn(err.Error())
			return nil, ErrLoad
		}
		client.Certificates = []tls.Certificate{cert}
	}
	own := client.Certificates[0]
	client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &own, nil }
	client.InsecureSkipVerify = true // the name is not checked, the rest is in believe
	client.VerifyConnection = func(cs tls.ConnectionState) error {
		if err := s.allows(cs.Version); err != nil {
			return err
		}
		return believe(base.RootCAs, cs.PeerCertificates)
	}
	c := &Context{servers: map[Auth]*tls.Config{}, client: client}
	for auth, asks := range clientAuth {
		c.servers[auth] = base.Clone()
		c.servers[auth].ClientAuth = asks
	}
	for _, text := range s.unheeded() {
		warn(text)
	}
	return c, nil
}

// base is what both sides of a connection have in common.
func (s *Settings) base() (*tls.Config, error) {
	switch {
	case s.CertFile == "":
		return nil, errors.New("No tls-cert-file configured!")
	case s.KeyFile == "":
		return nil, errors.New("No tls-key-file configured!")
	case s.NeedCA && s.CACertFile == "" && s.CACertDir == "":
		return nil, errors.New("Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, tls-replication or tls-auth-clients are enabled!")
	}
	versions, err := s.versions()
	if err != nil {
		return nil, err
	}
	cert, err := keyPair(s.CertFile, s.KeyFile, s.KeyPass)
	if err != nil {
		return nil, err
	}
	pool, err := s.authorities()
	if err != nil {
		return nil, err
	}
	suites, err := s.suites()
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates:           []tls.Certificate{cert},
		RootCAs:                pool,
		ClientCAs:              pool,
		MinVersion:             slices.Min(versions),
		MaxVersion:             slices.Max(versions),
		CipherSuites:           suites,
		SessionTicketsDisabled: !s.SessionCaching,
		VerifyConnection:       func(cs tls.ConnectionState) error { return s.allows(cs.Version) },
	}, nil
}

// authorities are those whose certificates are believed: nobody's if none are named.
func (s *Settings) authorities() (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	add := func(file string) error {
		data, err := os.ReadFile(file)
		if err == nil && !pool.AppendCertsFromPEM(data) {
			err = errors.New(file + ": no certificate found")
		}
		return err
	}
	if s.CACertFile != "" {
		if err := add(s.CACertFile); err != nil {
			return nil, fmt.Errorf("Failed to configure CA certificate(s) file/directory: %w", err)
		}
	}
	if s.CACertDir != "" {
		files, err := os.ReadDir(s.CACertDir)
		if err != nil {
			return nil, fmt.Errorf("Failed to configure CA certificate(s) file/directory: %w", err)
		}
		for _, f := range files {
			add(filepath.Join(s.CACertDir, f.Name())) // other files may lie there
		}
	}
	return pool, nil
}

// believe checks the certificate of whom we connected to.
func believe(roots *x509.CertPool, shown []*x509.Certificate) error {
	if len(shown) == 0 {
		return errors.New("the other side showed no certificate")
	}
	between := x509.NewCertPool()
	for _, c := range shown[1:] {
		between.AddCert(c)
	}
	_, err := shown[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
	return err
}

// Server is how to talk to who connects.
func (c *Context) Server(auth Auth) *tls.Config { return c.servers[auth] }

// Accept does the handshake of a connection of the cluster bus, where everybody
// shows a certificate. It closes conn if that fails, or if ctx ends before.
func (c *Context) Accept(ctx context.Context, conn net.Conn) (net.Conn, error) {
	return shake(ctx, conn, tls.Server(conn, c.servers[AuthYes]))
}

// Connect does the handshake of a connection that we opened. It closes conn if that
// fails, or if ctx ends before.
func (c *Context) Connect(ctx context.Context, conn net.Conn) (net.Conn, error) {
	return shake(ctx, conn, tls.Client(conn, c.client))
}

func shake(ctx context.Context, plain net.Conn, conn *tls.Conn) (net.Conn, error) {
	if err := conn.HandshakeContext(ctx); err != nil {
		plain.Close()
		return nil, err
	}
	return abrupt{conn, plain}, nil
}

// abrupt is a connection that is closed at once. A tls.Conn says goodbye before, and
// may wait for a peer that does not read.
type abrupt struct {
	*tls.Conn
	plain net.Conn
}

// Close implements net.Conn.
func (a abrupt) Close() error { return a.plain.Close() }
