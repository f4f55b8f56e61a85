package interop

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/testkit"
)

// upProcess is a running `skein up`.
type upProcess struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  output
	done chan struct{}
}

// output is what a process has printed so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// startUp runs skein up and waits until it says that the cluster can be used.
func startUp(t *testing.T, port int, dir string) *upProcess {
	t.Helper()
	u := &upProcess{t: t, done: make(chan struct{})}
	u.cmd = exec.Command(testkit.SkeinBinary(t), "up", "--port", fmt.Sprint(port), "--dir", dir, "--node-timeout", "2s")
	u.cmd.Stdout, u.cmd.Stderr = &u.out, &u.out
	if err := u.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		u.cmd.Wait()
		close(u.done)
	}()
	t.Cleanup(func() {
		u.cmd.Process.Kill()
		<-u.done
	})
	testkit.Eventually(t, "skein up is ready", func() bool {
		select {
		case <-u.done:
			t.Fatalf("skein up ended: %v\n%s", u.cmd.ProcessState, u.out.String())
		default:
		}
		return strings.Contains(u.out.String(), "Ctrl-C stops the cluster.")
	})
	return u
}

// interrupt is Ctrl-C.
func (u *upProcess) interrupt() {
	u.t.Helper()
	u.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-u.done:
	case <-time.After(testkit.Patience):
		u.t.Fatal("skein up does not end at Ctrl-C")
	}
	if code := u.cmd.ProcessState.ExitCode(); code != 0 {
		u.t.Errorf("exit code %d\n%s", code, u.out.String())
	}
}

// upNodes is how many nodes skein up makes: three masters with a replica each.
const upNodes = 6

// identity is what must be the same after a restart, as each node tells of itself.
func identity(t *testing.T, port int) (rows []string) {
	t.Helper()
	for p := port; p < port+upNodes; p++ {
		out := testkit.RedisCLI(t, "-p", fmt.Sprint(p), "CLUSTER", "NODES")
		for line := range strings.Lines(out) {
			if f := strings.Fields(line); len(f) >= 8 && strings.Contains(f[2], "myself") {
				rows = append(rows, fmt.Sprintln(f[0], f[1], f[2], f[3], f[6], f[8:]))
			}
		}
	}
	return rows
}

func TestUp(t *testing.T) {
	t.Parallel()
	port, dir := testkit.FreePorts(t, upNodes), filepath.Join(t.TempDir(), "data")
	u := startUp(t, port, dir)
	for i := range upNodes {
		role := "master"
		if i >= 3 {
			role = "replica"
		}
		mustContain(t, u.out.String(), fmt.Sprint("127.0.0.1:", port+i, " ", role))
	}

	clients := map[string][]string{
		"redis-cli": {testkit.Program(t, "redis-cli"), "-c", "-p", fmt.Sprint(port)},
		"skein cli": {testkit.SkeinBinary(t), "cli", "-c", "-p", fmt.Sprint(port)},
	}
	for name, client := range clients {
		run := func(args ...string) string {
			t.Helper()
			out, err := testkit.Run(t, "", client[0], append(client[1:], args...)...)
			if err != nil {
				t.Fatalf("%s %v: %v\n%s", name, args, err, out)
			}
			return strings.TrimSpace(out)
		}
		for i := range 10 {
			if got := run("SET", fmt.Sprint(name, i), fmt.Sprint("value ", i)); got != "OK" {
				t.Errorf("%s: SET: %q", name, got)
			}
		}
		for i := range 10 {
			if got := run("GET", fmt.Sprint(name, i)); got != fmt.Sprint("value ", i) {
				t.Errorf("%s: GET: %q", name, got)
			}
		}
	}
	for p := port; p < port+upNodes; p++ {
		testkit.Eventually(t, fmt.Sprint("keys are on port ", p), func() bool {
			return testkit.RedisCLI(t, "-p", fmt.Sprint(p), "DBSIZE") != "0\n"
		})
	}

	before := identity(t, port)
	u.interrupt()
	again := startUp(t, port, dir)
	for name := range clients {
		for i := range 10 {
			got := strings.TrimSpace(testkit.RedisCLI(t, "-c", "-p", fmt.Sprint(port), "GET", fmt.Sprint(name, i)))
			if got != fmt.Sprint("value ", i) {
				t.Errorf("after the restart %s%d is %q", name, i, got)
			}
		}
	}
	if after := identity(t, port); fmt.Sprint(after) != fmt.Sprint(before) || len(after) != upNodes {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	again.interrupt()
}

// What is wrong is said in one line, and the exit code is 1.
func TestUpRefuses(t *testing.T) {
	t.Parallel()
	taken := func(t *testing.T) []string {
		port := testkit.FreePorts(t, upNodes)
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port+1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return []string{"--port", fmt.Sprint(port), "--dir", t.TempDir()}
	}
	busTaken := func(t *testing.T) []string {
		port := testkit.FreePorts(t, upNodes)
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port+10000))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return []string{"--port", fmt.Sprint(port), "--dir", t.TempDir()}
	}
	noFolder := func(t *testing.T) []string {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return []string{"--port", fmt.Sprint(testkit.FreePorts(t, upNodes)), "--dir", filepath.Join(file, "data")}
	}
	unwritable := func(t *testing.T) []string {
		dir, err := os.MkdirTemp("", "skein-test-") // t.TempDir lies in a folder that others cannot enter
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(dir) })
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		return []string{"--port", fmt.Sprint(testkit.FreePorts(t, upNodes)), "--dir", dir}
	}
	locked := func(t *testing.T) []string {
		port, dir := testkit.FreePorts(t, upNodes), t.TempDir()
		folder := filepath.Join(dir, fmt.Sprint(port))
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		testkit.StartSkein(t, "cluster-enabled yes", "cluster-config-file "+filepath.Join(folder, "nodes.conf"))
		return []string{"--port", fmt.Sprint(port), "--dir", dir}
	}
	for _, c := range []struct {
		name   string
		args   func(*testing.T) []string
		nobody bool // run without the powers of root, who may write everywhere
	}{
		{"taken port", taken, false},
		{"taken bus port", busTaken, false},
		{"file instead of a folder", noFolder, false},
		{"unwritable folder", unwritable, true},
		{"locked folder", locked, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), testkit.SkeinBinary(t), append([]string{"up"}, c.args(t)...)...)
			if c.nobody && os.Getuid() == 0 {
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
				cmd.Dir = "/"
			}
			var errors bytes.Buffer
			cmd.Stdout, cmd.Stderr = io.Discard, &errors
			cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != 1 {
				t.Errorf("exit code %d", code)
			}
			if lines := strings.Count(errors.String(), "\n"); lines != 1 || !strings.HasPrefix(errors.String(), "skein: ") {
				t.Errorf("%d lines:\n%s", lines, errors.String())
			}
			t.Logf("%s", errors.String())
		})
	}
}
