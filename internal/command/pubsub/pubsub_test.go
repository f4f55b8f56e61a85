package pubsub

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/testkit/commandfacts"
)

// client is a connection whose loop is the test.
type client struct {
	hub   *Hub
	table *command.Table
	proto int
	multi bool
	subs  Subscriptions
	out   resp.Writer

	mu   sync.Mutex
	mail []byte
}

func (c *client) Deliver(b []byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mail = append(c.mail, b...)
	return len(c.mail)
}

func (c *client) TakeMail() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.Buf = append(c.out.Buf, c.mail...)
	c.mail = nil
}

func (c *client) PushProto() int                            { return c.proto }
func (c *client) Subscriptions() *Subscriptions             { return &c.subs }
func (c *client) ID() uint64                                { return 1 }
func (c *client) Name() string                              { return "" }
func (c *client) User() string                              { return "default" }
func (c *client) Addr() netip.AddrPort                      { return netip.AddrPort{} }
func (c *client) Proto() int                                { return c.proto }
func (c *client) SelectDB(int)                              {}
func (c *client) InMulti() bool                             { return c.multi }
func (c *client) Block(call *command.Call, w *command.Wait) { w.Null(call.Out) }
func (c *client) Park() (func([]byte), bool)                { return nil, false }

// do runs a command line and returns what the client sees, mail included, with
// line ends as spaces.
func (c *client) do(line string) string {
	c.run(line, c)
	return c.read()
}

func (c *client) run(line string, as command.Client) {
	var argv [][]byte
	for w := range strings.FieldsSeq(line) {
		argv = append(argv, []byte(w))
	}
	c.out.Proto = c.proto
	spec, err := c.table.Resolve(argv)
	if err != nil {
		c.out.Error(err.Error())
		return
	}
	spec.Service(&command.Call{Spec: spec, Args: argv, Out: &c.out, Client: as})
}

func (c *client) read() string {
	c.TakeMail()
	s := strings.ReplaceAll(string(c.out.Buf), "\r\n", " ")
	c.out.Buf = nil
	return strings.TrimSpace(s)
}

