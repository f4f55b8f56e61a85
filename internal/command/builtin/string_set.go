package builtin

import (
	"bytes"
	"strconv"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func stringWrites() []*command.Spec {
	return []*command.Spec{{
		Name: "set", Group: "string", Since: "1.0.0",
		Summary:    "Makes a key hold a string, whatever it held before.",
		Complexity: "O(1)",
		Arity:      -3, Flags: command.Write | command.DenyOOM,
		Keys: []command.KeySpec{{
			Flags: command.KeyRW | command.KeyAccess | command.KeyUpdate | command.KeyVariable,
			Notes: "Only with GET is the old value read", Index: 1,
		}},
		GetKeys: setKeys,
		Usage:   "key value [NX | XX | IFEQ comparison-value@8.1.0]:condition@2.6.12 [GET@6.2.0] [EX seconds:integer@2.6.12 | PX milliseconds:integer@2.6.12 | EXAT unix-time-seconds:unix-time@6.2.0 | PXAT unix-time-milliseconds:unix-time@6.2.0 | KEEPTTL@6.0.0]:expiration",
		History: [][2]string{
			{"2.6.12", "`EX`, `PX`, `NX` and `XX` came."},
			{"6.0.0", "`KEEPTTL` came."},
			{"6.2.0", "`GET`, `EXAT` and `PXAT` came."},
			{"7.0.0", "`NX` and `GET` may stand together."},
			{"8.1.0", "`IFEQ` came, of Valkey."},
		},
		Write: setString,
	}, {
		Name: "setnx", Group: "string", Since: "1.0.0",
		Summary:    "Makes a key hold a string unless the key exists.",
		Complexity: "O(1)",
		Arity:      3, Flags: command.Write | command.DenyOOM | command.Fast,
		Keys:       command.FirstKey(command.KeyOW | command.KeyInsert),
		Usage:      "key value",
		DocFlags:   []string{"deprecated"},
		Deprecated: "2.6.12",
		ReplacedBy: "`SET` with the `NX` argument",
		Write:      setNX,
	}, {
		Name: "setex", Group: "string", Since: "2.0.0",
		Summary:    "Makes a key hold a string for a number of seconds.",
		Complexity: "O(1)",
		Arity:      4, Flags: command.Write | command.DenyOOM,
		Keys:       command.FirstKey(command.KeyOW | command.KeyUpdate),
		Usage:      "key seconds:integer value",
		DocFlags:   []string{"deprecated"},
		Deprecated: "2.6.12",
		ReplacedBy: "`SET` with the `EX` argument",
		Write:      func(c *command.Call, tx *keyspace.WriteTx) { setFor(c, tx, lifeEX) },
	}, {
		Name: "psetex", Group: "string", Since: "2.6.0",
		Summary:    "Makes a key hold a string for a number of milliseconds.",
		Complexity: "O(1)",
		Arity:      4, Flags: command.Write | command.DenyOOM,
		Keys:       command.FirstKey(command.KeyOW | command.KeyUpdate),
		Usage:      "key milliseconds:integer value",
		DocFlags:   []string{"deprecated"},
		Deprecated: "2.6.12",
		ReplacedBy: "`SET` with the `PX` argument",
		Write:      func(c *command.Call, tx *keyspace.WriteTx) { setFor(c, tx, lifePX) },
	}, {
		Name: "getset", Group: "string", Since: "1.0.0",
		Summary:    "Makes a key hold a string and gives the one it held before.",
		Complexity: "O(1)",
		Arity:      3, Flags: command.Write | command.DenyOOM | command.Fast,
		Keys:       command.FirstKey(command.KeyRW | command.KeyAccess | command.KeyUpdate),
		Usage:      "key value",
		DocFlags:   []string{"deprecated"},
		Deprecated: "6.2.0",
		ReplacedBy: "`SET` with the `!GET` argument",
		Write:      getSet,
	}, {
		Name: "mset", Group: "string", Since: "1.0.1",
		Summary:    "Makes several keys hold a string each, in one moment.",
		Complexity: "O(N) where N is the number of keys to set.",
		Arity:      -3, Flags: command.Write | command.DenyOOM,
		Keys: []command.KeySpec{{
			Flags: command.KeyOW | command.KeyUpdate, Index: 1, Last: -1, Step: 2,
		}},
		Tips:  []string{"request_policy:multi_shard", "response_policy:all_succeeded"},
		Usage: "<key value>:data...",
		Write: mset,
	}, {
		Name: "msetnx", Group: "string", Since: "1.0.1",
		Summary:    "Makes several keys hold a string each, unless one of them exists.",
		Complexity: "O(N) where N is the number of keys to set.",
		Arity:      -3, Flags: command.Write | command.DenyOOM,
		Keys: []command.KeySpec{{
			Flags: command.KeyOW | command.KeyInsert, Index: 1, Last: -1, Step: 2,
		}},
		Usage: "<key value>:data...",
		Write: msetNX,
	}}
}

// setKeys tells what SET does to its key: only with GET does it read.
func setKeys(dst []command.KeyPos, argv [][]byte) ([]command.KeyPos, error) {
	if len(argv) < 2 {
		return dst, command.ErrKeyArguments
	}
	flags := command.KeyOW | command.KeyUpdate
	c := command.Call{Args: argv}
	for a := c.Parse(3); a.More(); a.Next() {
		if a.IsWith("IFEQ", 1) || a.Is("GET") {
			flags = command.KeyRW | command.KeyAccess | command.KeyUpdate
			break
		}
	}
	return append(dst, command.KeyPos{Index: 1, Flags: flags}), nil
}

// setOptions are what may follow the value in SET.
type setOptions struct {
	nx, xx, get bool
	ifEq        []byte // nil: not said
	life        lifetime
}

func (o *setOptions) read(c *command.Call) error {
	a := c.Parse(3)
	for a.More() {
		switch {
		case !o.xx && o.ifEq == nil && a.Is("NX"):
			o.nx = true
		case !o.nx && o.ifEq == nil && a.Is("XX"):
			o.xx = true
		case !o.nx && !o.xx && o.ifEq == nil && a.IsWith("IFEQ", 1):
			o.ifEq = a.Next()
		case a.Is("GET"):
			o.get = true
		case o.life.is(&a, "KEEPTTL", lifeKeepTTL):
		case o.life.isTimed(&a):
		default:
			a.Syntax()
		}
	}
	return a.Err()
}

// expiry is the deadline as the writers of the keyspace take it.
func (o *setOptions) expiry(c *command.Call) (int64, error) {
	switch {
	case o.life.timed():
		return o.life.deadline(c)
	case o.life.kind == lifeKeepTTL:
		return keyspace.KeepExpiry, nil
	}
	return keyspace.NoExpiry, nil
}

func setString(c *command.Call, tx *keyspace.WriteTx) {
	key, val := c.Args[1], c.Args[2]
	if len(c.Args) == 3 {
		var old keyspace.Ref
		tx.PeekTo(&old, key)
		if store(c, tx, &old, key, val, keyspace.NoExpiry) {
			c.Out.OK()
		}
		return
	}
	var o setOptions
	if err := o.read(c); err != nil {
		c.Fail(err)
		return
	}
	expiry, err := o.expiry(c)
	if err != nil {
		c.Fail(err)
		return
	}
	if o.get {
		setAndGet(c, tx, &o, expiry)
		return
	}
	var old keyspace.Ref
	found := tx.PeekTo(&old, key)
	switch ok, err := o.hold(tx, &old, found); {
	case err != nil:
		c.Fail(err)
		return
	case !ok:
		c.Out.Null()
		return
	}
	if store(c, tx, &old, key, val, expiry) {
		o.propagate(c, tx, expiry)
		c.Out.OK()
	}
}

// hold tells whether the conditions do for what a look-up brought; ErrWrongType if IFEQ
// is to compare what is no string.
func (o *setOptions) hold(tx *keyspace.WriteTx, old *keyspace.Ref, found bool) (bool, error) {
	if o.ifEq == nil {
		return !(o.nx && found || o.xx && !found), nil
	}
	if !found {
		return false, nil
	}
	return holdsText(tx, *old, o.ifEq)
}

// holdsText tells whether the string at r, which was found, is text; ErrWrongType if it
// is none.
func holdsText(tx *keyspace.WriteTx, r keyspace.Ref, text []byte) (bool, error) {
	s, _, err := tx.StrOf(r)
	return err == nil && s.Len() == len(text) && bytes.Equal(s.Bytes(), text), err
}

// setAndGet is SET with GET: the reply is what the key held before, set or not.
func setAndGet(c *command.Call, tx *keyspace.WriteTx, o *setOptions, expiry int64) {
	key, val := c.Args[1], c.Args[2]
	from := len(c.Out.Buf)
	old, found, ok := replyValue(c, &tx.ReadTx, key)
	if !ok {
		return
	}
	if ok, _ := o.hold(tx, &old, found); !ok { // what is no string has been refused
		return
	}
	if err := tx.SetStrAt(&old, key, val, expiry); err != nil {
		failAfter(c, from, err)
		return
	}
	notifySet(tx, key, expiry)
	o.propagate(c, tx, expiry)
}

// propagate logs a SET in the form that means the same whenever it is run.
func (o *setOptions) propagate(c *command.Call, tx *keyspace.WriteTx, expiry int64) {
	switch {
	case o.life.kind == lifePXAT && o.ifEq == nil: // it does already
	case o.life.timed():
		propagateSetAt(tx, c.Args[1], c.Args[2], expiry)
	case o.ifEq != nil && o.life.kind == lifeKeepTTL:
		tx.Propagate([]byte("SET"), c.Args[1], c.Args[2], []byte("KEEPTTL"))
	case o.ifEq != nil: // which not every replica knows
		tx.Propagate([]byte("SET"), c.Args[1], c.Args[2])
	case o.get:
		var room [8][]byte
		argv := append(room[:0], c.Args[:3]...)
		for a := c.Parse(3); a.More(); {
			if !a.Is("GET") {
				argv = append(argv, a.Next())
			}
		}
		tx.Propagate(argv...)
	}
}

func propagateSetAt(tx *keyspace.WriteTx, key, val []byte, expiry int64) {
	var scratch [20]byte
	tx.Propagate([]byte("SET"), key, val, []byte("PXAT"), strconv.AppendInt(scratch[:0], expiry, 10))
}

// store makes key, which was just looked up as old, hold val. False means that
// the error has been replied.
func store(c *command.Call, tx *keyspace.WriteTx, old *keyspace.Ref, key, val []byte, expiry int64) bool {
	if err := tx.SetStrAt(old, key, val, expiry); err != nil {
		c.Fail(err)
		return false
	}
	notifySet(tx, key, expiry)
	return true
}

func notifySet(tx *keyspace.WriteTx, key []byte, expiry int64) {
	tx.Notify(keyspace.EventString, "set", key)
	if expiry >= 0 {
		tx.Notify(keyspace.EventGeneric, "expire", key)
	}
}

func setNX(c *command.Call, tx *keyspace.WriteTx) {
	key := c.Args[1]
	old, found := tx.Peek(key)
	if found {
		c.Out.Int(0)
		return
	}
	if store(c, tx, &old, key, c.Args[2], keyspace.NoExpiry) {
		c.Out.Int(1)
	}
}

// setFor is SETEX and PSETEX.
func setFor(c *command.Call, tx *keyspace.WriteTx, kind lifetimeKind) {
	key, val := c.Args[1], c.Args[3]
	life := lifetime{kind, c.Args[2]}
	expiry, err := life.deadline(c)
	if err != nil {
		c.Fail(err)
		return
	}
	var old keyspace.Ref
	tx.PeekTo(&old, key)
	if store(c, tx, &old, key, val, expiry) {
		propagateSetAt(tx, key, val, expiry)
		c.Out.OK()
	}
}

func getSet(c *command.Call, tx *keyspace.WriteTx) {
	key, val := c.Args[1], c.Args[2]
	from := len(c.Out.Buf)
	old, _, ok := replyValue(c, &tx.ReadTx, key)
	if !ok {
		return
	}
	if err := tx.SetStrAt(&old, key, val, keyspace.NoExpiry); err != nil {
		failAfter(c, from, err)
		return
	}
	tx.Propagate([]byte("SET"), key, val)
	notifySet(tx, key, keyspace.NoExpiry)
}

func mset(c *command.Call, tx *keyspace.WriteTx) {
	if len(c.Args)%2 == 0 {
		c.Fail(errArity(c))
		return
	}
	if storeAll(c, tx) {
		c.Out.OK()
	}
}

func msetNX(c *command.Call, tx *keyspace.WriteTx) {
	if len(c.Args)%2 == 0 {
		c.Fail(errArity(c))
		return
	}
	for i := 1; i < len(c.Args); i += 2 {
		if _, found := tx.Peek(c.Args[i]); found {
			c.Out.Int(0)
			return
		}
	}
	if storeAll(c, tx) {
		c.Out.Int(1)
	}
}

// storeAll stores the pairs of MSET. When the memory is full it stops, logs the
// pairs that were stored and is false.
func storeAll(c *command.Call, tx *keyspace.WriteTx) bool {
	for i := 1; i < len(c.Args); i += 2 {
		var old keyspace.Ref
		tx.PeekTo(&old, c.Args[i])
		if !store(c, tx, &old, c.Args[i], c.Args[i+1], keyspace.NoExpiry) {
			if i > 1 {
				tx.Propagate(c.Args[:i]...)
			}
			return false
		}
	}
	return true
}
