package admin

import (
	"strings"
	"time"

	"github.com/skeindb/skein/internal/command"
)

// Reasons for what is missing.
const (
	noFile     = "there is no append-only file yet"
	notInSkein = "Skein has no such structures"
)

// debugCommands is the table of DEBUG, in the order of its HELP.
func (a *Admin) debugCommands() []debugCommand {
	h := &a.opt.Debug
	return []debugCommand{
		{"aof-flush-sleep", "<microsec>", "Sleep before each flush of the append-only file.", 1, 1, number(h.FlushSleep)},
		{"assert", "", "Crash by a failed assertion.", 0, -1, assert},
		{"change-repl-id", "", "Take a new replication id.", 0, 0, changeReplID},
		{"close-cluster-link-on-packet-drop", "<0|1>", "Close a link whose packet the filter has dropped.", 1, 1, onOff(h.DropAndClose)},
		{"cluster-log", "", "Tell where the recording of the cluster bus is, and the last events of the bus.", 0, 0, clusterLog},
		{"clusterlink", "KILL <to|from|all> <node-id>", "Close the links to a node, from it, or both.", 3, 3, clusterLink},
		{"config-rewrite-force-all", "", "Like CONFIG REWRITE, but write all directives.", 0, 0, rewriteAll},
		{"digest", "", "Tell a fingerprint of all data.", 0, 0, digestAll},
		{"digest-value", "[<key> ...]", "Tell the fingerprint of each key's value.", 0, -1, digestValues},
		{"drop-cluster-packet-filter", "<packet-type>", "Drop the bus packets of a type; -1 drops none.", 1, 1, number(h.DropPackets)},
		{"error", "<string>", "Reply with the string as an error.", 1, 1, replyError},
		{"htstats", "<dbid> [full]", "Tell about the hash tables of a database.", 1, -1, tableStats},
		{"htstats-key", "<key> [full]", "Tell about the index of a value that redis keeps in a hash table.", 1, -1, valueTableStats},
		{"leak", "<string>", "Leak as much memory as the string takes.", 1, 1, leak},
		{"log", "<message>", "Write the message to the log.", 1, 1, logMessage},
		{"object", "<key>", "Describe a key's value.", 1, 1, object},
		{"oom", "", "Crash as if memory had run out.", 0, -1, outOfMemory},
		{"panic", "", "Crash by a panic.", 0, -1, crash},
		{"pause-cron", "<0|1>", "Stop the work that follows the clock.", 1, 1, onOff(h.PauseCron)},
		{"populate", "<count> [<prefix>] [<size>]", "Make keys that are not replicated.", 1, 3, populate},
		{"protocol", "<type>", "Reply with a value of the type: string, integer, double, bignum, null, array, set, map, attrib, push, verbatim, true or false.", 1, 1, protocol},
		{"quicklist-packed-threshold", "<size>", "Set the size of list elements that get a node of their own.", 1, 1, packedThreshold},
		{"reload", "[MERGE] [NOFLUSH] [NOSAVE]", "Save the data set and load it again.", 0, -1, reload},
		{"replybuffer", "PEAK-RESET-TIME <NEVER|RESET|time>", "Set after how many milliseconds a client's greatest reply is forgotten.", 2, 2, replyBuffer},
		{"segfault", "", "Crash by a fault of memory.", 0, -1, segfault},
		{"set-active-expire", "<0|1>", "Switch the removal of expired keys in the background.", 1, 1, onOff(a.opt.Keyspace.SetActiveExpire)},
		{"set-disable-deny-scripts", "<0|1>", "Let scripts call commands that are kept from them.", 1, 1, onOff(h.AllowInScripts)},
		{"set-skip-checksum-validation", "<0|1>", "Believe every checksum of RDB files and RESTORE.", 1, 1, onOff(h.SkipChecksums)},
		{"sleep", "<seconds>", "Stop the server for that time.", 1, 1, sleep},
		{"stringmatch-test", "", "Try the pattern matcher on nonsense.", 0, 0, stringMatchTest},

		{"crash-and-recover", "", "", 0, -1, unsupported("the server does not start itself")},
		{"restart", "", "", 0, -1, unsupported("the server does not start itself")},
		{"loadaof", "", "", 0, -1, unsupported(noFile)},
		{"replicate", "<command> [<arg> ...]", "Send a command to the replicas.", 1, -1, replicate},
		{"client-eviction", "", "", 0, 0, unsupported(notInSkein)},
		{"dict-resizing", "", "", 1, 1, unsupported("tables grow bucket by bucket, which cannot be put off")},
		{"listpack", "", "", 1, 1, unsupported(notInSkein)},
		{"quicklist", "", "", 1, 2, unsupported(notInSkein)},
		{"sdslen", "", "", 1, 1, unsupported(notInSkein)},
		{"structsize", "", "", 0, 0, unsupported(notInSkein)},
	}
}

