package repl

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/base/vfs"
	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/command/builtin"
	"github.com/skeindb/skein/internal/command/pubsub"
	"github.com/skeindb/skein/internal/node/clients"
	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/store/oplog"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// replicaNode is a node without loops, whose master is played by the test.
type replicaNode struct {
	tb    testing.TB
	repl  *Repl
	ks    *keyspace.Keyspace
	gates exec.Gates
	table *command.Table
	log   *journal
	files *vfs.Mem
	conns chan *playedMaster // made by the node
	ids   atomic.Int64
	dials atomic.Int64
	roles []bool

	refuse atomic.Pointer[error] // the dials' outcome
	size   atomic.Int64
}

// journal keeps the lines of the log.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	j.lines = append(j.lines, string(b))
	j.mu.Unlock()
	return len(b), nil
}

func (j *journal) has(text string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range j.lines {
		if strings.Contains(line, text) {
			return true
		}
	}
	return false
}

func (j *journal) count(text string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range j.lines {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func (j *journal) all() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines[max(0, len(j.lines)-40):], "")
}

func newReplicaNode(tb testing.TB) *replicaNode {
	tb.Helper()
	n := &replicaNode{tb: tb, log: &journal{}, files: &vfs.Mem{}, conns: make(chan *playedMaster, 100)}
	logger := slog.New(slog.NewTextHandler(n.log, nil))
	oplog := oplog.New(oplog.Options{SegmentBytes: 4096})
	var err error
	if n.ks, err = keyspace.New(keyspace.Options{Log: oplog, Stripes: 16}); err != nil {
		tb.Fatal(err)
	}
	hub := pubsub.New(pubsub.Options{})
	engine := exec.New(exec.Options{Keyspace: n.ks, View: new(atomic.Pointer[topology.View]), Gates: &n.gates,
		LogEnd:   oplog.Offset,
		Beside:   func() int64 { return 0 },
		Recorder: func() func([]session.Record) { return func([]session.Record) {} },
		Monitor:  new(atomic.Pointer[exec.MonitorFunc]),
		Slow:     func(*session.Session, *command.Spec, [][]byte, int64, int64) {}})
	n.gates.SlowNanos.Store(-1)
	registry := clients.New(clients.Options{Accounts: acl.New(acl.Options{}), Hub: hub, Log: logger, Databases: 16})
	n.repl = New(Options{
		Keyspace: n.ks, Log: oplog, Engine: engine, Gates: &n.gates, Clients: registry, Slog: logger,
		NewID: func() string { return fmt.Sprintf("%040x", n.ids.Add(1)) },
		Dir:   func() string { return "." },
		Files: n.files,
		Dial:  n.dial,
		Load:  n.load,
		RoleChanged: func(replica bool) {
			n.roles = append(n.roles, replica)
			n.ks.Replica.Store(replica)
			n.gates.ReadOnly.Store(replica)
		},
	})
	n.repl.pauseUnit = time.Millisecond
	n.repl.Begin()
	n.tune(func(*Tuning) {})
	n.table, err = command.NewTable(builtin.Specs(), engine.Specs(), registry.Specs(), hub.Specs(), n.repl.Specs(),
		command.Specs(func() *command.Table { return n.table }))
	if err != nil {
		tb.Fatal(err)
	}
	engine.Use(n.table)
	tb.Cleanup(func() {
		n.repl.Close()
		n.ks.Close()
		if tb.Failed() {
			tb.Log(n.log.all())
		}
	})
	return n
}

func (n *replicaNode) newTurn() *exec.Turn { return new(exec.Turn) }

// tune sets directives that suit tests, and then change's.
func (n *replicaNode) tune(change func(*Tuning)) {
	t := Tuning{BacklogBytes: 1 << 20, Timeout: time.Minute, PingPeriod: 10 * time.Second, Port: 7777, Load: "disabled", ServeStale: true, Priority: 100, ReadOnly: true}
	change(&t)
	n.repl.Tune(t)
}

