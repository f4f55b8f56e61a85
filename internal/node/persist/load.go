package persist

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/store/rdb"
)

// Dataset is a data set that was loaded and stands beside the live one. Either
// Install or Discard ends it.
type Dataset struct {
	p         *Persist
	builder   *keyspace.Builder
	aux       Aux
	functions [][]byte
	libraries func() // installs the functions
	loaded    int64
	expired   int64
}

// Aux is where replication stood when the data set was saved; it has no ID if
// nothing is known about that.
func (d *Dataset) Aux() Aux { return d.aux }

// Install replaces the live data set. The caller holds all stripes. It counts as no
// change that would have to be saved.
func (d *Dataset) Install() {
	p := d.p
	before := p.opt.Keyspace.Stats().Changes
	d.builder.Install()
	p.unchanged(before)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.loaded, p.status.expired = d.loaded, d.expired
	d.libraries()
}

// Discard lets go of the data set.
func (d *Dataset) Discard() { d.builder.Discard() }

// Load reads an RDB up to its checksum. A *bufio.Reader keeps what follows. Keys
// past their deadline are loaded: their master will say when they go. The error
// names the offset; then nothing has changed.
func (p *Persist) Load(r io.Reader) (*Dataset, error) { return p.read(r, 0, nil) }

// Start are what the load of a node's start tells while it goes on.
type Start struct {
	// Began is called once, before the first key, if the file tells where replication stood.
	Began func(Aux)
	// Expired, if not nil, says that the node is a master: keys past their deadline are
	// left out, and told here, so that replicas that come back learn of it.
	Expired func(db int, key []byte)
}

// LoadFile reads the file. It returns nil if there is none.
func (p *Persist) LoadFile(s Start) (*Dataset, error) {
	t := p.tuning.Load()
	f, err := p.opt.FS.OpenFile(t.File, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		p.opt.Log.Warn(fmt.Sprintf("Fatal error: can't open the RDB file %s for reading: %s", t.File, reason(err)))
		return nil, fmt.Errorf("opening %s: %w", t.File, err)
	}
	defer f.Close()
	var size int64
	if info, err := f.Stat(); err == nil {
		size = info.Size()
	}
	d, err := p.read(f, size, &s)
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", t.File, err)
	}
	return d, nil
}

// read reads size bytes, or an unknown number of them if that is 0. start is nil
// unless the node starts.
func (p *Persist) read(r io.Reader, size int64, start *Start) (*Dataset, error) {
	d := &Dataset{p: p, builder: p.opt.Keyspace.NewBuilder()}
	l := &loader{p: p, d: d, put: d.builder.Put, delay: p.tuning.Load().LoadDelay, nowMs: time.Now().UnixMilli(), start: start}
	state := &loadState{began: time.Now(), total: size}
	p.load.Store(state)
	defer p.load.CompareAndSwap(state, nil)
	err := l.read(r, state)
	if err == nil {
		if d.libraries, err = p.opt.Libraries.Prepare(d.functions); err != nil {
			p.opt.Log.Warn(fmt.Sprintf("Failed loading library, %s", err))
		}
	}
	if err != nil {
		d.Discard()
		return nil, err
	}
	skipped := ""
	if l.empty > 0 {
		skipped = fmt.Sprintf(", empty keys skipped: %d", l.empty)
	}
	p.opt.Log.Info(fmt.Sprintf("Done loading RDB, keys loaded: %d, keys expired: %d%s.", d.loaded, d.expired, skipped))
	return d, nil
}

// loadState is how far a load is, for INFO.
type loadState struct {
	began time.Time
	total int64        // bytes, 0: unknown
	used  atomic.Int64 // memory that the data set took where it was saved
	read  atomic.Int64 // bytes
}

// loader takes what a file holds.
type loader struct {
	p     *Persist
	d     *Dataset
	put   func(*keyspace.Item) error
	item  keyspace.Item
	delay int
	nowMs int64
	start *Start
	state *loadState
	known [3]bool // of the three facts about replication
	keys  int64
	empty int64 // keys without a value, which are left out
	told  bool  // Began was
}

func (l *loader) read(r io.Reader, state *loadState) error {
	l.state = state
	p := l.p
	lim := p.opt.Keyspace.Tuned().Limits
	o := rdb.ReadOptions{NoChecksum: p.tuning.Load().NoChecksum || p.skipChecksums.Load(),
		Limits: rdb.Limits{List: lim.List, Set: lim.Set, ZSet: lim.ZSet, Hash: lim.Hash}, Empty: l.skip}
	counted, ok := r.(*bufio.Reader)
	if !ok {
		counted = bufio.NewReaderSize(&progress{p, r, state}, readBytes)
	}
	sum, err := rdb.Read(counted, o, l)
	if err != nil {
		p.complain(err, sum.Bytes)
		return err
	}
	l.begin()
	if !sum.Checked && !o.NoChecksum && sum.Version >= 5 {
		p.opt.Log.Info("RDB file was saved with checksum disabled: no check performed.")
	}
	if !l.known[0] || !l.known[1] || !l.known[2] {
		l.d.aux = Aux{}
	}
	return nil
}