// world is a hub, its table, and clients made on demand.
func world(t *testing.T, o Options) func(proto int) *client {
	hub := New(o)
	table, err := command.NewTable(hub.Specs())
	if err != nil {
		t.Fatal(err)
	}
	return func(proto int) *client { return &client{hub: hub, table: table, proto: proto} }
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFacts(t *testing.T) { commandfacts.Check(t, world(t, Options{})(2).table) }

func TestSubscribe(t *testing.T) {
	newClient := world(t, Options{})
	a, b, pub := newClient(2), newClient(3), newClient(2)
	expect(t, a.do("subscribe one two one"),
		"*3 $9 subscribe $3 one :1 *3 $9 subscribe $3 two :2 *3 $9 subscribe $3 one :2")
	expect(t, b.do("psubscribe o*"), ">3 $10 psubscribe $2 o* :1")
	expect(t, b.do("subscribe one"), ">3 $9 subscribe $3 one :2")
	expect(t, pub.do("publish one hello"), ":3")
	expect(t, a.read(), "*3 $7 message $3 one $5 hello")
	expect(t, b.read(), ">3 $7 message $3 one $5 hello >4 $8 pmessage $2 o* $3 one $5 hello")
	expect(t, pub.do("publish three x"), ":0")

	expect(t, pub.do("pubsub channels t*"), "*1 $3 two")
	expect(t, pub.do("pubsub numsub one two three"), "*6 $3 one :2 $3 two :1 $5 three :0")
	expect(t, pub.do("pubsub numpat"), ":1")
	expect(t, pub.do("pubsub numsub"), "*0")
	expect(t, pub.do("pubsub channels a b"), "-ERR unknown subcommand or wrong number of arguments for 'channels'. Try PUBSUB HELP.")

	expect(t, a.do("unsubscribe none"), "*3 $11 unsubscribe $4 none :2")
	expect(t, a.do("unsubscribe"), "*3 $11 unsubscribe $3 one :1 *3 $11 unsubscribe $3 two :0")
	expect(t, a.do("unsubscribe"), "*3 $11 unsubscribe $-1 :0")
	expect(t, b.do("unsubscribe"), ">3 $11 unsubscribe $3 one :1")
	expect(t, b.do("unsubscribe"), ">3 $11 unsubscribe _ :1")
	expect(t, b.do("punsubscribe"), ">3 $12 punsubscribe $2 o* :0")
	expect(t, b.do("punsubscribe o* x"), ">3 $12 punsubscribe $2 o* :0 >3 $12 punsubscribe $1 x :0")
	expect(t, pub.do("publish one hello"), ":0")
	expect(t, pub.do("pubsub channels"), "*0")
	if a.subs.Active() || b.subs.Active() || b.subs.Bytes() != 0 {
		t.Error("subscriptions are left")
	}
}

func TestShardChannels(t *testing.T) {
	newClient := world(t, Options{})
	a, b := newClient(3), newClient(2)
	expect(t, a.do("ssubscribe {x}1 {x}2"), ">3 $10 ssubscribe $4 {x}1 :1 >3 $10 ssubscribe $4 {x}2 :2")
	expect(t, a.do("subscribe one"), ">3 $9 subscribe $3 one :1")
	expect(t, b.do("ssubscribe {x}1 {y}1"), "*3 $10 ssubscribe $4 {x}1 :1 *3 $10 ssubscribe $4 {y}1 :2")
	expect(t, b.do("spublish {x}1 hi"), ":2 *3 $8 smessage $4 {x}1 $2 hi")
	expect(t, a.read(), ">3 $8 smessage $4 {x}1 $2 hi")
	expect(t, b.do("publish {x}1 hi"), ":0")
	expect(t, b.do("pubsub shardnumsub {x}1 {x}2"), "*4 $4 {x}1 :2 $4 {x}2 :1")
	expect(t, b.do("pubsub shardchannels *2"), "*1 $4 {x}2")

	var lost slot.Set
	lost.Add(slot.OfString("{x}"))
	a.hub.DropSlots(&lost)
	if got := a.read(); !strings.HasPrefix(got, ">3 $12 sunsubscribe $4 {x}") || !strings.HasSuffix(got, ":0") {
		t.Error(got)
	}
	expect(t, b.read(), "*3 $12 sunsubscribe $4 {x}1 :1")
	expect(t, b.do("spublish {x}1 hi"), ":0")
	expect(t, b.do("sunsubscribe"), "*3 $12 sunsubscribe $4 {y}1 :0")
	expect(t, b.do("sunsubscribe"), "*3 $12 sunsubscribe $-1 :0")
	expect(t, strings.Join(a.subs.Channels(), " "), "one")
	a.hub.DropSlots(&lost)
	expect(t, a.read(), "")
}

func TestDenyBlocking(t *testing.T) {
	newClient := world(t, Options{})
	c := newClient(2)
	script := struct{ command.Client }{c}
	for _, line := range []string{"subscribe x", "psubscribe x", "ssubscribe x"} {
		c.run(line, script)
		expect(t, c.read(), "-ERR "+strings.ToUpper(line[:len(line)-2])+" isn't allowed for a DENY BLOCKING client")
	}
	c.multi = true
	expect(t, c.do("subscribe x"), "*3 $9 subscribe $1 x :1")
	expect(t, c.do("ssubscribe x"), "-ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client")
}

// A message that came before the end of a subscription is seen before it.
func TestOrderAroundUnsubscribe(t *testing.T) {
	newClient := world(t, Options{})
	a, b := newClient(2), newClient(2)
	a.do("subscribe x")
	b.do("publish x 1")
	expect(t, a.do("unsubscribe x"), "*3 $7 message $1 x $1 1 *3 $11 unsubscribe $1 x :0")
	a.do("subscribe x")
	a.multi = true
	b.do("publish x 2")
	expect(t, a.do("unsubscribe x"), "*3 $11 unsubscribe $1 x :0 *3 $7 message $1 x $1 2")
}

func TestHooks(t *testing.T) {
	var sent []string
	newClient := world(t, Options{
		Bus: func(channel, message []byte, shard bool) {
			sent = append(sent, fmt.Sprintf("%s %s %v", channel, message, shard))
		},
		Replicate: func(*command.Call) { t.Error("a cluster node replicated PUBLISH") },
	})
	a := newClient(3)
	a.do("publish x 1")
	a.do("subscribe x")
	a.do("ssubscribe x")
	a.do("publish x 2")
	a.do("spublish x 3")
	expect(t, strings.Join(sent, ", "), "x 1 false, x 2 false, x 3 true")
	a.hub.Publish([]byte("x"), []byte("4"))
	if len(sent) != 3 {
		t.Error("a message from the bus was sent back")
	}

	var logged []string
	newClient = world(t, Options{Replicate: func(c *command.Call) { logged = append(logged, c.Arg(0)) }})
	a = newClient(3)
	a.do("publish x 1")
	a.do("spublish x 1")
	expect(t, strings.Join(logged, " "), "publish spublish")
}

func TestForget(t *testing.T) {
	newClient := world(t, Options{})
	a := newClient(3)
	for i := range 100 {
		a.do(fmt.Sprintf("subscribe c%d", i))
		a.do(fmt.Sprintf("psubscribe p%d", i))
		a.do(fmt.Sprintf("ssubscribe s%d", i))
	}
	if c, p, s := a.hub.Counts(); c != 100 || p != 100 || s != 100 {
		t.Error(c, p, s)
	}
	a.hub.Forget(a)
	if c, p, s := a.hub.Counts(); c+p+s != 0 || a.subs.Active() {
		t.Error(c, p, s)
	}
	expect(t, a.do("publish c1 x"), ":0")
}

func TestKeyspaceEvents(t *testing.T) {
	newClient := world(t, Options{})
	a := newClient(2)
	const both = keyspace.EventKeyspace | keyspace.EventKeyevent
	var l keyspace.Listener = NewNotifier(a.hub)
	l.KeyEvent(0, keyspace.EventString|both, "set", []byte("k")) // nobody listens
	a.do("psubscribe __key*")
	l.KeyEvent(12, keyspace.EventString|both, "set", []byte("k"))
	expect(t, a.read(), "*4 $8 pmessage $6 __key* $17 __keyspace@12__:k $3 set "+
		"*4 $8 pmessage $6 __key* $19 __keyevent@12__:set $1 k")
	l.KeyEvent(0, keyspace.EventString|keyspace.EventKeyevent, "set", []byte("k"))
	expect(t, a.read(), "*4 $8 pmessage $6 __key* $18 __keyevent@0__:set $1 k")
}

// Many loops at once: no message is lost or doubled, and all subscribers of a
// channel see one order.
func TestManyAtOnce(t *testing.T) {
	const publishers, messages, readers = 4, 200, 3
	newClient := world(t, Options{})
	var all []*client
	for range readers {
		c := newClient(3)
		c.do("subscribe x")
		all = append(all, c)
	}
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			pub := newClient(2)
			for i := range messages {
				pub.do(fmt.Sprintf("publish x %d.%d", p, i))
			}
		})
		wg.Go(func() { // others come and go
			c := newClient(2)
			var lost slot.Set
			lost.Add(slot.OfString("y"))
			for range messages {
				c.do("subscribe x y")
				c.do("psubscribe x*")
				c.do("ssubscribe y")
				c.hub.DropSlots(&lost)
				c.do("unsubscribe x")
				c.hub.Forget(c)
			}
		})
	}
	wg.Wait()
	first := all[0].read()
	if n := strings.Count(first, "message"); n != publishers*messages {
		t.Errorf("%d messages of %d", n, publishers*messages)
	}
	for _, c := range all[1:] {
		if c.read() != first {
			t.Error("two subscribers saw different orders")
		}
	}
	for _, c := range all {
		c.hub.Forget(c)
	}
	if c, p, s := all[0].hub.Counts(); c+p+s != 0 {
		t.Error("topics are left:", c, p, s)
	}
}

