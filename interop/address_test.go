package interop

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

// Nodes come back with other addresses, as they do in containers: one at a time, and half of them at once. The
// cluster heals without MEET, and all data is there.
func TestNewAddresses(t *testing.T) {
	t.Parallel()
	t.Run("one at a time", func(t *testing.T) {
		t.Parallel()
		shards, all := createdShards(t, startSkein, `save 3600 1`)
		stocked := stock{small: 200}
		stocked.fill(t, all)
		for i, n := range all {
			if s := shardOf(shards, n); s != nil {
				waitEqual(t, *s) // should the replica take over, it has it all
			}
			n.Stop()
			n.MoveTo(fmt.Sprint("127.0.0.", 10+i))
			n.Start()
			waitHealed(t, all)
			shards = shardsOf(t, all)
		}
		for _, s := range shards {
			waitEqual(t, s)
		}
		stocked.check(t, all)
	})
	t.Run("half at once", func(t *testing.T) {
		t.Parallel()
		shards, all := createdShards(t, startSkein, `save 3600 1`)
		stocked := stock{small: 200}
		stocked.fill(t, all)
		for _, s := range shards {
			waitEqual(t, s)
		}
		// A majority of the masters among them.
		moved := []*server{shards[0].master, shards[1].master, shards[2].replica}
		for _, n := range moved {
			n.Stop()
		}
		for i, n := range moved {
			n.MoveTo(fmt.Sprint("127.0.0.", 20+i))
			n.Start()
		}
		waitHealed(t, all)
		for _, s := range shardsOf(t, all) {
			waitEqual(t, s)
		}
		stocked.check(t, all)
	})
}

// shardOf is the shard that a node is the master of.
func shardOf(shards []shard, master *server) *shard {
	for i := range shards {
		if shards[i].master == master {
			return &shards[i]
		}
	}
	return nil
}

// waitHealed waits until the cluster is ok for all, under the addresses that the nodes have.
func waitHealed(t *testing.T, all []*server) {
	t.Helper()
	waitOK(t, all)
	for _, n := range all {
		for _, other := range all {
			testkit.Eventually(t, fmt.Sprintf("port %d knows where port %d is", n.Port, other.Port), func() bool {
				r := seen(n, idOf(other))
				return strings.HasPrefix(r.addr, fmt.Sprintf("%s@", other.Addr())) && r.link == "connected" && !strings.Contains(r.flags, "fail")
			})
		}
	}
}
