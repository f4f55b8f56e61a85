// Package ops does what an operator would do by hand: for now, start a whole
// cluster in this process and form it.
package ops

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/skeindb/skein/internal/node"
	"github.com/skeindb/skein/internal/node/admin"
	"github.com/skeindb/skein/internal/node/config"
)

// LocalOptions say what cluster StartLocal makes.
type LocalOptions struct {
	Masters     int
	Replicas    int    // of each master
	Port        int    // of the first master; the others follow, and then the replicas
	Dir         string // one folder per node is made in it
	NodeTimeout time.Duration
}

// Local is a cluster whose nodes run in this process.
type Local struct {
	opt   LocalOptions
	nodes []*node.Node
	New   bool // it was formed now, not found in Dir
}

// StartLocal starts the nodes and waits until the cluster is ok. A cluster that
// is found in Dir comes back with its ids, epochs, slots and the keys that were saved.
func StartLocal(ctx context.Context, o LocalOptions) (*Local, error) {
	if o.Masters < 1 {
		return nil, errors.New("a cluster needs at least one master")
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of the cluster: %w", err)
	}
	l := &Local{opt: o}
	for i := range o.Masters * (1 + o.Replicas) {
		if err := l.start(o.Port + i); err != nil {
			l.close()
			return nil, err
		}
	}
	if err := l.form(ctx); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// Addrs are the nodes' client addresses.
func (l *Local) Addrs() (addrs []string) {
	for i := range l.nodes {
		addrs = append(addrs, net.JoinHostPort("127.0.0.1", strconv.Itoa(l.opt.Port+i)))
	}
	return addrs
}

// Roles are what the nodes are now, "master" or "replica", in the order of Addrs.
func (l *Local) Roles() (roles []string) {
	for _, n := range l.nodes {
		roles = append(roles, n.Role())
	}
	return roles
}

// Stop saves the keys of all nodes and ends them. It waits. The error tells which
// nodes could not save; they are ended all the same.
func (l *Local) Stop() error {
	roles := l.Roles()
	errs := make([]error, len(l.nodes))
	for _, role := range []string{"master", "replica"} { // a master ends when its replicas have everything
		var saves sync.WaitGroup
		for i, n := range l.nodes {
			if roles[i] != role {
				continue
			}
			saves.Go(func() {
				if err := n.Finish(admin.Shutdown{}); err != nil {
					errs[i] = fmt.Errorf("node %d: %w", l.opt.Port+i, err)
				}
			})
		}
		saves.Wait()
	}
	l.close()
	return errors.Join(errs...)
}

// close ends all nodes as they are.
func (l *Local) close() {
	for _, n := range l.nodes {
		n.Stop()
	}
	l.nodes = nil
}

// start starts one node in its own folder.
func (l *Local) start(port int) error {
	dir := filepath.Join(l.opt.Dir, strconv.Itoa(port))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder of node %d: %w", port, err)
	}
	logFile, err := os.OpenFile(filepath.Join(dir, "skein.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("opening the log of node %d: %w", port, err)
	}
	cfg, err := config.Load([]string{
		"--port", strconv.Itoa(port),
		"--bind", "127.0.0.1",
		"--dir", dir,
		"--repl-diskless-sync-delay", "0",
		"--cluster-enabled", "yes",
		"--cluster-node-timeout", strconv.FormatInt(l.opt.NodeTimeout.Milliseconds(), 10),
	}, config.Env{})
	if err != nil {
		logFile.Close()
		return err
	}
	n, err := node.New(node.Options{Config: cfg, Loops: 1, Log: node.NewLog(logFile, logFile)})
	if err != nil {
		logFile.Close()
		return fmt.Errorf("node %d: %w", port, err)
	}
	if err := n.Start(); err != nil {
		return fmt.Errorf("node %d: %w", port, err)
	}
	l.nodes = append(l.nodes, n)
	return nil
}
