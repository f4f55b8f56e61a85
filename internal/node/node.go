package node

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/command/builtin"
	"github.com/skeindb/skein/internal/command/pubsub"
	"github.com/skeindb/skein/internal/command/script"
	"github.com/skeindb/skein/internal/command/tracking"
	"github.com/skeindb/skein/internal/node/admin"
	"github.com/skeindb/skein/internal/node/clients"
	"github.com/skeindb/skein/internal/node/clusterd"
	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/migrate"
	"github.com/skeindb/skein/internal/node/netloop"
	"github.com/skeindb/skein/internal/node/observe"
	"github.com/skeindb/skein/internal/node/persist"
	"github.com/skeindb/skein/internal/node/repl"
	"github.com/skeindb/skein/internal/node/secure"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/store/oplog"
)

// Options are what a node is made with.
type Options struct {
	Config *config.Config
	// Loops is the number of event loops; 0 means one per core.
	Loops int
	// Log receives the log lines instead of the configured file or standard output.
	Log *Log
	// Supervised is the kind of program that watches over the process, as INFO
	// names it: "systemd", "upstart", "no"; "" is "no".
	Supervised string
}

// Node is one running server.
type Node struct {
	cfg   *config.Config
	log   *Log
	slog  *slog.Logger
	table *command.Table

	keyspace     *keyspace.Keyspace
	accounts     *acl.Accounts
	hub          *pubsub.Hub
	tracking     *tracking.Hub
	engine       *exec.Engine
	scripts      *script.Engine
	functions    *script.Functions
	gates        exec.Gates
	view         atomic.Pointer[topology.View]
	monitor      atomic.Pointer[exec.MonitorFunc]
	clients      *clients.Registry
	observer     *observe.Observer
	admin        *admin.Admin
	cluster      *clusterd.Driver // nil standalone
	migrator     *migrate.Migrator
	persist      *persist.Persist
	oplog        *oplog.Log
	repl         *repl.Repl
	world        keyspace.WriteTx // for whoever holds all stripes
	failure      atomic.Pointer[error]
	linkBytes    atomic.Int64 // of the cluster bus, as the cron saw it last
	kept         int64        // what the new master has of our log, for who holds all stripes; -1: unknown
	syncReplicas atomic.Int32 // repl-sync-replicas
	plainBytes   atomic.Int64 // from which size on an element of a list stands alone; 0: the default
	logBytes     atomic.Int64 // of the log, the same: what counts against maxmemory
	oom          oomScore
	ending       ending
	secure       atomic.Pointer[secure.Context] // nil while nothing goes by TLS

	loops      []*netloop.Loop
	listeners  listeners
	cron       cron
	started    time.Time
	stopOnce   sync.Once
	closeOnce  sync.Once
	asked      chan struct{} // closed when somebody asked the node to end
	supervised string
	runID      string // 40 hex digits, new at each start
}

// New makes a node. It opens no socket yet.
func New(o Options) (*Node, error) {
	n := &Node{cfg: o.Config, kept: -1, log: o.Log, supervised: cmp.Or(o.Supervised, "no"), started: time.Now(), asked: make(chan struct{}),
		runID: nodeid.Random(randomSource()).String()}
	if n.log == nil {
		var err error
		if n.log, err = OpenLog(o.Config.Values()); err != nil {
			return nil, err
		}
	}
	n.slog = slog.New(n.log)
	loops := cmp.Or(o.Loops, runtime.NumCPU())
	if err := n.furnish(loops); err != nil {
		return nil, err
	}
	if err := n.makeLoops(loops); err != nil {
		return nil, err
	}
	n.tune(n.cfg.Values())
	n.watchConfig()
	if err := n.loadUsers(); err != nil {
		n.keyspace.Close()
		return nil, err
	}
	n.watchCluster()
	return n, nil
}

