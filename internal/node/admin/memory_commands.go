package admin

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// memoryUsage is MEMORY USAGE key [SAMPLES count]. Nothing needs to be sampled:
// every value knows its size.
func memoryUsage(c *command.Call, tx *keyspace.ReadTx) {
	a := c.Parse(3)
	for a.More() {
		if !a.IsWith("SAMPLES", 1) {
			a.Syntax()
		} else if a.Int() < 0 {
			a.Syntax()
		}
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	raw := asItIs(tx, c)
	r, ok := raw.Peek(c.Args[2])
	if !ok {
		c.Out.Null()
		return
	}
	c.Out.Int(int64(r.Bytes()) + bucketShare)
}

// bucketShare is about what a key takes in its table, in bytes: a bucket of 64
// bytes holds ten keys and is mostly two thirds full.
const bucketShare = 10

// asItIs looks at the keyspace of tx without leaving a trace: keys past their
// deadline are seen and stay.
func asItIs(tx *keyspace.ReadTx, c *command.Call) *keyspace.ReadTx {
	raw := new(keyspace.ReadTx)
	raw.Begin(tx.Keyspace(), nil, c.DB, c.Now, keyspace.SeeExpired|keyspace.NoTouch)
	return raw
}

// memoryStats is MEMORY STATS.
func (a *Admin) memoryStats(c *command.Call) {
	m := a.account()
	out := c.Out
	mark, pairs := out.Begin(), 0
	num := func(name string, n int64) { out.BulkString(name); out.Int(n); pairs++ }
	double := func(name string, x float64) { out.BulkString(name); out.Double(x); pairs++ }

	num("peak.allocated", m.peak)
	num("total.allocated", m.used)
	num("startup.allocated", m.startup)
	num("replication.backlog", m.Backlog)
	num("clients.slaves", m.Replicas)
	num("clients.normal", m.Clients)
	num("cluster.links", m.ClusterLinks)
	num("aof.buffer", m.FileBuffer)
	num("lua.caches", m.Scripts)
	num("functions.caches", m.Functions)
	dbs, keys := databaseStats(out, a.opt.Keyspace)
	pairs += dbs
	num("overhead.total", m.overhead)
	num("keys.count", keys)
	num("keys.bytes-per-key", m.net()/max(keys, 1)*min(keys, 1))
	num("dataset.bytes", m.dataset)
	double("dataset.percentage", percent(m.dataset, m.net()))
	double("peak.percentage", percent(m.used, m.peak))
	num("allocator.allocated", m.used)
	num("allocator.active", m.held)
	num("allocator.resident", m.held)
	double("allocator-fragmentation.ratio", ratio(m.held, m.used))
	num("allocator-fragmentation.bytes", m.held-m.used)
	double("allocator-rss.ratio", 1)
	num("allocator-rss.bytes", 0)
	double("rss-overhead.ratio", ratio(m.rss, m.held))
	num("rss-overhead.bytes", m.rss-m.held)
	double("fragmentation", ratio(m.rss, m.used))
	num("fragmentation.bytes", m.rss-m.used)
	out.EndMap(mark, pairs)
}

// databaseStats writes a pair for each database that has keys.
func databaseStats(out *resp.Writer, ks *keyspace.Keyspace) (pairs int, keys int64) {
	for db := range ks.Databases() {
		n := ks.Size(db)
		if n == 0 {
			continue
		}
		pairs, keys = pairs+1, keys+n
		expires, _ := ks.Volatile(db, 0)
		out.BulkString("db." + strconv.Itoa(db))
		out.Map(3)
		out.BulkString("overhead.hashtable.main")
		out.Int(n * bucketShare)
		out.BulkString("overhead.hashtable.expires")
		out.Int(expires * dueBytes)
		out.BulkString("overhead.hashtable.slot-to-keys")
		out.Int(0)
	}
	return pairs, keys
}

// dueBytes is what the index of deadlines takes for a key.
const dueBytes = 24

// What MEMORY DOCTOR takes for worth a word.
const (
	fewBytes     = 5 << 20
	muchPeak     = 1.5
	muchWaste    = 1.4
	wasteBytes   = 10 << 20
	muchReplicas = 10 << 20
)

// memoryDoctor is MEMORY DOCTOR.
func (a *Admin) memoryDoctor(c *command.Call) {
	m := a.account()
	verbatim(c.Out, []byte(m.diagnosis()))
}

func (m *account) diagnosis() string {
	if m.used < fewBytes {
		return "There is too little data to say anything about the use of memory.\n"
	}
	text := ""
	say := func(format string, args ...any) { text += " * " + fmt.Sprintf(format, args...) + "\n" }
	if ratio(m.peak, m.used) > muchPeak {
		say("The node has used much more memory than now: up to %s. What was freed serves new data first; MEMORY PURGE gives it back to the system.", human(m.peak))
	}
	if ratio(m.rss, m.used) > muchWaste && m.rss-m.used > wasteBytes {
		say("The process takes %s for %s of data: after many deletions, or while Go's garbage waits for its collection.", human(m.rss), human(m.used))
	}
	if m.Replicas > muchReplicas {
		say("%s wait for replicas that do not read fast enough.", human(m.Replicas))
	}
	if m.Clients > m.used/2 {
		say("Clients take more memory than data does: %s. CLIENT LIST shows which.", human(m.Clients))
	}
	if text == "" {
		return "Nothing is wrong with the use of memory.\n"
	}
	return "The use of memory shows this:\n\n" + text
}

// mallocStats is MEMORY MALLOC-STATS: the arena's and Go's figures.
func (a *Admin) mallocStats(c *command.Call) {
	m := a.account()
	var g runtime.MemStats
	runtime.ReadMemStats(&g)
	f := fields{}
	f.num("arena_and_objects_in_use", a.opt.Keyspace.Used())
	f.num("arena_resident", a.opt.Keyspace.Resident())
	f.num("process_resident", m.rss)
	f.num("go_heap_in_use", int64(g.HeapInuse))
	f.num("go_heap_idle", int64(g.HeapIdle))
	f.num("go_heap_released", int64(g.HeapReleased))
	f.num("go_stacks", int64(g.StackInuse))
	f.num("go_system", int64(min(g.Sys, math.MaxInt64)))
	f.num("go_collections", int64(g.NumGC))
	verbatim(c.Out, f)
}

// memoryPurge is MEMORY PURGE. It takes a while, beside the loop.
func memoryPurge(c *command.Call) {
	c.Aside(func(out *resp.Writer) {
		debug.FreeOSMemory()
		out.OK()
	})
}
