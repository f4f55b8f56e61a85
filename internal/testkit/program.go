package testkit

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// binaryEnv names, for the time of a test run, the binary that Main built. Set from outside, that one is tested.
const binaryEnv = "SKEIN_BINARY"

// Main builds ./cmd/skein, runs the tests and returns the exit code for os.Exit.
func Main(m *testing.M) int {
	if os.Getenv(binaryEnv) == "" {
		dir, err := os.MkdirTemp("", "skein-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		if err := os.Chmod(dir, 0o755); err != nil { // tests also run it as somebody else
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		path := filepath.Join(dir, "skein")
		args := []string{"build", "-o", path}
		if raceDetector {
			args = append(args, "-race")
		}
		if out, err := exec.Command("go", append(args, "github.com/skeindb/skein/cmd/skein")...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building skein: %v\n%s", err, out)
			return 1
		}
		os.Setenv(binaryEnv, path)
	}
	return m.Run()
}

// SkeinBinary is the path of the binary that Main built.
func SkeinBinary(tb testing.TB) string {
	tb.Helper()
	path := os.Getenv(binaryEnv)
	if path == "" {
		tb.Fatal("the package's TestMain does not call testkit.Main")
	}
	return path
}

// Program finds a program, such as redis-server. Without it the test is skipped, and fails in CI.
func Program(tb testing.TB, name string) string {
	tb.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal(err)
		}
		tb.Skip(err)
	}
	return path
}

// RedisCLI runs redis-cli, which must succeed, and returns what it printed.
func RedisCLI(tb testing.TB, args ...string) string {
	tb.Helper()
	out, err := TryRedisCLI(tb, args...)
	if err != nil {
		tb.Fatalf("redis-cli %s: %v\n%s", strings.Join(args, " "), err, tail(out, 60))
	}
	return out
}

// TryRedisCLI runs redis-cli and returns what it printed, both streams together, and how it ended.
func TryRedisCLI(tb testing.TB, args ...string) (string, error) {
	tb.Helper()
	return Run(tb, "", Program(tb, "redis-cli"), args...)
}

// runLimit ends a program that hangs.
const runLimit = 30 * time.Minute

// Run runs a program with a text as its input and returns what it printed, both streams together. It is
// ended with the test.
func Run(tb testing.TB, input, program string, args ...string) (string, error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), runLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin = strings.NewReader(input)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func tail(text string, lines int) string {
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
