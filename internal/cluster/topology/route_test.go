package topology

import (
	"testing"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// The cluster of these tests: me (0) with slots 0-99, another master (1) with 100-199, its replica (2).
// Slot 10 migrates from me to the other, slot 110 the other way. Slots from 200 on have no owner.
const (
	me, other, replica = 0, 1, 2

	mine, hers, orphan   = 5, 105, 205
	migrating, importing = 10, 110
)

func testCluster() Cluster {
	c := Cluster{
		Nodes: []Node{
			{ID: nodeid.ID{1}, ShardID: nodeid.ID{0xa}, Flags: bus.FlagMyself | bus.FlagMaster, Master: NoNode,
				IP: "10.0.0.1", Port: 7001, TLSPort: 8001, BusPort: 17001, ConfigEpoch: 1, ReplOffset: 70},
			{ID: nodeid.ID{2}, ShardID: nodeid.ID{0xb}, Flags: bus.FlagMaster, Master: NoNode, IP: "10.0.0.2", Port: 7002,
				TLSPort: 8002, BusPort: 17002, Hostname: "two.example", ConfigEpoch: 2, ReplOffset: 90, Connected: true},
			{ID: nodeid.ID{3}, ShardID: nodeid.ID{0xb}, Flags: bus.FlagSlave, Master: other, IP: "10.0.0.3", Port: 7003,
				BusPort: 17003, PongReceivedMs: 1426238317239, ReplOffset: 80, Connected: true},
		},
		Me:     me,
		Owners: new(Owners),
		Open:   []OpenSlot{{Slot: migrating, Peer: other}, {Slot: importing, Importing: true, Peer: other}},
	}
	for s := range c.Owners {
		switch {
		case s < 100:
			c.Owners[s] = me
		case s < 200:
			c.Owners[s] = other
		default:
			c.Owners[s] = NoNode
		}
	}
	return c
}

// seenBy returns the same cluster from another node's point of view.
func seenBy(i uint16) Cluster {
	c := testCluster()
	c.Nodes[c.Me].Flags &^= bus.FlagMyself
	c.Nodes[i].Flags |= bus.FlagMyself
	c.Me, c.Open = i, nil
	return c
}

func keys(present, missing int, distinct bool) func() KeyFacts {
	return func() KeyFacts { return KeyFacts{present, missing, distinct} }
}

var (
	noReads    = Config{AllowPubSubShardWhenDown: true} // redis's defaults
	allowReads = Config{AllowReadsWhenDown: true, AllowPubSubShardWhenDown: true}
	noPubSub   = Config{AllowReadsWhenDown: true}
)

// Each case quotes the row of the table "Redirects and errors, in the order they are decided" that it
// proves, "/" where two rows compete.
func TestRouteDecidesInRedisOrder(t *testing.T) {
	up, down := bus.StateOK, bus.StateFail
	for _, c := range []struct {
		row    string
		state  bus.State
		config Config
		from   uint16
		r      Request
		want   string
	}{
		{"slot of the first key has no owner in my table", up, noReads, me, Request{Slot: orphan},
			"CLUSTERDOWN Hash slot not served"},
		{"before any other test: crossslot", up, noReads, me, Request{Slot: orphan, CrossSlot: true},
			"CLUSTERDOWN Hash slot not served"},
		{"before any other test: cluster down", down, noReads, me, Request{Slot: orphan},
			"CLUSTERDOWN Hash slot not served"},
		{"also with allow-reads", down, allowReads, me, Request{Slot: orphan}, "CLUSTERDOWN Hash slot not served"},

		{"a later key has another slot", up, noReads, me, Request{Slot: mine, CrossSlot: true},
			"CROSSSLOT Keys in request don't hash to the same slot"},
		{"a later key has another slot / not mine", up, noReads, me, Request{Slot: hers, CrossSlot: true},
			"CROSSSLOT Keys in request don't hash to the same slot"},
		{"a later key has another slot / cluster down", down, noReads, me, Request{Slot: mine, CrossSlot: true},
			"CROSSSLOT Keys in request don't hash to the same slot"},

		{"state is not ok and allow-reads-when-down no", down, noReads, me, Request{Slot: mine},
			"CLUSTERDOWN The cluster is down"},
		{"state is not ok / not mine", down, noReads, me, Request{Slot: hers}, "CLUSTERDOWN The cluster is down"},
		{"state is not ok / MIGRATE on an open slot", down, noReads, me, Request{Slot: migrating, Migrate: true},
			"CLUSTERDOWN The cluster is down"},
		{"shard pub/sub with allow-pubsubshard-when-down no", down, noPubSub, me, Request{Slot: mine, ShardPubSub: true},
			"CLUSTERDOWN The cluster is down"},
		{"shard pub/sub with allow-pubsubshard-when-down yes", down, noReads, me, Request{Slot: mine, ShardPubSub: true}, ""},
		{"shard pub/sub elsewhere, cluster down", down, noReads, me, Request{Slot: hers, ShardPubSub: true},
			"MOVED 105 10.0.0.2:7002"},

		{"allow-reads yes, command writes", down, allowReads, me, Request{Slot: mine, Write: true},
			"CLUSTERDOWN The cluster is down and only accepts read commands"},
		{"allow-reads yes, command reads", down, allowReads, me, Request{Slot: mine}, ""},
		{"allow-reads yes, command reads / not mine", down, allowReads, me, Request{Slot: hers}, "MOVED 105 10.0.0.2:7002"},
		{"allow-reads yes, EXEC has no write flag itself", down, allowReads, me, Request{Slot: mine, ExecWrites: true}, ""},

		{"MIGRATE on an open slot: migrating", up, noReads, me,
			Request{Slot: migrating, Write: true, Migrate: true, Keys: keys(0, 1, false)}, ""},
		{"MIGRATE on an open slot: importing", up, noReads, me,
			Request{Slot: importing, Write: true, Migrate: true, Keys: keys(0, 1, false)}, ""},

		{"migrating: some keys here, some missing", up, noReads, me, Request{Slot: migrating, Keys: keys(1, 1, true)},
			"TRYAGAIN Multiple keys request during rehashing of slot"},
		{"importing and ASKING: two distinct keys and one missing", up, noReads, me,
			Request{Slot: importing, Asking: true, Keys: keys(1, 1, true)},
			"TRYAGAIN Multiple keys request during rehashing of slot"},
		{"importing and ASKING: two distinct keys and both missing", up, noReads, me,
			Request{Slot: importing, Asking: true, Keys: keys(0, 2, true)},
			"TRYAGAIN Multiple keys request during rehashing of slot"},

		{"migrating and all keys missing", up, noReads, me, Request{Slot: migrating, Keys: keys(0, 1, false)},
			"ASK 10 10.0.0.2:7002"},
		{"migrating and all of several keys missing", up, noReads, me, Request{Slot: migrating, Keys: keys(0, 2, true)},
			"ASK 10 10.0.0.2:7002"},
		{"migrating, all keys here", up, noReads, me, Request{Slot: migrating, Write: true, Keys: keys(2, 0, true)}, ""},
		{"migrating, a channel is no key", up, noReads, me,
			Request{Slot: migrating, ShardPubSub: true, Keys: keys(0, 1, false)}, ""},
		{"migrating, cluster down, reads allowed", down, allowReads, me, Request{Slot: migrating, Keys: keys(0, 1, false)},
			"ASK 10 10.0.0.2:7002"},

		{"importing and ASKING", up, noReads, me, Request{Slot: importing, Asking: true, Keys: keys(0, 1, false)}, ""},
		{"importing and ASKING, one key named twice", up, noReads, me,
			Request{Slot: importing, Asking: true, Keys: keys(0, 2, false)}, ""},
		{"importing and ASKING, all keys here", up, noReads, me,
			Request{Slot: importing, Asking: true, Keys: keys(2, 0, true)}, ""},
		{"importing without ASKING", up, noReads, me, Request{Slot: importing, Keys: keys(1, 0, false)},
			"MOVED 110 10.0.0.2:7002"},
		{"ASKING without importing", up, noReads, me, Request{Slot: hers, Asking: true}, "MOVED 105 10.0.0.2:7002"},

		{"READONLY client, non-write, I am a replica of the owner", up, noReads, replica,
			Request{Slot: hers, ReadOnly: true}, ""},
		{"shard pub/sub, I am a replica of the owner", up, noReads, replica, Request{Slot: hers, ShardPubSub: true}, ""},
		{"READONLY client that writes", up, noReads, replica, Request{Slot: hers, ReadOnly: true, Write: true},
			"MOVED 105 10.0.0.2:7002"},
		{"READONLY client whose EXEC writes", up, noReads, replica, Request{Slot: hers, ReadOnly: true, ExecWrites: true},
			"MOVED 105 10.0.0.2:7002"},
		{"no READONLY", up, noReads, replica, Request{Slot: hers}, "MOVED 105 10.0.0.2:7002"},
		{"I am a replica of another node", up, noReads, replica, Request{Slot: mine, ReadOnly: true}, "MOVED 5 10.0.0.1:7001"},
		{"READONLY client, cluster down, reads allowed", down, allowReads, replica, Request{Slot: hers, ReadOnly: true}, ""},
		{"READONLY on a master", up, noReads, me, Request{Slot: hers, ReadOnly: true}, "MOVED 105 10.0.0.2:7002"},

		{"owner is not me", up, noReads, me, Request{Slot: hers}, "MOVED 105 10.0.0.2:7002"},
		{"owner is me", up, noReads, me, Request{Slot: mine, Write: true}, ""},
	} {
		cluster := testCluster()
		if c.from != me {
			cluster = seenBy(c.from)
		}
		v := NewView(cluster, c.state, c.config)
		if got := string(v.AppendError(nil, v.Route(&c.r), false)); got != c.want {
			t.Errorf("%s: %q, not %q", c.row, got, c.want)
		}
	}
}

func TestRedirectsNameThePreferredEndpoint(t *testing.T) {
	for _, c := range []struct {
		kind Endpoint
		from uint16
		slot uint16
		tls  bool
		want string
	}{
		{EndpointIP, me, hers, false, "MOVED 105 10.0.0.2:7002"},
		{EndpointIP, me, hers, true, "MOVED 105 10.0.0.2:8002"},
		{EndpointHostname, me, hers, false, "MOVED 105 two.example:7002"},
		{EndpointHostname, other, mine, false, "MOVED 5 ?:7001"},
		{EndpointUnknown, me, hers, false, "MOVED 105 :7002"},
		{EndpointUnknown, me, migrating, true, "ASK 10 :8002"},
	} {
		cluster := testCluster()
		if c.from != me {
			cluster = seenBy(c.from)
		}
		v := NewView(cluster, bus.StateOK, Config{Endpoint: c.kind})
		d := v.Route(&Request{Slot: c.slot, Keys: keys(0, 1, false)})
		if got := string(v.AppendError(nil, d, c.tls)); got != c.want {
			t.Errorf("%q, not %q", got, c.want)
		}
	}
}

// "Blocked clients are re-checked: cluster fail; slot now elsewhere and not importing -> MOVED; unassigned."
func TestRouteBlocked(t *testing.T) {
	for _, c := range []struct {
		row             string
		state           bus.State
		from            uint16
		slot            uint16
		readOnly, write bool
		want            string
	}{
		{"still mine", bus.StateOK, me, mine, false, true, ""},
		{"migrating is still mine", bus.StateOK, me, migrating, false, true, ""},
		{"importing", bus.StateOK, me, importing, false, true, ""},
		{"elsewhere", bus.StateOK, me, hers, false, true, "MOVED 105 10.0.0.2:7002"},
		{"unassigned", bus.StateOK, me, orphan, false, true, "CLUSTERDOWN Hash slot not served"},
		{"cluster fail", bus.StateFail, me, mine, false, true, "CLUSTERDOWN The cluster is down"},
		{"cluster fail, before unassigned", bus.StateFail, me, orphan, false, false, "CLUSTERDOWN The cluster is down"},
		{"a reader on a replica of the owner", bus.StateOK, replica, hers, true, false, ""},
		{"a writer on a replica of the owner", bus.StateOK, replica, hers, true, true, "MOVED 105 10.0.0.2:7002"},
		{"no READONLY on a replica of the owner", bus.StateOK, replica, hers, false, false, "MOVED 105 10.0.0.2:7002"},
	} {
		cluster := testCluster()
		if c.from != me {
			cluster = seenBy(c.from)
		}
		v := NewView(cluster, c.state, allowReads)
		if got := string(v.AppendError(nil, v.RouteBlocked(c.slot, c.readOnly, c.write), false)); got != c.want {
			t.Errorf("%s: %q, not %q", c.row, got, c.want)
		}
	}
}

// The prepared bits must never say more than the long way round.
func TestFastPathAgreesWithRoute(t *testing.T) {
	for _, state := range []bus.State{bus.StateOK, bus.StateFail} {
		for _, from := range []uint16{me, other, replica} {
			cluster := testCluster()
			if from != me {
				cluster = seenBy(from)
			}
			v := NewView(cluster, state, noReads)
			served, readable := 0, 0
			for s := range uint16(slot.Count) {
				write := Request{Slot: s, Write: true, Asking: true, Keys: keys(0, 2, true)}
				read := Request{Slot: s, ReadOnly: true, Keys: keys(0, 2, true)}
				if v.Serves(s) {
					served++
					if d := v.Route(&write); d.Verdict != Serve {
						t.Fatalf("node %d slot %d: served at once, but Route says %v", from, s, d)
					}
				}
				if v.ServesReads(s) {
					readable++
					if d := v.Route(&read); d.Verdict != Serve {
						t.Fatalf("node %d slot %d: read at once, but Route says %v", from, s, d)
					}
				}
			}
			want := map[uint16][2]int{me: {99, 99}, other: {100, 100}, replica: {0, 100}}[from]
			if state != bus.StateOK {
				want = [2]int{}
			}
			if served != want[0] || readable != want[1] {
				t.Errorf("node %d, state %s: serves %d and reads %d slots", from, state, served, readable)
			}
		}
	}
}

// A replica that does not know its master must not take orphan slots for its master's.
func TestReplicaOfNobody(t *testing.T) {
	c := seenBy(replica)
	c.Nodes[replica].Master = NoNode
	v := NewView(c, bus.StateOK, noReads)
	for _, s := range []uint16{hers, orphan} {
		if v.ServesReads(s) || v.Route(&Request{Slot: s, ReadOnly: true}).Verdict == Serve {
			t.Errorf("slot %d is served", s)
		}
	}
}

func TestRouteAllocatesNothing(t *testing.T) {
	v := NewView(testCluster(), bus.StateOK, noReads)
	r := Request{Slot: migrating, Keys: keys(0, 1, false)}
	buf := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		if v.Serves(hers) {
			t.Fail()
		}
		buf = v.AppendError(buf[:0], v.Route(&r), false)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkServes(b *testing.B) {
	v := NewView(testCluster(), bus.StateOK, noReads)
	for i := 0; b.Loop(); i++ {
		v.Serves(uint16(i) % slot.Count)
	}
}

func BenchmarkRouteMoved(b *testing.B) {
	v := NewView(testCluster(), bus.StateOK, noReads)
	buf := make([]byte, 0, 64)
	r := Request{Slot: hers}
	for b.Loop() {
		buf = v.AppendError(buf[:0], v.Route(&r), false)
	}
}
