package bus

import (
	"fmt"
	"strings"
)

// Flags describe a node: in the header the sender, in a gossip entry the node it is about. Bits that we do
// not name pass through unchanged.
type Flags uint16

// The node flags. Those above FlagNoFailover were invented after Redis 7.2.4; we never set them.
const (
	FlagMaster     Flags = 1 << iota // 1
	FlagSlave                        // 2
	FlagPFail                        // 4: the sender cannot reach it
	FlagFail                         // 8: a majority could not
	FlagMyself                       // 16: set in every header; mask it before storing
	FlagHandshake                    // 32: known by address only
	FlagNoAddr                       // 64: known by id only
	FlagMeet                         // 128: a MEET is owed to it
	FlagMigrateTo                    // 256: a master that had replicas: orphans may get one
	FlagNoFailover                   // 512: a replica that must not be promoted

	FlagExtensions    // 1024: understands extensions (Redis 7.2.7 and 8.0, Valkey 8.0)
	FlagLightPublish  // 2048: takes light PUBLISH headers (Valkey 8.0)
	FlagLightModule   // 4096: takes light MODULE headers and repeated MEETs (Valkey 8.1)
	FlagMyPrimaryFail // 8192: a replica that sees its master failing (Valkey 9.1)
	FlagAuthNack      // 16384: understands AUTH_NACK (Valkey 9.2)
)

// Has reports whether f holds at least one of the given flags.
func (f Flags) Has(any Flags) bool { return f&any != 0 }

// flagNames lists the flags that CLUSTER NODES and nodes.conf show, in their order.
var flagNames = [...]struct {
	flag Flags
	name string
}{
	{FlagMyself, "myself"},
	{FlagMaster, "master"},
	{FlagSlave, "slave"},
	{FlagPFail, "fail?"},
	{FlagFail, "fail"},
	{FlagHandshake, "handshake"},
	{FlagNoAddr, "noaddr"},
	{FlagNoFailover, "nofailover"},
}

// Append appends the flags as CLUSTER NODES shows them: "myself,master", or "noflags".
func (f Flags) Append(dst []byte) []byte {
	start := len(dst)
	for _, known := range flagNames {
		if !f.Has(known.flag) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(dst, known.name...)
	}
	if len(dst) == start {
		dst = append(dst, "noflags"...)
	}
	return dst
}

// String is Append as a string.
func (f Flags) String() string { return string(f.Append(nil)) }

// ParseFlags reads what Append wrote, in any order and letter case. An error names the word that is not a
// flag.
func ParseFlags(text string) (Flags, error) {
	var flags Flags
	for word := range strings.SplitSeq(text, ",") {
		flag, ok := flagNamed(word)
		if !ok {
			return 0, fmt.Errorf("unknown flag %q", word)
		}
		flags |= flag
	}
	return flags, nil
}

func flagNamed(word string) (Flags, bool) {
	for _, known := range flagNames {
		if strings.EqualFold(word, known.name) {
			return known.flag, true
		}
	}
	return 0, strings.EqualFold(word, "noflags")
}
