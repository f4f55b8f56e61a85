package rdb

import (
	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/quicklist"
)

// How a node of a list is stored.
const (
	nodePlain  = 1 // an element
	nodePacked = 2 // a listpack
)

// list writes nodes as they are.
func (p *pen) list(l *quicklist.List) {
	p.length(uint64(l.NodeCount()))
	for data, plain := range l.Nodes() {
		container := uint64(nodePacked)
		if plain {
			container = nodePlain
		}
		p.length(container)
		if !p.text(data) {
			return
		}
	}
}

// list is a list of elements one by one: what redis up to 3.0 writes.
func (d *Decoder) list() *quicklist.List {
	l := quicklist.Built()
	for range d.counted() {
		e := d.String()
		if d.err != nil {
			return nil
		}
		l.PushBack(e, d.lim.List)
	}
	l.Pack(d.lim.List)
	return l
}

// listZiplist is a list in one ziplist.
func (d *Decoder) listZiplist() *quicklist.List {
	at := d.at
	l := quicklist.Built()
	var scratch [20]byte
	err := eachInZiplist(d.String(), func(e listpack.Entry) bool {
		s := e.Str
		if e.IsInt() {
			s = e.Append(scratch[:0])
		}
		l.PushBack(s, d.lim.List)
		return true
	})
	d.check(err, at, "List ziplist integrity check failed")
	l.Pack(d.lim.List)
	return l
}

// quicklist is a list of nodes: ziplists or, in the second form, listpacks and
// plain elements. Nodes without elements are passed over.
func (d *Decoder) quicklist(second bool) *quicklist.List {
	l := quicklist.Built()
	for range d.counted() {
		container := uint64(nodePacked)
		if second {
			container = d.Len()
		}
		at := d.at
		data := d.blob()
		switch {
		case d.err != nil:
			return nil
		case len(data) == 0 || container != nodePacked && container != nodePlain:
			d.fail(ErrCorrupt, at, "Quicklist integrity check failed: node of kind %d, %d bytes", container, len(data))
			return nil
		case !second:
			lp, err := unzip(data)
			if !d.check(err, at, "Ziplist integrity check failed") {
				return nil
			}
			data = lp
		}
		if !d.check(l.AppendNode(data, container == nodePlain), at, "Listpack integrity check failed") {
			return nil
		}
	}
	l.Pack(d.lim.List)
	return l
}
