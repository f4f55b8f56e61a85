package repl

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/vfs"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func TestFullSyncByFile(t *testing.T) {
	n, m := synced(t)
	n.want(0, "k", "v")
	for _, line := range []string{"Connecting to MASTER master:6379", "MASTER <-> REPLICA sync started",
		"Non blocking connect for SYNC fired the event.", "Master replied to PING, replication can continue...",
		"Trying a partial resynchronization (request ", "Full resync from master: " + idA + ":1000",
		"MASTER <-> REPLICA sync: receiving ", "from master to disk", "MASTER <-> REPLICA sync: Flushing old data",
		"MASTER <-> REPLICA sync: Loading DB in memory", "MASTER <-> REPLICA sync: Finished with success"} {
		n.logged(line)
	}
	l, following := n.repl.Link()
	if !following || !l.Up || l.State != "connected" || l.Applied != 1000 || l.Host != "master" || l.Port != 6379 {
		t.Errorf("%+v", l)
	}
	if h := n.repl.History(); h.ID != idA || h.ID2 != noID || h.SecondOffset != -1 {
		t.Errorf("%+v", h)
	}
	stream := cmd("SELECT", "3") + cmd("SET", "a", "1") + cmd("MULTI") + cmd("SET", "b", "2") + cmd("INCR", "a") + cmd("EXEC") + cmd("PING")
	m.listen()
	m.say(stream)
	n.want(3, "b", "2")
	n.want(3, "a", "2")
	n.stream(1000, stream)
	if names, _ := n.files.ReadDir("."); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
	if len(n.roles) != 1 || !n.roles[0] {
		t.Errorf("roles: %v", n.roles)
	}
}

func TestFullSyncWithMark(t *testing.T) {
	for _, load := range []string{"disabled", "swapdb", "on-empty-db"} {
		for _, piece := range []int{1, 7, 39, 40, 41, 1 << 20} {
			t.Run(fmt.Sprint(load, piece), func(t *testing.T) {
				n := newReplicaNode(t)
				n.tune(func(o *Tuning) { o.Load = load })
				n.follow()
				m := n.master()
				m.greet()
				mark := strings.Repeat("xy", 20)
				// What looks like the beginning of the mark is data.
				sent := "+FULLRESYNC " + idA + " 5\r\n\n\n$EOF:" + mark + "\r\n" + testRDB("k", mark[:39], "l", "xyxy") + mark
				for len(sent) > 0 {
					k := min(piece, len(sent))
					m.say(sent[:k])
					sent = sent[k:]
				}
				m.ack(5)
				n.want(0, "k", mark[:39])
				m.listen()
				m.say(cmd("SET", "after", "1"))
				n.want(0, "after", "1")
			})
		}
	}
}

func TestStreamBehindTheRDBInOnePiece(t *testing.T) {
	n := newReplicaNode(t)
	n.follow()
	m := n.master()
	m.greet()
	m.say("+FULLRESYNC " + idA + " 5\r\n" + bulk(testRDB("k", "v")) + cmd("SET", "k", "w"))
	m.listen()
	n.want(0, "k", "w")
}

func TestGetAck(t *testing.T) {
	n, m := synced(t)
	set := cmd("SET", "k", "w")
	m.say(set + cmd("REPLCONF", "GETACK", "*") + cmd("SET", "k", "x"))
	getack := len(cmd("REPLCONF", "GETACK", "*"))
	m.ack(1000 + int64(len(set)+getack))
	n.want(0, "k", "x")
}

func TestPartialResync(t *testing.T) {
	n, m := synced(t)
	m.say(cmd("SELECT", "2") + cmd("SET", "a", "1"))
	n.want(2, "a", "1")
	end := 1000 + len(cmd("SELECT", "2")+cmd("SET", "a", "1"))
	m.say(cmd("MULTI") + cmd("SET", "a", "lost")) // no EXEC: as if it had not come
	m.Close()
	for _, line := range []string{"Connection with master lost.", "Caching the disconnected master state.", "Reconnecting to MASTER master:6379"} {
		n.logged(line)
	}
	m = n.master()
	if id, offset := m.greet(); id != idA || offset != fmt.Sprint(end+1) {
		t.Fatalf("asks for %s %s", id, offset)
	}
	m.say("+CONTINUE " + idB + "\r\n")
	m.listen()
	m.say(cmd("SET", "b", "2"))
	n.want(2, "b", "2")
	if got := n.get(2, "a"); got != "1" {
		t.Errorf("a is %s", got)
	}
	if h := n.repl.History(); h.ID != idB || h.ID2 != idA || h.SecondOffset != int64(end+1) {
		t.Errorf("%+v", h)
	}
	n.stream(1000, cmd("SELECT", "2")+cmd("SET", "a", "1")+cmd("SET", "b", "2"))
	n.logged("Successful partial resynchronization with master.")
	n.logged("MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.")
}

