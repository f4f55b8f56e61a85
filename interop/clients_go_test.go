package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
)

// sender sends one command, whose key stands at keyAt. Null is nil.
type sender interface {
	send(ctx context.Context, keyAt int, words ...string) (any, error)
	close()
}

type goRedisSender struct{ c *redis.ClusterClient }

func newGoRedisSender(addrs []string) (sender, error) {
	return goRedisSender{redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: addrs, MaxRedirects: 16, ClusterStateReloadInterval: time.Second,
	})}, nil
}

func (s goRedisSender) send(ctx context.Context, keyAt int, words ...string) (any, error) {
	args := make([]any, len(words))
	for i, w := range words {
		args[i] = w
	}
	cmd := redis.NewCmd(ctx, args...)
	cmd.SetFirstKeyPos(int8(keyAt))
	s.c.Process(ctx, cmd)
	v, err := cmd.Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return v, err
}
func (s goRedisSender) close() { s.c.Close() }

type rueidisSender struct{ c rueidis.Client }

func newRueidisSender(addrs []string) (sender, error) {
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: addrs, DisableCache: true})
	return rueidisSender{c}, err
}

func (s rueidisSender) send(ctx context.Context, keyAt int, words ...string) (any, error) {
	cmd := s.c.B().Arbitrary(words[0]).Args(words[1:keyAt]...).Keys(words[keyAt]).Args(words[keyAt+1:]...)
	build := cmd.Build
	if words[0] == "BLPOP" || words[0] == "XREADGROUP" {
		build = cmd.Blocking
	}
	v, err := s.c.Do(ctx, build()).ToAny()
	if rueidis.IsRedisNil(err) {
		return nil, nil
	}
	return v, err
}
func (s rueidisSender) close() { s.c.Close() }

// goErrand is what testdata/clients/errands.js does, by a Go library.
type goErrand struct {
	name     string
	connect  func(addrs []string) (sender, error)
	addrs    []string
	stopping chan struct{}

	types, queue, stream, unblocked atomic.Int64
}

func startGo(name string, connect func([]string) (sender, error), all []*server) *errand {
	e := &goErrand{name: name, connect: connect, addrs: addrs(all), stopping: make(chan struct{})}
	kinds := []func(context.Context) error{e.everyType, e.throughQueue, e.throughStream}
	errs := make([]error, len(kinds))
	var group sync.WaitGroup
	for i, kind := range kinds {
		group.Go(func() { errs[i] = kind(context.Background()) })
	}
	return &errand{func() (string, error) {
		close(e.stopping)
		group.Wait()
		return fmt.Sprintf("types %d, queue %d, stream %d, unblocked %d",
			e.types.Load(), e.queue.Load(), e.stream.Load(), e.unblocked.Load()), errors.Join(errs...)
	}}
}

func (e *goErrand) stopped() bool {
	select {
	case <-e.stopping:
		return true
	default:
		return false
	}
}

// everyType writes and reads every type.
func (e *goErrand) everyType(ctx context.Context) error {
	c, err := e.connect(e.addrs)
	if err != nil {
		return err
	}
	defer c.close()
	const tags = 20
	for n := 0; !e.stopped(); n++ {
		v := fmt.Sprint(n)
		for _, step := range [][]string{ // type, what is wanted, the command without its key
			{"string", "OK", "SET", v}, {"string", v, "GET"},
			{"hash", "", "HSET", "field", v}, {"hash", v, "HGET", "field"},
			{"set", "1", "SADD", v}, {"set", "1", "SISMEMBER", v},
			{"zset", "1", "ZADD", v, v}, {"zset", v, "ZSCORE", v},
			{"list", fmt.Sprint(n/tags + 1), "RPUSH", v}, {"list", v, "LINDEX", "-1"},
			{"hll", "", "PFADD", v}, {"hll", "", "PFCOUNT"},
			{"geo", "1", "GEOADD", "13.361389", "38.115556", v}, {"geo", "", "GEOPOS", v},
		} {
			key := fmt.Sprintf("{%s:%d}%s", e.name, n%tags, step[0])
			words := append([]string{step[2], key}, step[3:]...)
			got, err := c.send(ctx, 1, words...)
			if err != nil {
				return fmt.Errorf("%q: %w", words, err)
			}
			if want := step[1]; want != "" && fmt.Sprint(got) != want {
				return fmt.Errorf("%q: %v instead of %s", words, got, want)
			}
		}
		e.types.Add(1)
	}
	return nil
}

// producer sends numbers, from 0 on, until the errand stops. sent is how many, when it
// has ended.
type producer struct {
	sent  int
	vain  int
	err   error
	ended chan struct{}
}

