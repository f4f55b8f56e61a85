package admin

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// multiplexing is what the event loops wait with.
const multiplexing = "epoll"

// systemName is uname's system, release and machine.
func systemName() string {
	var u syscall.Utsname
	if syscall.Uname(&u) != nil {
		return "Linux"
	}
	return chars(u.Sysname[:]) + " " + chars(u.Release[:]) + " " + chars(u.Machine[:])
}

// chars is a C string; its element type differs between architectures.
func chars[C int8 | uint8](c []C) string {
	var b []byte
	for _, x := range c {
		if x == 0 {
			break
		}
		b = append(b, byte(x))
	}
	return string(b)
}

// systemMemory is the memory of the machine in bytes.
func systemMemory() int64 {
	var s syscall.Sysinfo_t
	if syscall.Sysinfo(&s) != nil {
		return 0
	}
	return int64(s.Totalram) * int64(s.Unit)
}

// residentBytes is how much of the process is in memory, ok false if that cannot be told.
func residentBytes() (n int64, ok bool) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	words := bytes.Fields(text)
	if len(words) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(string(words[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err == nil
}

const rusageThread = 1

// appendThreadCPU tells what the loop that answers has used.
func appendThreadCPU(f *fields) {
	var u syscall.Rusage
	if syscall.Getrusage(rusageThread, &u) == nil {
		f.seconds("used_cpu_sys_main_thread", micros(u.Stime))
		f.seconds("used_cpu_user_main_thread", micros(u.Utime))
	}
}
