//go:build amd64 || arm64

package arena

import "unsafe"

// prefetch hints that the line at p will be read. It never faults.
//
//go:noescape
func prefetch(p unsafe.Pointer)
