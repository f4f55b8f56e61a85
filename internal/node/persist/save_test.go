package persist

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/vfs"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/testkit"
)

func TestSaveAndLoad(t *testing.T) {
	for _, policy := range []keyspace.Policy{keyspace.NoEviction, keyspace.AllKeysLRU, keyspace.VolatileLFU} {
		s := newServer(t)
		tuning := s.ks.Tuned()
		tuning.Policy = policy
		s.ks.Tune(tuning)
		s.aux = Aux{ID: strings.Repeat("ab", 20), Offset: 4711, StreamDB: 3}
		all := s.fill(3000)
		s.set(7, "large", strings.Repeat("0123456789", 50_000), 0)
		s.set(7, "due", "later", 1_000_000)
		s.write(7, func(tx *keyspace.WriteTx) {
			r, _ := tx.Peek([]byte("due"))
			if policy == keyspace.VolatileLFU {
				tx.SetFrequency(r, 77)
			} else {
				tx.SetIdle(r, 555)
			}
		})
		_, expiry := s.get(7, "due")
		if err := s.save(); err != nil {
			t.Fatal(err)
		}
		if names := s.files(); !slices.Equal(names, []string{"dump.rdb"}) {
			t.Error(names)
		}

		again := newServerOn(t, s.disk)
		again.ks.Tune(tuning)
		var began Aux
		if err := again.start(Start{Began: func(a Aux) { began = a }}); err != nil {
			t.Fatal(err)
		}
		if began != s.aux {
			t.Errorf("%+v", began)
		}
		again.want(7, "large", strings.Repeat("0123456789", 50_000))
		if val, e := again.get(7, "due"); val != "later" || e != expiry {
			t.Errorf("%q at %d", val, e)
		}
		again.write(7, func(tx *keyspace.WriteTx) {
			r, _ := tx.Peek([]byte("due"))
			if f := tx.Frequency(r); policy == keyspace.VolatileLFU && f != 77 {
				t.Errorf("frequency %d", f)
			}
			if idle := tx.IdleSeconds(r); policy == keyspace.AllKeysLRU && (idle < 555 || idle > 560) {
				t.Errorf("idle for %d s", idle)
			}
			tx.Delete([]byte("large"))
			tx.Delete([]byte("due"))
		})
		again.wantAll(all)
	}
}

// TestNothingBehindTheCut: the file has what was there at the instant of the save,
// whatever writers do meanwhile.
func TestNothingBehindTheCut(t *testing.T) {
	s := newServer(t)
	all := s.fill(5000)
	stop := make(chan struct{})
	var writers sync.WaitGroup
	result := make(chan error, 1)
	s.world(func() {
		if err := s.begin(func(err error) { result <- err }); err != nil {
			t.Fatal(err)
		}
	})
	for w := range 2 {
		writers.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(w)))
			for {
				select {
				case <-stop:
					return
				default:
				}
				s.set(rnd.IntN(3), fmt.Sprint("key:", rnd.IntN(6000)), "new", 0)
			}
		})
	}
	err := <-result
	close(stop)
	writers.Wait()
	if err != nil {
		t.Fatal(err)
	}
	again := newServerOn(t, s.disk)
	if err := again.start(Start{}); err != nil {
		t.Fatal(err)
	}
	again.wantAll(all)
}

