package interop

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

// The client libraries that people use go on with every type, with blocking reads and
// with consumer groups while slots move and masters hand over: no error reaches the
// application, and nothing is lost or given twice.
func TestClientsOfEveryKind(t *testing.T) {
	modules := nodeModules(t)
	shards, all := createdShards(t, startSkein)
	errands := map[string]*errand{
		"ioredis":    startNode(t, modules, "ioredis", all),
		"node-redis": startNode(t, modules, "node-redis", all),
		"go-redis":   startGo("go-redis", newGoRedisSender, all),
		"rueidis":    startGo("rueidis", newRueidisSender, all),
	}
	for round := range size(1, 10) {
		from, to := &shards[round%3], &shards[(round+1)%3]
		manage(t, "reshard", all[0].Addr(), "--cluster-from", idOf(from.master), "--cluster-to", idOf(to.master),
			"--cluster-slots", fmt.Sprint(size(500, 2000)), "--cluster-yes")
		handOver(t, from, all)
		handOver(t, to, all)
	}
	for name, e := range errands {
		report, err := e.stop()
		t.Logf("%s: %s", name, report)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, s := range shards {
		waitEqual(t, s)
	}
}

// errand is a client library at work. stop ends it, after it has found all that it
// wrote, and tells what it did.
type errand struct {
	stop func() (report string, err error)
}

// nodeModules installs the client libraries of Node.js, in the versions of the lock
// file, and returns the directory.
func nodeModules(t *testing.T) string {
	t.Helper()
	npm, dir := testkit.Program(t, "npm"), t.TempDir()
	testkit.Program(t, "node")
	for _, name := range []string{"package.json", "package-lock.json", "errands.js", "jobs.js"} {
		b, err := os.ReadFile(filepath.Join("testdata/clients", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	out, err := testkit.Run(t, "", npm, "ci", "--prefix", dir, "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts")
	if err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return dir
}

func startNode(t *testing.T, modules, library string, all []*server) *errand {
	t.Helper()
	return startProgram(t, modules, "errands.js", library, strings.Join(addrs(all), ","))
}

// startProgram runs a program of Node.js that ends when its input does.
func startProgram(t *testing.T, modules string, args ...string) *errand {
	t.Helper()
	cmd := exec.Command("node", args...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = modules, &out, &errs
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return &errand{func() (string, error) {
		in.Close()
		ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
		defer cancel()
		context.AfterFunc(ctx, func() { cmd.Process.Kill() })
		err := cmd.Wait()
		if err != nil {
			text, _ := io.ReadAll(&errs)
			err = fmt.Errorf("%w: %s", err, text)
		}
		return strings.TrimSpace(out.String()), err
	}}
}