func (e *goErrand) produce(ctx context.Context, keyAt int, words ...string) *producer {
	p := &producer{ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		c, err := e.connect(e.addrs)
		if p.err = err; err != nil {
			return
		}
		defer c.close()
		for ; !e.stopped() && p.err == nil; time.Sleep(5 * time.Millisecond) {
			if _, p.err = c.send(ctx, keyAt, append(words, fmt.Sprint(p.sent))...); p.err == nil {
				p.sent++
			}
		}
	}()
	return p
}

// all tells whether n is all that was sent, which is known at the end.
func (p *producer) all(n int) bool {
	select {
	case <-p.ended:
		return p.err != nil || n >= p.sent
	default:
		return false
	}
}

// lost counts how often nothing came though all had been sent, and is true when that
// has been too often.
func (p *producer) lost(came bool) bool {
	if came || !p.all(math.MaxInt) {
		p.vain = 0
		return false
	}
	p.vain++
	return p.vain > 20
}

// waiter is a client that waits. Whoever waits at a master that becomes a replica is
// told so and then disconnected, as by redis; what to do is left to the application.
type waiter struct {
	sender
	told bool // and not heard of again since
}

// patient sends a command that may wait. Nil means that it is to be sent again.
func (e *goErrand) patient(ctx context.Context, w *waiter, keyAt int, words ...string) (any, error) {
	v, err := w.send(ctx, keyAt, words...)
	switch {
	case err == nil:
		w.told = false
	case strings.HasPrefix(err.Error(), "UNBLOCKED"):
		w.told = true
		e.unblocked.Add(1)
		return nil, nil
	case w.told && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		// The connection is closed behind UNBLOCKED, as redis closes it. A pool that hands it out before it has seen the end
		// sends one more command, which the kernel of a closed socket answers by a reset.
		w.told = false
		return nil, nil
	}
	return v, err
}

// throughQueue sends numbers through a list to somebody who waits for them.
func (e *goErrand) throughQueue(ctx context.Context) error {
	c, err := e.connect(e.addrs)
	if err != nil {
		return err
	}
	defer c.close()
	w, key := &waiter{sender: c}, "{"+e.name+"}queue"
	p := e.produce(ctx, 1, "RPUSH", key)
	for next := 0; !p.all(next); {
		got, err := e.patient(ctx, w, 1, "BLPOP", key, "0.5")
		if err != nil {
			return fmt.Errorf("BLPOP: %w", err)
		}
		if pair, ok := got.([]any); ok {
			if fmt.Sprint(pair[1]) != fmt.Sprint(next) {
				return fmt.Errorf("BLPOP: %v instead of %d", pair, next)
			}
			next++
			e.queue.Add(1)
		}
		if p.lost(got != nil) {
			return fmt.Errorf("the queue is empty at %d of %d", next, p.sent)
		}
	}
	return p.err
}

// throughStream sends numbers through a stream to a consumer who acknowledges them.
func (e *goErrand) throughStream(ctx context.Context) error {
	c, err := e.connect(e.addrs)
	if err != nil {
		return err
	}
	defer c.close()
	w, key := &waiter{sender: c}, "{"+e.name+"}stream"
	if _, err := c.send(ctx, 2, "XGROUP", "CREATE", key, "group", "$", "MKSTREAM"); err != nil {
		return err
	}
	p := e.produce(ctx, 1, "XADD", key, "*", "n")
	seen := map[string]bool{}
	for !p.all(len(seen)) {
		got, err := e.patient(ctx, w, 9, "XREADGROUP", "GROUP", "group", "me", "COUNT", "10", "BLOCK", "500", "STREAMS", key, ">")
		if err != nil {
			return fmt.Errorf("XREADGROUP: %w", err)
		}
		if p.lost(got != nil) {
			return fmt.Errorf("the stream has no more than %d of %d", len(seen), p.sent)
		}
		for _, entry := range entriesOf(got) {
			pair := entry.([]any)
			id, n := fmt.Sprint(pair[0]), fmt.Sprint(pair[1])
			if seen[n] {
				return fmt.Errorf("%s was given twice", id)
			}
			seen[n] = true
			e.stream.Add(1)
			if n, err := c.send(ctx, 1, "XACK", key, "group", id); err != nil || fmt.Sprint(n) != "1" {
				return fmt.Errorf("XACK %s: %v, %v", id, n, err)
			}
		}
	}
	if n, err := c.send(ctx, 1, "XLEN", key); err != nil || fmt.Sprint(n) != fmt.Sprint(len(seen)) {
		return fmt.Errorf("XLEN: %v, %v, not %d", n, err, len(seen))
	}
	return p.err
}

// entriesOf are the entries of one stream, in the reply of RESP2 or RESP3.
func entriesOf(reply any) (entries []any) {
	switch r := reply.(type) {
	case []any:
		entries, _ = r[0].([]any)[1].([]any)
	case map[string]any:
		for _, v := range r {
			entries, _ = v.([]any)
		}
	case map[any]any:
		for _, v := range r {
			entries, _ = v.([]any)
		}
	}
	return entries
}
