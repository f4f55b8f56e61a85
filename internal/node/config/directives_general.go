package config

import "math"

// Process, log and protection.
var (
	Daemonize                = boolean("daemonize", false, Immutable)
	PidFile                  = optionalText("pidfile", Immutable) // daemonize without one uses /var/run/redis.pid
	Supervised               = enum("supervised", "no", choices{"upstart", "systemd", "auto", "no"}, Immutable)
	SetProcTitle             = boolean("set-proc-title", true, Immutable, inert("the title of the process stays as it is"))
	ProcTitleTemplate        = text("proc-title-template", "{title} {listen-addr} {server-mode}", inert("the title of the process stays as it is")).checked(checkProcTitle)
	AlwaysShowLogo           = boolean("always-show-logo", false, Immutable)
	Dir                      = directory("dir", Protected|DenyLoading)
	Databases                = integer("databases", 16, 1, math.MaxInt32, Immutable) // 1 in cluster mode
	Hz                       = integer("hz", 10, 0, math.MaxInt32).checked(clampHz)  // background rounds per second, 1 to 500
	DynamicHz                = boolean("dynamic-hz", true, inert("background work is not tied to the number of clients"))
	ShutdownTimeout          = integer("shutdown-timeout", 10, 0, math.MaxInt32) // seconds to wait for replicas
	ShutdownOnSigint         = enumSet("shutdown-on-sigint", shutdownFlags).checked(checkShutdownFlags)
	ShutdownOnSigterm        = enumSet("shutdown-on-sigterm", shutdownFlags).checked(checkShutdownFlags)
	LocaleCollate            = text("locale-collate", "", inert("SORT ALPHA compares bytes")).checked(checkLocale)
	IgnoreWarnings           = text("ignore-warnings", "", inert("the only warning it knows is about fork"))
	OOMScoreAdj              = enum("oom-score-adj", "no", choices{"no", "yes", "relative", "absolute"}).checked(relativeIsYes) // relative reads as yes
	OOMScoreAdjValues        = oomScores("oom-score-adj-values", [3]int{0, 200, 800})
	DisableTHP               = boolean("disable-thp", true, Immutable, inert("no fork copies huge pages"))
	CrashLogEnabled          = boolean("crash-log-enabled", true, inert("the Go runtime reports crashes"))
	CrashMemcheckEnabled     = boolean("crash-memcheck-enabled", true, inert("the Go runtime reports crashes"))
	UseExitOnPanic           = boolean("use-exit-on-panic", false, Hidden, inert("the Go runtime reports crashes"))
	WatchdogPeriod           = integer("watchdog-period", 0, 0, math.MaxInt32, Hidden, inert("there is no software watchdog"))
	EnableProtectedConfigs   = enum("enable-protected-configs", "no", protectedAction, Immutable)
	EnableDebugCommand       = enum("enable-debug-command", "no", protectedAction, Immutable)
	EnableModuleCommand      = enum("enable-module-command", "no", protectedAction, Immutable, inert("there are no modules"))
	PropagationErrorBehavior = enum("propagation-error-behavior", "ignore", choices{"ignore", "panic", "panic-on-replicas"})
)

// The log and what is observed. Thresholds of slowlog are in microseconds, those
// of the latency monitor in milliseconds.
var (
	LogLevel                       = enum("loglevel", "notice", choices{"debug", "verbose", "notice", "warning", "nothing"})
	LogFile                        = text("logfile", "", Immutable) // empty: standard output
	SyslogEnabled                  = boolean("syslog-enabled", false, Immutable)
	SyslogIdent                    = text("syslog-ident", "redis", Immutable)
	SyslogFacility                 = enum("syslog-facility", "local0", choices{"user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}, Immutable)
	SlowlogLogSlowerThan           = integer("slowlog-log-slower-than", 10000, -1, math.MaxInt64) // us; -1 logs nothing
	SlowlogMaxLen                  = integer("slowlog-max-len", 128, 0, math.MaxInt64)
	LatencyMonitorThreshold        = integer("latency-monitor-threshold", 0, 0, math.MaxInt64) // ms; 0 is off
	LatencyTracking                = boolean("latency-tracking", true)
	LatencyTrackingInfoPercentiles = percentiles("latency-tracking-info-percentiles", 50, 99, 99.9)
	NotifyKeyspaceEvents           = keyspaceEvents("notify-keyspace-events")
)

// Who may do what.
var (
	RequirePass      = optionalText("requirepass", Sensitive)
	ACLFile          = text("aclfile", "", Immutable)
	ACLLogMaxLen     = integer("acllog-max-len", 128, 0, math.MaxInt64)
	ACLPubsubDefault = enum("acl-pubsub-default", "resetchannels", choices{"allchannels", "resetchannels"})
)

// Threads and processors. They are the business of the event loops, one per core.
var (
	IOThreads         = integer("io-threads", 1, 1, 128, Immutable, inert("every core runs its own event loop"))
	IOThreadsDoReads  = boolean("io-threads-do-reads", false, Immutable, inert("every core runs its own event loop"))
	ServerCPUList     = optionalText("server_cpulist", Immutable, inert(pinOutside))
	BioCPUList        = optionalText("bio_cpulist", Immutable, inert(pinOutside))
	AOFRewriteCPUList = optionalText("aof_rewrite_cpulist", Immutable, inert(pinOutside))
	BgsaveCPUList     = optionalText("bgsave_cpulist", Immutable, inert(pinOutside))
)

const pinOutside = "threads are not pinned one by one; use taskset or GOMAXPROCS for the whole process"

var (
	// protectedAction: local allows it to clients of the same machine.
	protectedAction = choices{"no", "yes", "local"}
	// shutdownFlags are the options of SHUTDOWN that a signal implies.
	shutdownFlags = choices{"default", "save", "nosave", "now", "force"}
)
