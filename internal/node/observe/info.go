package observe

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// infoSafe replaces what would break the lines of INFO.
var infoSafe = strings.NewReplacer("#", "_", ":", "_", "\n", "_", "\r", "_")

// AppendCommandStats appends the lines of INFO's section Commandstats.
func (o *Observer) AppendCommandStats(dst []byte) []byte {
	table := o.table.Load()
	sums := make([]commandStats, table.Len())
	o.each(func(r *recorder) {
		for i := range r.commands {
			from, to := &r.commands[i], &sums[i]
			to.calls += from.calls
			to.failed += from.failed
			to.rejected += from.rejected
			to.nanos += from.nanos
		}
	})
	for i, spec := range table.All() {
		s := &sums[i]
		if s.calls == 0 && s.rejected == 0 {
			continue
		}
		micros, mean := s.nanos/1000, 0.0
		if s.calls > 0 {
			mean = float64(s.nanos) / 1000 / float64(s.calls)
		}
		dst = fmt.Appendf(dst, "cmdstat_%s:calls=%d,usec=%d,usec_per_call=%.2f,rejected_calls=%d,failed_calls=%d\r\n",
			infoSafe.Replace(spec.FullName()), s.calls, micros, mean, s.rejected, s.failed)
	}
	return dst
}

// AppendErrorStats appends the lines of INFO's section Errorstats.
func (o *Observer) AppendErrorStats(dst []byte) []byte {
	sums := map[string]int64{}
	o.each(func(r *recorder) {
		for code, n := range r.errors {
			sums[code] += n
		}
	})
	for _, code := range slices.Sorted(maps.Keys(sums)) {
		dst = fmt.Appendf(dst, "errorstat_%s:count=%d\r\n", infoSafe.Replace(code), sums[code])
	}
	return dst
}

// AppendLatencyStats appends the lines of INFO's section Latencystats.
func (o *Observer) AppendLatencyStats(dst []byte) []byte {
	t := o.tuning.Load()
	if !t.LatencyTracking {
		return dst
	}
	for _, spec := range o.table.Load().All() {
		h := o.histogram(spec)
		if h.Count() == 0 {
			continue
		}
		dst = fmt.Appendf(dst, "latency_percentiles_usec_%s:", infoSafe.Replace(spec.FullName()))
		for i, p := range t.Percentiles {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = fmt.Appendf(dst, "p%s=%.3f", strconv.FormatFloat(p, 'f', -1, 64), float64(h.Percentile(p))/1000)
		}
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// Others are the numbers of INFO's section Stats that other rooms count.
type Others struct {
	Connections, Rejected, EvictedClients       int64
	FullSyncs, PartialSyncs, FailedPartialSyncs int64
	UnexpectedErrors                            int64 // of commands that a master sent
	Hits, Misses, Expired, Evicted              int64
	ExpiredStalePercent                         float64 // of sampled keys, how many had expired
	ExpireCyclesCutShort, ExpireCycleMs         int64
	EvictionOverMs, EvictionOverNowMs           int64 // time spent over maxmemory
	Channels, Patterns, ShardChannels           int
	MigrateSockets                              int
	TrackedKeys, TrackedItems, TrackedPrefixes  int64
}

// AppendStats appends the lines of INFO's section Stats. Numbers about things
// that redis has and Skein has not (forks, active defragmentation, threads that
// only do I/O, buffers that are resized) are 0.
func (o *Observer) AppendStats(dst []byte, x *Others) []byte {
	all, t := o.totals(), &o.Traffic
	ops, in, out, replIn, replOut := o.rates.means()
	totalReplIn, totalReplOut := t.replIn.Load(), t.replOut.Load()
	add := func(name string, value any) { dst = fmt.Appendf(dst, "%s:%v\r\n", name, value) }
	kbps := func(name string, bytes int64) { dst = fmt.Appendf(dst, "%s:%.2f\r\n", name, float64(bytes)/1024) }
	add("total_connections_received", x.Connections)
	add("total_commands_processed", all.calls)
	add("instantaneous_ops_per_sec", ops)
	add("total_net_input_bytes", t.in.Load()+totalReplIn)
	add("total_net_output_bytes", t.out.Load()+totalReplOut)
	add("total_net_repl_input_bytes", totalReplIn)
	add("total_net_repl_output_bytes", totalReplOut)
	kbps("instantaneous_input_kbps", in)
	kbps("instantaneous_output_kbps", out)
	kbps("instantaneous_input_repl_kbps", replIn)
	kbps("instantaneous_output_repl_kbps", replOut)
	add("rejected_connections", x.Rejected)
	add("sync_full", x.FullSyncs)
	add("sync_partial_ok", x.PartialSyncs)
	add("sync_partial_err", x.FailedPartialSyncs)
	add("expired_keys", x.Expired)
	add("expired_stale_perc", strconv.FormatFloat(x.ExpiredStalePercent, 'f', 2, 64))
	add("expired_time_cap_reached_count", x.ExpireCyclesCutShort)
	add("expire_cycle_cpu_milliseconds", x.ExpireCycleMs)
	add("evicted_keys", x.Evicted)
	add("evicted_clients", x.EvictedClients)
	add("total_eviction_exceeded_time", x.EvictionOverMs)
	add("current_eviction_exceeded_time", x.EvictionOverNowMs)
	add("keyspace_hits", x.Hits)
	add("keyspace_misses", x.Misses)
	add("pubsub_channels", x.Channels)
	add("pubsub_patterns", x.Patterns)
	add("pubsubshard_channels", x.ShardChannels)
	add("latest_fork_usec", 0)
	add("total_forks", 0)
	add("migrate_cached_sockets", x.MigrateSockets)
	add("slave_expires_tracked_keys", 0)
	add("active_defrag_hits", 0)
	add("active_defrag_misses", 0)
	add("active_defrag_key_hits", 0)
	add("active_defrag_key_misses", 0)
	add("total_active_defrag_time", 0)
	add("current_active_defrag_time", 0)
	add("tracking_total_keys", x.TrackedKeys)
	add("tracking_total_items", x.TrackedItems)
	add("tracking_total_prefixes", x.TrackedPrefixes)
	add("unexpected_error_replies", x.UnexpectedErrors)
	add("total_error_replies", all.failures)
	add("dump_payload_sanitizations", 0)
	add("total_reads_processed", t.reads.Load())
	add("total_writes_processed", t.writes.Load())
	add("io_threaded_reads_processed", 0)
	add("io_threaded_writes_processed", 0)
	add("reply_buffer_shrinks", 0)
	add("reply_buffer_expands", 0)
	loops := o.loops()
	add("eventloop_cycles", loops.Turns)
	add("eventloop_duration_sum", loops.Nanos/1000)
	add("eventloop_duration_cmd_sum", all.nanos/1000)
	cycles, micros := o.rates.turns()
	add("instantaneous_eventloop_cycles_per_sec", cycles/max(loops.Loops, 1))
	add("instantaneous_eventloop_duration_usec", micros)
	return dst
}

// AppendDebug appends the lines of INFO's section Debug, which is shown only to
// who asks for it by name. There is no append-only file to write in a turn.
func (o *Observer) AppendDebug(dst []byte) []byte {
	loops := o.loops()
	add := func(name string, value int64) { dst = fmt.Appendf(dst, "%s:%d\r\n", name, value) }
	add("eventloop_duration_aof_sum", 0)
	add("eventloop_duration_cron_sum", loops.CronNanos/1000)
	add("eventloop_duration_max", loops.LongestNanos/1000)
	add("eventloop_cmd_per_cycle_max", loops.MostCommands)
	return dst
}
