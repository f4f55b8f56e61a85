package admin

import (
	"runtime/metrics"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// sampler keeps what is too dear to find out for each INFO.
type sampler struct {
	startup int64 // bytes in use when the node had been made

	peak  atomic.Int64 // most bytes in use that were seen
	held  atomic.Int64 // bytes that arena and Go heap have from the system
	rss   atomic.Int64 // bytes of the process that are in memory
	index atomic.Int64 // bytes of the keyspace's tables

	mu     sync.Mutex // one at a time samples
	nextMs int64      // Unix ms
	slowMs int64
}

// How often the process is measured, and how often the keyspace.
const (
	sampleEvery = 100 * time.Millisecond
	indexEvery  = time.Second
)

// Tick takes samples when it is time. The node calls it ten times a second or
// more, from any goroutine.
func (a *Admin) Tick(nowMs int64) {
	if a.sample(nowMs) {
		a.used()
	}
}

// sample tells whether it was time.
func (a *Admin) sample(nowMs int64) bool {
	m := &a.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	if nowMs < m.nextMs {
		return false
	}
	m.nextMs = nowMs + sampleEvery.Milliseconds()
	held := a.opt.Keyspace.Resident() + goHeld()
	rss, ok := residentBytes()
	if !ok {
		rss = held
	}
	m.held.Store(held)
	m.rss.Store(rss)
	if nowMs >= m.slowMs {
		m.slowMs = nowMs + indexEvery.Milliseconds()
		m.index.Store(a.opt.Keyspace.IndexBytes())
	}
	return true
}

// goHeld is what Go's heap takes of the system's memory, in bytes.
func goHeld() (n int64) {
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	for _, s := range samples {
		if s.Value.Kind() == metrics.KindUint64 {
			n += int64(s.Value.Uint64())
		}
	}
	return n
}

// beside is what takes memory beside keys and values.
func (a *Admin) beside() Memory {
	if a.opt.Memory == nil {
		return Memory{}
	}
	return a.opt.Memory()
}

// used is the memory in use, in bytes; the greatest it ever was is remembered.
func (a *Admin) used() int64 {
	beside := a.beside()
	return a.usedWith(&beside)
}

func (a *Admin) usedWith(beside *Memory) int64 {
	used := a.opt.Keyspace.Used() + beside.total()
	for {
		peak := a.memory.peak.Load()
		if used <= peak || a.memory.peak.CompareAndSwap(peak, used) {
			return used
		}
	}
}

// account is one moment's memory, for INFO and the MEMORY commands. Bytes.
type account struct {
	Memory
	used, peak, startup int64
	index               int64 // of the tables of keys
	overhead, dataset   int64 // together they are used
	held, rss           int64
}

func (a *Admin) account() (m account) {
	m.Memory = a.beside()
	m.used = a.usedWith(&m.Memory)
	m.startup, m.peak = a.memory.startup, a.memory.peak.Load()
	m.index, m.held, m.rss = a.memory.index.Load(), a.memory.held.Load(), a.memory.rss.Load()
	m.overhead = min(m.startup+m.Memory.total()+m.index, m.used)
	m.dataset = m.used - m.overhead
	return m
}

// net is what has come since the start.
func (m *account) net() int64 { return max(m.used-m.startup, 1) }

func percent(part, whole int64) float64 { return 100 * ratio(part, whole) }

func (a *Admin) maxMemory() int64 {
	n, _ := strconv.ParseInt(a.setting("maxmemory"), 10, 64)
	return n
}

// allocator is the word that says whose memory this is: the arena's and Go's.
const allocator = "go"

func (a *Admin) appendMemory(b []byte) []byte {
	m := a.account()
	f := fields(b)
	f.size("used_memory", m.used)
	f.size("used_memory_rss", m.rss)
	f.size("used_memory_peak", m.peak)
	f.fixed("used_memory_peak_perc", percent(m.used, m.peak), "%")
	f.num("used_memory_overhead", m.overhead)
	f.num("used_memory_startup", m.startup)
	f.num("used_memory_dataset", m.dataset)
	f.fixed("used_memory_dataset_perc", percent(m.dataset, m.net()), "%")
	f.num("allocator_allocated", m.used)
	f.num("allocator_active", m.held)
	f.num("allocator_resident", m.held)
	f.size("total_system_memory", a.server.totalRAM)
	appendScriptMemory(&f, &m)
	f.size("maxmemory", a.maxMemory())
	f.text("maxmemory_policy", a.setting("maxmemory-policy"))
	appendFragmentation(&f, &m)
	f.num("mem_not_counted_for_evict", m.NotCounted)
	f.num("mem_replication_backlog", m.Backlog)
	f.num("mem_total_replication_buffers", m.ReplicaBuffers)
	f.num("mem_clients_slaves", m.Replicas)
	f.num("mem_clients_normal", m.Clients)
	f.num("mem_cluster_links", m.ClusterLinks)
	f.num("mem_aof_buffer", m.FileBuffer)
	f.text("mem_allocator", allocator)
	f.num("active_defrag_running", 0)
	pending, freed := a.opt.Keyspace.Freeing()
	f.num("lazyfree_pending_objects", pending)
	f.num("lazyfreed_objects", freed)
	return f
}

func appendScriptMemory(f *fields, m *account) {
	f.num("used_memory_lua", m.Machines)
	f.num("used_memory_vm_eval", m.Machines)
	f.human("used_memory_lua", m.Machines)
	f.num("used_memory_scripts_eval", m.Scripts)
	f.num("number_of_cached_scripts", int64(m.CachedScripts))
	f.num("number_of_functions", int64(m.LoadedFunctions))
	f.num("number_of_libraries", int64(m.Libraries))
	f.num("used_memory_vm_functions", 0)
	f.size("used_memory_vm_total", m.Machines)
	f.num("used_memory_functions", m.Functions)
	f.size("used_memory_scripts", m.Scripts+m.Functions)
}

func appendFragmentation(f *fields, m *account) {
	f.fixed("allocator_frag_ratio", ratio(m.held, m.used), "")
	f.num("allocator_frag_bytes", m.held-m.used)
	f.fixed("allocator_rss_ratio", 1, "")
	f.num("allocator_rss_bytes", 0)
	f.fixed("rss_overhead_ratio", ratio(m.rss, m.held), "")
	f.num("rss_overhead_bytes", m.rss-m.held)
	f.fixed("mem_fragmentation_ratio", ratio(m.rss, m.used), "")
	f.num("mem_fragmentation_bytes", m.rss-m.used)
}
