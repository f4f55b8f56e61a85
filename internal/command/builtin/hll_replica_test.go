package builtin

import "testing"

// TestReplicaCachesCount: a replica that counts a HyperLogLog keeps what it counted,
// in its own copy only, and counts nothing of a key past its deadline.
func TestReplicaCachesCount(t *testing.T) {
	master, replica := newServer(t), newServer(t)
	master.nowMs, replica.nowMs = 1_000_000, 1_000_000
	master.follow(replica)
	master.line("PFADD k a b c")
	uncounted := master.line("GET k")
	if got := replica.line("GET k"); got != uncounted {
		t.Errorf("the replica has %q, the master %q", got, uncounted)
	}
	if got := replica.line("PFCOUNT k"); got != ":3" {
		t.Errorf("the replica counts %q", got)
	}
	if replica.line("GET k") == uncounted || master.line("GET k") != uncounted {
		t.Error("the count is not kept by the replica alone")
	}
	master.line("PEXPIRE k 10")
	replica.nowMs += 20
	if got := replica.line("PFCOUNT k"); got != ":0" || replica.ks.Size(0) != 1 {
		t.Errorf("past the deadline the replica counts %q and has %d keys", got, replica.ks.Size(0))
	}
}
