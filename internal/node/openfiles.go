package node

import (
	"errors"
	"fmt"

	"github.com/skeindb/skein/internal/node/config"
)

// reservedFiles are the files that a node may have open beside its clients.
const reservedFiles = 32

// filesPerTLSClient is how many files a client takes at most who is connected by TLS: its
// socket, and a pair between TLS and the loop.
const filesPerTLSClient = 3

// wantFiles is how many files the node may have open with so many clients.
func wantFiles(v *config.Values, clients int) uint64 {
	if config.TLSPort.Get(v) != 0 {
		clients *= filesPerTLSClient
	}
	return uint64(clients + reservedFiles)
}

// fitting is how many clients can be served within a limit of open files.
func fitting(v *config.Values, limit uint64) int {
	clients := int(limit - reservedFiles)
	if config.TLSPort.Get(v) != 0 {
		clients /= filesPerTLSClient
	}
	return clients
}

// ErrOpenFiles is a limit of open files with which no client could be served.
var ErrOpenFiles = errors.New("the limit of open files is too low")

// fitMaxClients makes the process's limit of open files fit maxclients, or else
// maxclients fit the limit.
func (n *Node) fitMaxClients() error {
	clients := config.MaxClients.Get(n.cfg.Values())
	want := wantFiles(n.cfg.Values(), clients)
	was, limit, err := raiseOpenFiles(want)
	switch {
	case limit >= want:
		if was < want {
			n.slog.Info(fmt.Sprintf("Increased maximum number of open files to %d (it was originally set to %d).", want, was))
		}
		return nil
	case limit <= reservedFiles || fitting(n.cfg.Values(), limit) == 0:
		n.slog.Warn(fmt.Sprintf("Your current 'ulimit -n' of %d is not enough for the server to start. Please increase your open file limit to at least %d. Exiting.", limit, want))
		return ErrOpenFiles
	}
	fits := fitting(n.cfg.Values(), limit)
	config.MaxClients.Put(n.cfg, fits)
	n.slog.Warn(fmt.Sprintf("You requested maxclients of %d requiring at least %d max file descriptors.", clients, want))
	n.slog.Warn(fmt.Sprintf("Server can't set maximum open files to %d because of OS error: %v.", want, err))
	n.slog.Warn(fmt.Sprintf("Current maximum open files is %d. maxclients has been reduced to %d to compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.", limit, fits))
	return nil
}

// allowClients is CONFIG SET maxclients.
func (n *Node) allowClients(ch config.Change) error {
	want := wantFiles(ch.New, config.MaxClients.Get(ch.New))
	if _, limit, _ := raiseOpenFiles(want); limit < want {
		return fmt.Errorf("The operating system is not able to handle the specified number of clients, try with %d", fitting(ch.New, max(limit, reservedFiles)))
	}
	n.tuneClients(ch.New)
	return nil
}
