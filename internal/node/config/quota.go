package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
)

// Quota is an amount of bytes or, where negative, a percentage of maxmemory.
// Zero is no limit.
type Quota int64

// Bytes returns the limit in bytes, 0 for none. maxmemory is in bytes; a
// percentage of no maxmemory is no limit.
func (q Quota) Bytes(maxmemory uint64) uint64 {
	if q >= 0 {
		return uint64(q)
	}
	return uint64(float64(maxmemory) * float64(-q) / 100)
}

func (q Quota) percent() (int64, bool) { return int64(-q), q < 0 }

// maxPercent is the largest percentage of a Quota.
const maxPercent = 100

func quota(name string, options ...option) Of[Quota] {
	return declare(name, Quota(0), kind[Quota]{
		parse: parseQuota,
		show: func(q Quota) string {
			if percent, ok := q.percent(); ok {
				return strconv.FormatInt(percent, 10) + "%"
			}
			return strconv.FormatInt(int64(q), 10)
		},
		write: func(q Quota) string {
			if percent, ok := q.percent(); ok {
				return strconv.FormatInt(percent, 10) + "%"
			}
			return formatBytes(uint64(q))
		},
	}, options...)
}

func parseQuota(_ *scope, _ Quota, words []string) (Quota, error) {
	tooMuch := fmt.Errorf("percentage argument must be less or equal to %d", maxPercent)
	if bytes, ok := parseBytes(words[0]); ok {
		if bytes > math.MaxInt64 {
			return 0, tooMuch // redis keeps both in one signed number
		}
		return Quota(bytes), nil
	}
	digits, isPercent := strings.CutSuffix(words[0], "%")
	percent, ok := resp.ParseInt([]byte(digits))
	switch {
	case !isPercent || !ok || percent < 0:
		return 0, errors.New("argument must be a memory or percent value")
	case percent > maxPercent:
		return 0, tooMuch
	}
	return Quota(-percent), nil
}
