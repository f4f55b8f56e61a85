//go:build linux && !portable

package netloop

import (
	"syscall"
	"unsafe"
)

// These are system calls the scheduler is not told of: on a descriptor that does not
// block they return at once. A socket's own calls cost less than read and write, which
// go through what all files have in common.
func rawReceive(fd int, p []byte) (int, syscall.Errno) {
	return transfer(syscall.SYS_RECVFROM, fd, p, 0)
}

func rawSend(fd int, p []byte) (int, syscall.Errno) {
	return transfer(syscall.SYS_SENDTO, fd, p, syscall.MSG_NOSIGNAL)
}

// rawRead and rawWrite are for what is no socket.
func rawRead(fd int, p []byte) (int, syscall.Errno)  { return transfer(syscall.SYS_READ, fd, p, 0) }
func rawWrite(fd int, p []byte) (int, syscall.Errno) { return transfer(syscall.SYS_WRITE, fd, p, 0) }

func transfer(trap uintptr, fd int, p []byte, flags uintptr) (int, syscall.Errno) {
	if len(p) == 0 {
		return 0, 0
	}
	for {
		n, _, errno := syscall.RawSyscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), flags, 0, 0)
		if errno != syscall.EINTR {
			return int(n), errno
		}
	}
}

// rawWait waits for events at most so many ms. The scheduler believes that the
// thread runs meanwhile.
func rawWait(epoll int, events []syscall.EpollEvent, ms int) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), uintptr(ms), 0, 0)
	return int(n), errno
}
