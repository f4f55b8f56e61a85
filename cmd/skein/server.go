package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"

	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/node"
	"github.com/skeindb/skein/internal/node/config"
)

const serverUsage = `Usage: skein server [/path/to/redis.conf] [options] [-]
       skein server - (read config from stdin)
       skein server -v or --version
       skein server -h or --help

Examples:
       skein server (run the server with default conf)
       echo 'maxmemory 128mb' | skein server -
       skein server /etc/redis/6379.conf
       skein server --port 7777
       skein server /etc/myredis.conf --loglevel verbose -`

func versionLine() string {
	return fmt.Sprintf("Skein server v=%s redis=%s bits=64 go=%s", node.Version, config.RedisVersion, runtime.Version())
}

// server runs one node until a signal or SHUTDOWN ends it.
func server(args []string) int {
	if len(args) > 0 {
		switch args[0] {
		case "-v", "--version":
			fmt.Println(versionLine())
			return 0
		case "-h", "--help":
			fmt.Println(serverUsage)
			return 0
		}
	}
	daemon := isDaemon()
	cfg, stdin, err := load(args)
	if err != nil {
		fmt.Fprint(os.Stderr, err.Error())
		var file *config.FileError
		if errors.As(err, &file) {
			fmt.Fprintln(os.Stderr)
		}
		return 1
	}
	above := findSupervisor(config.Supervised.Get(cfg.Values()))
	if config.Daemonize.Get(cfg.Values()) && above.kind == unsupervised && !daemon {
		return detach(stdin)
	}
	ready := func() {}
	if daemon {
		ready = reportStarted
	}
	return serve(cfg, above, ready)
}

// load reads the configuration. It also returns what it read of standard input:
// a daemon's second start has none.
func load(args []string) (*config.Config, []byte, error) {
	var stdin []byte
	if slices.Contains(args, "-") {
		var err error
		if stdin, err = io.ReadAll(os.Stdin); err != nil {
			return nil, nil, err
		}
	}
	cfg, err := config.Load(args, config.Env{Stdin: bytes.NewReader(stdin), CheckUser: acl.CheckLine})
	return cfg, stdin, err
}

// serve runs the node in this process. It calls ready when clients can connect.
func serve(cfg *config.Config, above supervisor, ready func()) int {
	cores := runtime.NumCPU() // as many loops, and besides them scripts that last, on at most half of the cores
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), cores+max(cores/2, 1)))
	n, err := node.New(node.Options{Config: cfg, Supervised: above.kind})
	if err != nil {
		return fail(err)
	}
	go keepHeap(n.Memory)
	above.announce(n.Logger())
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if code, ok := start(n, signals); !ok {
		return code
	}
	pid := newPidFile(cfg)
	pid.write(n.Logger())
	above.notify("STATUS=Ready to accept connections\nREADY=1\n")
	ready()

	wait(n, signals)
	go insist(signals, n.Logger())
	above.notify("STOPPING=1\n")
	pid.remove(n.Logger())
	n.Stop()
	if n.Failure() != nil {
		return 1
	}
	return 0
}

// start starts the node, which may take long if there is much to load. A signal
// meanwhile ends the process: there is nothing to save. ok tells that the node serves.
func start(n *node.Node, signals <-chan os.Signal) (code int, ok bool) {
	started := make(chan error, 1)
	go func() { started <- n.Start() }()
	select {
	case err := <-started:
		if err != nil {
			return fail(err), false
		}
		return 0, true
	case <-signals:
		n.Logger().Warn("Received shutdown signal during loading, exiting now.")
		return 0, false
	case <-n.Asked():
		return 0, false
	}
}

// wait returns when the node has done what it must before it ends. It lives on after
// a signal if its data cannot be saved; pressing Ctrl-C again while it tries ends it
// at once.
func wait(n *node.Node, signals <-chan os.Signal) {
	asked := false
	for {
		select {
		case <-n.Asked():
			return
		case s := <-signals:
			if asked && s == syscall.SIGINT && n.Finishing() {
				n.Logger().Warn("You insist... exiting now.")
				n.Forsake()
				os.Exit(1)
			}
			asked = true
			n.Signalled(s)
		}
	}
}

// insist ends the process at once if somebody presses Ctrl-C again while it shuts down.
func insist(signals <-chan os.Signal, log *slog.Logger) {
	for s := range signals {
		if s == syscall.SIGINT {
			log.Warn("You insist... exiting now.")
			os.Exit(1)
		}
	}
}
