//go:build linux || darwin || netbsd || openbsd || solaris || aix

package node

import "syscall"

// raiseOpenFiles makes the limit of open files at least want, or as near as the
// system lets it. It returns the limit before and after.
func raiseOpenFiles(want uint64) (was, limit uint64, err error) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 1024, 1024, err
	}
	was = l.Cur
	if was >= want {
		return was, was, nil
	}
	raised := l
	raised.Cur, raised.Max = want, max(l.Max, want)
	if err = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err == nil {
		return was, want, nil
	}
	l.Cur = l.Max
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return was, was, err
	}
	return was, l.Max, err
}