func TestContinueThatWasNotAskedFor(t *testing.T) {
	n := newReplicaNode(t)
	n.repl.begun = false
	n.world(func() { n.repl.Follow("master", 6379) })
	n.repl.Begin()
	for range 2 {
		m := n.master()
		if id, offset := m.greet(); id != "?" || offset != "-1" {
			t.Fatalf("asks for %s %s", id, offset)
		}
		m.say("+CONTINUE\r\n")
	}
	n.logged("Partial resynchronization not possible (no cached master)")
}

func TestOldMaster(t *testing.T) {
	n := newReplicaNode(t)
	n.tune(func(o *Tuning) { o.AnnounceIP, o.AnnouncePort = "10.0.0.1", 99 })
	n.follow()
	m := n.master()
	m.expect("PING")
	m.say("-ERR operation not permitted\r\n")
	m.expect("REPLCONF", "listening-port", "99")
	m.expect("REPLCONF", "ip-address", "10.0.0.1")
	m.expect("REPLCONF", "capa", "eof", "capa", "psync2", "capa", "field-expiry")
	m.say("-ERR unknown command 'REPLCONF'\r\n-ERR unknown command 'REPLCONF'\r\n-ERR unknown command 'REPLCONF'\r\n")
	m.next()
	m.say("-ERR unknown command 'PSYNC'\r\n")
	line, err := m.in.Raw().ReadString('\n')
	if err != nil || line != "SYNC\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	m.say("\n" + bulk(testRDB("k", "v")) + cmd("SET", "l", "w"))
	n.want(0, "l", "w")
	n.logged("Retrying with SYNC...")
	n.logged("(Non critical) Master does not understand REPLCONF ip-address")
	m.Close()
	m = n.master()
	m.expect("PING")
	m.say("+PONG\r\n+OK\r\n+OK\r\n+OK\r\n")
	for range 3 {
		m.next()
	}
	m.expect("PSYNC", "?", "-1")
}

func TestPassword(t *testing.T) {
	n := newReplicaNode(t)
	n.tune(func(o *Tuning) { o.MasterAuth = "secret" })
	n.follow()
	m := n.master()
	m.expect("PING")
	m.say("-NOAUTH Authentication required.\r\n")
	m.expect("AUTH", "secret")
	m.next()
	m.next()
	m.say("-WRONGPASS invalid username-password pair or user is disabled.\r\n")
	n.logged("Unable to AUTH to MASTER: -WRONGPASS")
	n.tune(func(o *Tuning) { o.MasterAuth, o.MasterUser = "better", "anna" })
	m = n.master()
	m.expect("PING")
	m.say("+PONG\r\n")
	m.expect("AUTH", "anna", "better")
}

