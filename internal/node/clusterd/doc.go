// Package clusterd drives the cluster core: it gives package core its clock, its connections, its file and
// the keys, and carries out what the core decides. It is also the CLUSTER command, which speaks to the core.
//
// # Who runs where
//
//	accept ──► reader of a link ─┐                        ┌─► queue of a link ──► its writer
//	dial ────► reader of a link ─┤                        ├─► saver        nodes.conf
//	ticker ──────────────────────┼─► mutex ─► core.Step ──┼─► sweeper      keys of lost slots
//	CLUSTER … (an event loop) ───┤         then Effects   ├─► chronicler   log, sunsubscribe
//	PUBLISH   (an event loop) ───┘                        └─► hooks        replication, pause, flush
//
// Every link has two goroutines. A reader gives its packets to the core itself: there is no queue before the core,
// so a peer that sends too fast is slowed down by its own connection. Nothing behind the core blocks: what has to
// wait (a disk, a socket, a log) is a queue that a goroutine of its own empties.
//
// # Locks
//
// The core stands behind one mutex, held for one Step and the application of its Effects, microseconds. The order is
//
//	stripes  ──►  directories of pubsub  ──►  the core's mutex  ──►  queues
//
// so the core may be asked under any lock, and with the core's mutex held nobody asks for a stripe.
//
// The subcommands of CLUSTER that change something are declared command.Whole. The engine then holds all stripes
// while their handler runs, inside EXEC as outside, and a handler never locks the keyspace itself: it takes its facts
// about keys, steps the core and publishes the view in one piece. It does not wait for the disk. The reply does, in a
// parked session (see wish).
//
// # How Effects are applied
//
// The order of one Step's Effects is given in package core: save, change, packets and connections, then
// subscribers and history. A Change needs all stripes, and who made it may have none: a reader, the ticker. It cannot
// take them while it holds the core's mutex, nor keep other goroutines from stepping the core in between. So
// Effects pass through one queue:
//
//   - A Step appends its Effects to the queue, and under the same mutex the queue is emptied from the front.
//   - Emptying stops at a Change unless all stripes are held. Everything behind it waits, packets too: nothing is
//     told to others that is not in force here, and what one Step said never overtakes what an earlier one did.
//   - Whoever stopped releases the mutex, takes all stripes, then the mutex, and goes on. If it must not (it may hold
//     stripes already, as DEBUG inside EXEC does) it leaves that to the ticker.
//   - Whoever holds all stripes empties the whole queue. It may find another's Change there, or its own already done.
//
// While somebody keeps a stripe, the Change of a Step waits, and so do all packets behind it. Commands are short, and long
// work owns its stripes without keeping their locks; a command that is slow all the same delays the bus then, as it always
// does in redis. Nothing false follows from it: the ticker waits too, so no time runs out on pings that were not sent.
//
// The core decides on facts that may be one queue older than what commands see, and that is no harm: commands see
// view, role and pause change together, in the order of the Steps, and peers hear of them afterwards.
//
// # What waits for the disk
//
// The saver writes nodes.conf; while it is busy, later saves become one. Packets whose Send names a save, and
// the replies to the administrator, wait in lists for it. A save that fails ends the process, as in redis, except for
// CLUSTER SAVECONFIG, which only says so.
package clusterd
