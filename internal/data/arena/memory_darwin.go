package arena

const mapNoReserve = 0

// adviseHuge does nothing: huge pages are the system's business here.
func (r *region) adviseHuge(int) {}

// release does nothing: an empty chunk is used again before a new one is committed.
func (r *region) release(int, int) {}

func defaultLimit() int64 { return 64 << 30 }
