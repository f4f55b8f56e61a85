package rdb

import (
	"encoding/binary"
	"math"

	"github.com/skeindb/skein/internal/data/stream"
)

// streamValue writes a stream in the form of redis 7.0, which does not know when a
// consumer was active last. A number of entries read that is not known is 2^64-1.
func (p *pen) streamValue(s *stream.Stream) {
	p.length(uint64(s.BlockCount()))
	for master, lp := range s.Blocks() {
		p.text(binaryID(master))
		if !p.text(lp) {
			return
		}
	}
	info := s.Info()
	p.length(uint64(s.Len()))
	p.id(info.Last)
	p.id(s.First())
	p.id(info.MaxDeleted)
	p.length(info.Added)
	p.length(uint64(s.GroupCount()))
	for g := range s.Groups() {
		p.text([]byte(g.Name()))
		p.id(g.Last)
		p.length(uint64(g.Read))
		if !p.group(g) {
			return
		}
	}
}

// group writes what is pending, and the consumers with theirs.
func (p *pen) group(g *stream.Group) bool {
	p.length(uint64(g.Pending()))
	for n := range g.PendingFrom(stream.ID{}) {
		p.buf = append(p.buf, binaryID(n.ID)...)
		p.millis(n.Delivered)
		if !p.length(n.Count) {
			return false
		}
	}
	p.length(uint64(g.ConsumerCount()))
	for c := range g.Consumers() {
		p.text([]byte(c.Name()))
		p.millis(c.Seen)
		p.length(uint64(c.Pending()))
		for id := range c.PendingFrom(stream.ID{}) {
			p.buf = append(p.buf, binaryID(id)...)
			if !p.room() {
				return false
			}
		}
	}
	return p.err == nil
}

// id writes an ID as two lengths.
func (p *pen) id(id stream.ID) {
	p.length(id.Ms)
	p.length(id.Seq)
}

func (p *pen) millis(ms int64) { p.buf = binary.LittleEndian.AppendUint64(p.buf, uint64(ms)) }

func binaryID(id stream.ID) []byte {
	b, _ := id.AppendBinary(make([]byte, 0, idBytes))
	return b
}

const idBytes = 16

// streamReader reads a stream of one of the three forms.
type streamReader struct {
	*Decoder
	form int // 1: before redis 7.0, 2: 7.0, 3: 7.2
	s    *stream.Stream
}

func (d *Decoder) streamValue(form int) *stream.Stream {
	r := &streamReader{d, form, stream.New()}
	for n := d.Len(); n > 0 && d.err == nil; n-- {
		r.block()
	}
	r.info()
	for n := d.Len(); n > 0 && d.err == nil; n-- {
		r.group()
	}
	return r.s
}

func (r *streamReader) block() {
	at := r.at
	key := r.String()
	if r.err == nil && len(key) != idBytes {
		r.fail(ErrCorrupt, at, "Stream node key entry is not the size of a stream ID: %d bytes", len(key))
	}
	if r.err != nil {
		return
	}
	master := stream.IDOf(key)
	if lp := r.blob(); r.err == nil {
		r.check(r.s.AppendBlock(master, lp), at, "Stream listpack integrity check failed")
	}
}

func (r *streamReader) info() {
	at := r.at
	length := r.Len()
	i := stream.Info{Last: r.id(), Added: length}
	if r.form >= 2 {
		r.id() // of the first entry
		i.MaxDeleted = r.id()
		i.Added = r.Len()
	}
	switch {
	case r.err != nil:
	case length != uint64(r.s.Len()):
		r.fail(ErrCorrupt, at, "Stream length inconsistent with rax entries: %d, not %d", r.s.Len(), length)
	case !r.s.CheckInfo(i):
		r.fail(ErrCorrupt, at, "Stream metadata inconsistent with its entries: last ID %s, %d entries added", i.Last, i.Added)
	default:
		r.s.SetInfo(i)
	}
}

func (r *streamReader) group() {
	at := r.at
	name := r.blob()
	last := r.id()
	read := int64(-1)
	if r.form >= 2 {
		read = int64(r.Len())
	} else if n, ok := r.s.Position(last); ok {
		read = int64(min(n, math.MaxInt64))
	}
	if r.err != nil {
		return
	}
	if read < -1 || !r.s.AddGroup(name, last, read) {
		r.fail(ErrCorrupt, at, "Duplicated consumer group name %.40q, or %d entries read", name, read)
		return
	}
	g, pending := r.s.Edit(name), r.pending()
	for n := r.Len(); n > 0 && r.err == nil; n-- {
		r.consumer(g, pending)
	}
	if r.err == nil && len(pending) > 0 {
		r.fail(ErrCorrupt, at, "Stream CG PEL entry without consumer: %d in group %.40q", len(pending), name)
	}
}

// pending is what is pending in a group, for consumers to come.
func (r *streamReader) pending() map[stream.ID]stream.Pending {
	all := map[stream.ID]stream.Pending{}
	for n := r.Len(); n > 0 && r.err == nil; n-- {
		at := r.at
		p := stream.Pending{ID: r.rawID(), Delivered: r.millis(), Count: r.Len()}
		if _, twice := all[p.ID]; twice {
			r.fail(ErrCorrupt, at, "Duplicated global PEL entry loading stream consumer group: %s", p.ID)
		}
		all[p.ID] = p
	}
	return all
}

// consumer reads a consumer, and takes its entries from those that are pending.
func (r *streamReader) consumer(g *stream.Group, pending map[stream.ID]stream.Pending) {
	at := r.at
	name := r.blob()
	seen := r.millis()
	active := seen // which is the best that one can know
	if r.form >= 3 {
		active = r.millis()
	}
	if r.err != nil {
		return
	}
	if !g.AddConsumer(name, seen) {
		r.fail(ErrCorrupt, at, "Duplicate stream consumer detected: %.40q", name)
		return
	}
	g.Touch(name, seen, active)
	for n := r.Len(); n > 0 && r.err == nil; n-- {
		at := r.at
		p, ok := pending[r.rawID()]
		if r.err != nil {
			return
		}
		if !ok {
			r.fail(ErrCorrupt, at, "Consumer entry not found in group global PEL: %.40q", name)
			return
		}
		delete(pending, p.ID)
		p.Consumer = string(name)
		g.Deliver(p)
	}
}

// id is an ID as two lengths.
func (r *streamReader) id() stream.ID {
	ms := r.Len()
	return stream.ID{Ms: ms, Seq: r.Len()}
}

// rawID is an ID as 16 bytes.
func (r *streamReader) rawID() stream.ID {
	if b := r.take(idBytes); b != nil {
		return stream.IDOf(b)
	}
	return stream.ID{}
}

func (r *streamReader) millis() int64 { return int64(r.unsigned()) }
