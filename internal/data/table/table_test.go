package table

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/skeindb/skein/internal/data/arena"
)

func newArena(t testing.TB, opt arena.Options) *arena.Arena {
	t.Helper()
	a, err := arena.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// model is a table beside the map it must equal.
type model struct {
	t    *testing.T
	a    *arena.Arena
	seed maphash.Seed
	tab  Table
	want map[string]string
}

func newModel(t *testing.T) *model {
	m := &model{t: t, a: newArena(t, arena.Options{}), seed: maphash.MakeSeed(), want: map[string]string{}}
	m.tab.Init(m.a, m.seed)
	return m
}

// findHash looks the key up by its hash alone.
func (m *model) findHash(key string) arena.Handle {
	return m.tab.FindHash(Hash(m.seed, []byte(key)), func(h arena.Handle) bool {
		return string(m.tab.Entry(h).Key()) == key
	})
}

func (m *model) find(key string) arena.Handle {
	return m.tab.Find(Hash(m.seed, []byte(key)), []byte(key))
}

func (m *model) put(key, value string, expires bool) {
	m.t.Helper()
	hash := Hash(m.seed, []byte(key))
	old := m.tab.Find(hash, []byte(key))
	if _, ok := m.want[key]; ok != (old != 0) {
		m.t.Fatalf("key %q found: %v, want %v", key, old != 0, ok)
	}
	m.want[key] = value
	if old != 0 {
		if e, ok := Resize(m.a, old, len(value), expires); ok {
			copy(e.Value(), value)
			return
		}
	}
	h, e, err := New(m.a, 3, []byte(key), len(value), expires)
	if err != nil {
		m.t.Fatal(err)
	}
	copy(e.Value(), value)
	if old == 0 {
		if err := m.tab.Insert(hash, h); err != nil {
			m.t.Fatal(err)
		}
		return
	}
	if !m.tab.Replace(hash, old, h) {
		m.t.Fatalf("key %q: nothing replaced", key)
	}
	Free(m.a, old)
}

func (m *model) delete(key string) {
	m.t.Helper()
	hash := Hash(m.seed, []byte(key))
	h := m.tab.Find(hash, []byte(key))
	if _, ok := m.want[key]; ok != (h != 0) {
		m.t.Fatalf("key %q found: %v, want %v", key, h != 0, ok)
	}
	if h == 0 {
		return
	}
	if !m.tab.Delete(hash, h) || m.tab.Delete(hash, h) {
		m.t.Fatalf("key %q: delete", key)
	}
	Free(m.a, h)
	delete(m.want, key)
}

func (m *model) compact() {
	if !m.a.BeginCompaction() {
		return
	}
	for cursor := m.tab.Compact(0, 3, nil); cursor != 0; {
		cursor = m.tab.Compact(cursor, 3, nil)
	}
	m.a.EndCompaction()
}

// check compares everything, by look-up and by scan, and the arena's account.
func (m *model) check() {
	m.t.Helper()
	if m.tab.Len() != len(m.want) {
		m.t.Fatalf("Len %d, want %d", m.tab.Len(), len(m.want))
	}
	inUse := m.tab.Memory()
	for k, v := range m.want {
		h := m.find(k)
		if h == 0 || h != m.findHash(k) {
			m.t.Fatalf("key %q is lost", k)
		}
		e := m.tab.Entry(h)
		if string(e.Key()) != k || string(e.Value()) != v {
			m.t.Fatalf("key %q is %q = %q, want %q", k, e.Key(), e.Value(), v)
		}
		inUse += arena.ClassSize(len(e))
	}
	if got := m.a.InUse(); got != int64(inUse) {
		m.t.Fatalf("arena has %d bytes in use, the table accounts for %d", got, inUse)
	}
	seen := map[string]bool{}
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		cursor = m.tab.Scan(cursor, func(h arena.Handle) {
			k := string(m.tab.Entry(h).Key())
			if _, ok := m.want[k]; !ok || seen[k] {
				m.t.Fatalf("scan shows %q, known %v, seen %v", k, ok, seen[k])
			}
			seen[k] = true
		})
	}
	if len(seen) != len(m.want) {
		m.t.Fatalf("scan shows %d of %d", len(seen), len(m.want))
	}
}

