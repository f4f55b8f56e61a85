package topology

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
)

func idText(first byte) string { return nodeid.ID{first}.String() }

func TestNodes(t *testing.T) {
	c := testCluster()
	c.Nodes = append(c.Nodes, Node{ID: nodeid.ID{4}, Flags: bus.FlagHandshake, Master: NoNode, IP: "10.0.0.4", Port: 7004,
		BusPort: 17004}, Node{ID: nodeid.ID{5}, Flags: bus.FlagMaster | bus.FlagFail | bus.FlagNoAddr | bus.FlagMigrateTo,
		Master: NoNode, PingSentMs: 17})
	c.Owners[0], c.Owners[16383] = other, other
	want := strings.Join([]string{
		idText(1) + " 10.0.0.1:7001@17001 myself,master - 0 0 1 connected 1-99 [10->-" + idText(2) + "] [110-<-" + idText(2) + "]",
		idText(2) + " 10.0.0.2:7002@17002,two.example master - 0 0 2 connected 0 100-199 16383",
		idText(3) + " 10.0.0.3:7003@17003 slave " + idText(2) + " 0 1426238317239 2 connected",
		idText(4) + " 10.0.0.4:7004@17004 handshake - 0 0 0 disconnected",
		idText(5) + " :0@0 master,fail,noaddr - 17 0 0 disconnected",
		"",
	}, "\n")
	if got := string(c.AppendNodes(nil, false)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := string(c.AppendNodes(nil, true)); !strings.Contains(got, "10.0.0.1:8001@17001 ") {
		t.Errorf("to a TLS client:\n%s", got)
	}
}

// A slot that is open both ways is shown once, as redis does.
func TestSlotOpenBothWays(t *testing.T) {
	c := testCluster()
	c.Open = []OpenSlot{{Slot: 7, Peer: other}, {Slot: 7, Importing: true, Peer: replica}}
	line := string(c.AppendNode(nil, me, nil, false))
	if want := " connected [7->-" + idText(2) + "]"; !strings.HasSuffix(line, want) {
		t.Errorf("%q does not end in %q", line, want)
	}
}

func show(fields []Field) string {
	var parts []string
	for _, f := range fields {
		if f.IsNumber {
			parts = append(parts, fmt.Sprintf("%s:%d", f.Name, f.Number))
		} else {
			parts = append(parts, fmt.Sprintf("%s:%q", f.Name, f.Text))
		}
	}
	return strings.Join(parts, " ")
}

func TestSlotRanges(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(s *Snapshot)
		tls  bool
		want []string
	}{
		{"ip", nil, false, []string{
			"0-99 10.0.0.1:7001[]",
			"100-199 10.0.0.2:7002[hostname:\"two.example\"] 10.0.0.3:7003[]"}},
		{"tls client", nil, true, []string{
			"0-99 10.0.0.1:8001[]",
			"100-199 10.0.0.2:8002[hostname:\"two.example\"] 10.0.0.3:0[]"}},
		{"hostname", func(s *Snapshot) { s.Config.Endpoint = EndpointHostname }, false, []string{
			"0-99 ?:7001[ip:\"10.0.0.1\"]",
			"100-199 two.example:7002[ip:\"10.0.0.2\"] ?:7003[ip:\"10.0.0.3\"]"}},
		{"unknown endpoint", func(s *Snapshot) { s.Config.Endpoint = EndpointUnknown }, false, []string{
			"0-99 (nil):7001[ip:\"10.0.0.1\"]",
			"100-199 (nil):7002[ip:\"10.0.0.2\" hostname:\"two.example\"] (nil):7003[ip:\"10.0.0.3\"]"}},
		{"replica without its first sync", func(s *Snapshot) { s.Nodes[replica].ReplOffset = 0 }, false, []string{
			"0-99 10.0.0.1:7001[]", "100-199 10.0.0.2:7002[hostname:\"two.example\"]"}},
		{"both of a shard failed: the owner stays", func(s *Snapshot) {
			s.Nodes[replica].Flags |= bus.FlagFail
			s.Nodes[other].Flags |= bus.FlagFail
		}, false, []string{"0-99 10.0.0.1:7001[]", "100-199 10.0.0.2:7002[hostname:\"two.example\"]"}},
		{"scattered slots", func(s *Snapshot) {
			for i := range s.Owners {
				s.Owners[i] = NoNode
			}
			s.Owners[3], s.Owners[4], s.Owners[5], s.Owners[16383] = me, me, other, me
			s.Nodes[replica].ReplOffset = 0
		}, false, []string{"3-4 10.0.0.1:7001[]", "5-5 10.0.0.2:7002[hostname:\"two.example\"]", "16383-16383 10.0.0.1:7001[]"}},
	} {
		s := Snapshot{Cluster: testCluster()}
		if c.edit != nil {
			c.edit(&s)
		}
		var got []string
		for _, r := range s.SlotRanges(c.tls) {
			line := fmt.Sprintf("%d-%d", r.Start, r.End)
			for _, n := range r.Nodes {
				endpoint := n.Endpoint
				if !n.HasEndpoint {
					endpoint = "(nil)"
				}
				line += fmt.Sprintf(" %s:%d[%s]", endpoint, n.Port, show(n.Extra))
			}
			got = append(got, line)
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

func TestShards(t *testing.T) {
	s := Snapshot{Cluster: testCluster()}
	s.Nodes = append(s.Nodes,
		Node{ID: nodeid.ID{4}, Flags: bus.FlagHandshake, Master: NoNode},
		Node{ID: nodeid.ID{5}, ShardID: nodeid.ID{0xb}, Flags: bus.FlagSlave, Master: other, IP: "10.0.0.5", TLSPort: 8005})
	s.Nodes[other].Flags |= bus.FlagPFail
	s.Nodes[replica].Flags |= bus.FlagFail
	shards := s.Shards()
	if len(shards) != 2 {
		t.Fatalf("%d shards", len(shards))
	}
	want := [][]string{{
		`id:"` + idText(1) + `" port:7001 tls-port:8001 ip:"10.0.0.1" endpoint:"10.0.0.1" role:"master" replication-offset:70 health:"online"`,
	}, {
		`id:"` + idText(2) + `" port:7002 tls-port:8002 ip:"10.0.0.2" endpoint:"10.0.0.2" hostname:"two.example" role:"master" replication-offset:90 health:"online"`,
		`id:"` + idText(3) + `" port:7003 ip:"10.0.0.3" endpoint:"10.0.0.3" role:"replica" replication-offset:80 health:"fail"`,
		`id:"` + idText(5) + `" tls-port:8005 ip:"10.0.0.5" endpoint:"10.0.0.5" role:"replica" replication-offset:0 health:"loading"`,
	}}
	for i, shard := range shards {
		if got := []slot.Range{{Start: uint16(100 * i), End: uint16(100*i + 99)}}; fmt.Sprint(got) != fmt.Sprint(shard.Slots) {
			t.Errorf("shard %d has slots %v", i, shard.Slots)
		}
		for j, node := range shard.Nodes {
			if got := show(node); got != want[i][j] {
				t.Errorf("shard %d node %d:\n got %s\nwant %s", i, j, got, want[i][j])
			}
		}
	}
}

func TestLinks(t *testing.T) {
	s := Snapshot{Cluster: testCluster(), Links: []Link{
		{Node: other, CreatedMs: 1700, Reading: true, Writing: true, SendBufferBytes: 4352},
		{Node: replica, Inbound: true, CreatedMs: 1800, Reading: true},
	}}
	want := []string{
		`direction:"to" node:"` + idText(2) + `" create-time:1700 events:"rw" send-buffer-allocated:4352 send-buffer-used:4352`,
		`direction:"from" node:"` + idText(3) + `" create-time:1800 events:"r" send-buffer-allocated:0 send-buffer-used:0`,
	}
	for i, fields := range s.LinkFields() {
		if got := show(fields); got != want[i] {
			t.Errorf("got %s", got)
		}
	}
}

func TestInfo(t *testing.T) {
	s := Snapshot{Cluster: testCluster(), State: bus.StateFail, Size: 2, CurrentEpoch: 6}
	s.Sent[bus.TypePing], s.Sent[bus.TypePong], s.Sent[bus.TypePublishShard] = 3, 4, 5
	s.Received[bus.TypeMeet] = 1
	s.Nodes[other].Flags |= bus.FlagPFail
	want := "cluster_state:fail\r\ncluster_slots_assigned:200\r\ncluster_slots_ok:100\r\ncluster_slots_pfail:100\r\n" +
		"cluster_slots_fail:0\r\ncluster_known_nodes:3\r\ncluster_size:2\r\ncluster_current_epoch:6\r\ncluster_my_epoch:1\r\n" +
		"cluster_stats_messages_ping_sent:3\r\ncluster_stats_messages_pong_sent:4\r\n" +
		"cluster_stats_messages_publishshard_sent:5\r\ncluster_stats_messages_sent:12\r\n" +
		"cluster_stats_messages_meet_received:1\r\ncluster_stats_messages_received:1\r\n" +
		"total_cluster_links_buffer_limit_exceeded:0\r\n"
	if got := string(s.AppendInfo(nil)); got != want {
		t.Errorf("got\n%s", got)
	}
	// "on a replica cluster_my_epoch is its master's"
	s.Cluster = seenBy(replica)
	if got := string(s.AppendInfo(nil)); !strings.Contains(got, "cluster_my_epoch:2\r\n") {
		t.Errorf("on a replica\n%s", got)
	}
}
