//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/skeindb/skein/bench/rig"
)

// unpinned stands for a core where a process may use all of them.
const unpinned = -1

const (
	readyLimit = 30 * time.Second
	pollEvery  = 20 * time.Millisecond
	stopLimit  = 5 * time.Second // from SIGTERM to SIGKILL
)

// A Server is one running server without persistence, in a directory of its own.
type Server struct {
	Name string
	Port int
	Pid  int

	keys        int // loaded, and so the range of keys that redis-benchmark draws from
	collections int // keys beside them

	dir    string
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has ended
}

// A launch says how a server is started.
type launch struct {
	name    string
	argv    []string // command to which redis's options are appended
	root    string   // the server's directory is made in it
	port    int      // first port to try
	cpu     int      // core to stay on, or unpinned
	cluster bool     // own all slots
}

// Start starts a server and waits until it serves. The caller stops it.
func Start(ctx context.Context, l launch) (*Server, error) {
	port, err := rig.FreePort(l.port)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(l.root, l.name+"-")
	if err != nil {
		return nil, err
	}
	s := &Server{Name: l.name, Port: port, dir: dir, exited: make(chan struct{})}
	// Only Stop ends a server, so that an interrupt ends it as gently as everything else does.
	s.cmd = pinnedCommand(context.WithoutCancel(ctx), l.cpu, serverArgs(l, port, dir))
	// An own process group keeps the terminal's Ctrl-C from the server, so that it ends by Stop
	// alone; the death signal is for the case that this program is killed.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := s.spawn(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("starting %s: %w", l.name, err)
	}
	if err := s.awaitReady(ctx, l.cluster); err != nil {
		err = s.explain(err)
		s.Stop()
		return nil, err
	}
	return s, nil
}

func serverArgs(l launch, port int, dir string) []string {
	args := append([]string{}, l.argv...)
	args = append(args, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir,
		"--save", "", "--appendonly", "no", "--loglevel", "warning")
	if l.cluster {
		args = append(args, "--cluster-enabled", "yes")
	}
	return args
}

// pinnedCommand prepares a command that runs on one core, or on all if cpu is unpinned. taskset
// replaces itself by the command, so the process id is the command's own.
func pinnedCommand(ctx context.Context, cpu int, argv []string) *exec.Cmd {
	if cpu != unpinned {
		argv = append([]string{"taskset", "-c", strconv.Itoa(cpu)}, argv...)
	}
	return exec.CommandContext(ctx, argv[0], argv[1:]...)
}

func (s *Server) logPath() string { return filepath.Join(s.dir, "bench.log") }

func (s *Server) spawn() error {
	log, err := os.Create(s.logPath())
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.Pid = s.cmd.Process.Pid
	go func() {
		s.cmd.Wait()
		close(s.exited)
	}()
	return nil
}

// Stop ends the server by its process id and removes its directory.
func (s *Server) Stop() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(stopLimit):
		s.cmd.Process.Kill()
		<-s.exited
	}
	os.RemoveAll(s.dir)
}

// explain adds what the server last wrote to an error, if it has ended by itself.
func (s *Server) explain(err error) error {
	select {
	case <-s.exited:
	default:
		return err
	}
	log, _ := os.ReadFile(s.logPath())
	if len(log) > 2000 {
		log = log[len(log)-2000:]
	}
	return fmt.Errorf("%s has ended (%s): %w\n%s", s.Name, s.cmd.ProcessState, err, log)
}

// awaitReady waits for the server to answer, and for its cluster to be ok.
func (s *Server) awaitReady(ctx context.Context, cluster bool) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	if err := s.await(ctx, "+PONG", "PING"); err != nil || !cluster {
		return err
	}
	if _, err := s.Ask(ctx, "CLUSTER", "ADDSLOTSRANGE", "0", "16383"); err != nil {
		return fmt.Errorf("%s: CLUSTER ADDSLOTSRANGE: %w", s.Name, err)
	}
	return s.await(ctx, "cluster_state:ok", "CLUSTER", "INFO")
}

// await repeats a command until its reply contains what is wanted.
func (s *Server) await(ctx context.Context, want string, command ...string) error {
	for {
		reply, err := s.Ask(ctx, command...)
		if err == nil && strings.Contains(reply, want) {
			return nil
		}
		select {
		case <-time.After(pollEvery):
		case <-s.exited:
			return fmt.Errorf("%s is not serving", s.Name)
		case <-ctx.Done():
			return fmt.Errorf("%s: no %s from %s, last %q, %v: %w",
				s.Name, want, strings.Join(command, " "), reply, err, ctx.Err())
		}
	}
}
