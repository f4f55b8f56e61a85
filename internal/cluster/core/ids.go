package core

import (
	"encoding/binary"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// idTable finds peers by id: a hash table of indices with linear probing, half empty at least. A heartbeat speaks of a
// tenth of all nodes, and who reads it looks each of them up: in four bytes per cell more of the table stays in the cache
// than of a map with ids in it, and a thousand nodes in one simulator pay for it a thousand times.
//
// Invariant: len(cells) is a power of two; a cell holds 0, or 1 + the index of a peer below the tag of its id, which tells most
// others apart without a look at the peer; no cell between the place where a peer belongs and the one where it is holds 0.
type idTable struct {
	cells []uint32
	used  int
}

const (
	cellIndex = 1<<16 - 1
	cellTag   = ^uint32(cellIndex)
)

// hashOf of an id has its tag in the highest bits: ids are random, but those that a hostile node makes up need not be.
func hashOf(id *nodeid.ID) uint64 {
	return (binary.LittleEndian.Uint64(id[:]) ^ binary.LittleEndian.Uint64(id[12:])) * 0x9e3779b97f4a7c15
}

func tagOf(hash uint64) uint32 { return uint32(hash>>32) & cellTag }

// place is where an id belongs.
func (t *idTable) place(hash uint64) int { return int(hash>>24) & (len(t.cells) - 1) }

func (t *idTable) next(i int) int { return (i + 1) & (len(t.cells) - 1) }

// find returns the peer with this id, or nil.
func (t *idTable) find(peers []*peer, id *nodeid.ID) *peer {
	if t.used == 0 {
		return nil
	}
	hash := hashOf(id)
	for i := t.place(hash); t.cells[i] != 0; i = t.next(i) {
		if cell := t.cells[i]; cell&cellTag == tagOf(hash) {
			if p := peers[cell&cellIndex-1]; p.id == *id {
				return p
			}
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
	var hashes [lookBatch]uint64
	var cells [lookBatch]uint32
	for i := range about {
		hashes[i] = hashOf(&about[i].Node)
		cells[i] = t.cells[t.place(hashes[i])]
	}
	for i, hash := range hashes[:len(about)] {
		for at := t.place(hash); cells[i] != 0 && cells[i]&cellTag != tagOf(hash); cells[i] = t.cells[at] {
			at = t.next(at)
		}
	}
	for i, cell := range cells[:len(about)] {
		found[i] = nil
		if cell != 0 {
			found[i] = peers[cell&cellIndex-1]
		}
	}
	for i := range about {
		if p := found[i]; p != nil && !sameID(&p.id, &about[i].Node) {
			found[i] = t.find(peers, &about[i].Node)
		}
	}
}

// sameID is a == b without a call: while it waits for one peer the processor asks for the next ones.
func sameID(a, b *nodeid.ID) bool {
	le := binary.LittleEndian
	return le.Uint64(a[:]) == le.Uint64(b[:]) && le.Uint64(a[8:]) == le.Uint64(b[8:]) && le.Uint32(a[16:]) == le.Uint32(b[16:])
}

// add puts a peer in, which is among peers already and not in the table.
func (t *idTable) add(peers []*peer, p *peer) {
	if 2*(t.used+1) > len(t.cells) {
		old := t.cells
		t.cells = make([]uint32, max(16, 2*len(old)))
		for _, cell := range old {
			if cell != 0 {
				t.put(peers[cell&cellIndex-1])
			}
		}
	}
	t.used++
	t.put(p)
}

func (t *idTable) put(p *peer) {
	hash := hashOf(&p.id)
	i := t.place(hash)
	for t.cells[i] != 0 {
		i = t.next(i)
	}
	t.cells[i] = tagOf(hash) | uint32(p.idx+1)
}

// remove takes a peer out, while it is still among peers, and puts those behind it anew: one of them may belong where it was.
func (t *idTable) remove(peers []*peer, p *peer) {
	i := t.place(hashOf(&p.id))
	for t.cells[i]&cellIndex != uint32(p.idx+1) {
		if t.cells[i] == 0 {
			return
		}
		i = t.next(i)
	}
	t.cells[i] = 0
	t.used--
	for i = t.next(i); t.cells[i] != 0; i = t.next(i) {
		behind := peers[t.cells[i]&cellIndex-1]
		t.cells[i] = 0
		t.put(behind)
	}
}