func TestModel(t *testing.T) {
	m := newModel(t)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 120000 {
		key := fmt.Sprint("key:", r.IntN(30000))
		if len(key) == 7 { // a few are long
			key += string(make([]byte, 250))
		}
		switch grow := i/20000%2 == 0; {
		case grow && r.IntN(10) < 7 || !grow && r.IntN(10) < 2:
			m.put(key, fmt.Sprint(i)+string(make([]byte, r.IntN(60))), r.IntN(3) == 0)
		default:
			m.delete(key)
		}
		if i%30000 == 0 {
			m.compact()
		}
		if i%9999 == 0 {
			m.check()
		}
	}
	m.check()
	for k := range m.want {
		m.delete(k)
	}
	m.check()
	if m.tab.Memory() != 0 {
		t.Fatalf("an empty table has %d bytes", m.tab.Memory())
	}
}

// FuzzTable runs operations read from the input against a map.
func FuzzTable(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x02\x00\x03\x40\x01\x80\x02\xc0\x00\xc1\x00"))
	f.Add(bytes.Repeat([]byte{0x01, 0x02, 0x13, 0x55, 0x27, 0x99, 0x48, 0x01, 0xc1, 0x00}, 30))
	f.Fuzz(func(t *testing.T, ops []byte) {
		m := newModel(t)
		for ; len(ops) >= 2; ops = ops[2:] {
			op, arg := ops[0], int(ops[1])
			key := fmt.Sprint("k", arg)
			switch op >> 6 {
			case 0: // one
				m.put(key, string(make([]byte, op&0x3f*5)), op&1 == 0)
			case 1:
				m.delete(key)
			case 2: // many
				for i := range int(op & 0x3f) {
					m.put(fmt.Sprint(arg, "-", i), key, false)
				}
			default:
				if op&1 == 0 {
					m.compact()
					m.check()
				}
				for i := range int(op & 0x3f) {
					m.delete(fmt.Sprint(arg, "-", i))
				}
			}
		}
		m.check()
		m.tab.Drop(nil)
		if m.a.InUse() != 0 {
			t.Fatalf("%d bytes in use after Drop", m.a.InUse())
		}
	})
}

func TestEntry(t *testing.T) {
	a := newArena(t, arena.Options{})
	for _, keyLen := range []int{0, 1, 16, 254, 255, 256, 70000} {
		for _, valueLen := range []int{0, 3, 32, MaxInline} {
			for _, expires := range []bool{false, true} {
				key := bytes.Repeat([]byte{'k'}, keyLen)
				value := bytes.Repeat([]byte{'v'}, valueLen)
				h, e, err := New(a, 9, key, valueLen, expires)
				if err != nil {
					t.Fatal(err)
				}
				if len(e) != EntrySize(keyLen, valueLen, expires) {
					t.Fatalf("size %d", len(e))
				}
				copy(e.Value(), value)
				e.SetClock(0xabcdef)
				if expires {
					e.SetExpiry(1 << 50)
				}
				e = At(a, h)
				if !bytes.Equal(e.Key(), key) || !bytes.Equal(e.Value(), value) || e.Kind() != 9 ||
					e.Clock() != 0xabcdef || e.Expires() != expires || (e.Expiry() == 1<<50) != expires {
					t.Fatalf("entry of %d, %d, %v: %x", keyLen, valueLen, expires, e[:min(len(e), 40)])
				}
				e.SetKind(2)
				if e.Kind() != 2 || e.Expires() != expires || e.Clock() != 0xabcdef {
					t.Fatal("changing the kind touched something else")
				}
				Free(a, h)
			}
		}
	}
	if a.InUse() != 0 {
		t.Fatalf("in use %d", a.InUse())
	}
	if n := EntrySize(16, 32, false); n != 55 {
		t.Fatalf("16 + 32 bytes take %d", n)
	}
}

