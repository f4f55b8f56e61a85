package stream

import (
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/value"
)

var _ value.Object = (*Stream)(nil)

var usual = Options{BlockBytes: 4096, BlockEntries: 100}

type entry struct {
	id     ID
	fields string // joined
}

func split(fields string) (all [][]byte) {
	for _, f := range strings.Split(fields, "|") {
		all = append(all, []byte(f))
	}
	return all
}

func collect(seq func(func(*Entry) bool)) (all []entry) {
	for e := range seq {
		var parts []string
		for f, v := range e.Fields() {
			parts = append(parts, string(f), string(v))
		}
		if len(parts) != 2*e.Len {
			parts = append(parts, fmt.Sprint("fields are missing: ", e.Len))
		}
		all = append(all, entry{e.ID, strings.Join(parts, "|")})
	}
	return all
}

func within(model []entry, from, to ID) (all []entry) {
	for _, e := range model {
		if !e.id.Less(from) && !to.Less(e.id) {
			all = append(all, e)
		}
	}
	return all
}

func check(t *testing.T, s *Stream, model []entry) {
	t.Helper()
	if got := collect(s.Ascend(ID{}, Highest)); !slices.Equal(got, model) || s.Len() != len(model) {
		t.Fatalf("%d entries %.300v instead of %.300v", s.Len(), got, model)
	}
	down := slices.Clone(model)
	slices.Reverse(down)
	if got := collect(s.Descend(Highest, ID{})); !slices.Equal(got, down) {
		t.Fatalf("downwards %.300v instead of %.300v", got, down)
	}
	var first, last ID
	if len(model) > 0 {
		first, last = model[0].id, down[0].id
	}
	if s.First() != first || s.Final() != last {
		t.Fatalf("from %v to %v instead of %v to %v", s.First(), s.Final(), first, last)
	}
	again := New()
	for id, lp := range s.Blocks() {
		if err := again.AppendBlock(id, lp); err != nil {
			t.Fatalf("block %v: %v", id, err)
		}
	}
	bytes := cap(s.blocks.room)
	for b := range s.blocks.Ascend(0) {
		bytes += cap(b.lp)
	}
	if bytes != s.blocks.bytes {
		t.Fatalf("%d bytes of blocks, noted %d", bytes, s.blocks.bytes)
	}
	if got := collect(again.Ascend(ID{}, Highest)); !slices.Equal(got, model) || !again.CheckInfo(s.Info()) {
		t.Fatalf("built of its blocks: %.300v", got)
	}
}

func FuzzModel(f *testing.F) {
	f.Add(uint64(1), 500, 10, 4096)
	f.Add(uint64(2), 1500, 100, 300)
	f.Add(uint64(3), 500, 0, 0)
	f.Add(uint64(4), 300, 1, 0)
	f.Fuzz(func(t *testing.T, seed uint64, steps, blockEntries, blockBytes int) {
		r := rand.New(rand.NewPCG(seed, 1))
		opt := Options{blockBytes, blockEntries}
		s, model := New(), []entry{}
		var frozen []*Stream
		var then [][]entry
		shapes := []string{"a|1|b|2", "a|x|b|yy", "a|-300|b|", "c|zzz", "", "7|8|9|10|11|12"}
		now, added := uint64(0), 0
		for range min(steps, 2000) {
			switch op := r.IntN(20); {
			case op < 12 || len(model) == 0:
				now += uint64(r.IntN(3) * r.IntN(200))
				id, _ := s.NextID(now)
				fields := shapes[r.IntN(len(shapes))]
				if r.IntN(50) == 0 {
					fields = "long|" + strings.Repeat("x", r.IntN(5000))
				}
				args := split(fields)
				if fields == "" {
					args = nil
				}
				if err := s.Append(id, args, opt); err != nil {
					t.Fatal(err)
				}
				if s.Append(id, args, opt) != ErrID {
					t.Fatal("an ID twice")
				}
				model = append(model, entry{id, fields})
				added++
			case op < 16:
				id := model[r.IntN(len(model))].id
				if r.IntN(5) == 0 {
					id.Seq += 1000
				}
				had := len(within(model, id, id)) > 0
				if s.Has(id) != had || s.Delete(id) != had {
					t.Fatalf("%v was there: %v", id, had)
				}
				model = slices.DeleteFunc(model, func(e entry) bool { return e.id == id })
			case op == 16:
				n := len(model) - r.IntN(10)
				want := len(model) - max(n, 0)
				if got := s.TrimLen(n, false, 0); got != want {
					t.Fatalf("trimmed %d, not %d", got, want)
				}
				model = model[want:]
			case op == 17:
				id := model[min(r.IntN(10), len(model)-1)].id
				want := len(within(model, ID{}, id)) - 1
				if got := s.TrimID(id, false, 0); got != want {
					t.Fatalf("trimmed %d, not %d", got, want)
				}
				model = model[want:]
			case op == 18:
				n, limit := len(model)/2, r.IntN(3)*20
				got := s.TrimLen(n, true, limit)
				if got > len(model)-n || limit > 0 && got > limit {
					t.Fatalf("trimmed %d of %d to about %d within %d", got, len(model), n, limit)
				}
				model = model[got:]
			default:
				from, to := model[r.IntN(len(model))].id, model[r.IntN(len(model))].id
				if r.IntN(2) == 0 {
					to, _ = to.Next()
					from, _ = from.Prev()
				}
				want := within(model, from, to)
				if got := collect(s.Ascend(from, to)); !slices.Equal(got, want) {
					t.Fatalf("from %v to %v: %.300v instead of %.300v", from, to, got, want)
				}
				slices.Reverse(want)
				if got := collect(s.Descend(to, from)); !slices.Equal(got, want) {
					t.Fatalf("from %v down to %v: %.300v instead of %.300v", to, from, got, want)
				}
			}
			if r.IntN(200) == 0 {
				check(t, s, model)
				frozen, then = append(frozen, s.Freeze().(*Stream)), append(then, slices.Clone(model))
				if r.IntN(3) == 0 { // go on with the copy
					last := len(frozen) - 1
					s, frozen[last] = frozen[last], s
				}
			}
		}
		check(t, s, model)
		if s.Info().Added != uint64(added) {
			t.Fatalf("%d were added, not %d", s.Info().Added, added)
		}
		for i := range frozen {
			check(t, frozen[i], then[i])
		}
	})
}

