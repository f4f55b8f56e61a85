//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// A Go program cannot fork, so a daemon is a second start of the same binary with
// the same arguments, in a session of its own and without a terminal:
//
//	skein server --daemonize yes ──starts──► the same, SKEIN_DAEMON=1
//	        waits at a pipe      ◄──"up"───  once it listens and its pidfile is there
//	        exits 0              ◄──error──  and exits 1
//
// daemonEnv marks the second start; startedFD, its end of the pipe, is also its
// standard error until then.
const (
	daemonEnv = "SKEIN_DAEMON"
	startedFD = 3
	upWord    = "up"
)

// isDaemon tells whether this is the second start.
func isDaemon() bool {
	if os.Getenv(daemonEnv) == "" {
		return false
	}
	os.Stderr = os.NewFile(startedFD, "stderr")
	return true
}

// detach starts the daemon, gives it stdin, and waits until it serves.
func detach(stdin []byte) int {
	self, err := os.Executable()
	if err != nil {
		return fail(err)
	}
	started, child, err := os.Pipe()
	if err != nil {
		return fail(err)
	}
	daemon := exec.Command(self)
	daemon.Args = os.Args
	daemon.Env = append(os.Environ(), daemonEnv+"=1")
	daemon.ExtraFiles = []*os.File{child}
	daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if len(stdin) > 0 {
		daemon.Stdin = bytes.NewReader(stdin)
	}
	if err := daemon.Start(); err != nil {
		return fail(err)
	}
	child.Close()
	if word, _ := io.ReadAll(started); string(word) != upWord {
		os.Stderr.Write(word)
		return 1
	}
	return 0
}

// reportStarted tells the process that started the daemon that it serves.
func reportStarted() {
	os.Unsetenv(daemonEnv)
	pipe := os.Stderr
	os.Stderr = os.NewFile(2, "stderr")
	pipe.WriteString(upWord)
	pipe.Close()
}

// stopSelf stops the process until somebody continues it.
func stopSelf() { syscall.Kill(os.Getpid(), syscall.SIGSTOP) }
