package nodesconf

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/topology"
)

const (
	idA = "243ca032e358ddded0ac3b42acc4fa2f92998e03"
	idB = "bdc201191c6baeaf642cc65e6abc1bb9844d0817"
	idC = "e288cec3d5f5d046622c1b8d99fdbf54f367f499"

	shardA = "69d5680e4f4f1ee7c1de144c23350cfa67999a85"
	shardB = "6bd1dd923c895ee066420cdc93efb4b5ca63740b"
)

// golden returns the files of testdata. Those of redis were written by real servers: four nodes, one with
// host and node name, one frozen until the others called it failed, a replica, two open slots.
func golden(t testing.TB, pattern string) map[string][]byte {
	files, _ := filepath.Glob("testdata/" + pattern)
	if len(files) == 0 {
		t.Fatal("no files like", pattern)
	}
	contents := map[string][]byte{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		contents[filepath.Base(file)] = data
	}
	return contents
}

func parse(t testing.TB, text string) State {
	t.Helper()
	s, err := Parse([]byte(text), false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRedis72FilesComeBackByteForByte(t *testing.T) {
	for name, data := range golden(t, "redis-7.2.4-*") {
		s := parse(t, string(data))
		if got := string(Format(&s)); got != string(data) {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", name, got, data)
		}
	}
}

// A 7.0 file has the same lines without the named fields.
func TestRedis70Files(t *testing.T) {
	for name, data := range golden(t, "redis-7.0.15-*") {
		s := parse(t, string(data))
		got := strings.ReplaceAll(string(Format(&s)), ",tls-port=0", "")
		got = strings.ReplaceAll(got, ", ", " ")
		if got != string(data) {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", name, got, data)
		}
		for _, node := range s.Nodes {
			if !node.ShardID.IsZero() {
				t.Errorf("%s: shard id %s from nowhere", name, node.ShardID)
			}
		}
	}
}

func TestWhatAFileSays(t *testing.T) {
	s := parse(t, string(golden(t, "redis-7.2.4-0.conf")["redis-7.2.4-0.conf"]))
	if s.Me != 1 || len(s.Nodes) != 4 || s.CurrentEpoch != 3 {
		t.Fatalf("me %d of %d, epoch %d", s.Me, len(s.Nodes), s.CurrentEpoch)
	}
	want := topology.Node{
		ID: must(idC), ShardID: must(shardA), Flags: bus.FlagMaster | bus.FlagNoFailover, Master: topology.NoNode,
		IP: "127.0.0.1", Port: 17301, BusPort: 27301, Hostname: "node-1.example.org", Nodename: "shelf-1",
		PongReceivedMs: 1795314983164, Connected: true,
	}
	if s.Nodes[3] != want {
		t.Errorf("got  %+v\nwant %+v", s.Nodes[3], want)
	}
	if replica := s.Nodes[0]; replica.Master != 3 || !replica.Flags.Has(bus.FlagSlave) {
		t.Errorf("the replica is %+v", replica)
	}
	if failed := s.Nodes[2]; !failed.Flags.Has(bus.FlagFail) || failed.PingSentMs != 1795314977738 || failed.ConfigEpoch != 2 {
		t.Errorf("the failed master is %+v", failed)
	}
	open := []topology.OpenSlot{{Slot: 77, Peer: 3}, {Slot: 5500, Importing: true, Peer: 3}}
	if !reflect.DeepEqual(s.Open, open) {
		t.Errorf("open slots %+v", s.Open)
	}
	for slot, owner := range map[int]uint16{0: 1, 5000: 1, 5001: topology.NoNode, 5002: 1, 5460: 1, 5461: 3, 10923: 2, 16383: 2} {
		if s.Owners[slot] != owner {
			t.Errorf("slot %d belongs to %d", slot, s.Owners[slot])
		}
	}
}

func must(id string) nodeid.ID {
	parsed, err := nodeid.Parse(id)
	if err != nil {
		panic(err)
	}
	return parsed
}

func TestValkeyFile(t *testing.T) {
	s := parse(t, string(golden(t, "valkey-*")["valkey-8.1.conf"]))
	if me := s.Nodes[s.Me]; me.ShardID != must(shardB) || me.Port != 17300 || len(s.Nodes) != 3 {
		t.Errorf("%+v", me)
	}
}

// "Regular config lines have ... ip:port[@cport][,hostname][,aux=val]*"
func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		address string
		tls     bool
		want    topology.Node
	}{
		{"1.2.3.4:7000", false, topology.Node{IP: "1.2.3.4", Port: 7000, BusPort: 17000}},
		{"1.2.3.4:7000@7", false, topology.Node{IP: "1.2.3.4", Port: 7000, BusPort: 7}},
		{"1.2.3.4:7000@7", true, topology.Node{IP: "1.2.3.4", TLSPort: 7000, BusPort: 7}},
		{"::1:7000@7,host", false, topology.Node{IP: "::1", Port: 7000, BusPort: 7, Hostname: "host"}},
		{":0@0,", false, topology.Node{}},
		{":0@0,,tls-port=8", false, topology.Node{TLSPort: 8}},
		{":9@0,,tcp-port=8", true, topology.Node{Port: 8, TLSPort: 9}},
		{":9@0,,tls-port=8", true, topology.Node{Port: 9, TLSPort: 8}},
		{":9@0,,tcp-port=7,nodename=n,tls-port=8,shard-id=" + shardA, false,
			topology.Node{Port: 7, TLSPort: 8, Nodename: "n", ShardID: must(shardA)}},
	} {
		s, err := Parse([]byte(idA+" "+c.address+" myself,master - 0 0 0 connected\n"), c.tls)
		if err != nil {
			t.Errorf("%s: %v", c.address, err)
			continue
		}
		c.want.ID, c.want.Master, c.want.Flags = must(idA), topology.NoNode, bus.FlagMyself|bus.FlagMaster
		c.want.Connected = true
		if s.Nodes[0] != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", c.address, s.Nodes[0], c.want)
		}
	}
}