func TestResize(t *testing.T) {
	a := newArena(t, arena.Options{})
	h, e, _ := New(a, 1, []byte("key"), 10, true)
	e.SetExpiry(77)
	e.SetClock(5)
	copy(e.Value(), "0123456789")
	if e, ok := Resize(a, h, 12, true); !ok || e.Expiry() != 77 || len(e.Value()) != 12 || string(e.Key()) != "key" || e.Clock() != 5 {
		t.Fatal("growing within the class")
	}
	if e, ok := Resize(a, h, 20, false); !ok || e.Expiry() != 0 || len(e.Value()) != 20 {
		t.Fatal("trading the expiry for value")
	}
	if _, ok := Resize(a, h, 40, false); ok {
		t.Fatal("grew beyond the class")
	}
	if _, ok := Resize(a, h, 1, false); ok {
		t.Fatal("shrank below the class")
	}
	if _, _, err := New(a, 1, nil, MaxInline+1, false); !errors.Is(err, ErrTooLong) {
		t.Fatalf("value too long: %v", err)
	}
	long, _, _ := New(a, 1, nil, MaxInline, false)
	if _, ok := Resize(a, long, MaxInline+1, false); ok {
		t.Fatal("grew beyond what an entry can hold")
	}
	Free(a, long)
	Free(a, h)
	if a.InUse() != 0 {
		t.Fatalf("in use %d", a.InUse())
	}
}

// TestScanWhileChanging proves that a key present throughout is shown, though the table splits, merges and
// is compacted between the calls.
func TestScanWhileChanging(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for round := range 40 / scale {
		m := newModel(t)
		var keep []string
		for i := range r.IntN(300) {
			keep = append(keep, fmt.Sprint("keep:", i))
			m.put(keep[i], "", false)
		}
		other := r.IntN(5000)
		for i := range other {
			m.put(fmt.Sprint("other:", i), "", false)
		}
		seen := map[string]bool{}
		cursor := uint64(0)
		for calls := 0; ; calls++ {
			cursor = m.tab.Scan(cursor, func(h arena.Handle) { seen[string(m.tab.Entry(h).Key())] = true })
			if cursor == 0 {
				break
			}
			if cursor >= 1<<CursorBits || calls > 5000 {
				t.Fatalf("cursor %x after %d calls", cursor, calls)
			}
			if calls%3 == 0 {
				target := r.IntN(5000) * (round % 3) / 2
				for ; other > target && r.IntN(400) > 0; other-- {
					m.delete(fmt.Sprint("other:", other-1))
				}
				for ; other < target && r.IntN(400) > 0; other++ {
					m.put(fmt.Sprint("other:", other), "", false)
				}
			}
		}
		for _, k := range keep {
			if !seen[k] {
				t.Fatalf("round %d: %q was never shown", round, k)
			}
		}
		m.a.Close()
	}
}

// TestSameHash fills one bucket far beyond its places.
func TestSameHash(t *testing.T) {
	m := newModel(t)
	const hash = 12345
	var live []arena.Handle
	for i := range 60 {
		h, _, _ := New(m.a, 0, []byte{byte(i)}, 0, false)
		if err := m.tab.add(m.bucketFor(hash), place{tagOf(hash), h}); err != nil {
			t.Fatal(err)
		}
		m.tab.count++
		live = append(live, h)
	}
	for len(live) > 0 {
		for _, h := range live {
			if got := m.tab.Find(hash, m.tab.Entry(h).Key()); got != h {
				t.Fatalf("found %x, want %x", got, h)
			}
		}
		i := len(live) * 2 / 3
		if !m.tab.Delete(hash, live[i]) {
			t.Fatal("not deleted")
		}
		Free(m.a, live[i])
		live = slices.Delete(live, i, i+1)
	}
	if m.a.InUse() != 0 {
		t.Fatalf("in use %d", m.a.InUse())
	}
}

