package builtin

import (
	"math"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// lifetime is what the arguments of SET and GETEX say of the key's deadline.
type lifetime struct {
	kind lifetimeKind
	arg  []byte // the number behind EX, PX, EXAT or PXAT
}

type lifetimeKind uint8

const (
	lifeUnsaid lifetimeKind = iota
	lifeEX
	lifePX
	lifeEXAT
	lifePXAT
	lifeKeepTTL
	lifePersist
)

// is reads token if it is next and does not contradict what was said before.
// Saying the same twice is no contradiction.
func (l *lifetime) is(a *command.Args, token string, kind lifetimeKind) bool {
	if l.kind != lifeUnsaid && l.kind != kind || !a.Is(token) {
		return false
	}
	l.kind = kind
	return true
}

// isTimed is is for a token with a number behind it. The number is read later:
// redis finds fault with the syntax of the whole command first.
func (l *lifetime) isTimed(a *command.Args) bool {
	if a.Left() < 2 {
		return false
	}
	if l.is(a, "EX", lifeEX) || l.is(a, "PX", lifePX) || l.is(a, "EXAT", lifeEXAT) || l.is(a, "PXAT", lifePXAT) {
		l.arg = a.Next()
		return true
	}
	return false
}

// timed tells whether there is a number to make a deadline of.
func (l *lifetime) timed() bool { return l.arg != nil }

// deadline is the Unix time in ms that the arguments mean.
func (l *lifetime) deadline(c *command.Call) (int64, error) {
	unitMs := int64(1)
	if l.kind == lifeEX || l.kind == lifeEXAT {
		unitMs = 1000
	}
	n, ok := resp.ParseInt(l.arg)
	if !ok {
		return 0, command.Error(command.ErrNotInteger)
	}
	if n <= 0 || n > math.MaxInt64/unitMs {
		return 0, errExpireTime(c)
	}
	n *= unitMs
	if l.kind == lifeEX || l.kind == lifePX {
		n += c.Now
	}
	if n <= 0 { // the sum went past the end of time
		return 0, errExpireTime(c)
	}
	return n, nil
}

func errExpireTime(c *command.Call) error {
	return command.Error("ERR invalid expire time in '" + c.Spec.FullName() + "' command")
}
