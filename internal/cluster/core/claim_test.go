package core

import (
	"math/rand/v2"
	"testing"
)

// What others will hear is synchronised with the disk, however small the wish that brought it about: the end of the
// machine must not take back an epoch or a slot that was announced.
func TestClaimsAreSynchronised(t *testing.T) {
	n := New(miniConfig(), State{}, rand.New(rand.NewPCG(1, 2)))
	var out Effects
	n.Step(miniEpoch, Tick{}, &out)
	n.Step(miniEpoch+1, Saved{Seq: out.Save.Seq}, &out)
	for _, wish := range []Event{SetConfigEpoch{Epoch: 7}, AddSlots{Slots: []int64{3}}, DelSlots{Slots: []int64{3}}} {
		if err := n.Step(miniEpoch+2, wish, &out); err != nil {
			t.Fatal(err)
		}
		if out.Save.Seq == 0 || !out.Save.Fsync {
			t.Errorf("%T: the save is %+v", wish, out.Save)
		}
	}
}
