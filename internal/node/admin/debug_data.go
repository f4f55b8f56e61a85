package admin

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/skeindb/skein/internal/base/glob"
	"github.com/skeindb/skein/internal/base/lzf"
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/store/keyspace"
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
	if r.Type() != value.TypeString {
		d.Out.Error("ERR the saved length of a " + r.Type().String() + " is not known")
		return
	}
	s, _, err := raw.StrOf(r)
	if err != nil {
		d.Fail(err)
		return
	}
	idle := raw.IdleSeconds(r)
	d.Out.SimpleString(fmt.Sprintf("Value at:0x0 refcount:1 encoding:%s serializedlength:%d lru:%d lru_seconds_idle:%d",
		r.Encoding(), savedLen(s.Bytes(), d.a.setting("rdbcompression") != "no"), clock(d.Now-idle*1000), idle))
}

// savedLen is how many bytes a string takes in an RDB file: as an integer of 1,
// 2 or 4 bytes, compressed, or as it is behind its length.
func savedLen(s []byte, compress bool) int {
	if len(s) <= 11 {
		if n, ok := resp.ParseInt(s); ok {
			switch {
			case n == int64(int8(n)):
				return 2
			case n == int64(int16(n)):
				return 3
			case n == int64(int32(n)):
				return 5
			}
		}
	}
	if compress && len(s) > 20 {
		if packed, ok := lzf.Compress(nil, s); ok {
			return 1 + lenLen(len(packed)) + lenLen(len(s)) + len(packed)
		}
	}
	return lenLen(len(s)) + len(s)
}

// lenLen is how many bytes a length takes in an RDB file.
func lenLen(n int) int {
	switch {
	case n < 1<<6:
		return 1
	case n < 1<<14:
		return 2
	case n < 1<<32:
		return 5
	}
	return 9
}

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
		if err := d.tx.SetTextAt(old, key, val, keyspace.NoExpiry); err != nil {
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

// valueTableStats is DEBUG HTSTATS-KEY key [full]. No value that there is yet
// has a hash table.
func valueTableStats(d *debugCall) {
	if _, ok := d.tx.Look(d.args.Next()); !ok {
		d.Out.Error(command.ErrNoKey)
		return
	}
	d.Out.Error("ERR The value stored at the specified key is not represented using an hash table")
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
