package builtin

import (
	"errors"
	"strconv"
	"sync"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/store/rdb"
)

func dumpSpecs() []*command.Spec {
	encoders := &sync.Pool{New: func() any { return new(rdb.Encoder) }}
	return []*command.Spec{{
		Name: "dump", Group: "generic", Since: "2.6.0",
		Summary:    "Gives a value in a form that RESTORE takes, here or elsewhere.",
		Complexity: "O(1) to access the key and additional O(N*M) to serialize it, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1).",
		Arity:      2, Flags: command.ReadOnly,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Tips:  []string{"nondeterministic_output"},
		Usage: "key",
		Read:  func(c *command.Call, tx *keyspace.ReadTx) { dump(c, tx, encoders) },
	},
		restoreSpec("restore", "generic", 0, nil),
		restoreSpec("restore-asking", "server", command.Asking, []string{"syscmd"}),
	}
}

// restoreSpec is RESTORE, or the command of the same meaning with which MIGRATE
// enters a slot that the target is importing.
func restoreSpec(name, group string, more command.Flags, doc []string) *command.Spec {
	since, summary := "2.6.0", "Makes a key of what DUMP gave."
	if more != 0 {
		since, summary = "3.0.0", "Makes a key of what DUMP gave, in a slot being imported."
	}
	return &command.Spec{
		Name: name, Group: group, Since: since,
		Summary:    summary,
		Complexity: "O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).",
		Arity:      -4, Flags: command.Write | command.DenyOOM | more,
		Categories: []string{"keyspace", "dangerous"},
		Keys:       command.FirstKey(command.KeyOW | command.KeyUpdate),
		Usage:      "key ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds:integer@5.0.0] [FREQ frequency:integer@5.0.0]",
		History: [][2]string{
			{"3.0.0", "`REPLACE` came."},
			{"5.0.0", "`ABSTTL` came."},
			{"5.0.0", "`IDLETIME` and `FREQ` came."},
		},
		DocFlags: doc,
		Write:    restore,
	}
}

func dump(c *command.Call, tx *keyspace.ReadTx, encoders *sync.Pool) {
	r, found := tx.Get(c.Args[1])
	if !found {
		c.Out.Null()
		return
	}
	e := encoders.Get().(*rdb.Encoder)
	e.Plain = tx.Keyspace().Tuned().PlainDumps
	o := r.Object()
	if o != nil && o.Bytes() > asideAbove {
		if resume, ok := c.Client.Park(); ok {
			o, out := o.Freeze(), &resp.Writer{Proto: c.Client.Proto()}
			go func() {
				defer encoders.Put(e)
				dumpPieces(out, e, o)
				resume(out.Buf)
			}()
			return
		}
	}
	defer encoders.Put(e)
	if o != nil {
		dumpObject(c.Out, e, o)
		return
	}
	s, _, _ := tx.StrOf(r)
	c.Out.Bulk(e.DumpString(nil, s.Bytes()))
}

// dumpObject replies with a dump of o.
func dumpObject(out *resp.Writer, e *rdb.Encoder, o value.Object) {
	payload, err := e.Dump(nil, o)
	if err != nil {
		out.Error("ERR " + err.Error())
		return
	}
	out.Bulk(payload)
}

// dumpPieces is dumpObject for a large o.
func dumpPieces(out *resp.Writer, e *rdb.Encoder, o value.Object) {
	payload, err := e.DumpPieces(o)
	if err != nil {
		out.Error("ERR " + err.Error())
		return
	}
	out.BulkPieces(payload.Len(), payload)
}

// restoreOptions are what may follow the payload in RESTORE.
type restoreOptions struct {
	replace, absTTL bool
	idle, freq      int64 // seconds, LFU counter; -1: unsaid
}

const (
	errIdleTime  command.Error = "ERR Invalid IDLETIME value, must be >= 0"
	errFreq      command.Error = "ERR Invalid FREQ value, must be >= 0 and <= 255"
	errTTL       command.Error = "ERR Invalid TTL value, must be >= 0"
	errBusyKey                 = "BUSYKEY Target key name already exists."
	errFooter                  = "ERR DUMP payload version or checksum are wrong"
	errBadFormat               = "ERR Bad data format"
)

func (o *restoreOptions) read(c *command.Call) error {
	o.idle, o.freq = -1, -1
	a := c.Parse(4)
	for a.More() {
		switch {
		case a.Is("REPLACE"):
			o.replace = true
		case a.Is("ABSTTL"):
			o.absTTL = true
		case o.freq < 0 && a.IsWith("IDLETIME", 1):
			if o.idle = a.Int(); o.idle < 0 {
				a.Fail(errIdleTime)
			}
		case o.idle < 0 && a.IsWith("FREQ", 1):
			if o.freq = a.Int(); o.freq < 0 || o.freq > 255 {
				a.Fail(errFreq)
			}
		default:
			a.Syntax()
		}
	}
	return a.Err()
}