// TestEveryFault lets each operation of a save fail in turn, and takes the power
// away after it: the file is the old one or the new one, and the error was told.
func TestEveryFault(t *testing.T) {
	ops := []vfs.Op{vfs.OpOpen, vfs.OpWrite, vfs.OpSync, vfs.OpRename, vfs.OpSyncDir}
	for n := 1; ; n++ {
		s := newServer(t)
		s.change(func(t *Tuning) { t.Points, t.StopWrites = []SavePoint{{1000, 1000}}, true })
		s.set(0, "k", "old", 0)
		if err := s.save(); err != nil {
			t.Fatal(err)
		}
		s.set(0, "k", "new", 0)
		s.set(0, "bulk", noise(200_000), 0)
		failed := false
		fault := vfs.FailNth(n, syscall.ENOSPC, false, ops...)
		s.disk.SetFault(func(op vfs.Op, name string) error {
			err := fault(op, name)
			failed = failed || err != nil
			return err
		})
		err := s.save()
		s.disk.SetFault(nil)
		if s.denied || s.infoField("rdb_last_bgsave_status") != "ok" { // who saves is told
			t.Error("a save in the foreground counts as one in the background")
		}
		if !failed {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("fault %d: %v", n, err)
		}
		if !strings.Contains(s.log.String(), "No space left on device") {
			t.Errorf("fault %d: %s", n, s.log.String())
		}
		if names := s.files(); !slices.Equal(names, []string{"dump.rdb"}) {
			t.Errorf("fault %d: %v are left", n, names)
		}
		s.disk.Crash()
		again := newServerOn(t, s.disk)
		if err := again.start(Start{}); err != nil {
			t.Fatalf("fault %d: %v", n, err)
		}
		if val, _ := again.get(0, "k"); val != "old" && val != "new" {
			t.Errorf("fault %d: %q", n, val)
		}
		if err := s.save(); err != nil {
			t.Errorf("fault %d: then %v", n, err)
		}
	}
}

// TestWritesAreDenied after a save in the background has failed, until one succeeds.
func TestWritesAreDenied(t *testing.T) {
	s := newServer(t)
	s.change(func(t *Tuning) { t.Points, t.StopWrites = []SavePoint{{1000, 1000}}, true })
	fail := func() {
		t.Helper()
		s.disk.SetFault(vfs.FailNth(1, syscall.EIO, true, vfs.OpRename))
		s.do("BGSAVE")
		testkit.Eventually(t, "the save is over", func() bool { return s.infoField("rdb_last_bgsave_status") == "err" })
		s.disk.SetFault(nil)
	}
	fail()
	if !s.isDenied() {
		t.Error("writes go on")
	}
	s.change(func(t *Tuning) { t.StopWrites = false })
	if s.isDenied() {
		t.Error("writes are denied though they may go on")
	}
	s.change(func(t *Tuning) { t.StopWrites = true })
	if !s.isDenied() {
		t.Error("writes go on again")
	}
	if err := s.save(); err != nil || s.isDenied() || s.infoField("rdb_last_bgsave_status") != "ok" {
		t.Error(err, s.isDenied())
	}
	s.change(func(t *Tuning) { t.Points = nil })
	fail()
	if s.isDenied() {
		t.Error("writes are denied without save points")
	}
}

func (s *server) isDenied() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.denied
}

func noise(n int) string {
	rnd := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return string(b)
}