func (n *replicaNode) dial(ctx context.Context, address string) (net.Conn, error) {
	n.dials.Add(1)
	if err := n.refuse.Load(); err != nil && *err != nil {
		return nil, *err
	}
	ours, theirs := net.Pipe()
	m := &playedMaster{tb: n.tb, Conn: theirs, address: address}
	m.in = resp.NewReader(bufio.NewReader(theirs))
	n.tb.Cleanup(func() { theirs.Close() })
	n.conns <- m
	return ours, nil
}

// The tests' RDB: commands SET key value, then the word END.
func testRDB(pairs ...string) string {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		b = resp.AppendCommand(b, "SET", pairs[i], pairs[i+1])
	}
	return string(resp.AppendCommand(b, "END"))
}

// testData is what load has read.
type testData struct {
	n     *replicaNode
	pairs [][]byte
}

var errTestRDB = errors.New("corrupt")

func (n *replicaNode) load(in io.Reader) (Dataset, error) {
	r := resp.NewReader(in)
	d := &testData{n: n}
	for {
		v, err := r.Read()
		switch {
		case err != nil:
			return nil, err
		case len(v.Elems) == 1 && v.Elems[0].Text() == "END":
			return d, nil
		case len(v.Elems) != 3:
			return nil, errTestRDB
		}
		d.pairs = append(d.pairs, v.Elems[1].Str, v.Elems[2].Str)
	}
}

func (d *testData) Install() {
	var tx keyspace.WriteTx
	tx.Begin(d.n.ks, nil, 0, now(), keyspace.Applied)
	tx.Clear(false)
	for i := 0; i < len(d.pairs); i += 2 {
		tx.SetStr(d.pairs[i], d.pairs[i+1], keyspace.NoExpiry)
	}
	tx.Commit(nil)
}

func (d *testData) Discard() {}

func (d *testData) Aux() Aux { return Aux{StreamDB: -1} }

// follow makes the node a replica of the played master.
func (n *replicaNode) follow() {
	n.world(func() { n.repl.follow("master", 6379, nil) })
}

func (n *replicaNode) world(do func()) { n.repl.world(do) }

// get is the value of a key, "(nil)" without one.
func (n *replicaNode) get(db int, key string) (value string) {
	var h keyspace.Hold
	h.Reset(n.ks)
	h.AddSlot(slot.Of([]byte(key)))
	n.ks.Acquire(&h, make(waker, 1))
	defer n.ks.Release(&h)
	var tx keyspace.ReadTx
	tx.Begin(n.ks, &h, db, now(), keyspace.NoTouch)
	s, ok, err := tx.Str([]byte(key))
	if err != nil || !ok {
		return "(nil)"
	}
	return string(s.AppendTo(nil))
}

func (n *replicaNode) want(db int, key, value string) {
	n.tb.Helper()
	n.eventually(key+" is "+value, func() bool { return n.get(db, key) == value })
}

func (n *replicaNode) eventually(what string, is func() bool) {
	n.tb.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			n.tb.Fatalf("in vain: %s", what)
		}
	}
}

func (n *replicaNode) logged(text string) {
	n.tb.Helper()
	n.eventually("log line "+text, func() bool { return n.log.has(text) })
}

// master waits for the node's next connection.
func (n *replicaNode) master() *playedMaster {
	n.tb.Helper()
	select {
	case m := <-n.conns:
		return m
	case <-time.After(patience):
		n.tb.Fatal("the node does not connect")
		return nil
	}
}

// playedMaster is the master's end of the link.
type playedMaster struct {
	net.Conn
	tb      testing.TB
	in      *resp.Reader
	address string
	acks    []int64
}

