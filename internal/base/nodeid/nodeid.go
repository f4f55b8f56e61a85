// Package nodeid holds the name of a cluster node: 160 random bits, drawn once in a node's life and
// shown to people, to other nodes and in nodes.conf as 40 lower-case hexadecimal digits.
//
// Inside the program an id is an array of 20 bytes: it compares with ==, serves as a map key and costs
// no allocation. The 40 digits exist only at the edges. The order of ids equals the order of their
// digits, which matters because the cluster breaks ties by it (of two masters with the same config
// epoch, the lower id moves on; the lowest id migrates to an orphaned master).
//
// Shard ids have the same shape and use the same type.
//
// Redis takes 40 characters of [a-z0-9] from a hand-edited nodes.conf; it never makes such an id itself.
// We take hexadecimal digits only and refuse others with ErrSyntax.
package nodeid

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
)

// Len is the number of hexadecimal digits of an id in text and on the wire.
const Len = 40

// ErrSyntax means that a text is not a node id.
var ErrSyntax = errors.New("a node id must be 40 lower-case hexadecimal digits")

// ID names a node or a shard. The zero ID names nobody: it is never drawn and Parse refuses it.
type ID [Len / 2]byte

// Parse reads an id from its 40 lower-case hexadecimal digits. The only error is ErrSyntax.
func Parse[T string | []byte](text T) (ID, error) {
	var id ID
	if len(text) != Len {
		return ID{}, ErrSyntax
	}
	for i := range id {
		high, low := digit(text[2*i]), digit(text[2*i+1])
		if high|low > 0xf {
			return ID{}, ErrSyntax
		}
		id[i] = high<<4 | low
	}
	if id.IsZero() {
		return ID{}, ErrSyntax
	}
	return id, nil
}

// digit returns the value of a lower-case hexadecimal digit, 0xff for any other byte.
func digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}

// Random draws an id from src. A *rand.Rand and a *rand.ChaCha8 of math/rand/v2 are sources.
func Random(src rand.Source) ID {
	for {
		var words [24]byte
		for i := 0; i < len(words); i += 8 {
			binary.BigEndian.PutUint64(words[i:], src.Uint64())
		}
		if id := ID(words[:len(ID{})]); !id.IsZero() {
			return id
		}
	}
}

// Read draws an id from r, which is crypto/rand.Reader in a server. Its errors are those of r.
func Read(r io.Reader) (ID, error) {
	for {
		var id ID
		if _, err := io.ReadFull(r, id[:]); err != nil {
			return ID{}, err
		}
		if !id.IsZero() {
			return id, nil
		}
	}
}

// IsZero reports whether id names nobody.
func (id ID) IsZero() bool { return id == ID{} }

// Compare orders ids as the texts of them are ordered: -1, 0 or +1.
func (id ID) Compare(other ID) int { return bytes.Compare(id[:], other[:]) }

// AppendHex appends the 40 digits of id to dst.
func (id ID) AppendHex(dst []byte) []byte { return hex.AppendEncode(dst, id[:]) }

// String returns the 40 digits of id.
func (id ID) String() string { return hex.EncodeToString(id[:]) }
