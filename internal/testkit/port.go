package testkit

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// Ports that tests use for clients. The bus ports are busOffset higher.
const (
	firstPort = 8000
	lastPort  = 11900
	busOffset = 10000
)

// FreePort returns a port that is free, with its bus port. It stays reserved until the test ends, among all test
// processes of the machine, whether somebody listens there at the moment or not.
func FreePort(tb testing.TB) int {
	return FreePorts(tb, 1)
}

// FreePorts returns the first of n ports in a row, all reserved.
func FreePorts(tb testing.TB, n int) int {
	tb.Helper()
	const tries = 1000
	for range tries {
		first := firstPort + rand.IntN(lastPort-firstPort-n)
		var leases []*os.File
		for port := first; port < first+n; port++ {
			lease := reserve(tb, port)
			if lease == nil {
				break
			}
			leases = append(leases, lease)
		}
		release := func() {
			for _, l := range leases {
				os.Remove(l.Name())
				l.Close()
			}
		}
		if len(leases) == n {
			tb.Cleanup(release)
			return first
		}
		release()
	}
	tb.Fatalf("no %d ports in a row are free between %d and %d", n, firstPort, lastPort)
	return 0
}

// reserve locks a file that stands for the port; nil if the port is taken.
func reserve(tb testing.TB, port int) *os.File {
	tb.Helper()
	if !listens(port) || !listens(port+busOffset) {
		return nil
	}
	lease, err := os.OpenFile(filepath.Join(os.TempDir(), fmt.Sprintf("skein-test-port-%d", port)), os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		tb.Fatal(err)
	}
	if syscall.Flock(int(lease.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		lease.Close()
		return nil
	}
	return lease
}

// listens reports whether one can listen on the port.
func listens(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	l.Close()
	return true
}
