package interop

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

// The disk of a master that sends files, and that of a replica that receives into one, is full: nobody ends, the log says why,
// and when there is room the synchronization succeeds. It is full for one process only, whose files may not grow.
func TestFullDiskDuringFullSync(t *testing.T) {
	for _, whose := range []string{"master", "replica"} {
		t.Run(whose, func(t *testing.T) {
			t.Parallel()
			directives := []string{"enable-debug-command yes", "enable-protected-configs yes", "repl-diskless-sync-delay 0", "repl-diskless-sync no", "repl-timeout 5"}
			master, replica := testkit.StartSkein(t, directives...), testkit.StartSkein(t, directives...)
			victim := map[string]*server{"master": master, "replica": replica}[whose]
			disk := t.TempDir()
			victim.Want("+OK", "CONFIG", "SET", "dir", disk)
			fillPlain(t, master, 2000)
			victim.LimitFiles(1 << 20)
			replica.Want("+OK", "REPLICAOF", "127.0.0.1", fmt.Sprint(master.Port))
			testkit.Eventually(t, "the log tells of it", func() bool { return strings.Contains(strings.ToLower(victim.Log()), "file too large") })
			master.Want("+OK", "SET", "meanwhile", "value")
			if got := testkit.Info(replica.Do("INFO", "replication"), "master_link_status"); got != "down" {
				t.Errorf("the link is %s", got)
			}
			victim.LimitFiles(-1)
			p := &pair{shard{master, replica}, narrow(t, master)}
			p.ends(t)
			left, err := filepath.Glob(filepath.Join(disk, "temp-*"))
			if err != nil || len(left) > 0 {
				t.Errorf("left over: %v, %v", left, err)
			}
		})
	}
}
