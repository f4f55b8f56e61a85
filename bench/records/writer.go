package records

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
)

// Options say where a client writes.
type Options struct {
	Addrs      []string      // of all nodes; those that are down are tried again
	Key        string        // must not exist
	ReplyLimit time.Duration // how long a reply may take before the record is in doubt; 0 is 15 s
}

const (
	defaultReplyLimit = 15 * time.Second
	pauseAfterError   = time.Millisecond // a client that asks more often takes the CPU from those who elect
	maxRedirects      = 2                // in a row, without a pause
	finishLimit       = 30 * time.Second
)

// refusals are the errors that say that nothing was written.
var refusals = []string{"MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "LOADING", "READONLY", "MASTERDOWN", "NOREPLICAS", "MISCONF", "OOM", "BUSY"}

// Writer is a client that appends records until it is told to stop.
type Writer struct {
	opt    Options
	cancel context.CancelFunc
	done   chan struct{}

	conns  map[string]*Conn // of the writing goroutine
	target string
	turn   int // in opt.Addrs: who is asked next when the target is of no help

	mu      sync.Mutex
	fates   []fate
	acked   int
	owner   string // who acknowledged last
	gap     gap
	replies map[string]int
}

// Start starts a client.
func Start(o Options) *Writer {
	if o.ReplyLimit == 0 {
		o.ReplyLimit = defaultReplyLimit
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &Writer{
		opt: o, cancel: cancel, done: make(chan struct{}),
		conns: map[string]*Conn{}, target: o.Addrs[0], replies: map[string]int{},
	}
	go w.run(ctx)
	return w
}

// Acked returns how many records were acknowledged so far, and by whom the last one was.
func (w *Writer) Acked() (records int, by string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.acked, w.owner
}

// TakeGap returns the longest time without an acknowledgement since it was last called, and when it began. A gap that
// still lasts counts as far as it is known.
func (w *Writer) TakeGap() (longest time.Duration, began time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gap.take(time.Now())
}

// Stop ends the client and waits until it has: after that nothing more is written. It may be called again.
func (w *Writer) Stop() {
	w.cancel()
	<-w.done
}

// Audit reads the key while the client goes on, and returns what is lost of that which was acknowledged before. Of the
// account only that much counts.
func (w *Writer) Audit() (Account, error) {
	w.mu.Lock()
	fates, target := slices.Clone(w.fates), w.owner
	w.mu.Unlock()
	reader := &Writer{opt: w.opt, conns: map[string]*Conn{}, target: cmp.Or(target, w.opt.Addrs[0]), replies: map[string]int{}}
	defer reader.closeAll()
	value, err := reader.read()
	if err != nil {
		return Account{}, fmt.Errorf("reading %s: %w", w.opt.Key, err)
	}
	a := compare(fates, value)
	a.Foreign = 0 // written since
	return a, nil
}

// Finish stops the client, reads the key, removes it, and compares it with what was acknowledged.
func (w *Writer) Finish() (Account, error) {
	w.Stop()
	value, err := w.read()
	if err != nil {
		return Account{}, fmt.Errorf("reading %s: %w", w.opt.Key, err)
	}
	a := compare(w.fates, value)
	a.Replies = w.replies
	_, err = w.settled("UNLINK", w.opt.Key)
	w.closeAll()
	return a, err
}

// run appends record after record.
func (w *Writer) run(ctx context.Context) {
	defer close(w.done)
	command := []byte{}
	redirects := 0
	for number := 0; ctx.Err() == nil; {
		command = resp.AppendArray(command[:0], 3)
		command = resp.AppendBulkString(command, "APPEND")
		command = resp.AppendBulkString(command, w.opt.Key)
		command = resp.AppendHeader(command, resp.Bulk, recordBytes)
		command = append(appendRecord(command, number), '\r', '\n')
		switch result := w.once(command); result {
		case written, doubtful:
			number++
			redirects = 0
			if result == doubtful {
				pause(ctx)
			}
		case redirected:
			if redirects++; redirects > maxRedirects {
				pause(ctx)
			}
		case refused:
			redirects = 0
			pause(ctx)
		}
	}
}

func pause(ctx context.Context) {
	select {
	case <-time.After(pauseAfterError):
	case <-ctx.Done():
	}
}

// A result is how one attempt ended.
type result uint8

const (
	written    result = iota
	redirected        // not written: another node owns the slot
	refused           // not written
	doubtful          // perhaps written
)

// once tries to append a record, and notes what came of it.
func (w *Writer) once(command []byte) result {
	c, err := w.connection(w.target)
	if err != nil {
		w.count("cannot connect")
		w.next()
		return refused
	}
	v, err := c.Exchange(command)
	switch {
	case err != nil:
		w.count("connection lost")
		w.drop(w.target)
		w.next()
		w.settle(inDoubt)
		return doubtful
	case v.Kind == resp.Integer:
		w.settle(acknowledged)
		return written
	}
	return w.replied(v)
}

// replied looks at a reply that acknowledges nothing.
func (w *Writer) replied(v resp.Value) result {
	word, _, _ := strings.Cut(v.Text(), " ")
	if !v.IsError() || !slices.Contains(refusals, word) {
		w.count(fmt.Sprintf("%.60s", v.Text()))
		w.next()
		w.settle(inDoubt)
		return doubtful
	}
	w.count(word)
	if w.follow(v) {
		return redirected
	}
	if word == "CLUSTERDOWN" || word == "LOADING" { // another node may know better
		w.next()
	}
	return refused
}

// follow goes where a redirection points to.
func (w *Writer) follow(v resp.Value) bool {
	f := strings.Fields(v.Text())
	if !v.IsError() || len(f) != 3 || f[0] != "MOVED" {
		return false
	}
	w.target = f[2]
	return true
}

// settle notes the fate of the record that was sent.
func (w *Writer) settle(f fate) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fates = append(w.fates, f)
	if f == acknowledged {
		w.acked++
		w.owner = w.target
		w.gap.acked(now)
	}
}

func (w *Writer) count(word string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replies[word]++
}

// connection returns the connection to a node, which may be made anew.
func (w *Writer) connection(addr string) (*Conn, error) {
	if c := w.conns[addr]; c != nil {
		return c, nil
	}
	c, err := Dial(addr, w.opt.ReplyLimit)
	if err == nil {
		w.conns[addr] = c
	}
	return c, err
}

func (w *Writer) drop(addr string) {
	if c := w.conns[addr]; c != nil {
		c.Close()
		delete(w.conns, addr)
	}
}

func (w *Writer) closeAll() {
	for addr := range w.conns {
		w.drop(addr)
	}
}

// next asks another node.
func (w *Writer) next() {
	w.turn = (w.turn + 1) % len(w.opt.Addrs)
	w.target = w.opt.Addrs[w.turn]
}

// errUnsettled is returned when no node does the command in time.
var errUnsettled = errors.New("no node answers")

// read returns the value of the key, empty if there is none.
func (w *Writer) read() ([]byte, error) {
	v, err := w.settled("GET", w.opt.Key)
	return v.Str, err
}

// settled does a command after the writing has ended, at whoever owns the slot.
func (w *Writer) settled(args ...string) (resp.Value, error) {
	last := errUnsettled
	for end := time.Now().Add(finishLimit); time.Now().Before(end); time.Sleep(pauseAfterError) {
		c, err := w.connection(w.target)
		if err != nil {
			last = err
			w.next()
			continue
		}
		v, err := c.Do(args...)
		switch {
		case err != nil:
			last = err
			w.drop(w.target)
			w.next()
		case v.IsError():
			last = errors.New(v.Text())
			if !w.follow(v) {
				w.next()
			}
		default:
			return v, nil
		}
	}
	return resp.Value{}, last
}
