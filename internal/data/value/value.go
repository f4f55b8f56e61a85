// Package value holds the values that a key can have.
//
// Small strings and integers have no object of their own: they lie inside the
// key's entry in the arena (package table draws the entry). Whatever is larger
// is an Object, a Go value that the keyspace reaches through a reference in the
// entry, so that the garbage collector sees one pointer per large value and
// none per small one.
//
// Every Object can be frozen in O(1): the frozen copy never changes, and the
// live one copies only what it is about to change. Snapshots rest on that.
package value

// Type is what the TYPE command names.
type Type uint8

// The six types of redis, in the order of their RDB type numbers, and Module.
const (
	TypeNone Type = iota
	TypeString
	TypeList
	TypeSet
	TypeZSet
	TypeHash
	TypeStream
)

var typeNames = [...]string{"none", "string", "list", "set", "zset", "hash", "stream"}

// String is the word TYPE replies.
func (t Type) String() string { return typeNames[t] }

// ParseType is the inverse of String for the types a key can have.
func ParseType(name string) (Type, bool) {
	for t := TypeString; int(t) < len(typeNames); t++ {
		if typeNames[t] == name {
			return t, true
		}
	}
	return TypeNone, false
}

// Object is a value too large, or too rich, to lie inside its key's entry.
// Its methods are called under the lock of the key's stripe.
type Object interface {
	Type() Type
	// Encoding is the word OBJECT ENCODING replies.
	Encoding() string
	// Bytes is the memory accounted to the value.
	Bytes() int
	// Freeze returns an immutable copy in O(1).
	Freeze() Object
}
