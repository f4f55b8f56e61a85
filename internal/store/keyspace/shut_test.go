package keyspace

import (
	"slices"
	"testing"
)

// slotsHold is a hold of slots.
func slotsHold(ks *Keyspace, slots ...uint16) *Hold {
	h := new(Hold)
	h.Reset(ks)
	for _, n := range slots {
		h.AddSlot(n)
	}
	return h
}

func TestShutSlotsKeepOthersOut(t *testing.T) {
	ks := newKeyspace(t, Options{Stripes: 8})
	h, o := slotsHold(ks, 1, 2, 9, 1), &Owner{What: "test"}
	ks.Acquire(h, nil)
	ks.Shut(h, o)
	ks.Release(h)
	var order []int
	for i, slots := range [][]uint16{{1}, {9}, {3, 1}, {2}, {1}} {
		if ks.Acquire(slotsHold(ks, slots...), &bell{do: func() { order = append(order, i) }}) {
			t.Errorf("%v acquired", slots)
		}
	}
	all := slotsHold(ks)
	all.AddAll()
	if ks.Acquire(all, &bell{do: func() { order = append(order, 5) }}) {
		t.Error("all acquired")
	}
	for _, slots := range [][]uint16{{17}, {10}, {17, 3, 10}} {
		other := slotsHold(ks, slots...)
		if !ks.Acquire(other, nil) {
			t.Fatalf("%v is not free", slots)
		}
		ks.Release(other)
	}
	h.As(o)
	if !ks.Acquire(h, nil) {
		t.Fatal("the owner does not pass")
	}
	ks.Release(h)
	if len(order) > 0 {
		t.Error("woken too early")
	}
	ks.Reopen(o)
	slices.Sort(order)
	if !slices.Equal(order, []int{0, 1, 2, 3, 4, 5}) {
		t.Errorf("woken: %v", order)
	}
	for i := range ks.stripes {
		if ks.stripes[i].busy() {
			t.Errorf("stripe %d is busy", i)
		}
	}
}

// TestShutBesideOwn: two slots of one stripe have an owner each, and a third one owns
// the whole stripe; each waits for what concerns it only.
func TestShutBesideOwn(t *testing.T) {
	ks := newKeyspace(t, Options{Stripes: 8})
	a, b, c := slotsHold(ks, 1), slotsHold(ks, 9), slotsHold(ks, 17)
	owners := [3]Owner{}
	for i, h := range []*Hold{a, b} {
		if !ks.Acquire(h, nil) {
			t.Fatal("not free")
		}
		ks.Shut(h, &owners[i])
		ks.Release(h)
		h.As(&owners[i])
	}
	if !ks.Acquire(c, nil) {
		t.Fatal("not free")
	}
	ks.Own(c, &owners[2])
	rung := 0
	if ks.Acquire(a, &bell{do: func() { rung++ }}) {
		t.Error("the stripe is another's")
	}
	ks.Disown(&owners[2])
	if rung != 1 || !ks.Acquire(a, nil) {
		t.Error("not woken, or not free")
	}
	ks.Release(a)
	ks.Reopen(&owners[0])
	if free := slotsHold(ks, 1); !ks.Acquire(free, nil) {
		t.Error("slot 1 is shut yet")
	} else {
		ks.Release(free)
	}
	if ks.Acquire(slotsHold(ks, 9), nil) {
		t.Error("slot 9 is not shut")
	}
	ks.Reopen(&owners[1])
}
