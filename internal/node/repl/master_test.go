package repl

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/store/oplog"
	"github.com/skeindb/skein/internal/testkit/commandfacts"
)

func TestMasterFacts(t *testing.T) { commandfacts.Check(t, newMaster(t).table) }

const select0 = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"

// TestFullSyncToSockets: the RDB is that of the instant, nothing follows it before
// the replica has loaded it, and then comes what has happened since.
func TestFullSyncToSockets(t *testing.T) {
	n := newMaster(t)
	n.set("a", "1")
	c := n.connect()
	if got := c.do("REPLCONF", "listening-port", "7001", "capa", "eof", "capa", "psync2", "capa", "unheard-of"); got != "+OK" {
		t.Fatal(got)
	}
	c.send("PSYNC", "?", "-1")
	line := c.line()
	id := n.repl.History().ID
	if want := "+FULLRESYNC " + id + " 0"; line != want {
		t.Fatalf("%q, not %q", line, want)
	}
	mark := strings.TrimPrefix(c.line(), "$EOF:")
	c.expect(testRDB("a", "1") + mark)
	n.set("b", "2")
	n.setIn(3, "c", "3")
	n.eventually("online", func() bool { return c.phase() == online })
	if got := c.settled(); got != "" {
		t.Fatalf("%q came before it was acknowledged", got)
	}
	c.send("REPLCONF", "ACK", "0")
	c.expect(select0 + cmd("SET", "b", "2") + cmd("SELECT", "3") + cmd("SET", "c", "3"))
	n.set("d", "4")
	c.expect(select0 + cmd("SET", "d", "4"))
	if full, ok, failed := n.repl.Syncs(); full != 1 || ok != 0 || failed != 0 {
		t.Error(full, ok, failed)
	}
	for _, text := range []string{"Replica 127.0.0.1:7001 asks for synchronization", "Full resync requested by replica", "Replication backlog created",
		"Starting BGSAVE for SYNC with target: replicas sockets", "Diskless rdb transfer, done reading from pipe, 1 replicas still up.",
		"Synchronization with replica 127.0.0.1:7001 succeeded"} {
		n.logged(text)
	}
}

// TestFullSyncFromFile: who cannot find the end of an RDB is told its length, and the
// stream follows at once. So does SYNC.
func TestFullSyncFromFile(t *testing.T) {
	for _, words := range [][]string{{"PSYNC", "?", "-1"}, {"SYNC"}} {
		n := newMaster(t)
		n.set("a", "1")
		c := n.connect()
		c.send(words...)
		if words[0] == "PSYNC" {
			c.expect("+FULLRESYNC " + n.repl.History().ID + " 0\r\n")
		}
		rdb := testRDB("a", "1")
		c.expect(fmt.Sprintf("$%d\r\n%s", len(rdb), rdb))
		n.set("b", "2")
		c.expect(select0 + cmd("SET", "b", "2"))
		n.logged("Starting BGSAVE for SYNC with target: disk")
	}
}

func TestRDBOnly(t *testing.T) {
	for _, capa := range []string{"eof", "none"} {
		n := newMaster(t)
		n.set("a", "1")
		c := n.connect()
		c.do("REPLCONF", "rdb-only", "1", "capa", capa)
		c.send("SYNC")
		c.wantClosed()
		if got := c.received(); !strings.Contains(got, testRDB("a", "1")) {
			t.Errorf("%q", got)
		}
	}
	n := newMaster(t)
	n.set("a", "1")
	c := n.connect()
	c.do("REPLCONF", "rdb-filter-only", "functions", "rdb-only", "1")
	if got := c.do("SYNC"); got != "-ERR Filtered replica requires EOF capability" {
		t.Error(got)
	}
	c.do("REPLCONF", "capa", "eof")
	c.send("SYNC")
	c.wantClosed()
	if got := c.received(); !strings.Contains(got, testRDB()) || strings.Contains(got, "SET") {
		t.Errorf("%q", got)
	}
}

