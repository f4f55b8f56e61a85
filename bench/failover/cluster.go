//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skeindb/skein/bench/rig"
	"github.com/skeindb/skein/internal/base/slot"
)

const (
	masters     = 3
	replicas    = 1 // of each
	keyTag      = "{failover}"
	shardLimit  = 60 * time.Second
	createLimit = 2 * time.Minute
)

// errNoShard is returned when the shard does not become whole: one master, one replica that has its data, and all agree.
var errNoShard = errors.New("the shard does not become whole")

// A cluster is six nodes of one server.
type cluster struct {
	nodes []*rig.Process
}

// startCluster starts the nodes, on ports from *port on, and makes them a cluster.
func startCluster(ctx context.Context, name string, argv []string, root string, port *int, timeout time.Duration) (*cluster, error) {
	c := &cluster{}
	for range masters * (1 + replicas) {
		p, err := newNode(name, argv, root, port, timeout)
		if err != nil {
			c.stop()
			return nil, err
		}
		c.nodes = append(c.nodes, p)
		if err := p.Start(); err != nil {
			c.stop()
			return nil, err
		}
	}
	if err := c.create(ctx); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

// newNode prepares a node without persistence. A replica that asks for all data gets it without the delay by which
// redis collects more of them.
func newNode(name string, argv []string, root string, next *int, timeout time.Duration) (*rig.Process, error) {
	port, err := rig.FreePort(*next)
	if err != nil {
		return nil, err
	}
	*next = port + 1
	dir := filepath.Join(root, fmt.Sprint(name, "-", port))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	return &rig.Process{Port: port, Dir: dir, Argv: append(slices.Clone(argv),
		"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no",
		"--cluster-enabled", "yes", "--cluster-node-timeout", fmt.Sprint(timeout.Milliseconds()),
		"--repl-diskless-sync-delay", "0")}, nil
}

// create makes the cluster as an operator would.
func (c *cluster) create(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, createLimit)
	defer cancel()
	args := append([]string{"--cluster", "create"}, c.addrs()...)
	args = append(args, "--cluster-replicas", strconv.Itoa(replicas), "--cluster-yes")
	if out, err := exec.CommandContext(ctx, "redis-cli", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("redis-cli --cluster create: %w\n%s", err, out[max(0, len(out)-2000):])
	}
	_, err := c.awaitShard(ctx)
	return err
}

func (c *cluster) addrs() (addrs []string) {
	for _, n := range c.nodes {
		addrs = append(addrs, n.Addr())
	}
	return addrs
}

// stop ends all nodes.
func (c *cluster) stop() {
	if c == nil {
		return
	}
	for _, n := range c.nodes {
		n.Stop()
	}
}

// isSkein reports whether the nodes say that they are Skein.
func (c *cluster) isSkein() bool {
	info, err := c.nodes[0].Ask("INFO", "server")
	return err == nil && infoField(info, "server_name") == "skein"
}

// configure sets a directive on all nodes, and for when they are started again.
func (c *cluster) configure(name, value string) error {
	for _, n := range c.nodes {
		if _, err := n.Ask("CONFIG", "SET", name, value); err != nil {
			return err
		}
	}
	for _, n := range c.nodes {
		n.Argv = append(n.Argv, "--"+name, value)
	}
	return nil
}

// A shard is the master of the key's slot and its replica.
type shard struct{ master, replica *rig.Process }

// awaitShard waits until the shard is whole and the cluster is ok and of one opinion.
func (c *cluster) awaitShard(ctx context.Context) (shard, error) {
	why := ""
	for end := time.Now().Add(shardLimit); time.Now().Before(end); {
		var s shard
		if s, why = c.findShard(); why == "" {
			return s, nil
		}
		if err := rig.Sleep(ctx, rig.PollEvery); err != nil {
			return shard{}, err
		}
	}
	return shard{}, fmt.Errorf("%w after %v: %s", errNoShard, shardLimit, why)
}

// findShard returns the shard, or why it is not whole.
func (c *cluster) findShard() (s shard, why string) {
	var first string
	for _, n := range c.nodes {
		info, err := n.Ask("CLUSTER", "INFO")
		if err != nil {
			return s, err.Error()
		}
		if state := infoField(info, "cluster_state"); state != "ok" {
			return s, fmt.Sprintf("port %d says that the cluster is %s", n.Port, state)
		}
		text, err := n.Ask("CLUSTER", "NODES")
		if err != nil {
			return s, err.Error()
		}
		view := clusterView(text)
		if first == "" {
			first = view
		} else if view != first {
			return s, fmt.Sprintf("port %d and port %d disagree", c.nodes[0].Port, n.Port)
		}
		switch owns, follows := roleIn(text, slot.OfString(keyTag)); {
		case owns:
			s.master = n
		case follows:
			s.replica = n
		}
	}
	if s.master == nil || s.replica == nil {
		return s, "the shard has not two nodes"
	}
	info, err := s.replica.Ask("INFO", "replication")
	if err != nil {
		return s, err.Error()
	}
	if link := infoField(info, "master_link_status"); link != "up" || infoField(info, "role") != "slave" {
		return s, fmt.Sprintf("the replica on port %d is %s, its link %q", s.replica.Port, infoField(info, "role"), link)
	}
	info, err = s.master.Ask("INFO", "replication")
	if err != nil {
		return s, err.Error()
	}
	if !strings.Contains(infoField(info, "slave0"), "state=online") {
		return s, fmt.Sprintf("the master on port %d says of its replica %q", s.master.Port, infoField(info, "slave0"))
	}
	return s, ""
}
