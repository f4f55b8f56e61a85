package config

import "math"

// The limit of memory, eviction and expiry.
var (
	MaxMemory                 = memory("maxmemory", 0, 0, math.MaxUint64) // 0: none
	MaxMemoryPolicy           = enum("maxmemory-policy", "noeviction", choices{"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction"})
	MaxMemorySamples          = integer("maxmemory-samples", 5, 1, math.MaxInt32)
	MaxMemoryEvictionTenacity = integer("maxmemory-eviction-tenacity", 10, 0, 100)
	MaxMemoryClients          = quota("maxmemory-clients")
	LFULogFactor              = integer("lfu-log-factor", 10, 0, math.MaxInt32)
	LFUDecayTime              = integer("lfu-decay-time", 1, 0, math.MaxInt32) // minutes
	ActiveExpireEffort        = integer("active-expire-effort", 1, 1, 10)
	TrackingTableMaxKeys      = integer("tracking-table-max-keys", 1000000, 0, math.MaxInt64)
)

// Freeing in the background: these say when UNLINK is meant where DEL is said.
var (
	LazyfreeLazyEviction  = boolean("lazyfree-lazy-eviction", false)
	LazyfreeLazyExpire    = boolean("lazyfree-lazy-expire", false)
	LazyfreeLazyServerDel = boolean("lazyfree-lazy-server-del", false)
	LazyfreeLazyUserDel   = boolean("lazyfree-lazy-user-del", false)
	LazyfreeLazyUserFlush = boolean("lazyfree-lazy-user-flush", false)
)

// Limits of the compact encodings: entries, or bytes of one value.
var (
	HashMaxListpackEntries = integer("hash-max-listpack-entries", 512, 0, math.MaxInt64, alias("hash-max-ziplist-entries"))
	HashMaxListpackValue   = memory("hash-max-listpack-value", 64, 0, math.MaxInt64, alias("hash-max-ziplist-value"))
	ListMaxListpackSize    = integer("list-max-listpack-size", -2, math.MinInt32, math.MaxInt32, alias("list-max-ziplist-size")) // entries, or -1 to -5: 4 kB to 64 kB
	ListCompressDepth      = integer("list-compress-depth", 0, 0, math.MaxInt32)
	SetMaxIntsetEntries    = integer("set-max-intset-entries", 512, 0, math.MaxInt64)
	SetMaxListpackEntries  = integer("set-max-listpack-entries", 128, 0, math.MaxInt64)
	SetMaxListpackValue    = integer("set-max-listpack-value", 64, 0, math.MaxInt64)
	ZsetMaxListpackEntries = integer("zset-max-listpack-entries", 128, 0, math.MaxInt64, alias("zset-max-ziplist-entries"))
	ZsetMaxListpackValue   = memory("zset-max-listpack-value", 64, 0, math.MaxInt64, alias("zset-max-ziplist-value"))
	HLLSparseMaxBytes      = memory("hll-sparse-max-bytes", 3000, 0, math.MaxInt64)
	StreamNodeMaxBytes     = memory("stream-node-max-bytes", 4096, 0, math.MaxInt64)
	StreamNodeMaxEntries   = integer("stream-node-max-entries", 100, 0, math.MaxInt64)
)

// Scripts and payloads.
var (
	BusyReplyThreshold  = integer("busy-reply-threshold", 5000, 0, math.MaxInt64, alias("lua-time-limit")) // ms
	SanitizeDumpPayload = enum("sanitize-dump-payload", "no", choices{"no", "yes", "clients"}, inert("every payload is checked in full"))
)

// Redis's allocator and hash tables.
var (
	ActiveRehashing            = boolean("activerehashing", true, inert(growsByBuckets))
	JemallocBgThread           = boolean("jemalloc-bg-thread", true, inert(noJemalloc))
	ActiveDefrag               = boolean("activedefrag", false, inert(noJemalloc)).checked(checkActiveDefrag)
	ActiveDefragIgnoreBytes    = memory("active-defrag-ignore-bytes", 100<<20, 1, math.MaxInt64, inert(noJemalloc))
	ActiveDefragThresholdLower = integer("active-defrag-threshold-lower", 10, 0, 1000, inert(noJemalloc))
	ActiveDefragThresholdUpper = integer("active-defrag-threshold-upper", 100, 0, 1000, inert(noJemalloc))
	ActiveDefragCycleMin       = integer("active-defrag-cycle-min", 1, 1, 99, inert(noJemalloc))
	ActiveDefragCycleMax       = integer("active-defrag-cycle-max", 25, 1, 99, inert(noJemalloc))
	ActiveDefragMaxScanFields  = integer("active-defrag-max-scan-fields", 1000, 1, math.MaxInt64, inert(noJemalloc))
)

const (
	noJemalloc     = "memory is not jemalloc's, and is compacted without being asked"
	growsByBuckets = "tables grow bucket by bucket"
)