// TestPartialSync: whoever knows the history goes on where he was.
func TestPartialSync(t *testing.T) {
	n := newMaster(t)
	c := n.connect()
	c.sync()
	n.set("a", "1")
	first := select0 + cmd("SET", "a", "1")
	c.expect(first)
	c.s.Kill()
	c.wantClosed()
	n.logged("Connection with replica 127.0.0.1:7001 lost.")
	n.set("b", "2")
	id := n.repl.History().ID

	resume := func(id string, offset int, capa string) *client {
		c := n.connect()
		c.do("REPLCONF", "listening-port", "7001", "capa", "eof", "capa", capa)
		c.send("PSYNC", id, strconv.Itoa(offset))
		return c
	}
	c = resume(strings.ToUpper(id), len(first)+1, "psync2")
	c.expect("+CONTINUE " + id + "\r\n" + cmd("SET", "b", "2"))
	old := resume(id, 1, "old")
	old.expect("+CONTINUE\r\n" + first + cmd("SET", "b", "2"))
	n.logged(fmt.Sprintf("accepted. Sending %d bytes of backlog starting from offset 1.", n.repl.Offset()))

	for _, ask := range []struct {
		id     string
		offset int
	}{{idB, 1}, {id, int(n.repl.Offset()) + 2}, {id, 0}, {id, -7}, {noID, 1}} {
		if got := resume(ask.id, ask.offset, "psync2").line(); !strings.HasPrefix(got, "+FULLRESYNC "+id) {
			t.Errorf("%s %d: %s", ask.id, ask.offset, got)
		}
	}
	if _, ok, failed := n.repl.Syncs(); ok != 2 || failed != 5 {
		t.Error(ok, failed)
	}
	if got := n.connect().do("PSYNC", id, "x"); got != "-ERR value is not an integer or out of range" {
		t.Error(got)
	}
}

// TestSecondID: after a promotion the old name counts up to the promotion.
func TestSecondID(t *testing.T) {
	n := newMaster(t)
	n.connect().sync()
	n.set("a", "1")
	old, at := n.repl.History().ID, n.repl.Offset()
	n.world(n.repl.shift)
	n.set("b", "2")
	h := n.repl.History()
	if h.ID == old || h.ID2 != old || h.SecondOffset != at+1 {
		t.Fatal(h)
	}
	c := n.connect()
	c.do("REPLCONF", "capa", "psync2")
	c.send("PSYNC", old, strconv.FormatInt(at+1, 10))
	c.expect("+CONTINUE " + h.ID + "\r\n" + select0 + cmd("SET", "b", "2"))
	if got := n.connect(); true {
		got.send("PSYNC", old, strconv.FormatInt(at+2, 10))
		if line := got.line(); !strings.HasPrefix(line, "+FULLRESYNC "+h.ID) {
			t.Error(line)
		}
	}
	n.logged("Requested offset for second ID was")
}

// TestPartialSyncWaitsForTransaction: a replica that comes back while a transaction runs is answered by what the
// backlog keeps behind it.
func TestPartialSyncWaitsForTransaction(t *testing.T) {
	n := newMaster(t)
	before := n.connect()
	before.sync()
	n.set("a", "1")
	id, at := n.repl.History().ID, n.repl.Offset()
	before.s.Kill()
	before.wantClosed()
	c := n.connect()
	c.do("REPLCONF", "capa", "eof", "capa", "psync2")
	asked := make(chan struct{})
	n.world(func() { // what EXEC of CONFIG SET and of many writes does
		go func() {
			c.send("PSYNC", id, offsetAfter(at))
			close(asked)
		}()
		n.tune(func(t *Tuning) { t.Diskless, t.BacklogBytes = true, 16<<10 })
		for range 100 {
			n.repl.log.Append([]oplog.Effect{{Argv: []byte(cmd("SET", "b", strings.Repeat("x", 4<<10)))}}, true)
		}
		select {
		case <-asked:
			t.Error("PSYNC was answered in the middle of a transaction")
		default:
		}
	})
	<-asked
	if got := c.fullResync(); !strings.HasPrefix(got, "+FULLRESYNC "+id) {
		t.Error(got)
	}
}

