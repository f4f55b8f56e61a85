package dict

import (
	"unsafe"

	"github.com/skeindb/skein/internal/data/arena"
)

const (
	pagePlaces = 64
	longer     = 512 // records beyond this many bytes lie on their own

	// What the first byte of a record may say but the length of a short key.
	keyLong    = 254
	recordLong = 255
)

// page holds the records of 64 entries.
type page struct {
	own  *token
	data []byte
	long [][]byte
	ends [pagePlaces]uint16
	used uint8
	hole bool // stands in the dictionary's holes
}

const pageBytes = int(unsafe.Sizeof(page{}))

// span is where the record of a place lies in data.
func (p *page) span(place int) (from, to int) {
	if place > 0 {
		from = int(p.ends[place-1])
	}
	return from, int(p.ends[place])
}

// prefetch asks the processor for what span and record read of p first. (The address of p.ends[place], taken as Go has it,
// would be a look at p.)
func (p *page) prefetch(place int) {
	end := unsafe.Add(unsafe.Pointer(p), unsafe.Offsetof(p.ends)+uintptr(place)*unsafe.Sizeof(p.ends[0]))
	arena.PrefetchPair(p, (*uint16)(end))
}

// record is the record of an entry that there is.
func (p *page) record(id ID) []byte {
	from, to := p.span(int(id % pagePlaces))
	if r := p.data[from:to:to]; r[0] != recordLong {
		return r
	}
	return p.long[p.data[from+1]]
}

// split takes a record apart.
func split(r []byte) (key, value []byte) {
	n, at := int(r[0]), 1
	switch r[0] {
	case keyLong:
		n, at = int(r[1])|int(r[2])<<8, 3
	case recordLong: // a long record has a long head
		n, at = int(r[1])|int(r[2])<<8|int(r[3])<<16|int(r[4])<<24, 5
	}
	return r[at : at+n : at+n], r[at+n:]
}

