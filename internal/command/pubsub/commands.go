package pubsub

import (
	"strings"

	"github.com/skeindb/skein/internal/base/glob"
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// subscribe is SUBSCRIBE, PSUBSCRIBE and SSUBSCRIBE.
func (h *Hub) subscribe(c *command.Call, k kind) {
	who, ok := c.Client.(Subscriber)
	// Redis lets EXEC subscribe to channels and patterns, for the sake of old
	// clients, but not to shard channels.
	if !ok || k == shardChannels && c.Client.InMulti() {
		c.Out.Error("ERR " + strings.ToUpper(c.Spec.FullName()) + " isn't allowed for a DENY BLOCKING client")
		return
	}
	for _, name := range c.Args[1:] {
		h.join(who, k, name)
		c.Out.Buf = answer(c.Out.Buf, c.Out.Proto, c.Spec.FullName(), name, who.Subscriptions().shown(k))
	}
}

// unsubscribe is UNSUBSCRIBE, PUNSUBSCRIBE and SUNSUBSCRIBE. Without arguments
// it ends all subscriptions of its kind; it answers even if there is none.
func (h *Hub) unsubscribe(c *command.Call, k kind) {
	who, ok := c.Client.(Subscriber)
	if !ok { // who cannot subscribe has nothing to lose
		c.Out.Buf = answer(c.Out.Buf, c.Out.Proto, c.Spec.FullName(), nil, 0)
		return
	}
	s := who.Subscriptions()
	names := c.Args[1:]
	if len(names) == 0 {
		for _, name := range s.names(k) {
			names = append(names, []byte(name))
		}
	}
	if len(names) == 0 {
		c.Out.Buf = answer(c.Out.Buf, c.Out.Proto, c.Spec.FullName(), nil, s.shown(k))
	}
	for _, name := range names {
		h.part(who, k, name)
		if !c.Client.InMulti() {
			who.TakeMail()
		}
		c.Out.Buf = answer(c.Out.Buf, c.Out.Proto, c.Spec.FullName(), name, s.shown(k))
	}
}

// answer appends the message that tells a client of a change of its
// subscriptions; a nil name is the null.
func answer(b []byte, proto int, word string, name []byte, count int64) []byte {
	w := resp.Writer{Buf: b, Proto: proto}
	w.Push(3)
	w.BulkString(word)
	if name == nil {
		w.Null()
	} else {
		w.Bulk(name)
	}
	w.Int(count)
	return w.Buf
}

func (h *Hub) publishCommand(c *command.Call) {
	c.Out.Int(int64(h.publish(c, c.Args[1], c.Args[2])))
}

func (h *Hub) spublishCommand(c *command.Call) {
	c.Out.Int(int64(h.publishShard(c, c.Args[1], c.Args[2])))
}

// list is PUBSUB CHANNELS and SHARDCHANNELS.
func list(c *command.Call, in []directory) {
	if len(c.Args) > 3 {
		c.Fail(command.WrongArguments(c.Args))
		return
	}
	mark, n := c.Out.BeginArray(), 0
	for i := range in {
		d := &in[i]
		d.mu.RLock()
		for _, t := range d.topics {
			if len(c.Args) < 3 || glob.Match(c.Args[2], t.name, false) {
				c.Out.Bulk(t.name)
				n++
			}
		}
		d.mu.RUnlock()
	}
	c.Out.EndArray(mark, n)
}

// sizes is PUBSUB NUMSUB and SHARDNUMSUB.
func (h *Hub) sizes(c *command.Call, k kind) {
	names := c.Args[2:]
	c.Out.Array(2 * len(names))
	for _, name := range names {
		c.Out.Bulk(name)
		c.Out.Int(int64(h.directory(k, name).size(name)))
	}
}
