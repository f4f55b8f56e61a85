package ops

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/base/slot"
)

// form makes the nodes a cluster, or takes the one that they are, and waits until
// every node says that it is ok. Nodes that are in no cluster become replicas.
func (l *Local) form(ctx context.Context) error {
	var conns []*conn
	defer func() {
		for _, c := range conns {
			c.close()
		}
	}()
	var blank []int
	for i, addr := range l.Addrs() {
		c, err := dial(ctx, addr)
		if err != nil {
			return err
		}
		conns = append(conns, c)
		info, err := c.do("CLUSTER", "INFO")
		if err != nil {
			return err
		}
		if strings.Contains(info, "cluster_known_nodes:1\r\n") && strings.Contains(info, "cluster_slots_assigned:0\r\n") {
			blank = append(blank, i)
		}
	}
	masters := conns[:l.opt.Masters]
	if l.New = len(blank) == len(conns); l.New {
		if err := introduce(masters, l.opt.Port); err != nil {
			return err
		}
		blank = blank[len(masters):]
	}
	for _, i := range blank {
		if err := l.enlist(ctx, conns[i], masters[i%len(masters)], i); err != nil {
			return fmt.Errorf("making node %d a replica: %w", l.opt.Port+i, err)
		}
	}
	for i, c := range conns {
		if err := c.waitOK(ctx); err != nil {
			return fmt.Errorf("waiting for node %d: %w", l.opt.Port+i, err)
		}
	}
	for _, i := range blank {
		if err := conns[i].waitFor(ctx, "the replica did not get the keys of its master", "master_link_status:up", "INFO", "replication"); err != nil {
			return fmt.Errorf("waiting for node %d: %w", l.opt.Port+i, err)
		}
	}
	return nil
}

// introduce gives each node its share of the slots and an epoch of its own, and
// makes the first one meet the others.
func introduce(conns []*conn, port int) error {
	for i, c := range conns {
		first, last := i*slot.Count/len(conns), (i+1)*slot.Count/len(conns)-1
		if _, err := c.do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(first), strconv.Itoa(last)); err != nil {
			return err
		}
		if _, err := c.do("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1)); err != nil {
			return err
		}
	}
	for i := range conns[1:] {
		if _, err := conns[0].do("CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(port+i+1)); err != nil {
			return err
		}
	}
	return nil
}

// enlist makes node i a replica in the shard of another node.
func (l *Local) enlist(ctx context.Context, c, of *conn, i int) error {
	if _, err := of.do("CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(l.opt.Port+i)); err != nil {
		return err
	}
	nodes, err := of.do("CLUSTER", "NODES")
	if err != nil {
		return err
	}
	return c.retry(ctx, func() error { // until it has heard of its master
		_, err := c.do("CLUSTER", "REPLICATE", masterOf(nodes))
		return err
	})
}

// masterOf is the id of the master of the shard of the node that wrote the table.
func masterOf(nodes string) string {
	for line := range strings.Lines(nodes) {
		f := strings.Fields(line)
		switch {
		case len(f) < 4 || !strings.Contains(f[2], "myself"):
		case strings.Contains(f[2], "slave"):
			return f[3]
		default:
			return f[0]
		}
	}
	return ""
}
