package admin

import (
	"time"

	"github.com/skeindb/skein/internal/command"
)

// timeCommand is TIME: Unix seconds and the microseconds of the second. Inside
// EXEC the time stands still.
func timeCommand(c *command.Call) {
	micros := time.Now().UnixMicro()
	if c.Client.InMulti() {
		micros = c.Now * 1000
	}
	c.Out.Array(2)
	c.Out.BulkInt(micros / 1e6)
	c.Out.BulkInt(micros % 1e6)
}

// skein is what LOLWUT draws: a skein of yarn.
const skein = `       ____
    .-'    '-.
  .' \\\\//// '.
 /  \\\\\////// \
|  //////\\\\\\  |~.
 \ /////  \\\\\ /   '~.
  './///__\\\\.'       '~._
    '-.____.-'             '~~
`

// lolwut is LOLWUT [VERSION version].
func lolwut(c *command.Call) {
	a := c.Parse(1)
	if a.IsWith("VERSION", 1) {
		a.Int()
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	c.Out.Verbatim("txt", skein+"Redis ver. "+RedisVersion+"\n")
}

// Skein has no modules: they are C libraries that call into redis. The answers
// are those of a redis that could not find the file.

func (a *Admin) moduleLoad(c *command.Call) {
	a.opt.Log.Warn("Module " + c.Arg(2) + " failed to load: Skein has no modules")
	c.Out.Error("ERR Error loading the extension. Please check the server logs.")
}

func (a *Admin) moduleUnload(c *command.Call) {
	a.opt.Log.Warn("Error unloading module " + c.Arg(2) + ": no such module with that name")
	c.Out.Error("ERR Error unloading module: no such module with that name")
}
