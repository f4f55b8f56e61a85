//go:build !linux && !darwin

package arena

import "unsafe"

// region is one block of Go memory on systems whose calls for address space we do not use. It is
// counted by the garbage collector from the start, therefore the default limit is small.
type region struct {
	base   unsafe.Pointer
	usable []byte
}

func reserve(size int) (region, error) {
	m := make([]byte, size+chunkBytes)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(m)))) & (chunkBytes - 1)
	u := m[skip : skip+size]
	return region{base: unsafe.Pointer(unsafe.SliceData(u)), usable: u}, nil
}

func (r *region) commit(int) error { return nil }
func (r *region) touch(int, int)   {}
func (r *region) release(int, int) {}
func (r *region) adviseHuge(int)   {}
func (r *region) unmap()           { *r = region{} }

func defaultLimit() int64 { return 1 << 30 }
