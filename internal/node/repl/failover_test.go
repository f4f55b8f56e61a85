package repl

import (
	"strconv"
	"strings"
	"testing"
)

// pair is a master with a replica that is in step, and a user.
func pair(t *testing.T) (n *replicaNode, replica, user *client) {
	n = newMaster(t)
	replica, user = n.connect(), n.connect()
	replica.sync()
	return n, replica, user
}

func TestFailoverRefusals(t *testing.T) {
	n := newMaster(t)
	user := n.connect()
	refuses := func(list map[string]string) {
		t.Helper()
		for words, want := range list {
			if got := user.do(strings.Fields(words)...); got != want {
				t.Errorf("%s: %s", words, got)
			}
		}
	}
	refuses(map[string]string{
		"FAILOVER":                  "-ERR FAILOVER requires connected replicas.",
		"FAILOVER ABORT":            "-ERR No failover in progress.",
		"FAILOVER x":                "-ERR syntax error",
		"FAILOVER TO":               "-ERR syntax error",
		"FAILOVER TO h":             "-ERR syntax error",
		"FAILOVER TO h p":           "-ERR value is not an integer or out of range",
		"FAILOVER TIMEOUT":          "-ERR syntax error",
		"FAILOVER TIMEOUT 0":        "-ERR FAILOVER timeout must be greater than 0",
		"FAILOVER TIMEOUT 1 ABORT":  "-ERR syntax error",
		"FAILOVER FORCE FORCE":      "-ERR syntax error",
		"FAILOVER TO a 1 TO b 2":    "-ERR syntax error",
		"FAILOVER TIMEOUT 1 FORCE ": "-ERR FAILOVER requires connected replicas.",
	})
	replica := n.connect()
	replica.do("REPLCONF", "listening-port", "7001")
	n.repl.opt.Snapshot = func(Aux) (Snapshot, error) { return nil, ErrBusy }
	replica.send("PSYNC", "?", "-1")
	refuses(map[string]string{
		"FAILOVER FORCE":                  "-ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
		"FAILOVER FORCE TIMEOUT 1":        "-ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
		"FAILOVER TO 127.0.0.1 7002":      "-ERR FAILOVER target HOST and PORT is not a replica.",
		"FAILOVER TO 127.0.0.1 7001":      "-ERR FAILOVER target replica is not online.",
		"FAILOVER FORCE TO 127.0.0.1 700": "-ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
	})
	if got := user.do("FAILOVER"); got != "+OK" { // some replica will be online
		t.Fatal(got)
	}
	refuses(map[string]string{
		"FAILOVER":                     "-ERR FAILOVER already in progress.",
		"REPLICAOF NO ONE":             "-ERR REPLICAOF not allowed while failing over.",
		"PSYNC ? -1":                   "-NOMASTERLINK Can't SYNC while failing over",
		"PSYNC " + idA + " 1 FAILOVER": "-ERR PSYNC FAILOVER can't be sent to a master.",
	})
	if !n.ks.Frozen.Load() || !strings.Contains(string(n.repl.AppendInfo(nil)), "master_failover_state:waiting-for-sync\r\n") {
		t.Error("does not wait")
	}
	if got := user.do("FAILOVER", "ABORT"); got != "+OK" || n.ks.Frozen.Load() {
		t.Error(got)
	}
	n.logged("FAILOVER to any replica aborted: Failover manually aborted")
	n.follow()
	refuses(map[string]string{"FAILOVER": "-ERR FAILOVER is not valid when server is a replica."})
}

// TestFailover: when a replica has everything, we follow it, and it is asked to
// become our master.
func TestFailover(t *testing.T) {
	n, replica, user := pair(t)
	n.set("a", "1")
	if got := user.do("FAILOVER"); got != "+OK" {
		t.Fatal(got)
	}
	n.repl.Tick(now())
	if n.repl.Following() {
		t.Fatal("the replica is not in step yet")
	}
	id, at := n.repl.History().ID, n.repl.Offset()
	replica.send("REPLCONF", "ACK", "45") // not all
	n.repl.Tick(now())
	replica.send("REPLCONF", "ACK", n.offsetText())
	n.repl.Tick(now())
	n.logged("Failover target 127.0.0.1:7001 is synced, failing over.")
	m := n.master()
	if m.address != "127.0.0.1:7001" {
		t.Error(m.address)
	}
	if words := m.handshake(); strings.Join(words, " ") != "PSYNC "+id+" "+offsetAfter(at)+" FAILOVER" {
		t.Error(words)
	}
	if !strings.Contains(string(n.repl.AppendInfo(nil)), "master_failover_state:failover-in-progress\r\n") {
		t.Error(string(n.repl.AppendInfo(nil)))
	}
	m.listen()
	m.say("+CONTINUE " + idB + "\r\n" + cmd("SET", "b", "2"))
	n.want(0, "b", "2")
	if n.repl.failoverState() != noFailover || n.ks.Frozen.Load() || !n.repl.Following() || n.repl.History().ID2 != id {
		t.Error(n.repl.failoverState(), n.repl.History())
	}
}

