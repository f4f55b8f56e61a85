package interop

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"github.com/skeindb/skein/internal/testkit"
)

// store is what the load needs of a client library.
type store interface {
	set(ctx context.Context, key, value string) error
	get(ctx context.Context, key string) (string, error)
	close()
}

type goRedis struct{ c *redis.ClusterClient }

// newGoRedis asks for the slots every second. Otherwise it does so when it is redirected, and once a minute: it would still
// take a node that has left (and says CLUSTERDOWN, as redis does) for the owner of a slot that it has not used since.
func newGoRedis(addrs []string) store {
	return goRedis{redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: addrs, MaxRedirects: 16, ClusterStateReloadInterval: time.Second,
	})}
}

func (s goRedis) set(ctx context.Context, key, value string) error {
	return s.c.Set(ctx, key, value, 0).Err()
}
func (s goRedis) get(ctx context.Context, key string) (string, error) {
	return s.c.Get(ctx, key).Result()
}
func (s goRedis) close() { s.c.Close() }

type rueidisStore struct{ c rueidis.Client }

// newRueidis leaves client-side caching out, which needs CLIENT TRACKING.
func newRueidis(t *testing.T, addrs []string) store {
	t.Helper()
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: addrs, DisableCache: true,
		ClusterOption: rueidis.ClusterOption{ShardsRefreshInterval: time.Second}}) // plus up to a second that it waits
	if err != nil {
		t.Fatal(err)
	}
	return rueidisStore{c}
}

func (s rueidisStore) set(ctx context.Context, key, value string) error {
	return s.c.Do(ctx, s.c.B().Set().Key(key).Value(value).Build()).Error()
}
func (s rueidisStore) get(ctx context.Context, key string) (string, error) {
	return s.c.Do(ctx, s.c.B().Get().Key(key).Build()).ToString()
}
func (s rueidisStore) close() { s.c.Close() }

// load writes and reads all the time through several clients, remembers what it wrote, and fails the test
// when a client reports an error or a value is not the last one written.
type load struct {
	t       *testing.T
	cancel  context.CancelFunc
	group   sync.WaitGroup
	workers []*worker
	failed  atomic.Bool
	started time.Time
}

// worker owns its keys: nobody else writes them, so it knows what they hold.
type worker struct {
	name   string
	store  store
	random *rand.Rand
	last   map[string]int // key: number of the last write
	ops    int
}

// Keys of a worker, and workers of a client library.
const (
	keysPerWorker   = 500
	workersOfEach   = 2
	libraries       = 2
	totalWorkers    = libraries * workersOfEach
	burstsPerSecond = 50
)

// startLoad runs opsPerSecond operations a second, as far as the machine can, until stop is called.
func startLoad(t *testing.T, nodes []*server, opsPerSecond int) *load {
	t.Helper()
	l := &load{t: t, started: time.Now()}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	for i := range workersOfEach {
		l.workers = append(l.workers,
			&worker{name: fmt.Sprint("go-redis-", i), store: newGoRedis(addrs(nodes))},
			&worker{name: fmt.Sprint("rueidis-", i), store: newRueidis(t, addrs(nodes))})
	}
	for i, w := range l.workers {
		w.random, w.last = rand.New(rand.NewPCG(1, uint64(i))), map[string]int{}
		l.group.Go(func() { l.work(ctx, w, opsPerSecond/burstsPerSecond/totalWorkers) })
	}
	t.Cleanup(func() { // of a test that failed elsewhere
		l.cancel()
		l.group.Wait()
		for _, w := range l.workers {
			w.store.close()
		}
	})
	return l
}

