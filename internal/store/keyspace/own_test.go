package keyspace

import (
	"testing"
	"time"
)

// What clients of a writable replica gave a deadline expires on the replica; what its
// master gave one does not.
func TestOwnKeysOfAReplica(t *testing.T) {
	r := &recorder{}
	ks := newKeyspace(t, Options{Log: r, Listener: r, Stripes: 2})
	ks.Replica.Store(true)
	set := func(key string, access Access, expiry int64) {
		doAs(ks, 1000, access, func(tx *WriteTx) { tx.SetStr([]byte(key), []byte("v"), expiry) })
	}
	set("ours", 0, 2000)
	set("later", 0, 5000)
	set("masters", SeeExpired|Applied, 2000)
	set("gone", 0, 2000)
	do(ks, 1500, func(tx *WriteTx) { tx.Delete([]byte("gone")) })
	set("kept", 0, 2000)
	do(ks, 1500, func(tx *WriteTx) { tx.Expire([]byte("kept"), NoExpiry) })
	r.effects = nil
	ks.ExpireCycle(2500, time.Minute)
	if ks.Size(0) != 3 || len(r.effects) != 1 {
		t.Errorf("%d keys, logged %q", ks.Size(0), r.effects)
	}
	ks.SetActiveExpire(false)
	ks.ExpireCycle(9000, time.Minute)
	if ks.Size(0) != 3 {
		t.Error("expired though cycles are off")
	}
	ks.SetActiveExpire(true)
	ks.ExpireCycle(9000, time.Minute)
	if ks.Size(0) != 2 || ks.owns.n.Load() != 0 {
		t.Errorf("%d keys, %d noted", ks.Size(0), ks.owns.n.Load())
	}
	ks.check(t)
}