// TestPromotedKeepsBacklog: the siblings have time to come, however long nobody followed us.
func TestPromotedKeepsBacklog(t *testing.T) {
	n, m := synced(t)
	n.tune(func(t *Tuning) { t.BacklogTTL = time.Minute })
	n.repl.mu.Lock()
	n.repl.alone -= 3600000
	n.repl.mu.Unlock()
	n.world(n.repl.promote)
	id := n.repl.History().ID
	n.repl.Tick(now() + 50000)
	if n.repl.History().ID != id || !n.repl.log.Active() {
		t.Error("the backlog is gone")
	}
	m.Close()
}

// TestSharedCut: replicas that wait together get one snapshot; the transfer goes as
// fast as the slowest reads, and those who are gone do not count.
func TestSharedCut(t *testing.T) {
	n := newMaster(t)
	n.tune(func(t *Tuning) { t.Diskless, t.DisklessDelay, t.DisklessMost = true, time.Hour, 3 })
	big := strings.Repeat("x", 4<<10)
	for i := range 200 { // more than the pipes hold
		n.set(fmt.Sprint("key", i), big)
	}
	snapshots := 0
	take := n.repl.opt.Snapshot
	n.repl.opt.Snapshot = func(a Aux) (Snapshot, error) { snapshots++; return take(a) }
	var all []*client
	for range 3 {
		c := n.connect()
		c.do("REPLCONF", "capa", "eof")
		all = append(all, c)
	}
	all[1].deaf.Store(true)
	all[2].deaf.Store(true)
	for _, c := range all {
		c.send("PSYNC", "?", "-1")
	}
	n.repl.Tick(now())
	n.eventually("the transfer is stuck", func() bool {
		r := n.repl
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.replicas[1].stream.stuckSince() > 0
	})
	if !n.repl.Streaming() {
		t.Error("it is not told that the transfer is under way")
	}
	all[2].s.Kill()
	all[2].wantClosed()
	all[1].deaf.Store(false)
	all[1].Notify(nil)
	_, one := all[0].load()
	_, two := all[1].load()
	if snapshots != 1 || one != two || len(one) < 200*len(big) {
		t.Error(snapshots, len(one), len(two))
	}
	n.logged("done reading from pipe, 2 replicas still up")
}

// TestLastReplicaGone: nobody waits for the snapshot any more, so it is given up.
func TestLastReplicaGone(t *testing.T) {
	n := newMaster(t)
	for i := range 200 {
		n.set(fmt.Sprint("key", i), strings.Repeat("x", 4<<10))
	}
	for _, capa := range []string{"eof", "none"} {
		gate := make(chan struct{})
		n.repl.opt.Snapshot = func(a Aux) (Snapshot, error) {
			s, err := n.snapshot(a)
			if err != nil {
				return nil, err
			}
			s.(*testSnapshot).gate = gate
			return s, nil
		}
		c := n.connect()
		c.do("REPLCONF", "capa", capa)
		c.send("PSYNC", "?", "-1")
		n.eventually("the cut", func() bool { return c.phase() == syncing })
		c.s.Kill()
		c.wantClosed()
		close(gate)
		n.eventually("the end of the job", func() bool {
			n.repl.mu.Lock()
			defer n.repl.mu.Unlock()
			return n.repl.job == nil
		})
	}
	n.logged("Diskless rdb transfer, last replica dropped, killing fork child.")
	n.logged("The RDB for replicas is given up")
	n.repl.opt.Snapshot = n.snapshot
	n.connect().sync()
}

// TestSnapshotRefused: a save under way is waited for, another error ends the attempt.
func TestSnapshotRefused(t *testing.T) {
	n := newMaster(t)
	var err error = ErrBusy
	n.repl.opt.Snapshot = func(a Aux) (Snapshot, error) {
		if err != nil {
			return nil, err
		}
		return n.snapshot(a)
	}
	c := n.connect()
	c.send("PSYNC", "?", "-1")
	n.logged("BGSAVE for replication delayed")
	n.repl.jobs.Wait()
	if c.phase() != waiting {
		t.Error(c.phase())
	}
	n.world(func() { err = nil })
	at := now()
	n.eventually("the next try", func() bool {
		at += 1000
		n.repl.Tick(at)
		return c.phase() == online
	})
	if got := c.received(); !strings.HasPrefix(strings.TrimLeft(got, "\n"), "+FULLRESYNC") {
		t.Errorf("%q", got)
	}
	n.repl.jobs.Wait()
	n.world(func() { err = errors.New("no space left") })
	c = n.connect()
	if got := c.do("PSYNC", "?", "-1"); got != "-ERR BGSAVE failed, replication can't continue" {
		t.Error(got)
	}
	c.wantClosed()
	n.logged("BGSAVE for replication failed: no space left")
}

