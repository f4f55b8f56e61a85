//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/skeindb/skein/bench/records"
	"github.com/skeindb/skein/bench/rig"
)

const (
	readyLimit = 30 * time.Second
	replyLimit = 10 * time.Second
	stopLimit  = 5 * time.Second // from SIGTERM to SIGKILL
	pollEvery  = 20 * time.Millisecond
)

var errEnded = errors.New("the node has ended by itself")

// A process is one node, which may be killed and started again on the same directory.
type process struct {
	argv []string // with all options
	dir  string
	port int

	cmd    *exec.Cmd
	exited chan struct{} // closed when this life has ended
}

func (p *process) addr() string { return rig.Loopback(p.port) }

func (p *process) logPath() string { return filepath.Join(p.dir, "log") }

// start starts the node and waits until it answers.
func (p *process) start() error {
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	p.cmd = exec.Command(p.argv[0], p.argv[1:]...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = p.dir, log, log
	// An own process group keeps the terminal's Ctrl-C from the node; the death signal is for the case that this
	// program is killed.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	p.exited = exited
	go func() {
		p.cmd.Wait()
		close(exited)
	}()
	return p.await("PING", func(reply string) bool { return reply == "PONG" })
}

// await repeats a command until its reply is as wanted.
func (p *process) await(command string, wanted func(reply string) bool) error {
	last := ""
	for end := time.Now().Add(readyLimit); time.Now().Before(end); time.Sleep(pollEvery) {
		select {
		case <-p.exited:
			return p.explain(errEnded)
		default:
		}
		reply, err := p.ask(command)
		if err == nil && wanted(reply) {
			return nil
		}
		if last = reply; err != nil {
			last = err.Error()
		}
	}
	return p.explain(fmt.Errorf("port %d, %s: still %.200q after %v", p.port, command, last, readyLimit))
}

// ask does a command on a connection of its own.
func (p *process) ask(args ...string) (string, error) {
	return records.Ask(p.addr(), replyLimit, args...)
}

// explain adds to an error what the node last said.
func (p *process) explain(err error) error {
	log, _ := os.ReadFile(p.logPath())
	return fmt.Errorf("%w\n%s", err, log[max(0, len(log)-2000):])
}

// kill ends the node at once.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.exited
}

// stop ends the node by its process id.
func (p *process) stop() {
	if p.cmd == nil || p.cmd.Process == nil {
		return
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(stopLimit):
		p.kill()
	}
}
