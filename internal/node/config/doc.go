// Package config is the room of directives: what redis.conf and the command
// line may say, what CONFIG GET, SET and REWRITE answer, and how the node reads
// the result.
//
// # One table
//
// Every directive of redis 7.2.4 is declared once, in one of the directives_*.go
// files, with its name, default, bounds and flags:
//
//	MaxClients = integer("maxclients", 10000, 1, math.MaxUint32)
//
// The variable, named as the directive without its hyphens, is its typed handle:
// MaxClients.Get(values) is an int, and a misspelt directive does not compile. The table is filled while the package's
// variables are initialized and never changes afterwards; what differs from node
// to node lives in a [Config], and a process may hold many.
//
// # The way of a value
//
//	redis.conf ─┐
//	stdin ──────┤ Load ──► Config ──► *Values ──► node builds every room's Options
//	arguments ──┘             ▲
//	                          │ Set: parse all pairs ► ask the hooks ► publish, or undo all
//	CONFIG SET ───────────────┘
//
// [Values] is one immutable assignment of every directive. A Config publishes
// the current one through an atomic pointer, so a reader needs no lock and sees
// either all of a CONFIG SET or nothing of it. Rooms do not import this package:
// node translates handles into their options, and registers with [Config.OnApply]
// what must happen when one of them changes.
//
// # Directories
//
// Redis changes its working directory while it reads the line `dir`. Several
// nodes of one process cannot, so here `dir` is a value: relative names on later
// lines (include) and all file names after loading are resolved against it by
// [Values.Path]. When to resolve:
//
//	at start, kept as resolved   unixsocket, pidfile, cluster-config-file, aclfile
//	at each use                  dbfilename, appenddirname, logfile, tls-*-file
//
// The first group names files that the node holds open, locks or removes at its
// end; a later CONFIG SET dir must not lose them. (Redis does lose them: it
// would save nodes.conf into the new directory.) A process that runs one node
// may also chdir to Dir, for the sake of core dumps and of whoever looks at
// /proc/PID/cwd; nothing here depends on it.
//
// # Differences from redis, on purpose
//
//   - Directives without meaning in Skein are accepted, and one line in the log
//     says so (see [Directive.Inert]).
//   - In redis an include ends the accumulation of `save` lines in the file that
//     includes; here they go on adding up.
//   - A file that includes itself is an error, not a crash.
//   - loadmodule lines survive CONFIG REWRITE although no module was loaded.
//   - There is no sentinel mode.
package config

// RedisVersion is the release whose directives and error texts these are.
const RedisVersion = "7.2.4"