// failing is a snapshot whose writing fails.
type failing struct{ emptySnapshot }

func (failing) Save(w io.Writer) error {
	w.Write([]byte("half"))
	return errors.New("corrupt")
}

func TestSnapshotFails(t *testing.T) {
	n := newMaster(t)
	n.repl.opt.Snapshot = func(Aux) (Snapshot, error) { return failing{}, nil }
	for _, capa := range []string{"eof", "none"} {
		c := n.connect()
		c.do("REPLCONF", "capa", capa)
		c.send("PSYNC", "?", "-1")
		c.wantClosed()
		n.repl.jobs.Wait()
	}
	if got := n.log.count("SYNC failed. BGSAVE child returned an error"); got != 2 {
		t.Error(got)
	}
	n.repl.opt.Snapshot = n.snapshot
	n.connect().sync()
}

// TestAttach: a file that is being written is good for those who come meanwhile.
func TestAttach(t *testing.T) {
	n := newMaster(t)
	n.set("a", "1")
	gate := make(chan struct{})
	n.repl.opt.Snapshot = func(a Aux) (Snapshot, error) {
		s, err := n.snapshot(a)
		if err == nil {
			s.(*testSnapshot).gate = gate
		}
		return s, err
	}
	one, two := n.connect(), n.connect()
	one.send("PSYNC", "?", "-1")
	n.eventually("the cut", func() bool { return one.phase() == syncing })
	n.set("b", "2")
	two.send("PSYNC", "?", "-1")
	if two.phase() != syncing {
		t.Fatal(two.phase())
	}
	close(gate)
	rdb := testRDB("a", "1")
	for _, c := range []*client{one, two} {
		c.expect("+FULLRESYNC " + n.repl.History().ID + " 0\r\n" + fmt.Sprintf("$%d\r\n%s", len(rdb), rdb) + select0 + cmd("SET", "b", "2"))
	}
	n.logged("Waiting for end of BGSAVE for SYNC")
}

func TestReplconf(t *testing.T) {
	n := newMaster(t)
	c := n.connect()
	for words, want := range map[string]string{
		"REPLCONF":                       "+OK",
		"REPLCONF x":                     "-ERR syntax error",
		"REPLCONF x y":                   "-ERR Unrecognized REPLCONF option: x",
		"REPLCONF listening-port x":      "-ERR value is not an integer or out of range",
		"REPLCONF rdb-only 2":            "-ERR value is out of range, value must between 0 and 1",
		"REPLCONF rdb-only x":            "-ERR value is not an integer or out of range",
		"REPLCONF rdb-filter-only keys":  "-ERR Unsupported rdb-filter-only option: keys",
		"REPLCONF ip-address 127.0.0.10": "+OK",
		"REPLCONF ip-address " + strings.Repeat("a", 300): "-ERR REPLCONF ip-address provided by replica instance is too long: 300 bytes",
	} {
		if got := c.do(strings.Fields(words)...); got != want {
			t.Errorf("%.60s: %s", words, got)
		}
	}
	c.send("REPLCONF", "ACK", "5") // of no replica: ignored
	if got := c.settled(); got != "" {
		t.Errorf("%q", got)
	}
}

