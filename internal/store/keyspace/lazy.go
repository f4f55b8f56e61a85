package keyspace

import (
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/data/zset"
)

// Whoever removes a value lets go of it, however large it is, and the garbage
// collector frees it beside everybody. So nothing is lazier than anything else; but
// INFO tells of large values that were removed by a lazy command, as in redis.

// largeEffort is redis's limit: values of more allocations than this it frees in
// the background.
const largeEffort = 64

// isLarge tells whether redis would think so.
func isLarge(o value.Object) bool {
	if _, packed := pack(o); packed != nil {
		return false
	}
	switch o := o.(type) {
	case *quicklist.List:
		return o.NodeCount() > largeEffort
	case *set.Set:
		return o.Len() > largeEffort
	case *zset.ZSet:
		return o.Len() > largeEffort
	case *hash.Hash:
		return o.Len() > largeEffort
	case *stream.Stream:
		return streamEffort(o) > largeEffort
	}
	return false
}

// streamEffort is redis's guess of the allocations of a stream: blocks, groups and
// what is pending in each, which it takes to be as much as in the first.
func streamEffort(s *stream.Stream) int {
	n := s.BlockCount()
	for g := range s.Groups() {
		return n + s.GroupCount()*(1+g.Pending())
	}
	return n
}
