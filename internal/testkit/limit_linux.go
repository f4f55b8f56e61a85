package testkit

import (
	"syscall"
	"unsafe"
)

// LimitFiles makes the server's writes beyond so many bytes of a file fail, as on a
// disk that is full; a negative number lifts the limit. It needs no privilege.
func (s *Server) LimitFiles(bytes int64) {
	s.tb.Helper()
	pid := uintptr(s.process.cmd.Process.Pid)
	var limit struct{ soft, hard uint64 }
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, pid, syscall.RLIMIT_FSIZE, 0, uintptr(unsafe.Pointer(&limit)), 0, 0)
	if errno == 0 {
		if limit.soft = limit.hard; bytes >= 0 {
			limit.soft = uint64(bytes)
		}
		_, _, errno = syscall.RawSyscall6(syscall.SYS_PRLIMIT64, pid, syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	}
	if errno != 0 {
		s.tb.Fatalf("limiting the files of the server on port %d: %v", s.Port, errno)
	}
}
