package repl

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/skeindb/skein/internal/store/keyspace"
)

// job is one full sync: a cut, for all replicas that waited for it.
type job struct {
	sockets  bool // straight to the replicas; else by a file
	filtered bool // without keys
	keeps    bool // the file is for the node too

	// Under Repl.mu.
	made     bool     // the cut is made
	offset   int64    // of the cut
	snapshot Snapshot // nil before the cut
	beyond   string   // a key in it that not all replicas can read; see carries
	ended    bool

	abandoned bool // nobody waits for it any more
}

// stop makes j one that takes nobody any more; Repl.mu is held. What it returns is
// to be called when it is not: it ends the walk.
func (j *job) stop() (abort func()) {
	if j == nil || j.ended || !j.made {
		return func() {}
	}
	j.ended = true
	return j.snapshot.Abort
}

// Streaming tells whether a full sync goes straight to replicas and has not ended for all of them.
func (r *Repl) Streaming() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.job != nil && r.job.sockets && r.job.made
}

// giveUp ends the full sync if nobody waits for it any more.
func (r *Repl) giveUp() {
	r.mu.Lock()
	abort := func() {}
	if j := r.job; j != nil && !j.keeps && !slices.ContainsFunc(r.replicas, func(p *replica) bool { return p.phase == syncing }) {
		j.abandoned = j.made && !j.ended
		abort = j.stop()
	}
	r.mu.Unlock()
	abort()
}

// Flushed is told under all stripes that FLUSHALL has emptied the data set: to send
// what is gone would be a waste. The replicas come back for what there is.
func (r *Repl) Flushed() {
	r.mu.Lock()
	abort := r.job.stop()
	r.mu.Unlock()
	abort()
}

const errBgsave = "-ERR BGSAVE failed, replication can't continue\r\n"

// startSync begins a full sync if somebody waits for one and none is under way.
// atOnce: others that may come need not be waited for.
func (r *Repl) startSync(atOnce bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j := r.nextJob(atOnce)
	if j == nil || r.job != nil {
		return
	}
	j.keeps = !j.sockets && r.opt.Keeps != nil && r.opt.Keeps()
	r.job = j
	r.jobs.Go(func() {
		err := r.sync(j)
		r.mu.Lock()
		r.job = nil
		r.mu.Unlock()
		if err != nil && !errors.Is(err, ErrBusy) {
			r.opt.Slog.Warn("BGSAVE for replication failed: " + err.Error())
		}
		if !errors.Is(err, ErrBusy) { // then the clock tries again
			r.startSync(false)
		}
	})
}

// nextJob is the full sync that is due, or nil; r.mu is held. Those who wait first
// decide what it is like.
func (r *Repl) nextJob(atOnce bool) *job {
	t := r.tuning.Load()
	var j *job
	count, longest := 0, int64(0)
	for _, p := range r.replicas {
		switch {
		case p.phase != waiting || j != nil && p.filtered != j.filtered:
			continue
		case j == nil:
			j = &job{sockets: true, filtered: p.filtered}
		}
		j.sockets = j.sockets && p.eof
		count++
		longest = max(longest, now()-p.joined)
	}
	if j == nil {
		return nil
	}
	due := atOnce || !t.Diskless || longest >= t.DisklessDelay.Milliseconds() ||
		t.DisklessMost > 0 && count >= t.DisklessMost
	j.sockets = j.sockets && (t.Diskless && !r.toFile || j.filtered)
	if !due || r.closed() {
		return nil
	}
	return j
}

func (r *Repl) closed() bool {
	select {
	case <-r.closing:
		return true
	default:
		return false
	}
}

// attach lets p share the cut of the full sync under way, which is written to a
// file and not complete yet; r.mu is held.
func (r *Repl) attach(p *replica) bool {
	j := r.job
	if j == nil || j.sockets || !j.made || j.ended || j.filtered != p.filtered || !p.carries(j) {
		return false
	}
	if err := r.prepare(p, j); err != nil {
		return false
	}
	r.opt.Slog.Info("Waiting for end of BGSAVE for SYNC")
	return true
}

// prepare makes p one that gets the RDB of j: it is told where the stream goes on,
// and the log is kept for it from there; r.mu is held.
func (r *Repl) prepare(p *replica, j *job) error {
	reader, err := r.log.ReadFrom(j.offset, r.most())
	if err != nil {
		return err
	}
	reader.Ring = p.stream.ring
	line := ""
	if !p.old {
		line = fmt.Sprintf("+FULLRESYNC %s %d\r\n", r.hist.ID, j.offset)
	}
	p.phase = syncing
	p.stream.begin(line, nil, reader)
	return nil
}