func TestPublishAllocatesNothing(t *testing.T) {
	newClient := world(t, Options{})
	a := newClient(3)
	who := &deaf{}
	n := NewNotifier(a.hub)
	channel, message := []byte("channel"), []byte("message")
	publish := func() {
		a.hub.Publish(channel, message)
		a.hub.PublishShard(channel, message)
		n.KeyEvent(0, keyspace.EventString|keyspace.EventKeyspace|keyspace.EventKeyevent, "set", channel)
	}
	if allocs := testing.AllocsPerRun(100, publish); allocs != 0 {
		t.Errorf("to nobody: %v allocations", allocs)
	}
	a.hub.join(who, channels, channel)
	a.hub.join(who, patterns, []byte("ch*"))
	a.hub.join(who, patterns, []byte("__key*"))
	a.hub.join(who, shardChannels, channel)
	if allocs := testing.AllocsPerRun(100, publish); allocs != 0 {
		t.Errorf("to somebody: %v allocations", allocs)
	}
}

// deaf takes messages and forgets them.
type deaf struct{ subs Subscriptions }

func (*deaf) Deliver([]byte) int              { return 0 }
func (*deaf) PushProto() int                  { return 3 }
func (*deaf) TakeMail()                       {}
func (d *deaf) Subscriptions() *Subscriptions { return &d.subs }

func BenchmarkPublishToNobody(b *testing.B) {
	h := New(Options{})
	channel := []byte("channel")
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			h.Publish(channel, channel)
		}
	})
}

func BenchmarkPublishToOne(b *testing.B) {
	h := New(Options{})
	channel := []byte("channel")
	h.join(&deaf{}, channels, channel)
	for b.Loop() {
		h.Publish(channel, channel)
	}
}
