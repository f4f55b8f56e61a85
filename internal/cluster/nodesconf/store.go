package nodesconf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Store is the file nodes.conf of one node. It is held under a lock from Open to Close, so that no second
// process, be it Skein or redis-server, takes it for its own. Its methods are for one goroutine at a time.
type Store struct {
	path   string
	locked *os.File // the file that bears the name path, whose lock is ours
}

// InUseError says that another node has locked the file.
type InUseError struct{ Path string }

// Error is Redis's message.
func (e *InUseError) Error() string {
	return fmt.Sprintf("Sorry, the cluster configuration file %s is already used by a different Redis Cluster node. "+
		"Please make sure that different nodes use different cluster configuration files.", e.Path)
}

// Open locks the file at path, and creates an empty one if there is none: two nodes that start at once on
// one path must not both win. If another node has it, the error is an *InUseError.
func Open(path string) (*Store, error) {
	for {
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			return nil, fmt.Errorf("Can't open %s in order to acquire a lock: %w", path, err)
		}
		if err := lock(file); err != nil {
			file.Close()
			if errors.Is(err, errLocked) {
				return nil, &InUseError{path}
			}
			return nil, fmt.Errorf("Impossible to lock %s: %w", path, err)
		}
		if bearsName(file, path) {
			return &Store{path: path, locked: file}, nil
		}
		// Its owner replaced the file and went away between our two calls: the lock is on a nameless file.
		file.Close()
	}
}

// bearsName reports whether path still leads to file.
func bearsName(file *os.File, path string) bool {
	ours, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(ours, named)
}

// Load reads the file. Found is false if it is empty, as it is when Open has made it: the node is new. A
// damaged file is an error that names the line; the file stays as it is.
func (s *Store) Load(tlsCluster bool) (state State, found bool, err error) {
	data, err := os.ReadFile(s.path)
	if err != nil {
		return State{}, false, fmt.Errorf("Loading the cluster node config from %s: %w", s.path, err)
	}
	if len(data) == 0 {
		return State{}, false, nil
	}
	if state, err = Parse(data, tlsCluster); err != nil {
		return State{}, false, fmt.Errorf("Unrecoverable error: corrupted cluster config file %q: %w", s.path, err)
	}
	return state, true, nil
}

// Save replaces the file by one that says state. When it returns nil the new content is durable; when it
// fails the old one is still there, unless only the last step failed, which makes the exchange durable.
func (s *Store) Save(state *State) error { return s.write(Format(state)) }

// write goes: temporary file, write, sync, lock, rename, sync the directory. The new file is locked before
// it gets the name, and the old one unlocked after it has lost it, so at no time is there a file of that
// name without our lock.
func (s *Store) write(content []byte) error {
	next, err := s.writeTemp(content)
	if err != nil {
		return err
	}
	if err := os.Rename(next.Name(), s.path); err != nil {
		discard(next)
		return fmt.Errorf("Could not rename tmp cluster config file: %w", err)
	}
	s.locked.Close()
	s.locked = next
	if err := syncDir(filepath.Dir(s.path)); err != nil {
		return fmt.Errorf("Could not sync cluster config file dir: %w", err)
	}
	return nil
}

// writeTemp returns a locked file beside the real one with the given content, on disk. The lock on the real
// file makes the fixed name safe; a file that a crash left behind is overwritten.
func (s *Store) writeTemp(content []byte) (*os.File, error) {
	temp, err := os.OpenFile(s.path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, fmt.Errorf("Could not open temp cluster config file: %w", err)
	}
	if _, err := temp.Write(content); err != nil {
		discard(temp)
		return nil, fmt.Errorf("Failed to write the tmp cluster config file: %w", err)
	}
	if err := temp.Sync(); err != nil {
		discard(temp)
		return nil, fmt.Errorf("Could not sync tmp cluster config file: %w", err)
	}
	if err := lock(temp); err != nil {
		discard(temp)
		return nil, fmt.Errorf("Impossible to lock %s: %w", temp.Name(), err)
	}
	return temp, nil
}

func discard(temp *os.File) {
	temp.Close()
	os.Remove(temp.Name())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Close gives the file free. It stays where it is.
func (s *Store) Close() error { return s.locked.Close() }
