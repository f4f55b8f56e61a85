package admin

import (
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"

	"github.com/skeindb/skein/internal/data/value"
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
		return errors.New("ERR the digest of a " + r.Type().String() + " is not known")
	}
	if r.Expiry() >= 0 {
		d.xorBytes([]byte(expireMark))
	}
	return nil
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
