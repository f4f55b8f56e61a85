package arena

import "syscall"

const mapNoReserve = syscall.MAP_NORESERVE

// adviseHuge asks for huge pages from an offset on. It is a wish: the system may not have them.
func (r *region) adviseHuge(from int) {
	_ = syscall.Madvise(r.usable[from:], syscall.MADV_HUGEPAGE)
}

// release gives the memory of a committed range back; it stays readable.
func (r *region) release(at, n int) {
	_ = syscall.Madvise(r.usable[at:at+n], syscall.MADV_DONTNEED)
}

// defaultLimit is four times the physical memory.
func defaultLimit() int64 {
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		return 64 << 30
	}
	return 4 * int64(info.Totalram) * int64(info.Unit)
}
