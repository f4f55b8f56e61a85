package tick

import (
	"bytes"
	"os"
	"runtime"
)

// count is the time stamp counter.
//
//go:noescape
func count() uint64

// trusted tells whether the kernel makes its own clock of the counter: then it
// runs at one rate, on all processors together.
func trusted() bool {
	if runtime.GOOS != "linux" {
		return false
	}
	source, err := os.ReadFile("/sys/devices/system/clocksource/clocksource0/current_clocksource")
	return err == nil && string(bytes.TrimSpace(source)) == "tsc"
}
