package clusterd

import (
	"encoding/base64"
	"fmt"
	"io"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/cluster/topology"
)

// packetFilter is what DEBUG asked for. d.mu guards it.
type packetFilter struct {
	drop  int
	close bool
}

// DropPacketFilter makes the node ignore received packets of one type; -1 ends it (DEBUG DROP-CLUSTER-PACKET-FILTER).
func (d *Driver) DropPacketFilter(packetType int) { d.post(core.DropFilter{Type: packetType}) }

// CloseLinkOnPacketDrop makes the node close the link on which the filter dropped a packet
// (DEBUG CLOSE-CLUSTER-LINK-ON-PACKET-DROP).
func (d *Driver) CloseLinkOnPacketDrop(on bool) {
	d.mu.Lock()
	d.filter.close = on
	d.mu.Unlock()
}

func (d *Driver) closesOnDrop() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.filter.close
}

// KillLinks closes the links to a node, those from it, or both (DEBUG CLUSTERLINK KILL). It reports false if
// the node is not known.
func (d *Driver) KillLinks(id nodeid.ID, to, from bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	ids := map[core.Link]topology.Link{}
	s := d.node.Snapshot(func(id core.Link, l *topology.Link) { ids[id] = *l })
	known := false
	for i := range s.Nodes {
		known = known || s.Nodes[i].ID == id
	}
	for linkID, shown := range ids {
		if l := d.links[linkID]; l != nil && s.Nodes[shown.Node].ID == id && (shown.Inbound && from || !shown.Inbound && to) {
			d.drop(l, core.LinkDown{})
		}
	}
	if len(d.queue) > 0 {
		d.nudge()
	}
	return known
}

// Links is cluster_connections of INFO: as redis counts them, two to each other node. It takes no lock: whoever opens a
// client asks, and promotions, which hold all, end some.
func (d *Driver) Links() int { return 2 * (len(d.opt.View.Load().Nodes) - 1) }

// LinkBytes is mem_cluster_links of INFO: what the links that are there cost.
func (d *Driver) LinkBytes() (sum int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.links {
		sum += l.memory()
	}
	return sum
}

// flown is an event that the core was given.
type flown struct {
	at core.Millis
	ev core.Event
}

// Dump (DEBUG CLUSTER-LOG) writes where the recording is, and then the last events that the core was given, oldest first,
// one a line: time, event, and of a packet its bytes in base64. That does not repeat the run, as a recording does
// (recording.go), but it shows it.
func (d *Driver) Dump(w io.Writer) error {
	d.mu.Lock()
	flights, file := d.flight.list(), d.recording.file
	d.mu.Unlock()
	where := "nothing is recorded: cluster-flight-file was not set at the start, or its disk was full"
	if file != nil {
		where = "all that the core was given since the start is recorded in " + d.opt.Flight
	}
	if _, err := fmt.Fprintln(w, where); err != nil {
		return err
	}
	for _, f := range flights {
		var err error
		switch ev := f.ev.(type) {
		case core.Received:
			_, err = fmt.Fprintf(w, "%d received link %x from %s at %s: %s %s\n", f.at, uint64(ev.Link), ev.RemoteIP, ev.LocalIP,
				ev.Msg.Type, encode(ev.Msg))
		default:
			_, err = fmt.Fprintf(w, "%d %T %+v\n", f.at, ev, ev)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// encode is a packet as text. Payloads are not kept, nor what was ignored.
func encode(m *bus.Msg) string {
	switch m.Type {
	case bus.TypePublish, bus.TypePublishShard, bus.TypeModule:
		return "-"
	}
	if m.Sender.IsZero() {
		return "-"
	}
	return base64.StdEncoding.EncodeToString(bus.Append(nil, m))
}