// work does a burst of operations at each tick.
func (l *load) work(ctx context.Context, w *worker, burst int) {
	tick := time.NewTicker(time.Second / burstsPerSecond)
	defer tick.Stop()
	for ctx.Err() == nil && !l.failed.Load() {
		for range max(burst, 1) {
			if err := w.step(); err != nil {
				l.t.Errorf("%s, after %v: %v", w.name, time.Since(l.started).Round(time.Millisecond), err)
				l.failed.Store(true)
				return
			}
			w.ops++
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// step writes a key or reads one. A step that has begun is not cancelled: nobody would know what it did.
func (w *worker) step() error {
	ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
	defer cancel()
	key := fmt.Sprintf("load:%s:%d", w.name, w.random.IntN(keysPerWorker))
	number, written := w.last[key]
	if !written || w.random.IntN(2) == 0 {
		if err := w.store.set(ctx, key, valueOf(key, number+1)); err != nil {
			return fmt.Errorf("SET %s: %w", key, err)
		}
		w.last[key] = number + 1
		return nil
	}
	return w.check(ctx, key)
}

func (w *worker) check(ctx context.Context, key string) error {
	got, err := w.store.get(ctx, key)
	if err != nil {
		return fmt.Errorf("GET %s: %w", key, err)
	}
	if want := valueOf(key, w.last[key]); got != want {
		return fmt.Errorf("GET %s: %.60q instead of %.60q", key, got, want)
	}
	return nil
}

// valueOf is the value of a key's n-th write: it names both, and its length varies.
func valueOf(key string, n int) string {
	head := fmt.Sprint(key, "#", n, "#")
	return head + strings.Repeat("x", n*37%500)
}

// stop ends the load, reads all that was written once more, and returns how many keys there are.
func (l *load) stop() (keys int) {
	l.t.Helper()
	l.cancel()
	l.group.Wait()
	ops := 0
	for _, w := range l.workers {
		for key := range w.last {
			if err := w.check(context.Background(), key); err != nil {
				l.t.Errorf("%s, at the end: %v", w.name, err)
			}
		}
		keys += len(w.last)
		ops += w.ops
	}
	spent := time.Since(l.started)
	l.t.Logf("load: %d operations in %v, %.0f a second, %d keys", ops, spent.Round(time.Second), float64(ops)/spent.Seconds(), keys)
	if l.t.Failed() {
		l.t.FailNow()
	}
	return keys
}

// stock is a set of keys whose values follow from their names.
type stock struct {
	small, large int // 10 B to 4 KiB, and 1 MB
}

func (s stock) keys() int { return s.small + s.large }

// fillAtOnce is how many keys one pipeline writes or reads.
const fillAtOnce = 100

// fill writes the stock.
func (s stock) fill(t *testing.T, nodes []*server) {
	t.Helper()
	s.each(t, nodes, func(ctx context.Context, p redis.Pipeliner, key string) func() error {
		reply := p.Set(ctx, key, stockValue(key), 0)
		return reply.Err
	})
}

// check reads the stock.
func (s stock) check(t *testing.T, nodes []*server) {
	t.Helper()
	s.each(t, nodes, func(ctx context.Context, p redis.Pipeliner, key string) func() error {
		reply := p.Get(ctx, key)
		return func() error {
			if got, err := reply.Result(); err != nil {
				return err
			} else if want := stockValue(key); got != want {
				return fmt.Errorf("%d bytes %.40q instead of %d bytes %.40q", len(got), got, len(want), want)
			}
			return nil
		}
	})
}

func (s stock) each(t *testing.T, nodes []*server, queue func(context.Context, redis.Pipeliner, string) func() error) {
	t.Helper()
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs(nodes), MaxRedirects: 16})
	defer c.Close()
	var names []string
	for i := range s.small {
		names = append(names, fmt.Sprint("stock:small:", i))
	}
	for i := range s.large {
		names = append(names, fmt.Sprint("stock:large:", i))
	}
	ctx := t.Context()
	for len(names) > 0 {
		n := min(fillAtOnce, len(names))
		if strings.HasPrefix(names[0], "stock:large:") {
			n = min(n, 10)
		}
		p := c.Pipeline()
		var checks []func() error
		for _, key := range names[:n] {
			checks = append(checks, queue(ctx, p, key))
		}
		p.Exec(ctx)
		for i, check := range checks {
			if err := check(); err != nil {
				t.Fatalf("%s: %v", names[i], err)
			}
		}
		names = names[n:]
	}
}

// stockValue is a text that compresses badly, as long as the key's name makes it.
func stockValue(key string) string {
	h := fnv.New64a()
	h.Write([]byte(key))
	random := rand.New(rand.NewPCG(h.Sum64(), 0))
	length := 10 + random.IntN(4096-10)
	if strings.HasPrefix(key, "stock:large:") {
		length = 1 << 20
	}
	b := make([]byte, length)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return string(b)
}
