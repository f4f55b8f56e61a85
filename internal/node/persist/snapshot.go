package persist

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/store/rdb"
)

// Snapshot is the data set of one instant, to be written by one goroutine. Either
// Save or Abort ends it.
type Snapshot struct {
	p         *Persist
	cut       *keyspace.Cut
	aux       Aux
	functions [][]byte
	used      int64 // memory of the data set
	changes   int64 // ever made up to the cut
	policy    keyspace.Policy
	opt       rdb.WriterOptions
	delay     int

	stop    chan struct{} // closed by Abort
	aborted sync.Once
}

// Snapshot takes a snapshot that says that replication stood at aux. The caller
// holds all stripes. The error is ErrBusy or ErrClosing.
func (p *Persist) Snapshot(aux Aux) (*Snapshot, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cut(aux)
}

// cut is Snapshot with mu held.
func (p *Persist) cut(aux Aux) (*Snapshot, error) {
	if p.closing.Load() {
		return nil, ErrClosing
	}
	if p.current != nil || p.saving {
		return nil, ErrBusy
	}
	c, err := p.opt.Keyspace.Cut()
	if errors.Is(err, keyspace.ErrCutting) {
		return nil, ErrBusy
	}
	if err != nil {
		return nil, err
	}
	t := p.tuning.Load()
	p.current = &Snapshot{p: p, cut: c, aux: aux, functions: p.opt.Libraries.Sources(),
		used: p.opt.Keyspace.Used(), changes: p.opt.Keyspace.Stats().Changes,
		policy: p.opt.Keyspace.Tuned().Policy,
		opt:    rdb.WriterOptions{Plain: t.Plain, NoChecksum: t.NoChecksum, FieldExpiry: c.VolatileFields()}, delay: t.SaveDelay,
		stop: make(chan struct{})}
	return p.current, nil
}

// Save writes the snapshot as an RDB file. The error is that of w, or ErrAborted.
func (s *Snapshot) Save(w io.Writer) error {
	defer s.over()
	out := rdb.NewWriter(w, s.opt)
	if s.opt.FieldExpiry {
		s.p.opt.Log.Warn(fmt.Sprintf("There are hashes whose fields have deadlines: the RDB is of version %d, which redis before 7.4 refuses", rdb.VersionFieldExpiry))
	}
	if err := s.head(out); err != nil {
		s.cut.Abort()
		return err
	}
	err := s.cut.Walk(&sink{s: s, out: out, seen: map[int]bool{}})
	if errors.Is(err, keyspace.ErrAborted) {
		return ErrAborted
	}
	if err != nil {
		return err
	}
	return out.End()
}

// Abort gives the snapshot up. It waits for nothing.
func (s *Snapshot) Abort() {
	s.aborted.Do(func() {
		s.cut.Abort()
		close(s.stop)
	})
	s.over()
}

// over makes room for another snapshot.
func (s *Snapshot) over() {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if s.p.current == s {
		s.p.current = nil
	}
}

// head writes what stands before the keys.
func (s *Snapshot) head(out *rdb.Writer) error {
	out.Aux(auxVersion, s.p.opt.Version)
	out.Aux("redis-bits", strconv.Itoa(strconv.IntSize))
	out.Aux(auxTime, strconv.FormatInt(time.Now().Unix(), 10))
	out.Aux(auxMemory, strconv.FormatInt(s.used, 10))
	if s.aux.ID != "" {
		out.Aux(auxStreamDB, strconv.Itoa(s.aux.StreamDB))
		out.Aux(auxID, s.aux.ID)
		out.Aux(auxOffset, strconv.FormatInt(s.aux.Offset, 10))
	}
	err := out.Aux("aof-base", "0")
	for _, code := range s.functions {
		err = out.Function(code)
	}
	return err
}

// The names of facts that loading reads too.
const (
	auxVersion  = "redis-ver"
	auxTime     = "ctime"
	auxMemory   = "used-mem"
	auxStreamDB = "repl-stream-db"
	auxID       = "repl-id"
	auxOffset   = "repl-offset"
)

// NoKeys is a snapshot of everything but the keys.
func (p *Persist) NoKeys() *NoKeys { return &NoKeys{p} }

// NoKeys is an RDB with the libraries of functions only.
type NoKeys struct{ p *Persist }

// Save writes the RDB.
func (n *NoKeys) Save(w io.Writer) error {
	t := n.p.tuning.Load()
	s := Snapshot{p: n.p, functions: n.p.opt.Libraries.Sources(), used: n.p.opt.Keyspace.Used()}
	out := rdb.NewWriter(w, rdb.WriterOptions{Plain: t.Plain, NoChecksum: t.NoChecksum})
	if err := s.head(out); err != nil {
		return err
	}
	return out.End()
}

// Abort does nothing: Save is over soon.
func (n *NoKeys) Abort() {}

// sink writes the keys of a cut.
type sink struct {
	s    *Snapshot
	out  *rdb.Writer
	seen map[int]bool // databases whose sizes are written
	keys int64
	key  rdb.Key

	named bool // the log has the name of a hash that older nodes cannot read
}

// Database implements keyspace.Sink.
func (k *sink) Database(db int, keys, volatile int64) error {
	err := k.out.Database(db)
	if !k.seen[db] {
		k.seen[db] = true
		err = k.out.Sizes(keys, volatile)
	}
	return err
}

// Put implements keyspace.Sink.
func (k *sink) Put(it *keyspace.Item) error {
	k.keys++
	k.key = rdb.Key{Name: it.Key, Value: rdb.Value{Str: it.Bytes, Object: it.Object}, ExpiryMs: it.ExpiryMs, IdleSec: rdb.Unknown, Freq: rdb.Unknown}
	switch k.s.policy {
	case keyspace.AllKeysLFU, keyspace.VolatileLFU:
		k.key.Freq = int(it.Freq)
	case keyspace.AllKeysLRU, keyspace.VolatileLRU:
		k.key.IdleSec = it.IdleSec
	}
	if k.s.delay != 0 {
		sleep(k.s.delay, k.keys, k.s.stop)
	}
	k.warn(it)
	return k.out.Key(&k.key)
}

// warn names the first hash that keeps a peer of an older version from reading the file:
// it gives a reason only that does not tell.
func (k *sink) warn(it *keyspace.Item) {
	if k.named || !k.s.opt.FieldExpiry {
		return
	}
	if h, ok := it.Object.(*hash.Hash); ok && h.Volatile() > 0 {
		k.named = true
		k.s.p.opt.Log.Warn(fmt.Sprintf("Key '%.100s' is a hash with field expiration: a replica before redis 7.4 will refuse this RDB", it.Key))
	}
}
