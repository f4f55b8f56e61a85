package node

import (
	"strconv"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

// TestFieldsEndOnReplicas lets fields of hashes pass their deadlines on a master and a
// replica: the replica hides them at once and removes them at the master's word.
func TestFieldsEndOnReplicas(t *testing.T) {
	t.Parallel()
	master, replica := pair(t)
	master.expect("+OK", "DEBUG", "SET-ACTIVE-EXPIRE", "0")
	master.expect(":3", "HSET", "h", "a", "1", "b", "2", "c", "3")
	master.expect("[:1]", "HPEXPIREAT", "h", "4000000000123", "FIELDS", "1", "b")
	replica.expect("[:-1 :4000000000123 :-2]", "HPEXPIRETIME", "h", "FIELDS", "3", "a", "b", "d")
	master.expect(":1", "HSETEX", "only", "PX", "1", "FIELDS", "1", "f", "v")
	master.expect("[:1]", "HPEXPIRE", "h", "1", "FIELDS", "1", "a")
	testkit.Eventually(t, "the replica hides the fields", func() bool {
		return replica.do("HLEN", "h") == ":2" && replica.do("HLEN", "only") == ":0"
	})
	replica.expect(":1", "EXISTS", "only")
	replica.expect("[b 2 c 3]", "HGETALL", "h")
	master.expect("+OK", "DEBUG", "SET-ACTIVE-EXPIRE", "1")
	testkit.Eventually(t, "the replica removes the field", func() bool { return replica.do("EXISTS", "only") == ":0" })
	master.expect("[b 2 c 3]", "HGETALL", "h")
	master.expect("[2]", "HGETDEL", "h", "FIELDS", "1", "b")
	replica.expect("[c 3]", "HGETALL", "h")

	master.expect("[:1]", "HPEXPIREAT", "h", "4000000000456", "FIELDS", "1", "c")
	late := run(t, "replicaof 127.0.0.1 "+strconv.Itoa(master.port))
	testkit.Eventually(t, "a full sync brings the deadlines", func() bool {
		return late.do("HPEXPIRETIME", "h", "FIELDS", "1", "c") == "[:4000000000456]"
	})
}
