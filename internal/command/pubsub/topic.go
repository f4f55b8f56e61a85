package pubsub

import (
	"sync"

	"github.com/skeindb/skein/internal/base/resp"
)

// topic is one channel, pattern or shard channel with subscribers.
type topic struct {
	name    []byte
	members []*member
}

// member is one client's subscription to a topic.
type member struct {
	topic *topic
	who   Subscriber
	at    int // index in topic.members
}

// directory is a set of topics behind a lock.
type directory struct {
	mu     sync.RWMutex
	topics map[string]*topic
	buf    []byte // where messages are encoded, under the lock
}

// keepBuf is the largest buffer that a directory keeps for the next message.
const keepBuf = 64 << 10

// enter makes who a member of the topic. The directory is locked.
func (d *directory) enter(who Subscriber, name []byte) (m *member, isNew bool) {
	t := d.topics[string(name)]
	if t == nil {
		isNew = true
		t = &topic{name: append([]byte{}, name...)}
		if d.topics == nil {
			d.topics = map[string]*topic{}
		}
		d.topics[string(name)] = t
	}
	m = &member{topic: t, who: who, at: len(t.members)}
	t.members = append(t.members, m)
	return m, isNew
}

// leave ends a membership and tells whether its topic is gone. The directory is
// locked.
func (d *directory) leave(m *member) (last bool) {
	t := m.topic
	end := len(t.members) - 1
	t.members[m.at] = t.members[end]
	t.members[m.at].at = m.at
	t.members[end] = nil
	t.members = t.members[:end]
	if end > 0 {
		return false
	}
	delete(d.topics, string(t.name))
	return true
}

// size is the number of members of the topic called name.
func (d *directory) size(name []byte) int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if t := d.topics[string(name)]; t != nil {
		return len(t.members)
	}
	return 0
}

// encode makes the message that word and parts stand for, in buf, as RESP2.
func encode(buf []byte, word string, parts ...[]byte) []byte {
	buf = resp.AppendArray(buf[:0], 1+len(parts))
	buf = resp.AppendBulkString(buf, word)
	for _, p := range parts {
		buf = resp.AppendBulk(buf, p)
	}
	return buf
}

// send hands an encoded message to one client, as a push if it knows pushes:
// only the first byte differs.
func send(who Subscriber, message []byte) {
	message[0] = byte(resp.Array)
	if who.PushProto() >= 3 {
		message[0] = byte(resp.Push)
	}
	who.Deliver(message)
}

// send hands an encoded message to all members and returns how many they are.
func (t *topic) send(message []byte) int {
	for _, m := range t.members {
		send(m.who, message)
	}
	return len(t.members)
}
