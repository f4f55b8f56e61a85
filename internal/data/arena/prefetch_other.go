//go:build !amd64 && !arm64

package arena

func prefetch(uintptr)           {}
func prefetch2(uintptr, uintptr) {}