// appendHead begins the record of a key of n bytes.
func appendHead(r []byte, n int, long bool) []byte {
	switch {
	case long:
		return append(r, recordLong, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	case n < keyLong:
		return append(r, byte(n))
	}
	return append(r, keyLong, byte(n), byte(n>>8))
}

// page is where an entry lies.
func (d *Dict) page(id ID) *page {
	i := id / pagePlaces
	return d.rooms[i/roomPages].pages[i%roomPages]
}

// mine is the page of an entry, made or copied if it must be to be changed.
func (d *Dict) mine(id ID) *page {
	if d.own == nil {
		d.own = new(token)
	}
	i := int(id / pagePlaces)
	slot := d.slot(i)
	p := *slot
	switch {
	case p == nil:
		p = &page{own: d.own}
		d.mem += pageBytes
	case p.own != d.own:
		c := *p
		c.own = d.own
		c.data = resize(p.data, len(p.data))
		if p.long != nil {
			c.long = append(make([][]byte, 0, len(p.long)), p.long...)
			for j, r := range p.long {
				c.long[j] = append([]byte(nil), r...)
			}
		}
		c.hole = c.hole && d.holes != nil // a copy does not know of old holes
		d.mem += c.bytes() - p.bytes()
		p = &c
	}
	*slot = p
	return p
}

// slot is where the dictionary has its page i, in a list that is its own.
func (d *Dict) slot(i int) **page {
	if d.ours != d.own {
		d.rooms = append([]*room(nil), d.rooms...)
		d.ours = d.own
	}
	at := i / roomPages
	if at == len(d.rooms) {
		d.rooms = append(d.rooms, &room{own: d.own})
		d.mem += int(unsafe.Sizeof(room{})) + 8
	}
	r := d.rooms[at]
	if r.own != d.own {
		r = &room{own: d.own, pages: append([]*page(nil), r.pages...)}
		d.rooms[at] = r
	}
	if i%roomPages == len(r.pages) {
		r.pages = append(r.pages, nil)
		d.mem += 8
	}
	return &r.pages[i%roomPages]
}

func (p *page) bytes() int {
	n := pageBytes + cap(p.data) + cap(p.long)*24
	for _, r := range p.long {
		n += cap(r)
	}
	return n
}

// place finds room for another entry, in a page that has holes or one more.
func (d *Dict) place() ID {
	for len(d.holes) > 0 {
		i := int(d.holes[len(d.holes)-1])
		p := d.mine(ID(i * pagePlaces))
		p.hole = true
		if place := p.freePlace(); place >= 0 {
			return ID(i*pagePlaces + place)
		}
		p.hole = false
		d.holes = d.holes[:len(d.holes)-1]
	}
	i := d.pages
	d.pages++
	d.mine(ID(i * pagePlaces)).hole = true
	d.addHole(i)
	return ID(i * pagePlaces)
}

func (d *Dict) addHole(i int) {
	room := cap(d.holes)
	d.holes = append(d.holes, uint32(i))
	d.mem += 4 * (cap(d.holes) - room)
}

// freePlace is a place without a record, -1 if there is none.
func (p *page) freePlace() int {
	if int(p.used) == pagePlaces {
		return -1
	}
	if from, to := p.span(int(p.used)); from == to {
		return int(p.used) // the usual case: they are filled in order
	}
	for place := range pagePlaces {
		if from, to := p.span(place); from == to {
			return place
		}
	}
	return -1
}

// write makes the record of an entry.
func (d *Dict) write(id ID, key, value []byte) {
	p := d.mine(id)
	was := p.bytes()
	place := int(id % pagePlaces)
	from, to := p.span(place)
	if from == to {
		p.used++
	} else if p.data[from] == recordLong {
		p.long[p.data[from+1]] = nil
	}
	var head [5]byte
	if size := len(key) + len(value) + 3; size > longer {
		r := append(make([]byte, 0, size+2), appendHead(head[:0], len(key), true)...)
		p.splice(place, []byte{recordLong, p.keepLong(append(append(r, key...), value...))}, nil, nil)
	} else {
		p.splice(place, appendHead(head[:0], len(key), false), key, value)
	}
	if int(p.used) == pagePlaces && cap(p.data)-len(p.data) > len(p.data)/16 {
		p.data = resize(p.data, len(p.data)) // full: this is its size for now
	}
	d.mem += p.bytes() - was
}

// keepLong puts r among the long records.
func (p *page) keepLong(r []byte) byte {
	for i := range p.long {
		if p.long[i] == nil {
			p.long[i] = r
			return byte(i)
		}
	}
	p.long = append(p.long, r)
	return byte(len(p.long) - 1)
}

// free removes the record of an entry.
func (d *Dict) free(id ID) {
	p := d.mine(id)
	was := p.bytes()
	place := int(id % pagePlaces)
	if from, _ := p.span(place); p.data[from] == recordLong {
		p.long[p.data[from+1]] = nil
	}
	p.splice(place, nil, nil, nil)
	d.mem += p.bytes() - was
	i := int(id / pagePlaces)
	if !p.hole {
		p.hole = true
		d.addHole(i)
	}
	if p.used--; p.used == 0 {
		d.mem -= p.bytes()
		*d.slot(i) = nil
	}
}

// splice makes the three pieces together the record of a place.
func (p *page) splice(place int, head, key, value []byte) {
	from, to := p.span(place)
	size := len(head) + len(key) + len(value)
	old := len(p.data)
	n := old + size - (to - from)
	if n > cap(p.data) || n < cap(p.data)/2 {
		p.data = resize(p.data, max(n+min(n/8, 256), old))
	}
	data := p.data[:max(n, old)]
	copy(data[from+size:], data[to:old])
	at := from + copy(data[from:], head)
	at += copy(data[at:], key)
	copy(data[at:], value)
	p.data = data[:n]
	for i := place; i < pagePlaces; i++ {
		p.ends[i] += uint16(size - (to - from))
	}
}

// resize copies data into memory for n bytes, n >= len(data).
func resize(data []byte, n int) []byte {
	c := append([]byte(nil), make([]byte, n)...)
	copy(c, data)
	return c[:len(data)]
}
