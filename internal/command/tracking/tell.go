package tracking

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// channel is the name by which clients that speak RESP2 are told.
const channel = "__redis__:invalidate"

// message is the same news in the forms in which clients hear it, made when the
// first one needs them.
type message struct {
	keys          func(dst []byte) []byte // appends the array of keys; nil: all keys
	push, message []byte
}

// form is what a client that speaks proto is sent.
func (m *message) form(proto int) []byte {
	if proto >= 3 {
		if m.push == nil {
			m.push = resp.AppendHeader(m.push, resp.Push, 2)
			m.push = resp.AppendBulkString(m.push, "invalidate")
			m.push = m.appendKeys(m.push, "_\r\n")
		}
		return m.push
	}
	if m.message == nil {
		m.message = resp.AppendArray(m.message, 3)
		m.message = resp.AppendBulkString(m.message, "message")
		m.message = resp.AppendBulkString(m.message, channel)
		m.message = m.appendKeys(m.message, "$-1\r\n")
	}
	return m.message
}

func (m *message) appendKeys(dst []byte, null string) []byte {
	if m.keys == nil {
		return append(dst, null...)
	}
	return m.keys(dst)
}

// send tells m, or the client that it has named. by is the client that is just
// running a command.
func (h *Hub) send(m *Member, msg *message, by uint64) {
	deliver := func(to Client, b []byte) {
		if to.ID() == by {
			to.Follow(b)
		} else {
			to.Deliver(b)
		}
	}
	if m.Redirect == 0 {
		if m.client.PushProto() >= 3 {
			deliver(m.client, msg.form(3))
		}
		return
	}
	to := h.opt.Find(m.Redirect)
	if to == nil {
		m.broken.Store(true)
		if m.client.PushProto() >= 3 {
			b := resp.AppendHeader(nil, resp.Push, 2)
			b = resp.AppendBulkString(b, "tracking-redir-broken")
			deliver(m.client, resp.AppendInt(b, int64(m.Redirect)))
		}
		return
	}
	if proto := to.PushProto(); proto >= 3 || to.Subscribed() {
		deliver(to, msg.form(proto))
	}
}

// Changed implements keyspace.Tracker. Who has changed to broadcast mode since it
// read the key hears of it otherwise.
func (h *Hub) Changed(key []byte, readers []uint64, by uint64) {
	msg := message{keys: func(dst []byte) []byte { return resp.AppendBulk(resp.AppendArray(dst, 1), key) }}
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, id := range readers {
		if m := h.members[id]; m != nil && !m.Broadcast && !(m.NoLoop && id == by) {
			h.send(m, &msg, by)
		}
	}
}

// Flushed implements keyspace.Tracker.
func (h *Hub) Flushed(by uint64) {
	var msg message
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, id := range h.everybody() {
		h.send(h.members[id], &msg, by)
	}
}

// Broadcast implements keyspace.Tracker: each client hears of all keys with a prefix
// at once, each named once.
func (h *Hub) Broadcast(news []keyspace.News) {
	news = sortedOnce(news)
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, p := range h.prefixes {
		from := sort.Search(len(news), func(i int) bool { return string(news[i].Key) >= p.name })
		to := from + sort.Search(len(news)-from, func(i int) bool { return !strings.HasPrefix(string(news[from+i].Key), p.name) })
		if from < to {
			h.tell(p, news[from:to])
		}
	}
}

// tell tells those who want to hear of the prefix p.
func (h *Hub) tell(p *prefix, news []keyspace.News) {
	all := message{keys: func(dst []byte) []byte { return appendKeys(dst, news) }}
	for id, m := range p.members {
		msg := &all
		if m.NoLoop && slices.ContainsFunc(news, func(n keyspace.News) bool { return n.By == id }) {
			others := slices.DeleteFunc(slices.Clone(news), func(n keyspace.News) bool { return n.By == id })
			if len(others) == 0 {
				continue
			}
			msg = &message{keys: func(dst []byte) []byte { return appendKeys(dst, others) }}
		}
		h.send(m, msg, 0)
	}
}

func appendKeys(dst []byte, news []keyspace.News) []byte {
	dst = resp.AppendArray(dst, len(news))
	for i := range news {
		dst = resp.AppendBulk(dst, news[i].Key)
	}
	return dst
}

// sortedOnce are the keys ascending, each with who changed it last.
func sortedOnce(news []keyspace.News) []keyspace.News {
	sorted := slices.Clone(news)
	slices.SortStableFunc(sorted, func(a, b keyspace.News) int { return cmp.Compare(string(a.Key), string(b.Key)) })
	kept := sorted[:0]
	for i, n := range sorted {
		if i+1 == len(sorted) || string(sorted[i+1].Key) != string(n.Key) {
			kept = append(kept, n)
		}
	}
	return kept
}
