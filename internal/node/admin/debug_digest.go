package admin

import (
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/data/zset"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// digest is redis's fingerprint of data, bit for bit (debug.c).
//
//	xor(d, x)   d ^= SHA1(x)               order does not matter
//	mix(d, x)   d = SHA1(d ^ SHA1(x))      order matters
//
// A data set begins as zeros. Each database with keys is mixed in by its number
// (32 bits, big endian); then, for each of its keys, the digest that results
// from mixing the key, its type (32 bits, big endian) and its value, is xored in.
type digest [sha1.Size]byte

func (d *digest) xor(h digest) {
	for i := range d {
		d[i] ^= h[i]
	}
}

func (d *digest) xorBytes(b []byte) { d.xor(sha1.Sum(b)) }

func (d *digest) mix(h digest) {
	d.xor(h)
	*d = sha1.Sum(d[:])
}

func (d *digest) mixBytes(b []byte) { d.mix(sha1.Sum(b)) }

func (d *digest) mixNumber(n uint32) { d.mixBytes(binary.BigEndian.AppendUint32(nil, n)) }

func (d *digest) String() string { return hex.EncodeToString(d[:]) }

// typeNumbers are redis's numbers of the types.
var typeNumbers = map[value.Type]uint32{
	value.TypeString: 0, value.TypeList: 1, value.TypeSet: 2, value.TypeZSet: 3, value.TypeHash: 4, value.TypeStream: 6,
}

// expireMark is xored in for a key that has a deadline, whatever it is.
const expireMark = "!!expire!!"

// mixValue mixes in a key's value, without its name.
func (d *digest) mixValue(tx *keyspace.ReadTx, r keyspace.Ref) error {
	d.mixNumber(typeNumbers[r.Type()])
	switch r.Type() {
	case value.TypeString:
		s, _, err := tx.StrOf(r)
		if err != nil {
			return err
		}
		h := sha1.New()
		for chunk := range s.Chunks {
			h.Write(chunk)
		}
		d.mix(digest(h.Sum(nil)))
	default:
		d.mixObject(r.Object())
	}
	if r.Expiry() >= 0 {
		d.xorBytes([]byte(expireMark))
	}
	return nil
}

// mixObject mixes in a collection: the elements of lists and streams in their order,
// those of others in any.
func (d *digest) mixObject(o value.Object) {
	switch o := o.(type) {
	case *quicklist.List:
		for e := range o.Ascend(0) {
			d.mixBytes(e)
		}
	case *set.Set:
		for m := range o.All() {
			d.xorBytes(m)
		}
	case *zset.ZSet:
		for m, score := range o.Ascend(0) {
			var text [32]byte
			d.xorPair(m, appendScore(text[:0], score), false)
		}
	case *hash.Hash:
		for field, val := range o.All() {
			_, due := o.Expiry(field)
			d.xorPair(field, val, due)
		}
	case *stream.Stream:
		for e := range o.Ascend(stream.ID{}, stream.Highest) {
			d.mixBytes(fmt.Appendf(nil, "%d.%d", e.ID.Ms, e.ID.Seq))
			for field, val := range e.Fields() {
				d.mixBytes(field)
				d.mixBytes(val)
			}
		}
	}
}

// fieldMark is xored in for a field that has a deadline, whatever it is.
const fieldMark = "!!hexpire!!"

// xorPair xors in two strings that belong together.
func (d *digest) xorPair(a, b []byte, due bool) {
	var one digest
	one.mixBytes(a)
	one.mixBytes(b)
	if due {
		one.xorBytes([]byte(fieldMark))
	}
	d.xorBytes(one[:])
}

// appendScore writes a score as redis 7.2 does here: in the shortest form, whole
// numbers too. (Redis 7.0 has 17 digits: its digests of scores such as 0.1 or 1e9
// are others.)
func appendScore(b []byte, score float64) []byte {
	if math.IsInf(score, 0) || score == 0 {
		return resp.AppendDouble(b, score)
	}
	return resp.AppendShortest(b, score)
}

// digestAll is DEBUG DIGEST. Keys past their deadline count while they are there.
func digestAll(d *debugCall) {
	raw := asItIs(&d.tx.ReadTx, d.Call)
	var all digest
	var failed error
	for db := range raw.Keyspace().Databases() {
		if raw.Keyspace().Size(db) == 0 {
			continue
		}
		raw.SelectDB(db)
		all.mixNumber(uint32(db))
		raw.Scan(0, math.MaxInt, func(r keyspace.Ref) {
			var one digest
			one.mixBytes(r.Key())
			if err := one.mixValue(raw, r); err != nil {
				failed = err
			}
			all.xor(sha1.Sum(one[:]))
		})
	}
	if failed != nil {
		d.Fail(failed)
		return
	}
	d.Out.SimpleString(all.String())
}

// digestValues is DEBUG DIGEST-VALUE [key ...]; zeros stand for a missing key.
func digestValues(d *debugCall) {
	raw := asItIs(&d.tx.ReadTx, d.Call)
	keys := d.args.Rest()
	sums := make([]digest, len(keys))
	for i, key := range keys {
		if r, ok := raw.Peek(key); ok {
			if err := sums[i].mixValue(raw, r); err != nil {
				d.Fail(err)
				return
			}
		}
	}
	d.Out.Array(len(sums))
	for i := range sums {
		d.Out.SimpleString(sums[i].String())
	}
}
