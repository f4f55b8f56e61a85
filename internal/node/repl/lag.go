package repl

// Lag is how far a replica is behind.
type Lag struct {
	Name    string // as the log calls it
	Bytes   int64  // that it has not acknowledged
	Seconds int64  // since its last acknowledgement
	State   string // INFO's word
}

// Lags tells how many replicas there are, and which of them have not acknowledged
// the offset.
func (r *Repl) Lags(offset int64) (replicas int, behind []Lag) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.replicas {
		if p.ack >= offset { // as redis: at offset 0 one that is still receiving the RDB misses nothing
			continue
		}
		l := Lag{Name: p.name(), Bytes: offset - p.ack, State: phaseWords[p.phase]}
		if p.phase == online {
			l.Seconds = now()/1000 - p.ackMs/1000
		}
		behind = append(behind, l)
	}
	return len(r.replicas), behind
}
