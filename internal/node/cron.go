package node

import (
	"sync"
	"sync/atomic"
	"time"
)

// Background work runs this often, and expiry may take this much of a core.
const (
	cronEvery    = 10 * time.Millisecond
	expireBudget = 2500 * time.Microsecond // a quarter, as redis spends
	slowEvery    = 10                      // rounds of the fast cron per round of the slow one
)

// cron is the work that follows the clock.
type cron struct {
	quit   chan struct{}
	done   sync.WaitGroup
	paused atomic.Bool
	asleep atomic.Int64 // Unix ms until which nothing runs
}

func (c *cron) start(n *Node) {
	c.quit = make(chan struct{})
	c.done.Add(1)
	go func() {
		defer c.done.Done()
		t := time.NewTicker(cronEvery)
		defer t.Stop()
		for round := 0; ; round++ {
			select {
			case <-c.quit:
				return
			case <-t.C:
			}
			if now := time.Now().UnixMilli(); !c.paused.Load() && now >= c.asleep.Load() {
				n.tick(now, round%slowEvery == 0)
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
func (n *Node) tick(nowMs int64, slow bool) {
	n.engine.Tick(nowMs)
	n.keyspace.ExpireCycle(nowMs, expireBudget)
	if slow {
		for _, l := range n.loops {
			l.Do(l.Trim)
		}
		n.clients.Tick(nowMs)
		n.observer.Tick()
		n.admin.Tick(nowMs)
	}
}
