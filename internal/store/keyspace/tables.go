package keyspace

import "github.com/skeindb/skein/internal/data/table"

// Index is what the hash tables of keys are and take.
type Index struct {
	Tables int   // with at least one key
	Keys   int   // expired ones included
	Most   int   // keys of the fullest table
	Bytes  int64 // of buckets and directories, without the keys
}

// Index sums up the tables of a database. The hold is the whole keyspace.
func (tx *ReadTx) Index(db int) (x Index) {
	for i := range tx.ks.stripes {
		tx.ks.stripes[i].index(db, &x)
	}
	return x
}

// IndexBytes is the memory of all tables without their keys, in bytes. It takes
// one stripe after the other and leaves out those that are owned.
func (ks *Keyspace) IndexBytes() int64 {
	var x Index
	for i := range ks.stripes {
		st := &ks.stripes[i]
		st.mu.Lock()
		if !st.busy() {
			for db := range st.shelves {
				st.index(db, &x)
			}
		}
		st.mu.Unlock()
	}
	return x.Bytes
}

// index adds the tables of a database in st to x. The stripe is locked.
func (st *stripe) index(db int, x *Index) {
	sh := st.shelves[db].Load()
	if sh == nil {
		return
	}
	for i := range sh.tables {
		if t := sh.tables[i].Load(); t != nil {
			x.add(t)
		}
	}
}

func (x *Index) add(t *table.Table) {
	x.Bytes += tableBytes + int64(t.Memory())
	if t.Len() > 0 {
		x.Tables++
		x.Keys += t.Len()
		x.Most = max(x.Most, t.Len())
	}
}
