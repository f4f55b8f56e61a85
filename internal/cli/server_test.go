package cli

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
)

// fake is a server whose answers a test makes up.
type fake struct {
	port   int
	answer func(n *node, args []string) string // "" closes the connection

	mu   sync.Mutex
	seen []string // all commands, "SET k v"
}

// node is a connection to a fake.
type node struct {
	net.Conn
	server *fake
}

func startFake(t *testing.T, answer func(n *node, args []string) string) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{port: l.Addr().(*net.TCPAddr).Port, answer: answer}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			done.Go(func() { f.serve(&node{conn, f}) })
		}
	})
	t.Cleanup(func() { l.Close(); done.Wait() })
	return f
}

func (f *fake) serve(n *node) {
	defer n.Close()
	in := resp.NewReader(n)
	for {
		v, err := in.Read()
		if err != nil {
			return
		}
		args := make([]string, len(v.Elems))
		for i := range args {
			args[i] = v.Elems[i].Text()
		}
		f.mu.Lock()
		f.seen = append(f.seen, strings.Join(args, " "))
		f.mu.Unlock()
		text := f.answer(n, args)
		if text == "" {
			return
		}
		if _, err := n.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n"))); err != nil {
			return
		}
	}
}

// commands are what the fake was asked so far.
func (f *fake) commands() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.seen, "\n")
}

func (f *fake) args(more ...string) []string {
	return append([]string{"-p", strconv.Itoa(f.port)}, more...)
}

// run runs the program and returns what it printed and its exit code.
func run(in string, args ...string) (out, errs string, code int) {
	var o, e bytes.Buffer
	code = Run(args, strings.NewReader(in), &o, &e)
	return o.String(), e.String(), code
}

// expect runs the program and compares.
func expect(t *testing.T, in string, args []string, wantOut, wantErrs string, wantCode int) {
	t.Helper()
	out, errs, code := run(in, args...)
	if out != wantOut || errs != wantErrs || code != wantCode {
		t.Errorf("%q < %q:\n%q, %q, %d, want\n%q, %q, %d", args, in, out, errs, code, wantOut, wantErrs, wantCode)
	}
}

func bulk(s string) string { return fmt.Sprintf("$%d\n%s\n", len(s), s) }
