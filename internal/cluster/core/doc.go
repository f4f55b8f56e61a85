// Package core is the brain of a cluster node: who is there, who is alive, who owns which slot, and who
// replaces whom. It is a state machine and nothing else. It does no I/O, reads no clock, draws no
// randomness of its own and starts no goroutine; the same bytes of code run in a server, in a simulator
// of a thousand nodes and in a test. Everything that happens outside comes in as an Event, everything
// that must happen outside goes out in Effects:
//
//	n := core.New(config, saved, rnd)
//	for event := range events {
//	        err := n.Step(now, event, &out)    // err: the text for the administrator, and nothing changed
//	        apply(&out)
//	}
//
// # Time
//
// Millis are milliseconds of Unix time as the driver's clock showed it at start, carried on by its
// monotonic clock. They never go back, one event has one value, and that value is the only time there is.
//
// # What the driver does with Effects, in this order and no other
//
//  1. Effects.Save, if its Seq is not 0: as soon as the goroutine that writes nodes.conf is free, give it
//     what Node.State returns, and when that is on disk report its number as the event Saved. Nothing
//     waits here but what is named: the packets marked with Send.After and the reply to the administrator
//     whose wish this Step was.
//  2. Effects.Change, all of it together, while every stripe is held: flush, role and replication source,
//     write pause, and last the view. A pause is a barrier: when it stands, read the offset of the log and
//     report it as the event WritesPaused.
//  3. Effects.Dials, then Effects.Sends, then Effects.HangUps. A packet for a link that is still being
//     dialled waits in the queue of that link; a packet with After != 0 waits until that Save is durable,
//     and packets behind it on the same link may pass it. A link that was hung up is forgotten: no LinkDown is
//     reported for it. Then the keys of Effects.DropKeys are unlinked in the background.
//  4. Effects.Deliver: hand the PUBLISH or PUBLISHSHARD that this Step received to the local subscribers.
//     Effects.Unsubscribe: send sunsubscribe to the subscribers of channels in these slots. Append
//     Effects.History to the event history and to the log.
//
// Facts about keys (KeysInSlot, HasKeys) travel in the event. The driver takes them under the stripes
// concerned and holds these until it has published the view (rules.md, 21).
//
// # What is durable before it is said
//
// A vote, a request for votes, and every packet that announces a new epoch, role or slot set of this node
// is sent only after the Save that contains it. Heartbeats do not wait for a slow disk: while such a Save
// is under way they go on with the header that is durable (see header.go).
//
// # Reading order
//
// events.go, effects.go and config.go are the door. node.go is Step; message.go the table of what each
// packet means to a master and to a replica. Then one file per concern, each opening with its rule and
// the invariant that it keeps: ping.go, handshake.go, gossip.go, extensions.go, failure.go, election.go, vote.go,
// manual.go, migration.go, slots.go, epochs.go, health.go, ban.go, admin.go, save.go. peer.go and
// links.go hold what is known of the others; history.go and explain.go are for people who ask.
//
// # Where Skein differs from Redis 7.2.4 on purpose
//
//   - Who stood for election in an epoch has no vote in it, even if it wins (vote.go).
//   - A voter does not refuse a second vote about the same master within twice the node timeout (vote.go).
//   - Voters and candidates refuse a candidate while they reach a sibling of it with more data; a refusal is told to
//     the candidate, which then tries again soon, as it does when voters do not answer (vote.go, election.go). The offset of a replica that was never in step
//     with its master, or was itself a master that others replaced, counts as 0 (slots.go). A replica that never got
//     anything from a master that had data does not stand, unless an administrator wants it (election.go).
//   - A replica with the highest known offset (of equals: the lowest id), all of whose reachable siblings see
//     the master failing too, starts its election at once; heirs of several failed masters start half a
//     second apart. A FAIL about the master goes before the request for votes (election.go).
//   - Of those who find out that a node has failed a few tell everybody at once, the others a tenth of a second later if
//     nobody told them meanwhile (failure.go).
//   - A master that newly suspects another pings all masters at once (failure.go). When a link breaks, the time
//     after which its peer is suspected begins at once (links.go).
//   - A heartbeat goes before an MFSTART, and before a request for votes of who became a replica a moment ago; an older
//     packet of a node that has just become a master is not taken for its demotion (manual.go, heartbeat.go).
//   - RESET bans for 60 s, against gossip only, the ids it dropped; CLUSTER MEET or a MEET packet lifts
//     these bans (ban.go).
//   - The remains of an old election never decide a new one, a vote counts once, and a hand-over that is
//     over does not win (election.go, manual.go).
//   - A MEET from an address that is being met makes no second node in handshake (handshake.go).
package core
