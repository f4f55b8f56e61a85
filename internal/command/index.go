package command

// index finds Specs by name in any case. It is an open-addressed hash table at
// most a quarter full, so a look-up mostly costs one hash and one comparison.
// It does not change once built, and any number of goroutines may read it.
type index struct {
	entries []indexEntry // a power of two
}

type indexEntry struct {
	name string // lower case, "" for a free entry
	spec *Spec
}

// newIndex builds an index of the names, which are in lower case.
func newIndex(names map[string]*Spec) *index {
	size := 4
	for size < 4*len(names) {
		size *= 2
	}
	x := &index{entries: make([]indexEntry, size)}
	for name, spec := range names {
		i := hash(name)
		for x.entries[i&uint32(size-1)].name != "" {
			i++
		}
		x.entries[i&uint32(size-1)] = indexEntry{name, spec}
	}
	return x
}

// find returns the Spec called name, or nil. It does not allocate.
func (x *index) find(name []byte) *Spec {
	mask := uint32(len(x.entries) - 1)
	for i := hash(name); ; i++ {
		e := &x.entries[i&mask]
		if e.name == "" || equalFold(name, e.name) {
			return e.spec
		}
	}
}

// hash is FNV-1a over the bytes with the bit of letter case set, which other
// bytes may share: the comparison is exact.
func hash[S string | []byte](name S) uint32 {
	h := uint32(2166136261)
	for i := range len(name) {
		h = (h ^ uint32(name[i]|0x20)) * 16777619
	}
	return h ^ h>>15
}
