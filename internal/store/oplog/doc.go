// Package oplog is the ordered log of what a node does to its data: one stream of
// bytes that replicas and the append-only file pull from.
//
// # The stream
//
// What is appended are commands in RESP, exactly as redis sends them to its
// replicas: a SELECT where the database changes, and MULTI ... EXEC around the
// effects of one command or transaction if they are several. The SELECT stands
// inside, before the first effect that needs it:
//
//	*1 MULTI | *2 SELECT 3 | *3 SET k v | *2 DEL x | *1 EXEC
//
// Each effect has a Class. What replicas get makes the replication offset grow, by
// one for each byte; the first byte has offset 1. What only the file gets has no
// offset. The file's reader leaves out what only replicas get, and makes its own
// SELECTs, because the streams differ in what they have selected.
//
// # Memory
//
// The bytes lie in segments of a fixed size, a queue from the oldest to the one
// being written. Beside the bytes a segment notes its runs: from where on they are
// of which class and database.
//
//	segment   | bytes ............................... | room |
//	runs        0: both, db 0   4711: replicas   4734: both, db 3
//
// A segment is dropped when the backlog is longer than asked without it and no
// reader is in it. A reader that falls too far behind is cut off, so memory is
// bounded by the backlog and the limits of the readers. With neither backlog nor
// reader nothing is kept, and Active says that there is no need to append.
//
// # Locks
//
// One mutex, a leaf: Append is called with stripes held, and never waits for a
// reader. Readers copy outside of it.
package oplog
