package interop

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/go-redsync/redsync/v4"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/skeindb/skein/internal/testkit"
)

func newClusterClient(all []*server) *redis.ClusterClient {
	return redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs(all), MaxRedirects: 16, ClusterStateReloadInterval: time.Second})
}

// startWorkers runs f in n goroutines until the errand is stopped.
func startWorkers(n int, f func(ctx context.Context, stopping <-chan struct{}) error, finish func() (string, error)) *errand {
	stopping := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { errs[i] = f(ctx, stopping) })
	}
	return &errand{func() (string, error) {
		defer cancel()
		close(stopping)
		group.Wait()
		report, err := finish()
		return report, errors.Join(append(errs, err)...)
	}}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// quiet is a logger of asynq.
type quiet struct{}

func (quiet) Debug(...any) {}
func (quiet) Info(...any)  {}
func (quiet) Warn(...any)  {}
func (quiet) Error(...any) {}
func (quiet) Fatal(...any) {}

// startAsynq makes tasks, each with an identity of its own, and runs them. asynq promises
// that each runs at least once, and again only as a retry. What a killed master has handed
// out without telling is given again when its lease has expired (30 s) and asynq has looked
// for such (each minute).
func startAsynq(all []*server, queue string) *errand {
	opt := asynq.RedisClusterClientOpt{Addrs: addrs(all), MaxRedirects: 16}
	server := asynq.NewServer(opt, asynq.Config{
		Concurrency: 8, Queues: map[string]int{queue: 1}, TaskCheckInterval: 50 * time.Millisecond, Logger: quiet{}, LogLevel: asynq.FatalLevel,
		DelayedTaskCheckInterval: time.Second, RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return 100 * time.Millisecond },
		ShutdownTimeout: time.Second,
	})
	var mu sync.Mutex
	runs, twice := map[string]int{}, 0
	err := server.Start(asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		id, _ := asynq.GetTaskID(ctx)
		retry, _ := asynq.GetRetryCount(ctx)
		mu.Lock()
		defer mu.Unlock()
		if runs[id]++; runs[id] > 1 && retry == 0 {
			twice++
		}
		return nil
	}))
	client := asynq.NewClient(opt)
	var made int
	return startWorkers(1, func(ctx context.Context, stopping <-chan struct{}) error {
		for ; err == nil && !closed(stopping); made++ {
			for {
				_, err := client.EnqueueContext(ctx, asynq.NewTask("work", nil), asynq.TaskID(fmt.Sprint(made)), asynq.Queue(queue), asynq.MaxRetry(100))
				if err == nil || errors.Is(err, asynq.ErrTaskIDConflict) {
					break
				}
			}
		}
		return err
	}, func() (string, error) {
		defer client.Close()
		ran := func() int {
			mu.Lock()
			defer mu.Unlock()
			return len(runs)
		}
		again := time.Duration(size(0, 100)) * time.Second // at full size the queue's own master is killed, too
		for end := time.Now().Add(testkit.Patience + again); ran() < made && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		server.Shutdown()
		if n := ran(); n != made || twice > 0 {
			return "", fmt.Errorf("%d tasks were made, %d ran, %d twice", made, n, twice)
		}
		return fmt.Sprint(made, " tasks"), nil
	})
}

// startRedsync takes a lock in turns. redsync promises that nobody else holds it until it expires.
func startRedsync(all []*server, tag string) *errand {
	c := newClusterClient(all)
	sync := redsync.New(goredis.NewPool(c))
	var inside atomic.Bool
	var turns atomic.Int64
	return startWorkers(3, func(ctx context.Context, stopping <-chan struct{}) error {
		for !closed(stopping) {
			m := sync.NewMutex(tag+"lock", redsync.WithExpiry(3*time.Second), redsync.WithTries(20), redsync.WithRetryDelay(20*time.Millisecond))
			if m.LockContext(ctx) != nil {
				continue
			}
			alone := inside.CompareAndSwap(false, true)
			time.Sleep(time.Millisecond) // the work
			inside.Store(false)
			if !alone && time.Now().Before(m.Until()) {
				return errors.New("two hold the lock")
			}
			turns.Add(1)
			m.UnlockContext(ctx)
		}
		return nil
	}, func() (string, error) {
		if turns.Load() == 0 {
			return "", errors.New("nobody got the lock")
		}
		return fmt.Sprint(turns.Load(), " turns"), c.Close()
	})
}

// startRate asks a limiter all the time. redis_rate promises no more than the burst and the rate.
func startRate(all []*server, tag string) *errand {
	c := newClusterClient(all)
	limiter, began := redis_rate.NewLimiter(c), time.Now()
	const rate = 20
	var allowed, denied atomic.Int64
	return startWorkers(2, func(ctx context.Context, stopping <-chan struct{}) error {
		for !closed(stopping) {
			r, err := limiter.Allow(ctx, tag+"rate", redis_rate.PerSecond(rate))
			switch {
			case err != nil:
			case r.Allowed > 0:
				allowed.Add(1)
			default:
				denied.Add(1)
				time.Sleep(time.Millisecond)
			}
		}
		return nil
	}, func() (string, error) {
		defer c.Close()
		most := int64(rate*time.Since(began).Seconds()) + rate + 1
		if n := allowed.Load(); n == 0 || n > most {
			return "", fmt.Errorf("%d were allowed, at most %d may be", n, most)
		}
		return fmt.Sprintf("%d allowed, %d denied", allowed.Load(), denied.Load()), nil
	})
}
