package session

import (
	"unsafe"

	"github.com/skeindb/skein/internal/command"
)

// Queued is one command between MULTI and EXEC.
type Queued struct {
	Spec  *command.Spec
	Args  [][]byte
	Flags command.Flags // of Spec with Args, when it was queued
}

// Enqueue keeps a command for EXEC. Its arguments are copied, into one piece of memory.
func (s *Session) Enqueue(spec *command.Spec, flags command.Flags, args [][]byte) {
	size := 0
	for _, a := range args {
		size += len(a)
	}
	q, room := Queued{Spec: spec, Flags: flags, Args: make([][]byte, len(args))}, make([]byte, 0, size)
	for i, a := range args {
		from := len(room)
		room = append(room, a...)
		q.Args[i] = room[from:len(room):len(room)]
	}
	s.Queue = append(s.Queue, q)
	s.queuedBytes += size
	s.queuedArgs += len(args)
}

// Dequeue empties the queue.
func (s *Session) Dequeue() { s.Queue, s.queuedBytes, s.queuedArgs = nil, 0, 0 }

// QueueBytes is about how much memory the queue takes.
func (s *Session) QueueBytes() int {
	return s.queuedBytes + s.queuedArgs*int(unsafe.Sizeof([]byte(nil))) + cap(s.Queue)*int(unsafe.Sizeof(Queued{}))
}
