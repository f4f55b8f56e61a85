package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/skeindb/skein/internal/node"
	"github.com/skeindb/skein/internal/node/config"
)

func versionLine() string {
	return fmt.Sprintf("Skein server v=%s redis=%s bits=64 go=%s", node.Version, config.RedisVersion, runtime.Version())
}

// server runs one node until a signal or SHUTDOWN ends it.
func server(args []string) int {
	if len(args) == 1 {
		switch args[0] {
		case "-v", "--version":
			fmt.Println(versionLine())
			return 0
		case "-h", "--help":
			fmt.Println("Usage: skein server [/path/to/redis.conf] [options] [-]\n       skein server - (read config from stdin)\n       skein server -v or --version\n       skein server -h or --help")
			return 0
		}
	}
	cfg, err := config.Load(args, config.Env{Stdin: os.Stdin})
	if err != nil {
		fmt.Fprint(os.Stderr, err.Error())
		var file *config.FileError
		if errors.As(err, &file) {
			fmt.Fprintln(os.Stderr)
		}
		return 1
	}
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), runtime.NumCPU()+1))
	n, err := node.New(node.Options{Config: cfg})
	if err != nil {
		fmt.Fprintln(os.Stderr, "skein:", err)
		return 1
	}
	if err := n.Start(); err != nil {
		return 1
	}
	return wait(n)
}

// wait returns when the node is to end, with the process's exit code.
func wait(n *node.Node) int {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	select {
	case s := <-signals:
		n.Farewell(s)
	case <-n.Asked():
	}
	n.Stop()
	if n.Failure() != nil {
		return 1
	}
	return 0
}
