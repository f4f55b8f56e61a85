package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/skeindb/skein/internal/base/vfs"
)

// Path returns the absolute name of the file that h names, resolved against Dir,
// or "" when h is not set. The package comment says when to ask.
func (v *Values) Path(h Of[string]) string {
	name := h.Get(v)
	if name == "" {
		return ""
	}
	return absolute(Dir.Get(v), name)
}

// absolute joins name to dir unless it is absolute already. Beyond leading "../",
// which mean what they say since dir has no symbolic links, nothing is cleaned:
// a/../b is not b where a is a link.
func absolute(dir, name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	for strings.HasPrefix(name, "../") {
		name, dir = name[len("../"):], filepath.Dir(dir)
	}
	if dir == "/" {
		return dir + name
	}
	return dir + "/" + name
}

// directory declares the working directory, which is always absolute and free of
// symbolic links. Its default is the directory that the node was started in.
func directory(name string, options ...option) Of[string] {
	return declare(name, "", kind[string]{
		parse: func(_ *scope, old string, words []string) (string, error) {
			if words[0] == "" {
				return "", errors.New(vfs.Reason(syscall.ENOENT))
			}
			dir, err := enter(absolute(old, words[0]))
			if err != nil {
				return "", errors.New(vfs.Reason(err))
			}
			return dir, nil
		},
		show: func(dir string) string { return dir },
		lines: func(_ *Values, name, dir string) []fileLine {
			return []fileLine{{name + " " + quote(dir), true}}
		},
	}, options...)
}

// enter fails where chdir would, and returns what getcwd would say after it.
func enter(dir string) (string, error) {
	// A name that ends in "/." needs a directory that may be searched.
	if _, err := os.Stat(dir + "/."); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// baseName fails for names that lead out of the working directory.
func baseName(name, complaint string) error {
	if strings.ContainsAny(name, `/\`) {
		return errors.New(complaint)
	}
	return nil
}