func TestRefusals(t *testing.T) {
	n := newReplicaNode(t)
	n.follow()
	for answer, line := range map[string]string{
		"-LOADING Redis is loading the dataset in memory\r\n":         "Master is currently unable to PSYNC but should be in the future: -LOADING",
		"-NOMASTERLINK Can't SYNC while not connected\r\n":            "Master is currently unable to PSYNC but should be in the future: -NOMASTERLINK",
		"+FULLRESYNC x 1\r\n-ERR no\r\n":                              "Master replied with wrong +FULLRESYNC syntax.",
		"+FULLRESYNC " + idA + " 1\r\n-ERR no memory\r\n":             "MASTER aborted replication with an error: ERR no memory",
		"+FULLRESYNC " + idA + " 1\r\nhello\r\n":                      "Bad protocol from MASTER, the first byte is not '$' (we received 'hello'), are you sure the host and port are right?",
		"+FULLRESYNC " + idA + " 1\r\n$-1\r\n":                        "Bad protocol from MASTER",
		"+FULLRESYNC " + idA + " 1\r\n$9" + strings.Repeat("9", 1500): "I/O error reading bulk count from MASTER",
	} {
		m := n.master()
		m.greet()
		m.say(answer)
		n.logged(line)
	}
	m := n.master()
	m.expect("PING")
	m.say("-ERR go away\r\n")
	n.logged("Error reply to PING from master: '-ERR go away'")
	m = n.master()
	m.expect("PING")
	refused := error(syscall.ECONNREFUSED)
	n.refuse.Store(&refused)
	m.Close()
	n.logged("Failed to read response from the server: connection lost")
	n.logged("Master did not respond to command during SYNC handshake")
	n.logged("Error condition on socket for SYNC: Connection refused")
	none := error(nil)
	n.refuse.Store(&none)
	n.master()
}

func TestTransferCutShort(t *testing.T) {
	for _, load := range []string{"disabled", "swapdb"} {
		t.Run(load, func(t *testing.T) {
			n := newReplicaNode(t)
			n.tune(func(o *Tuning) { o.Load = load })
			n.follow()
			rdb := testRDB("k", "v", "l", "w")
			mark := strings.Repeat("m", 40)
			for at := 0; at < len(rdb); at += 9 {
				m := n.master()
				m.greet()
				m.say("+FULLRESYNC " + idA + " 7\r\n")
				if at%2 == 0 {
					m.say(bulk(rdb)[:5+at])
				} else {
					m.say("$EOF:" + mark + "\r\n" + rdb[:at])
				}
				m.Close()
			}
			m := n.master()
			if id, _ := m.greet(); id == idA {
				t.Error("asks for a history that it has not")
			}
			m.say("+FULLRESYNC " + idA + " 8\r\n$EOF:" + mark + "\r\n" + rdb + mark)
			m.ack(8)
			n.want(0, "l", "w")
			if names, _ := n.files.ReadDir("."); len(names) > 0 {
				t.Errorf("left behind: %v", names)
			}
		})
	}
}

func TestCorruptRDB(t *testing.T) {
	for _, load := range []string{"disabled", "swapdb"} {
		t.Run(load, func(t *testing.T) {
			n, m := synced(t)
			n.tune(func(o *Tuning) { o.Load = load })
			m.Close()
			m = n.master()
			m.greet()
			bad := cmd("GET", "x")
			m.say("+FULLRESYNC " + idB + " 8\r\n" + bulk(bad))
			n.logged("Failed trying to load the MASTER synchronization DB from ")
			m = n.master()
			id, _ := m.greet()
			if load == "disabled" {
				if id != "?" || n.get(0, "k") != "(nil)" || n.repl.History().ID == idA {
					t.Errorf("the data are gone; the history is not: asks for %s", id)
				}
			} else if id != idA || n.get(0, "k") != "v" {
				t.Errorf("the old data were not kept: asks for %s", id)
			}
			if n.gates.Loading.Load() || n.gates.AsyncLoading.Load() {
				t.Error("still loading")
			}
		})
	}
}

func TestBrokenMark(t *testing.T) {
	n := newReplicaNode(t)
	n.tune(func(o *Tuning) { o.Load = "swapdb" })
	n.follow()
	m := n.master()
	m.greet()
	m.say("+FULLRESYNC " + idA + " 8\r\n$EOF:" + strings.Repeat("m", 40) + "\r\n" + testRDB("k", "v") + strings.Repeat("n", 60))
	m.Close()
	n.logged("Replication stream EOF marker is broken")
	if n.get(0, "k") != "(nil)" {
		t.Error("installed")
	}
}