// next is the next command but REPLCONF ACK, and empty lines.
func (m *playedMaster) next() []string {
	m.tb.Helper()
	for {
		m.SetReadDeadline(time.Now().Add(patience))
		if b, err := m.in.Raw().Peek(1); err == nil && b[0] == '\n' {
			m.in.Raw().Discard(1)
			continue
		}
		v, err := m.in.Read()
		if err != nil {
			m.tb.Fatalf("the master reads: %v", err)
		}
		var words []string
		for _, e := range v.Elems {
			words = append(words, e.Text())
		}
		if len(words) == 3 && words[1] == "ACK" {
			offset, _ := strconv.ParseInt(words[2], 10, 64)
			m.acks = append(m.acks, offset)
			continue
		}
		return words
	}
}

// ack waits for an acknowledgement of the offset.
func (m *playedMaster) ack(offset int64) {
	m.tb.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		m.SetReadDeadline(end)
		v, err := m.in.Read()
		if err != nil {
			m.tb.Fatalf("the master reads: %v", err)
		}
		if len(v.Elems) == 3 && v.Elems[1].Text() == "ACK" {
			if got, _ := strconv.ParseInt(v.Elems[2].Text(), 10, 64); got >= offset {
				if got > offset {
					m.tb.Fatalf("acknowledged %d instead of %d", got, offset)
				}
				return
			}
		}
	}
	m.tb.Fatalf("offset %d was not acknowledged", offset)
}

func (m *playedMaster) expect(words ...string) {
	m.tb.Helper()
	if got := m.next(); strings.Join(got, " ") != strings.Join(words, " ") {
		m.tb.Fatalf("the replica says %q instead of %q", got, words)
	}
}

func (m *playedMaster) say(text string) {
	m.tb.Helper()
	m.SetWriteDeadline(time.Now().Add(patience))
	if _, err := m.Write([]byte(text)); err != nil {
		m.tb.Fatalf("the master writes: %v", err)
	}
}

// greet is the handshake up to PSYNC, whose arguments it returns.
func (m *playedMaster) greet() (id string, offset string) {
	m.tb.Helper()
	m.expect("PING")
	m.say("+PONG\r\n")
	m.expect("REPLCONF", "listening-port", "7777")
	m.expect("REPLCONF", "capa", "eof", "capa", "psync2", "capa", "field-expiry")
	m.say("+OK\r\n")
	m.say("+OK\r\n")
	words := m.next()
	if len(words) < 3 || words[0] != "PSYNC" {
		m.tb.Fatalf("the replica says %q instead of PSYNC", words)
	}
	return words[1], words[2]
}

// listen reads acknowledgements for ever, so that the replica never waits for us.
func (m *playedMaster) listen() {
	m.SetReadDeadline(time.Time{})
	go io.Copy(io.Discard, m.in.Raw())
}

const (
	idA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	idB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func bulk(rdb string) string { return fmt.Sprintf("$%d\r\n%s", len(rdb), rdb) }

// synced is a node that has had a full sync from a played master.
func synced(tb testing.TB) (*replicaNode, *playedMaster) {
	tb.Helper()
	n := newReplicaNode(tb)
	n.follow()
	m := n.master()
	m.greet()
	m.say("+FULLRESYNC " + idA + " 1000\r\n" + bulk(testRDB("k", "v")))
	m.ack(1000)
	return n, m
}

func cmd(words ...string) string { return string(resp.AppendCommand(nil, words...)) }

// logReader collects the replication stream of the node from an offset on.
func (n *replicaNode) stream(from int64, want string) {
	n.tb.Helper()
	r, err := n.repl.log.ReadFrom(from, 0)
	if err != nil {
		n.tb.Fatal(err)
	}
	defer r.Close()
	var got bytes.Buffer
	buf := make([]byte, 4096)
	n.eventually(fmt.Sprintf("the stream is %q", want), func() bool {
		k, err := r.Read(buf)
		if err != nil {
			n.tb.Fatal(err)
		}
		got.Write(buf[:k])
		return got.Len() >= len(want)
	})
	if got.String() != want {
		n.tb.Fatalf("the stream is\n%q instead of\n%q", got.String(), want)
	}
}
