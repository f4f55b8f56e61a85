package admin

import (
	"io"
	"strings"
	"time"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// Debug are DEBUG's wires to other rooms. Where a func is nil, the subcommand
// that needs it says that it is not supported.
//
// They are called while all stripes are held: they must not wait for a loop,
// which may be waiting for a stripe.
type Debug struct {
	// StopWorld (SLEEP) returns after d, during which nothing of the node runs:
	// loops, applier, replication links, the driver of the cluster. Nil: only
	// what needs a stripe stops.
	StopWorld func(d time.Duration)
	// PauseCron (PAUSE-CRON) stops or resumes the work that follows the clock.
	PauseCron func(on bool)
	// Reload (RELOAD) saves the data set and loads it again. It answers the call, or
	// parks it.
	Reload func(c *command.Call, how Reload)
	// AllowInScripts (SET-DISABLE-DENY-SCRIPTS) lets scripts call the commands
	// that are kept from them.
	AllowInScripts func(on bool)
	// SkipChecksums (SET-SKIP-CHECKSUM-VALIDATION) makes RESTORE and the loader
	// believe every checksum.
	SkipChecksums func(on bool)
	// PackedThreshold (QUICKLIST-PACKED-THRESHOLD) is from which size on, in
	// bytes, an element of a list gets a node of its own; 0: the default.
	PackedThreshold func(bytes int64)
	// FlushSleep (AOF-FLUSH-SLEEP) is for how many microseconds the append-only
	// file is to sleep before each flush.
	FlushSleep func(micros int64)
	// ReplyPeakReset (REPLYBUFFER PEAK-RESET-TIME) is after how many ms a
	// client's greatest reply is forgotten; -1: never.
	ReplyPeakReset func(ms int64)
	// ReplyResizing (REPLYBUFFER RESIZING) lets reply buffers shrink and grow.
	ReplyResizing func(on bool)
	// ChangeReplID (CHANGE-REPL-ID) makes a new replication id.
	ChangeReplID func()
	// Replicate (REPLICATE) puts a command into the stream for replicas. All stripes
	// are held.
	Replicate func(argv [][]byte)
	// DropPackets (DROP-CLUSTER-PACKET-FILTER) drops the packets of one type
	// that come over the bus; -1: none.
	DropPackets func(kind int64)
	// DropAndClose (CLOSE-CLUSTER-LINK-ON-PACKET-DROP) closes a link when a
	// packet of it is dropped.
	DropAndClose func(on bool)
	// ClusterLog (CLUSTER-LOG) writes where the recording of the cluster bus is, and what came
	// by it of late, as text.
	ClusterLog func(w io.Writer) error
	// KillLinks (CLUSTERLINK KILL) closes the links to a node, from it, or both,
	// and tells whether the node is known.
	KillLinks func(node string, to, from bool) (known bool)
}

// Reload says what DEBUG RELOAD does: whether the file is written before, whether
// what is not in it goes, and, if not, whether its keys replace those of the same name.
type Reload struct{ Save, Flush, Merge bool }

// debugCommand is one subcommand of DEBUG.
type debugCommand struct {
	name        string
	usage       string // of its arguments
	help        string // one sentence; "": HELP does not mention it
	least, most int    // arguments behind the name; most -1: any number
	run         func(d *debugCall)
}

// debugCall is one call of a subcommand. The transaction holds all stripes.
type debugCall struct {
	*command.Call
	a    *Admin
	tx   *keyspace.WriteTx
	args command.Args // behind the name
}

// debugCommand is DEBUG.
func (a *Admin) debugCommand(c *command.Call, tx *keyspace.WriteTx) {
	if len(c.Args) == 2 && is(c.Args[1], "help") {
		a.debugHelp(c)
		return
	}
	n := len(c.Args) - 2
	for i := range a.debug {
		sub := &a.debug[i]
		if is(c.Args[1], sub.name) && n >= sub.least && (n <= sub.most || sub.most < 0) {
			sub.run(&debugCall{Call: c, a: a, tx: tx, args: c.Parse(2)})
			return
		}
	}
	badSubcommand(c)
}

func badSubcommand(c *command.Call) {
	word := c.Args[1][:min(len(c.Args[1]), 128)]
	c.Out.Error("ERR unknown subcommand or wrong number of arguments for '" + string(word) + "'. Try " +
		strings.ToUpper(c.Arg(0)) + " HELP.")
}

func (a *Admin) debugHelp(c *command.Call) {
	lines := []string{"DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"}
	for _, sub := range a.debug {
		if sub.help != "" {
			lines = append(lines, strings.TrimSpace(strings.ToUpper(sub.name)+" "+sub.usage), "    "+sub.help)
		}
	}
	lines = append(lines, "HELP", "    Print this help.")
	c.Out.Array(len(lines))
	for _, line := range lines {
		c.Out.SimpleString(line)
	}
}

// ok reads what is left as nothing and answers OK, or the first error. what is
// done only if there was none.
func (d *debugCall) ok(what func()) {
	if err := d.args.Err(); err != nil {
		d.Fail(err)
		return
	}
	what()
	d.Out.OK()
}

// unsupported answers for a subcommand that Skein has not, and why.
func unsupported(why string) func(*debugCall) {
	return func(d *debugCall) {
		d.Out.Error("ERR DEBUG " + strings.ToUpper(d.Arg(1)) + " is not supported: " + why)
	}
}

const notConnected = "this node has nothing that it would act on"

// number is a subcommand whose only argument is a number, for hook.
func number(hook func(int64)) func(*debugCall) {
	if hook == nil {
		return unsupported(notConnected)
	}
	return func(d *debugCall) {
		n := d.args.Int()
		d.ok(func() { hook(n) })
	}
}

// onOff is a subcommand whose only argument switches something on or off.
func onOff(hook func(bool)) func(*debugCall) {
	if hook == nil {
		return unsupported(notConnected)
	}
	return func(d *debugCall) {
		on := atoi(d.args.Next()) != 0
		d.ok(func() { hook(on) })
	}
}

// atoi reads a number as C's atoi does: what follows its digits does not
// matter, and what has none is 0.
func atoi(b []byte) (n int64) {
	text := strings.TrimLeft(string(b), " \t\n\v\f\r")
	text, negative := strings.CutPrefix(text, "-")
	if !negative {
		text = strings.TrimPrefix(text, "+")
	}
	for _, digit := range []byte(text) {
		if digit < '0' || digit > '9' || n > 1<<31 {
			break
		}
		n = 10*n + int64(digit-'0')
	}
	if negative {
		return -n
	}
	return n
}
