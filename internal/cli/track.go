package cli

import (
	"strconv"

	"github.com/skeindb/skein/internal/base/resp"
)

// track notes what a command has changed about the connection: the database, a
// transaction, who we are.
func (c *client) track(name string, args [][]byte, v *resp.Value) {
	if name == "exec" && c.multi {
		c.multi = false
		if v.IsError() || v.IsNull() {
			c.db, c.wantDB = c.multiDB, c.multiDB
		}
		return
	}
	if v.IsError() {
		return
	}
	switch name {
	case "select":
		if db, err := strconv.Atoi(string(args[len(args)-1])); err == nil {
			c.db, c.wantDB = db, db
		}
	case "multi":
		c.multi, c.multiDB = true, c.db
	case "discard":
		c.multi, c.db, c.wantDB = false, c.multiDB, c.multiDB
	case "reset":
		c.multi, c.db, c.wantDB = false, 0, 0
	case "auth":
		c.authenticated(args)
	}
}

// authenticated keeps a password that the server took, for the connections that
// redirections and failures make, and catches up on what it had refused before.
func (c *client) authenticated(args [][]byte) {
	if c.multi { // it was queued only
		return
	}
	c.opt.user, c.opt.pass = "", string(args[len(args)-1])
	if len(args) == 3 {
		c.opt.user = string(args[1])
	}
	c.docsFail = false
	_ = c.selectDB() && c.hello()
}
