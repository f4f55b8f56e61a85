package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/skeindb/skein/internal/ops"
)

// formWithin is how long a new cluster may take to become ok: a node that comes
// back waits up to 5 s before it takes writes.
const formWithin = 30 * time.Second

// up starts a whole cluster in this process and serves until Ctrl-C.
func up(args []string) int {
	flags := flag.NewFlagSet("skein up", flag.ContinueOnError)
	masters := flags.Int("masters", 3, "number of masters")
	replicas := flags.Int("replicas", 1, "replicas of each master")
	port := flags.Int("port", 7000, "port of the first master; the others follow, and then the replicas")
	dir := flags.String("dir", "skein-data", "folder for the nodes' files")
	timeout := flags.Duration("node-timeout", 5*time.Second, "cluster-node-timeout")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 1
	}
	if *replicas < 0 {
		return fail(errors.New("there cannot be fewer than 0 replicas"))
	}
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), *masters*(1+*replicas)+1)) // every loop and one for the rest
	abs, err := filepath.Abs(*dir)
	if err != nil {
		return fail(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	forming, cancel := context.WithTimeout(ctx, formWithin)
	defer cancel()
	cluster, err := ops.StartLocal(forming, ops.LocalOptions{Masters: *masters, Replicas: *replicas, Port: *port, Dir: abs, NodeTimeout: *timeout})
	if err != nil {
		return fail(err)
	}
	announce(cluster, abs, *port)
	<-ctx.Done()
	fmt.Println("\nStopping. The keys are being saved.")
	if err := cluster.Stop(); err != nil {
		return fail(err)
	}
	return 0
}

func announce(cluster *ops.Local, dir string, port int) {
	what := "is back, with the node ids, epochs, slots and keys it had"
	if cluster.New {
		what = "is ready"
	}
	fmt.Printf("The cluster %s. Its nodes:\n", what)
	roles := cluster.Roles()
	for i, addr := range cluster.Addrs() {
		fmt.Println("  ", addr, roles[i])
	}
	fmt.Printf("Files and logs: %s\n", dir)
	fmt.Println("Keys are saved there now and then, and when the cluster stops.")
	fmt.Printf("\nTry:\n   go run ./cmd/skein cli -c -p %d set greeting hello\n   go run ./cmd/skein cli -c -p %d get greeting\n\nCtrl-C stops the cluster.\n", port, port)
}

// fail prints the one line that says what is wrong.
func fail(err error) int {
	fmt.Fprintln(os.Stderr, "skein:", err)
	return 1
}