func TestInfoAndRole(t *testing.T) {
	n := newMaster(t)
	c := n.connect()
	c.do("REPLCONF", "ip-address", "10.1.2.3")
	c.sync()
	n.set("a", "1")
	c.send("REPLCONF", "ACK", "20")
	id := n.repl.History().ID
	end := len(select0 + cmd("SET", "a", "1"))
	want := "role:master\r\nconnected_slaves:1\r\nslave0:ip=10.1.2.3,port=7001,state=online,offset=20,lag=0\r\n" +
		"master_failover_state:no-failover\r\nmaster_replid:" + id + "\r\nmaster_replid2:" + noID + "\r\n" +
		fmt.Sprintf("master_repl_offset:%d\r\nsecond_repl_offset:-1\r\nrepl_backlog_active:1\r\nrepl_backlog_size:1048576\r\n"+
			"repl_backlog_first_byte_offset:1\r\nrepl_backlog_histlen:%d\r\n", end, end)
	if got := strings.Replace(string(n.repl.AppendInfo(nil)), "lag=1", "lag=0", 1); got != want {
		t.Errorf("\n%s\ninstead of\n%s", got, want)
	}
	other := n.connect()
	other.send("ROLE")
	other.expect(fmt.Sprintf("*3\r\n$6\r\nmaster\r\n:%d\r\n*1\r\n*3\r\n$8\r\n10.1.2.3\r\n$4\r\n7001\r\n$2\r\n20\r\n", end))
}

// TestWait: an answer comes when enough replicas have acknowledged what was written
// before, or when the time is over.
func TestWait(t *testing.T) {
	n := newMaster(t)
	c, user := n.connect(), n.connect()
	for words, want := range map[string]string{
		"WAIT 0 0":                   ":0",
		"WAIT -1 0":                  ":0",
		"WAIT x 0":                   "-ERR value is not an integer or out of range",
		"WAIT 1 x":                   "-ERR timeout is not an integer or out of range",
		"WAIT 1 -1":                  "-ERR timeout is negative",
		"WAIT 1 9223372036854775807": "-ERR timeout is out of range",
	} {
		if got := user.do(strings.Fields(words)...); got != want {
			t.Errorf("%s: %s", words, got)
		}
	}
	c.sync()
	if got := user.do("WAIT", "1", "0"); got != ":1" {
		t.Error(got)
	}
	user.do("SET", "a", "1")
	n.set("b", "2") // another's
	user.send("WAIT", "1", "0")
	text := select0 + cmd("SET", "a", "1")
	ask := cmd("REPLCONF", "GETACK", "*")
	c.expect(text + cmd("SET", "b", "2") + ask)
	c.send("REPLCONF", "ACK", strconv.Itoa(len(text)-1))
	if got := user.settled(); got != "" {
		t.Errorf("%q", got)
	}
	c.send("REPLCONF", "ACK", strconv.Itoa(len(text)))
	if got := user.line(); got != ":1" {
		t.Error(got)
	}

	user.send("WAIT", "2", "10000") // the time is over
	n.repl.Tick(now() + 10001)
	if got := user.line(); got != ":1" { // which has the user's own write
		t.Error(got)
	}
	user.send("WAIT", "2", "0") // CLIENT UNBLOCK
	if !n.repl.Unblock(user.s, true) || n.repl.Unblock(user.s, true) {
		t.Error("not unblocked once")
	}
	if got := user.line(); got != "-UNBLOCKED client unblocked via CLIENT UNBLOCK" {
		t.Error(got)
	}
	user.send("WAIT", "2", "0") // gone
	user.s.Kill()
	user.wantClosed()
	if len(n.repl.waits) != 0 {
		t.Error(n.repl.waits)
	}
	user = n.connect()
	user.send("WAIT", "2", "0") // demoted
	n.follow()
	if got := user.line(); !strings.HasPrefix(got, "-UNBLOCKED force unblock") {
		t.Error(got)
	}
	if got := user.do("WAIT", "0", "0"); !strings.HasPrefix(got, "-ERR WAIT cannot be used with replica instances.") {
		t.Error(got)
	}
}

