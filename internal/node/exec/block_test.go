package exec

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// loop is an event loop without sockets: it feeds sessions and answers those that
// are knocked at.
type loop struct {
	t       *testing.T
	e       *Engine
	turn    Turn
	knocked chan *session.Session
}

func newLoop(t *testing.T, r *rig) *loop {
	return &loop{t: t, e: r.Engine, knocked: make(chan *session.Session, 1000)}
}

func (l *loop) Notify(s *session.Session) { l.knocked <- s }
func (l *loop) Carries() bool             { return false }

func (l *loop) client(r *rig) *session.Session {
	s := r.client()
	s.Home = l
	return s
}

// do runs one command and returns its reply, "" if it waits.
func (l *loop) do(s *session.Session, line string) string {
	l.turn.NowMs = time.Now().UnixMilli()
	s.Out.Buf = nil
	l.e.Feed(&l.turn, s, say(strings.Fields(line)...))
	return flat(s.Out.Buf)
}

// answer waits until somebody is knocked at and has the reply that came.
func (l *loop) answer() (*session.Session, string) {
	select {
	case s := <-l.knocked:
		_, knock := s.Open(nil)
		s.Out.Buf = nil
		if knock.Replied {
			l.e.Answer(&l.turn, s, knock.Reply)
		}
		return s, flat(s.Out.Buf)
	case <-time.After(20 * time.Second):
		l.t.Fatal("nobody was answered")
		return nil, ""
	}
}

// waits checks that a command is not answered.
func (l *loop) waits(s *session.Session, line string) {
	l.t.Helper()
	if got := l.do(s, line); got != "" || !s.Parked() || !s.Is(session.Blocked) {
		l.t.Fatalf("%s: %q, parked %v", line, got, s.Parked())
	}
}

// gets checks who is answered next, and with what.
func (l *loop) gets(s *session.Session, want string) {
	l.t.Helper()
	who, got := l.answer()
	if who != s || got != want || s.Parked() {
		l.t.Errorf("client %d got %q; want %q for client %d", who.ID(), got, want, s.ID())
	}
}

func (l *loop) quiet() {
	l.t.Helper()
	select {
	case s := <-l.knocked:
		l.t.Errorf("client %d was answered", s.ID())
	default:
	}
}

func flat(b []byte) string {
	return strings.ReplaceAll(strings.TrimSuffix(string(b), "\r\n"), "\r\n", " ")
}

func TestServedInOrder(t *testing.T) {
	r := newRig(t)
	l := newLoop(t, r)
	one, two, three, other := l.client(r), l.client(r), l.client(r), l.client(r)
	l.waits(one, "BLPOP k 0")
	l.waits(two, "BRPOP none k 0")
	l.waits(three, "BLMPOP 0 1 k LEFT COUNT 5")
	if got := l.do(other, "RPUSH k a b c d"); got != ":4" {
		t.Error(got)
	}
	l.gets(one, "*2 $1 k $1 a")
	l.gets(two, "*2 $1 k $1 d")
	l.gets(three, "*2 $1 k *2 $1 b $1 c")
	if keys, _ := r.Keyspace.Awaited(); keys != 0 || r.Waits() != 0 {
		t.Error(keys, r.Waits())
	}
}

func TestServedAfterExec(t *testing.T) {
	r := newRig(t)
	l := newLoop(t, r)
	one, other := l.client(r), l.client(r)
	l.waits(one, "BLPOP k1 k2 0")
	for _, line := range []string{"MULTI", "RPUSH k2 b", "RPUSH k1 a", "RPUSH k1 x", "LPOP k1"} {
		l.do(other, line)
	}
	l.quiet()
	l.do(other, "EXEC")
	l.gets(one, "*2 $2 k1 $1 x")

	l.waits(one, "BLPOP k1 0")
	for _, line := range []string{"MULTI", "RPUSH k1 a", "DEL k1", "SET k1 v", "EXEC"} {
		l.do(other, line)
	}
	l.quiet() // it is no list any more
	l.do(other, "DEL k1")
	l.do(other, "RPUSH k3 z")
	l.do(other, "RENAME k3 k1")
	l.gets(one, "*2 $2 k1 $1 z")

	l.do(one, "MULTI")
	l.do(one, "BLPOP none 0")
	l.do(one, "BLMOVE none k LEFT LEFT 0")
	if got := l.do(one, "EXEC"); got != "*2 *-1 $-1" {
		t.Errorf("inside EXEC: %q", got)
	}
}

