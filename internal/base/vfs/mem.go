package vfs

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Mem is a file system in memory for tests. It holds two states: the one that
// its users see, and the one that a crash leaves. Sync and SyncDir carry the
// first over to the second, as the package comment says. Directories themselves
// are durable at once, and cannot be renamed.
//
// The zero value is an empty file system with the directories "/" and ".".
// Mem may be used by several goroutines.
type Mem struct {
	mu    sync.Mutex
	dirs  map[string]bool
	names map[string]*inode // as users see it

	durable map[string]*inode // as a crash leaves it
	journal []change          // what durable has not yet had

	locked   map[string]bool
	boots    int // crashes so far; handles of an earlier boot are dead
	fault    func(op Op, name string) error
	capacity int64 // bytes, 0 for no limit
}

var _ FS = (*Mem)(nil)

// inode is a file without its name.
type inode struct {
	data   []byte
	synced []byte
	perm   fs.FileMode
}

// change is a step of the names: to is made to stand for node, from is removed.
// Either may be empty. A crash keeps it whole or not at all.
type change struct {
	from, to string
	node     *inode
}

// Op names an operation, for faults.
type Op string

// The operations that can be made to fail.
const (
	OpOpen     Op = "open"
	OpRead     Op = "read"
	OpWrite    Op = "write"
	OpSync     Op = "sync"
	OpTruncate Op = "truncate"
	OpRename   Op = "rename"
	OpRemove   Op = "remove"
	OpStat     Op = "stat"
	OpReadDir  Op = "readdir"
	OpMkdir    Op = "mkdir"
	OpSyncDir  Op = "syncdir"
	OpLock     Op = "lock"
)

// SetFault makes f decide, before every operation, whether it fails: the error
// that f returns becomes the operation's, which then changes nothing. nil ends
// it. f must not call the Mem.
func (m *Mem) SetFault(f func(op Op, name string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = f
}

// FailNth returns a fault for SetFault: the n-th operation from now on, counted
// from 1, fails with err, and with it every later one if forever is set. With
// ops only these operations count.
func FailNth(n int, err error, forever bool, ops ...Op) func(Op, string) error {
	seen := 0
	return func(op Op, _ string) error {
		if len(ops) > 0 && !slices.Contains(ops, op) {
			return nil
		}
		seen++
		if seen == n || forever && seen > n {
			return err
		}
		return nil
	}
}

// SetCapacity limits the bytes of all files together. A write that exceeds it
// writes what fits and fails with ENOSPC. 0 is no limit.
func (m *Mem) SetCapacity(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.capacity = bytes
}

// Crash loses everything that is not durable. Open files fail from now on, locks
// are free. Faults stay.
func (m *Mem) Crash() { m.CrashTorn(nil) }

// CrashTorn is a crash in which some of what is not durable has reached the disk
// by chance: of the names the first so many changes, of each file any part of
// its new bytes.
func (m *Mem) CrashTorn(rnd *rand.Rand) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.init()
	if rnd != nil {
		for _, c := range m.journal[:rnd.IntN(len(m.journal)+1)] {
			c.apply(m.durable)
		}
	}
	m.journal = nil
	m.names = make(map[string]*inode)
	for _, name := range sortedNames(m.durable) {
		node := m.durable[name]
		if rnd != nil {
			node.tear(rnd)
		}
		node.data = slices.Clone(node.synced)
		m.names[name] = node
	}
	m.locked = nil
	m.boots++
}

// tear makes a random part of the bytes durable.
func (n *inode) tear(rnd *rand.Rand) {
	keep := rnd.IntN(len(n.data) + 1)
	switch rnd.IntN(3) {
	case 0: // none
	case 1: // all, the size included
		n.synced = slices.Clone(n.data)
	default: // the first keep bytes, over the old ones
		old := n.synced[min(keep, len(n.synced)):]
		n.synced = append(slices.Clone(n.data[:keep]), old...)
	}
}

func (c change) apply(names map[string]*inode) {
	if c.from != "" {
		delete(names, c.from)
	}
	if c.to != "" {
		names[c.to] = c.node
	}
}

// change makes a step that users see at once and a crash forgets.
func (m *Mem) change(c change) {
	c.apply(m.names)
	m.journal = append(m.journal, c)
}

// begin starts an operation: the lock is held and the fault asked.
func (m *Mem) begin(op Op, name string) error {
	m.init()
	if m.fault != nil {
		if err := m.fault(op, name); err != nil {
			return pathError(op, name, err)
		}
	}
	return nil
}

func (m *Mem) init() {
	if m.names == nil {
		m.names = make(map[string]*inode)
		m.durable = make(map[string]*inode)
		m.dirs = map[string]bool{"/": true, ".": true}
	}
}

func pathError(op Op, name string, err error) error {
	return &fs.PathError{Op: string(op), Path: name, Err: err}
}

// OpenFile implements FS.
func (m *Mem) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(OpOpen, name); err != nil {
		return nil, err
	}
	node, err := m.open(filepath.Clean(name), flag, perm)
	if err != nil {
		return nil, pathError(OpOpen, name, err)
	}
	return &memFile{mem: m, node: node, name: name, flag: flag, boot: m.boots}, nil
}

