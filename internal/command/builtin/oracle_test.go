package builtin

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/testkit"
)

// oracle is a running redis-server with three connections: for the commands, for
// the events, and as its replica for what it logs.
type oracle struct {
	tb      testing.TB
	path    string
	main    *wire
	control *wire
	events  *wire
	replica *wire
	marks   int
}

// wire is a connection that keeps what it read.
type wire struct {
	net.Conn
	*resp.Reader
	tb   testing.TB
	seen bytes.Buffer
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.seen.Write(p[:n])
	return n, err
}

// value reads one value and returns it and its bytes.
func (w *wire) value() (resp.Value, []byte) {
	w.seen.Reset()
	v, err := w.Reader.Read()
	if err != nil {
		w.tb.Fatal(err)
	}
	return v, bytes.Clone(w.seen.Bytes())
}

func (w *wire) send(words ...string) {
	if _, err := w.Write(resp.AppendCommand(nil, words...)); err != nil {
		w.tb.Fatal(err)
	}
}

func (w *wire) do(words ...string) resp.Value {
	w.send(words...)
	v, _ := w.value()
	if v.IsError() {
		w.tb.Fatalf("%q: %s", words, v.Text())
	}
	return v
}

// startOracle runs redis-server behind a unix socket. It skips the test where
// there is none, but not in CI.
func startOracle(tb testing.TB) *oracle {
	program := testkit.Program(tb, "redis-server")
	dir := tb.TempDir()
	o := &oracle{tb: tb, path: filepath.Join(dir, "s")}
	cmd := exec.Command(program, "--port", "0", "--unixsocket", o.path, "--dir", dir,
		"--save", "", "--repl-diskless-sync", "no", "--repl-timeout", "3600", "--notify-keyspace-events", "KEAmn", "--enable-debug-command", "local")
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	o.main = o.dial()
	o.control = o.dial()
	o.control.do("DEBUG", "SET-ACTIVE-EXPIRE", "0") // keys expire when a script looks at them
	o.events = o.dial()
	o.events.do("PSUBSCRIBE", "__keyevent@*")
	o.events.do("PSUBSCRIBE", "mark")
	o.replicate()
	return o
}

func (o *oracle) dial() *wire {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("unix", o.path)
		if err == nil {
			o.tb.Cleanup(func() { conn.Close() })
			w := &wire{Conn: conn, tb: o.tb}
			w.Reader = resp.NewReader(w)
			return w
		}
		if time.Now().After(deadline) {
			o.tb.Fatal(err)
		}
	}
}

// replicate makes one connection a replica, past the RDB file.
func (o *oracle) replicate() {
	o.replica = o.dial()
	o.replica.do("PSYNC", "?", "-1")
	in := o.replica.Raw()
	header := "\n"
	for header == "\n" { // the server's way to say that it is still at it
		var err error
		if header, err = in.ReadString('\n'); err != nil {
			o.tb.Fatal(err)
		}
	}
	size, err := strconv.Atoi(strings.Trim(header, "$\r\n"))
	if err != nil {
		o.tb.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, in, int64(size)); err != nil {
		o.tb.Fatal(err)
	}
}

func (o *oracle) set(option, value string) {
	if option == "proto" {
		o.main.do("HELLO", value)
		return
	}
	if option == "db" {
		o.main.do("SELECT", value)
		return
	}
	o.control.do("CONFIG", "SET", option, value)
}

func (o *oracle) flush() {
	o.control.do("FLUSHALL")
	o.marked()
}

func (o *oracle) play(argv [][]byte) outcome {
	var words []string
	for _, arg := range argv {
		words = append(words, string(arg))
	}
	o.main.send(words...)
	_, reply := o.main.value()
	events, logged := o.marked()
	return outcome{reply, events, logged}
}

// marked publishes a mark, which both the replica and the subscriber see, and
// returns what came before it.
func (o *oracle) marked() (events, logged []string) {
	o.marks++
	mark := strconv.Itoa(o.marks)
	o.control.do("PUBLISH", "mark", mark)
	for {
		v, _ := o.events.value()
		channel, text := v.Elems[2].Text(), v.Elems[3].Text()
		if channel == "mark" && text == mark {
			break
		}
		var db int
		var event string
		if _, err := fmt.Sscanf(channel, "__keyevent@%d__:%s", &db, &event); err != nil {
			o.tb.Fatal(channel, err)
		}
		events = append(events, eventLine(db, event, text))
	}
	for {
		v, _ := o.replica.value()
		line := logLine(v.Elems)
		switch {
		case line == "PUBLISH mark "+mark:
			return events, logged
		case !slices.Contains([]string{"SELECT", "PING", "MULTI", "EXEC"}, strings.ToUpper(v.Elems[0].Text())):
			logged = append(logged, line)
		}
	}
}
