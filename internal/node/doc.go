// Package node makes one running node of all the rooms.
//
// It holds no logic of its own: it reads the configuration, gives every room
// its Options, collects the Specs, INFO sections and directives that the rooms
// export, and starts and stops them in order. Nothing here is global; a process
// may run several nodes, which share nothing.
//
//	config ─► Options of each room        tune.go
//	rooms  ─► one table of commands       node.go
//	sockets ─► loops ─► engine            listen.go
//	clock  ─► cron                        cron.go
package node
