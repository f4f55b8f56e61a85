package clusterd

import (
	"os"

	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/cluster/flight"
)

// recording is the file in which all is written that the core is given, for those who ask for it (cluster-flight-file). It
// costs a write for every event, and some 3 kB for each packet: tens of megabytes an hour.
type recording struct {
	file *os.File // nil: none is wanted, or it came to an end
	to   *flight.Recorder
}

// beginRecording makes the file anew: a recording is of one life of a process.
func (d *Driver) beginRecording(seed [2]uint64, saved core.State) error {
	if d.opt.Flight == "" {
		return nil
	}
	f, err := os.Create(d.opt.Flight)
	if err != nil {
		return err
	}
	d.recording.file = f
	d.recording.to, err = flight.Begin(f, seed, d.opt.Config, saved)
	return err
}

// recordStep writes an event that the core just took. A disk that is full ends the recording and not the node. The caller
// holds d.mu.
func (d *Driver) recordStep(at core.Millis, ev core.Event, failed error) {
	if d.recording.file == nil {
		return
	}
	if err := d.recording.to.Record(at, ev, &d.out, failed); err != nil {
		d.logf(core.Warning, "The recording of the cluster bus ends: %v", err)
		d.endRecording()
	}
}

func (d *Driver) endRecording() {
	if d.recording.file != nil {
		d.recording.file.Close()
		d.recording.file = nil
	}
}
