package repl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/skeindb/skein/internal/base/vfs"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// syncBytes is how much of a received file is written before it is synced.
const syncBytes = 8 << 20

// keepAlive is how often a master is told that we are alive while an RDB is loaded.
const keepAlive = time.Second

// receive takes a full sync: by way of a file, or straight into a data set beside
// the live one (repl-diskless-load). ok: the node now is where the master was.
// What went wrong is in the log when it returns.
func (f *follower) receive(w *wire, a psyncAnswer) (again retry, ok bool) {
	how := f.tuned().Load
	direct := how == "swapdb" || how == "on-empty-db" && f.empty()
	fr, err := f.frame(w)
	if err != nil {
		return atOnce, false
	}
	to := "to disk"
	if direct {
		to = "to parser"
	}
	if fr.mark != nil {
		f.notice("MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF " + to)
	} else {
		f.notice(fmt.Sprintf("MASTER <-> REPLICA sync: receiving %d bytes from master %s", fr.length, to))
	}
	f.deaf = a.sync || a.id == ""
	p := f.payload(w, fr)
	if !direct {
		return f.byFile(w, p, a)
	}
	return atOnce, f.load(w, a, how == "swapdb", p)
}

// empty tells whether there is no key.
func (f *follower) empty() bool {
	ks := f.r.opt.Keyspace
	for db := range ks.Databases() {
		if ks.Size(db) > 0 {
			return false
		}
	}
	return true
}

// byFile receives the RDB as a file, and loads that.
func (f *follower) byFile(w *wire, p *payload, a psyncAnswer) (again retry, ok bool) {
	files := f.files()
	temp, err := f.tempFile(files)
	if err != nil {
		f.warn("Opening the temp file needed for MASTER <-> REPLICA synchronization: " + reason(err))
		return later, false
	}
	defer temp.Close()
	path := temp.Name()
	if err := f.store(temp, p); err != nil {
		files.Remove(path)
		return atOnce, false
	}
	keep := false
	f.stopSave()
	if f.r.opt.RDBFile != nil {
		if path, keep, err = f.adoptFile(files, path); err != nil {
			return atOnce, false
		}
	}
	in, err := files.OpenFile(path, os.O_RDONLY, 0)
	if err == nil {
		ok = f.load(w, a, false, in)
		in.Close()
	} else {
		f.warn("Failed trying to load the MASTER synchronization DB from disk, check server logs.")
	}
	if !keep {
		if f.r.opt.RDBFile != nil {
			f.notice("Removing the RDB file obtained from the master. This replica has persistence disabled")
		}
		files.Remove(path)
	}
	return atOnce, ok
}

func (f *follower) stopSave() {
	if f.r.opt.StopSave != nil {
		f.r.opt.StopSave()
	}
}

func (f *follower) files() vfs.FS {
	if f.r.opt.Files != nil {
		return f.r.opt.Files
	}
	return vfs.OS{}
}

// tempFile makes the file that the RDB is received in.
func (f *follower) tempFile(files vfs.FS) (vfs.File, error) {
	dir := ""
	if f.r.opt.Dir != nil {
		dir = f.r.opt.Dir()
	}
	for second := time.Now().Unix(); ; second++ {
		name := filepath.Join(dir, fmt.Sprintf("temp-%d.%d.rdb", second, os.Getpid()))
		file, err := files.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o644)
		if !errors.Is(err, fs.ErrExist) {
			return file, err
		}
	}
}

// store writes the RDB to the file, and to the disk.
func (f *follower) store(file vfs.File, p *payload) error {
	buf := make([]byte, 64<<10)
	unsynced := 0
	for {
		n, err := p.Read(buf)
		if n > 0 {
			if _, err := file.Write(buf[:n]); err != nil {
				f.warn("Write error or short write writing to the DB dump file needed for MASTER <-> REPLICA synchronization: " + reason(err))
				return err
			}
		}
		if unsynced += n; err == io.EOF || unsynced >= syncBytes {
			if err := file.Sync(); err != nil {
				f.warn("Failed trying to sync the temp DB to disk in MASTER <-> REPLICA synchronization: " + reason(err))
				return err
			}
			unsynced = 0
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			if f.silent(err); !errors.Is(err, errSilent) && f.ctx.Err() == nil {
				f.warn("I/O error trying to sync with MASTER: " + reason(err))
			}
			return err
		}
	}
}

// adoptFile gives the received file the name of the node's own RDB.
func (f *follower) adoptFile(files vfs.FS, temp string) (path string, keep bool, err error) {
	path, keep = f.r.opt.RDBFile()
	if err = files.Rename(temp, path); err != nil {
		f.warn("Failed trying to rename the temp DB into " + path + " in MASTER <-> REPLICA synchronization: " + reason(err))
		files.Remove(temp)
		return
	}
	if err = files.SyncDir(filepath.Dir(path)); err != nil {
		f.warn("Failed trying to sync DB directory " + path + " in MASTER <-> REPLICA synchronization: " + reason(err))
	}
	return
}

