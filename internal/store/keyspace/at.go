package keyspace

import (
	"math"

	"github.com/skeindb/skein/internal/data/value"
)

// The At methods change a key that the caller has just looked up as old or r,
// found or not, so that nothing is looked up twice. The Ref is spent then.

// SetStrAt is SetStr for a key that was just looked up.
func (tx *WriteTx) SetStrAt(old *Ref, key, val []byte, expiry int64) error {
	var c content
	c.encode(val)
	return tx.set(old, key, &c, expiry)
}

// SetTextAt is SetStrAt, but a number stays text: its encoding is not int.
func (tx *WriteTx) SetTextAt(old *Ref, key, val []byte, expiry int64) error {
	var c content
	c.text(val)
	return tx.set(old, key, &c, expiry)
}

// SetRawAt is SetStrAt, but the encoding is raw whatever val is, and val belongs
// to the keyspace from now on.
func (tx *WriteTx) SetRawAt(old *Ref, key, val []byte, expiry int64) error {
	c := content{kind: kindRaw, bytes: val}
	if len(val) > inlineMax {
		c = content{kind: kindObject, object: value.AdoptString(val)}
	}
	return tx.set(old, key, &c, expiry)
}

// SetIntAt is SetInt for a key that was just looked up. An integer that becomes
// another one is changed in place.
func (tx *WriteTx) SetIntAt(old *Ref, key []byte, n int64, expiry int64) error {
	return tx.set(old, key, &content{kind: kindInt, word: uint64(n)}, expiry)
}

// SetObjectAt is SetObject for a key that was just looked up.
func (tx *WriteTx) SetObjectAt(old *Ref, key []byte, o value.Object, expiry int64) error {
	var c content
	c.hold(o, inlineMax)
	return tx.set(old, key, &c, expiry)
}

// DeleteAt removes a key that was found, as commands do that remove one on their
// way. key must not be a view of the entry.
func (tx *WriteTx) DeleteAt(r Ref, key []byte) { tx.delete(r, key, tx.tuning.LazyDelete) }

// UnlinkAt is DeleteAt for DEL and, with unlink, UNLINK. They differ in what INFO
// counts.
func (tx *WriteTx) UnlinkAt(r Ref, key []byte, unlink bool) {
	tx.delete(r, key, unlink || tx.tuning.LazyUser)
}

// ExpireAt is Expire for a key that was found.
func (tx *WriteTx) ExpireAt(r Ref, key []byte, expiry int64) error {
	_, err := tx.setExpiry(r, key, expiry)
	return err
}

// IsPast tells whether a key whose deadline a command sets to expiry is to be
// removed with LapseAt instead, because that moment is past already. Only a
// master decides so.
func (tx *ReadTx) IsPast(expiry int64) bool {
	return expiry <= tx.now && tx.access&SeeExpired == 0 && !tx.ks.Replica.Load()
}

// LapseAt removes a key that was found, and logs that it is gone in place of
// the running command.
func (tx *WriteTx) LapseAt(r Ref, key []byte) {
	tx.delete(r, key, tx.tuning.LazyExpire)
	word := wordDel
	if tx.tuning.LazyExpire {
		word = wordUnlink
	}
	tx.Propagate(word, key)
}

// DelWord is the name of the command that logs the removal of a key which another
// command has emptied: DEL or UNLINK.
func (tx *WriteTx) DelWord() []byte {
	if tx.tuning.LazyDelete {
		return wordUnlink
	}
	return wordDel
}

// MaxString is the longest that a command may make a string, in bytes. The
// applier of a replica has no limit: its master has decided.
func (tx *ReadTx) MaxString() int64 {
	switch {
	case tx.access&SeeExpired != 0:
		return math.MaxInt64
	case tx.tuning.MaxString == 0:
		return defaultMaxString
	}
	return tx.tuning.MaxString
}