// TestAwait: many wait, few questions are asked.
func TestAwait(t *testing.T) {
	n := newMaster(t)
	one, two := n.connect(), n.connect()
	one.sync()
	two.sync()
	if n.repl.Acked(0) != math.MaxInt64 || n.repl.Acked(1) != 0 || n.repl.Acked(2) != 0 || n.repl.Acked(3) != -1 {
		t.Error("Acked")
	}
	n.set("a", "1")
	end := n.repl.Offset()
	served := make(chan int, 10)
	for i := range 5 {
		n.repl.Await(end, 1+i%2, func() { served <- 1 + i%2 })
	}
	n.repl.Await(end, 1, func() { t.Error("cancelled") })()
	text := strconv.FormatInt(end, 10)
	one.send("REPLCONF", "ACK", text)
	for range 3 {
		if k := <-served; k != 1 {
			t.Error(k)
		}
	}
	if n.repl.Acked(1) != end || n.repl.Acked(2) != 0 {
		t.Error(n.repl.Acked(1), n.repl.Acked(2))
	}
	two.send("REPLCONF", "ACK", text)
	for range 2 {
		if k := <-served; k != 2 {
			t.Error(k)
		}
	}
	done := make(chan struct{})
	n.repl.Await(end, 2, func() { close(done) }) // it is so already
	<-done
	one.settled()
	if asked := strings.Count(one.received(), "GETACK"); asked < 1 || asked > 2 {
		t.Errorf("asked %d times", asked)
	}
}

func TestMinReplicas(t *testing.T) {
	n := newMaster(t)
	gate := &n.gates.FewReplicas
	n.tune(func(t *Tuning) { t.Diskless, t.MinReplicas, t.MinReplicasLag = true, 1, 10*time.Second })
	if !gate.Load() {
		t.Error("there are none")
	}
	c := n.connect()
	if got := c.do("SET", "a", "1"); got != "-NOREPLICAS Not enough good replicas to write." {
		t.Error(got)
	}
	c.sync()
	if gate.Load() {
		t.Error("there is one")
	}
	n.repl.mu.Lock()
	n.repl.replicas[0].ackMs -= 12000
	n.repl.mu.Unlock()
	n.repl.Tick(now() + 2000)
	if !gate.Load() {
		t.Error("it lags")
	}
	c.send("REPLCONF", "ACK", "0")
	if gate.Load() {
		t.Error("it is back")
	}
	c.s.Kill()
	c.wantClosed()
	if !gate.Load() {
		t.Error("it is gone")
	}
	n.follow()
	n.repl.Tick(now() + 4000)
	if gate.Load() {
		t.Error("a replica needs none")
	}
}

// TestBacklogTTL: what happens without a backlog is in no stream, so it must have
// another name.
func TestBacklogTTL(t *testing.T) {
	n := newMaster(t)
	n.tune(func(t *Tuning) { t.Diskless, t.BacklogTTL = true, time.Minute })
	c := n.connect()
	c.sync()
	id := n.repl.History().ID
	c.s.Kill()
	c.wantClosed()
	n.repl.Tick(now() + 59000)
	if n.repl.History().ID != id || !n.repl.log.Active() {
		t.Error("too early")
	}
	n.repl.Tick(now() + 62000)
	if n.repl.History().ID == id || n.repl.log.Active() {
		t.Error("the backlog is still there")
	}
	n.logged("Replication backlog freed after 60 seconds without connected replicas.")
	if aux := n.repl.Aux(); aux.ID != "" {
		t.Error(aux)
	}
	c = n.connect()
	c.do("REPLCONF", "capa", "eof")
	c.send("PSYNC", id, "1")
	c.load()
}

// TestOutputLimit: who does not read does not make the log grow for ever.
func TestOutputLimit(t *testing.T) {
	for what, limit := range map[string]func(*Tuning){
		"hard": func(t *Tuning) { t.HardLimit = 100 << 10 },
		"soft": func(t *Tuning) { t.SoftLimit, t.SoftTime = 50<<10, 5*time.Second },
	} {
		n := newMaster(t)
		n.tune(func(t *Tuning) { t.Diskless, t.BacklogBytes = true, 16<<10; limit(t) })
		c := n.connect()
		c.sync()
		c.deaf.Store(true)
		for i := range 40 {
			n.set(fmt.Sprint("key", i), strings.Repeat("x", 4<<10))
		}
		if what == "soft" {
			n.repl.Tick(now())
			n.repl.Tick(now() + 4000)
			if c.phase() != online || n.repl.Online() != 1 {
				t.Error("too early")
			}
		}
		n.repl.Tick(now() + 6000)
		c.wantClosed()
		n.logged("overcoming of output buffer limits")
		if got := n.repl.log.Memory(); got > 64<<10 {
			t.Errorf("%s: the log keeps %d bytes", what, got)
		}
	}
}

