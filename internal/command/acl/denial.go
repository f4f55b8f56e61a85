package acl

import "github.com/skeindb/skein/internal/command"

// Context is where a command was refused.
type Context uint8

const (
	TopLevel Context = iota
	Multi
	Script
)

var contextWords = [...]string{TopLevel: "toplevel", Multi: "multi", Script: "lua"}

// Denied notes in ACL LOG that u was refused the command of c.
func (a *Accounts) Denied(c *command.Call, u *User, d Denial, in Context) {
	object := c.Spec.FullName()
	if d.Reason != Command {
		object = string(c.Args[d.Index])
	}
	a.note(c, d.Reason, in, object, u.Name)
}

// LoginFailed notes in ACL LOG a login as name with a wrong password.
func (a *Accounts) LoginFailed(c *command.Call, name []byte) {
	in := TopLevel
	if c.Client.InMulti() {
		in = Multi
	}
	a.note(c, Auth, in, string(c.Args[0]), string(name))
}

func (a *Accounts) note(c *command.Call, why Reason, in Context, object, user string) {
	e := entry{reason: why, context: in, object: object, user: user, updatedMs: c.Now}
	if a.opt.Describe != nil {
		e.client = a.opt.Describe(c)
	}
	a.log.add(e, a.tuning.Load().LogMax)
}

// Error is the text that tells a client of d, without its code NOPERM.
func (d Denial) Error(u *User, spec *command.Spec) string {
	switch d.Reason {
	case Key:
		return "No permissions to access a key"
	case Channel:
		return "No permissions to access a channel"
	}
	return d.explain(u, spec, nil)
}

// explain is the text of ACL DRYRUN, which names the key or channel.
func (d Denial) explain(u *User, spec *command.Spec, args [][]byte) string {
	switch d.Reason {
	case Key:
		return "User " + u.Name + " has no permissions to access the '" + string(args[d.Index]) + "' key"
	case Channel:
		return "User " + u.Name + " has no permissions to access the '" + string(args[d.Index]) + "' channel"
	}
	return "User " + u.Name + " has no permissions to run the '" + spec.FullName() + "' command"
}

// Changed is the reply to a command that was allowed when it was queued, and is not at
// EXEC.
func (d Denial) Changed() string {
	why := "no permission to execute the command or subcommand"
	switch d.Reason {
	case Key:
		why = "no permission to touch the specified keys"
	case Channel:
		why = "no permission to access one of the channels used as arguments"
	}
	return "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. " +
		"This command is no longer allowed for the following reason: " + why
}