const (
	lineMe      = idB + " 127.0.0.1:7000@17000,,tls-port=0,shard-id=" + shardB + " myself,master - 0 0 1 connected 0-5"
	lineReplica = idA + " 127.0.0.1:7001@17001 slave " + idB + " 0 0 9 connected"
)

func TestLoadRules(t *testing.T) {
	// "blank lines skipped; vars pairs anywhere, unknown ones skipped"
	s := parse(t, "\nvars lastVoteEpoch 4 futureThing x currentEpoch 2\n   \n"+lineReplica+"\n\n"+lineMe+"\n\n\n")
	if s.LastVoteEpoch != 4 || s.CurrentEpoch != 2 || len(s.Nodes) != 2 {
		t.Errorf("%+v", s)
	}
	// "no shard-id: master's", although the master's line comes later; "replica's epoch -> 0"
	if replica := s.Nodes[0]; replica.ShardID != must(shardB) || replica.ConfigEpoch != 0 {
		t.Errorf("replica %+v", replica)
	}
	// "currentEpoch raised to the max"
	if s := parse(t, "vars currentEpoch 0 lastVoteEpoch 0\n"+lineMe); s.CurrentEpoch != 1 {
		t.Errorf("current epoch %d", s.CurrentEpoch)
	}
	// A replica that contradicts its master about their shard follows it.
	s = parse(t, lineMe+"\n"+strings.Replace(lineReplica, " slave", ",,shard-id="+shardA+" slave", 1))
	if s.Nodes[1].ShardID != must(shardB) {
		t.Errorf("shard id %s", s.Nodes[1].ShardID)
	}
	// Nodes that are only referred to come into being, after the others.
	s = parse(t, lineMe+" [9->-"+idC+"] [3-<-"+idA+"] [3->-"+idC+"]\n"+lineReplica)
	want := []topology.OpenSlot{{Slot: 3, Peer: 2}, {Slot: 3, Importing: true, Peer: 1}, {Slot: 9, Peer: 2}}
	if len(s.Nodes) != 3 || s.Nodes[2].ID != must(idC) || !reflect.DeepEqual(s.Open, want) {
		t.Errorf("%+v", s)
	}
}

