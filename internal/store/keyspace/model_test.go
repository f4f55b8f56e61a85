package keyspace

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/data/arena"
)

// The model of a keyspace is a map per stripe and database. Who holds a stripe
// may touch its maps, so that the race detector proves that holds exclude each other.
type model struct {
	ks      *Keyspace
	now     atomic.Int64
	stripes [][]map[string]modelValue // by stripe, database
}

type modelValue struct {
	val    string
	expiry int64
}

const modelDBs = 3

func newModel(t testing.TB, stripes int) *model {
	ks, err := New(Options{Databases: modelDBs, Stripes: stripes, Arena: arena.Options{Limit: 1 << 30}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ks.Close)
	m := &model{ks: ks, stripes: make([][]map[string]modelValue, stripes)}
	ks.opt.Listener = m
	ks.Tune(Tuning{Policy: AllKeysRandom, Samples: 5, Tenacity: 100, Events: EventKeyevent | EventEvicted})
	m.now.Store(1_000_000)
	for i := range m.stripes {
		for range modelDBs {
			m.stripes[i] = append(m.stripes[i], map[string]modelValue{})
		}
	}
	return m
}

func (m *model) at(db int, key []byte) map[string]modelValue {
	return m.stripes[int(slot.Of(key))&(len(m.stripes)-1)][db]
}

// KeyEvent follows what the keyspace evicts of its own accord.
func (m *model) KeyEvent(db int, _ Class, _ string, key []byte) { delete(m.at(db, key), string(key)) }

// player makes random changes to keyspace and model alike, and asks for what is there.
type player struct {
	*model
	t     testing.TB
	rnd   func(n int) int
	hold  Hold
	tx    WriteTx
	holds bool
	now   int64
	log   []string
	tag   string // of all keys: they share a slot then
	keys  int    // how many names there are; 0 means 60
	calm  int    // how many times rarer whole slots and databases go
}

func (p *player) failf(format string, args ...any) {
	p.t.Helper()
	if p.holds {
		p.ks.Release(&p.hold)
	}
	p.t.Fatalf("%s\nafter %q", fmt.Sprintf(format, args...), p.log)
}

// get is the model's value, if its deadline has not passed.
func (p *player) get(db int, key []byte) (modelValue, bool) {
	v, ok := p.at(db, key)[string(key)]
	if ok && v.expiry >= 0 && p.now > v.expiry {
		return modelValue{}, false
	}
	return v, ok
}

var alphabets = bytes.Repeat([]byte("abcdefghijklmnopqrstuvwxyz"), 3000)

func (p *player) key() []byte {
	n := p.keys
	if n == 0 {
		n = 60
	}
	return fmt.Appendf(nil, "%skey:%d", p.tag, p.rnd(n))
}

func (p *player) value() []byte {
	sizes := []int{0, 3, 20, 100, 1000, 4090, 5000, 70_000}
	b := bytes.Clone(alphabets[:sizes[p.rnd(len(sizes))]+p.rnd(12)])
	if len(b) > 0 {
		b[0] = byte('0' + p.rnd(10))
	}
	if p.rnd(4) == 0 {
		b = fmt.Appendf(nil, "%d", p.rnd(100_000))
	}
	return b
}

func (p *player) expiry() int64 {
	switch p.rnd(4) {
	case 0:
		return p.now + int64(p.rnd(50))
	case 1:
		return p.now + int64(p.rnd(5000))
	}
	return NoExpiry
}

// begin holds the stripes of keys, or all, and starts a transaction.
func (p *player) begin(db int, keys ...[]byte) {
	p.hold.Reset(p.ks)
	if len(keys) == 0 {
		p.hold.AddAll()
	}
	for _, k := range keys {
		p.hold.AddSlot(slot.Of(k))
	}
	if !p.ks.Acquire(&p.hold, nil) {
		p.failf("nobody owns a stripe")
	}
	p.holds = true
	p.now = p.model.now.Load()
	p.tx.Begin(p.ks, &p.hold, db, p.now, 0)
}

func (p *player) end() {
	p.tx.Commit(nil)
	p.ks.Release(&p.hold)
	p.holds = false
}

// step does one thing.
func (p *player) step() {
	db := p.rnd(modelDBs)
	key, other := p.key(), p.key()
	op := p.rnd(36)
	if len(p.log) > 30 {
		p.log = p.log[1:]
	}
	p.log = append(p.log, fmt.Sprint(op, " ", db, " ", string(key), " ", string(other)))
	switch {
	case op < 12:
		p.begin(db, key)
		p.write(op, db, key)
	case op < 16:
		p.begin(db, key)
	case op < 19 && !bytes.Equal(key, other):
		p.begin(db, key, other)
		p.transfer(op, db, key, other)
		p.same(db, other)
	case op == 19:
		p.model.now.Add(int64(p.rnd(40)))
		return
	case op == 20:
		p.ks.ExpireCycle(p.model.now.Load(), 1<<30)
		return
	case op == 21 && p.rnd(10*(1+p.calm)) == 0:
		p.begin(db)
		p.clear(db)
	case op == 22 && p.rnd(5) == 0:
		p.begin(db)
		p.tx.Swap(db, (db+1)%modelDBs)
		for i := range p.stripes {
			s := p.stripes[i]
			s[db], s[(db+1)%modelDBs] = s[(db+1)%modelDBs], s[db]
		}
	case op == 23 && p.rnd(8) == 0:
		p.begin(db)
		p.scan(db)
	case op == 24:
		p.begin(db)
		p.random(db)
	case op == 25 && p.rnd(1+p.calm) == 0:
		p.begin(db, key)
		p.clearSlot(db, slot.Of(key))
	case op >= 32:
		p.begin(db, key)
		p.collect(db, key)
	case op == 26:
		p.ks.CompactCycle(1 << 30)
		return
	case op == 27:
		p.ks.Evict(p.ks.Used()-int64(p.rnd(5000)), 0)
		return
	default:
		p.begin(db, key)
	}
	if p.hold.All() || p.hold.Covers(slot.Of(key)) {
		p.same(db, key)
	}
	p.end()
}

// write changes one key.
func (p *player) write(op, db int, key []byte) {
	old, had := p.get(db, key)
	m := p.at(db, key)
	val, expiry := p.value(), p.expiry()
	if (op == 9 || op == 10) && had && isCollection(old.val) {
		if _, err := p.tx.Append(key, val); err != ErrWrongType {
			p.failf("Append to a collection: %v", err)
		}
		if _, err := p.tx.Edit(key, 7); err != ErrWrongType {
			p.failf("Edit of a collection: %v", err)
		}
		return
	}
	switch op {
	case 0, 1, 2, 3:
		p.must(p.tx.SetStr(key, val, expiry))
		m[string(key)] = modelValue{string(val), expiry}
	case 4:
		p.must(p.tx.SetStr(key, val, KeepExpiry))
		if !had {
			old.expiry = NoExpiry
		}
		m[string(key)] = modelValue{string(val), old.expiry}
	case 5:
		n := int64(p.rnd(1000)) - 500
		p.must(p.tx.SetInt(key, n, expiry))
		m[string(key)] = modelValue{fmt.Sprint(n), expiry}
	case 6:
		if p.tx.Delete(key) != had {
			p.failf("Delete(%s) is not %v", key, had)
		}
		delete(m, string(key))
	case 7, 8:
		ok, err := p.tx.Expire(key, expiry)
		if p.must(err); ok != had {
			p.failf("Expire(%s) is not %v", key, had)
		}
		if had {
			m[string(key)] = modelValue{old.val, expiry}
		}
	case 9:
		n, err := p.tx.Append(key, val)
		if p.must(err); n != len(old.val)+len(val) {
			p.failf("Append: length %d", n)
		}
		p.edited(m, key, old, had, old.val+string(val))
	case 10:
		p.edit(m, key, old, had, len(val), []byte("edited"))
	case 11:
		var r Ref
		p.tx.PeekTo(&r, key)
		p.must(p.tx.SetRawAt(&r, key, bytes.Clone(val), expiry))
		m[string(key)] = modelValue{string(val), expiry}
	}
}

func (p *player) edit(m map[string]modelValue, key []byte, old modelValue, had bool, size int, with []byte) {
	e, err := p.tx.Edit(key, size+len(with))
	p.must(err)
	e.WriteAt(size, with)
	b := append([]byte(old.val), make([]byte, max(0, size+len(with)-len(old.val)))...)
	copy(b[size:], with)
	p.edited(m, key, old, had, string(b))
}

func (p *player) edited(m map[string]modelValue, key []byte, old modelValue, had bool, val string) {
	if !had {
		old.expiry = NoExpiry
	}
	m[string(key)] = modelValue{val, old.expiry}
}

func (p *player) transfer(op, db int, key, other []byte) {
	old, had := p.get(db, key)
	to := db
	switch {
	case op == 16:
		if !had {
			return
		}
		p.must(p.tx.Rename(key, other))
		delete(p.at(db, key), string(key))
	case op == 17:
		to = p.rnd(modelDBs)
		p.must(p.tx.Copy(key, other, to))
	default:
		to, other = (db+1)%modelDBs, key
		if _, there := p.get(to, key); there || !had {
			return
		}
		p.must(p.tx.MoveTo(key, to))
		delete(p.at(db, key), string(key))
	}
	if had {
		p.at(to, other)[string(other)] = old
	}
	if p.tx.DB() != db {
		p.failf("the transaction is in database %d now", p.tx.DB())
	}
}

func (p *player) clear(db int) {
	n := int64(0)
	for i := range p.stripes {
		n += int64(len(p.stripes[i][db])) // of those past their deadline some are gone
		clear(p.stripes[i][db])
	}
	if removed := p.tx.Clear(p.rnd(2) == 0); removed > n {
		p.failf("Clear removed %d keys of %d", removed, n)
	}
}

func (p *player) clearSlot(db int, n uint16) {
	for _, key := range p.tx.ClearSlot(n) {
		if _, had := p.get(db, key); !had {
			p.failf("ClearSlot removed %s", key)
		}
		delete(p.at(db, key), string(key))
	}
}

func (p *player) scan(db int) {
	seen := map[string]bool{}
	for at := uint64(0); ; {
		at = p.tx.Scan(at, 1+p.rnd(5), func(r Ref) {
			if !p.tx.Lapsed(r) {
				seen[string(r.Key())] = true
			}
		})
		if at == 0 {
			break
		}
	}
	n := 0
	for i := range p.stripes {
		for key := range p.stripes[i][db] {
			if _, had := p.get(db, []byte(key)); had {
				if n++; !seen[key] {
					p.failf("Scan did not show %s", key)
				}
			}
		}
	}
	if n != len(seen) {
		p.failf("Scan showed %d keys, there are %d", len(seen), n)
	}
}

func (p *player) random(db int) {
	r, ok := p.tx.Random()
	if !ok {
		if n := p.ks.Size(db); n > 0 {
			p.failf("Random finds none of %d keys", n)
		}
		return
	}
	if _, had := p.at(db, r.Key())[string(r.Key())]; !had {
		p.failf("Random invented %s", r.Key())
	}
}

func (p *player) must(err error) {
	if err != nil {
		p.t.Helper()
		p.failf("%v", err)
	}
}

// same asks that key is what the model says.
func (p *player) same(db int, key []byte) {
	p.t.Helper()
	want, had := p.get(db, key)
	r, ok := p.tx.Get(key)
	if ok != had {
		p.failf("Get(%d, %s) is not %v", db, key, had)
	}
	if !ok {
		return
	}
	if isCollection(want.val) {
		if got := render(p.tx.collection(&r)); got != want.val || r.Expiry() != want.expiry || render(r.Object()) != got {
			p.failf("%s is %q until %d, want %q until %d", key, got, r.Expiry(), want.val, want.expiry)
		}
		return
	}
	s, _, err := p.tx.StrOf(r)
	p.must(err)
	if string(s.Bytes()) != want.val || r.Expiry() != want.expiry || !bytes.Equal(r.Key(), key) {
		p.failf("%s is %.40q until %d, want %.40q until %d", key, s.Bytes(), r.Expiry(), want.val, want.expiry)
	}
	if n, _ := r.Len(); n != len(want.val) {
		p.failf("%s has length %d", key, n)
	}
}

// all compares everything, and what the keyspace notes beside.
func (p *player) all() {
	p.t.Helper()
	for db := range modelDBs {
		p.begin(db)
		for i := range p.stripes {
			for key := range p.stripes[i][db] {
				p.same(db, []byte(key))
			}
		}
		p.scan(db)
		p.end()
	}
	p.ks.check(p.t)
}

func TestModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 9))
	for _, stripes := range []int{1, 16} {
		m := newModel(t, stripes)
		p := &player{model: m, t: t, rnd: rnd.IntN}
		for i := range 15_000 / scale {
			p.step()
			if i%2500 == 0 {
				p.all()
			}
		}
		p.all()
	}
}

// TestModelTogether plays with several goroutines.
func TestModelTogether(t *testing.T) {
	m := newModel(t, 8)
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			p := &player{model: m, t: t, rnd: rand.New(rand.NewPCG(uint64(i), 3)).IntN}
			for range 5000 / scale {
				p.step()
			}
		})
	}
	group.Wait()
	(&player{model: m, t: t, rnd: rand.IntN}).all()
}

// FuzzKeyspace plays what the bytes say.
func FuzzKeyspace(f *testing.F) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 5 {
		b := make([]byte, 300)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newModel(t, 2)
		p := &player{model: m, t: t, rnd: func(n int) int {
			if len(b) == 0 {
				return 0
			}
			x := b[0]
			b = b[1:]
			return int(x) * 7 % n
		}}
		for len(b) > 0 {
			if p.rnd(64) == 63 {
				p.walk(p.rnd(4))
			} else {
				p.step()
			}
		}
		p.all()
	})
}
