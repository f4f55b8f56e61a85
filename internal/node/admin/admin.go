// Package admin has the commands that look at a node as a whole or steer it:
// INFO, CONFIG, DEBUG, MEMORY, MODULE, ROLE, SHUTDOWN, TIME and LOLWUT.
//
// It owns little. INFO is put together from sections, each written by the room
// that knows the facts:
//
//	Server Memory CPU Modules Cluster Keyspace                  here
//	Clients, Persistence, Stats, Replication, Commandstats, …   Options.Sections
//
// and a section that another room brings replaces the one of the same name
// from here. CONFIG works on a Configurer, SHUTDOWN and most of DEBUG on funcs
// in Options; package node connects them. What is not connected says so in an
// error reply, and changes nothing.
//
// What INFO says of memory comes from counters and from samples that Tick takes
// ten times a second, because tests and monitors ask for INFO without end.
package admin

import (
	"log/slog"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// RedisVersion is the release of redis whose behaviour this is.
const RedisVersion = "7.2.4"

// Options are what the node gives an Admin. A nil func is explained where it is
// called: a fact that is not known, or a subcommand that is refused.
type Options struct {
	Keyspace *keyspace.Keyspace
	Config   Configurer
	Log      *slog.Logger
	Facts    Facts

	// Sections are the parts of INFO that other rooms write.
	Sections []Section
	// Memory is what takes memory beside keys and values. INFO calls it each time,
	// and Tick; it must be cheap.
	Memory func() Memory
	// Listeners are the sockets that accept clients.
	Listeners func() []Listener

	// Shutdown begins to end the node and returns at once. If nothing comes of
	// it, because the data could not be saved or somebody aborted it, failed is
	// called once, from any goroutine.
	Shutdown func(how Shutdown, failed func())
	// AbortShutdown aborts a shutdown that waits, and tells whether there was one.
	AbortShutdown func() bool
	// ShutdownIn is for how many ms more a shutdown waits for replicas at the most,
	// if there is one that does. Nil: there is none.
	ShutdownIn func() (ms int64, waiting bool)

	Debug Debug
}

// Facts are what INFO's section Server tells and what does not change.
type Facts struct {
	Version    string // of Skein
	RunID      string // 40 hex digits, new at each start
	Cluster    bool   // cluster mode is on
	ConfigFile string // absolute path, "" if there is none
	Supervised string // "no", "systemd", "upstart"
}

// Listener is one line of INFO about where clients may connect.
type Listener struct {
	Kind string   // "tcp", "unix", "tls"
	Bind []string // addresses, or the path of the socket
	Port int      // 0 for a unix socket
}

// Memory is what takes memory beside keys and values, in bytes.
type Memory struct {
	Clients                    int64 // buffers and state of clients that are no replicas
	Replicas                   int64 // the same of replicas
	ClusterLinks               int64
	Backlog                    int64 // replication backlog
	ReplicaBuffers             int64 // backlog and what waits for replicas beyond it
	FileBuffer                 int64 // append-only file
	Scripts                    int64
	CachedScripts              int
	Machines                   int64 // Lua's
	Functions                  int64 // bytes
	Libraries, LoadedFunctions int
	Tracked                    int64 // which clients have read which keys
	Cut                        int64 // what a snapshot being written still wants of keys that have changed
	NotCounted                 int64 // the part of all this that does not count against maxmemory
}

func (m *Memory) total() int64 {
	return m.Clients + m.Replicas + m.ClusterLinks + m.Backlog + m.FileBuffer + m.Scripts + m.Machines + m.Functions + m.Tracked + m.Cut
}

// Admin answers the commands of this package for one node.
type Admin struct {
	opt     Options
	info    []Section // in the order of INFO
	server  serverFacts
	started time.Time
	memory  sampler
	debug   []debugCommand
	leaked  [][]byte // by DEBUG LEAK; the stripes guard it
}

// New returns an Admin. It calls none of the funcs in o: the rooms behind them
// may be made after it.
func New(o Options) *Admin {
	a := &Admin{opt: o, started: time.Now(), server: newServerFacts()}
	a.info = inOrder(a.ownSections(), o.Sections)
	a.debug = a.debugCommands()
	a.memory.startup = o.Keyspace.Used()
	a.sample(a.started.UnixMilli())
	return a
}

// setting is the value of one directive as CONFIG GET shows it, "" if it is not known.
func (a *Admin) setting(name string) string {
	if a.opt.Config == nil {
		return ""
	}
	for _, s := range a.opt.Config.Get([]string{name}) {
		return s.Value
	}
	return ""
}

// verbatim replies with a text for people.
func verbatim(out *resp.Writer, text []byte) {
	if out.Proto < 3 {
		out.Bulk(text)
		return
	}
	out.Verbatim("txt", string(text))
}
