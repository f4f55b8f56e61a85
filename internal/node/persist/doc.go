// Package persist keeps the data set in an RDB file: SAVE, BGSAVE, LASTSAVE, save
// points, the last save of a node that ends, and loading at the start. Replication
// takes its snapshots from here too.
//
// # Saving
//
// Nothing forks. A snapshot is a cut of the keyspace, taken under all stripes in
// some microseconds, and then walked by one goroutine while everybody goes on:
//
//	under all stripes    cut, position of replication, libraries of functions
//	one goroutine        walk ─► rdb.Writer ─► temp-PID.rdb, or replicas
//	                     fsync, rename to dbfilename, fsync of the directory
//
// So the file is the whole old one or the whole new one, whatever happens. There is
// one walk at a time: while one is under way, for the disk or for replicas, BGSAVE
// and SAVE are refused, save points wait, and replication asks again later.
//
// SAVE differs from BGSAVE only in that its client waits for the end.
//
// # Loading
//
// A file is read into a data set beside the live one, which replaces the live one
// in a single step when the whole of it was read and its checksum is right. What is
// damaged therefore never changes anything; the error says where it is damaged.
//
// # Functions
//
// Libraries of functions are saved as their source, in front of the keys, and made
// again when a file is loaded: one that cannot be made fails the load. With the data
// set they replace those that are there.
package persist
