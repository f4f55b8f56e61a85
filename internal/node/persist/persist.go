package persist

import (
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/base/vfs"
	"github.com/skeindb/skein/internal/store/keyspace"
)

var (
	// ErrBusy: another snapshot is being written, to the disk or to replicas.
	ErrBusy = errors.New("persist: another snapshot is being written")
	// ErrAborted: somebody has given the snapshot up.
	ErrAborted = errors.New("persist: the snapshot was given up")
	// ErrClosing: the node ends, and what was being loaded is of no use.
	ErrClosing = errors.New("persist: the node is stopping")
)

// Options are what a Persist is made with.
type Options struct {
	Keyspace *keyspace.Keyspace
	FS       vfs.FS // nil: that of the system
	Log      *slog.Logger
	Version  string // of redis, as files name it
	// Aux is where replication stands now; it is called under all stripes. Nil:
	// files tell nothing about it.
	Aux func() Aux
	// Deny is told when writes are to be refused from now on because they cannot be
	// saved (stop-writes-on-bgsave-error), and when no longer. It must not block.
	Deny func(bool)
	// Loading tells whether a data set is being loaded while clients are refused,
	// or beside the one they see.
	Loading func() (refusing, beside bool)
	// Streaming tells whether a snapshot is on its way to replicas, be it that it is written
	// already and waits for the slowest of them.
	Streaming func() bool
	// Libraries are those of functions. Nil: nobody can call any; a file's are kept as
	// they stand.
	Libraries Libraries
}

// Libraries are the libraries of functions of a node.
type Libraries interface {
	// Sources are the libraries as files have them. They do not change.
	Sources() [][]byte
	// Prepare makes libraries of what a file has. install, which is called under all
	// stripes, puts them in the place of those that are there.
	Prepare(sources [][]byte) (install func(), err error)
	// Merge makes them join those that are there, under all stripes. Without replace it is an
	// error if one is there already.
	Merge(sources [][]byte, replace bool) error
}

// kept are libraries that nobody can call.
type kept struct{ sources atomic.Pointer[[][]byte] }

// Sources implements Libraries.
func (k *kept) Sources() [][]byte {
	if p := k.sources.Load(); p != nil {
		return *p
	}
	return nil
}

// Merge implements Libraries.
func (k *kept) Merge(sources [][]byte, replace bool) error {
	all := append(slices.Clone(k.Sources()), sources...)
	k.sources.Store(&all)
	return nil
}

// Prepare implements Libraries.
func (k *kept) Prepare(sources [][]byte) (install func(), err error) {
	return func() { k.sources.Store(&sources) }, nil
}

// Aux is where the history of replication stood when a snapshot was taken. An empty
// ID tells nothing.
type Aux struct {
	ID       string // 40 hex digits
	Offset   int64  // of the last byte whose effect is in the snapshot
	StreamDB int    // database selected in the stream behind Offset
}

// SavePoint asks for a save when that many changes have been made and that many
// seconds have passed since the last one.
type SavePoint struct{ Seconds, Changes int64 }

// Tuning are the directives that may change while the node runs.
type Tuning struct {
	File        string      // dir and dbfilename, absolute
	Points      []SavePoint // save
	Plain       bool        // rdbcompression no
	NoChecksum  bool        // rdbchecksum no
	Incremental bool        // rdb-save-incremental-fsync
	StopWrites  bool        // stop-writes-on-bgsave-error
	// Microseconds per key, or, if negative, keys per microsecond: rdb-key-save-delay
	// and key-load-delay, by which tests make a save or a load last.
	SaveDelay, LoadDelay int
}

// Persist saves and loads the data set of one node. Its methods may be called from
// any goroutine.
type Persist struct {
	opt    Options
	tuning atomic.Pointer[Tuning]

	skipChecksums atomic.Bool               // DEBUG SET-SKIP-CHECKSUM-VALIDATION
	load          atomic.Pointer[loadState] // what is being loaded
	closing       atomic.Bool
	stop          chan struct{} // closed with closing
	savers        sync.WaitGroup

	mu      sync.Mutex    // a leaf; it guards what follows
	current *Snapshot     // being written, or about to be
	saving  bool          // it is for the disk
	began   time.Time     // when that save began
	saved   chan struct{} // closed when that save is over
	wanted  bool          // BGSAVE SCHEDULE waits for its turn
	now     bool          // what waits was asked for by FLUSHALL and does not wait for a better time
	status  status
}

