package keyspace

// SlotSize is Keyspace.SlotSize for a transaction, whose hold has the slot's stripe.
func (tx *ReadTx) SlotSize(n uint16) int { return tx.ks.slotSize(n) }
