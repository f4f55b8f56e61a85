// Package slot maps keys to the 16384 hash slots of a Redis Cluster and holds
// sets of slots as the cluster bus carries them.
//
// A key's slot is CRC16(hashed part) mod 16384. The hashed part is the whole
// key, unless the key has a tag: the bytes between the first '{' and the first
// '}' after it, when there is at least one. Keys that share a tag share a slot.
//
//	foo              -> foo
//	{user1}.name     -> user1
//	a{user1}b{x}     -> user1
//	{}.name          -> {}.name     (empty tag: the whole key counts)
//	a{{b}}c          -> {b
//
// CRC16 is the XMODEM variant: polynomial 0x1021, initial value 0, bits not
// reflected, no final xor; CRC16("123456789") = 0x31C3.
package slot

import "bytes"

// Count is the number of hash slots of a cluster.
const Count = 16384

// Of returns the slot of key, 0..Count-1.
func Of(key []byte) uint16 {
	open := bytes.IndexByte(key, '{')
	if open < 0 {
		return crc16(key) % Count
	}
	return crc16(tagAt(key, open)) % Count
}

// OfString is Of for a key held as a string.
func OfString(key string) uint16 { return Of([]byte(key)) }

// Tag returns the part of key that is hashed: its tag, or key itself.
// The result points into key.
func Tag(key []byte) []byte {
	open := bytes.IndexByte(key, '{')
	if open < 0 {
		return key
	}
	return tagAt(key, open)
}

// tagAt returns the hashed part of a key whose first '{' is at open.
func tagAt(key []byte, open int) []byte {
	rest := key[open+1:]
	end := bytes.IndexByte(rest, '}')
	if end <= 0 {
		return key
	}
	return rest[:end]
}
