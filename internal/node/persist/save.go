package persist

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/skeindb/skein/internal/base/vfs"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// begin begins to save to the file and calls done at the end, from another
// goroutine. The caller holds all stripes. The error is ErrBusy or ErrClosing.
func (p *Persist) begin(done func(error)) error {
	aux := p.opt.Aux()
	p.mu.Lock()
	defer p.mu.Unlock()
	s, err := p.cut(aux)
	if err != nil {
		return err
	}
	s.cut.Limit(0) // rather memory for a slow disk, as a fork would take, than no save
	p.saving, p.wanted, p.now, p.began = true, false, false, time.Now()
	p.saved = make(chan struct{})
	p.status.lastTry = p.began.Unix()
	p.status.saves++
	p.savers.Go(func() {
		err := p.write(s)
		p.ended(s, err)
		done(err)
	})
	return nil
}

// ended notes what became of a save.
func (p *Persist) ended(s *Snapshot, err error) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.saving = false
	close(p.saved)
	st := &p.status
	st.lastTook = int64(now.Sub(p.began) / time.Second)
	st.copied = s.cut.Stats().Copied
	if err == nil {
		st.ok, st.lastSave, st.base = true, now.Unix(), s.changes
		p.judge()
	}
}

// Keep makes the file at path, which s was saved to for replicas and which is synced,
// the node's own, as a background save would have. It is removed if the own one is
// newer, or is about to be.
func (p *Persist) Keep(s *Snapshot, path string) error {
	p.mu.Lock()
	if p.saving || s.changes < p.status.base {
		p.mu.Unlock()
		return p.opt.FS.Remove(path)
	}
	p.saving, p.saved, p.began = true, make(chan struct{}), time.Now()
	p.status.saves++
	p.mu.Unlock()

	err := p.replace(path, p.tuning.Load().File)
	p.ended(s, err)
	return err
}

// replace makes a file that is synced the one called name.
func (p *Persist) replace(path, name string) error {
	dir := filepath.Dir(name)
	if err := p.opt.FS.Rename(path, name); err != nil {
		p.opt.FS.Remove(path)
		p.opt.Log.Warn(fmt.Sprintf("Error moving temp DB file %s on the final destination %s (in server root dir %s): %s",
			filepath.Base(path), filepath.Base(name), dir, reason(err)))
		return notSaved(err)
	}
	if err := p.opt.FS.SyncDir(dir); err != nil {
		p.opt.Log.Warn("Failed to fsync directory while saving DB: " + reason(err))
		return notSaved(err)
	}
	p.opt.Log.Info("DB saved on disk")
	return nil
}

// failed notes that a save has failed that nobody waits for, to be told of it.
func (p *Persist) failed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.ok = false
	p.judge()
}

// tempPattern is the name of a file that is not finished; the star is the process id,
// or the next number that is free.
const tempPattern = "temp-*.rdb"

// temp makes the unfinished file. It is locked until unlock, so that nodes in one
// folder do not take each other's, while one that a crash has left behind is used again.
func (p *Persist) temp(dir string) (f vfs.File, unlock func(), err error) {
	disk := p.opt.FS
	for n := os.Getpid(); ; n++ {
		name := filepath.Join(dir, strings.Replace(tempPattern, "*", strconv.Itoa(n), 1))
		lock, err := disk.Lock(name)
		if errors.Is(err, vfs.ErrLocked) {
			continue
		}
		if err != nil { // no file can be made here, or none be locked
			f, err := vfs.CreateTemp(disk, dir, tempPattern, 0o644)
			return f, func() {}, err
		}
		f, err := disk.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
		if err != nil {
			disk.Remove(name)
			lock.Close()
			return nil, nil, err
		}
		return f, func() { lock.Close() }, nil
	}
}

// write writes a snapshot to the file, which is the old one or the whole new one at
// any moment.
func (p *Persist) write(s *Snapshot) error {
	t := p.tuning.Load()
	dir := filepath.Dir(t.File)
	f, unlock, err := p.temp(dir)
	if err != nil {
		s.Abort()
		p.opt.Log.Warn(fmt.Sprintf("Failed opening the temp RDB file (in server root dir %s) for saving: %s", dir, reason(err)))
		return notSaved(err)
	}
	defer unlock()
	if op, err := p.fill(f, s, t.Incremental); err != nil {
		p.opt.FS.Remove(f.Name())
		if !errors.Is(err, ErrAborted) {
			p.opt.Log.Warn(fmt.Sprintf("Write error while saving DB to the disk(%s): %s", op, reason(err)))
		}
		return notSaved(err)
	}
	return p.replace(f.Name(), t.File)
}

func notSaved(err error) error { return fmt.Errorf("the data set is not saved: %w", err) }

// fill writes a snapshot to f and closes that. It returns what could not be done.
func (p *Persist) fill(f vfs.File, s *Snapshot, incremental bool) (op string, err error) {
	w := &syncing{File: f}
	if !incremental {
		w.most = -1
	}
	op = "writing"
	if err = s.Save(w); err == nil {
		op, err = "fsync", f.Sync()
	}
	if closeErr := f.Close(); err == nil && closeErr != nil {
		op, err = "closing", closeErr
	}
	return op, err
}