func TestDiskFull(t *testing.T) {
	for _, op := range []vfs.Op{vfs.OpOpen, vfs.OpWrite, vfs.OpSync, vfs.OpRename} {
		t.Run(string(op), func(t *testing.T) {
			n := newReplicaNode(t)
			n.repl.opt.RDBFile = func() (string, bool) { return "dump.rdb", true }
			n.files.SetFault(vfs.FailNth(1, syscall.ENOSPC, false, op))
			n.follow()
			m := n.master()
			m.greet()
			m.say("+FULLRESYNC " + idA + " 8\r\n$")
			go m.Write([]byte(bulk(testRDB("k", "v"))[1:]))
			n.logged("No space left on device")
			m = n.master()
			m.greet()
			m.say("+FULLRESYNC " + idA + " 8\r\n" + bulk(testRDB("k", "v")))
			m.ack(8)
			n.want(0, "k", "v")
			if names, _ := n.files.ReadDir("."); len(names) != 1 || names[0].Name() != "dump.rdb" {
				t.Errorf("files: %v", names)
			}
		})
	}
}

func TestSilentMaster(t *testing.T) {
	n := newReplicaNode(t)
	n.tune(func(o *Tuning) { o.Timeout = 20 * time.Millisecond })
	n.follow()
	m := n.master()
	m.expect("PING")
	n.logged("Timeout connecting to the MASTER...")
	n.logged("Reconnecting to MASTER master:6379 after failure")
	m = n.master()
	m.greet()
	m.say("+FULLRESYNC " + idA + " 8\r\n$100\r\n")
	n.logged("Timeout receiving bulk data from MASTER...")
	m = n.master()
	m.greet()
	m.say("+FULLRESYNC " + idA + " 8\r\n" + bulk(testRDB()))
	m.ack(8)
	n.logged("MASTER timeout: no data nor PING received...")
	n.master()
}

func TestNoMasterYet(t *testing.T) {
	n := newReplicaNode(t)
	n.world(func() { n.repl.Follow("", 0) })
	if l, following := n.repl.Link(); !following || l.Up {
		t.Errorf("%+v", l)
	}
	n.world(func() { n.repl.Follow("master", 6379) })
	n.master()
}

// An owner of a stripe makes the stream wait, not the stripe's owner.
func TestOwnedStripe(t *testing.T) {
	n, m := synced(t)
	owner, hold := n.own()
	m.listen()
	m.say(cmd("SET", "k", "w") + cmd("SET", "l", "x"))
	n.eventually("the command is received", func() bool { l, _ := n.repl.Link(); return l.Read > l.Applied })
	n.ks.Disown(owner)
	_ = hold
	n.want(0, "l", "x")
	n.want(0, "k", "w")
	n.stream(1000, cmd("SET", "k", "w")+cmd("SET", "l", "x"))
}

// own makes somebody the owner of all stripes.
func (n *replicaNode) own() (*keyspace.Owner, *keyspace.Hold) {
	var h keyspace.Hold
	n.ks.AcquireAll(&h)
	o := &keyspace.Owner{What: "test"}
	n.ks.Own(&h, o)
	return o, &h
}

// What has not run when the node is promoted never runs, and the log ends before it.
func TestPromotionStopsTheStream(t *testing.T) {
	n, m := synced(t)
	owner, _ := n.own()
	m.listen()
	m.say(cmd("SET", "k", "late") + cmd("PING"))
	n.eventually("the command is received", func() bool { l, _ := n.repl.Link(); return l.Read > l.Applied })
	var h keyspace.Hold
	n.ks.AcquireAll(&h)
	n.repl.Promote()
	n.ks.Release(&h)
	n.ks.Disown(owner)
	<-n.repl.last.done
	if got := n.get(0, "k"); got != "v" {
		t.Errorf("k is %s", got)
	}
	if n.repl.Offset() != 1000 {
		t.Errorf("offset %d", n.repl.Offset())
	}
	if h := n.repl.History(); h.ID == idA || h.ID2 != idA || h.SecondOffset != 1001 {
		t.Errorf("%+v", h)
	}
	if n.repl.Following() || len(n.roles) != 2 || n.roles[1] {
		t.Errorf("roles %v", n.roles)
	}
	n.logged("Setting secondary replication ID to " + idA + ", valid up to offset: 1001. New replication ID is ")
	if n.repl.opt.Clients.Len() != 0 {
		t.Error("the session of the link is still there")
	}
	// A master again becomes a replica with its own history.
	n.follow()
	m = n.master()
	if id, offset := m.greet(); id != n.repl.History().ID || offset != "1001" {
		t.Errorf("asks for %s %s", id, offset)
	}
}

