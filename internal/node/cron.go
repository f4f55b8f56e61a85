package node

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/node/config"
)

// cronEvery is how often background work is due. What redis does hz times a
// second is done in rounds of its own.
const cronEvery = 10 * time.Millisecond

// compactBudget is how much of a round may go into moving entries together.
const compactBudget = cronEvery / 20

// cron is the work that follows the clock.
type cron struct {
	quit   chan struct{}
	done   sync.WaitGroup
	paused atomic.Bool
	asleep atomic.Int64 // Unix ms until which nothing runs
	nanos  atomic.Int64 // spent in rounds
	slow   int64        // Unix ms of the next slow round
}

func (c *cron) start(n *Node) {
	c.quit = make(chan struct{})
	c.done.Add(1)
	go func() {
		defer c.done.Done()
		t := time.NewTicker(cronEvery)
		defer t.Stop()
		for {
			select {
			case <-c.quit:
				return
			case <-t.C:
			}
			if now := time.Now().UnixMilli(); !c.paused.Load() && now >= c.asleep.Load() {
				began := time.Now()
				n.tick(now)
				c.nanos.Add(int64(time.Since(began)))
			}
		}
	}()
}

func (c *cron) stop() {
	if c.quit != nil {
		close(c.quit)
		c.done.Wait()
		c.quit = nil
	}
}

func (c *cron) pause(on bool) { c.paused.Store(on) }

func (c *cron) sleep(d time.Duration) { c.asleep.Store(time.Now().Add(d).UnixMilli()) }

// tick is one round.
func (n *Node) tick(nowMs int64) {
	v := n.cfg.Values()
	n.engine.Tick(nowMs)
	n.repl.Tick(nowMs)
	n.judgeSync()
	n.timed("expire-cycle", func() { n.keyspace.ExpireCycle(nowMs, expireBudget(config.ActiveExpireEffort.Get(v))) })
	if limit := n.gates.MaxMemory.Load(); limit > 0 { // nobody may send a command, or the last one left some over
		n.timed("eviction-cycle", func() { n.keyspace.Evict(limit, n.beside()) })
	}
	n.keyspace.CompactCycle(compactBudget)
	if nowMs < n.cron.slow {
		return
	}
	n.cron.slow = nowMs + 1000/int64(config.Hz.Get(v))
	for _, l := range n.loops {
		l.Do(l.Trim)
	}
	if n.cluster != nil {
		n.linkBytes.Store(n.cluster.LinkBytes())
	}
	replicas, backlog, notCounted := n.repl.Memory()
	n.logBytes.Store(replicas + backlog - notCounted)
	n.keyspace.Tidy()
	n.keyspace.LimitTracked()
	n.clients.Tick(nowMs)
	n.observer.Tick()
	n.admin.Tick(nowMs)
	n.persist.Tick()
}

// expireBudget is how much of a round expiry may take: as redis's slow cycle, a
// quarter of a core and 2 % more for each step of effort (1 to 10).
func expireBudget(effort int) time.Duration {
	return cronEvery * time.Duration(25+2*(effort-1)) / 100
}

// timed notes work that took long as a latency event.
func (n *Node) timed(event string, work func()) {
	began := time.Now()
	work()
	n.observer.Event(event, time.Since(began).Milliseconds())
}
