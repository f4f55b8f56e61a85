package exec

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// TestAheadMakesNoDifference: sessions that are looked at ahead, together, are answered as those that are not, whatever
// they ask of large and small collections, of keys of another type or of none, and while others hold the stripes.
func TestAheadMakesNoDifference(t *testing.T) {
	with, without := newRig(t), newRig(t)
	var a, b []*session.Session
	for range AheadMax + 3 {
		a, b = append(a, with.client()), append(b, without.client())
	}
	lines := []string{
		"HSET hash field:%d v%d", "HGET hash field:%d", "HDEL hash field:%d", "SADD set %d", "SREM set member:%d", "SADD set member:%d",
		"SISMEMBER set member:%d", "ZADD zset %d member:%d", "ZADD zset %d", "ZADD zset NX %d", "ZRANK zset member:%d", "ZREM zset member:%d",
		"GET string", "SET string %d", "HSET string %d %d", "SADD few a b c", "SADD none%d", "LPUSH list %d", "DEL hash", "DEL set", "PING",
	}
	r := rand.New(rand.NewPCG(1, 1))
	var all keyspace.Hold
	for round := range 300 {
		var inputs [][]byte
		for i := range a {
			line := lines[r.IntN(len(lines))]
			if round < 200 { // without deletions of the large ones at first
				line = lines[r.IntN(10)]
			}
			n := r.IntN(2000)
			var words []string
			for word := range strings.FieldsSeq(line) {
				words = append(words, strings.ReplaceAll(word, "%d", strconv.Itoa(n)))
			}
			data := say(words...)
			if r.IntN(10) == 0 {
				data = data[:r.IntN(len(data))] // the rest has not come yet
			}
			inputs = append(inputs, data)
			with.Ahead(&with.turn, a[i], data)
		}
		if round%3 == 0 {
			with.Keyspace.AcquireAll(&all)
			with.Prefetch(&with.turn)
			with.Keyspace.Release(&all)
		} else {
			with.Prefetch(&with.turn)
		}
		for i, data := range inputs {
			a[i].Out.Buf, b[i].Out.Buf = a[i].Out.Buf[:0], b[i].Out.Buf[:0]
			n, m := with.Feed(&with.turn, a[i], data), without.Feed(&without.turn, b[i], data)
			if n != m || string(a[i].Out.Buf) != string(b[i].Out.Buf) {
				t.Fatalf("%q: %d %q, without %d %q", data, n, a[i].Out.Buf, m, b[i].Out.Buf)
			}
			if n < len(data) || n == 0 { // begin anew
				a[i], b[i] = with.client(), without.client()
			}
		}
	}
}
