package keyspace

import "slices"

// Long work on a few keys does not own whole stripes, but shuts their slots: the
// other slots of the stripes, with the keys of which it has nothing to do, are
// served as ever.
//
//	Acquire … Shut … Release     the slots are the owner's
//	As, Acquire … Release        the owner at work, as often as he likes
//	Reopen                       those who have come meanwhile are woken
//
// Expiry, eviction and other care of a stripe rest as long as a slot of it is shut.

// shut is a slot that has an owner, and those who wait for it.
type shut struct {
	slot   uint16
	owner  *Owner
	parked []Waker
}

// Shut makes o the owner of the slots that were added to h, whose locks are held and
// stay so. They are nobody else's: Acquire has seen to that.
func (ks *Keyspace) Shut(h *Hold, o *Owner) {
	slots := slices.Clone(h.slots)
	slices.Sort(slots)
	o.slots = slices.Compact(slots)
	for _, n := range o.slots {
		st := ks.stripeOf(n)
		st.shut = append(st.shut, &shut{slot: n, owner: o})
	}
}

// Reopen ends what Shut began and wakes, in order, those parked meanwhile.
func (ks *Keyspace) Reopen(o *Owner) {
	var wake []Waker
	for _, n := range o.slots {
		st := ks.stripeOf(n)
		st.mu.Lock()
		wake = append(wake, st.open(n)...)
		st.mu.Unlock()
	}
	for _, w := range wake {
		w.Wake()
	}
}

// open ends that slot n is shut and returns those parked at it.
func (st *stripe) open(n uint16) (parked []Waker) {
	st.shut = slices.DeleteFunc(st.shut, func(x *shut) bool {
		if x.slot == n {
			parked = x.parked
		}
		return x.slot == n
	})
	return parked
}

// admit is the end of Acquire, when all stripes of h are locked: if one of its slots
// is shut for h it unlocks them, queues w there and returns false.
func (ks *Keyspace) admit(h *Hold, w Waker) bool {
	for _, s := range h.stripes {
		for _, x := range ks.stripes[s].shut {
			if x.owner != h.owner && h.wants(x.slot) {
				h.busy = nil // nobody is told that it takes long
				if h.waits(x.owner, w) {
					x.parked = append(x.parked, w)
				}
				ks.Release(h)
				return false
			}
		}
	}
	return true
}

// wants tells whether h was made for slot n, too.
func (h *Hold) wants(n uint16) bool {
	return h.all || len(h.slots) == 0 || slices.Contains(h.slots, n)
}

// busy tells whether long work owns the stripe or a slot of it.
func (g *guard) busy() bool { return g.owner != nil || len(g.shut) > 0 }
