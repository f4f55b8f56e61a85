package config

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// tempDir is a new directory under the name that getcwd would give it.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func mustLoad(t *testing.T, dir string, args ...string) *Config {
	t.Helper()
	c, err := Load(args, Env{Dir: dir, Stdin: strings.NewReader("")})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func log(c *Config) []string {
	var lines []string
	c.LogTo(func(level Level, text string) { lines = append(lines, string(level)+" "+text) })
	return lines
}