const readBytes = 256 << 10

// progress counts what is read, and ends it when the node does.
type progress struct {
	p     *Persist
	in    io.Reader
	state *loadState
}

// Read implements io.Reader.
func (r *progress) Read(b []byte) (int, error) {
	if r.p.closing.Load() {
		return 0, ErrClosing
	}
	n, err := r.in.Read(b)
	r.state.read.Add(int64(n))
	return n, err
}

// complain says in redis's words, and in ours, why a data set cannot be loaded.
func (p *Persist) complain(err error, offset int64) {
	log := p.opt.Log
	switch {
	case errors.Is(err, ErrClosing):
		return
	case errors.Is(err, rdb.ErrSignature):
		log.Warn("Wrong signature trying to load DB from file")
	case errors.Is(err, rdb.ErrVersion):
		log.Warn("Can't handle RDB format version")
	case errors.Is(err, rdb.ErrChecksum):
		log.Warn("Wrong RDB checksum: RDB CRC error")
	case errors.Is(err, rdb.ErrShort):
		log.Warn("Short read or OOM loading DB. Unrecoverable error, aborting now.")
	case errors.Is(err, keyspace.ErrNoDatabase):
		log.Warn(fmt.Sprintf("FATAL: Data file was created with a Redis server configured to handle more than %d databases.", p.opt.Keyspace.Databases()))
	}
	log.Warn(fmt.Sprintf("Internal error in RDB reading offset %d: %s", offset, err))
}

// Aux implements rdb.Handler.
func (l *loader) Aux(name, value []byte) error {
	log, text := l.p.opt.Log, string(value)
	number, _ := strconv.ParseInt(text, 10, 64)
	switch string(name) {
	case auxVersion:
		log.Info("Loading RDB produced by version " + text)
	case auxTime:
		log.Info(fmt.Sprintf("RDB age %d seconds", max(time.Now().Unix()-number, 0)))
	case auxMemory:
		l.state.used.Store(number)
		log.Info(fmt.Sprintf("RDB memory usage when created %.2f Mb", float64(number)/(1<<20)))
	case auxStreamDB:
		l.d.aux.StreamDB, l.known[0] = int(number), number >= 0
	case auxID:
		l.d.aux.ID, l.known[1] = text, len(text) == idBytes
	case auxOffset:
		l.d.aux.Offset, l.known[2] = number, number >= 0
	default:
		if len(name) > 0 && name[0] == '%' {
			log.Info(fmt.Sprintf("RDB '%s': %s", name, value))
		}
	}
	return nil
}

// idBytes is the length of a replication id.
const idBytes = 40

// Function implements rdb.Handler.
func (l *loader) Function(code []byte) error {
	l.d.functions = append(l.d.functions, append([]byte(nil), code...))
	return nil
}

// Key implements rdb.Handler.
func (l *loader) Key(k *rdb.Key) error {
	l.begin()
	l.keys++
	if l.delay != 0 {
		sleep(l.delay, l.keys, l.p.stop)
		if l.p.closing.Load() {
			return ErrClosing
		}
	}
	if l.start != nil && l.start.Expired != nil && k.ExpiryMs != rdb.NoExpiry && k.ExpiryMs < l.nowMs {
		l.d.expired++
		l.start.Expired(k.DB, k.Name)
		return nil
	}
	l.item = keyspace.Item{DB: k.DB, Key: k.Name, Bytes: k.Str, Object: k.Object, ExpiryMs: k.ExpiryMs,
		IdleSec: max(k.IdleSec, 0), Freq: uint8(max(k.Freq, 0))}
	if err := l.put(&l.item); err != nil {
		return err
	}
	l.d.loaded++
	return nil
}

// maxEmptyTold is how many keys without a value the log names.
const maxEmptyTold = 10

// skip leaves a key out whose collection is empty.
func (l *loader) skip(name []byte) {
	if l.empty++; l.empty <= maxEmptyTold {
		l.p.opt.Log.Info(fmt.Sprintf("rdbLoadObject skipping empty key: %s", name))
	}
}

// begin tells, before the first key or at the end, where replication stood.
func (l *loader) begin() {
	if l.told || l.start == nil {
		return
	}
	l.told = true
	if l.start.Began != nil && l.known[0] && l.known[1] && l.known[2] {
		l.start.Began(l.d.aux)
	}
}
