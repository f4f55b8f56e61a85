package admin

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/skeindb/skein/internal/base/glob"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/store/rdb"
)

// object is DEBUG OBJECT key. The address is that of nothing: small values have
// no object, and others move.
func object(d *debugCall) {
	raw := asItIs(&d.tx.ReadTx, d.Call)
	r, ok := raw.Peek(d.args.Next())
	if !ok {
		d.Out.Error(command.ErrNoKey)
		return
	}
	saved, err := savedLen(raw, r, d.a.setting("rdbcompression") != "no")
	if err != nil {
		d.Out.Error("ERR " + err.Error())
		return
	}
	idle := raw.IdleSeconds(r)
	d.Out.SimpleString(fmt.Sprintf("Value at:0x0 refcount:1 encoding:%s serializedlength:%d lru:%d lru_seconds_idle:%d",
		r.Encoding(), saved, clock(d.Now-idle*1000), idle))
}

// savedLen is how many bytes a value takes in an RDB file.
func savedLen(tx *keyspace.ReadTx, r keyspace.Ref, compress bool) (int, error) {
	e := rdb.Encoder{Plain: !compress}
	if o := r.Object(); o != nil {
		dump, err := e.Dump(nil, o)
		return len(dump) - dumpFrame, err
	}
	s, _, err := tx.StrOf(r)
	return len(e.AppendString(nil, s.Bytes())), err
}

// dumpFrame is what a dump has around its value: type, version and checksum.
const dumpFrame = 1 + 2 + 8

// populate is DEBUG POPULATE count [prefix] [size]: keys prefix:0, prefix:1, …
// with values value:0, value:1, … cut or filled with zero bytes to size. Keys
// that are there stay as they are.
func populate(d *debugCall) {
	const notPositive = command.Error(command.ErrNotPositive)
	count := d.args.IntOr(0, math.MaxInt64, notPositive)
	prefix := "key"
	if d.args.More() {
		prefix = string(d.args.Next())
	}
	size := int64(0)
	if d.args.More() {
		size = d.args.IntOr(0, math.MaxInt64, notPositive)
	}
	if err := d.args.Err(); err != nil {
		d.Fail(err)
		return
	}
	if size > d.tx.MaxString() {
		d.Out.Error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
		return
	}
	d.tx.Silent()
	for i := range count {
		key := strconv.AppendInt([]byte(prefix+":"), i, 10)
		old, there := d.tx.Peek(key)
		if there {
			continue
		}
		val := strconv.AppendInt([]byte("value:"), i, 10)
		if size > 0 {
			sized := make([]byte, size)
			copy(sized, val)
			val = sized
		}
		if err := d.tx.SetTextAt(&old, key, val, keyspace.NoExpiry); err != nil {
			d.Fail(err)
			return
		}
	}
	d.Out.OK()
}

const noElements = "Hash table 0 stats (main hash table):\nNo stats available for empty dictionaries\n"

// tableStats is DEBUG HTSTATS dbid [full].
func tableStats(d *debugCall) {
	db := d.args.Int()
	if err := d.args.Err(); err != nil {
		d.Fail(err)
		return
	}
	if db < 0 || db >= int64(d.tx.Keyspace().Databases()) {
		d.Out.Error("ERR Out of range database")
		return
	}
	x := d.tx.Index(int(db))
	expires, _ := d.tx.Keyspace().Volatile(int(db), d.Now)
	text := []byte("[Dictionary HT]\n")
	if x.Keys == 0 {
		text = append(text, noElements...)
	} else {
		text = fmt.Appendf(text, "Hash table stats (linear hashing, one table per hash slot):\n"+
			" tables: %d\n number of elements: %d\n elements of the fullest table: %d\n avg elements per table: %.02f\n bytes: %d\n",
			x.Tables, x.Keys, x.Most, ratio(int64(x.Keys), int64(x.Tables)), x.Bytes)
	}
	text = append(text, "[Expires HT]\n"...)
	if expires == 0 {
		text = append(text, noElements...)
	} else {
		text = fmt.Appendf(text, "Heap of deadlines:\n number of elements: %d\n", expires)
	}
	verbatim(d.Out, text)
}

// valueTableStats is DEBUG HTSTATS-KEY key [full]. What redis keeps in a hash
// table has an index of sorted words here (package dict), which is never rehashed.
func valueTableStats(d *debugCall) {
	r, ok := asItIs(&d.tx.ReadTx, d.Call).Peek(d.args.Next())
	if !ok {
		d.Out.Error(command.ErrNoKey)
		return
	}
	elements, ok := tableElements(r)
	if !ok {
		d.Out.Error("ERR The value stored at the specified key is not represented using an hash table")
		return
	}
	verbatim(d.Out, fmt.Appendf(nil, "Hash table stats (sorted words, nothing is rehashed):\n number of elements: %d\n bytes: %d\n",
		elements, r.Bytes()))
}

// tableElements is how many elements a value has that redis keeps in a hash
// table; false for any other.
func tableElements(r keyspace.Ref) (int, bool) {
	if enc := r.Encoding(); enc != "hashtable" && enc != "skiplist" {
		return 0, false
	}
	o, ok := r.Object().(interface{ Len() int })
	if !ok {
		return 0, false
	}
	return o.Len(), true
}

// stringMatchTest is DEBUG STRINGMATCH-TEST: patterns of random bytes, of which
// many are special, against random strings.
func stringMatchTest(d *debugCall) {
	const rounds, longest = 20_000, 32
	random := func() []byte {
		b := make([]byte, rand.IntN(longest))
		for i := range b {
			b[i] = byte(32 + rand.IntN(96))
			if rand.IntN(3) == 0 {
				b[i] = `*?[]^-\`[rand.IntN(7)]
			}
		}
		return b
	}
	for range rounds {
		glob.Match(random(), random(), false)
	}
	d.Out.SimpleString("Apparently Redis did not crash: test passed")
}