func TestKilledLinkIsMadeAgain(t *testing.T) {
	n, m := synced(t)
	m.listen()
	s := n.repl.opt.Clients.All()
	if len(s) != 1 || s[0].Facts().Flags&session.Master == 0 {
		t.Fatalf("%v", s)
	}
	n.repl.opt.Clients.Kill(s[0])
	m = n.master()
	if id, offset := m.greet(); id != idA || offset != "1001" {
		t.Errorf("asks for %s %s", id, offset)
	}
	n.logged("Connection with master lost.")
}

func TestProtocolErrors(t *testing.T) {
	for text, line := range map[string]string{
		"SET k w\r\n":   "WARNING: Receiving inline protocol from master, master stream corruption?",
		"*1\r\n:1\r\n":  "Protocol error (Protocol error: expected '$', got ':')",
		"*1\r\n$-5\r\n": "Protocol error (Protocol error: invalid bulk length)",
		"*2x\r\n$1\r\n": "Protocol error (Protocol error: invalid multibulk length)",
	} {
		t.Run(text, func(t *testing.T) {
			n, m := synced(t)
			m.listen()
			m.say(cmd("SET", "k", "w") + text)
			n.logged(line)
			m = n.master()
			if id, _ := m.greet(); id != "?" {
				t.Errorf("asks for %s", id)
			}
			if n.get(0, "k") != "w" {
				t.Error("what came before did not count")
			}
		})
	}
}

// The stream's errors are logged and counted; the stream goes on.
func TestErrorsOfTheStream(t *testing.T) {
	n, m := synced(t)
	m.listen()
	m.say(cmd("fake-command-1", "x") + cmd("INCR", "k") + cmd("MULTI") + cmd("INCRBY", "k", "x") + cmd("EXEC") +
		cmd("MULTI") + cmd("INCRBYFLOAT", "negative", "-5.75") + cmd("EXEC") + cmd("SET", "l", "1"))
	n.want(0, "l", "1")
	n.eventually("three errors", func() bool { return n.repl.UnexpectedErrors() == 3 })
	n.logged("== CRITICAL == This replica is sending an error to its master: 'ERR unknown command 'fake-command-1'")
	n.logged("'ERR value is not an integer or out of range' after processing the command 'incr'")
	if got, want := n.repl.Offset(), 1000+len(cmd("fake-command-1", "x")+cmd("INCR", "k")+cmd("MULTI")+cmd("INCRBY", "k", "x")+cmd("EXEC")+
		cmd("MULTI")+cmd("INCRBYFLOAT", "negative", "-5.75")+cmd("EXEC")+cmd("SET", "l", "1")); got != int64(want) {
		t.Errorf("offset %d instead of %d", got, want)
	}
}

func TestNoMasterNoStaleData(t *testing.T) {
	n, m := synced(t)
	n.tune(func(o *Tuning) { o.ServeStale = false })
	if n.gates.MasterDown.Load() {
		t.Error("closed while the link is up")
	}
	m.Close()
	n.eventually("the gate closes", n.gates.MasterDown.Load)
	n.tune(func(o *Tuning) { o.ServeStale = true })
	n.eventually("the gate opens", func() bool { return !n.gates.MasterDown.Load() })
	m = n.master()
	n.tune(func(o *Tuning) { o.ServeStale = false })
	m.greet()
	m.say("+CONTINUE\r\n")
	m.ack(1000)
	n.eventually("the gate opens", func() bool { return !n.gates.MasterDown.Load() })
}

// Expired keys are the master's to delete: its commands see them.
func TestExpiredKeys(t *testing.T) {
	n, m := synced(t)
	m.listen()
	m.say(cmd("SET", "old", "1", "PXAT", "1") + cmd("APPEND", "old", "2") + cmd("SET", "mark", "1"))
	n.want(0, "mark", "1")
	if n.get(0, "old") != "(nil)" {
		t.Error("a client sees it")
	}
	m.say(cmd("PERSIST", "old") + cmd("SET", "mark", "2"))
	n.want(0, "mark", "2")
	n.want(0, "old", "12")
}