// expiry is the deadline that a ttl as given means.
func (o *restoreOptions) expiry(c *command.Call, ttl int64) int64 {
	switch {
	case ttl == 0:
		return keyspace.NoExpiry
	case o.absTTL:
		return ttl
	}
	return ttl + c.Now
}

// restore is RESTORE. Redis looks at the key before it looks at the payload.
func restore(c *command.Call, tx *keyspace.WriteTx) {
	var o restoreOptions
	if err := o.read(c); err != nil {
		c.Fail(err)
		return
	}
	key := c.Args[1]
	old, found := tx.Peek(key)
	if found && !o.replace {
		c.Out.Error(errBusyKey)
		return
	}
	a := c.Parse(2)
	ttl := a.Int()
	if ttl < 0 {
		a.Fail(errTTL)
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	v, err, ready := undumped(c, tx)
	switch {
	case !ready:
		return
	case errors.Is(err, rdb.ErrFooter):
		c.Out.Error(errFooter)
		return
	case err != nil:
		tx.Keyspace().Refuse(err)
		c.Out.Error(errBadFormat)
		return
	}
	expiry := o.expiry(c, ttl)
	if ttl != 0 && tx.IsPast(expiry) {
		restorePast(c, tx, old, found)
		return
	}
	if err := o.install(tx, old, key, v, max(expiry, keyspace.NoExpiry)); err != nil {
		c.Fail(err)
		return
	}
	if found { // what was there is deleted, in redis's eyes, and another key made
		tx.Notify(keyspace.EventNew, "new", key)
	}
	o.propagate(c, tx, expiry)
	tx.Notify(keyspace.EventGeneric, "restore", key)
	c.Out.OK()
}

// asideAbove is the size in bytes of a value above which another goroutine dumps it,
// as it is now, while the client waits.
const asideAbove = 64 << 10

// preparedAbove is the length in bytes of a payload above which its value is made
// outside the locks: it takes a tenth of a millisecond and more.
const preparedAbove = 8 << 10

// made is a value of a payload.
type made struct {
	value rdb.Value
	err   error
}

// undumped is the value of the payload of RESTORE; not ready: the handler is called
// again when it is.
func undumped(c *command.Call, tx *keyspace.WriteTx) (v rdb.Value, err error, ready bool) {
	undump, limits := rdb.Undump, compact(tx.Limits())
	if tx.Keyspace().Gullible.Load() {
		undump = rdb.UndumpUnchecked
	}
	if len(c.Args[3]) <= preparedAbove {
		v, err = undump(c.Args[3], limits)
		return v, err, true
	}
	it, ready := c.Prepare(func(args [][]byte) any {
		limits.Polite = true
		v, err := undump(args[3], limits)
		return made{v, err}
	})
	if !ready {
		return v, nil, false
	}
	return it.(made).value, it.(made).err, true
}

// compact are the limits up to which what is restored becomes compact.
func compact(l *keyspace.Limits) rdb.Limits {
	return rdb.Limits{List: l.List, Set: l.Set, ZSet: l.ZSet, Hash: l.Hash}
}

// restorePast answers a RESTORE whose deadline is over: nothing comes, and what
// it was to replace goes.
func restorePast(c *command.Call, tx *keyspace.WriteTx, old keyspace.Ref, found bool) {
	key := c.Args[1]
	if found {
		tx.DeleteAt(old, key)
		tx.Propagate(tx.DelWord(), key)
		tx.Notify(keyspace.EventGeneric, "del", key)
	}
	c.Out.OK()
}

// install makes key, looked up as old, hold v.
func (o *restoreOptions) install(tx *keyspace.WriteTx, old keyspace.Ref, key []byte, v rdb.Value, expiry int64) error {
	var err error
	if v.Object != nil {
		err = tx.SetObjectAt(&old, key, v.Object, expiry)
	} else {
		err = tx.SetStrAt(&old, key, v.Str, expiry)
	}
	if err != nil {
		return err
	}
	if r, ok := tx.Peek(key); ok && (o.idle >= 0 || o.freq >= 0) {
		switch lfu := tx.Keyspace().Tuned().Policy.Frequency(); {
		case lfu && o.freq >= 0:
			tx.SetFrequency(r, uint8(o.freq))
		case !lfu && o.idle >= 0:
			tx.SetIdle(r, o.idle)
		}
	}
	return nil
}

// propagate logs a RESTORE with the deadline itself in place of the time to it.
func (o *restoreOptions) propagate(c *command.Call, tx *keyspace.WriteTx, expiry int64) {
	if expiry < 0 || o.absTTL {
		return
	}
	argv := append(make([][]byte, 0, len(c.Args)+1), c.Args...)
	argv[2] = strconv.AppendInt(nil, expiry, 10)
	tx.Propagate(append(argv, []byte("ABSTTL"))...)
}
