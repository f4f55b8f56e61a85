package node

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/admin"
	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/persist"
	"github.com/skeindb/skein/internal/node/repl"
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
		Deny: func(on bool) {
			if on {
				n.gates.MisConf.Store(&denied)
			} else {
				n.gates.MisConf.Store(nil)
			}
		},
		Loading: func() (refusing, beside bool) { return n.gates.Loading.Load(), n.gates.AsyncLoading.Load() },
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

// dataSpecs are the data commands; FLUSHALL tells persist.
func (n *Node) dataSpecs(specs []*command.Spec) []*command.Spec {
	i := slices.IndexFunc(specs, func(s *command.Spec) bool { return s.Name == "flushall" })
	flush := specs[i].Write
	specs[i].Write = func(c *command.Call, tx *keyspace.WriteTx) {
		from := len(c.Out.Buf)
		flush(c, tx)
		if c.Out.Buf[from] != '-' {
			n.persist.Flushed()
		}
	}
	return specs
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
		n.slog.Warn("Fatal error loading the DB, check server logs. Exiting.")
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

// Finishing tells whether Finish is under way, or over without an error.
func (n *Node) Finishing() bool { return n.finishing.Load() }

// Forsake removes the unfinished file of a save, for a process that is about to end
// without waiting for anything.
func (n *Node) Forsake() { n.persist.Close() }

// Finish does what must be done before a node ends in peace: it saves the data set,
// if save points are configured or how says so. After it nobody changes or reads a
// key any more, and Stop is to follow. An error means that the node goes on, because
// the data could not be saved; with how.Force that does not matter.
func (n *Node) Finish(how admin.Shutdown) error { return n.begin(how, false) }

func (n *Node) begin(how admin.Shutdown, bySignal bool) error {
	if !n.finishing.CompareAndSwap(false, true) {
		return errFinishing
	}
	n.unwanted.Store(false)
	err := n.finish(how, bySignal)
	if err != nil {
		n.finishing.Store(false)
		n.slog.Warn("Errors trying to shut down the server. Check the logs for more information.")
	}
	return err
}

var errFinishing = errors.New("the node is shutting down already")

func (n *Node) finish(how admin.Shutdown, bySignal bool) error {
	if n.gates.Loading.Load() { // what was read so far must not replace the file
		how.Save, how.NoSave = false, true
	}
	for n.cron.paused.Load() && bySignal { // which redis looks at when its clock strikes
		if n.unwanted.Load() {
			n.slog.Warn("Shutdown manually aborted.")
			return persist.ErrAborted
		}
		time.Sleep(cronEvery)
	}
	n.slog.Info("User requested shutdown...")
	if points := len(config.Save.Get(n.cfg.Values())) > 0; !how.Save && (how.NoSave || !points) {
		return nil
	}
	n.slog.Info("Saving the final RDB snapshot before exiting.")
	_, err := n.persist.Final()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, persist.ErrAborted):
		n.slog.Warn("Shutdown manually aborted.")
		return err
	case how.Force:
		n.slog.Warn("Error trying to save the DB. Exit anyway.")
		return nil
	}
	n.slog.Warn("Error trying to save the DB, can't exit.")
	return err
}

// shutdown is SHUTDOWN: failed is called if the node lives on.
func (n *Node) shutdown(how admin.Shutdown, failed func()) {
	go func() {
		if err := n.Finish(how); err != nil {
			failed()
			return
		}
		n.Ask()
	}()
}

// abortShutdown ends a shutdown that is not over yet, and tells whether there was one.
func (n *Node) abortShutdown() bool {
	if !n.finishing.Load() {
		return false
	}
	n.unwanted.Store(true)
	n.persist.Abort()
	return true
}

// Signalled begins what a signal asks for: the end of the node, in the manner of
// shutdown-on-sigint or shutdown-on-sigterm. Asked is closed if it comes to that.
func (n *Node) Signalled(s os.Signal) {
	word, flags := "SIGTERM", config.ShutdownOnSigterm
	if s == syscall.SIGINT {
		word, flags = "SIGINT", config.ShutdownOnSigint
	}
	n.slog.Warn("Received " + word + " scheduling shutdown...")
	set := flags.Get(n.cfg.Values())
	how := admin.Shutdown{
		NoSave: slices.Contains(set, "nosave"),
		Save:   slices.Contains(set, "save"),
		Now:    slices.Contains(set, "now"),
		Force:  slices.Contains(set, "force"),
	}
	go func() {
		if n.begin(how, true) == nil {
			n.Ask()
		}
	}()
}