// TestTempFiles: one that a crash has left behind is used again, one that another
// node is writing is not.
func TestTempFiles(t *testing.T) {
	s := newServer(t)
	s.fill(10)
	name := func(n int) string { return fmt.Sprintf("temp-%d.rdb", os.Getpid()+n) }
	if err := vfs.WriteAtomic(s.disk, "/data/"+name(0), []byte("left behind"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	if names := s.files(); !slices.Equal(names, []string{"dump.rdb"}) {
		t.Error(names)
	}
	other := newServerOn(t, s.disk)
	other.change(func(t *Tuning) { t.File = "/data/other.rdb" })
	s.slow()
	other.slow()
	s.do("BGSAVE")
	other.set(0, "k", "v", 0)
	other.do("BGSAVE")
	testkit.Eventually(t, "both write", func() bool {
		return slices.Equal(s.files(), []string{"dump.rdb", name(0), name(1)})
	})
	s.Close()
	other.Close()
	if names := s.files(); !slices.Equal(names, []string{"dump.rdb"}) {
		t.Error(names)
	}
	s.disk.SetFault(vfs.FailNth(1, syscall.ENOLCK, true, vfs.OpLock)) // a disk that knows no locks
	third := newServerOn(t, s.disk)
	if err := third.save(); err != nil {
		t.Error(err)
	}
}

func TestDiskFull(t *testing.T) {
	s := newServer(t)
	s.set(0, "k", "old", 0)
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	s.disk.SetCapacity(100_000)
	s.set(0, "k", noise(300_000), 0)
	if got := s.do("SAVE"); !strings.HasPrefix(got, "-ERR the data set is not saved: write /data/temp-") || !strings.Contains(got, "no space left on device") {
		t.Error(got)
	}
	again := newServerOn(t, s.disk)
	if err := again.start(Start{}); err != nil {
		t.Fatal(err)
	}
	again.want(0, "k", "old")
	s.disk.SetCapacity(0)
	if got := s.do("SAVE"); got != "+OK\r\n" {
		t.Error(got)
	}
}

func (s *server) infoField(name string) string {
	return testkit.Info(string(s.AppendInfo(nil)), name)
}

func (s *server) wantInfo(want map[string]string) {
	s.t.Helper()
	for name, value := range want {
		if got := s.infoField(name); got != value {
			s.t.Errorf("%s is %q, not %q", name, got, value)
		}
	}
}

// slow makes each key of a save take so long that it does not end by itself.
func (s *server) slow() { s.change(func(t *Tuning) { t.SaveDelay = 100_000_000 }) }

func TestCommands(t *testing.T) {
	s := newServer(t)
	s.fill(10)
	s.wantInfo(map[string]string{"rdb_changes_since_last_save": "10", "rdb_saves": "0", "rdb_bgsave_in_progress": "0", "rdb_last_bgsave_time_sec": "-1"})
	if got := s.do("SAVE"); got != "+OK\r\n" {
		t.Error(got)
	}
	s.wantInfo(map[string]string{"rdb_changes_since_last_save": "0", "rdb_saves": "1", "rdb_last_bgsave_time_sec": "0"})
	if got, low := s.do("LASTSAVE"), fmt.Sprintf(":%d\r\n", time.Now().Unix()-10); got < low {
		t.Error(got)
	}
	if got := s.do("BGSAVE", "now"); got != "-ERR syntax error\r\n" {
		t.Error(got)
	}
	s.slow()
	if got := s.do("BGSAVE"); got != "+Background saving started\r\n" {
		t.Error(got)
	}
	s.set(0, "another", "key", 0)
	s.wantInfo(map[string]string{"rdb_bgsave_in_progress": "1", "current_save_keys_total": "10", "rdb_current_bgsave_time_sec": "0", "rdb_changes_since_last_save": "1"})
	for _, line := range [][]string{{"BGSAVE"}, {"BGSAVE", "SCHEDULE"}, {"SAVE"}} {
		if got := s.do(line...); got != "-ERR Background save already in progress\r\n" {
			t.Errorf("%s: %s", line, got)
		}
	}
	s.Abort()
	testkit.Eventually(t, "the save is over", func() bool { return !s.busy() })
	s.wantInfo(map[string]string{"rdb_last_bgsave_status": "ok", "rdb_changes_since_last_save": "1"})
	if names := s.files(); !slices.Equal(names, []string{"dump.rdb"}) {
		t.Error(names)
	}
}

// TestInTransaction: a transaction is half done while it runs, so its BGSAVE waits.
func TestInTransaction(t *testing.T) {
	s := newServer(t)
	s.client.multi = true
	if got := s.do("BGSAVE"); got != "+Background saving scheduled\r\n" {
		t.Error(got)
	}
	if got := s.debugReload(Reload{Save: true, Flush: true}); !strings.HasPrefix(got, "-ERR DEBUG RELOAD is not possible") {
		t.Error(got)
	}
	if len(s.files()) != 0 {
		t.Error(s.files())
	}
	s.Tick()
	testkit.Eventually(t, "the save is done", func() bool { return !s.busy() && len(s.files()) == 1 })
}

func TestSavePoints(t *testing.T) {
	s := newServer(t)
	s.change(func(t *Tuning) { t.Points = []SavePoint{{100, 1}, {10, 5}} })
	now := s.status.lastSave
	check := func(after int64, want bool) {
		t.Helper()
		if got := s.due(now + after); got != want {
			t.Errorf("due after %d s: %v", after, got)
		}
	}
	check(1000, false)
	s.fill(1)
	check(100, false)
	check(101, true)
	s.fill(4)
	check(10, false)
	check(11, true)
	s.status.ok, s.status.lastTry = false, now+11
	check(16, false) // it has just failed
	check(17, true)
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	check(1000, false)
}

// TestTickWaits: a save point does not wait for the owner of a stripe, it is due
// again later.
func TestTickWaits(t *testing.T) {
	s := newServer(t)
	s.change(func(t *Tuning) { t.Points = []SavePoint{{1, 1}} })
	s.fill(1)
	s.status.lastSave -= 10
	owner, h := &keyspace.Owner{What: "test"}, s.everything()
	s.acquire(h)
	s.ks.Own(h, owner)
	s.Tick()
	s.ks.Disown(owner)
	if s.busy() || len(s.files()) != 0 {
		t.Error("it has begun")
	}
	s.Tick()
	testkit.Eventually(t, "the save is done", func() bool { return !s.busy() && len(s.files()) == 1 })
}

// TestFlushAll: a save of what FLUSHALL has removed is given up, and with save points
// the file becomes empty.
func TestFlushAll(t *testing.T) {
	s := newServer(t)
	s.fill(100)
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	s.change(func(t *Tuning) { t.Points = []SavePoint{{1000, 1000}} })
	s.slow()
	s.do("BGSAVE")
	done := make(chan struct{})
	s.write(0, func(tx *keyspace.WriteTx) {
		for db := range 3 {
			tx.SelectDB(db)
			tx.Clear(true)
		}
		s.change(func(t *Tuning) { t.SaveDelay = 0 })
		if !s.Flushed(func() { close(done) }) {
			t.Error("the file is left as it is")
		}
	})
	<-done
	s.wantInfo(map[string]string{"rdb_changes_since_last_save": "0", "rdb_last_bgsave_status": "ok"})
	again := newServerOn(t, s.disk)
	if err := again.start(Start{}); err != nil {
		t.Fatal(err)
	}
	again.wantAll(nil)

	// A snapshot for replicas stays, and the save waits for its end.
	var snap *Snapshot
	s.world(func() { snap, _ = s.Snapshot(Aux{}) })
	done = make(chan struct{})
	s.world(func() { s.Flushed(func() { close(done) }) })
	<-done
	if err := snap.Save(new(strings.Builder)); err != nil {
		t.Error(err)
	}
	saves := s.infoField("rdb_saves")
	s.Tick()
	if now := s.infoField("rdb_saves"); now == saves {
		t.Error("nothing is saved behind it")
	}
	s.change(func(t *Tuning) { t.Points = nil })
	if s.Flushed(nil) {
		t.Error("the file is written without save points")
	}
}

// TestSnapshots: one at a time, whoever it is for.
func TestSnapshots(t *testing.T) {
	s := newServer(t)
	all := s.fill(100)
	var first *Snapshot
	s.world(func() {
		var err error
		if first, err = s.Snapshot(Aux{ID: strings.Repeat("0", 40), Offset: 12}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Snapshot(Aux{}); err != ErrBusy {
			t.Error(err)
		}
	})
	if got := s.do("BGSAVE"); got != "-ERR Background save already in progress\r\n" {
		t.Error(got)
	}
	first.Abort()
	if err := first.Save(new(strings.Builder)); err != ErrAborted {
		t.Error(err)
	}
	var text strings.Builder
	s.world(func() { first, _ = s.Snapshot(Aux{ID: strings.Repeat("0", 40), Offset: 12}) })
	if err := first.Save(&text); err != nil {
		t.Fatal(err)
	}
	first.Abort() // too late, which does not matter
	d, err := s.Load(strings.NewReader(text.String()))
	if err != nil || (d.Aux() != Aux{ID: strings.Repeat("0", 40), Offset: 12}) {
		t.Fatal(err, d.Aux())
	}
	s.set(5, "not in it", "x", 0)
	s.world(d.Install)
	s.wantAll(all)
	s.wantInfo(map[string]string{"rdb_changes_since_last_save": "101", "rdb_last_load_keys_loaded": "100", "rdb_saves": "0"})

	s.Close()
	s.world(func() {
		if _, err := s.Snapshot(Aux{}); err != ErrClosing {
			t.Error(err)
		}
	})
}

// TestKeep: a file that replicas were given becomes the node's own, unless that is newer.
func TestKeep(t *testing.T) {
	s := newServer(t)
	forReplicas := func() *Snapshot {
		t.Helper()
		var snap *Snapshot
		s.world(func() { snap, _ = s.Snapshot(Aux{}) })
		f, err := s.disk.OpenFile("/data/sync.rdb", os.O_CREATE|os.O_WRONLY, 0o644)
		if err == nil {
			err = errors.Join(snap.Save(f), f.Sync(), f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		return snap
	}
	all := s.fill(100)
	if err := s.Keep(forReplicas(), "/data/sync.rdb"); err != nil {
		t.Fatal(err)
	}
	s.wantInfo(map[string]string{"rdb_changes_since_last_save": "0", "rdb_saves": "1", "rdb_bgsave_in_progress": "0"})
	older := forReplicas()
	all["key:0"] = "newer"
	s.set(0, "key:0", "newer", 0)
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(older, "/data/sync.rdb"); err != nil || !slices.Equal(s.files(), []string{"dump.rdb"}) {
		t.Error(err, s.files())
	}
	again := newServerOn(t, s.disk)
	if err := again.start(Start{}); err != nil {
		t.Fatal(err)
	}
	again.wantAll(all)
	snap := forReplicas()
	s.disk.SetFault(vfs.FailNth(1, syscall.EIO, false, vfs.OpRename))
	if err := s.Keep(snap, "/data/sync.rdb"); !errors.Is(err, syscall.EIO) || !slices.Equal(s.files(), []string{"dump.rdb"}) || s.busy() {
		t.Error(err, s.files())
	}
}

// TestFinal: the last save keeps everybody away, gives up what was being saved, and
// after an error all goes on.
func TestFinal(t *testing.T) {
	s := newServer(t)
	all := s.fill(100)
	s.slow()
	s.do("BGSAVE")
	s.change(func(t *Tuning) { t.SaveDelay = 0 })
	s.disk.SetFault(vfs.FailNth(1, syscall.EIO, true, vfs.OpRename))
	if _, err := s.Final(); !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
	s.disk.SetFault(nil)
	s.want(0, "key:0", all["key:0"]) // nobody owns a stripe
	resume, err := s.Final()
	if err != nil {
		t.Fatal(err)
	}
	h, again := s.everything(), make(waker, 1)
	if s.ks.Acquire(h, again) {
		t.Fatal("stripes can be had after the last save")
	}
	resume()
	<-again
	loaded := newServerOn(t, s.disk)
	if err := loaded.start(Start{}); err != nil {
		t.Fatal(err)
	}
	loaded.wantAll(all)
}

// TestCloseAfterFinal: what still waits for the stripes when the last save has them
// does not keep the node from ending.
func TestCloseAfterFinal(t *testing.T) {
	s := newServer(t)
	s.change(func(t *Tuning) { t.Points = []SavePoint{{1000, 1000}} })
	if _, err := s.Final(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	if !s.Flushed(func() { close(done) }) {
		t.Fatal("nothing is to be saved")
	}
	s.Close()
	<-done
	if _, err := s.Final(); err != ErrClosing {
		t.Error(err)
	}
}

// TestFinalAborted: SHUTDOWN ABORT ends a last save.
func TestFinalAborted(t *testing.T) {
	s := newServer(t)
	all := s.fill(10)
	s.slow()
	go func() {
		for !s.busy() {
			time.Sleep(time.Millisecond)
		}
		s.Abort()
	}()
	if _, err := s.Final(); !errors.Is(err, ErrAborted) {
		t.Error(err)
	}
	s.wantAll(all)
	if len(s.files()) != 0 {
		t.Error(s.files())
	}
}

func TestInfoFieldsAreRedis(t *testing.T) {
	redis := testkit.StartRedis(t)
	got := string(newServer(t).AppendInfo(nil))
	for line := range strings.Lines(redis.Do("INFO", "persistence")) {
		name, _, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		_, after, found := strings.Cut("\n"+got, "\n"+name+":")
		if !found {
			t.Errorf("no %s, or not in redis's order", name)
			continue
		}
		got = after
	}
}
