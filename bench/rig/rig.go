// Package rig is what the measuring programs have in common: how such a program runs
// and ends, and where the servers that it starts listen.
//
// The exit code is 0, Missed for a missed goal, and Broken when something could not be
// measured. A signal ends the run after what was measured so far is printed.
package rig

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Exit codes of a program.
const (
	OK = iota
	Missed
	Broken
)

// ParseFlags parses the program's flags, and -server beside them, which may be repeated. It returns what starts the
// servers to be measured: redis-server and the one of this tree, "skein", if the flag is not given.
func ParseFlags() (servers []string) {
	flag.Func("server", "command that starts a server, \"skein\" for the one of this tree; may be repeated (default redis-server, skein)",
		func(s string) error {
			if strings.TrimSpace(s) == "" {
				return errors.New("no command")
			}
			servers = append(servers, s)
			return nil
		})
	flag.Parse()
	if len(servers) == 0 {
		servers = []string{"redis-server", "skein"}
	}
	return servers
}

const (
	portLimit = 22000 // ports at and above it belong to others
	busOffset = 10000 // from a node's port to its bus port, as redis has it
)

// ErrInterrupted ends a run that was stopped by a signal, after its partial report.
var ErrInterrupted = errors.New("interrupted")

// ErrNoPort is returned when the whole range is in use.
var ErrNoPort = errors.New("no free port for a server")

// Main runs a program whose flags are parsed and ends the process. The context ends
// with a signal.
func Main(name string, run func(context.Context) (code int, err error)) {
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "%s: unexpected argument %q\n", name, flag.Arg(0))
		os.Exit(Broken)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code, err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	}
	os.Exit(code)
}

// Progress tells on standard error how far the run is.
func Progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// Sleep pauses, unless the run is interrupted.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Build builds skein of this tree into a directory and returns the words that start a
// server of it.
func Build(ctx context.Context, dir string) ([]string, error) {
	path := filepath.Join(dir, "skein")
	build := exec.CommandContext(ctx, "go", "build", "-o", path, "github.com/skeindb/skein/cmd/skein")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building skein: %w\n%s", err, out)
	}
	return []string{path, "server"}, nil
}

// Command returns the words that start a server, building skein into dir where "skein" is asked for.
func Command(ctx context.Context, words, dir string) ([]string, error) {
	argv := strings.Fields(words)
	if argv[0] != "skein" {
		return argv, nil
	}
	built, err := Build(ctx, dir)
	return append(built, argv[1:]...), err
}

// FreePort returns the first port from from on that is free on the loopback address,
// together with that of its cluster bus. The error is ErrNoPort.
func FreePort(from int) (int, error) {
	for port := from; port < portLimit; port++ {
		if isFree(port) && isFree(port+busOffset) {
			return port, nil
		}
	}
	return 0, ErrNoPort
}

func isFree(port int) bool {
	l, err := net.Listen("tcp", Loopback(port))
	if err != nil {
		return false
	}
	l.Close()
	return true
}

// Loopback is the address of a port on this machine.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