// bucketFor is the bucket of a hash, made if there is none.
func (m *model) bucketFor(hash uint64) *bucket {
	if m.tab.n.Load() == 0 {
		if err := m.tab.grow(0); err != nil {
			m.t.Fatal(err)
		}
	}
	return m.tab.bucket(index(hash, m.tab.n.Load()))
}

// TestFull fills the arena, changes things at the edge, and checks that nothing is lost and everything
// can go again.
func TestFull(t *testing.T) {
	m := newModel(t)
	m.a = newArena(t, arena.Options{Limit: 4 << 20})
	m.tab = Table{}
	m.tab.Init(m.a, m.seed)
	insert := func(i int) bool {
		key := fmt.Sprint("key:", i)
		h, _, err := New(m.a, 0, []byte(key), 0, false)
		if err == nil {
			if err = m.tab.Insert(Hash(m.seed, []byte(key)), h); err != nil {
				Free(m.a, h)
			}
		}
		if err != nil {
			if !errors.Is(err, arena.ErrFull) {
				t.Fatal(err)
			}
			return false
		}
		m.want[key] = ""
		return true
	}
	n := 0
	for insert(n) {
		n++
	}
	m.check()
	r := rand.New(rand.NewPCG(4, 4))
	for round := range 20 {
		for range 20000 / scale {
			if i := r.IntN(n); m.find(fmt.Sprint("key:", i)) == 0 {
				insert(i)
			} else if r.IntN(20) == 0 {
				m.delete(fmt.Sprint("key:", i))
			}
		}
		if round%5 == 0 {
			m.check()
		}
	}
	m.check()
	for k := range m.want {
		m.delete(k)
	}
	m.check()
	m.tab.Drop(nil)
	if m.a.InUse() != 0 {
		t.Fatalf("in use %d", m.a.InUse())
	}
}

// TestDirectoryDepths grows and shrinks through all depths of the directory.
func TestDirectoryDepths(t *testing.T) {
	m := newModel(t)
	const n = (nearWords+1)*pageSegments*segmentBuckets + 77 // so many pages lie far
	for i := range uint64(n) {
		if err := m.tab.grow(i); err != nil {
			t.Fatal(err)
		}
		m.tab.bucket(i)[63] = byte(i)
		m.tab.bucket(i)[62] = byte(i >> 8)
	}
	for i := uint64(n); i > 1; i-- {
		if b := m.tab.bucket(i - 1); b[63] != byte(i-1) || b[62] != byte((i-1)>>8) {
			t.Fatalf("bucket %d lost", i-1)
		}
		if err := m.tab.shrink(i); err != nil {
			t.Fatal(err)
		}
	}
	m.tab.freeIndex()
	if m.a.InUse() != 0 || m.tab.Memory() != 0 {
		t.Fatalf("in use %d, memory %d", m.a.InUse(), m.tab.Memory())
	}
	for i := range uint64(n) {
		if err := m.tab.grow(i); err != nil {
			t.Fatal(err)
		}
	}
	m.tab.freeIndex()
	if m.a.InUse() != 0 {
		t.Fatalf("in use %d", m.a.InUse())
	}
}

func TestRandom(t *testing.T) {
	m := newModel(t)
	r := rand.New(rand.NewPCG(3, 3))
	if m.tab.Random(r.Uint64) != 0 {
		t.Fatal("something in an empty table")
	}
	const keys, draws = 300, 300000
	for i := range keys {
		m.put(fmt.Sprint(i), "", false)
	}
	hits := map[arena.Handle]int{}
	for range draws {
		hits[m.tab.Random(r.Uint64)]++
	}
	if len(hits) != keys {
		t.Fatalf("%d of %d keys drawn", len(hits), keys)
	}
	for h, n := range hits {
		if n < draws/keys/2 || n > draws/keys*2 {
			t.Fatalf("%q was drawn %d times, expected %d", m.tab.Entry(h).Key(), n, draws/keys)
		}
	}
}
