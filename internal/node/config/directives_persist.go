package config

import "math"

// Snapshots.
var (
	Save                              = savePoints("save", SavePoint{3600, 1}, SavePoint{300, 100}, SavePoint{60, 10000})
	DBFilename                        = text("dbfilename", "dump.rdb", Protected).checked(checkDBFilename)
	RDBCompression                    = boolean("rdbcompression", true)
	RDBChecksum                       = boolean("rdbchecksum", true, Immutable)
	RDBDelSyncFiles                   = boolean("rdb-del-sync-files", false)
	RDBSaveIncrementalFsync           = boolean("rdb-save-incremental-fsync", true)
	StopWritesOnBgsaveError           = boolean("stop-writes-on-bgsave-error", true)
	RDBKeySaveDelay                   = integer("rdb-key-save-delay", 0, math.MinInt32, math.MaxInt32, Hidden) // us per key; negative: keys per us
	KeyLoadDelay                      = integer("key-load-delay", 0, math.MinInt32, math.MaxInt32, Hidden)     // us per key; negative: keys per us
	LoadingProcessEventsIntervalBytes = integer("loading-process-events-interval-bytes", 2<<20, 1024, math.MaxInt32, Hidden)
)

// The append-only file.
var (
	AppendOnly                 = boolean("appendonly", false, DenyLoading)
	AppendFilename             = text("appendfilename", "appendonly.aof", Immutable).checked(checkAppendFilename)
	AppendDirname              = text("appenddirname", "appendonlydir", Immutable).checked(checkAppendDirname)
	AppendFsync                = enum("appendfsync", "everysec", choices{"everysec", "always", "no"})
	NoAppendFsyncOnRewrite     = boolean("no-appendfsync-on-rewrite", false)
	AutoAOFRewritePercentage   = integer("auto-aof-rewrite-percentage", 100, 0, math.MaxInt32)
	AutoAOFRewriteMinSize      = memory("auto-aof-rewrite-min-size", 64<<20, 0, math.MaxInt64)
	AOFRewriteIncrementalFsync = boolean("aof-rewrite-incremental-fsync", true)
	AOFLoadTruncated           = boolean("aof-load-truncated", true)
	AOFUseRDBPreamble          = boolean("aof-use-rdb-preamble", true)
	AOFTimestampEnabled        = boolean("aof-timestamp-enabled", false)
	AOFDisableAutoGC           = boolean("aof-disable-auto-gc", false, Hidden)
)