// TestFailoverRejected: who does not want to be the master leaves us so.
func TestFailoverRejected(t *testing.T) {
	n, replica, user := pair(t)
	user.do("FAILOVER", "TO", "127.0.0.1", "7001")
	replica.send("REPLCONF", "ACK", n.offsetText())
	n.repl.Tick(now())
	m := n.master()
	m.handshake()
	m.say("-ERR PSYNC FAILOVER replid must match my replid.\r\n")
	n.logged("FAILOVER to 127.0.0.1:7001 aborted: Failover target rejected psync request")
	n.eventually("a master again", func() bool { return !n.repl.Following() && !n.ks.Frozen.Load() })
	if got := user.do("SET", "a", "1"); got != "+OK" {
		t.Error(got)
	}
}

func TestFailoverTimeout(t *testing.T) {
	n, replica, user := pair(t)
	n.set("a", "1")
	user.do("FAILOVER", "TIMEOUT", "1000")
	n.repl.Tick(now() + 900)
	if n.repl.failoverState() != failoverWaits {
		t.Error("too early")
	}
	n.repl.Tick(now() + 1001)
	n.logged("FAILOVER to any replica aborted: Replica never caught up before timeout")
	if n.ks.Frozen.Load() || n.repl.Following() {
		t.Error("still paused")
	}
	user.do("FAILOVER", "TO", "127.0.0.1", "7001", "FORCE", "TIMEOUT", "1000")
	n.repl.Tick(now() + 1001)
	n.logged("FAILOVER to 127.0.0.1:7001 time out exceeded, failing over.")
	n.master().handshake()
	_ = replica
	if got := user.do("FAILOVER", "ABORT"); got != "+OK" || n.repl.Following() {
		t.Error(got)
	}
}

// TestTakeOver: our master hands over to us.
func TestTakeOver(t *testing.T) {
	n, m := synced(t)
	n.repl.opt.Snapshot = n.snapshot
	c := n.connect()
	c.do("REPLCONF", "capa", "psync2")
	if got := c.do("PSYNC", idB, "1001", "FAILOVER"); got != "-ERR PSYNC FAILOVER replid must match my replid." {
		t.Error(got)
	}
	c.send("PSYNC", idA, "1001", "FAILOVER")
	c.expect("+CONTINUE " + n.repl.History().ID + "\r\n")
	if h := n.repl.History(); n.repl.Following() || h.ID2 != idA || h.SecondOffset != 1001 {
		t.Error(h)
	}
	n.logged("MASTER MODE enabled (failover request from '")
	n.set("a", "1")
	c.expect(select0 + cmd("SET", "a", "1"))
	m.Close()
}

// TestTakeOverWithTheStream: what our master had sent before it asks us to take over is
// applied first, though it comes to another connection.
func TestTakeOverWithTheStream(t *testing.T) {
	n, m := synced(t)
	n.repl.opt.Snapshot = n.snapshot
	c := n.connect()
	c.do("REPLCONF", "capa", "psync2")
	last := cmd("SET", "k", "last")
	c.send("PSYNC", idA, strconv.Itoa(1001+len(last)), "FAILOVER")
	n.logged("Failover request received for replid " + idA + ".")
	if !n.repl.Following() {
		t.Fatal("took over without the last write")
	}
	m.say(last)
	n.logged("MASTER MODE enabled (failover request from '")
	c.expect("+CONTINUE " + n.repl.History().ID + "\r\n")
	n.want(0, "k", "last")
	if n.repl.Following() || n.log.count("Failover request received") != 1 {
		t.Error("still a replica, or said twice")
	}
	m.Close()
}

// TestTakeOverWithoutTheStream: nor does it wait for ever, or for a stream that has ended.
func TestTakeOverWithoutTheStream(t *testing.T) {
	for _, ends := range []bool{false, true} {
		n, m := synced(t)
		n.repl.opt.Snapshot = n.snapshot
		c := n.connect()
		c.send("PSYNC", idA, "2000", "FAILOVER")
		n.logged("Failover request received for replid " + idA + ".")
		if ends {
			m.Close()
		}
		n.logged("MASTER MODE enabled (failover request from '")
		if got := c.line(); !strings.HasPrefix(got, "+FULLRESYNC ") {
			t.Error(got)
		}
		m.Close()
	}
}
