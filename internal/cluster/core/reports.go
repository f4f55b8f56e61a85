package core

// reports holds who said that one node fails, and when: an array of 16-bit ages, by the index of the
// reporter. An age is 1 + the number of units since base, 0 means no report. A unit is at least a
// millisecond and small enough for the window of two node timeouts to fill half of the range, so
// that base must move only now and then.
//
// Invariant: live is the number of entries that are not 0.
type reports struct {
	at   []uint16
	live int
	base Millis
	unit Millis
}

const (
	reportAges       = 1<<16 - 2
	reportWindowAges = reportAges / 2
)

func newReports(now, window Millis) *reports {
	return &reports{base: now, unit: max(1, (window+reportWindowAges-1)/reportWindowAges)}
}

// add notes a report at the time now and says whether it is a new one.
func (r *reports) add(reporter uint16, now, window Millis) (isNew bool) {
	age := (now - r.base) / r.unit
	if age >= reportAges {
		r.rebase(now, window)
		age = (now - r.base) / r.unit
	}
	if int(reporter) >= len(r.at) {
		r.at = append(r.at, make([]uint16, int(reporter)+1-len(r.at))...)
	}
	isNew = r.at[reporter] == 0
	if isNew {
		r.live++
	}
	r.at[reporter] = uint16(age + 1)
	return isNew
}

// remove takes a report back and says whether there was one.
func (r *reports) remove(reporter uint16) bool {
	if int(reporter) >= len(r.at) || r.at[reporter] == 0 {
		return false
	}
	r.at[reporter] = 0
	r.live--
	return true
}

// atMost is how many reports there are, those included that are too old.
func (r *reports) atMost() int {
	if r == nil {
		return 0
	}
	return r.live
}

// count drops the reports that are older than window and returns how many are left.
func (r *reports) count(now, window Millis) int {
	if r == nil || r.live == 0 {
		return 0
	}
	for i, age := range r.at {
		if age != 0 && now-r.time(age) > window {
			r.at[i] = 0
			r.live--
		}
	}
	return r.live
}

func (r *reports) time(age uint16) Millis { return r.base + Millis(age-1)*r.unit }

// rebase moves the beginning of the range to one window ago.
func (r *reports) rebase(now, window Millis) {
	r.count(now, window)
	moved := newReports(now-window, window)
	for i, age := range r.at {
		if age != 0 {
			r.at[i] = uint16((r.time(age)-moved.base)/moved.unit + 1)
		}
	}
	r.base, r.unit = moved.base, moved.unit
}