// furnish makes the rooms of a node of so many loops, and the table of their commands.
func (n *Node) furnish(loops int) (err error) {
	v := n.cfg.Values()
	databases := config.Databases.Get(v)
	if config.ClusterEnabled.Get(v) {
		databases = 1
	}
	n.observer = observe.New()
	n.observer.Loops = n.work
	n.accounts = acl.New(n.accountOptions())
	n.hub = pubsub.New(n.pubsubOptions())
	n.tracking = tracking.New(tracking.Options{
		Find:         func(id uint64) tracking.Client { return n.clients.FindTold(id) },
		Broadcasting: func(on bool) { n.keyspace.Broadcasting.Store(on) },
	})
	n.oplog = oplog.New(oplog.Options{})
	n.keyspace, err = keyspace.New(keyspace.Options{
		Databases: databases,
		Log:       n.oplog,
		Listener:  pubsub.NewNotifier(n.hub),
		Tracker:   n.tracking,
		Cluster:   config.ClusterEnabled.Get(v),
		Refused: func(why error) {
			n.slog.Log(context.Background(), LevelVerbose, fmt.Sprintf("Internal error in RDB reading: %s", why))
		},
	})
	if err != nil {
		return fmt.Errorf("reserving memory for keys: %w", err)
	}
	n.persist = persist.New(n.persistOptions())
	n.engine = exec.New(exec.Options{
		Keyspace: n.keyspace,
		View:     &n.view,
		Gates:    &n.gates,
		Beside:   n.beside,
		LogEnd:   n.oplog.Offset,
		Recorder: n.afterBatch,
		Lasting:  runtime.GOMAXPROCS(0) - loops,
		Monitor:  &n.monitor,
		Stray:    n.stray,
		Nobody:   n.accounts.Nobody,
		Denied:   n.accounts.Denied,
		Slow:     n.observer.Slow,
		Attacked: n.attacked(),
		Replicas: func() int { return n.repl.Replicas() },
		Note:     n.note,
	})
	n.scripts = script.New(n.scriptOptions())
	n.functions = script.NewFunctions(n.scripts)
	n.clients = clients.New(n.clientOptions(databases))
	n.makeRepl()
	if err := n.makeCluster(); err != nil {
		return err
	}
	n.migrator = migrate.New(migrate.Options{Keyspace: n.keyspace, Dial: n.dialMigration})
	n.admin = admin.New(n.adminOptions())
	return n.makeTable()
}

// afterBatch makes what a loop does after each batch of commands.
func (n *Node) afterBatch() func([]session.Record) {
	record := n.observer.Recorder()
	if n.cluster == nil {
		return record
	}
	return func(batch []session.Record) {
		record(batch)
		n.cluster.Send()
	}
}

func (n *Node) pubsubOptions() pubsub.Options {
	if !config.ClusterEnabled.Get(n.cfg.Values()) {
		return pubsub.Options{Replicate: n.publish}
	}
	return pubsub.Options{Bus: func(channel, message []byte, shard bool) { n.cluster.Publish(channel, message, shard) }}
}

func (n *Node) clientOptions(databases int) clients.Options {
	feed := exec.MonitorFunc(func(s *session.Session, db int, spec *command.Spec, args [][]byte) { n.clients.Feed(s, db, spec, args) })
	return clients.Options{
		Accounts:  n.accounts,
		Hub:       n.hub,
		Tracking:  n.tracking,
		Log:       n.slog,
		Databases: databases,
		Cluster:   config.ClusterEnabled.Get(n.cfg.Values()),
		Role:      n.Role,
		ClusterConns: func() int {
			if n.cluster == nil {
				return 0
			}
			return n.cluster.Links()
		},
		Pause: func(all bool, untilMs int64) {
			mode := exec.PauseWrite
			if all {
				mode = exec.PauseAll
			}
			n.engine.Pause(exec.ByClient, mode, untilMs) // the command holds all stripes
		},
		Unpause: func() { n.engine.Unpause(exec.ByClient) },
		Unblock: func(s *session.Session, byError bool) bool {
			return n.engine.Unblock(s, byError) || n.repl.Unblock(s, byError)
		},
		Waits: func() (keys, gone, limited int) {
			keys, gone = n.keyspace.Awaited()
			return keys, gone, n.engine.Waits()
		},
		Monitoring: func(on bool) {
			if on {
				n.monitor.Store(&feed)
			} else {
				n.monitor.Store(nil)
			}
		},
	}
}

// Role is what the node is now, as HELLO says it: "master" or "replica".
func (n *Node) Role() string {
	if n.keyspace.Replica.Load() {
		return "replica"
	}
	return "master"
}

