// Package keyspace holds the keys and values of a node and is the only way to
// change them.
//
// # Stripes
//
// A key lives in the hash slot that its name selects, in cluster mode and
// standalone alike. Slots are grouped into stripes, slot & (n-1), each behind a
// short mutex. A caller names the slots it needs in a Hold, acquires it, works
// through a ReadTx or a WriteTx, commits and releases:
//
//	hold.Reset(); hold.AddSlot(slot.Of(key))
//	if !ks.Acquire(hold, waker) { return }   // parked: waker.Wake comes later
//	tx.Begin(ks, hold, db, nowMs)
//	… tx.Str(key), tx.SetStr(key, value, …) …
//	tx.EndCommand(argv)
//	tx.Commit()
//	ks.Release(hold)
//
// Long work (a script, MIGRATE) owns its stripes: whoever acquires an owned
// stripe is parked in its queue instead of waiting, and woken when it is free.
//
// # The gate
//
// Every change of data passes through the few unexported methods of gate.go
// (insert, replace, remove, setExpiry). There, once, the cut takes what it wants of
// it before, watchers are marked, the index of deadlines and the memory account
// follow, and the change is counted.
//
// Fields of hashes have deadlines, too (fields.go). An index like that of the keys
// knows of each hash the next one.
//
// What is to be replicated is collected as effects and appended to the log at
// commit, while the stripes are still held.
//
// # The cut
//
// A Cut is the data set at one instant, taken without a copy and walked while it
// changes: every table is divided into shares of about one key, and who is about to
// change a key in a share that the walk has not passed takes the share out first,
// as it still is (see Cut). A Builder makes another data set beside this one, to
// replace it in one step.
//
// # Placement
//
//	stripe ── shelf per database ── table per slot ── bucket ── entry in the arena
//
// An entry holds key, deadline and a small value, a small collection too (packed.go
// draws it); larger values are Go objects that the entry refers to. Views of entries (Ref, value.Str) are valid until
// the next change of the same key or the release of the hold, because entries move.
//
// # In place
//
// A Ref, a Change and a Hint are several words, filled in one by one. The compiler
// copies such a struct by 16 bytes, and a processor that has just stored the two halves
// of what it is to load waits until both have left it: some 15 cycles a copy, where a
// whole command takes a few hundred. So what every command does has them filled where
// they are wanted (GetTo, PeekTo, Change.Open, Hint), and what few do may have them
// returned (Get, Peek).
package keyspace
