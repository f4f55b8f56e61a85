package nodesconf

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStoreSavesAndLoads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes.conf")
	store := open(t, path)
	if _, found, err := store.Load(false); found || err != nil {
		t.Fatalf("a new file: %v, %v", found, err)
	}
	want := parse(t, lineMe+"\n"+lineReplica+"\nvars currentEpoch 7 lastVoteEpoch 6")
	for range 3 {
		want.CurrentEpoch++
		if err := store.Save(&want); err != nil {
			t.Fatal(err)
		}
		got, found, err := store.Load(false)
		if err != nil || !found || string(Format(&got)) != string(Format(&want)) {
			t.Fatalf("%v, %v, %+v", found, err, got)
		}
	}
	if left, _ := filepath.Glob(path + "?*"); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestSecondNodeIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes.conf")
	first := open(t, path)
	check := func(when string) {
		t.Helper()
		_, err := Open(path)
		var inUse *InUseError
		if !errors.As(err, &inUse) || !strings.HasPrefix(err.Error(), "Sorry, the cluster configuration file "+path+" is already used") {
			t.Errorf("%s: %v", when, err)
		}
	}
	check("at first")
	state := parse(t, lineMe)
	for range 2 { // the file that bears the name is another one each time
		if err := first.Save(&state); err != nil {
			t.Fatal(err)
		}
		check("after a save")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}

func TestDamagedFileIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes.conf")
	text := lineMe + "\n" + lineReplica + " nonsense\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, err := open(t, path).Load(false)
	if err == nil || !strings.Contains(err.Error(), `corrupted cluster config file "`+path+`": line 2: `) {
		t.Errorf("%v", err)
	}
	if after, _ := os.ReadFile(path); string(after) != text {
		t.Errorf("the file is now %q", after)
	}
}

func TestFailedSaveKeepsTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes.conf")
	store := open(t, path)
	state := parse(t, lineMe)
	if err := store.Save(&state); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	if err := os.Mkdir(path+".tmp", 0o755); err != nil { // the temporary file cannot be made
		t.Fatal(err)
	}
	state.CurrentEpoch = 99
	if err := store.Save(&state); err == nil || !strings.Contains(err.Error(), "Could not open temp cluster config file") {
		t.Errorf("%v", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the old file is gone")
	}
	if _, err := Open(path); err == nil {
		t.Error("the lock is gone")
	}
}

func TestOpenNowhere(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "missing", "nodes.conf"))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "in order to acquire a lock") {
		t.Errorf("%v", err)
	}
}

// A redis-server must not start on the file of a running node either, and must understand it afterwards.
func TestRedisServerAgrees(t *testing.T) {
	program := testkit.Program(t, "redis-server")
	dir := t.TempDir()
	store := open(t, filepath.Join(dir, "nodes.conf"))
	state := parse(t, lineMe)
	if err := store.Save(&state); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "--port", "17390", "--dir", dir, "--cluster-enabled", "yes", "--save", "").Output()
	if err == nil || !strings.Contains(string(out), (&InUseError{"nodes.conf"}).Error()) {
		t.Errorf("%v\n%s", err, out)
	}
}