func TestTimeouts(t *testing.T) {
	n := newMaster(t)
	for i := range 200 {
		n.set(fmt.Sprint("key", i), strings.Repeat("x", 4<<10))
	}
	c := n.connect()
	c.deaf.Store(true)
	c.do("REPLCONF", "capa", "eof")
	c.send("PSYNC", "?", "-1")
	n.eventually("stuck", func() bool {
		n.repl.mu.Lock()
		defer n.repl.mu.Unlock()
		return n.repl.replicas[0].stream.stuckSince() > 0
	})
	n.repl.Tick(now() + 59000)
	if c.phase() != syncing {
		t.Error("too early")
	}
	n.repl.Tick(now() + 61000)
	c.wantClosed()
	n.logged("Disconnecting timedout replica (full sync): ")
	n.repl.jobs.Wait()
	c = n.connect()
	c.sync()
	n.repl.Tick(now() + 122000)
	c.wantClosed()
	n.logged("Disconnecting timedout replica (streaming sync): 127.0.0.1:7001")
}

// TestPing: replicas hear from their master, unless the log has to stand still.
func TestPing(t *testing.T) {
	n := newMaster(t)
	c := n.connect()
	c.sync()
	n.repl.Tick(now() + 10000)
	c.expect(cmd("PING"))
	n.repl.Tick(now() + 12000)
	if got := c.settled(); got != "" {
		t.Errorf("%q", got)
	}
	user := n.connect()
	if got := user.do("FAILOVER"); got != "+OK" {
		t.Fatal(got)
	}
	at := n.repl.Offset()
	n.repl.rounds.ping = 0
	n.repl.keepAlive(now())
	n.repl.ask()
	if n.repl.Offset() != at {
		t.Error("the log has moved")
	}
}

// TestStray: the stream has no room for replies, so whoever follows must not make any.
func TestStray(t *testing.T) {
	n := newMaster(t)
	for _, words := range []string{"PING", "GET a", "NOSUCH", "SLOWLOG GET"} {
		c := n.connect()
		c.sync()
		c.send(strings.Fields(words)...)
		c.wantClosed()
		if got := c.received(); got != "" {
			t.Errorf("%s: %q", words, got)
		}
	}
}

// TestKeeps: a file that becomes the node's own is written to its end, and synced
// and named before replicas get it.
func TestKeeps(t *testing.T) {
	n := newMaster(t)
	n.set("a", "1")
	n.repl.opt.Keeps = func() bool { return true }
	kept := make(chan string, 10)
	n.repl.opt.Keep = func(_ Snapshot, path string) error {
		b, err := os.ReadFile(path)
		kept <- string(b)
		return cmp.Or(err, os.Remove(path))
	}
	gate := make(chan struct{})
	n.repl.opt.Snapshot = func(a Aux) (Snapshot, error) {
		s, err := n.snapshot(a)
		if err == nil {
			s.(*testSnapshot).gate = gate
		}
		return s, err
	}
	c := n.connect()
	c.send("PSYNC", "?", "-1")
	n.eventually("the cut", func() bool { return c.phase() == syncing })
	c.s.Kill()
	c.wantClosed()
	close(gate)
	if got := <-kept; got != testRDB("a", "1") {
		t.Errorf("%q", got)
	}
	n.repl.jobs.Wait()
	n.repl.opt.Keep = func(Snapshot, string) error { return errors.New("no space left") }
	c = n.connect()
	c.send("PSYNC", "?", "-1")
	c.wantClosed()
	n.logged("BGSAVE for replication failed: no space left")
	n.repl.jobs.Wait()
	if left, err := os.ReadDir(n.repl.opt.Dir()); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}
