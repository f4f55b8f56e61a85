package testkit

import (
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
)

// Server is a server process of a test: Skein or redis-server.
type Server struct {
	Host string // where it listens: 127.0.0.1 until MoveTo
	Port int
	Dir  string // its working directory, with redis.conf and the file log

	tb      testing.TB
	program string
	args    []string // before the configuration file
	process *process
	conn    *Conn
}

// process is one life of a server.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// StartSkein starts `skein server` and waits until it answers. Directives are lines of redis.conf.
func StartSkein(tb testing.TB, directives ...string) *Server {
	tb.Helper()
	return start(tb, SkeinBinary(tb), []string{"server"}, directives)
}

// StartRedis starts redis-server and waits until it answers.
func StartRedis(tb testing.TB, directives ...string) *Server {
	tb.Helper()
	return start(tb, Program(tb, "redis-server"), nil, directives)
}

func start(tb testing.TB, program string, args, directives []string) *Server {
	tb.Helper()
	s := &Server{Host: "127.0.0.1", Port: FreePort(tb), Dir: tb.TempDir(), tb: tb, program: program, args: args}
	s.Configure("port "+strconv.Itoa(s.Port), "bind 127.0.0.1", "dir "+s.Dir, `save ""`, "appendonly no")
	s.Configure(directives...)
	tb.Cleanup(s.finish)
	s.Start()
	return s
}

// Configure appends lines to the server's configuration file, for the next start. Of a directive that stands there
// twice, the last line counts.
func (s *Server) Configure(lines ...string) {
	s.tb.Helper()
	f, err := os.OpenFile(s.confPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer f.Close()
	for _, line := range lines {
		fmt.Fprintln(f, line)
	}
}

// Addr is the address for clients.
func (s *Server) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// MoveTo gives the server another loopback address, such as 127.0.0.7, from its next start on.
func (s *Server) MoveTo(host string) {
	s.tb.Helper()
	s.Host = host
	s.Configure("bind "+host, "bind-source-addr "+host)
}

// Start starts the server again after Stop or Kill and waits until it answers and has loaded its data.
func (s *Server) Start() {
	s.tb.Helper()
	if s.process != nil {
		s.tb.Fatalf("the server on port %d runs", s.Port)
	}
	log, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer log.Close()
	p := &process{cmd: exec.Command(s.program, append(s.args, s.confPath())...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = s.Dir, log, log
	if err := p.cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	s.process = p
	Eventually(s.tb, fmt.Sprintf("the server on port %d answers", s.Port), func() bool {
		select {
		case <-p.done:
			s.tb.Fatalf("the server on port %d ended: %v", s.Port, p.cmd.ProcessState)
		default:
		}
		c, err := Dial(s.Addr())
		if err != nil {
			return false
		}
		defer c.Close()
		v, err := c.Do("PING")
		return err == nil && !strings.HasPrefix(v.Text(), "LOADING ")
	})
}

// Stop ends the server with SIGTERM and waits for it.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

// Kill ends the server with SIGKILL and waits for it.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Signal sends the server a signal and returns at once.
func (s *Server) Signal(sig syscall.Signal) {
	s.tb.Helper()
	if err := s.process.cmd.Process.Signal(sig); err != nil {
		s.tb.Error(err)
	}
}

// stopWithin is how long a server may take to end before it is killed.
const stopWithin = 20 * time.Second

func (s *Server) end(sig syscall.Signal) {
	s.tb.Helper()
	p := s.process
	if p == nil {
		return
	}
	s.process = nil
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
	p.cmd.Process.Signal(sig)
	select {
	case <-p.done:
	case <-time.After(stopWithin):
		s.tb.Errorf("the server on port %d does not end after %v", s.Port, sig)
		p.cmd.Process.Kill()
		<-p.done
	}
}

// Ended is closed when the server has ended by itself.
func (s *Server) Ended() <-chan struct{} { return s.process.done }

// finish stops the server and looks into its log for what must not stand there.
func (s *Server) finish() {
	if s.process != nil {
		s.process.cmd.Process.Signal(syscall.SIGCONT) // in case a test has stopped it
	}
	s.end(syscall.SIGTERM)
	log := s.Log()
	for _, bad := range []string{"WARNING: DATA RACE", "panic: ", "fatal error: ", "BUG REPORT"} {
		if at := strings.Index(log, bad); at >= 0 {
			s.tb.Errorf("log of the server on port %d:\n%.8000s", s.Port, log[at:])
		}
	}
	if s.tb.Failed() {
		s.tb.Logf("end of the log of the server on port %d (%s):\n%s", s.Port, filepath.Base(s.program), tail(log, 40))
	}
}

func (s *Server) logPath() string  { return filepath.Join(s.Dir, "log") }
func (s *Server) confPath() string { return filepath.Join(s.Dir, "redis.conf") }

// Log is all that the server has printed.
func (s *Server) Log() string {
	text, _ := os.ReadFile(s.logPath())
	return string(text)
}
