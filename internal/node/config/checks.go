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

// checkProcTitle wants a template of known variables that comes out as something.
func checkProcTitle(_ *scope, _, template string) (string, error) {
	title, ok := fillTitle(template)
	if !ok || strings.Trim(title, " ") == "" {
		return "", errors.New("template format is invalid or contains unknown variables")
	}
	return template, nil
}

// titleVariables are what a proc-title-template may name. A template must not
// consist of variables alone that can be empty; these have no value here.
var titleVariables = map[string]string{
	"title": "", "server-mode": "", "unixsocket": "",
	"listen-addr": "*:6379", "config-file": "-", "port": "6379", "tls-port": "0",
}

// fillTitle replaces each {variable}. A doubled opening brace stands for itself.
func fillTitle(template string) (string, bool) {
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
		name, after, closed := strings.Cut(rest, "}")
		value, known := titleVariables[name]
		if !closed || !known {
			return "", false
		}
		b.WriteString(value)
		template = after
	}
}