func TestLargeArguments(t *testing.T) {
	n, m := synced(t)
	m.listen()
	var stream strings.Builder
	for i := range 20 {
		stream.WriteString(cmd("SET", fmt.Sprint("k", i), strings.Repeat("x", i*100_000)))
	}
	stream.WriteString(cmd("MULTI"))
	for i := range 2000 {
		stream.WriteString(cmd("APPEND", fmt.Sprint("k", i%20), strings.Repeat("y", 1000)))
	}
	stream.WriteString(cmd("EXEC") + cmd("SET", "mark", "1"))
	for rest := stream.String(); len(rest) > 0; {
		k := min(len(rest), 77_777)
		m.say(rest[:k])
		rest = rest[k:]
	}
	n.want(0, "mark", "1")
	if got := len(n.get(0, "k19")); got != 1_900_000+100_000 {
		t.Errorf("%d bytes", got)
	}
	if got := n.repl.Offset(); got != 1000+int64(stream.Len()) {
		t.Errorf("offset %d", got)
	}
}

// A failover by order tells the target to take over, and hears what it says.
func TestHandOver(t *testing.T) {
	n := newReplicaNode(t)
	for _, c := range []struct {
		answer string
		want   error
	}{
		{"+CONTINUE\r\n", nil}, {"-ERR PSYNC FAILOVER replid must match my replid.\r\n", errRejected},
	} {
		told := make(chan error, 2)
		n.world(func() { n.repl.follow("target", 1, func(err error) { told <- err }) })
		m := n.master()
		m.expect("PING")
		m.say("+PONG\r\n")
		m.next()
		m.next()
		m.say("+OK\r\n+OK\r\n")
		if words := m.next(); len(words) != 4 || words[3] != "FAILOVER" {
			t.Fatalf("%q", words)
		}
		m.say(c.answer)
		if err := <-told; !errors.Is(err, c.want) {
			t.Errorf("told %v instead of %v", err, c.want)
		}
		n.world(n.repl.Promote)
	}
}

func TestRestoredHistory(t *testing.T) {
	n := newReplicaNode(t)
	n.repl.begun = false
	n.world(func() { n.repl.Follow("master", 6379) })
	n.repl.Restore(Aux{ID: idA, Offset: 500, StreamDB: 4})
	n.repl.Begin()
	m := n.master()
	if id, offset := m.greet(); id != idA || offset != "501" {
		t.Fatalf("asks for %s %s", id, offset)
	}
	m.say("+CONTINUE\r\n")
	m.listen()
	m.say(cmd("SET", "a", "1"))
	n.want(4, "a", "1")

	was := newReplicaNode(t)
	was.repl.Restore(Aux{ID: idA, Offset: 500})
	if h := was.repl.History(); h.ID2 != idA || h.SecondOffset != 501 || was.repl.Offset() != 500 {
		t.Errorf("%+v", h)
	}
}

func TestFactsForTheCluster(t *testing.T) {
	n := newReplicaNode(t)
	if f := n.repl.Facts(); f.LinkUp || f.Offset != 0 {
		t.Errorf("%+v", f)
	}
	n.repl.Restore(Aux{ID: idA, Offset: 500})
	n.follow()
	if f := n.repl.Facts(); f.Offset != 500 || f.LinkUp || f.DownSince != 0 {
		t.Errorf("%+v", f)
	}
	m := n.master()
	m.greet()
	m.say("+CONTINUE\r\n")
	m.ack(500)
	if f := n.repl.Facts(); !f.LinkUp || f.LastIO == 0 {
		t.Errorf("%+v", f)
	}
	m.Close()
	n.eventually("down", func() bool { f := n.repl.Facts(); return !f.LinkUp && f.DownSince > 0 && f.Offset == 500 })
}

// What a master has sent before it ended counts, though it hears nothing any more.
func TestStreamOfAMasterThatIsGone(t *testing.T) {
	n := newReplicaNode(t)
	a := n.applier(t)
	defer a.close()
	a.w.Close()
	a.ack()
	if !a.mute {
		t.Error("the master hears")
	}
	a.buf = append(a.buf, cmd("SET", "k", "v")+cmd("REPLCONF", "GETACK", "*")+cmd("SET", "l", "w")...)
	if err := a.feed(); err != nil || a.broken != nil {
		t.Error(err, a.broken)
	}
	if n.get(0, "l") != "w" {
		t.Error("not applied")
	}
}
