package core

import (
	"math/rand/v2"
	"testing"

	"github.com/skeindb/skein/internal/base/nodeid"
)

// TestIDTable compares the table with a map, under ids that all belong to a few places.
func TestIDTable(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var table idTable
	var peers []*peer
	known := map[nodeid.ID]*peer{}
	free := []uint16{}
	for range 20000 {
		var id nodeid.ID
		id[rnd.IntN(20)], id[8] = byte(rnd.IntN(8)), byte(rnd.IntN(4)) // byte 8 to 11 say nothing of the place
		if got := table.find(peers, &id); got != known[id] {
			t.Fatalf("%s: found %v, want %v", id, got, known[id])
		}
		if p := known[id]; p != nil {
			table.remove(peers, p)
			delete(known, id)
			peers[p.idx] = nil
			free = append(free, p.idx)
			continue
		}
		p := &peer{id: id, idx: uint16(len(peers))}
		if n := len(free); n > 0 {
			p.idx, free = free[n-1], free[:n-1]
			peers[p.idx] = p
		} else {
			peers = append(peers, p)
		}
		known[id] = p
		table.add(peers, p)
		if table.used != len(known) {
			t.Fatalf("%d peers in the table, want %d", table.used, len(known))
		}
	}
}
