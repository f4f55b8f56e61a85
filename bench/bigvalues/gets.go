//go:build linux

package main

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
)

// gets are clients of one node that send a GET each at a steady rate and note how long it takes.
type gets struct {
	conns []net.Conn
	stop  chan struct{}
	done  sync.WaitGroup

	mu      sync.Mutex
	samples []sample
	err     error
}

// sample is a GET: when it was due, and how long after that it was answered.
type sample struct {
	due  time.Time
	took time.Duration
}

// startGets begins with as many clients, each of which asks for one key after the other every so often.
func startGets(addr string, clients int, every time.Duration, keys []string) (*gets, error) {
	g := &gets{stop: make(chan struct{})}
	for i := range clients {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			g.end()
			return nil, err
		}
		g.conns = append(g.conns, c)
		offset := every * time.Duration(i) / time.Duration(clients)
		g.done.Go(func() { g.run(c, offset, every, keys, i) })
	}
	return g, nil
}

// run is one client.
func (g *gets) run(c net.Conn, offset, every time.Duration, keys []string, at int) {
	in := bufio.NewReader(c)
	var out []byte
	var mine []sample
	defer func() {
		g.mu.Lock()
		g.samples = append(g.samples, mine...)
		g.mu.Unlock()
	}()
	late := false
	for due := time.Now().Add(offset); ; due = due.Add(every) {
		select {
		case <-g.stop:
			return
		default:
		}
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
			late = false
		}
		begun := due
		if !late { // that this program slept too long is no fault of the server's
			begun = time.Now()
		}
		out = resp.AppendCommand(out[:0], "GET", keys[at%len(keys)])
		at++
		if err := get(c, in, out); err != nil {
			g.fail(err)
			return
		}
		end := time.Now()
		mine = append(mine, sample{begun, end.Sub(begun)})
		late = end.After(due.Add(every))
	}
}

// get does one GET, whose reply may be nil.
func get(c net.Conn, in *bufio.Reader, out []byte) error {
	if _, err := c.Write(out); err != nil {
		return err
	}
	line, err := in.ReadSlice('\n')
	switch {
	case err != nil:
		return err
	case line[0] != '$':
		return fmt.Errorf("GET answered %q", line)
	case line[1] == '-':
		return nil
	}
	_, err = in.ReadSlice('\n')
	return err
}

func (g *gets) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.stop:
	default:
		if g.err == nil {
			g.err = err
		}
	}
}

// end stops the clients.
func (g *gets) end() error {
	close(g.stop)
	g.done.Wait()
	for _, c := range g.conns {
		c.Close()
	}
	return g.err
}

// between is how long the GETs took that were due in that time, in order.
func (g *gets) between(from, to time.Time) Latencies {
	var l Latencies
	for _, s := range g.samples {
		if !s.due.Before(from) && s.due.Before(to) {
			l = append(l, s.took)
		}
	}
	slices.Sort(l)
	return l
}

// Latencies are in ascending order.
type Latencies []time.Duration

// At is the least one that so large a share of them does not exceed.
func (l Latencies) At(share float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	return l[min(int(share*float64(len(l))), len(l)-1)]
}
