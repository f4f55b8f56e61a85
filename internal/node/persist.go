package node

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/persist"
	"github.com/skeindb/skein/internal/node/repl"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/store/oplog"
)

// persistOptions connects saving and loading with the other rooms.
func (n *Node) persistOptions() persist.Options {
	denied := errMisConf
	return persist.Options{
		Keyspace: n.keyspace,
		Log:      n.slog,
		Version:  config.RedisVersion,
		Aux:      func() persist.Aux { return persist.Aux(n.repl.Aux()) },
		Deny: func(on bool) {
			if on {
				n.gates.MisConf.Store(&denied)
			} else {
				n.gates.MisConf.Store(nil)
			}
		},
		Streaming: func() bool { return n.repl.Streaming() },
		Loading:   func() (refusing, beside bool) { return n.gates.Loading.Load(), n.gates.AsyncLoading.Load() },
		Libraries: libraries{n},
	}
}

const errMisConf = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. " +
	"Commands that may modify the data set are disabled, because this instance is configured to report errors during writes " +
	"if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error."

func (n *Node) tunePersist(v *config.Values) {
	t := persist.Tuning{
		File:        v.Path(config.DBFilename),
		Plain:       !config.RDBCompression.Get(v),
		NoChecksum:  !config.RDBChecksum.Get(v),
		Incremental: config.RDBSaveIncrementalFsync.Get(v),
		StopWrites:  config.StopWritesOnBgsaveError.Get(v),
		SaveDelay:   config.RDBKeySaveDelay.Get(v),
		LoadDelay:   config.KeyLoadDelay.Get(v),
	}
	for _, p := range config.Save.Get(v) {
		t.Points = append(t.Points, persist.SavePoint(p))
	}
	n.persist.Tune(t)
}

// persistDirectives are those that tunePersist reads.
func persistDirectives() []config.Handle {
	return []config.Handle{config.Dir, config.DBFilename, config.RDBCompression, config.RDBChecksum, config.RDBSaveIncrementalFsync,
		config.StopWritesOnBgsaveError, config.RDBKeySaveDelay, config.KeyLoadDelay, config.Save}
}

// dataSpecs are the data commands. FLUSHALL tells persist, and is answered when the
// file is empty too, if there is to be one.
func (n *Node) dataSpecs(specs []*command.Spec) []*command.Spec {
	i := slices.IndexFunc(specs, func(s *command.Spec) bool { return s.Name == "flushall" })
	flush := specs[i].Write
	specs[i].Write = func(c *command.Call, tx *keyspace.WriteTx) {
		from := len(c.Out.Buf)
		flush(c, tx)
		if c.Out.Buf[from] != '-' {
			n.repl.Flushed()
			n.flushed(c, from)
		}
	}
	return specs
}

// flushed lets the reply of FLUSHALL, which begins at from, wait for the disk.
func (n *Node) flushed(c *command.Call, from int) {
	answer := func() {}
	s, ok := c.Client.(*session.Session)
	waits := ok && !s.Is(session.Master) && !s.InMulti() && len(config.Save.Get(n.cfg.Values())) > 0
	if waits {
		resume, _ := c.Client.Park()
		reply := slices.Clone(c.Out.Buf[from:])
		c.Out.Buf = c.Out.Buf[:from]
		answer = func() { resume(reply) }
	}
	if !n.persist.Flushed(answer) {
		answer()
	}
}

// load brings the saved data set back. Clients get -LOADING until it is there.
func (n *Node) load() error {
	defer n.gates.Loading.Store(false)
	began := time.Now()
	s := persist.Start{Began: func(a persist.Aux) { n.repl.Restore(repl.Aux(a)) }}
	if !n.keyspace.Replica.Load() {
		s.Expired = func(db int, key []byte) {
			n.oplog.Append([]oplog.Effect{{DB: db, Argv: resp.AppendCommandBytes(nil, []byte("DEL"), key)}}, false)
		}
	}
	d, err := n.persist.LoadFile(s)
	switch {
	case errors.Is(err, persist.ErrClosing):
		return err
	case err != nil:
		n.slog.Warn("Fatal error loading the DB, check server logs. Exiting: " + err.Error())
		n.slog.Warn("Terminating server after rdb file reading failure.")
		return err
	case d == nil:
		return nil
	}
	var h keyspace.Hold
	n.keyspace.AcquireAll(&h)
	d.Install()
	n.keyspace.Release(&h)
	n.slog.Info(fmt.Sprintf("DB loaded from disk: %.3f seconds", time.Since(began).Seconds()))
	return nil
}
