package config

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Checks of single directives beyond their kind.

const (
	minHz = 1
	maxHz = 500
)

// clampHz accepts any number: hz is a hint.
func clampHz(_ *scope, _, hz int) (int, error) { return min(max(hz, minHz), maxHz), nil }

// minBacklogBytes is the smallest backlog that CONFIG SET makes. A file may ask
// for less.
const minBacklogBytes = 16 << 10

func checkBacklogSize(s *scope, _, bytes uint64) (uint64, error) {
	if s.file {
		return bytes, nil
	}
	return max(bytes, minBacklogBytes), nil
}

// checkActiveDefrag lets a file ask in vain, but tells CONFIG SET, by redis's
// own words for a build without its allocator, that it cannot be had.
func checkActiveDefrag(s *scope, old, on bool) (bool, error) {
	if on && !old && !s.file {
		return false, errors.New("Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified Jemalloc like the one shipped by default with the Redis source distribution")
	}
	return on, nil
}

// checkLocale knows the one collation that there is, the order of bytes.
func checkLocale(s *scope, old, locale string) (string, error) {
	if s.file || locale == old || slices.Contains([]string{"", "C", "POSIX"}, locale) {
		return locale, nil
	}
	return "", errors.New("Invalid locale name")
}

func checkDBFilename(_ *scope, _, name string) (string, error) {
	return name, baseName(name, "dbfilename can't be a path, just a filename")
}

func checkAppendFilename(_ *scope, _, name string) (string, error) {
	if name == "" {
		return "", errors.New("appendfilename can't be empty")
	}
	return name, baseName(name, "appendfilename can't be a path, just a filename")
}

func checkAppendDirname(_ *scope, _, name string) (string, error) {
	if name == "" {
		return "", errors.New("appenddirname can't be empty")
	}
	return name, baseName(name, "appenddirname can't be a path, just a dirname")
}

func checkShutdownFlags(_ *scope, _, set []string) ([]string, error) {
	if slices.Contains(set, "save") && slices.Contains(set, "nosave") {
		return nil, errors.New("shutdown options SAVE and NOSAVE can't be used simultaneously")
	}
	return set, nil
}

// relativeIsYes: oom-score-adj has two words for one meaning.
func relativeIsYes(_ *scope, _, word string) (string, error) {
	if word == "relative" {
		return "yes", nil
	}
	return word, nil
}

// maxHostname is one more than the length of the longest host name.
const maxHostname = 256

func checkHostname(_ *scope, _, name string) (string, error) {
	if len(name) >= maxHostname {
		return "", errors.New("Hostnames must be less than " + strconv.Itoa(maxHostname) + " characters")
	}
	for _, c := range []byte(name) {
		if !isAlphanumeric(c) && c != '-' && c != '.' {
			return "", errors.New("Hostnames may only contain alphanumeric characters, hyphens or dots")
		}
	}
	return name, nil
}

// checkNodename refuses what would break a line of nodes.conf.
func checkNodename(_ *scope, _, name string) (string, error) {
	if strings.ContainsAny(name, "!#$%&()*+:;<>?@[]^{|}~") {
		return "", errors.New("Announced human node name contained invalid character")
	}
	return name, nil
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// checkProcTitle wants a template that can be filled in with something.
func checkProcTitle(s *scope, _, template string) (string, error) {
	title, ok := fillTitle(template, s.values)
	if !ok || strings.Trim(title, " ") == "" {
		return "", errors.New("template format is invalid or contains unknown variables")
	}
	return template, nil
}

// fillTitle replaces each {variable} of a proc-title-template. A doubled brace
// stands for itself.
func fillTitle(template string, v *Values) (string, bool) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		if after, ok := strings.CutPrefix(rest, "{"); ok {
			b.WriteByte('{')
			template = after
			continue
		}
		variable, after, closed := strings.Cut(rest, "}")
		value, known := titleVariable(variable, v)
		if !closed || !known {
			return "", false
		}
		b.WriteString(value)
		template = after
	}
}

func titleVariable(name string, v *Values) (value string, known bool) {
	switch name {
	case "title", "config-file":
		return "", true
	case "listen-addr":
		return listenAddress(v), true
	case "server-mode":
		if ClusterEnabled.Get(v) {
			return "[cluster]", true
		}
		return "", true
	case "port":
		return strconv.Itoa(Port.Get(v)), true
	case "tls-port":
		return strconv.Itoa(TLSPort.Get(v)), true
	case "unixsocket":
		return UnixSocket.Get(v), true
	}
	return "", false
}

// listenAddress is where clients find the node, in one word.
func listenAddress(v *Values) string {
	port := Port.Get(v)
	if port == 0 {
		port = TLSPort.Get(v)
	}
	if port == 0 {
		return "unixsocket:" + UnixSocket.Get(v)
	}
	host := "*"
	if addresses := Bind.Get(v); len(addresses) > 0 {
		host = addresses[0]
	}
	return host + ":" + strconv.Itoa(port)
}