func (m *Mem) open(path string, flag int, perm fs.FileMode) (*inode, error) {
	node := m.names[path]
	switch {
	case m.dirs[path]:
		return nil, syscall.EISDIR
	case node != nil && flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		return nil, fs.ErrExist
	case node == nil && (flag&os.O_CREATE == 0 || !m.dirs[filepath.Dir(path)]):
		return nil, fs.ErrNotExist
	case node == nil:
		node = &inode{perm: perm.Perm()}
		m.change(change{to: path, node: node})
	case flag&os.O_TRUNC != 0:
		node.data = nil
	}
	return node, nil
}

// Rename implements FS.
func (m *Mem) Rename(oldName, newName string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(OpRename, oldName); err != nil {
		return err
	}
	from, to := filepath.Clean(oldName), filepath.Clean(newName)
	node := m.names[from]
	switch {
	case node == nil || !m.dirs[filepath.Dir(to)]:
		return pathError(OpRename, oldName, fs.ErrNotExist)
	case m.dirs[to]:
		return pathError(OpRename, newName, syscall.EISDIR)
	case from != to:
		m.change(change{from: from, to: to, node: node})
	}
	return nil
}

// Remove implements FS.
func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(OpRemove, name); err != nil {
		return err
	}
	path := filepath.Clean(name)
	switch {
	case m.names[path] != nil:
		m.change(change{from: path})
	case !m.dirs[path]:
		return pathError(OpRemove, name, fs.ErrNotExist)
	case len(m.list(path)) > 0:
		return pathError(OpRemove, name, syscall.ENOTEMPTY)
	default:
		delete(m.dirs, path)
	}
	return nil
}

// Stat implements FS.
func (m *Mem) Stat(name string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(OpStat, name); err != nil {
		return nil, err
	}
	path := filepath.Clean(name)
	if m.dirs[path] || m.names[path] != nil {
		return m.info(path), nil
	}
	return nil, pathError(OpStat, name, fs.ErrNotExist)
}

// ReadDir implements FS.
func (m *Mem) ReadDir(name string) ([]fs.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(OpReadDir, name); err != nil {
		return nil, err
	}
	path := filepath.Clean(name)
	if !m.dirs[path] {
		return nil, pathError(OpReadDir, name, fs.ErrNotExist)
	}
	var entries []fs.DirEntry
	for _, child := range m.list(path) {
		entries = append(entries, fs.FileInfoToDirEntry(m.info(child)))
	}
	return entries, nil
}

// list returns the paths of a directory's entries in order.
func (m *Mem) list(dir string) []string {
	var paths []string
	for path := range m.names {
		if filepath.Dir(path) == dir {
			paths = append(paths, path)
		}
	}
	for path := range m.dirs {
		if filepath.Dir(path) == dir && path != dir {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// MkdirAll implements FS.
func (m *Mem) MkdirAll(name string, perm fs.FileMode) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(OpMkdir, name); err != nil {
		return err
	}
	for path := filepath.Clean(name); !m.dirs[path]; path = filepath.Dir(path) {
		if m.names[path] != nil {
			return pathError(OpMkdir, name, syscall.ENOTDIR)
		}
		m.dirs[path] = true
	}
	return nil
}

// SyncDir implements FS.
func (m *Mem) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(OpSyncDir, name); err != nil {
		return err
	}
	dir := filepath.Clean(name)
	if !m.dirs[dir] {
		return pathError(OpSyncDir, name, fs.ErrNotExist)
	}
	m.journal = slices.DeleteFunc(m.journal, func(c change) bool {
		here := c.from != "" && filepath.Dir(c.from) == dir || c.to != "" && filepath.Dir(c.to) == dir
		if here {
			c.apply(m.durable)
		}
		return here
	})
	return nil
}

// Lock implements FS.
func (m *Mem) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(OpLock, name); err != nil {
		return nil, err
	}
	path := filepath.Clean(name)
	if m.locked[path] {
		return nil, pathError(OpLock, name, ErrLocked)
	}
	if _, err := m.open(path, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return nil, pathError(OpLock, name, err)
	}
	if m.locked == nil {
		m.locked = make(map[string]bool)
	}
	m.locked[path] = true
	return &memLock{mem: m, path: path, boot: m.boots}, nil
}

type memLock struct {
	mem  *Mem
	path string
	boot int
	done bool
}

func (l *memLock) Close() error {
	l.mem.mu.Lock()
	defer l.mem.mu.Unlock()
	if l.done {
		return fs.ErrClosed
	}
	l.done = true
	if l.boot == l.mem.boots {
		delete(l.mem.locked, l.path)
	}
	return nil
}

// used returns the bytes of all files that have a name.
func (m *Mem) used() (bytes int64) {
	for _, node := range m.names {
		bytes += int64(len(node.data))
	}
	return bytes
}

func (m *Mem) info(path string) fs.FileInfo {
	info := memInfo{name: filepath.Base(path), dir: m.dirs[path]}
	if node := m.names[path]; node != nil {
		info.size, info.perm = int64(len(node.data)), node.perm
	}
	return info
}

// memInfo describes a file. Mem has no clock: times are zero.
type memInfo struct {
	name string
	size int64
	perm fs.FileMode
	dir  bool
}

func (i memInfo) Name() string       { return i.name }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) ModTime() time.Time { return time.Time{} }
func (i memInfo) IsDir() bool        { return i.dir }
func (i memInfo) Sys() any           { return nil }

func (i memInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o755
	}
	return i.perm
}

func sortedNames(names map[string]*inode) []string {
	var sorted []string
	for name := range names {
		sorted = append(sorted, name)
	}
	slices.SortFunc(sorted, strings.Compare)
	return sorted
}
