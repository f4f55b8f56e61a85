package repl

import (
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/node/session"
)

// silentHome is a home whose sessions nobody knocks at.
type silentHome struct{}

func (silentHome) Notify(*session.Session) {}

func (silentHome) Carries() bool { return false }

// client runs commands on the node as a client would.
func (n *replicaNode) client() func(words ...string) string {
	s := session.New(1000, silentHome{})
	s.Account = n.repl.opt.Clients.OpenMaster(silentHome{}, nil, endpoint(nil), endpoint(nil)).Account
	turn := n.newTurn()
	return func(words ...string) string {
		turn.NowMs = now()
		n.repl.opt.Engine.Feed(turn, s, []byte(cmd(words...)))
		out := string(s.Out.Buf)
		s.Out.Buf = s.Out.Buf[:0]
		return strings.TrimSuffix(out, "\r\n")
	}
}

func TestReplicaof(t *testing.T) {
	n := newReplicaNode(t)
	var configured []string
	n.repl.opt.MasterChanged = func(host string, port int) { configured = append(configured, host) }
	do := n.client()
	want := func(reply string, words ...string) {
		t.Helper()
		if got := do(words...); got != reply {
			t.Errorf("%q: %q instead of %q", words, got, reply)
		}
	}
	want("+OK", "REPLICAOF", "NO", "ONE")
	for _, port := range []string{"abc", "-1", "65536", ""} {
		want("-ERR Invalid master port", "REPLICAOF", "master", port)
	}
	if n.repl.Following() || len(n.roles) > 0 {
		t.Error("follows")
	}
	want("+OK", "SLAVEOF", "master", "6379")
	want("+OK Already connected to specified master", "REPLICAOF", "MASTER", "6379")
	if role := do("ROLE"); !strings.HasPrefix(role, "*5\r\n$5\r\nslave\r\n$6\r\nmaster\r\n:6379\r\n") || !strings.HasSuffix(role, ":-1") {
		t.Errorf("%q", role)
	}
	want("-READONLY You can't write against a read only replica.", "SET", "k", "v")
	m := n.master()
	m.greet()
	m.say("+FULLRESYNC " + idA + " 8\r\n" + bulk(testRDB("k", "v")))
	m.ack(8)
	if role := do("ROLE"); !strings.HasSuffix(role, "$9\r\nconnected\r\n:8") {
		t.Errorf("%q", role)
	}
	info := string(n.repl.AppendInfo(nil))
	for _, line := range []string{"role:slave", "master_host:master", "master_port:6379", "master_link_status:up", "master_sync_in_progress:0",
		"slave_read_repl_offset:8", "slave_repl_offset:8", "slave_priority:100", "slave_read_only:1", "master_replid:" + idA} {
		if !strings.Contains(info, line+"\r\n") {
			t.Errorf("no %s in\n%s", line, info)
		}
	}
	n.repl.failover.state = failoverWaits
	want("-ERR REPLICAOF not allowed while failing over.", "REPLICAOF", "NO", "ONE")
	n.repl.failover.state = noFailover
	want("+OK", "MULTI")
	want("+QUEUED", "REPLICAOF", "NO", "ONE")
	want("+QUEUED", "GET", "k")
	want("*2\r\n+OK\r\n$1\r\nv", "EXEC")
	want("+OK", "SET", "k", "w")
	n.logged("MASTER MODE enabled (user request from 'id=1000 ")
	if n.repl.Following() || n.get(0, "k") != "w" {
		t.Error("no master")
	}
	if len(configured) != 2 || configured[0] != "master" || configured[1] != "" {
		t.Errorf("%q", configured)
	}
	n.repl.opt.Cluster = true
	want("-ERR REPLICAOF not allowed in cluster mode.", "REPLICAOF", "master", "1")
}

// A transaction is refused as a whole if the link was lost while it was queued.
func TestStaleTransaction(t *testing.T) {
	n, m := synced(t)
	n.tune(func(o *Tuning) { o.ServeStale = false })
	do := n.client()
	do("MULTI")
	do("GET", "k")
	m.Close()
	n.eventually("the gate closes", n.gates.MasterDown.Load)
	if got := do("EXEC"); !strings.HasPrefix(got, "-EXECABORT Transaction discarded because of: MASTERDOWN") {
		t.Errorf("%q", got)
	}
}

// Keys that SCAN or a cycle finds past their deadline are deleted each for itself.
func TestExpiryIsNoTransaction(t *testing.T) {
	n := newReplicaNode(t)
	n.repl.mu.Lock()
	n.repl.openBacklog()
	n.repl.mu.Unlock()
	do := n.client()
	n.ks.SetActiveExpire(false)
	for _, key := range []string{"{t}a", "{t}b"} {
		do("SET", key, "v", "PX", "1")
	}
	n.eventually("they have expired", func() bool { return n.due("{t}a") && n.due("{t}b") })
	from := n.repl.Offset()
	do("SCAN", "0", "COUNT", "100")
	del := func(key string) string { return cmd("DEL", key) }
	a, b := del("{t}a")+del("{t}b"), del("{t}b")+del("{t}a")
	if got := n.tail(from, len(a)); got != a && got != b {
		t.Errorf("%q", got)
	}
}

// due tells whether a key is past its deadline.
func (n *replicaNode) due(key string) bool {
	n.ks.Replica.Store(true) // hides, and does not delete
	defer n.ks.Replica.Store(false)
	return n.get(0, key) == "(nil)"
}

// tail is so many bytes of the stream behind an offset.
func (n *replicaNode) tail(from int64, length int) string {
	r, err := n.repl.log.ReadFrom(from, 0)
	if err != nil {
		n.tb.Fatal(err)
	}
	defer r.Close()
	buf := make([]byte, length+100)
	k, _ := r.Read(buf)
	return string(buf[:k])
}
