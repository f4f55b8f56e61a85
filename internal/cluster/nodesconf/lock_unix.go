//go:build unix && !solaris && !aix

package nodesconf

import (
	"errors"
	"os"
	"syscall"
)

// errLocked means that somebody else holds the lock.
var errLocked = errors.New("locked by another process")

// lock takes the lock of file, as redis-server does, without waiting. It ends when file is closed.
func lock(file *os.File) error {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errLocked
		default:
			return err
		}
	}
}