// redis 7.0.15 made these blocks of the same commands.
func TestSameBytesAsRedis(t *testing.T) {
	s := New()
	for _, e := range []entry{{ID{1, 1}, "a|1|b|2"}, {ID{1, 2}, "a|x|b|y"}, {ID{5, 0}, "c|zzz"}, {ID{300, 7}, "a|-1|b|"}} {
		if err := s.Append(e.id, split(e.fields), usual); err != nil {
			t.Fatal(err)
		}
	}
	s.Delete(ID{1, 2})
	compare := func(want string) {
		t.Helper()
		for id, lp := range s.Blocks() {
			if got := hex.EncodeToString(lp); id != (ID{1, 1}) || got != want {
				t.Errorf("%v %s instead of %s", id, got, want)
			}
		}
	}
	compare("500000001f000301010102018161028162020001020100010001010102010501030100010101817802817902050100010401dfff020101816302" +
		"837a7a7a0406010201c12b020601dfff0280010501ff")
	s.TrimLen(1, false, 0)
	compare("500000001f000101030102018161028162020001030100010001010102010501030100010101817802817902050101010401dfff020101816302" +
		"837a7a7a0406010201c12b020601dfff0280010501ff")
	if want := (Info{Last: ID{300, 7}, MaxDeleted: ID{1, 2}, Added: 4}); s.Info() != want {
		t.Errorf("%+v", s.Info())
	}
}

func TestIDs(t *testing.T) {
	for _, c := range []struct{ a, b ID }{{ID{}, ID{0, 1}}, {ID{1, math.MaxUint64}, ID{2, 0}}, {ID{math.MaxUint64, math.MaxUint64 - 1}, Highest}} {
		if next, ok := c.a.Next(); !ok || next != c.b {
			t.Errorf("%v follows %v", next, c.a)
		}
		if prev, ok := c.b.Prev(); !ok || prev != c.a {
			t.Errorf("%v precedes %v", prev, c.b)
		}
		if !c.a.Less(c.b) || c.b.Less(c.a) || c.a.Compare(c.b) >= 0 || c.b.Compare(c.a) <= 0 || c.a.Compare(c.a) != 0 {
			t.Errorf("%v and %v are out of order", c.a, c.b)
		}
		if b, _ := c.b.AppendBinary(nil); IDOf(b) != c.b {
			t.Errorf("%v became %v", c.b, IDOf(b))
		}
	}
	if _, ok := Highest.Next(); ok {
		t.Error("something follows the highest")
	}
	if _, ok := (ID{}).Prev(); ok {
		t.Error("something precedes the lowest")
	}
	if (ID{12, 3}).String() != "12-3" {
		t.Error(ID{12, 3}.String())
	}
}

