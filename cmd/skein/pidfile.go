package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/skeindb/skein/internal/node/config"
)

// defaultPidFile is where a daemon writes its process id if nothing is said.
const defaultPidFile = "/var/run/redis.pid"

// pidFile is the file that names the process, "" for none.
type pidFile string

func newPidFile(cfg *config.Config) pidFile {
	v := cfg.Values()
	if path := v.Path(config.PidFile); path != "" {
		return pidFile(path)
	}
	if config.Daemonize.Get(v) {
		return defaultPidFile
	}
	return ""
}

// write is an attempt: a server without the file is a server.
func (p pidFile) write(log *slog.Logger) {
	if p == "" {
		return
	}
	if err := os.WriteFile(string(p), fmt.Appendf(nil, "%d\n", os.Getpid()), 0o644); err != nil {
		log.Warn("Failed to write PID file: " + err.Error())
	}
}

func (p pidFile) remove(log *slog.Logger) {
	if p != "" {
		log.Info("Removing the pid file.")
		os.Remove(string(p))
	}
}
