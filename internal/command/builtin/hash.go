package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// findHash finds the hash at key to be read, empty if there is no such key. ok is
// false if the key is of another type and the error has been replied.
func findHash(c *command.Call, tx *keyspace.ReadTx, key []byte) (h hash.View, ok bool) {
	h, err := keyspace.FindHash(tx, key)
	if err != nil {
		c.Fail(err)
		return h, false
	}
	return h, true
}

// hashChange is a hash open for change.
type hashChange = keyspace.Change[*hash.Hash]

// openHash opens the hash at the command's key for change in the fields among names,
// one every step. ok is false if the key is of another type and the error has been
// replied.
func openHash(h *hashChange, c *command.Call, tx *keyspace.WriteTx, names [][]byte, step int) (ok bool) {
	err := keyspace.OpenHash(h, tx, c.Args[1], names, step)
	if err != nil {
		c.Fail(err)
	}
	return err == nil
}

// makeHash is openHash that makes the hash if there is none.
func makeHash(h *hashChange, c *command.Call, tx *keyspace.WriteTx, names [][]byte, step int) (ok bool) {
	ok = openHash(h, c, tx, names, step)
	if ok && h.Value == nil {
		h.Value = hash.New()
	}
	return ok
}

// saveHash makes the change of h the key's and announces it. False means that the
// error has been replied in place of all since the reply had length from.
func saveHash(c *command.Call, tx *keyspace.WriteTx, h *hashChange, from int, events ...string) bool {
	key := c.Args[1]
	gone, err := h.Save()
	if err != nil {
		failAfter(c, from, err)
		return false
	}
	for _, event := range events {
		tx.Notify(keyspace.EventHash, event, key)
	}
	if gone {
		tx.Notify(keyspace.EventGeneric, "del", key)
	}
	return true
}
