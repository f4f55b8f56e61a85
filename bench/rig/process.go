//go:build linux

package rig

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/skeindb/skein/bench/records"
)

const (
	ReadyLimit = 30 * time.Second // until a process answers
	ReplyLimit = 10 * time.Second
	stopLimit  = 5 * time.Second // from SIGTERM to SIGKILL
	PollEvery  = 20 * time.Millisecond
)

// ErrEnded: a process has ended by itself.
var ErrEnded = errors.New("the node has ended by itself")

// A Process is one server, which may be killed and started again on the same directory.
type Process struct {
	Argv []string // with all options
	Dir  string
	Port int

	cmd    *exec.Cmd
	exited chan struct{} // closed when this life has ended
}

// Addr is where it listens.
func (p *Process) Addr() string { return Loopback(p.Port) }

func (p *Process) logPath() string { return filepath.Join(p.Dir, "log") }

// Start starts the node and waits until it answers.
func (p *Process) Start() error {
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	p.cmd = exec.Command(p.Argv[0], p.Argv[1:]...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = p.Dir, log, log
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
	return p.Await("PING", func(reply string) bool { return reply == "PONG" })
}

// Await repeats a command of one word until its reply is as wanted.
func (p *Process) Await(command string, wanted func(reply string) bool) error {
	return p.AwaitAnswer([]string{command}, wanted)
}

// AwaitAnswer is Await for a command of several words.
func (p *Process) AwaitAnswer(command []string, wanted func(reply string) bool) error {
	last := ""
	for end := time.Now().Add(ReadyLimit); time.Now().Before(end); time.Sleep(PollEvery) {
		select {
		case <-p.exited:
			return p.Explain(ErrEnded)
		default:
		}
		reply, err := p.Ask(command...)
		if err == nil && wanted(reply) {
			return nil
		}
		if last = reply; err != nil {
			last = err.Error()
		}
	}
	return p.Explain(fmt.Errorf("port %d, %s: still %.200q after %v", p.Port, command[0], last, ReadyLimit))
}

// Ask does a command on a connection of its own.
func (p *Process) Ask(args ...string) (string, error) {
	return records.Ask(p.Addr(), ReplyLimit, args...)
}

// Explain adds to an error what the node last said.
func (p *Process) Explain(err error) error {
	log, _ := os.ReadFile(p.logPath())
	return fmt.Errorf("%w\n%s", err, log[max(0, len(log)-2000):])
}

// Kill ends the node at once.
func (p *Process) Kill() {
	p.cmd.Process.Kill()
	<-p.exited
}

// Stop ends the node by its process id.
func (p *Process) Stop() {
	if p.cmd == nil || p.cmd.Process == nil {
		return
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(stopLimit):
		p.Kill()
	}
}
