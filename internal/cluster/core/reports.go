package core

// reports holds who said that one node fails, and when: an array of 8-bit ages, by the number of the
// reporter. An age is 1 + the number of units since base, 0 means no report. A unit is at least a
// millisecond and so large that the window of two node timeouts fills half of the range, so that base must move
// only now and then; a report expires up to two units early, and never late. If half of a thousand masters fail, each
// node holds half a million reports.
//
// Invariant: live is the number of entries that are not 0.
type reports struct {
	at   []uint8
	live int
	base Millis
	unit Millis
}

const (
	reportAges       = 1<<8 - 2
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
		r.at = append(r.at, make([]uint8, int(reporter)+1-len(r.at))...)
	}
	isNew = r.at[reporter] == 0
	if isNew {
		r.live++
	}
	r.at[reporter] = uint8(age + 1)
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

func (r *reports) time(age uint8) Millis { return r.base + Millis(age-1)*r.unit }

// rebase moves the beginning of the range to one window ago.
func (r *reports) rebase(now, window Millis) {
	r.count(now, window)
	moved := newReports(now-window, window)
	for i, age := range r.at {
		if age != 0 {
			r.at[i] = uint8((r.time(age)-moved.base)/moved.unit + 1)
		}
	}
	r.base, r.unit = moved.base, moved.unit
}

// Reporters have numbers of their own, given to each with its first report: only masters report, and of many masters
// only those that still stand.

// reporter returns the number of a node that reports, and gives it one if it has none.
func (n *Node) reporter(p *peer) uint16 {
	if p.reporter == 0 {
		if last := len(n.freeReporters) - 1; last >= 0 {
			p.reporter, n.freeReporters = n.freeReporters[last], n.freeReporters[:last]
		} else {
			n.reporters++
			p.reporter = n.reporters
		}
	}
	return p.reporter - 1
}

// dropReporter forgets all that p reported.
func (n *Node) dropReporter(p *peer) {
	if p.reporter == 0 {
		return
	}
	for _, other := range n.order {
		if other.reports != nil {
			other.reports.remove(p.reporter - 1)
		}
	}
	n.freeReporters = append(n.freeReporters, p.reporter)
	p.reporter = 0
}
