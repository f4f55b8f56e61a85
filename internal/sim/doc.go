// Package sim runs clusters in which nothing is real but the brain: the production code of package core, some tens or
// some thousands of nodes, in a world of simulated time. One seed gives everything that chance decides, so a course
// that went wrong once goes wrong again, and can be made short.
//
//	          script: what happens to whom, and when
//	                            │
//	┌───────────────────────── World ────────────────────────┐
//	│ queue of events in virtual time                        │
//	│   server ── core.Node ── Step(clock, event, effects)   │──► watch: the rules that hold after every step
//	│     disk     saves that a crash may lose               │──► digest: one number for the whole course
//	│     data     a position in the tree of histories       │
//	│   link ──── TCP: in order, delayed, stalled, cut, reset│
//	└────────────────────────────────────────────────────────┘
//	                            │
//	     faults end, everything is started: the cluster must become well (settle.go)
//
// # Words
//
// A server is a machine with an address, a disk and a clock of its own; a core lives on it while its process runs.
// A script is a list of lines "at TIME: ACTION". A workload is a script with choices left open, "every 1s..5s: kill any":
// the seed closes them (script.go), and what comes out is a script that can be written down, played again (Replay)
// and shortened (Shrink).
//
// # Data
//
// Keys do not exist here, positions do. The writes of a master are bytes on a branch of history; a promotion begins a
// new branch where the replica stood. Whether a server has a write that was acknowledged once is a question about
// this tree (data.go).
//
// # Reading order
//
// world.go and queue.go; server.go (the driver's duties, as package core lists them), link.go, disk.go, data.go;
// action.go and procedure.go (what a script can do); script.go; watch.go (the rules); settle.go; shrink.go; study.go
// (what an operator asks, skein simulate).
package sim
