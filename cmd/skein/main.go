// Command skein is the whole product in one binary:
//
//	skein up       a cluster in one process, ready to use
//	skein server   one node; takes redis-server's configuration and options
//	skein cli      a client in the manner of redis-cli
//	skein simulate what an outage would cost, on simulated machines
//
// Called through a link named redis-server it is skein server.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/skeindb/skein/internal/cli"
)

const usage = `Skein is a Redis Cluster node.

  skein up [--masters 3] [--replicas 1] [--port 7000]       start a whole cluster, ready to use
  skein server [redis.conf] [--directive value ...]         run one node, as redis-server would
  skein cli [-h host] [-p port] [-c] [command ...]          talk to a node
  skein simulate [--scenario mass-failure] [--masters 100]  what an outage would cost
  skein version                                             print the version

Every subcommand takes --help.
`

func main() {
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	if name == "redis-server" || name == "valkey-server" {
		os.Exit(server(os.Args[1:]))
	}
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return 1
	}
	switch args[0] {
	case "up":
		return up(args[1:])
	case "server":
		return server(args[1:])
	case "cli":
		return cli.Run(args[1:], os.Stdin, os.Stdout, os.Stderr)
	case "simulate":
		return simulate(args[1:], os.Stdout, os.Stderr)
	case "version", "--version", "-v":
		fmt.Println(versionLine())
		return 0
	case "help", "--help", "-h":
		fmt.Print(usage)
		return 0
	}
	fmt.Fprintf(os.Stderr, "skein: there is no %q; try skein help\n", args[0])
	return 1
}