func TestPosition(t *testing.T) {
	s := New()
	if n, ok := s.Position(ID{5, 5}); n != 0 || !ok {
		t.Error("of an empty stream:", n, ok)
	}
	for i := range 10 {
		s.Append(ID{uint64(i + 1), 0}, split("a|b"), usual)
	}
	for _, c := range []struct {
		id ID
		n  uint64
		ok bool
	}{{ID{10, 0}, 10, true}, {ID{11, 0}, 0, false}, {ID{}, 0, true}, {ID{1, 0}, 1, true}, {ID{5, 0}, 0, false}} {
		if n, ok := s.Position(c.id); n != c.n || ok != c.ok {
			t.Errorf("%v: %d, %v", c.id, n, ok)
		}
	}
	s.Delete(ID{3, 0})
	if _, ok := s.Position(ID{1, 0}); ok {
		t.Error("known in spite of a hole")
	}
	s.TrimLen(0, false, 0)
	if n, ok := s.Position(ID{4, 0}); n != 10 || !ok {
		t.Error("of an emptied stream:", n, ok)
	}
}

// model of a group: what is pending for whom, and the consumers.
type modelGroup struct {
	pending   map[ID]Pending
	consumers map[string]bool
}

func (m modelGroup) clone() modelGroup {
	return modelGroup{maps.Clone(m.pending), maps.Clone(m.consumers)}
}

func checkGroup(t *testing.T, g *Group, m modelGroup) {
	t.Helper()
	got, kept := map[ID]Pending{}, 0
	last := ID{}
	for p := range g.PendingFrom(ID{}) {
		if p.ID.Less(last) {
			t.Fatal("out of order")
		}
		got[p.ID], last = p, p.ID
	}
	if !maps.Equal(got, m.pending) || g.Pending() != len(m.pending) || g.ConsumerCount() != len(m.consumers) {
		t.Fatalf("%v instead of %v", got, m.pending)
	}
	for c := range g.Consumers() {
		kept += c.bytes()
		n := 0
		for id := range c.PendingFrom(ID{}) {
			if m.pending[id].Consumer != c.Name() {
				t.Fatalf("%v is not pending for %s", id, c.Name())
			}
			n++
		}
		for _, p := range m.pending {
			if p.Consumer == c.Name() {
				n--
			}
		}
		if n != 0 || !m.consumers[c.Name()] {
			t.Fatalf("%s has %d too many", c.Name(), n)
		}
	}
	if kept != g.kept {
		t.Fatalf("%d bytes of consumers, noted %d", kept, g.kept)
	}
}

func FuzzGroups(f *testing.F) {
	f.Add(uint64(1), 500, 100)
	f.Add(uint64(2), 2000, 1000)
	f.Fuzz(func(t *testing.T, seed uint64, steps, ids int) {
		r := rand.New(rand.NewPCG(seed, 1))
		s, model := New(), map[string]modelGroup{}
		var frozen []*Stream
		var then []map[string]modelGroup
		for step := range min(steps, 3000) {
			name := fmt.Sprint("group", r.IntN(3))
			m, there := model[name]
			g := s.Edit([]byte(name))
			if (g != nil) != there || (s.Group([]byte(name)) != nil) != there {
				t.Fatalf("%s is there: %v", name, g != nil)
			}
			if !there {
				s.AddGroup([]byte(name), ID{}, 0)
				model[name] = modelGroup{map[ID]Pending{}, map[string]bool{}}
				continue
			}
			consumer := fmt.Sprint("consumer", r.IntN(4))
			id := ID{uint64(r.IntN(max(ids, 1))), 0}
			switch op := r.IntN(100); {
			case op == 0:
				if !s.RemoveGroup([]byte(name)) {
					t.Fatal("not removed")
				}
				delete(model, name)
			case op < 3:
				n, ok := g.RemoveConsumer([]byte(consumer))
				for at, p := range m.pending {
					if p.Consumer == consumer {
						delete(m.pending, at)
						n--
					}
				}
				if n != 0 || ok != m.consumers[consumer] {
					t.Fatal(n, ok)
				}
				delete(m.consumers, consumer)
			case op < 60:
				if g.AddConsumer([]byte(consumer), 1) == m.consumers[consumer] {
					t.Fatal("a consumer twice")
				}
				m.consumers[consumer] = true
				p := Pending{id, consumer, int64(step), uint64(r.IntN(5))}
				g.Deliver(p)
				g.Touch([]byte(consumer), int64(step), int64(step))
				if c := g.Consumer([]byte(consumer)); c.Seen != int64(step) || c.Active != int64(step) {
					t.Fatal(c)
				}
				m.pending[id] = p
			default:
				p, ok := g.PendingAt(id)
				if want, there := m.pending[id]; ok != there || ok && p != want {
					t.Fatal(p, ok)
				}
				if g.Ack(id) != ok {
					t.Fatal("acknowledged what is not there, or not what is")
				}
				delete(m.pending, id)
			}
			if r.IntN(10) == 0 {
				checkBytes(t, s)
			}
			if r.IntN(200) == 0 {
				c := map[string]modelGroup{}
				for name, m := range model {
					checkGroup(t, s.Group([]byte(name)), m)
					c[name] = m.clone()
				}
				frozen, then = append(frozen, s.Freeze().(*Stream)), append(then, c)
				if r.IntN(3) == 0 { // go on with the copy
					last := len(frozen) - 1
					s, frozen[last] = frozen[last], s
				}
			}
		}
		frozen, then = append(frozen, s), append(then, model)
		for i := range frozen {
			if frozen[i].GroupCount() != len(then[i]) {
				t.Fatal("groups are missing")
			}
			checkBytes(t, frozen[i])
			for g := range frozen[i].Groups() {
				checkGroup(t, g, then[i][g.Name()])
			}
		}
	})
}