func TestDamage(t *testing.T) {
	edit := func(old, new string) string { return strings.Replace(lineMe, old, new, 1) }
	for _, c := range []struct {
		text string
		line int
		want string
	}{
		{"", 0, "no node is flagged myself"},
		{lineReplica, 0, "no node is flagged myself"},
		{lineMe + "\n" + lineMe, 2, "has a line already"},
		{lineMe + "\n" + strings.Replace(lineMe, idB, idA, 1), 2, "a second node is flagged myself"},
		{"\n\n" + edit("connected 0-5", ""), 3, "7 fields"},
		{edit(idB, idB[:39]), 1, "40 lower-case hexadecimal digits"},
		{edit(idB, strings.ToUpper(idB)), 1, "40 lower-case hexadecimal digits"},
		{edit(idB, "z"+idB[1:]), 1, `digits: "z`},
		{edit("127.0.0.1:7000@17000", "127.0.0.1"), 1, "no port in the address"},
		{edit("127.0.0.1", strings.Repeat("1", 46)), 1, "too long"},
		{edit(":7000@", ":70000@"), 1, `not a port: "70000"`},
		{edit("@17000", "@x"), 1, `not a port: "x"`},
		{edit(":7000@17000", ":60000"), 1, `not a port: "70000"`},
		{edit("tls-port=0", "tls-port"), 1, "is not name=value"},
		{edit("tls-port=0", ""), 1, "is not name=value"},
		{edit("tls-port=0", "tls-port=x"), 1, `not a port: "x"`},
		{edit("tls-port=0", "tcp-port="), 1, `not a port: ""`},
		{edit("tls-port=0", "colour=red"), 1, `unknown field "colour"`},
		{edit("tls-port=0", "nodename=a=b"), 1, "invalid nodename"},
		{edit(shardB, shardB[1:]), 1, "40 lower-case hexadecimal digits"},
		{edit("master", "boss"), 1, `unknown flag "boss"`},
		{edit("master", "master,"), 1, `unknown flag ""`},
		{edit("master -", "master x"), 1, "40 lower-case hexadecimal digits"},
		{edit("master -", "slave "+idB), 1, "replicates itself"},
		{edit("0 0 1", "0 0 1x"), 1, "are numbers"},
		{edit("0 0 1", "0 - 1"), 1, "are numbers"},
		{edit("0-5", "0-16384"), 1, "not a range of slots"},
		{edit("0-5", "5-0"), 1, "not a range of slots"},
		{edit("0-5", "-"), 1, "not a range of slots"},
		{edit("0-5", "1-2-3"), 1, "not a range of slots"},
		{edit("0-5", "0-5 5"), 1, "slot 5 has an owner already"},
		{edit("0-5", "[1->-"+idA), 1, "not an open slot"},
		{edit("0-5", "[1-"+idA+"]"), 1, "not an open slot"},
		{edit("0-5", "[16384->-"+idA+"]"), 1, "not an open slot"},
		{edit("0-5", "[1-<-"+idA+"] [1-<-"+idC+"]"), 1, "slot 1 is opened twice"},
		{edit("0-5", "[1-<-]"), 1, "40 lower-case hexadecimal digits"},
		{lineMe + "\nvars currentEpoch", 2, "a variable without a value"},
		{lineMe + "\nvars currentEpoch many", 2, `currentEpoch is not a number: "many"`},
		{lineMe + "\n" + strings.Repeat("\x00", 512), 2, "1 fields"},
	} {
		_, err := Parse([]byte(c.text), false)
		var lineErr *LineError
		if !errors.As(err, &lineErr) || lineErr.Line != c.line || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant line %d: … %s", c.text, err, c.line, c.want)
		}
	}
}

func TestFormatGuardsTheFile(t *testing.T) {
	s := parse(t, lineMe)
	s.Nodes[0].Hostname = "two words"
	s.Nodes[0].Nodename = "x,shard-id="
	s.Nodes = append(s.Nodes, topology.Node{ID: must(idC), Flags: bus.FlagHandshake, Master: topology.NoNode})
	want := lineMe + "\nvars currentEpoch 1 lastVoteEpoch 0\n"
	if got := string(Format(&s)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, data := range golden(f, "*.conf") {
		f.Add(data, false)
	}
	f.Add([]byte(lineMe+" [3-<-"+idA+"] [3->-"+idC+"]\n"+lineReplica), true)
	f.Fuzz(func(t *testing.T, data []byte, tls bool) {
		s, err := Parse(data, tls)
		if err != nil {
			var lineErr *LineError
			if !errors.As(err, &lineErr) {
				t.Fatalf("an error without a line: %v", err)
			}
			return
		}
		checkIndices(t, &s)
		// What was understood is written so that it is understood again, and then stays the same.
		first := Format(&s)
		again, err := Parse(first, false)
		if err != nil {
			if s.Nodes[s.Me].Flags.Has(bus.FlagHandshake) {
				return // such a node is not written
			}
			t.Fatalf("%v\n%s", err, first)
		}
		if second := Format(&again); string(first) != string(second) {
			t.Fatalf("first\n%s\nthen\n%s", first, second)
		}
	})
}

func checkIndices(t *testing.T, s *State) {
	n := uint16(len(s.Nodes))
	for _, node := range s.Nodes {
		if node.Master != topology.NoNode && node.Master >= n {
			t.Fatalf("master %d of %d", node.Master, n)
		}
	}
	for _, owner := range s.Owners {
		if owner != topology.NoNode && owner >= n {
			t.Fatalf("owner %d of %d", owner, n)
		}
	}
	for _, open := range s.Open {
		if open.Peer >= n || open.Slot >= slot.Count {
			t.Fatalf("open %+v", open)
		}
	}
}
