package sim

import (
	"runtime/debug"
	"syscall"
)

const madvHugePage = 14

// hugePages lets the next so many bytes of the heap stand in large pages. A packet meets hundreds of a few million nodes:
// with small pages the processor looks for the page of each first. The memory is taken, named and given back.
func hugePages(bytes int) {
	room := make([]byte, bytes)
	if err := syscall.Madvise(room, madvHugePage); err != nil {
		return // it is only slower
	}
	room = nil
	debug.FreeOSMemory()
}
