package clients

import (
	"fmt"
	"sync"

	"github.com/skeindb/skein/internal/node/session"
)

// peakSeconds is how long the largest buffers are remembered.
const peakSeconds = 8

// peaks are the largest buffers that were seen in each of the last seconds.
type peaks struct {
	mu      sync.Mutex
	second  int64 // the Unix second that was looked at last
	in, out [peakSeconds]int
}

// newSecond tells, once in each second, that it has begun, and forgets the
// second whose place it takes.
func (p *peaks) newSecond(nowMs int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := nowMs / 1000
	if now == p.second {
		return false
	}
	p.second = now
	p.in[now%peakSeconds], p.out[now%peakSeconds] = 0, 0
	return true
}

func (p *peaks) note(nowMs int64, in, out int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := nowMs / 1000 % peakSeconds
	p.in[i], p.out[i] = max(p.in[i], in), max(p.out[i], out)
}

func (p *peaks) max() (in, out int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range peakSeconds {
		in, out = max(in, p.in[i]), max(out, p.out[i])
	}
	return in, out
}

// AppendInfo appends the lines of INFO's section Clients.
func (r *Registry) AppendInfo(dst []byte) []byte {
	connected, blocked, tracking := 0, 0, 0
	for _, s := range r.All() {
		f := s.Facts()
		if f.Flags&session.Replica == 0 {
			connected++
		}
		if f.Flags&session.Blocked != 0 {
			blocked++
		}
		if f.Flags&session.Tracking != 0 {
			tracking++
		}
	}
	in, out := r.peaks.max()
	dst = fmt.Appendf(dst, "connected_clients:%d\r\n", connected)
	dst = fmt.Appendf(dst, "cluster_connections:%d\r\n", r.clusterConns())
	dst = fmt.Appendf(dst, "maxclients:%d\r\n", r.limits.Load().MaxClients)
	dst = fmt.Appendf(dst, "client_recent_max_input_buffer:%d\r\n", in)
	dst = fmt.Appendf(dst, "client_recent_max_output_buffer:%d\r\n", out)
	dst = fmt.Appendf(dst, "blocked_clients:%d\r\n", blocked)
	dst = fmt.Appendf(dst, "tracking_clients:%d\r\n", tracking)
	keys, gone, limited := 0, 0, 0
	if r.opt.Waits != nil {
		keys, gone, limited = r.opt.Waits()
	}
	dst = fmt.Appendf(dst, "clients_in_timeout_table:%d\r\n", limited)
	dst = fmt.Appendf(dst, "total_blocking_keys:%d\r\n", keys)
	return fmt.Appendf(dst, "total_blocking_keys_on_nokey:%d\r\n", gone)
}

// Counts are connections since the start or the last ResetStats: accepted,
// refused, and closed to save memory. They are lines of INFO's section Stats.
func (r *Registry) Counts() (received, rejected, evicted int64) {
	return r.counter.received.Load(), r.counter.rejected.Load(), r.counter.evicted.Load()
}

// ResetStats is CONFIG RESETSTAT.
func (r *Registry) ResetStats() {
	r.counter.received.Store(0)
	r.counter.rejected.Store(0)
	r.counter.evicted.Store(0)
}

// Memory is what clients take, as INFO's section Memory tells: replicas, and
// all others.
func (r *Registry) Memory() (replicas, normal int64) {
	for _, s := range r.All() {
		f := s.Facts()
		bytes := int64(memory(s, &f))
		if classOf(f.Flags, subscribed(&f)) == Replica {
			replicas += bytes
		} else {
			normal += bytes
		}
	}
	return replicas, normal
}
