package exec

import (
	"sync/atomic"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/command/builtin"
	"github.com/skeindb/skein/internal/node/observe"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// rig is an engine with the data commands, and nothing around it.
type rig struct {
	*Engine
	gates    Gates
	view     atomic.Pointer[topology.View]
	accounts *acl.Accounts
	turn     Turn
	ids      uint64
}

func newRig(t testing.TB) *rig {
	t.Helper()
	ks, err := keyspace.New(keyspace.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ks.Close)
	r := &rig{accounts: acl.New(acl.Options{})}
	o := observe.New()
	r.gates.SlowNanos.Store(10_000_000)
	r.Engine = New(Options{Keyspace: ks, View: &r.view, Gates: &r.gates, Beside: func() int64 { return 0 },
		LogEnd: func() int64 { return 0 }, Recorder: o.Recorder, Monitor: new(atomic.Pointer[MonitorFunc]), Slow: o.Slow})
	table, err := command.NewTable(builtin.Specs(), r.Specs())
	if err != nil {
		t.Fatal(err)
	}
	o.Use(table)
	r.Use(table)
	r.turn.NowMs = 1_000_000
	return r
}

// nobody is the home of sessions that are never knocked at.
type nobody struct{}

func (nobody) Notify(*session.Session) {}

func (nobody) Carries() bool { return false }

func (r *rig) client() *session.Session {
	r.ids++
	s := session.New(r.ids, nobody{})
	s.Account = r.accounts.Default()
	return s
}

// feed gives data to s and returns what it answers; all of data must be consumed.
func (r *rig) feed(t testing.TB, s *session.Session, data []byte) []byte {
	s.Out.Buf = s.Out.Buf[:0]
	if n := r.Feed(&r.turn, s, data); n != len(data) {
		t.Fatalf("%d of %d bytes were consumed", n, len(data))
	}
	return s.Out.Buf
}

// say is one command in RESP.
func say(words ...string) []byte { return resp.AppendCommand(nil, words...) }