// status is what became of earlier saves.
type status struct {
	ok       bool
	denied   bool  // what Deny was told last
	lastSave int64 // Unix seconds of the last success, or of the start
	lastTry  int64 // Unix seconds
	lastTook int64 // seconds; -1: none yet
	base     int64 // Keyspace.Stats().Changes as of the last success
	saves    int64
	copied   int64 // bytes that the last save's cut has copied
	expired  int64 // keys past their deadline that the last load left out
	loaded   int64
}

// retryAfter is how long, in seconds, a failed save is not tried again by itself.
const retryAfter = 5

// New returns a Persist that has saved nothing yet.
func New(o Options) *Persist {
	if o.FS == nil {
		o.FS = vfs.OS{}
	}
	if o.Aux == nil {
		o.Aux = func() Aux { return Aux{} }
	}
	if o.Deny == nil {
		o.Deny = func(bool) {}
	}
	if o.Streaming == nil {
		o.Streaming = func() bool { return false }
	}
	if o.Loading == nil {
		o.Loading = func() (bool, bool) { return false, false }
	}
	if o.Libraries == nil {
		o.Libraries = new(kept)
	}
	p := &Persist{opt: o, stop: make(chan struct{})}
	p.status = status{ok: true, lastSave: time.Now().Unix(), lastTook: -1}
	p.tuning.Store(&Tuning{})
	return p
}

// Tune replaces the directives.
func (p *Persist) Tune(t Tuning) {
	p.tuning.Store(&t)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.judge()
}

// judge tells Deny what has changed. mu is held.
func (p *Persist) judge() {
	t := p.tuning.Load()
	deny := t.StopWrites && len(t.Points) > 0 && !p.status.ok
	if deny != p.status.denied {
		p.status.denied = deny
		p.opt.Deny(deny)
	}
}

// SkipChecksums makes loading believe every checksum, or not any more.
func (p *Persist) SkipChecksums(on bool) { p.skipChecksums.Store(on) }

// Close gives up what is being saved or loaded, and waits for its end.
func (p *Persist) Close() {
	if !p.closing.Swap(true) {
		close(p.stop)
	}
	p.Abort()
	p.savers.Wait()
}

// Abort gives up the snapshot that is being written, whoever it is for, and what
// waits to be saved.
func (p *Persist) Abort() {
	p.mu.Lock()
	s := p.current
	p.wanted, p.now = false, false
	p.mu.Unlock()
	if s != nil {
		s.Abort()
	}
}

// sleep makes a key last as long as the directive says. It ends early when stop does.
func sleep(delay int, n int64, stop <-chan struct{}) {
	switch {
	case delay > 0:
	case delay < 0 && n%int64(-delay) == 0:
		delay = 1
	default:
		return
	}
	t := time.NewTimer(time.Duration(delay) * time.Microsecond)
	defer t.Stop()
	select {
	case <-t.C:
	case <-stop:
	}
}

// everything is a hold of all stripes, not acquired yet.
func (p *Persist) everything() *keyspace.Hold {
	h := new(keyspace.Hold)
	h.Reset(p.opt.Keyspace)
	h.AddAll()
	return h
}

// acquire acquires h, however long the owners of stripes keep them. It returns false
// if the node ends meanwhile.
func (p *Persist) acquire(h *keyspace.Hold) bool {
	for again := make(waker, 1); !p.opt.Keyspace.Acquire(h, again); {
		select {
		case <-again:
		case <-p.stop:
			return false
		}
	}
	return true
}

// waker is a keyspace.Waker that somebody waits for.
type waker chan struct{}

// Wake implements keyspace.Waker.
func (w waker) Wake() {
	select {
	case w <- struct{}{}:
	default:
	}
}

// nobody is a keyspace.Waker of who will come again anyway.
type nobody struct{}

// Wake implements keyspace.Waker.
func (nobody) Wake() {}
