//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/skeindb/skein/bench/records"
	"github.com/skeindb/skein/bench/rig"
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
)

const (
	getKeys  = 1000 // that the GETs of one node ask for
	doLimit  = 2 * time.Minute
	pfailGap = 100 * time.Millisecond
)

// stage is where one event happens on one server: one node, or two of a cluster.
type stage struct {
	o     *options
	nodes []*rig.Process

	restore []byte    // the command that restores the big value, encoded
	spinner *exec.Cmd // another process that computes
	instant time.Time
	begun   time.Time // of the event
}

// Outcome is what one event gave on one server. Of a cluster there are two of each figure.
type Outcome struct {
	Quiet, During []Latencies
	Took          time.Duration // of the event
	PFAIL         bool
	Err           error
}

// play starts the nodes, has the event happen, and ends them.
func play(ctx context.Context, o *options, argv []string, e event, root string) (out Outcome) {
	s := &stage{o: o}
	defer func() {
		s.rested()
		for _, n := range s.nodes {
			n.Stop()
			os.RemoveAll(n.Dir)
		}
	}()
	if out.Err = s.start(argv, e.cluster, root); out.Err != nil {
		return out
	}
	if out.Err = e.prepare(s); out.Err != nil {
		return out
	}
	var all []*gets
	defer func() {
		for _, g := range all {
			g.end()
		}
	}()
	for i := range s.nodes {
		g, err := s.startGets(i)
		if err != nil {
			out.Err = err
			return out
		}
		all = append(all, g)
	}
	if out.Err = rig.Sleep(ctx, o.rest); out.Err != nil {
		return out
	}
	// What this program's collector takes from the clients would be told as the server's: it runs before they are timed.
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	watching := s.watch(&out) // in the quiet, too: its questions are work for the nodes
	quiet := time.Now()
	if out.Err = rig.Sleep(ctx, o.quiet); out.Err != nil {
		watching()
		return out
	}
	s.begun = time.Now()
	out.Err = e.happen(s)
	done := time.Now()
	out.Took = done.Sub(s.begun)
	if left := o.window - out.Took; left > 0 && out.Err == nil {
		out.Err = rig.Sleep(ctx, left)
	}
	end := time.Now()
	watching()
	for _, g := range all {
		if err := g.end(); err != nil && out.Err == nil {
			out.Err = err
		}
		out.Quiet = append(out.Quiet, g.between(quiet, quiet.Add(o.quiet)))
		out.During = append(out.During, g.between(s.begun, end))
	}
	all = nil
	if out.Err != nil {
		out.Err = s.nodes[0].Explain(out.Err)
	}
	return out
}

func (s *stage) addr(i int) string { return s.nodes[i].Addr() }

// start starts what the event needs.
func (s *stage) start(argv []string, cluster bool, root string) error {
	port := s.o.port
	for range map[bool]int{false: 1, true: 2}[cluster] {
		free, err := rig.FreePort(port)
		if err != nil {
			return err
		}
		port = free + 1
		dir, err := os.MkdirTemp(root, "node-")
		if err != nil {
			return err
		}
		p := &rig.Process{Port: free, Dir: dir, Argv: append(slices.Clone(argv), "--port", strconv.Itoa(free), "--bind", "127.0.0.1",
			"--dir", dir, "--save", "", "--appendonly", "no", "--proto-max-bulk-len", "2gb", "--client-query-buffer-limit", "4gb")}
		if cluster {
			p.Argv = append(p.Argv, "--cluster-enabled", "yes", "--cluster-node-timeout", fmt.Sprint(s.o.timeout.Milliseconds()))
		}
		s.nodes = append(s.nodes, p)
		if err := p.Start(); err != nil {
			return err
		}
	}
	if cluster {
		return s.join()
	}
	return nil
}

// join makes a cluster of both nodes, with half of the slots each.
func (s *stage) join() error {
	if err := s.do(0, "OK", "CLUSTER", "ADDSLOTSRANGE", "8192", "16383"); err != nil { // that of the big value is among them
		return err
	}
	if err := s.do(1, "OK", "CLUSTER", "ADDSLOTSRANGE", "0", "8191"); err != nil {
		return err
	}
	if err := s.do(0, "OK", "CLUSTER", "SET-CONFIG-EPOCH", "1"); err != nil {
		return err
	}
	if err := s.do(1, "OK", "CLUSTER", "SET-CONFIG-EPOCH", "2"); err != nil {
		return err
	}
	if err := s.do(0, "OK", "CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(s.nodes[1].Port)); err != nil {
		return err
	}
	for _, n := range s.nodes {
		if err := n.AwaitAnswer([]string{"CLUSTER", "INFO"}, func(reply string) bool {
			return strings.Contains(reply, "cluster_state:ok") && strings.Contains(reply, "cluster_slots_assigned:16384")
		}); err != nil {
			return err
		}
	}
	return nil
}

// startGets makes the keys of node i and begins with its GETs.
func (s *stage) startGets(i int) (*gets, error) {
	var keys []string
	for n := 0; len(keys) < getKeys; n++ {
		key := "small:" + strconv.Itoa(n)
		at := slot.Of([]byte(key))
		if len(s.nodes) == 1 || (at < 8192) == (i == 1) && at != slot.Of([]byte(bigKey)) {
			keys = append(keys, key)
		}
	}
	if err := setKeys(s.addr(i), len(keys), func(i int) string { return keys[i] }); err != nil {
		return nil, err
	}
	return startGets(s.addr(i), s.o.clients/len(s.nodes), s.o.every, keys)
}

// do does a command on node i, whose reply must be as wanted: a text, or a number behind a colon.
func (s *stage) do(i int, want string, args ...string) error {
	return s.exchange(i, want, resp.AppendCommand(nil, args...))
}

// exchange is do for a command that is encoded already.
func (s *stage) exchange(i int, want string, command []byte) error {
	c, err := records.Dial(s.addr(i), doLimit)
	if err != nil {
		return err
	}
	defer c.Close()
	v, err := c.Exchange(command)
	if err != nil {
		return err
	}
	got := v.Text()
	if v.Kind == resp.Integer {
		got = fmt.Sprint(":", v.Int)
	}
	if got != want {
		return fmt.Errorf("%q answered %.200s", command[:min(len(command), 40)], got)
	}
	return nil
}

// watch looks whether a node of the cluster takes another for failing, until the returned function is called.
func (s *stage) watch(out *Outcome) (end func()) {
	if len(s.nodes) == 1 {
		return func() {}
	}
	stop := make(chan struct{})
	var done sync.WaitGroup
	var mu sync.Mutex
	for _, n := range s.nodes {
		done.Go(func() {
			for {
				if text, err := records.Ask(n.Addr(), doLimit, "CLUSTER", "NODES"); err == nil && strings.Contains(text, "fail") {
					mu.Lock()
					out.PFAIL = true
					mu.Unlock()
				}
				select {
				case <-stop:
					return
				case <-time.After(pfailGap):
				}
			}
		})
	}
	return func() {
		close(stop)
		done.Wait()
	}
}
