package builtin

import (
	"math"
	"math/big"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// What is wrong with the time that a command is to wait, in redis's words.
const (
	errTimeoutNoFloat   command.Error = "ERR timeout is not a float or out of range"
	errTimeoutNoInteger command.Error = "ERR timeout is not an integer or out of range"
	errTimeoutRange     command.Error = "ERR timeout is out of range"
	errTimeoutNegative  command.Error = "ERR timeout is negative"
)

// secondsUntil is when a wait ends that begins now and takes arg seconds, which may
// have a fraction: Unix ms as Wait.UntilMs has it, 0 if it never ends.
func secondsUntil(c *command.Call, arg []byte) (untilMs int64, err error) {
	seconds, ok := parseLongDouble(arg)
	if !ok {
		return 0, errTimeoutNoFloat
	}
	ms := new(big.Float).SetPrec(seconds.Prec())
	if ms.Mul(seconds, big.NewFloat(1000)); ms.Cmp(big.NewFloat(math.MaxInt64)) >= 0 {
		return 0, errTimeoutRange
	}
	n, accuracy := ms.Int64()
	if accuracy == big.Below {
		n++ // up to the next whole millisecond
	}
	return until(c, n)
}

// msUntil is secondsUntil for a whole number of milliseconds.
func msUntil(c *command.Call, arg []byte) (untilMs int64, err error) {
	n, ok := resp.ParseInt(arg)
	if !ok {
		return 0, errTimeoutNoInteger
	}
	return until(c, n)
}

func until(c *command.Call, ms int64) (int64, error) {
	switch {
	case ms < 0:
		return 0, errTimeoutNegative
	case ms == 0:
		return 0, nil
	case ms > math.MaxInt64-c.Now:
		return 0, errTimeoutRange
	}
	return c.Now + ms, nil
}
