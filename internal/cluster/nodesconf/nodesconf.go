// Package nodesconf reads and writes nodes.conf, the file in which a node keeps the cluster as it knows it,
// in the format of Redis 7.2.4.
//
// The file is text. Each line but the last describes a node as CLUSTER NODES does (see package topology),
// with fields "name=value" after the host name, whose comma is always there. The last line holds what is
// not about one node:
//
//	bdc20… 127.0.0.1:7000@17000,,tls-port=0,shard-id=6bd1d… myself,master - 0 1795314982000 1 connected 0-5460 [77->-e288c…]
//	e288c… 127.0.0.1:7001@17001,host-1,tls-port=0,nodename=shelf-1,shard-id=69d56… master - 0 1795314983164 0 connected 5461-16383
//	vars currentEpoch 3 lastVoteEpoch 2
//
// Handshake nodes are left out. The client port in front is the plain one, even in a tls-cluster.
//
// Parse and Format are pure. What time and chance must add after a load is the caller's business: a time
// of a ping or pong that is not 0 means "now", a node without shard id draws one.
//
// Parse takes the files of Redis 7.0 (no fields), 7.2, and Valkey (more fields, which are dropped). It is
// stricter than Redis where a file that no server writes would load as something else than it says: a node
// or an owner of a slot named twice, a reversed range, a number with other characters behind it, an id
// that is not hexadecimal. It is more lenient in one point: Redis does not start if the shard ids of a
// replica and its master differ; here the replica takes its master's.
//
// Store keeps the file itself: locked against a second process, replaced as a whole, durable when Save
// returns.
package nodesconf

import (
	"errors"
	"fmt"

	"github.com/skeindb/skein/internal/cluster/topology"
)

// State is the content of nodes.conf.
type State = topology.Saved

// LineError says which line of a nodes.conf is damaged.
type LineError struct {
	Line   int // counted from 1; 0: the file as a whole
	Reason error
}

// Error names the line and the reason.
func (e *LineError) Error() string {
	if e.Line == 0 {
		return e.Reason.Error()
	}
	return fmt.Sprintf("line %d: %v", e.Line, e.Reason)
}

// Unwrap returns the reason.
func (e *LineError) Unwrap() error { return e.Reason }

// What can be wrong with a file as a whole, or wraps what is wrong with a line.
var (
	ErrNoMyself = errors.New("no node is flagged myself")
	ErrSyntax   = errors.New("not as a node writes it")
)
