package repl

// History names the stream of effects that made the data set what it is: ID, up to
// the log's offset. A node that was promoted continues under a new ID what it had
// received under another: up to SecondOffset-1 the bytes of both are the same, so
// that siblings go on without a full sync.
//
//	ID2  ... 1000 ──┐ promotion at offset 1000: SecondOffset = 1001
//	ID              └─ 1001 1002 ...
type History struct {
	ID           string // master_replid, 40 hex digits
	ID2          string // master_replid2; noID if there is none
	SecondOffset int64  // second_repl_offset; -1 if there is none
}

// noID stands where there is no second ID.
const noID = "0000000000000000000000000000000000000000"

func newHistory(id string) History { return History{ID: id, ID2: noID, SecondOffset: -1} }

// shift makes id the name of what comes after offset, and keeps the old name for
// what came before.
func (h *History) shift(id string, offset int64) {
	*h = History{ID: id, ID2: h.ID, SecondOffset: offset + 1}
}

// continues tells whether a stream that is known as id and goes on with the byte
// offset is this one.
func (h *History) continues(id string, offset int64) bool {
	return id == h.ID || id == h.ID2 && h.ID2 != noID && offset <= h.SecondOffset
}

// History is how the stream is called now.
func (r *Repl) History() History {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hist
}

// Offset is the replication offset: the end of the log. Under all stripes it stands still.
func (r *Repl) Offset() int64 { return r.log.Offset() }

// Aux is the position that a snapshot taken now tells. The caller holds all stripes.
func (r *Repl) Aux() Aux {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.aux()
}

func (r *Repl) aux() Aux {
	if r.link == nil && !r.backlogOn() { // a master nobody follows: its offset stands still though data changes
		return Aux{}
	}
	offset, db := r.log.Position()
	return Aux{ID: r.hist.ID, Offset: offset, StreamDB: max(db, 0)} // with none selected a SELECT comes next
}

// adopt takes over the history of a master whose data set has just been installed:
// the next byte is offset+1 of id. The replicas of this node are cut off, since what
// they have is something else. The caller holds all stripes.
func (r *Repl) adopt(id string, offset int64) {
	r.dropReplicas("the data set was replaced by the master's")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hist = newHistory(id)
	r.log.Restart(offset)
	r.openBacklog()
}

// rename takes note that the master goes on under another id (+CONTINUE id). The
// replicas are cut off, to learn it when they come back. The caller holds all stripes.
func (r *Repl) rename(id string) {
	r.mu.Lock()
	renamed := id != r.hist.ID
	if renamed {
		r.hist.shift(id, r.log.Offset())
	}
	r.mu.Unlock()
	if renamed {
		r.dropReplicas("the master's replication ID changed")
	}
}

// shift begins a history of our own where the received one ends: the node was
// promoted. Log and backlog stay, so that siblings go on. The caller holds all stripes.
func (r *Repl) shift() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hist.shift(r.opt.NewID(), r.log.Offset())
	r.log.ForgetDB()
	r.alone = now() // the siblings have repl-backlog-ttl from now on to come
}

// openBacklog begins to keep the stream, unless that is so.
func (r *Repl) openBacklog() {
	r.log.SetBacklog(max(r.tuning.Load().BacklogBytes, 1))
	r.keeping = true
}

// closeBacklog ends it. What happens from now on is in nobody's stream: the history is over.
func (r *Repl) closeBacklog() {
	r.log.SetBacklog(0)
	r.keeping = false
}

func (r *Repl) backlogOn() bool { return r.keeping }

// ChangeID begins another history at the present offset: nobody can go on with what
// he has (DEBUG CHANGE-REPL-ID).
func (r *Repl) ChangeID() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.restart()
}
