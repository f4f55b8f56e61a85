package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }

// skein runs the binary to its end and returns its exit code and standard error.
func skein(t *testing.T, stdin string, args ...string) (code int, stderr string) {
	t.Helper()
	cmd := exec.Command(testkit.SkeinBinary(t), args...)
	var text bytes.Buffer
	cmd.Stdin, cmd.Stderr, cmd.Dir = strings.NewReader(stdin), &text, t.TempDir()
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), text.String()
}

func do(t *testing.T, port int, args ...string) string {
	t.Helper()
	c, err := testkit.Dial(net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	v, err := c.Do(args...)
	if err != nil {
		t.Fatal(args, err)
	}
	return testkit.Show(v)
}

// TestDaemon: the first process ends when the second serves, and the pidfile
// names the second.
func TestDaemon(t *testing.T) {
	port, dir := testkit.FreePort(t), t.TempDir()
	pidfile := filepath.Join(dir, "pid")
	conf := fmt.Sprintf("port %d\nbind 127.0.0.1\ndaemonize yes\npidfile %s\nlogfile %s/log\n", port, pidfile, dir)
	if code, stderr := skein(t, conf, "server", "-"); code != 0 {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	text, err := os.ReadFile(pidfile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	if info := do(t, port, "INFO", "server"); !strings.Contains(info, fmt.Sprintf("\nprocess_id:%d\r", pid)) {
		t.Errorf("the pidfile says %d, INFO %s", pid, info)
	}
	if code, stderr := skein(t, conf, "server", "-"); code != 1 || !strings.Contains(stderr, "address already in use") {
		t.Errorf("a second daemon: exit code %d, %q", code, stderr)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the daemon ends", func() bool { return syscall.Kill(pid, 0) != nil })
	if _, err := os.Stat(pidfile); err == nil {
		t.Error("the pidfile has outlived the daemon")
	}
	if log, _ := os.ReadFile(filepath.Join(dir, "log")); !bytes.Contains(log, []byte("Received SIGTERM scheduling shutdown...")) || !bytes.Contains(log, []byte("bye bye")) {
		t.Errorf("%s", log)
	}
}

// TestSystemd: a supervised server is no daemon and says when it serves.
func TestSystemd(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	heard, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close()
	heard.SetDeadline(time.Now().Add(testkit.Patience))
	port := testkit.FreePort(t)
	cmd := exec.Command(testkit.SkeinBinary(t), "server", "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--supervised", "auto", "--daemonize", "yes")
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "NOTIFY_SOCKET="+socket)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	next := func(want string) {
		t.Helper()
		buf := make([]byte, 1000)
		n, err := heard.Read(buf)
		if err != nil || !strings.Contains(string(buf[:n]), want) {
			t.Fatalf("%q %v, not %q", buf[:n], err, want)
		}
	}
	next("STATUS=")
	next("READY=1\n")
	if info := do(t, port, "INFO", "server"); !strings.Contains(info, "process_supervised:systemd") {
		t.Error(info)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	next("STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestBadStarts(t *testing.T) {
	port := testkit.FreePort(t)
	squatter, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer squatter.Close()
	for want, args := range map[string][]string{
		"address already in use":                                {"server", "--bind", "127.0.0.1", "--port", strconv.Itoa(port)},
		"Bad directive or wrong number of arguments":            {"server", "--no-such-thing", "1"},
		"Error in user declaration 'alice': Syntax error":       {"server", "--port", "0", "--user", "alice", "on", "nonsense"},
		"configured to not listen anywhere":                     {"server", "--port", "0"},
		"No such file or directory":                             {"server", "/no/such/file"},
		`there is no "wind"; try skein help`:                    {"wind"},
		"there cannot be fewer than 0 replicas":                 {"up", "--replicas", "-1"},
		"argument(s) must be one of the following: debug, verb": {"server", "--loglevel", "loud"},
	} {
		if code, stderr := skein(t, "", args...); code != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit code %d, %q", args, code, stderr)
		}
	}
}

func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"server", "-v"}, {"server", "--version"}, {"version"}} {
		out, err := exec.Command(testkit.SkeinBinary(t), args...).Output()
		if err != nil || !bytes.HasPrefix(out, []byte("Skein server v=")) {
			t.Errorf("%q: %s %v", args, out, err)
		}
	}
}
