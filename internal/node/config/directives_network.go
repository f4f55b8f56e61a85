package config

import "math"

// Where and how clients connect.
var (
	Bind           = bindAddresses("bind", "*", "-::*")
	BindSourceAddr = optionalText("bind-source-addr")         // local address of outgoing connections
	Port           = integer("port", 6379, 0, math.MaxUint16) // 0: no TCP port
	TCPBacklog     = integer("tcp-backlog", 511, 0, math.MaxInt32, Immutable)
	TCPKeepalive   = integer("tcp-keepalive", 300, 0, math.MaxInt32) // seconds; 0 is off
	UnixSocket     = optionalText("unixsocket", Immutable)
	UnixSocketPerm = octal("unixsocketperm", 0, 0o777, Immutable) // 0: as the umask leaves it
	SocketMarkID   = integer("socket-mark-id", 0, 0, math.MaxUint32, Immutable, inert("sockets are not marked"))
	ProtectedMode  = boolean("protected-mode", true)
	Timeout        = integer("timeout", 0, 0, math.MaxInt32) // idle seconds; 0 is never
	MaxClients     = integer("maxclients", 10000, 1, math.MaxUint32)
)

// What one client may use.
var (
	ClientQueryBufferLimit  = memory("client-query-buffer-limit", 1<<30, 1<<20, math.MaxInt64)
	ClientOutputBufferLimit = bufferLimits("client-output-buffer-limit", BufferLimits{
		ReplicaClients: {256 << 20, 64 << 20, 60},
		PubsubClients:  {32 << 20, 8 << 20, 60},
	})
	ProtoMaxBulkLen = memory("proto-max-bulk-len", 512<<20, 1<<20, math.MaxInt64)
)

// TLS.
var (
	TLSPort                = integer("tls-port", 0, 0, math.MaxUint16) // 0: no TLS port
	TLSCluster             = boolean("tls-cluster", false)
	TLSReplication         = boolean("tls-replication", false)
	TLSAuthClients         = enum("tls-auth-clients", "yes", choices{"no", "yes", "optional"})
	TLSCertFile            = optionalText("tls-cert-file", Volatile)
	TLSKeyFile             = optionalText("tls-key-file", Volatile)
	TLSKeyFilePass         = optionalText("tls-key-file-pass")
	TLSClientCertFile      = optionalText("tls-client-cert-file", Volatile)
	TLSClientKeyFile       = optionalText("tls-client-key-file", Volatile)
	TLSClientKeyFilePass   = optionalText("tls-client-key-file-pass")
	TLSDHParamsFile        = optionalText("tls-dh-params-file", Volatile)
	TLSCACertFile          = optionalText("tls-ca-cert-file", Volatile)
	TLSCACertDir           = optionalText("tls-ca-cert-dir", Volatile)
	TLSProtocols           = optionalText("tls-protocols")
	TLSCiphers             = optionalText("tls-ciphers")
	TLSCiphersuites        = optionalText("tls-ciphersuites")
	TLSPreferServerCiphers = boolean("tls-prefer-server-ciphers", false)
	TLSSessionCaching      = boolean("tls-session-caching", true)
	TLSSessionCacheSize    = integer("tls-session-cache-size", 20*1024, 0, math.MaxInt32)
	TLSSessionCacheTimeout = integer("tls-session-cache-timeout", 300, 0, math.MaxInt32) // seconds
)
