// Package vfs is the few file operations that a node needs, behind an interface,
// so that tests can take the power away between any two of them.
//
// [OS] is the real file system. [Mem] is a test double that keeps apart what has
// been written from what would survive a crash, and fails on request.
//
// What survives a crash is what POSIX promises and no more:
//
//	a file's bytes            after File.Sync
//	a name made or renamed    after SyncDir of its directory
//	a rename                  is seen whole or not at all
//
// So a file is replaced safely only in this order: write a temporary file in the
// same directory, Sync it, Rename it, SyncDir. [WriteAtomic] does just that.
package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// FS is a file system. Errors are those of package os: errors.Is with
// fs.ErrNotExist, fs.ErrExist and syscall.ENOSPC holds for all implementations.
type FS interface {
	// OpenFile opens a file with the flags of os.OpenFile.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	// Rename moves a file, replacing one that has the new name.
	Rename(oldName, newName string) error
	// Remove deletes a file or an empty directory.
	Remove(name string) error
	// Stat describes a file or directory.
	Stat(name string) (fs.FileInfo, error)
	// ReadDir lists a directory, sorted by name.
	ReadDir(name string) ([]fs.DirEntry, error)
	// MkdirAll makes a directory and those above it.
	MkdirAll(name string, perm fs.FileMode) error
	// SyncDir makes the names in a directory durable.
	SyncDir(name string) error
	// Lock takes the exclusive lock of the named file, making the file if need
	// be, without waiting. If someone else holds it the error is ErrLocked.
	// Closing the result, or the end of the process, gives it back.
	Lock(name string) (io.Closer, error)
}

// File is an open file. One goroutine uses its offset at a time; ReadAt and
// WriteAt do not use it.
type File interface {
	io.Reader
	io.Writer
	io.ReaderAt
	io.WriterAt
	io.Seeker
	io.Closer
	// Name is the name the file was opened with.
	Name() string
	// Sync makes the file's bytes durable. After an error nothing is known
	// about bytes written since the last success, also if a later Sync
	// succeeds: write them again to another file.
	Sync() error
	// Truncate changes the file's size; the offset stays.
	Truncate(size int64) error
	// Stat describes the file.
	Stat() (fs.FileInfo, error)
}

// ErrLocked: another process, or another node of this one, holds the lock.
var ErrLocked = errors.New("file is locked")

// ReadFile returns a file's bytes.
func ReadFile(fsys FS, name string) ([]byte, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// CreateTemp makes a new file in dir whose name is pattern with its last star
// replaced by a number that gives a name not yet used.
func CreateTemp(fsys FS, dir, pattern string, perm fs.FileMode) (File, error) {
	before, after := pattern, ""
	if star := strings.LastIndexByte(pattern, '*'); star >= 0 {
		before, after = pattern[:star], pattern[star+1:]
	}
	for n := os.Getpid(); ; n++ {
		name := filepath.Join(dir, before+strconv.Itoa(n)+after)
		f, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// WriteAtomic replaces a file's content: after a crash at any moment the file
// holds all of the old bytes or all of the new ones, and after a return without
// error the new ones. On an error the temporary file is removed.
func WriteAtomic(fsys FS, name string, data []byte, perm fs.FileMode) error {
	dir := filepath.Dir(name)
	temp, err := CreateTemp(fsys, dir, filepath.Base(name)+".tmp-*", perm)
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync()
	}
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = fsys.Rename(temp.Name(), name)
	}
	if err != nil {
		fsys.Remove(temp.Name())
		return err
	}
	return fsys.SyncDir(dir)
}