func TestServedInChain(t *testing.T) {
	r := newRig(t)
	l := newLoop(t, r)
	last, middle, first, other := l.client(r), l.client(r), l.client(r), l.client(r)
	l.waits(last, "BLPOP c 0")
	l.waits(middle, "BLMOVE b c LEFT RIGHT 0")
	l.waits(first, "BRPOPLPUSH a b 0")
	l.do(other, "RPUSH a x")
	l.gets(first, "$1 x")
	l.gets(middle, "$1 x")
	l.gets(last, "*2 $1 c $1 x")
	if got := l.do(other, "EXISTS a b c"); got != ":0" {
		t.Error(got)
	}
}

func TestServedFromOtherDatabase(t *testing.T) {
	r := newRig(t)
	l := newLoop(t, r)
	one, other := l.client(r), l.client(r)
	l.waits(one, "BLPOP k 0")
	other.SelectDB(3)
	l.do(other, "RPUSH k x")
	l.quiet()
	l.do(other, "SWAPDB 0 3")
	l.gets(one, "*2 $1 k $1 x")
}

func TestWaitEnds(t *testing.T) {
	r := newRig(t)
	l := newLoop(t, r)
	one, two, other := l.client(r), l.client(r), l.client(r)
	l.waits(one, "BLPOP k 0.05")
	l.waits(two, "BLMOVE k d LEFT LEFT 0.001")
	l.gets(two, "*-1")
	l.gets(one, "*-1")

	l.waits(one, "BLPOP k 1000")
	if !r.Unblock(one, true) || r.Unblock(one, true) || r.Unblock(other, true) {
		t.Error("not unblocked once")
	}
	l.gets(one, "-"+errUnblocked)
	l.waits(one, "BLPOP k 1000")
	r.Unblock(one, false)
	l.gets(one, "*-1")

	l.waits(one, "BLPOP k 1000")
	l.waits(two, "BLPOP k 0")
	r.Forget(one)
	two.Kill()
	if got := l.do(other, "RPUSH k x"); got != ":1" || r.Waits() != 0 {
		t.Error(got, r.Waits())
	}
	if got := l.do(other, "LLEN k"); got != ":1" {
		t.Errorf("one who is gone was served: %s", got)
	}
}

func TestWaitEndsWithTheReign(t *testing.T) {
	r := newRig(t)
	l := newLoop(t, r)
	one := l.client(r)
	l.waits(one, "BLPOP k 0")
	var all keyspace.Hold
	r.Keyspace.AcquireAll(&all)
	r.UnblockAll()
	r.Keyspace.Release(&all)
	l.gets(one, "-"+errDemoted)
	if !one.Is(session.CloseAfterReply) {
		t.Error("the connection stays")
	}
}

// clusterOf is a cluster of two masters; all slots belong to the one with the index owner.
func clusterOf(owner uint16) *topology.View {
	c := topology.Cluster{Nodes: []topology.Node{
		{Flags: bus.FlagMyself | bus.FlagMaster, Master: topology.NoNode, IP: "10.0.0.1", Port: 7001},
		{Flags: bus.FlagMaster, Master: topology.NoNode, IP: "10.0.0.2", Port: 7002},
	}, Owners: new(topology.Owners)}
	for s := range c.Owners {
		c.Owners[s] = owner
	}
	return topology.NewView(c, bus.StateOK, topology.Config{})
}

func TestWaitEndsWithTheSlot(t *testing.T) {
	r := newRig(t)
	l := newLoop(t, r)
	one := l.client(r)
	r.view.Store(clusterOf(0))
	l.waits(one, "BLPOP k 0")
	r.Tick(time.Now().UnixMilli())
	l.quiet()
	r.view.Store(clusterOf(1))
	r.Tick(time.Now().UnixMilli())
	l.gets(one, fmt.Sprintf("-MOVED %d 10.0.0.2:7002", slot.Of([]byte("k"))))
}

