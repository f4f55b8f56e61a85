package clients

import (
	"cmp"
	"slices"
	"time"

	"github.com/skeindb/skein/internal/node/session"
)

// leastMemory is the lowest limit of all clients' memory that is taken seriously:
// with less nobody could talk to the node any more.
const leastMemory = 128 << 10

// Tune replaces the limits. If clients take more memory than they now may, the
// largest are gone when it returns.
func (r *Registry) Tune(l Limits) {
	if l.Memory > 0 {
		l.Memory = max(l.Memory, leastMemory)
	}
	was := r.limits.Swap(&l)
	if l.Memory > 0 && l.Memory != was.Memory {
		r.evict(l.Memory)
	}
}

// weigh counts what s takes now, with waiting bytes of output, and closes the
// largest clients if that is too much for all together. Its loop calls it. A short
// reply does not count yet: it lies in a buffer of the loop, and is about to be sent.
func (r *Registry) weigh(s *session.Session, waiting int, limit int64) {
	if waiting <= fixedOutput {
		waiting = 0
	}
	b := s.Pending
	b.Out = waiting
	bytes := int64(s.QueueBytes() + s.Watch.Bytes() + bufferBytes(s, &b))
	if class := classOf(s.Flags, s.Subs.Active()); class != Normal && class != PubSub {
		bytes = 0
	}
	if r.count(s, bytes) >= limit {
		s.Pending.Out = waiting
		s.Publish()
		r.evict(limit)
	}
}

// count makes bytes the weight of s and returns the sum of all weights.
func (r *Registry) count(s *session.Session, bytes int64) (sum int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all[s.ID()] == s {
		r.weight += bytes - s.Weight.Swap(bytes)
	}
	return r.weight
}

// evict closes the largest clients until all together take less than limit. It
// weighs everybody anew by what they have published. One does it at a time: two who have
// seen the same sum would close twice as many as they need to.
func (r *Registry) evict(limit int64) {
	r.evicting.Lock()
	defer r.evicting.Unlock()
	type sized struct {
		s     *session.Session
		bytes int64
	}
	var sum int64
	var list []sized
	for _, s := range r.All() {
		f := s.Facts()
		if class := classOf(f.Flags, subscribed(&f)); class != Normal && class != PubSub {
			continue
		}
		bytes := int64(memory(s, &f))
		r.count(s, bytes)
		sum += bytes
		if f.Flags&session.NoEvict == 0 {
			list = append(list, sized{s, bytes})
		}
	}
	if sum < limit {
		return
	}
	slices.SortFunc(list, func(a, b sized) int { return cmp.Compare(b.bytes, a.bytes) })
	for _, c := range list {
		if sum < limit {
			return
		}
		f := c.s.Facts()
		r.opt.Log.Info("Evicting client: " + string(appendLine(nil, c.s, &f, time.Now().UnixMilli())))
		r.Kill(c.s)
		r.counter.evicted.Add(1)
		sum -= c.bytes
	}
}
