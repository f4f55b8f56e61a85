package cli

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
)

// security is what the command line says of TLS.
type security struct {
	on        bool
	sni       string
	cacert    string
	cacertDir string
	insecure  bool
	cert, key string
	config    *tls.Config // nil: plain
}

func (s *security) declare(f *pflag.FlagSet) {
	f.BoolVar(&s.on, "tls", false, "Connect by TLS.")
	f.StringVar(&s.sni, "sni", "", "Server name to ask for by TLS.")
	f.StringVar(&s.cacert, "cacert", "", "File of the authorities to believe (default: the system's).")
	f.StringVar(&s.cacertDir, "cacertdir", "", "Directory of such files.")
	f.BoolVar(&s.insecure, "insecure", false, "Believe any certificate.")
	f.StringVar(&s.cert, "cert", "", "Certificate to show.")
	f.StringVar(&s.key, "key", "", "Its private key.")
}

// load reads the files. The name in a server's certificate is not compared with
// anything, as in redis-cli: a cluster tells addresses.
func (s *security) load() error {
	if !s.on {
		return nil
	}
	c := &tls.Config{ServerName: s.sni, InsecureSkipVerify: true}
	if (s.cert == "") != (s.key == "") {
		return errors.New("Options --cert and --key must be specified together.")
	}
	if s.cert != "" {
		pair, err := tls.LoadX509KeyPair(s.cert, s.key)
		if err != nil {
			return fmt.Errorf("Invalid client certificate: %w", err)
		}
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	if !s.insecure {
		roots, err := s.roots()
		if err != nil {
			return err
		}
		c.VerifyConnection = func(cs tls.ConnectionState) error {
			between := x509.NewCertPool()
			for _, cert := range cs.PeerCertificates[1:] {
				between.AddCert(cert)
			}
			_, err := cs.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
			return err
		}
	}
	s.config = c
	return nil
}

// roots are the authorities; nil means the system's.
func (s *security) roots() (*x509.CertPool, error) {
	if s.cacert == "" && s.cacertDir == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if s.cacert != "" {
		data, err := os.ReadFile(s.cacert)
		if err != nil {
			return nil, err
		}
		if !pool.AppendCertsFromPEM(data) {
			return nil, errors.New(s.cacert + ": no certificate found")
		}
	}
	if s.cacertDir != "" {
		files, err := os.ReadDir(s.cacertDir)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if data, err := os.ReadFile(filepath.Join(s.cacertDir, f.Name())); err == nil {
				pool.AppendCertsFromPEM(data) // other files may lie there
			}
		}
	}
	return pool, nil
}

// wrap does the handshake of a new connection to a server on host.
func (s *security) wrap(conn net.Conn, host string) (net.Conn, error) {
	if s.config == nil {
		return conn, nil
	}
	config := s.config.Clone()
	if config.ServerName == "" {
		config.ServerName = host
	}
	c := tls.Client(conn, config)
	if err := c.Handshake(); err != nil {
		conn.Close()
		return nil, errors.New("SSL_connect failed: " + strings.TrimPrefix(err.Error(), "tls: "))
	}
	return c, nil
}
