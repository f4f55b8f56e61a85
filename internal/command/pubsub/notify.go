package pubsub

import (
	"strconv"

	"github.com/skeindb/skein/internal/store/keyspace"
)

// Notifier publishes what happens to keys, as notify-keyspace-events selects:
//
//	K   channel __keyspace@<db>__:<key>     message: the event
//	E   channel __keyevent@<db>__:<event>   message: the key
//
// It is a keyspace.Listener.
type Notifier struct{ hub *Hub }

// NewNotifier returns a Notifier that publishes through hub.
func NewNotifier(hub *Hub) *Notifier { return &Notifier{hub} }

// KeyEvent publishes one event.
func (n *Notifier) KeyEvent(db int, class keyspace.Class, event string, key []byte) {
	h := n.hub
	if h.members[channels].Load() == 0 && h.members[patterns].Load() == 0 {
		return
	}
	var name, word [96]byte
	if class&keyspace.EventKeyspace != 0 {
		h.Publish(append(prefix(name[:0], "__keyspace@", db), key...), append(word[:0], event...))
	}
	if class&keyspace.EventKeyevent != 0 {
		h.Publish(append(prefix(name[:0], "__keyevent@", db), event...), key)
	}
}

func prefix(b []byte, word string, db int) []byte {
	b = append(b, word...)
	b = strconv.AppendInt(b, int64(db), 10)
	return append(b, "__:"...)
}
