// Package secure is what TLS is made of: certificates, authorities, versions
// and cipher suites, read from the files that the tls-… directives name.
//
// A [Context] is one reading of all of them, immutable. The node keeps the one
// in force behind an atomic pointer and replaces it when CONFIG SET names other
// files, or the same ones anew; a connection keeps what it was made with. A
// reading that fails changes nothing.
//
//	tls-cert-file, tls-key-file ───────► how we show ourselves to who connects,
//	                                     and to whom we connect, unless there is
//	tls-client-cert-file, -key-file ───► how we show ourselves to whom we connect
//	tls-ca-cert-file, -dir ────────────► whose certificates we believe
//
// Who is on the other side of a connection of the cluster bus or of replication
// is proved by the authority alone, as in redis: the name in a certificate is
// not compared with anything.
//
// crypto/tls does not let everything be chosen that OpenSSL does. Load says to
// its log what of a directive is not honoured.
package secure
