package clusterd

import (
	"context"
	"log/slog"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/core"
)

// chapter is what the chronicler tells others, who may take their time: a record for the log, or the
// slots whose subscribers must look elsewhere.
type chapter struct {
	record core.Record
	lost   *slot.Set
}

// unloggedMax is how many records may wait for a slow log. Those beyond are in the history only, as long as it holds them.
const unloggedMax = 10_000

// Redis's levels in those of slog.
var slogLevels = [...]slog.Level{
	core.Debug: slog.LevelDebug, core.Verbose: slog.LevelDebug + 2, core.Notice: slog.LevelInfo, core.Warning: slog.LevelWarn,
}

// record appends what a Step noted to the history. The caller holds d.mu.
func (d *Driver) record(e *core.Effects) {
	for _, r := range e.History {
		d.history.add(r)
		if d.log.Enabled(context.Background(), slogLevels[r.Level]) {
			d.chronicle.putUnless(chapter{record: r}, unloggedMax)
		}
	}
}

// History returns the last 1000 records, oldest first.
func (d *Driver) History() []core.Record {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.history.list()
}

// write is the chronicler.
func (d *Driver) write() {
	for chapters := d.chronicle.take(); chapters != nil; chapters = d.chronicle.take() {
		for _, c := range chapters {
			if c.lost != nil {
				d.opt.Unsubscribe(c.lost)
				continue
			}
			d.log.Log(context.Background(), slogLevels[c.record.Level], c.record.Text())
		}
	}
}
