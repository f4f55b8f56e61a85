package records

import "time"

// A gap is the longest time between two acknowledgements, since it was last taken.
type gap struct {
	last    time.Time // of the last acknowledgement; zero before the first one
	longest time.Duration
	began   time.Time // the longest one
}

// acked notes an acknowledgement.
func (g *gap) acked(now time.Time) {
	g.look(now)
	g.last = now
}

func (g *gap) look(now time.Time) {
	if d := now.Sub(g.last); !g.last.IsZero() && d > g.longest {
		g.longest, g.began = d, g.last
	}
}

// take returns the longest gap and when it began, and begins anew. A gap that still lasts counts as far as it is
// known, and again, with its whole length, for the next one.
func (g *gap) take(now time.Time) (longest time.Duration, began time.Time) {
	g.look(now)
	longest, began = g.longest, g.began
	g.longest, g.began = 0, time.Time{}
	return longest, began
}
