package secure

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Which versions and cipher suites, in the words of OpenSSL.

var versionNames = map[string]uint16{
	"tlsv1": tls.VersionTLS10, "tlsv1.1": tls.VersionTLS11, "tlsv1.2": tls.VersionTLS12, "tlsv1.3": tls.VersionTLS13,
}

// versions are those of tls-protocols, or TLS 1.2 and 1.3.
func (s *Settings) versions() (list []uint16, err error) {
	if s.Protocols == "" {
		return []uint16{tls.VersionTLS12, tls.VersionTLS13}, nil
	}
	for _, name := range strings.Split(s.Protocols, " ") {
		v, known := versionNames[strings.ToLower(name)]
		if !known {
			return nil, errors.New("Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' and 'TLSv1.3'.")
		}
		list = append(list, v)
	}
	return list, nil
}

// allows refuses a version that lies between those of tls-protocols, but is none of
// them: crypto/tls knows the oldest and the newest only.
func (s *Settings) allows(version uint16) error {
	if list, _ := s.versions(); !slices.Contains(list, version) {
		return fmt.Errorf("%s is not among tls-protocols", tls.VersionName(version))
	}
	return nil
}

// suiteNames are OpenSSL's names of the suites, up to TLS 1.2, that crypto/tls has.
var suiteNames = map[string]uint16{
	"ECDHE-ECDSA-AES256-GCM-SHA384": tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-RSA-AES256-GCM-SHA384":   tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-ECDSA-CHACHA20-POLY1305": tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-RSA-CHACHA20-POLY1305":   tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-ECDSA-AES128-GCM-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-RSA-AES128-GCM-SHA256":   tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-ECDSA-AES128-SHA256":     tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	"ECDHE-RSA-AES128-SHA256":       tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	"ECDHE-ECDSA-AES256-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	"ECDHE-RSA-AES256-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	"ECDHE-ECDSA-AES128-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
	"ECDHE-RSA-AES128-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	"AES256-GCM-SHA384":             tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
	"AES128-GCM-SHA256":             tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
	"AES128-SHA256":                 tls.TLS_RSA_WITH_AES_128_CBC_SHA256,
	"AES256-SHA":                    tls.TLS_RSA_WITH_AES_256_CBC_SHA,
	"AES128-SHA":                    tls.TLS_RSA_WITH_AES_128_CBC_SHA,
}

// wholes are words of a cipher list that mean all the suites that crypto/tls offers
// of its own accord, absent those that mean suites which it never has.
var (
	wholes = []string{"DEFAULT", "ALL", "HIGH", "COMPLEMENTOFDEFAULT"}
	absent = []string{"aNULL", "eNULL", "NULL", "MD5", "RC4", "DES", "3DES", "EXPORT", "EXP", "LOW", "MEDIUM", "PSK", "SRP", "DSS", "aDSS", "ADH", "AECDH", "IDEA", "SEED", "CAMELLIA", "ARIA"}
)

// suites are those of tls-ciphers; nil leaves the choice to crypto/tls. A list in
// which nothing is known is an error, as with OpenSSL.
func (s *Settings) suites() ([]uint16, error) {
	if s.Ciphers == "" {
		return nil, s.checkCiphersuites()
	}
	var list []uint16
	for _, word := range cipherWords(s.Ciphers) {
		name := strings.TrimLeft(word, "!-+")
		id, known := suiteNames[name]
		switch {
		case word[0] == '!' || word[0] == '-':
			list = slices.DeleteFunc(list, func(have uint16) bool { return known && have == id })
		case known:
			list = append(list, id)
		case slices.Contains(wholes, name):
			for _, suite := range tls.CipherSuites() {
				list = append(list, suite.ID)
			}
		}
	}
	if len(list) == 0 {
		return nil, errors.New("Failed to configure ciphers: " + s.Ciphers)
	}
	return list, s.checkCiphersuites()
}

func cipherWords(list string) []string {
	return slices.DeleteFunc(strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(":, ", r) }),
		func(word string) bool { return strings.TrimLeft(word, "!-+") == "" })
}

// suites13 are the suites of TLS 1.3, of which crypto/tls offers all.
var suites13 = []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}

func (s *Settings) checkCiphersuites() error {
	for _, name := range cipherWords(s.Ciphersuites) {
		if !slices.Contains(suites13, name) {
			return errors.New("Failed to configure ciphersuites: " + s.Ciphersuites)
		}
	}
	return nil
}

// unheeded says what is asked for and not honoured.
func (s *Settings) unheeded() (list []string) {
	tell := func(asked bool, text string) {
		if asked {
			list = append(list, "TLS: "+text)
		}
	}
	var unknown []string
	for _, word := range cipherWords(s.Ciphers) {
		name := strings.TrimLeft(word, "!-+")
		_, known := suiteNames[name]
		if !known && !slices.Contains(wholes, name) && !slices.Contains(absent, name) {
			unknown = append(unknown, word)
		}
	}
	tell(len(unknown) > 0, "of tls-ciphers this is not known here and has no effect: "+strings.Join(unknown, ":"))
	words := cipherWords(s.Ciphersuites)
	tell(len(words) > 0 && slices.ContainsFunc(suites13, func(name string) bool { return !slices.Contains(words, name) }),
		"tls-ciphersuites has no effect: all three suites of TLS 1.3 are offered.")
	tell(s.PreferServerCiphers, "tls-prefer-server-ciphers has no effect: suites are always chosen by an order that is built in.")
	tell(s.DHParamsFile != "", "tls-dh-params-file has no effect: keys are exchanged over elliptic curves.")
	tell(s.SessionLimits, "tls-session-cache-size and tls-session-cache-timeout have no effect: sessions are kept by the clients, as tickets.")
	return list
}
