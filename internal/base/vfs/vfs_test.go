package vfs

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The double must do what the operating system does.
func TestBothImplementations(t *testing.T) {
	t.Run("OS", func(t *testing.T) { testFS(t, OS{}, t.TempDir()) })
	t.Run("Mem", func(t *testing.T) {
		m := new(Mem)
		must(t, m.MkdirAll("/tmp/x", 0o755))
		testFS(t, m, "/tmp/x")
	})
}

func testFS(t *testing.T, fsys FS, dir string) {
	path := func(name string) string { return filepath.Join(dir, name) }
	must(t, fsys.MkdirAll(path("a/b"), 0o755))
	must(t, fsys.MkdirAll(path("a/b"), 0o755))

	_, err := fsys.OpenFile(path("none"), os.O_RDONLY, 0)
	wantErr(t, err, fs.ErrNotExist)
	_, err = fsys.OpenFile(path("no/dir"), os.O_WRONLY|os.O_CREATE, 0o644)
	wantErr(t, err, fs.ErrNotExist)
	_, err = fsys.OpenFile(path("a"), os.O_WRONLY, 0)
	wantErr(t, err, syscall.EISDIR)

	f, err := fsys.OpenFile(path("a/f"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
	must(t, err)
	if f.Name() != path("a/f") {
		t.Errorf("Name %q", f.Name())
	}
	_, err = fsys.OpenFile(path("a/f"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
	wantErr(t, err, fs.ErrExist)
	write(t, f, "hello world")
	_, err = f.WriteAt([]byte("J"), 0)
	must(t, err)
	buf := make([]byte, 5)
	n, err := f.ReadAt(buf, 6)
	must(t, err)
	if string(buf[:n]) != "world" {
		t.Errorf("ReadAt %q", buf[:n])
	}
	n, err = f.ReadAt(buf, 9)
	wantErr(t, err, io.EOF)
	if n != 2 {
		t.Errorf("ReadAt at the end: %d bytes", n)
	}
	if n, err = f.Read(buf); n != 0 || err != io.EOF {
		t.Errorf("Read at the end: %d, %v", n, err)
	}
	at, err := f.Seek(-5, io.SeekEnd)
	must(t, err)
	if at != 6 {
		t.Errorf("Seek to %d", at)
	}
	must(t, f.Truncate(9))
	rest, err := io.ReadAll(f)
	must(t, err)
	if string(rest) != "wor" {
		t.Errorf("after Truncate and Seek: %q", rest)
	}
	must(t, f.Truncate(11))
	must(t, f.Sync())
	info, err := f.Stat()
	must(t, err)
	if info.Size() != 11 || info.Name() != "f" || info.IsDir() || info.Mode() != 0o640 {
		t.Errorf("Stat: %v", info)
	}
	must(t, f.Close())
	_, err = f.Write([]byte("x"))
	wantErr(t, err, fs.ErrClosed)
	wantErr(t, f.Close(), fs.ErrClosed)
	wantFile(t, fsys, path("a/f"), "Jello wor\x00\x00")

	// append, truncate, read-only
	f, err = fsys.OpenFile(path("a/f"), os.O_WRONLY|os.O_TRUNC, 0)
	must(t, err)
	write(t, f, "one")
	if _, err = f.Read(buf); err == nil {
		t.Error("a file opened for writing was read")
	}
	must(t, f.Close())
	f, err = fsys.OpenFile(path("a/f"), os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	write(t, f, " two")
	must(t, f.Close())
	f, err = fsys.OpenFile(path("a/f"), os.O_RDONLY, 0)
	must(t, err)
	if _, err = f.Write([]byte("x")); err == nil {
		t.Error("a file opened for reading was written")
	}
	wantFile(t, fsys, path("a/f"), "one two")

	// names; the open file survives its name
	must(t, WriteAtomic(fsys, path("g"), []byte("other"), 0o644))
	must(t, fsys.Rename(path("g"), path("a/f")))
	wantFile(t, fsys, path("a/f"), "other")
	old, err := io.ReadAll(f)
	must(t, err)
	if string(old) != "one two" {
		t.Errorf("the replaced file holds %q", old)
	}
	must(t, f.Close())
	wantErr(t, fsys.Rename(path("g"), path("h")), fs.ErrNotExist)
	wantErr(t, fsys.Remove(path("g")), fs.ErrNotExist)
	_, err = fsys.Stat(path("g"))
	wantErr(t, err, fs.ErrNotExist)
	info, err = fsys.Stat(path("a"))
	must(t, err)
	if !info.IsDir() {
		t.Error("a directory is not one")
	}
	entries, err := fsys.ReadDir(path("a"))
	must(t, err)
	if len(entries) != 2 || entries[0].Name() != "b" || !entries[0].IsDir() || entries[1].Name() != "f" {
		t.Errorf("ReadDir: %v", entries)
	}
	_, err = fsys.ReadDir(path("g"))
	wantErr(t, err, fs.ErrNotExist)
	wantErr(t, fsys.SyncDir(path("g")), fs.ErrNotExist)
	must(t, fsys.SyncDir(path("a")))
	if err := fsys.Remove(path("a")); err == nil {
		t.Error("a full directory was removed")
	}
	must(t, fsys.Remove(path("a/f")))
	must(t, fsys.Remove(path("a/b")))
	must(t, fsys.Remove(path("a")))

	// locks
	lock, err := fsys.Lock(path("lock"))
	must(t, err)
	_, err = fsys.Lock(path("lock"))
	wantErr(t, err, ErrLocked)
	must(t, lock.Close())
	lock, err = fsys.Lock(path("lock"))
	must(t, err)
	must(t, lock.Close())

	first, err := CreateTemp(fsys, dir, "temp-*.rdb", 0o600)
	must(t, err)
	second, err := CreateTemp(fsys, dir, "temp-*.rdb", 0o600)
	must(t, err)
	if first.Name() == second.Name() || !strings.HasSuffix(first.Name(), ".rdb") {
		t.Errorf("temporary names %q, %q", first.Name(), second.Name())
	}
	must(t, errors.Join(first.Close(), second.Close()))
}

func TestCrashLosesWhatIsNotSynced(t *testing.T) {
	m := new(Mem)
	f, err := m.OpenFile("f", os.O_RDWR|os.O_CREATE, 0o644)
	must(t, err)
	write(t, f, "one")
	must(t, f.Sync())
	lock, err := m.Lock("lock")
	must(t, err)
	m.Crash()
	_, err = m.Stat("f")
	wantErr(t, err, fs.ErrNotExist) // its name was not
	wantErr(t, f.Sync(), fs.ErrClosed)

	again, err := m.Lock("lock") // a crash gives locks back
	must(t, err)
	must(t, lock.Close())
	_, err = m.Lock("lock")
	wantErr(t, err, ErrLocked)
	must(t, again.Close())

	f, err = m.OpenFile("f", os.O_RDWR|os.O_CREATE, 0o644)
	must(t, err)
	write(t, f, "one")
	must(t, f.Sync())
	must(t, m.SyncDir("."))
	write(t, f, " two")
	m.Crash()
	wantFile(t, m, "f", "one")

	must(t, m.Rename("f", "g"))
	m.Crash()
	wantFile(t, m, "f", "one")
	must(t, m.Rename("f", "g"))
	must(t, m.SyncDir("."))
	must(t, m.Remove("g"))
	m.Crash()
	wantFile(t, m, "g", "one")
}

// The power goes at any operation of WriteAtomic, and anything may have reached
// the disk: the file is the old or the new one, and the new one after success.
func TestWriteAtomicSurvivesCrashes(t *testing.T) {
	for seed := range uint64(200) {
		for stop := 1; ; stop++ {
			m := new(Mem)
			must(t, m.MkdirAll("d", 0o755))
			must(t, WriteAtomic(m, "d/f", []byte("old content"), 0o644))
			m.SetFault(FailNth(stop, errors.New("power cut"), true))
			err := WriteAtomic(m, "d/f", []byte("the new content"), 0o644)
			m.SetFault(nil)
			m.CrashTorn(rand.New(rand.NewPCG(seed, uint64(stop))))

			data, readErr := ReadFile(m, "d/f")
			must(t, readErr)
			if got := string(data); got != "the new content" && (got != "old content" || err == nil) {
				t.Fatalf("stopped at operation %d (%v): %q", stop, err, got)
			}
			if err == nil {
				break
			}
		}
	}
}

// Without Sync the same sequence may leave an empty file: the double shows it.
func TestTornCrashShowsMissingSync(t *testing.T) {
	for seed := range uint64(1000) {
		m := new(Mem)
		must(t, WriteAtomic(m, "f", []byte("old"), 0o644))
		f, err := CreateTemp(m, ".", "f.tmp-*", 0o644)
		must(t, err)
		write(t, f, "new")
		must(t, m.Rename(f.Name(), "f"))
		m.CrashTorn(rand.New(rand.NewPCG(seed, 0)))
		if data, _ := ReadFile(m, "f"); len(data) == 0 {
			return
		}
	}
	t.Error("no crash in a thousand tore the file")
}

func TestFaults(t *testing.T) {
	m := new(Mem)
	m.SetFault(FailNth(2, syscall.EIO, false, OpWrite, OpSync))
	f, err := m.OpenFile("f", os.O_RDWR|os.O_CREATE, 0o644)
	must(t, err)
	write(t, f, "a")
	wantErr(t, f.Sync(), syscall.EIO)
	must(t, f.Sync())
	m.SetFault(FailNth(1, syscall.EIO, true))
	_, err = f.Stat()
	wantErr(t, err, syscall.EIO)
	wantErr(t, m.Remove("f"), syscall.EIO)
	m.SetFault(nil)

	m.SetCapacity(10)
	n, err := f.Write([]byte("0123456789"))
	wantErr(t, err, syscall.ENOSPC)
	if n != 9 {
		t.Errorf("%d bytes fit", n)
	}
	wantErr(t, WriteAtomic(m, "g", []byte("x"), 0o644), syscall.ENOSPC)
	entries, err := m.ReadDir(".")
	must(t, err)
	if len(entries) != 1 {
		t.Errorf("a failed WriteAtomic leaves %v", entries)
	}
	_, err = f.WriteAt([]byte("over"), 0) // overwriting needs no room
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func wantFile(t *testing.T, fsys FS, name, want string) {
	t.Helper()
	data, err := ReadFile(fsys, name)
	must(t, err)
	if string(data) != want {
		t.Errorf("%s holds %q, want %q", name, data, want)
	}
}

func write(t *testing.T, f File, text string) {
	t.Helper()
	n, err := io.WriteString(f, text)
	must(t, err)
	if n != len(text) {
		t.Fatalf("%d bytes written", n)
	}
}