func (n *Node) makeTable() (err error) {
	n.table, err = command.NewTable(
		n.dataSpecs(builtin.Specs()),
		command.Specs(func() *command.Table { return n.table }),
		n.engine.Specs(),
		n.scripts.Specs(),
		n.functions.Specs(),
		n.hub.Specs(),
		n.accounts.Specs(),
		n.clients.Specs(),
		n.observer.Specs(),
		n.admin.Specs(),
		clusterd.Specs(n.cluster),
		n.migrator.Specs(),
		n.persist.Specs(),
		n.repl.Specs(),
	)
	if err != nil {
		return err
	}
	for _, r := range n.cfg.Renames() {
		if err := n.table.Rename(r.From, r.To); err != nil {
			return err
		}
	}
	n.observer.Use(n.table)
	n.engine.Use(n.table)
	return n.accounts.Use(n.table)
}

func (n *Node) makeLoops(count int) error {
	o := n.loopOptions()
	for range count {
		l, err := netloop.New(o)
		if err != nil {
			return fmt.Errorf("making an event loop: %w", err)
		}
		n.loops = append(n.loops, l)
	}
	return nil
}

// Start opens the sockets, loads the saved data and serves. After an error the node
// is of no further use.
func (n *Node) Start() error {
	n.greet()
	if err := n.open(); err != nil {
		n.close()
		n.log.Close()
		return err
	}
	n.cron.start(n)
	n.ready()
	n.tuneOOMScore(n.cfg.Values()) // what fails is in the log
	return nil
}

func (n *Node) runLoops() {
	for _, l := range n.loops {
		go l.Run()
	}
}

func (n *Node) open() error {
	if err := n.fitMaxClients(); err != nil {
		return err
	}
	n.tuneClients(n.cfg.Values())
	n.gates.Loading.Store(true)
	n.engine.Tick(time.Now().UnixMilli()) // who is served before the load has ended has waited for it
	late := time.AfterFunc(exec.LoadPatience, n.runLoops)
	if err := n.loadTLS(n.cfg.Values()); err != nil {
		n.slog.Warn("Failed to configure TLS. Check logs for more info.")
		return err
	}
	err := n.listenAll()
	if err == nil {
		n.slog.Info("Server initialized")
		err = n.load()
	}
	if late.Stop() {
		n.runLoops()
	}
	if err != nil {
		return err
	}
	n.repl.Begin()
	if n.cluster == nil {
		return nil
	}
	if err = n.cluster.Start(); err != nil {
		n.slog.Warn("Failed listening on the cluster bus port, aborting: " + err.Error())
	}
	return err
}

// Logger writes to the node's log.
func (n *Node) Logger() *slog.Logger { return n.slog }

// Asked is closed when a client asked the node to end (SHUTDOWN).
func (n *Node) Asked() <-chan struct{} { return n.asked }

// Ask makes Asked be closed.
func (n *Node) Ask() { n.stopOnce.Do(func() { close(n.asked) }) }

// fail makes the node end because of err.
func (n *Node) fail(err error) {
	n.failure.CompareAndSwap(nil, &err)
	n.Ask()
}

// Failure is why the node asked to end, nil if nothing went wrong.
func (n *Node) Failure() error {
	if err := n.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Stop closes sockets and connections and gives the memory back. It waits. Nothing
// is saved: that is for Finish, before it. To stop twice does no harm.
func (n *Node) Stop() {
	n.closeOnce.Do(func() {
		n.close()
		n.slog.Warn("Skein is now ready to exit, bye bye...")
		n.log.Close()
	})
}

func (n *Node) close() {
	n.cron.stop()
	n.persist.Close()
	if n.cluster != nil {
		if err := n.cluster.Stop(); err != nil {
			n.slog.Warn("Saving the cluster config file: " + err.Error())
		}
	}
	for _, l := range n.listeners.take("") {
		n.unlisten(l)
	}
	for _, l := range slices.Backward(n.loops) {
		l.Stop()
	}
	n.engine.CloseScripts()
	n.repl.Close()
	n.migrator.Close()
	n.keyspace.Close()
}
