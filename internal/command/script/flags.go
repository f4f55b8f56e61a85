package script

// Flags are what a script says about itself in its first line.
type Flags uint8

// The flags of redis 7.2; Compat is that of a script without such a line.
const (
	NoWrites Flags = 1 << iota
	AllowOOM
	AllowStale
	NoCluster
	AllowCrossSlot
	Compat
)

// Any tells whether one of g is set.
func (f Flags) Any(g Flags) bool { return f&g != 0 }