// sync does one full sync, in a goroutine of its own.
func (r *Repl) sync(j *job) error {
	target := "disk"
	if j.sockets {
		target = "replicas sockets"
	}
	list, refused, err := r.cut(j)
	for _, p := range refused {
		r.refuseBeyond(p, j.beyond)
	}
	switch {
	case errors.Is(err, ErrBusy):
		r.delay()
		return err
	case err != nil:
		r.refuse()
		return err
	case len(list) == 0:
		return nil
	}
	r.opt.Slog.Info("Starting BGSAVE for SYNC with target: " + target)
	if j.sockets {
		return r.toSockets(j, list)
	}
	return r.byFile(j)
}

// delay says once that the full sync has to wait for another snapshot; the clock
// tries it again.
func (r *Repl) delay() {
	r.mu.Lock()
	first := !r.delayed
	r.delayed = true
	r.mu.Unlock()
	if first {
		r.opt.Slog.Info("No BGSAVE in progress, but another BG operation is active. BGSAVE for replication delayed")
	}
}

// cut takes the snapshot, and notes under the same locks where the log ends. list are
// the replicas that are to get it, refused those that cannot read it.
func (r *Repl) cut(j *job) (list, refused []*replica, err error) {
	r.world(func() {
		r.mu.Lock()
		aux := r.aux()
		r.mu.Unlock()
		var snapshot Snapshot
		if snapshot, err = r.snapshot(j, aux); err != nil {
			return
		}
		if r.opt.Beyond != nil && !j.filtered {
			j.beyond = r.opt.Beyond()
		}
		if list, refused = r.share(j, snapshot); len(list) == 0 {
			snapshot.Abort()
		}
	})
	return list, refused, err
}

// share makes the snapshot that of j, and gives it to all who wait for such a one and
// can read it.
func (r *Repl) share(j *job, snapshot Snapshot) (list, refused []*replica) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.ForgetDB()
	if r.closed() {
		return nil, nil
	}
	j.made, j.offset, j.snapshot, r.delayed = true, r.log.Offset(), snapshot, false
	for _, p := range r.replicas {
		switch {
		case p.phase != waiting || p.filtered != j.filtered || j.sockets && !p.eof:
		case !p.carries(j):
			refused = append(refused, p)
		case r.prepare(p, j) == nil:
			list = append(list, p)
		}
	}
	j.ended = len(list) == 0
	return list, refused
}

// snapshot is the data set, or for j without keys an empty one.
func (r *Repl) snapshot(j *job, aux Aux) (Snapshot, error) {
	if j.filtered {
		return r.opt.Empty(aux)
	}
	return r.opt.Snapshot(aux)
}

// refuse tells those who wait that there is no snapshot.
func (r *Repl) refuse() {
	for _, p := range r.followers() {
		r.mu.Lock()
		waits := p.phase == waiting
		r.mu.Unlock()
		if waits {
			r.part(p)
			p.stream.end(errBgsave)
		}
	}
}

// toSockets writes the RDB to all replicas of the list at once. Its end is marked
// by 40 random bytes that were announced before it.
func (r *Repl) toSockets(j *job, list []*replica) error {
	r.opt.Slog.Info(fmt.Sprintf("Background RDB transfer started by pid %d", os.Getpid()))
	mark := r.opt.NewID()
	f := &fan{}
	for _, p := range list {
		rdb := newPipe(p.stream.ring)
		p.stream.insert(rdb)
		f.pipes = append(f.pipes, rdb)
	}
	_, err := io.WriteString(f, "$EOF:"+mark+"\r\n")
	if err == nil {
		err = j.snapshot.Save(f)
	} else {
		j.snapshot.Abort()
	}
	if err == nil {
		_, err = io.WriteString(f, mark)
	}
	if up := f.finish(); err == nil {
		r.opt.Slog.Info(fmt.Sprintf("Diskless rdb transfer, done reading from pipe, %d replicas still up.", up))
	}
	switch gone := r.end(j); {
	case err != nil && gone, errors.Is(err, errGone):
		r.opt.Slog.Warn("Diskless rdb transfer, last replica dropped, killing fork child.")
		return nil
	case err != nil:
		r.opt.Slog.Warn("Background transfer error")
		if errors.Is(err, keyspace.ErrBehind) { // and would be again: a disk is faster
			r.setToFile(true)
			r.opt.Slog.Warn("The replicas read more slowly than keys change here. The next synchronization goes by a file on disk, as with repl-diskless-sync no.")
		}
		r.fail(j)
		return err
	}
	r.opt.Slog.Info("Background RDB transfer terminated with success")
	for _, p := range list {
		r.opt.Slog.Info("Streamed RDB transfer with replica " + p.name() + " succeeded (socket). Waiting for REPLCONF ACK from replica to enable streaming")
		r.goOnline(p, true)
	}
	return nil
}

