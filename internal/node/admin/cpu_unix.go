//go:build unix

package admin

import "syscall"

func appendCPU(b []byte) []byte {
	var self, children syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &self)
	syscall.Getrusage(syscall.RUSAGE_CHILDREN, &children)
	f := fields(b)
	f.seconds("used_cpu_sys", micros(self.Stime))
	f.seconds("used_cpu_user", micros(self.Utime))
	f.seconds("used_cpu_sys_children", micros(children.Stime))
	f.seconds("used_cpu_user_children", micros(children.Utime))
	appendThreadCPU(&f)
	return f
}

func micros(t syscall.Timeval) int64 { return t.Nano() / 1000 }
