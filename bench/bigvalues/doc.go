//go:build linux

// Command bigvalues measures what other clients feel of work on big values: how long their GETs take while a value of
// millions of elements is deleted, restored or moved, or a million keys end at one instant.
//
//	go run ./bench/bigvalues                                    redis-server beside Skein, every event
//	go run ./bench/bigvalues -only del/set,expire -elements 1000000
//	go run ./bench/bigvalues -server redis-server -server skein -check
//
// A server is the command that starts one, to which redis's options are appended; "skein" stands for `skein server`, built
// from this tree. Of each server a fresh process is made for each event, loaded, and left alone for a moment:
//
//	del/TYPE      DEL of a value of -elements elements
//	unlink/TYPE   UNLINK of it
//	flushall      FLUSHALL ASYNC of a million keys and a hash of a million fields
//	expire        a million keys with the same deadline, from that instant on
//	restore/TYPE  RESTORE of a value of -moved elements, on one of two nodes of a cluster
//	migrate/TYPE  MIGRATE of it from the first to the second
//	script        a script on one slot of the first node that never ends, for -window, and is killed (Skein only)
//
// The GETs are sent at a steady rate, whatever becomes of them: one that has to wait because the one before it was not
// answered yet counts from the moment at which it was due, so that a server that stands still for a second shows as a
// second, and as many late GETs as were due in it. What is told of them quiet was measured just before the event, what is
// told of them during it from its begin until -window after it, and in any case until it is done. In the cluster GETs go to
// both nodes, for keys of other slots than the big value's; the rows /source and /target, or the two nodes of a RESTORE
// (/here and /beside), have those of one node each. What counts as the quiet of a script is measured beside another process
// that spins on one core.
//
// Goals: p99.9 during del, unlink, flushall and expire is at most redis's; p99.9 during restore and migrate is at most
// twice that of the quiet (of a script p99), and no node takes another for failing (PFAIL). The exit code is 2 when something could not be
// measured and 1 for a missed goal, the latter only with -check. Goals are for Skein.
package main