func (r *Repl) setToFile(on bool) {
	r.mu.Lock()
	r.toFile = on
	r.mu.Unlock()
}

// end says that j takes nobody any more. abandoned: it ended because nobody waits for it.
func (r *Repl) end(j *job) (abandoned bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j.ended = true
	return j.abandoned
}

// fail drops the replicas that j was for.
func (r *Repl) fail(j *job) {
	for _, p := range r.sharing(syncing) {
		r.drop(p, "SYNC failed. BGSAVE child returned an error")
	}
}

// sharing are the replicas in a phase.
func (r *Repl) sharing(in phase) []*replica {
	return slices.DeleteFunc(r.followers(), func(p *replica) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return p.phase != in
	})
}

// goOnline begins the stream of p, whose RDB is sent. Its end is easier to find if
// nothing follows it before the replica has said that it has loaded it.
func (r *Repl) goOnline(p *replica, onAck bool) {
	r.mu.Lock()
	there := slices.Contains(r.replicas, p)
	flows := !onAck || p.acked
	p.phase, p.ackMs, p.onAck = online, now(), !flows
	if p.rdbOnly {
		p.phase = transmitted
	}
	r.judge()
	r.mu.Unlock()
	switch {
	case !there:
	case p.rdbOnly:
		r.opt.Slog.Info("RDB transfer completed, rdb only replica (" + p.name() + ") should be disconnected asap")
		p.stream.end("")
	default:
		r.opt.Slog.Info("Synchronization with replica " + p.name() + " succeeded")
		if flows {
			p.stream.flow()
		}
	}
}

// fan writes to all pipes whose replica is there, as fast as the slowest.
type fan struct{ pipes []*pipe }

// Write implements io.Writer. The error is errGone once there is no replica.
func (f *fan) Write(b []byte) (int, error) {
	f.pipes = slices.DeleteFunc(f.pipes, func(p *pipe) bool {
		_, err := p.Write(b)
		return err != nil
	})
	if len(f.pipes) == 0 {
		return 0, errGone
	}
	return len(b), nil
}

// finish waits until the loops have taken everything, and tells how many replicas
// are still there.
func (f *fan) finish() (up int) {
	for _, p := range f.pipes {
		if p.finish() == nil {
			up++
		}
	}
	return up
}

// byFile writes the RDB to a file first, and then sends it to each replica at its
// own pace.
func (r *Repl) byFile(j *job) error {
	file, length, err := r.save(j)
	if r.end(j) && err != nil {
		r.opt.Slog.Info("The RDB for replicas is given up: they are gone")
		return nil
	}
	if err != nil {
		r.fail(j)
		return err
	}
	r.setToFile(false)
	var senders []func()
	r.mu.Lock()
	for _, p := range r.replicas {
		if p.phase == syncing {
			p.phase = copying
			senders = append(senders, func() { r.send(p, file, length) })
		}
	}
	r.mu.Unlock()
	left := make(chan struct{}, len(senders))
	for _, send := range senders {
		r.jobs.Go(func() { send(); left <- struct{}{} })
	}
	r.jobs.Go(func() {
		for range senders {
			<-left
		}
		file.Close()
	})
	return nil
}

// save writes the RDB of j to a file. It has no name, so that nothing stays behind,
// unless it becomes the node's own.
func (r *Repl) save(j *job) (file *os.File, length int64, err error) {
	file, err = os.CreateTemp(r.opt.Dir(), "temp-repl-*.rdb")
	if err != nil {
		j.snapshot.Abort()
		return nil, 0, err
	}
	name := file.Name()
	if !j.keeps {
		os.Remove(name)
	}
	w := bufio.NewWriterSize(file, 64<<10)
	if err = j.snapshot.Save(w); err == nil {
		err = w.Flush()
	}
	if err == nil {
		length, err = file.Seek(0, io.SeekCurrent)
	}
	if err == nil && j.keeps {
		if err = file.Sync(); err == nil {
			err = r.opt.Keep(j.snapshot, name)
		}
	}
	if err != nil {
		if j.keeps {
			os.Remove(name)
		}
		file.Close()
	}
	return file, length, err
}

// send sends the file to one replica.
func (r *Repl) send(p *replica, file *os.File, length int64) {
	rdb := newPipe(p.stream.ring)
	p.stream.insert(rdb)
	fmt.Fprintf(rdb, "$%d\r\n", length)
	n, err := io.CopyBuffer(struct{ io.Writer }{rdb}, io.NewSectionReader(file, 0, length), make([]byte, 64<<10))
	if err == nil && n < length {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = rdb.finish()
	}
	if errors.Is(err, errGone) {
		return
	}
	if err != nil {
		r.drop(p, "Read error sending DB to replica: "+err.Error())
		return
	}
	r.goOnline(p, false)
}
