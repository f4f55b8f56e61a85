package keyspace

import "github.com/skeindb/skein/internal/base/resp"

// Log receives the effects of committed transactions, in order. Package oplog
// implements it.
type Log interface {
	// Active tells whether anybody will read what is appended; while nobody
	// will, effects are not even encoded.
	Active() bool
	// Append adds the effects of one transaction as one piece, framed in
	// MULTI/EXEC if there are several and whole says that they belong together. It
	// is called under the stripes.
	Append(effects []Effect, whole bool)
}

// Effect is one command as replicas and the append-only file will run it.
type Effect = struct {
	DB    int    // that it works in; -1: in whatever is selected
	Class uint8  // who gets it
	Argv  []byte // RESP
}

// Classes of effects.
const (
	ForBoth     uint8 = iota // replicas and the append-only file
	ForReplicas              // PUBLISH, PING, REPLCONF GETACK
	ForFile                  // writes of a writable replica to itself
)

// SlotOfNoKey is the slot whose stripe is held for effects that have no key.
const SlotOfNoKey uint16 = 0

// effects collects what a transaction did.
type effects struct {
	changed   bool // the running command changed something
	rewritten bool // the running command said itself what to log
	narrowed  bool // what commands say goes to fewer than both
	unsaid    bool // what commands say goes to nobody
	class     uint8
	list      []Effect
	buf       []byte
	logged    int // bytes that Commit has handed to the log since TakeLogged
}

// wanted tells whether anybody will read what is added.
func (f *effects) wanted(tx *ReadTx) bool {
	return tx.ks.opt.Log != nil && tx.access&Applied == 0 && tx.ks.opt.Log.Active()
}

func (f *effects) add(tx *ReadTx, argv [][]byte) {
	if !f.wanted(tx) {
		return
	}
	class := ForBoth
	if tx.ks.Replica.Load() {
		class = ForFile
	}
	f.addFor(tx, argv, class)
}

// say is add for what a command itself has done, of which not everybody may hear.
func (f *effects) say(tx *ReadTx, argv [][]byte) {
	switch {
	case f.unsaid:
	case f.narrowed && !tx.ks.Replica.Load():
		if tx.ks.opt.Log != nil && tx.access&Applied == 0 && tx.ks.opt.Log.Active() {
			f.addFor(tx, argv, f.class)
		}
	default:
		f.add(tx, argv)
	}
}

func (f *effects) addFor(tx *ReadTx, argv [][]byte, class uint8) {
	from := len(f.buf)
	f.buf = resp.AppendCommandBytes(f.buf, argv...)
	f.list = append(f.list, Effect{DB: tx.db, Class: class, Argv: f.buf[from:len(f.buf):len(f.buf)]})
}

// Tell logs for replicas only a command that changes no key: PUBLISH. The stripe of
// SlotOfNoKey, or of the command's key, is held.
func (tx *ReadTx) Tell(argv [][]byte) {
	if !tx.ks.Replica.Load() {
		n := len(tx.effects.list)
		if tx.effects.add(tx, argv); len(tx.effects.list) > n {
			tx.effects.list[n].Class = ForReplicas
		}
	}
}

var (
	wordDel    = []byte("DEL")
	wordUnlink = []byte("UNLINK")
)

// evict removes a key that no command asked to remove, and logs it before the
// effect of the command that met it, which a read stays in spite of it.
func (tx *ReadTx) evict(r Ref, key []byte, lazy bool) {
	word := wordDel
	if lazy {
		word = wordUnlink
	}
	tx.unasked = true
	tx.remove(r, key, lazy)
	tx.unasked = false
	tx.effects.add(tx, [][]byte{word, key})
}

// EndCommand ends one command of a transaction: if it changed something and
// did not say otherwise, argv goes to the log as it was called.
func (tx *ReadTx) EndCommand(argv [][]byte) {
	f := &tx.effects
	if f.changed && !f.rewritten && argv != nil {
		f.say(tx, argv)
	}
	f.changed, f.rewritten, tx.emptied = false, false, false
	tx.clean()
}

// Commit ends the transaction; argv as in EndCommand. The stripes are still held.
func (tx *ReadTx) Commit(argv [][]byte) {
	f := &tx.effects
	if f.changed || f.rewritten {
		tx.EndCommand(argv)
	}
	if len(f.list) > 0 {
		tx.ks.opt.Log.Append(f.list, tx.access&Apart == 0)
		f.logged += len(f.buf)
		f.list = f.list[:0]
		f.buf = f.buf[:0]
	}
	if len(tx.news) > 0 && tx.access&Serves == 0 {
		tx.Broadcast()
	}
	tx.leaveScratch()
}

// TakeLogged is how many bytes of effects have been handed to the log since it was
// called last.
func (tx *ReadTx) TakeLogged() (bytes int) {
	bytes, tx.effects.logged = tx.effects.logged, 0
	return bytes
}

// Hear says who is told what the commands to come change: the append-only file,
// replicas, both as usual, or nobody (redis.set_repl). What happens by itself, such as
// that a key expires, is always told to both.
func (tx *ReadTx) Hear(file, replicas bool) {
	f := &tx.effects
	f.unsaid, f.narrowed, f.class = !file && !replicas, file != replicas, ForFile
	if replicas {
		f.class = ForReplicas
	}
}
