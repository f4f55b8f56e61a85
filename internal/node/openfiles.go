package node

import (
	"errors"
	"fmt"

	"github.com/skeindb/skein/internal/node/config"
)

// reservedFiles are the files that a node may have open beside its clients.
const reservedFiles = 32

// ErrOpenFiles is a limit of open files with which no client could be served.
var ErrOpenFiles = errors.New("the limit of open files is too low")

// fitMaxClients makes the process's limit of open files fit maxclients, or else
// maxclients fit the limit.
func (n *Node) fitMaxClients() error {
	clients := config.MaxClients.Get(n.cfg.Values())
	want := uint64(clients + reservedFiles)
	was, limit, err := raiseOpenFiles(want)
	switch {
	case limit >= want:
		if was < want {
			n.slog.Info(fmt.Sprintf("Increased maximum number of open files to %d (it was originally set to %d).", want, was))
		}
		return nil
	case limit <= reservedFiles:
		n.slog.Warn(fmt.Sprintf("Your current 'ulimit -n' of %d is not enough for the server to start. Please increase your open file limit to at least %d. Exiting.", limit, want))
		return ErrOpenFiles
	}
	fits := int(limit - reservedFiles)
	config.MaxClients.Put(n.cfg, fits)
	n.slog.Warn(fmt.Sprintf("You requested maxclients of %d requiring at least %d max file descriptors.", clients, want))
	n.slog.Warn(fmt.Sprintf("Server can't set maximum open files to %d because of OS error: %v.", want, err))
	n.slog.Warn(fmt.Sprintf("Current maximum open files is %d. maxclients has been reduced to %d to compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.", limit, fits))
	return nil
}

// allowClients is CONFIG SET maxclients.
func (n *Node) allowClients(ch config.Change) error {
	want := uint64(config.MaxClients.Get(ch.New) + reservedFiles)
	if _, limit, _ := raiseOpenFiles(want); limit < want {
		return fmt.Errorf("The operating system is not able to handle the specified number of clients, try with %d", int64(limit)-reservedFiles)
	}
	n.tuneClients(ch.New)
	return nil
}