// checkBytes asks that a stream without entries has counted its groups.
func checkBytes(t *testing.T, s *Stream) {
	t.Helper()
	want := int(unsafe.Sizeof(*s)) + s.blocks.Bytes() + s.groups.Bytes()
	for g := range s.Groups() {
		want += g.bytes()
	}
	if got := s.Bytes(); got != want {
		t.Fatalf("the stream takes %d bytes, says it takes %d", want, got)
	}
}

func FuzzAppendBlock(f *testing.F) {
	s := New()
	for i := range 5 {
		s.Append(ID{uint64(i + 1), 3}, split("a|1|b|2"), usual)
		s.Append(ID{uint64(i + 1), 4}, split("c|x"), usual)
	}
	s.Delete(ID{2, 3})
	for _, lp := range s.Blocks() {
		f.Add(lp, uint64(1), uint64(3))
	}
	f.Add(newBlock(nil, split("a|1")), uint64(1), uint64(3))
	f.Add(listpack.Of("0", "0", "-1", "0"), uint64(0), uint64(0))
	f.Fuzz(func(t *testing.T, lp []byte, ms, seq uint64) {
		s := New()
		if s.AppendBlock(ID{ms, seq}, lp) != nil {
			return
		}
		s.SetInfo(Info{Last: s.floor(), Added: uint64(s.Len())})
		model := collect(s.Ascend(ID{}, Highest))
		check(t, s, append([]entry{}, model...))
		if next, ok := s.floor().Next(); ok && s.Append(next, split("new|entry"), usual) == nil {
			model = append(model, entry{next, "new|entry"})
			check(t, s, model)
		}
		if len(model) > 0 {
			s.Delete(model[0].id)
			check(t, s, model[1:])
			s.TrimLen(0, false, 0)
			check(t, s, []entry{})
		}
	})
}

func TestFrozenIsReadBesideWrites(t *testing.T) {
	s := New()
	s.AddGroup([]byte("g"), ID{}, 0)
	s.Edit([]byte("g")).AddConsumer([]byte("c"), 1)
	for i := range 2000 {
		s.Append(ID{uint64(i + 1), 0}, split("a|b"), usual)
		s.Edit([]byte("g")).Deliver(Pending{ID{uint64(i + 1), 0}, "c", 1, 1})
	}
	frozen, done := s.Freeze().(*Stream), make(chan int)
	go func() {
		n := 0
		for range frozen.Ascend(ID{}, Highest) {
			n++
		}
		for g := range frozen.Groups() {
			for range g.PendingFrom(ID{}) {
				n++
			}
			for c := range g.Consumers() {
				for range c.PendingFrom(ID{}) {
					n++
				}
			}
		}
		done <- n
	}()
	for i := range 2000 {
		s.Edit([]byte("g")).Ack(ID{uint64(i + 1), 0})
		s.Delete(ID{uint64(i + 1), 0})
	}
	if n := <-done; n != 6000 {
		t.Error("seen were", n)
	}
}

