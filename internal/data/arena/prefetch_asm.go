//go:build amd64 || arm64

package arena

// prefetch hints that the line at addr will be read. It never faults. The address is no pointer, for it may
// be stale and then mean anything.
func prefetch(addr uintptr)

// prefetch2 is prefetch of both: a call costs more than what it does.
func prefetch2(a, b uintptr)
