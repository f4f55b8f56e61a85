package builtin

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// sort brings the items in order. Those of a list that are equal keep theirs; of others
// there is none to keep.
func (s *sorting) sort(isList bool) error {
	if err := s.weigh(); err != nil {
		return err
	}
	compare := s.compareScores
	if s.alpha {
		compare = s.compareTexts
	}
	slices.SortStableFunc(s.items, func(a, b sortItem) int {
		c := compare(&a, &b)
		if c == 0 && !isList {
			c = bytes.Compare(a.text, b.text)
		}
		if s.desc {
			c = -c
		}
		return c
	})
	return nil
}

// weigh finds what the items are sorted by.
func (s *sorting) weigh() error {
	wrong := false
	for i := range s.items {
		it := &s.items[i]
		by, found := it.text, true
		if s.by != nil {
			if by, found = s.lookup(s.by, it.text); !found {
				continue
			}
		}
		if s.alpha {
			if s.by != nil {
				it.other = append(make([]byte, 0, len(by)+1), by...) // not nil if it is empty
			}
			continue
		}
		var ok bool
		it.score, ok = strtod(by)
		wrong = wrong || !ok
	}
	if wrong {
		return errSortScore
	}
	return nil
}

// compareScores orders items by number; equal ones by themselves.
func (s *sorting) compareScores(a, b *sortItem) int {
	if c := cmp.Compare(a.score, b.score); c != 0 {
		return c
	}
	return bytes.Compare(a.text, b.text)
}

// compareTexts orders items by bytes, which is how the only locale there is does. What BY
// has not found comes first.
func (s *sorting) compareTexts(a, b *sortItem) int {
	switch {
	case s.by == nil:
		return bytes.Compare(a.text, b.text)
	case a.other == nil && b.other == nil:
		return 0
	case a.other == nil:
		return -1
	case b.other == nil:
		return 1
	}
	return bytes.Compare(a.other, b.other)
}

// strtod reads a number as C's strtod does if nothing may follow it: an empty string
// is 0, blanks may precede, and a zero byte ends it.
func strtod(b []byte) (float64, bool) {
	b, _, _ = bytes.Cut(b, []byte{0})
	if len(b) == 0 {
		return 0, true
	}
	text := strings.TrimLeft(string(b), " \t\n\v\f\r")
	unsigned := strings.ToLower(strings.TrimLeft(text, "+-"))
	if strings.Contains(text, "_") {
		return 0, false
	}
	if strings.HasPrefix(unsigned, "0x") && !strings.Contains(unsigned, "p") {
		text += "p0" // which Go wants
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || underflows(unsigned, math.Abs(f)) {
		return 0, false
	}
	return f, true
}

// leastNormal is the least number with all 53 bits of precision.
const leastNormal = 0x1p-1022

// underflows tells whether C calls it out of range to read text, a number without sign
// in lower case, as f: it is too small to be exact.
func underflows(text string, f float64) bool {
	switch {
	case f >= leastNormal:
		return false
	case f == 0:
		digits, isHex := strings.CutPrefix(text, "0x")
		exponent := "e"
		if isHex {
			exponent = "p"
		}
		digits, _, _ = strings.Cut(digits, exponent)
		return strings.Trim(digits, "0.") != ""
	}
	exact, ok := new(big.Rat).SetString(text)
	return ok && exact.Cmp(new(big.Rat).SetFloat64(f)) != 0
}
