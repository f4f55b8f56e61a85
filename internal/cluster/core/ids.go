package core

import (
	"encoding/binary"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// idTable finds peers by id: a hash table of indices with linear probing, half empty at least. A heartbeat speaks of a
// tenth of all nodes, and who reads it looks each of them up: in two bytes per cell more of the table stays in the cache
// than of a map with ids in it, and a thousand nodes in one simulator pay for it a thousand times.
//
// Invariant: len(cells) is a power of two; every cell holds 1 + the index of a peer or 0, and no cell between the place
// where a peer belongs and the one where it is holds 0.
type idTable struct {
	cells []uint16
	used  int
}

// place is where an id belongs: ids are random, but those that a hostile node makes up need not be.
func (t *idTable) place(id *nodeid.ID) int {
	h := (binary.LittleEndian.Uint64(id[:]) ^ binary.LittleEndian.Uint64(id[12:])) * 0x9e3779b97f4a7c15
	return int(h>>32) & (len(t.cells) - 1)
}

// find returns the peer with this id, or nil.
func (t *idTable) find(peers []*peer, id *nodeid.ID) *peer {
	if t.used == 0 {
		return nil
	}
	for i := t.place(id); t.cells[i] != 0; i = (i + 1) & (len(t.cells) - 1) {
		if p := peers[t.cells[i]-1]; p.id == *id {
			return p
		}
	}
	return nil
}

// findAll is find for the nodes of up to lookBatch entries of gossip. Of a thousand nodes hardly one is in the processor's
// cache: to ask for all cells, then for all peers, takes a fraction of the time of one after another.
func (t *idTable) findAll(peers []*peer, about []bus.Gossip, found *[lookBatch]*peer) {
	if t.used == 0 {
		clear(found[:])
		return
	}
	var cells [lookBatch]uint16
	for i := range about {
		cells[i] = t.cells[t.place(&about[i].Node)]
	}
	for i := range about {
		found[i] = nil
		if cell := cells[i]; cell != 0 {
			found[i] = peers[cell-1]
		}
	}
	for i := range about {
		if p := found[i]; p != nil && p.id != about[i].Node {
			found[i] = t.find(peers, &about[i].Node)
		}
	}
}

// add puts a peer in, which is among peers already and not in the table.
func (t *idTable) add(peers []*peer, p *peer) {
	if 2*(t.used+1) > len(t.cells) {
		old := t.cells
		t.cells = make([]uint16, max(16, 2*len(old)))
		for _, cell := range old {
			if cell != 0 {
				t.put(&peers[cell-1].id, cell)
			}
		}
	}
	t.used++
	t.put(&p.id, p.idx+1)
}

func (t *idTable) put(id *nodeid.ID, cell uint16) {
	i := t.place(id)
	for t.cells[i] != 0 {
		i = (i + 1) & (len(t.cells) - 1)
	}
	t.cells[i] = cell
}

// remove takes a peer out, while it is still among peers, and puts those behind it anew: one of them may belong where it was.
func (t *idTable) remove(peers []*peer, p *peer) {
	i := t.place(&p.id)
	for t.cells[i] != p.idx+1 {
		if t.cells[i] == 0 {
			return
		}
		i = (i + 1) & (len(t.cells) - 1)
	}
	t.cells[i] = 0
	t.used--
	for i = (i + 1) & (len(t.cells) - 1); t.cells[i] != 0; i = (i + 1) & (len(t.cells) - 1) {
		cell := t.cells[i]
		t.cells[i] = 0
		t.put(&peers[cell-1].id, cell)
	}
}
