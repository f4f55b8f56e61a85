package records

import "time"

// A gap is the longest time between two acknowledgements, since it was last taken.
type gap struct {
	last    time.Time // of the last acknowledgement; zero before the first one
	longest time.Duration
}

// acked notes an acknowledgement.
func (g *gap) acked(now time.Time) {
	if !g.last.IsZero() {
		g.longest = max(g.longest, now.Sub(g.last))
	}
	g.last = now
}

// take returns the longest gap and begins anew. A gap that still lasts counts as far as it is known, and
// again, with its whole length, for the next one.
func (g *gap) take(now time.Time) time.Duration {
	longest := g.longest
	if !g.last.IsZero() {
		longest = max(longest, now.Sub(g.last))
	}
	g.longest = 0
	return longest
}