// syncBytes is how much is written between two fsyncs of a file that is being saved,
// so that the last one does not find all of it to do.
const syncBytes = 16 << 20

// syncing is a file that is synced now and then.
type syncing struct {
	vfs.File
	since int
	most  int // 0: syncBytes; negative: it is not synced
}

// Write implements io.Writer.
func (w *syncing) Write(b []byte) (int, error) {
	n, err := w.File.Write(b)
	if w.since += n; err == nil && w.most >= 0 && w.since >= max(w.most, syncBytes) {
		w.since = 0
		err = w.File.Sync()
	}
	return n, err
}

// reason words an error of the system as redis does, without the name of the file.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	var errno syscall.Errno
	if text := err.Error(); errors.As(err, &errno) {
		return strings.ToUpper(text[:1]) + text[1:]
	}
	return err.Error()
}

// Tick looks whether a save is due. The node calls it some times a second.
func (p *Persist) Tick() {
	if refusing, beside := p.opt.Loading(); refusing || beside || !p.due(time.Now().Unix()) {
		return
	}
	ks, h := p.opt.Keyspace, p.everything()
	if !ks.Acquire(h, nobody{}) {
		return // somebody owns a stripe: next time
	}
	defer ks.Release(h)
	p.background()
}

// background begins a save that nobody waits for. The caller holds all stripes.
func (p *Persist) background() error {
	err := p.begin(func(err error) {
		switch {
		case err == nil:
			p.opt.Log.Info("Background saving terminated with success")
		case errors.Is(err, ErrAborted):
			p.opt.Log.Info("Background saving was given up")
		default:
			p.opt.Log.Warn("Background saving error")
			p.failed()
		}
	})
	if err == nil {
		p.opt.Log.Info("Background saving started")
	}
	return err
}

// due tells whether a save should begin now.
func (p *Persist) due(now int64) bool {
	changes := p.opt.Keyspace.Stats().Changes
	p.mu.Lock()
	defer p.mu.Unlock()
	st := &p.status
	switch {
	case p.current != nil || p.saving || p.closing.Load():
		return false
	case p.now:
		return true
	case !st.ok && now-st.lastTry <= retryAfter:
		return false
	case p.wanted:
		return true
	}
	for _, point := range p.tuning.Load().Points {
		if changes-st.base >= point.Changes && now-st.lastSave > point.Seconds {
			p.opt.Log.Info(fmt.Sprintf("%d changes in %d seconds. Saving...", point.Changes, point.Seconds))
			return true
		}
	}
	return false
}

// Final saves the data set of a node that is about to end, giving up what is being
// saved already. From the instant of the snapshot on nobody changes or reads a key:
// whoever wants to waits, for resume to be called, or for the end. After an error
// the node goes on.
func (p *Persist) Final() (resume func(), err error) {
	ks, h := p.opt.Keyspace, p.everything()
	owner := &keyspace.Owner{What: "SHUTDOWN"}
	result := make(chan error, 1)
	for err = ErrBusy; err == ErrBusy; { // another snapshot may come in between
		p.giveUp()
		if !p.acquire(h) {
			return nil, ErrClosing
		}
		if err = p.begin(func(err error) { result <- err }); err != nil {
			ks.Release(h)
		}
	}
	if err != nil {
		return nil, err
	}
	ks.Own(h, owner)
	resume = func() { ks.Disown(owner) }
	if err := <-result; err != nil {
		resume()
		return nil, err
	}
	return resume, nil
}

// giveUp ends what is being written, and waits for that if it is for the disk.
func (p *Persist) giveUp() {
	p.mu.Lock()
	s, saving, saved := p.current, p.saving, p.saved
	p.mu.Unlock()
	if s != nil {
		p.opt.Log.Warn("A snapshot is being written. Giving it up!")
		s.Abort()
	}
	if saving {
		<-saved
	}
}

// Flushed is told under all stripes that FLUSHALL has emptied the data set. A save of
// what is gone is given up. If there are save points the file becomes empty at once:
// then Flushed returns true, and calls done, from another goroutine, when that is done
// or has failed.
func (p *Persist) Flushed(done func()) (later bool) {
	p.mu.Lock()
	s, saving := p.current, p.saving
	p.mu.Unlock()
	if s != nil && saving {
		p.opt.Log.Info("A background save is given up: FLUSHALL")
		s.Abort()
	}
	if len(p.tuning.Load().Points) == 0 || p.closing.Load() {
		return false
	}
	p.savers.Go(func() {
		p.saveNow(done)
	})
	return true
}

// saveNow saves as soon as the save under way is over. If a snapshot for replicas is in
// the way it does not wait, and leaves it to Tick.
func (p *Persist) saveNow(done func()) {
	p.mu.Lock()
	saving, saved := p.saving, p.saved
	p.mu.Unlock()
	if saving {
		<-saved
	}
	h := p.everything()
	if !p.acquire(h) {
		done()
		return
	}
	defer p.opt.Keyspace.Release(h)
	if p.begin(func(error) { done() }) != nil {
		p.mu.Lock()
		p.now = true
		p.mu.Unlock()
		done()
	}
}
