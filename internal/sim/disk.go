package sim

import "github.com/skeindb/skein/internal/cluster/core"

// A disk keeps nodes.conf. One save is under way at a time, and takes what the core's state is when it begins. What
// was written without fsync survives the end of the process but not the end of the machine. A save that is
// under way when the process ends may be there or not: the file is replaced as a whole.
//
// Invariant: what is reported as saved with fsync is in synced.
type disk struct {
	synced, cached core.State
	writing        core.State
	writingSeq     core.SaveSeq
	writingSync    bool
	busy           bool
	wanted         core.SaveSeq // the newest save asked for
	wantSync       bool
	durable        core.SaveSeq
	held           []core.Send // packets that wait
	stuckUntil     Time
	synchronised   bool // a save with fsync has ever ended
}

// save asks the disk for a save.
func (s *server) save(save core.Save) {
	d := &s.disk
	d.wanted, d.wantSync = save.Seq, d.wantSync || save.Fsync
	if !d.busy {
		s.startSave()
	}
}

func (s *server) startSave() {
	d, w := &s.disk, s.w
	d.busy, d.writingSync, d.wantSync = true, d.wantSync, false
	if w.opt.NoDisk {
		d.writingSeq = d.wanted
	} else {
		d.writing, d.writingSeq = s.core.State()
	}
	took := w.opt.DiskTime.draw(w.rnd)
	if w.opt.DiskStuck > 0 && w.rnd.Float64() < w.opt.DiskStuck {
		took *= 100
	}
	took = max(took, d.stuckUntil-w.now)
	w.after(took, event{kind: evSaved, s: s, life: s.life})
}

// saved is the end of a save: the packets that waited for it go out.
func (s *server) saved() {
	d := &s.disk
	d.commit()
	d.busy, d.durable = false, d.writingSeq
	held := d.held
	d.held = nil
	for _, send := range held {
		if send.After > d.durable {
			d.held = append(d.held, send)
		} else {
			s.w.transmit(s, send)
		}
	}
	seq := d.durable
	s.step(core.Saved{Seq: seq})
	if s.core != nil && d.wanted > seq && !d.busy {
		s.startSave()
	}
}

func (d *disk) commit() {
	d.cached = d.writing
	if d.writingSync {
		d.synced, d.synchronised = d.writing, true
	}
}

// crash is the end of the process, or of the machine. It leaves what the next start will find.
func (s *server) crash(machine bool) {
	d := &s.disk
	if d.busy && s.w.rnd.IntN(2) == 0 {
		d.commit()
	}
	if machine {
		d.cached = d.synced
	}
	*d = disk{synced: d.cached, cached: d.cached, stuckUntil: d.stuckUntil, synchronised: true}
}
