package vfs

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// memFile is an open file of a Mem. It works on after its name is gone, as
// files of Unix do.
type memFile struct {
	mem    *Mem
	node   *inode
	name   string
	flag   int
	boot   int
	offset int64
	closed bool
}

func (f *memFile) Name() string { return f.name }

// begin starts an operation; the caller holds the lock of mem.
func (f *memFile) begin(op Op) error {
	if f.closed || f.boot != f.mem.boots {
		return pathError(op, f.name, fs.ErrClosed)
	}
	if op == OpRead && f.flag&os.O_WRONLY != 0 || (op == OpWrite || op == OpTruncate) && f.flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		return pathError(op, f.name, syscall.EBADF)
	}
	return f.mem.begin(op, f.name)
}

func (f *memFile) Read(p []byte) (int, error) {
	f.mem.mu.Lock()
	defer f.mem.mu.Unlock()
	n, err := f.readAt(p, f.offset)
	f.offset += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

func (f *memFile) ReadAt(p []byte, offset int64) (int, error) {
	f.mem.mu.Lock()
	defer f.mem.mu.Unlock()
	return f.readAt(p, offset)
}

func (f *memFile) readAt(p []byte, offset int64) (int, error) {
	if err := f.begin(OpRead); err != nil {
		return 0, err
	}
	if offset < 0 {
		return 0, pathError(OpRead, f.name, syscall.EINVAL)
	}
	n := copy(p, f.node.data[min(offset, int64(len(f.node.data))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) Write(p []byte) (int, error) {
	f.mem.mu.Lock()
	defer f.mem.mu.Unlock()
	if f.flag&os.O_APPEND != 0 {
		f.offset = int64(len(f.node.data))
	}
	n, err := f.writeAt(p, f.offset)
	f.offset += int64(n)
	return n, err
}

func (f *memFile) WriteAt(p []byte, offset int64) (int, error) {
	f.mem.mu.Lock()
	defer f.mem.mu.Unlock()
	return f.writeAt(p, offset)
}

func (f *memFile) writeAt(p []byte, offset int64) (int, error) {
	if err := f.begin(OpWrite); err != nil {
		return 0, err
	}
	if offset < 0 {
		return 0, pathError(OpWrite, f.name, syscall.EINVAL)
	}
	fit := len(p)
	if more := offset + int64(len(p)) - int64(len(f.node.data)); f.mem.capacity > 0 && more > 0 {
		over := f.mem.used() + more - f.mem.capacity
		fit -= int(min(max(over, 0), int64(len(p)), more))
	}
	if end := offset + int64(fit); fit > 0 && end > int64(len(f.node.data)) {
		f.node.resize(end)
	}
	if fit > 0 {
		copy(f.node.data[offset:], p[:fit])
	}
	if fit < len(p) {
		return fit, pathError(OpWrite, f.name, syscall.ENOSPC)
	}
	return fit, nil
}

func (f *memFile) Seek(offset int64, whence int) (int64, error) {
	f.mem.mu.Lock()
	defer f.mem.mu.Unlock()
	if f.closed || f.boot != f.mem.boots {
		return 0, pathError("seek", f.name, fs.ErrClosed)
	}
	switch whence {
	case io.SeekCurrent:
		offset += f.offset
	case io.SeekEnd:
		offset += int64(len(f.node.data))
	}
	if offset < 0 {
		return 0, pathError("seek", f.name, syscall.EINVAL)
	}
	f.offset = offset
	return offset, nil
}

func (f *memFile) Sync() error {
	f.mem.mu.Lock()
	defer f.mem.mu.Unlock()
	if err := f.begin(OpSync); err != nil {
		return err
	}
	f.node.synced = slices.Clone(f.node.data)
	return nil
}

func (f *memFile) Truncate(size int64) error {
	f.mem.mu.Lock()
	defer f.mem.mu.Unlock()
	if err := f.begin(OpTruncate); err != nil {
		return err
	}
	if size < 0 {
		return pathError(OpTruncate, f.name, syscall.EINVAL)
	}
	f.node.resize(size)
	return nil
}

func (f *memFile) Stat() (fs.FileInfo, error) {
	f.mem.mu.Lock()
	defer f.mem.mu.Unlock()
	if err := f.begin(OpStat); err != nil {
		return nil, err
	}
	return memInfo{name: filepath.Base(f.name), size: int64(len(f.node.data)), perm: f.node.perm}, nil
}

func (f *memFile) Close() error {
	f.mem.mu.Lock()
	defer f.mem.mu.Unlock()
	if f.closed {
		return pathError("close", f.name, fs.ErrClosed)
	}
	f.closed = true
	return nil
}

// resize makes the file size bytes long; new bytes are zero.
func (n *inode) resize(size int64) {
	if grow := size - int64(len(n.data)); grow > 0 {
		n.data = append(n.data, make([]byte, grow)...)
		return
	}
	n.data = n.data[:size]
}
