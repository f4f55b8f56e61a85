// Package netloop carries bytes between sockets and sessions.
//
// There is one Loop per core. A connection is given to a loop when it is
// accepted and stays there: its session is used by that loop's goroutine only,
// so nothing in it needs a lock. One turn of a loop is
//
//	wait          epoll_wait, the only call that may block
//	read          once, into the connection's buffer
//	feed          package exec parses and runs the pipelined commands on the spot
//	write         the replies of the batch, in one call
//	attend        sessions that others knocked at: mail, wake-ups, kills
//
// A connection keeps its read buffer while it is in use (buffer.go), and replies
// only when the socket did not take them; an idle one holds neither.
//
// Reads and writes are raw system calls: the sockets do not block, so telling
// Go's scheduler about them would cost more than the calls.
package netloop
