package node

import (
	"errors"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/node/config"
)

// errTwoSources is a configuration from which nobody could tell who may do what.
var errTwoSources = errors.New("Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is invalid. " +
	"This setup is very likely to lead to configuration errors and security holes, please define either an ACL file or declare users " +
	"directly in your redis.conf, but not both.")

// accountOptions connects the users with the rooms that know their connections.
func (n *Node) accountOptions() acl.Options {
	v := n.cfg.Values()
	return acl.Options{
		File:     v.Path(config.ACLFile),
		FileName: config.ACLFile.Get(v),
		Log:      n.slog,
		Describe: func(c *command.Call) string { return n.clients.Describe(c) },
		Removed:  func(c *command.Call, gone []*acl.User) { n.clients.KillUsers(c, gone) },
		Narrowed: func(c *command.Call, u *acl.User, may func([]byte, bool) bool) { n.clients.KillSubscribers(c, u, may) },
	}
}

func (n *Node) tuneAccounts(v *config.Values) {
	n.accounts.Tune(acl.Tuning{
		LogMax:      int(config.ACLLogMaxLen.Get(v)),
		AllChannels: config.ACLPubsubDefault.Get(v) == "allchannels",
	})
}

// loadUsers makes the users of the configuration, or those of the aclfile.
func (n *Node) loadUsers() error {
	hasFile := config.ACLFile.Get(n.cfg.Values()) != ""
	if hasFile && len(n.cfg.Users()) > 0 {
		n.slog.Warn(errTwoSources.Error())
		return errTwoSources
	}
	if err := n.accounts.LoadLines(n.cfg.Users()); err != nil {
		n.slog.Warn(err.Error())
		n.slog.Warn("Critical error while loading ACLs. Exiting.")
		return err
	}
	if !hasFile {
		return nil
	}
	err := n.accounts.Load(nil)
	if err != nil {
		n.slog.Warn("Aborting Redis startup because of ACL errors: " + err.Error())
	}
	return err
}
