package admin

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// server runs the commands of an Admin, without network or engine.
type server struct {
	tb     testing.TB
	ks     *keyspace.Keyspace
	admin  *Admin
	table  *command.Table
	client client
	out    resp.Writer
	log    bytes.Buffer
	db     int
}

// client is who calls.
type client struct {
	addr   netip.AddrPort
	multi  bool
	parks  bool        // Park is possible
	answer chan []byte // of a parked call
}

func (c *client) ID() uint64                                { return 1 }
func (c *client) Name() string                              { return "" }
func (c *client) User() string                              { return "default" }
func (c *client) Addr() netip.AddrPort                      { return c.addr }
func (c *client) Proto() int                                { return 2 }
func (c *client) SelectDB(int)                              {}
func (c *client) InMulti() bool                             { return c.multi }
func (c *client) Block(call *command.Call, w *command.Wait) { w.Null(call.Out) }

func (c *client) Park() (func([]byte), bool) {
	if !c.parks {
		return nil, false
	}
	c.answer = make(chan []byte, 1)
	return func(b []byte) { c.answer <- b }, true
}

// settings are a Configurer that holds what a test gives it.
type settings struct {
	all    []Setting
	set    []Setting
	local  bool
	err    error
	forced bool
	resets int
}

func (s *settings) Get(patterns []string) (found []Setting) {
	for _, p := range patterns {
		for _, e := range s.all {
			if e.Name == p || p == "*" {
				found = append(found, e)
			}
		}
	}
	return found
}

func (s *settings) Set(pairs []Setting, local bool) error {
	s.set, s.local = pairs, local
	return s.err
}

func (s *settings) Rewrite(force bool) error { s.forced = force; return s.err }
func (s *settings) ResetStat()               { s.resets++ }

func newServer(tb testing.TB, change func(*Options)) *server {
	ks, err := keyspace.New(keyspace.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(ks.Close)
	s := &server{tb: tb, ks: ks, out: resp.Writer{Proto: 2}}
	o := Options{
		Keyspace: ks,
		Config: &settings{all: []Setting{
			{"hz", "10"}, {"port", "6379"}, {"maxmemory", "0"}, {"maxmemory-policy", "noeviction"}, {"repl-backlog-size", "1048576"},
		}},
		Log:   slog.New(slog.NewTextHandler(&s.log, nil)),
		Facts: Facts{Version: "0.1.0", RunID: strings.Repeat("a", 40)},
	}
	if change != nil {
		change(&o)
	}
	s.admin = New(o)
	s.table, err = command.NewTable(s.admin.Specs())
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// do runs a command line of words between spaces and returns the reply.
func (s *server) do(line string) string {
	return s.call(bytes.Fields([]byte(line))...)
}

// call runs a command as the engine does, the stripes being ours anyway.
func (s *server) call(argv ...[]byte) string {
	spec, err := s.table.Resolve(argv)
	s.out.Buf = nil
	if err != nil {
		s.out.Error(err.Error())
		return string(s.out.Buf)
	}
	now := time.Now().UnixMilli()
	c := command.Call{Spec: spec, Args: argv, Out: &s.out, Now: now, DB: s.db, Client: &s.client}
	var tx keyspace.WriteTx
	tx.Begin(s.ks, nil, s.db, now, 0)
	switch {
	case spec.Read != nil:
		spec.Read(&c, &tx.ReadTx)
	case spec.Write != nil:
		spec.Write(&c, &tx)
	default:
		spec.Service(&c)
	}
	tx.Commit(nil)
	return string(s.out.Buf)
}

// set makes a key; ttl in ms, 0 for none, negative for one past its deadline.
func (s *server) set(db int, key, val string, ttl int64) {
	now := time.Now().UnixMilli()
	expiry := keyspace.NoExpiry
	if ttl != 0 {
		expiry = now + ttl
	}
	var tx keyspace.WriteTx
	tx.Begin(s.ks, nil, db, now, 0)
	if err := tx.SetStr([]byte(key), []byte(val), expiry); err != nil {
		s.tb.Fatal(err)
	}
	tx.Commit(nil)
}

// parked is the reply to the parked call.
func (s *server) parked() string { return string(<-s.client.answer) }

func (s *server) want(line, reply string) {
	s.tb.Helper()
	if got := s.do(line); got != reply {
		s.tb.Errorf("%s: %q, want %q", line, got, reply)
	}
}
