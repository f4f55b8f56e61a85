//go:build linux || darwin

package arena

import (
	"os"
	"syscall"
	"unsafe"
)

// region is a reserved range of addresses that is committed from its start.
type region struct {
	base      unsafe.Pointer
	usable    []byte // from base
	mapping   []byte // as mapped
	committed int
}

// reserve takes a range of size bytes aligned to a chunk. It occupies no memory.
func reserve(size int) (region, error) {
	m, err := syscall.Mmap(-1, 0, size+chunkBytes, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE|mapNoReserve)
	if err != nil {
		return region{}, os.NewSyscallError("mmap", err)
	}
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(m)))) & (chunkBytes - 1)
	u := m[skip : skip+size]
	return region{base: unsafe.Pointer(unsafe.SliceData(u)), usable: u, mapping: m}, nil
}

// commit makes the bytes up to end readable and writable.
func (r *region) commit(end int) error {
	page := os.Getpagesize()
	end = min((end+page-1)&^(page-1), len(r.usable))
	if end <= r.committed {
		return nil
	}
	if err := syscall.Mprotect(r.usable[r.committed:end], syscall.PROT_READ|syscall.PROT_WRITE); err != nil {
		return os.NewSyscallError("mprotect", err)
	}
	r.committed = end
	return nil
}

// touch brings a committed range that holds nothing yet into memory.
func (r *region) touch(at, n int) {
	for i := at; i < at+n; i += 4096 {
		r.usable[i] = 0
	}
}

func (r *region) unmap() {
	// There is nothing to be done about an error here: the range stays reserved.
	_ = syscall.Munmap(r.mapping)
	*r = region{}
}