// What an entry of two fields, 31 bytes in all, costs, and one that is pending.
func BenchmarkMemory(b *testing.B) {
	const n = 100000
	for _, pending := range []bool{false, true} {
		b.Run(fmt.Sprintf("pending=%v", pending), func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			s := New()
			for b.Loop() {
				s = New()
				s.AddGroup([]byte("g"), ID{}, 0)
				g := s.Edit([]byte("g"))
				g.AddConsumer([]byte("c"), 0)
				for i := range n {
					id := ID{uint64(1700000000000 + i*3), 0}
					s.Append(id, [][]byte{[]byte("field1"), fmt.Appendf(nil, "value%05d", i), []byte("field2"), []byte("value")}, usual)
					if pending {
						g.Deliver(Pending{id, "c", 1, 1})
					}
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/entry")
			b.ReportMetric(float64(s.Bytes())/n, "accounted-B/entry")
			runtime.KeepAlive(s)
		})
	}
}

// Reading on gives what looking for it from the start gives, whatever happens to the entries between.
func FuzzUnread(f *testing.F) {
	f.Add(uint64(1), uint8(3))
	f.Add(uint64(2), uint8(90))
	f.Fuzz(func(t *testing.T, seed uint64, reads uint8) {
		r := rand.New(rand.NewPCG(seed, 1))
		s, opt := New(), Options{BlockBytes: 600, BlockEntries: 7}
		s.AddGroup([]byte("g"), ID{}, 0)
		var kept []value.Object
		for range 600 {
			switch op := r.IntN(100); {
			case op < 40:
				id, _ := s.NextID(s.Info().Last.Ms + uint64(r.IntN(300)/299))
				s.Append(id, split([]string{"a|1", "a|x", "b|2|c|3"}[r.IntN(3)]), opt)
			case op < 43:
				s.Delete(ID{s.First().Ms, uint64(r.IntN(200))})
			case op < 45:
				s.TrimLen(r.IntN(s.Len()+1), r.IntN(2) == 0, 0)
			case op < 47:
				kept = append(kept, s.Freeze())
				if r.IntN(2) == 0 {
					last := len(kept) - 1
					kept[last], s = s, kept[last].(*Stream)
				}
			case op < 48 && s.Len() == 0:
				s.SetInfo(Info{}) // IDs begin anew
				s.Edit([]byte("g")).Last = ID{}
			case op < 50:
				s.Edit([]byte("g")).Last = s.First()
			case op < 50+int(reads)%50:
				g := s.Edit([]byte("g"))
				from, _ := g.Last.Next()
				want, most, n := collect(s.Ascend(from, Highest)), r.IntN(5)+1, 0
				for e := range s.Unread(g) {
					if n >= len(want) || e.ID != want[n].id {
						t.Fatalf("entry %d behind %v is %v in %v", n, g.Last, e.ID, want)
					}
					if s.Advance(g, e.ID); n+1 == most {
						break
					}
					n++
				}
				if n+1 < most && n != len(want) {
					t.Fatalf("%d entries, not %d", n, len(want))
				}
			}
		}
	})
}

// The blocks of a long stream lie close to each other: none may grow into its neighbour.
func TestSheets(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s, model := New(), []entry{}
	add := func(n int) {
		for range n {
			id, _ := s.NextID(s.Info().Last.Ms + uint64(r.IntN(3)))
			fields := fmt.Sprint("field|", strings.Repeat("x", r.IntN(600)))
			if err := s.Append(id, split(fields), Options{4096, 100}); err != nil {
				t.Fatal(err)
			}
			model = append(model, entry{id, fields})
		}
	}
	remove := func(n int) {
		for range n {
			i := r.IntN(len(model))
			if !s.Delete(model[i].id) {
				t.Fatal("not deleted", model[i].id)
			}
			model = slices.Delete(model, i, i+1)
		}
	}
	add(4500)
	slack := 0
	for b := range s.blocks.full.Ascend(s.blocks.full.Len() - 20) {
		slack += cap(b.lp) - len(b.lp)
	}
	if slack != 0 || s.blocks.sheet == nil {
		t.Errorf("%d bytes of full blocks are not used", slack)
	}
	remove(300)
	check(t, s, model)
	frozen, then := s.Freeze().(*Stream), slices.Clone(model)
	remove(300)
	add(500)
	check(t, s, model)
	check(t, frozen, then)
}
