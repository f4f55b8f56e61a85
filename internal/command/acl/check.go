package acl

import (
	"github.com/skeindb/skein/internal/base/glob"
	"github.com/skeindb/skein/internal/command"
)

// Reason is why something was refused. Where several selectors refuse, the greatest is
// told.
type Reason uint8

const (
	Allowed Reason = iota
	Command
	Key
	Auth // a login that failed; Check does not give it
	Channel
)

// words are what ACL LOG calls the reasons.
var reasonWords = [...]string{Command: "command", Key: "key", Auth: "auth", Channel: "channel"}

// Denial is what Check finds: the zero value is that there is none.
type Denial struct {
	Reason Reason
	Index  int // argv[Index] is the key or channel, 0 for a command
}

// Check tells whether the user may run the command. argv may have other than the number of
// words that spec asks for: redis.acl_check_cmd does not say how many there will be.
func (u *User) Check(spec *command.Spec, argv [][]byte) Denial {
	r := u.limits.Load()
	if r == nil {
		return Denial{}
	}
	worst := Denial{Reason: Command}
	c := checking{spec: spec, argv: argv}
	for _, s := range r.selectors {
		d := c.by(s)
		if d.Reason == Allowed {
			return d
		}
		if d.Reason > worst.Reason || d.Reason == worst.Reason && d.Index > worst.Index {
			worst = d
		}
	}
	return worst
}

// MayReadAll tells whether the user may run the command and read any key with it: SORT
// reads keys that its arguments do not name.
func (u *User) MayReadAll(spec *command.Spec, argv [][]byte) bool {
	r := u.limits.Load()
	if r == nil {
		return true
	}
	c := checking{spec: spec, argv: argv}
	for _, s := range r.selectors {
		if s.readsAll() && c.by(s).Reason == Allowed {
			return true
		}
	}
	return false
}

// checking is one command line while selectors are asked about it.
type checking struct {
	spec *command.Spec
	argv [][]byte
	keys []command.KeyPos
	seen bool // keys have been found
}

func (c *checking) by(s *selector) Denial {
	if !s.allowsCommand(c.spec, c.argv) {
		return Denial{Reason: Command}
	}
	if !s.allKeys && c.spec.HasKeys() {
		for _, k := range c.keyPositions() {
			if !s.allowsKey(c.argv[k.Index], k.Flags) {
				return Denial{Key, k.Index}
			}
		}
	}
	if use := c.spec.Channels; !s.allChannels && use&(command.ChannelPublish|command.ChannelSubscribe) != 0 {
		last := len(c.argv) - 1
		if use&command.ChannelPublish != 0 {
			last = min(last, 1)
		}
		for i := 1; i <= last; i++ {
			if !s.allowsChannel(c.argv[i], use&command.ChannelPattern != 0) {
				return Denial{Channel, i}
			}
		}
	}
	return Denial{}
}

// keyPositions finds the keys once for all selectors. Arguments among which no keys can
// be told are the command's own business: it will refuse them.
func (c *checking) keyPositions() []command.KeyPos {
	if !c.seen {
		c.seen = true
		c.keys, _ = command.AppendKeys(nil, c.spec, c.argv)
	}
	return c.keys
}

func (s *selector) allowsCommand(spec *command.Spec, argv [][]byte) bool {
	if s.allCommands || s.commands.has(spec.ID()) || spec.Is(command.NoAuth) {
		return true
	}
	if len(argv) < 2 {
		return false
	}
	for _, arg := range s.firstArgs[spec.ID()] {
		if glob.LowerString(cString(string(argv[1]))) == arg {
			return true
		}
	}
	return false
}

// needed is what must be allowed for a key that is used as f says.
func needed(f command.KeyFlags) (a access) {
	if f&command.KeyAccess != 0 {
		a |= reads
	}
	if f&(command.KeyInsert|command.KeyDelete|command.KeyUpdate) != 0 {
		a |= writes
	}
	return a
}

func (s *selector) allowsKey(key []byte, f command.KeyFlags) bool {
	need := needed(f)
	for _, p := range s.keys {
		if p.access&need == need && glob.Match([]byte(p.pattern), key, false) {
			return true
		}
	}
	return false
}

// readsAll tells whether all keys may be read.
func (s *selector) readsAll() bool {
	if s.allKeys {
		return true
	}
	for _, p := range s.keys {
		if p.access&reads != 0 && p.pattern == "*" {
			return true
		}
	}
	return false
}

// allowsChannel: a channel has to match a pattern, but a pattern has to be one.
func (s *selector) allowsChannel(name []byte, pattern bool) bool {
	for _, p := range s.channels {
		if pattern && p == string(name) || !pattern && glob.Match([]byte(p), name, false) {
			return true
		}
	}
	return false
}
