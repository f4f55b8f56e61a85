package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/netloop"
	"github.com/skeindb/skein/internal/node/secure"
)

// errTLS is why CONFIG SET refuses a change with which TLS would not work.
var errTLS = errors.New("Unable to update TLS configuration. Check server logs.")

// wantsTLS tells whether anything is to go by TLS.
func wantsTLS(v *config.Values) bool {
	return config.TLSPort.Get(v) != 0 || config.TLSReplication.Get(v) || config.TLSCluster.Get(v)
}

// loadTLS reads certificates and all that belongs to them, if they are needed. What
// was read before stays in force if that fails.
func (n *Node) loadTLS(v *config.Values) error {
	if !wantsTLS(v) {
		return nil
	}
	c, err := secure.Load(secure.Settings{
		CertFile:            v.Path(config.TLSCertFile),
		KeyFile:             v.Path(config.TLSKeyFile),
		KeyPass:             config.TLSKeyFilePass.Get(v),
		ClientCertFile:      v.Path(config.TLSClientCertFile),
		ClientKeyFile:       v.Path(config.TLSClientKeyFile),
		ClientKeyPass:       config.TLSClientKeyFilePass.Get(v),
		CACertFile:          v.Path(config.TLSCACertFile),
		CACertDir:           v.Path(config.TLSCACertDir),
		DHParamsFile:        v.Path(config.TLSDHParamsFile),
		Protocols:           config.TLSProtocols.Get(v),
		Ciphers:             config.TLSCiphers.Get(v),
		Ciphersuites:        config.TLSCiphersuites.Get(v),
		PreferServerCiphers: config.TLSPreferServerCiphers.Get(v),
		SessionCaching:      config.TLSSessionCaching.Get(v),
		SessionLimits:       config.TLSSessionCacheSize.Get(v) != defaultSessions || config.TLSSessionCacheTimeout.Get(v) != defaultSessionSeconds,
		NeedCA:              config.TLSAuthClients.Get(v) != "no" || config.TLSCluster.Get(v) || config.TLSReplication.Get(v),
	}, func(text string) { n.slog.Warn(text) })
	if err != nil {
		return err
	}
	n.secure.Store(c)
	return nil
}

// The size and the life of redis's session cache, unless others are chosen.
const (
	defaultSessions       = 20 * 1024
	defaultSessionSeconds = 300
)

// watchTLS makes CONFIG SET of the directives of TLS take effect; relisten has tls-port.
func (n *Node) watchTLS() {
	n.cfg.OnApply(func(ch config.Change) error {
		if n.loadTLS(ch.New) != nil {
			return errTLS
		}
		return nil
	}, config.TLSCluster, config.TLSReplication, config.TLSCertFile, config.TLSKeyFile, config.TLSKeyFilePass,
		config.TLSClientCertFile, config.TLSClientKeyFile, config.TLSClientKeyFilePass, config.TLSDHParamsFile,
		config.TLSCACertFile, config.TLSCACertDir, config.TLSProtocols, config.TLSCiphers, config.TLSCiphersuites,
		config.TLSPreferServerCiphers, config.TLSSessionCaching, config.TLSSessionCacheSize, config.TLSSessionCacheTimeout)
}

var auths = map[string]secure.Auth{"yes": secure.AuthYes, "no": secure.AuthNo, "optional": secure.AuthOptional}

// secureClients is how the TLS port serves who connects.
func (n *Node) secureClients() netloop.Secure {
	return netloop.Secure{
		Config: func() *tls.Config { return n.secure.Load().Server(auths[config.TLSAuthClients.Get(n.cfg.Values())]) },
		Full:   n.clients.Full,
	}
}

// secureBus does the handshake of a connection of the cluster bus, if it goes by TLS.
func (n *Node) secureBus(ctx context.Context, conn net.Conn, accepted bool) (net.Conn, error) {
	switch c := n.secure.Load(); {
	case !config.TLSCluster.Get(n.cfg.Values()) || c == nil:
		return conn, nil
	case accepted:
		return c.Accept(ctx, conn)
	default:
		return c.Connect(ctx, conn)
	}
}

// dialMigration connects to the target of MIGRATE: like a node, by TLS in a tls-cluster.
func (n *Node) dialMigration(address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if conn, err = n.secureBus(ctx, conn, false); err != nil {
		n.slog.Warn(fmt.Sprintf("MIGRATE to %s: %v", address, err))
	}
	return conn, err
}

// clientPort is the port for clients with or without TLS, or else the other one.
func clientPort(v *config.Values, secure bool) int {
	plain, tls := config.Port.Get(v), config.TLSPort.Get(v)
	if tls == 0 || plain != 0 && !secure {
		return plain
	}
	return tls
}
