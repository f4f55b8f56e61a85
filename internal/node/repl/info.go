package repl

import (
	"fmt"
	"sync/atomic"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// Stats are counters of INFO's section Stats.
type Stats struct{ full, partialOK, partialErr atomic.Int64 }

// Syncs is how many full syncs, and partial ones that succeeded and did not, replicas
// have asked for.
func (r *Repl) Syncs() (full, partialOK, partialErr int64) {
	return r.stats.full.Load(), r.stats.partialOK.Load(), r.stats.partialErr.Load()
}

// ResetStats is CONFIG RESETSTAT.
func (r *Repl) ResetStats() {
	r.stats.full.Store(0)
	r.stats.partialOK.Store(0)
	r.stats.partialErr.Store(0)
}

// Memory is what the log takes in bytes: replicas that are behind the beginning of
// the backlog, the backlog, and the part of both that does not count against
// maxmemory, since eviction would only make it grow: all beyond the backlog's size.
func (r *Repl) Memory() (replicas, backlog, notCounted int64) {
	size, _, _ := r.log.Backlog()
	bytes := r.log.Memory()
	notCounted = max(bytes-size, 0)
	if notCounted > 2*logSegment { // not only because segments are kept whole
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.replicas) > 0 {
			return bytes - size, size, notCounted
		}
	}
	return 0, bytes, notCounted
}

const logSegment = 16 << 10

// Replicas is how many replicas are connected.
func (r *Repl) Replicas() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.replicas)
}

// AppendInfo appends the lines of INFO's section Replication.
func (r *Repl) AppendInfo(b []byte) []byte {
	nowMs := now()
	link, following := r.Link()
	if following {
		b = append(b, "role:slave\r\n"...)
		b = r.appendLink(b, &link, nowMs)
	} else {
		b = append(b, "role:master\r\n"...)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b = fmt.Appendf(b, "connected_slaves:%d\r\n", len(r.replicas))
	if r.tuning.Load().counts() {
		b = fmt.Appendf(b, "min_slaves_good_slaves:%d\r\n", r.good)
	}
	for i, p := range r.replicas {
		lag := int64(0)
		if p.phase == online {
			lag = nowMs/1000 - p.ackMs/1000
		}
		b = fmt.Appendf(b, "slave%d:ip=%s,port=%d,state=%s,offset=%d,lag=%d\r\n", i, p.ip(), p.port, phaseWords[p.phase], p.ack, lag)
	}
	_, first, kept := r.log.Backlog()
	active := 0
	if r.keeping {
		active = 1
	}
	return fmt.Appendf(b, "master_failover_state:%s\r\nmaster_replid:%s\r\nmaster_replid2:%s\r\nmaster_repl_offset:%d\r\nsecond_repl_offset:%d\r\n"+
		"repl_backlog_active:%d\r\nrepl_backlog_size:%d\r\nrepl_backlog_first_byte_offset:%d\r\nrepl_backlog_histlen:%d\r\n",
		r.failover.state, r.hist.ID, r.hist.ID2, r.log.Offset(), r.hist.SecondOffset,
		active, r.tuning.Load().BacklogBytes, first, kept)
}

// appendLink appends the lines about our master.
func (r *Repl) appendLink(b []byte, l *LinkFacts, nowMs int64) []byte {
	t := r.tuning.Load()
	status, lastIO := "down", int64(-1)
	if l.Up {
		status, lastIO = "up", nowMs/1000-l.LastIOMs/1000
	}
	b = fmt.Appendf(b, "master_host:%s\r\nmaster_port:%d\r\nmaster_link_status:%s\r\nmaster_last_io_seconds_ago:%d\r\nmaster_sync_in_progress:%d\r\n"+
		"slave_read_repl_offset:%d\r\nslave_repl_offset:%d\r\n",
		l.Host, l.Port, status, lastIO, bit(l.Syncing), l.Read, l.Applied)
	if l.Syncing {
		percent := 0.0
		if l.SyncTotal > 0 {
			percent = 100 * float64(l.SyncRead) / float64(l.SyncTotal)
		}
		b = fmt.Appendf(b, "master_sync_total_bytes:%d\r\nmaster_sync_read_bytes:%d\r\nmaster_sync_left_bytes:%d\r\nmaster_sync_perc:%.2f\r\n"+
			"master_sync_last_io_seconds_ago:%d\r\n",
			l.SyncTotal, l.SyncRead, l.SyncTotal-l.SyncRead, percent, nowMs/1000-l.SyncLastMs/1000)
	}
	if !l.Up {
		down := int64(-1)
		if l.DownMs > 0 {
			down = nowMs/1000 - l.DownMs/1000
		}
		b = fmt.Appendf(b, "master_link_down_since_seconds:%d\r\n", down)
	}
	return fmt.Appendf(b, "slave_priority:%d\r\nslave_read_only:%d\r\nreplica_announced:%d\r\n", t.Priority, bit(t.ReadOnly), bit(t.Announced))
}

func bit(on bool) int {
	if on {
		return 1
	}
	return 0
}

// roleCommand is ROLE.
func (r *Repl) roleCommand(c *command.Call) {
	w := c.Out
	if link, following := r.Link(); following {
		w.Array(5)
		w.BulkString("slave")
		w.BulkString(link.Host)
		w.Int(int64(link.Port))
		w.BulkString(link.State)
		offset := int64(-1)
		if link.Up {
			offset = link.Applied
		}
		w.Int(offset)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w.Array(3)
	w.BulkString("master")
	w.Int(r.log.Offset())
	w.Array(r.online())
	for _, p := range r.replicas {
		if p.phase == online {
			w.Array(3)
			w.BulkString(p.ip())
			w.Raw(resp.AppendBulkInt(nil, int64(p.port)))
			w.Raw(resp.AppendBulkInt(nil, p.ack))
		}
	}
}