// TestServedLater is about a command that needs a stripe which long work owns.
func TestServedLater(t *testing.T) {
	r := newRig(t)
	l := newLoop(t, r)
	one, two, other := l.client(r), l.client(r), l.client(r)
	l.waits(one, "BLMOVE k d LEFT LEFT 0")
	l.waits(two, "BLPOP k 0")
	var hold keyspace.Hold
	hold.Reset(r.Keyspace)
	hold.AddSlot(slot.Of([]byte("d")))
	r.Keyspace.Acquire(&hold, nil)
	owner := keyspace.Owner{What: "test"}
	r.Keyspace.Own(&hold, &owner)
	l.do(other, "RPUSH k x y")
	l.quiet()
	r.Keyspace.Disown(&owner)
	l.gets(one, "$1 x")
	l.gets(two, "*2 $1 k $1 y")

	l.waits(one, "BLPOP k 0")
	r.Pause(ByClient, PauseWrite, time.Now().UnixMilli()+1_000_000)
	r.Keyspace.Acquire(&hold, nil)
	l.quiet()
	r.Keyspace.Release(&hold)
	r.Unpause(ByClient)
	l.do(other, "RPUSH k z")
	l.gets(one, "*2 $1 k $1 z")
}

// TestServedByAll has several loops push and pop at once: no element is lost or seen twice.
func TestServedByAll(t *testing.T) {
	const loops, rounds = 4, 2000
	r := newRig(t)
	var mu sync.Mutex
	seen := map[string]int{}
	var work sync.WaitGroup
	for n := range loops {
		l := newLoop(t, r)
		popper, pusher := l.client(r), l.client(r)
		work.Go(func() {
			for i := range rounds {
				got := l.do(popper, []string{"BLPOP k1 k2 20", "BRPOP k2 k1 0", "BLMPOP 20 2 k1 k2 LEFT"}[i%3])
				l.do(pusher, fmt.Sprintf("RPUSH k%d %d-%d", 1+i%2, n, i))
				if got == "" {
					_, got = l.answer()
				}
				words := strings.Fields(got)
				mu.Lock()
				seen[words[len(words)-1]]++
				mu.Unlock()
			}
		})
	}
	work.Wait()
	if len(seen) != loops*rounds {
		t.Errorf("%d different elements of %d came", len(seen), loops*rounds)
	}
	if keys, _ := r.Keyspace.Awaited(); keys != 0 || r.Waits() != 0 {
		t.Error(keys, "keys,", r.Waits(), "waits are left")
	}
}

// TestGroupsAreNotWatched: of what a group remembers, who watches its stream hears nothing; who waits for the group
// learns that it is gone.
func TestGroupsAreNotWatched(t *testing.T) {
	r := newRig(t)
	l := newLoop(t, r)
	waiting, watching, other := l.client(r), l.client(r), l.client(r)
	for _, c := range []struct {
		line    string
		changes bool
	}{
		{"XADD s 1-1 f v", true}, {"XADD s 1-2 f v", true}, {"XGROUP CREATE s g 0", false}, {"XGROUP CREATECONSUMER s g c", false},
		{"XREADGROUP GROUP g c COUNT 1 STREAMS s >", false}, {"XCLAIM s g d 0 1-1", false}, {"XACK s g 1-1", false}, {"XSETID s 9-9", false},
		{"XGROUP SETID s g $", false}, {"XGROUP DELCONSUMER s g c", false}, {"XGROUP DESTROY s g", false}, {"XDEL s 1-1", true},
	} {
		l.do(watching, "WATCH s")
		l.do(watching, "MULTI")
		if strings.HasPrefix(c.line, "XGROUP DESTROY") {
			l.waits(waiting, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >")
		}
		if got := l.do(other, c.line); strings.HasPrefix(got, "-") || got == "" {
			t.Error(c.line, got)
		}
		if got := l.do(watching, "EXEC"); (got == "*-1") != c.changes {
			t.Errorf("%s: EXEC %q", c.line, got)
		}
	}
	l.gets(waiting, "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option")
}
