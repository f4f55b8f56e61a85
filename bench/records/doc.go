// Package records is a client that appends numbered records to one key of a cluster without pause, and knows afterwards
// what became of each of them. It is the measure of a failover: how long nothing was acknowledged, and whether
// something that was acknowledged is gone.
//
//	w := records.Start(records.Options{Addrs: addrs, Key: "{shard}:1"})
//	…                                  a failover, or worse
//	gap, began := w.TakeGap()          the longest time without an acknowledgement
//	account, err := w.Finish()         stops, reads the key and compares
//
// A record is a number of ten digits and a semicolon:
//
//	0000000000;0000000001;0000000002;…
//
// A record that was refused (MOVED, CLUSTERDOWN, NOREPLICAS …) was not written, and is sent again under its number. One
// whose reply never came, or came as an error that leaves it open, is in doubt: it may be in the key or not, and its
// number is not used again. All others are acknowledged, and must be in the key once, in their order.
package records