// load replaces the data set by the RDB in in. With aside the old one is served, or
// kept at least, until the new one is complete; else it is dropped first, so that
// both never take memory at once.
func (f *follower) load(w *wire, a psyncAnswer, aside bool, in io.Reader) bool {
	r := f.r
	p, direct := in.(*payload)
	if direct {
		f.stopSave()
	}
	async := aside && a.id != "" && a.id == r.History().ID
	defer f.stayAlive(w)()
	if !aside && !f.abandon() {
		return false
	}
	f.notice("MASTER <-> REPLICA sync: Loading DB in memory")
	gate := &r.opt.Gates.Loading
	if async {
		gate = &r.opt.Gates.AsyncLoading
	}
	gate.Store(true)
	defer gate.Store(false)
	f.awaitFreed()
	data, err := r.opt.Load(interruptible{f.ctx, in})
	if err == nil && direct {
		if err = p.rest(); err != nil {
			data.Discard()
			f.warn(err.Error())
		}
	}
	if err != nil {
		f.loadFailed(err, direct)
		return false
	}
	if aside {
		f.notice("MASTER <-> REPLICA sync: Swapping active DB with loaded DB")
	}
	if !f.install(data, a) {
		data.Discard()
		return false
	}
	return true
}

// interruptible reads until ctx ends.
type interruptible struct {
	ctx context.Context
	in  io.Reader
}

// Read implements io.Reader.
func (i interruptible) Read(b []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.in.Read(b)
}

// loadFailed says what became of it; what is wrong with the RDB, Load has said.
func (f *follower) loadFailed(err error, direct bool) {
	if f.ctx.Err() != nil {
		return
	}
	f.silent(err)
	from := "disk"
	if direct {
		from = "socket"
	}
	f.warn("Failed trying to load the MASTER synchronization DB from " + from + ", check server logs.")
}

// stayAlive sends empty lines to the master until the returned function is called.
func (f *follower) stayAlive(w *wire) (stop func()) {
	quit := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		t := time.NewTicker(keepAlive)
		defer t.Stop()
		for {
			select {
			case <-quit:
				return
			case <-t.C:
				if w.write([]byte("\n")) != nil {
					return
				}
			}
		}
	})
	return func() {
		close(quit)
		done.Wait()
	}
}

// abandon drops the data set, and with it the history that it came from. False: the
// follower was stopped.
func (f *follower) abandon() bool {
	r := f.r
	return f.world(func() {
		f.notice("MASTER <-> REPLICA sync: Flushing old data")
		r.opt.Gates.Loading.Store(true)
		r.clear()
		r.leaveHistory()
	})
}

// freedEvery is how often awaitFreed looks.
const freedEvery = time.Millisecond

// awaitFreed waits until the memory of the data set that was dropped is free, which
// needs no locks, unless replica-lazy-flush allows old and new data to take it at once.
func (f *follower) awaitFreed() {
	for !f.tuned().LazyFlush {
		if pending, _ := f.r.opt.Keyspace.Freeing(); pending == 0 || !f.sleep(freedEvery) {
			return
		}
	}
}

// clear empties all databases; the caller holds all stripes.
func (r *Repl) clear() {
	ks := r.opt.Keyspace
	for db := range ks.Databases() {
		if ks.Size(db) > 0 {
			r.wipe.Begin(ks, nil, db, now(), keyspace.Applied)
			r.wipe.Clear(true)
			r.wipe.Commit(nil)
		}
	}
}

// leaveHistory begins a history that nobody knows, of a data set that is empty.
func (r *Repl) leaveHistory() {
	r.dropReplicas("the data set is about to be replaced by the master's")
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.resumable {
		r.opt.Slog.Info("Discarding previously cached master state.")
	}
	r.resumable = false
	r.hist = newHistory(r.opt.NewID())
	r.log.Restart(r.log.Offset())
}

// install makes data the node's data set and a's history its own. False: the follower was stopped.
func (f *follower) install(data Dataset, a psyncAnswer) bool {
	r := f.r
	return f.world(func() {
		data.Install()
		id, offset := a.id, a.offset
		if id == "" {
			id, offset = r.opt.NewID(), 0
		}
		r.adopt(id, offset)
		if db := data.Aux().StreamDB; db >= 0 && db < r.opt.Keyspace.Databases() {
			r.log.Select(db)
		}
		r.mu.Lock()
		r.resumable = a.id != ""
		r.mu.Unlock()
		r.opt.Gates.Loading.Store(false)
		r.opt.Gates.AsyncLoading.Store(false)
		f.enter(connected)
		f.moved(offset)
	})
}

func (f *follower) moved(offset int64) {
	if f.r.opt.Moved != nil {
		f.r.opt.Moved(offset)
	}
}