func changeReplID(d *debugCall) {
	if d.a.opt.Debug.ChangeReplID == nil {
		unsupported(notConnected)(d)
		return
	}
	d.a.opt.Log.Info("Changing replication IDs after receiving DEBUG change-repl-id")
	d.ok(d.a.opt.Debug.ChangeReplID)
}

func replicate(d *debugCall) {
	if d.a.opt.Debug.Replicate == nil {
		unsupported(notConnected)(d)
		return
	}
	d.ok(func() { d.a.opt.Debug.Replicate(d.Args[2:]) })
}

func clusterLog(d *debugCall) {
	if d.a.opt.Debug.ClusterLog == nil {
		unsupported(notConnected)(d)
		return
	}
	var text strings.Builder
	if err := d.a.opt.Debug.ClusterLog(&text); err != nil {
		d.Fail(err)
		return
	}
	d.Out.Verbatim("txt", text.String())
}

func clusterLink(d *debugCall) {
	if !d.args.Is("KILL") {
		badSubcommand(d.Call)
		return
	}
	if !d.a.opt.Facts.Cluster {
		d.Out.Error("ERR Debug option only available for cluster mode enabled setup!")
		return
	}
	if d.a.opt.Debug.KillLinks == nil {
		unsupported(notConnected)(d)
		return
	}
	word := d.Arg(3)
	way := d.args.OneOf("to", "from", "all")
	if way < 0 {
		d.Out.Error("ERR Unknown direction " + word)
		return
	}
	if node := d.Arg(4); !d.a.opt.Debug.KillLinks(node, way != 1, way != 0) {
		d.Out.Error("ERR Unknown node " + node)
		return
	}
	d.Out.OK()
}

func reload(d *debugCall) {
	how := Reload{Save: true, Flush: true}
	for d.args.More() {
		switch d.args.OneOf("MERGE", "NOFLUSH", "NOSAVE") {
		case 0:
			how.Merge = true
		case 1:
			how.Flush = false
		case 2:
			how.Save = false
		default:
			d.Out.Error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")
			return
		}
	}
	if d.a.opt.Debug.Reload == nil {
		unsupported(notConnected)(d)
		return
	}
	d.a.opt.Debug.Reload(d.Call, how)
}

func rewriteAll(d *debugCall) {
	if err := d.a.opt.Config.Rewrite(true); err != nil {
		reason := strings.TrimPrefix(err.Error(), "Rewriting config file: ")
		d.Out.Error("ERR CONFIG-REWRITE-FORCE-ALL failed: " + reason)
		return
	}
	d.Out.OK()
}

func replyError(d *debugCall) { d.Out.Error(d.Arg(2)) }

func leak(d *debugCall) {
	text := d.args.Next()
	d.ok(func() { d.a.leaked = append(d.a.leaked, append([]byte(nil), text...)) })
}

func logMessage(d *debugCall) {
	message := string(d.args.Next())
	d.ok(func() { d.a.opt.Log.Warn("DEBUG LOG: " + message) })
}

func sleep(d *debugCall) {
	seconds, _ := command.ParseFloat(d.args.Next())
	pause := d.a.opt.Debug.StopWorld
	if pause == nil {
		pause = time.Sleep
	}
	d.ok(func() { pause(time.Duration(seconds * float64(time.Second))) })
}

func packedThreshold(d *debugCall) {
	hook := d.a.opt.Debug.PackedThreshold
	if hook == nil {
		unsupported("this server has no lists yet")(d)
		return
	}
	n, ok := parseSize(d.Arg(2))
	if !ok || n < 0 || n >= 1<<32 {
		d.Out.Error("ERR argument must be a memory value bigger than 1 and smaller than 4gb")
		return
	}
	d.args.Next()
	d.ok(func() { hook(n) })
}

// units are those of sizes in the configuration, in bytes.
var units = map[string]int64{
	"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1000 * 1000, "mb": 1 << 20, "g": 1000 * 1000 * 1000, "gb": 1 << 30,
}

// parseSize reads "100mb".
func parseSize(text string) (n int64, ok bool) {
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	if digits == 0 || digits > 10 {
		return 0, false
	}
	unit, ok := units[strings.ToLower(text[digits:])]
	return atoi([]byte(text[:digits])) * unit, ok
}

// peakResetMs is redis's default of PEAK-RESET-TIME.
const peakResetMs = 5000

func replyBuffer(d *debugCall) {
	h := &d.a.opt.Debug
	switch d.args.OneOf("peak-reset-time", "resizing") {
	case 0:
		replyPeak(d, h.ReplyPeakReset)
	case 1:
		onOff(h.ReplyResizing)(d)
	default:
		badSubcommand(d.Call)
	}
}

func replyPeak(d *debugCall, hook func(int64)) {
	switch {
	case hook == nil:
		unsupported(notConnected)(d)
	case d.args.Is("never"):
		d.ok(func() { hook(-1) })
	case d.args.Is("reset"):
		d.ok(func() { hook(peakResetMs) })
	default:
		number(hook)(d)
	}
}
