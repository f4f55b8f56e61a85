package table

import (
	"encoding/binary"
	"hash/maphash"
	"testing"
	"unsafe"

	"github.com/skeindb/skein/internal/data/arena"
)

const tableBytes = int(unsafe.Sizeof(Table{}))

// keyspace is many tables in one arena, as the slots of a database are.
type keyspace struct {
	a      *arena.Arena
	seed   maphash.Seed
	tables []Table
}

func newKeyspace(t testing.TB, tables int) *keyspace {
	k := &keyspace{newArena(t, arena.Options{}), maphash.MakeSeed(), make([]Table, tables)}
	for i := range k.tables {
		k.tables[i].Init(k.a, k.seed)
	}
	return k
}

// testKey is key number i, 16 bytes.
func testKey(buf *[16]byte, i int) []byte {
	copy(buf[:], "key:")
	for j := 15; j >= 4; j-- {
		buf[j] = byte('0' + i%10)
		i /= 10
	}
	return buf[:]
}

// slot spreads keys over the tables without a pattern.
func (k *keyspace) table(hash uint64) *Table {
	return &k.tables[hash>>20*0x9e3779b97f4a7c15>>40%uint64(len(k.tables))]
}

func (k *keyspace) fill(t testing.TB, keys, valueLen int) {
	var buf [16]byte
	for i := range keys {
		key := testKey(&buf, i)
		hash := Hash(k.seed, key)
		h, e, err := New(k.a, 0, key, valueLen, false)
		if err != nil {
			t.Fatal(err)
		}
		binary.LittleEndian.PutUint64(e.Value(), uint64(i))
		if err := k.table(hash).Insert(hash, h); err != nil {
			t.Fatal(err)
		}
	}
}

func (k *keyspace) memory() (index int) {
	for i := range k.tables {
		index += k.tables[i].Memory()
	}
	return index
}

// TestBytesPerKey holds the claim of memory per key at various fillings of the tables.
func TestBytesPerKey(t *testing.T) {
	const tables = 1000 // with fewer, chance moves the figures by more than what they are below the bounds
	for _, perTable := range []int{200, 250, 300, 350, 400} {
		keys := tables * perTable
		k := newKeyspace(t, tables)
		k.fill(t, keys, 32)
		index := float64(k.memory()+tables*tableBytes) / float64(keys)
		total := float64(int(k.a.InUse())+tables*tableBytes) / float64(keys)
		resident := float64(k.a.Resident()) / float64(keys)
		t.Logf("%d keys per table: index %.2f, in use %.2f, resident %.2f bytes per key", perTable, index, total, resident)
		if index > 10 || total > 66 {
			t.Errorf("%d keys per table: index %.2f, total %.2f bytes per key", perTable, index, total)
		}
		k.a.Close()
	}
}
