package keyspace

// A table is made for each slot and a shelf for each stripe and database on first
// use. That of a slot whose last key is gone stays, since the next key is often
// not far; it is given back here, when memory is short and by and by.

// releaseSlot gives back the table of slot n in a database, if it is empty, and
// the shelf, if that is empty too. The stripe is locked and nobody holds a Ref.
func (ks *Keyspace) releaseSlot(st *stripe, db int, n uint16) {
	sh := st.shelves[db].Load()
	switch {
	case sh == nil:
	case sh.keys.Load() == 0:
		st.shelves[db].Store(nil)
		ks.free(sh, nil)
	default:
		ks.releaseTable(sh, int(n>>ks.shift))
	}
}

func (ks *Keyspace) releaseTable(sh *shelf, i int) {
	if t := sh.tables[i].Load(); t != nil && t.Len() == 0 {
		sh.tables[i].Store(nil)
		t.Drop(nil)
		sh.weigh(ks, -tableBytes)
	}
}

// release gives back whatever is empty in a stripe.
func (ks *Keyspace) release(st *stripe) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.busy() {
		return
	}
	for db := range st.shelves {
		ks.releaseSlot(st, db, 0)
		if sh := st.shelves[db].Load(); sh != nil {
			for i := range sh.tables {
				ks.releaseTable(sh, i)
			}
		}
	}
}

func (ks *Keyspace) releaseAll() {
	for i := range ks.stripes {
		ks.release(&ks.stripes[i])
	}
}

// Tidy gives back what is empty in one stripe, the next one with each call. The
// node calls it now and then.
func (ks *Keyspace) Tidy() {
	next := ks.tidied.Add(1)
	ks.release(&ks.stripes[int(next)&(len(ks.stripes)-1)])
}
