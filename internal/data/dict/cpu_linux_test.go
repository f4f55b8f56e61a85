package dict

import (
	"syscall"
	"testing"
)

// userTime reports the benchmark's own processor time for an operation, whatever else the machine does.
func userTime(b *testing.B) func() {
	b.Helper()
	var from syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &from)
	return func() {
		var to syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &to)
		b.ReportMetric(float64(to.Utime.Nano()-from.Utime.Nano())/float64(b.N), "user-ns/op")
	}
}
