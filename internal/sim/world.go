package sim

import (
	"fmt"
	"math/rand/v2"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/core"
)

// Options describe the cluster and its surroundings at the beginning of a world.
type Options struct {
	Masters, Replicas int         // Replicas in all: replica i follows master i modulo Masters
	Config            core.Config // addresses and ports are filled in
	Form              bool        // the nodes are strangers and find each other by MEET; else they come with a nodes.conf
	Regions           int         // server i is in region i modulo Regions; 0: one

	Delay     Span // of a packet
	FarDelay  Span // of a packet between regions; zero: as Delay
	Hiccup    float64
	DiskTime  Span    // a save takes
	DiskStuck float64 // share of saves that take a hundred times as long
	SyncTime  Span    // a full synchronisation takes
	DriftPPM  int     // clocks run fast or slow by up to so many millionths, and are apart by up to two seconds
	Writes    Time    // every master takes a write so often; 0: never
	Codec     int     // of so many packets one passes through its wire form; 0: none

	NoDisk  bool // saves succeed and are forgotten: for big worlds, in which nobody starts again
	NoWatch bool // the rules are not checked
	Sparse  bool // the rules about what a node was told by all others are checked at every thousandth node: for big worlds
}

// Span is a time between two bounds, both included.
type Span struct{ Min, Max Time }

func (s Span) draw(rnd *rand.Rand) Time {
	if s.Max <= s.Min {
		return s.Min
	}
	return s.Min + Time(rnd.Int64N(int64(s.Max-s.Min)+1))
}

// DefaultOptions is a cluster of three masters with a replica each, in one data centre.
func DefaultOptions() Options {
	cfg := core.DefaultConfig()
	cfg.NodeTimeout = 2000
	return Options{
		Masters: 3, Replicas: 3, Config: cfg,
		Delay:    Span{100 * Microsecond, 2 * Millisecond},
		Hiccup:   0.0005,
		DiskTime: Span{Millisecond, 10 * Millisecond},
		SyncTime: Span{20 * Millisecond, 800 * Millisecond},
		DriftPPM: 200,
		Writes:   100 * Millisecond,
		Codec:    16,
	}
}

// World is one course of events. It is not safe for concurrent use; worlds share nothing.
type World struct {
	opt     Options
	seed    uint64
	now     Time
	queue   queue
	seq     uint64
	rnd     *rand.Rand // of the surroundings
	servers []*server
	byAddr  map[address]*server
	byID    map[nodeid.ID]*server // every id that a server ever had
	cuts    map[uint32]int        // ordered pairs of servers between which nothing passes, and how many cuts say so
	data    history
	watch   *watch
	digest  digest
	broken  *Violation
	hooks   hooks
	effects core.Effects // of the step in hand: no step happens within another
	begun   Time         // when the script began: the cluster was well
	round   int          // procedures of a round before this one are void
	meddled bool         // administrators did what may leave a mess
	blanked bool         // somebody came back without its nodes.conf

	// OnRecord, if set, sees every record of the event history of every node.
	OnRecord func(at Time, server string, r *core.Record)

	Stats Stats
}

// Stats count what happened in a world.
type Stats struct {
	Events, Steps  uint64
	Packets, Bytes uint64
	Promotions     int
	Failures       int // NodeFailed records
	WritesAcked    int64
	WritesLost     int64 // bytes acknowledged by a master that its successor does not have
	HandOvers      int   // plain failovers that came to an end
	Refused        int   // wishes of the administrator that were refused
	ElectionsLost  int
	Collisions     int
	Lives          int // starts of processes
}

// hooks let a test break the rules on purpose: the world goes wrong, or the node seems to. Each may be nil.
type hooks struct {
	event     func(s *server, ev core.Event) core.Event
	effects   func(s *server, out *core.Effects)
	now       func(s *server, now core.Millis) core.Millis
	noBarrier bool                               // packets do not wait for the disk
	noPause   bool                               // a hand-over does not stop the writers
	restarted func(s *server, saved *core.State) // what a start finds on disk
}

type address struct {
	ip   string
	port uint16
}

// Violation is a rule that did not hold.
type Violation struct {
	At   Time
	Rule string
	Text string
}

// Error tells when, which rule, and how.
func (v *Violation) Error() string {
	return fmt.Sprintf("at %s: %s: %s", v.At, v.Rule, v.Text)
}

// String writes a time as scripts do: seconds with three digits, or as many as it takes.
func (t Time) String() string {
	if t%Millisecond == 0 {
		return fmt.Sprintf("%d.%03ds", t/Second, t%Second/Millisecond)
	}
	return fmt.Sprintf("%d.%06ds", t/Second, t%Second)
}

// New makes a world. Its servers are started within the first 100 milliseconds.
func New(seed uint64, opt Options) *World {
	w := &World{
		opt:    opt,
		seed:   seed,
		rnd:    rand.New(rand.NewPCG(seed, 0x736b65696e)),
		byAddr: map[address]*server{},
		byID:   map[nodeid.ID]*server{},
		cuts:   map[uint32]int{},
		digest: newDigest(),
	}
	w.data.branches = append(w.data.branches, branch{parent: -1})
	if !opt.NoWatch {
		w.watch = newWatch(w)
	}
	w.populate()
	if opt.Writes > 0 {
		w.after(opt.Writes, event{kind: evWrite})
	}
	return w
}

// Now is the time of the world.
func (w *World) Now() Time { return w.now }

// Digest is one number for all that happened: equal seeds and scripts give equal digests.
func (w *World) Digest() uint64 { return uint64(w.digest) }

// Violation is the rule that was broken first, or nil.
func (w *World) Violation() *Violation { return w.broken }

func (w *World) violate(rule, format string, args ...any) {
	if w.broken == nil {
		w.broken = &Violation{w.now, rule, fmt.Sprintf(format, args...)}
	}
}

// after puts an event into the queue.
func (w *World) after(d Time, e event) {
	w.seq++
	e.at, e.seq = w.now+max(d, 0), w.seq
	w.queue.push(e)
}

// call runs something later.
func (w *World) call(d Time, do func()) { w.after(d, event{kind: evCall, call: do}) }

// Run lets the world go on until a time, or until a rule is broken.
func (w *World) Run(until Time) *Violation { w.runUntil(until, nil); return w.broken }

// runUntil is Run that also ends when done says so; done is asked after every event.
func (w *World) runUntil(until Time, done func() bool) bool {
	for w.broken == nil && len(w.queue) > 0 && w.queue[0].at <= until {
		e := w.queue.pop()
		w.now = e.at
		w.Stats.Events++
		w.digest.event(&e)
		w.happen(&e)
		if done != nil && done() {
			return true
		}
	}
	if w.broken == nil {
		w.now = max(w.now, until)
	}
	return false
}

// happen tells the kinds of events apart.
func (w *World) happen(e *event) {
	if s := e.s; s != nil {
		if e.life != s.life || s.core == nil {
			return
		}
		if s.frozen && e.kind != evDrain {
			if e.kind != evTick {
				s.inbox = append(s.inbox, *e)
			} else if e.x == s.tickNumber {
				s.tickMissed = true
			}
			return
		}
	}
	switch e.kind {
	case evTick:
		if e.x == e.s.tickNumber {
			e.s.tick()
		}
	case evPacket:
		w.arrive(e)
	case evDialled:
		w.dialled(e)
	case evAccepted:
		e.s.step(core.LinkUp{Link: core.Link(e.x)})
	case evLinkDown:
		e.s.step(core.LinkDown{Link: core.Link(e.x)})
	case evRetry:
		w.retry(e)
	case evSaved:
		e.s.saved()
	case evSync:
		e.s.sync()
	case evSynced:
		e.s.synced(e)
	case evData:
		e.s.dataArrived(e)
	case evDrain:
		e.s.drain()
	case evReport:
		e.call()
	case evWrite:
		w.write()
	case evCall:
		e.call()
	}
}

// digest is a running hash (FNV-1a over 64-bit words).
type digest uint64

func newDigest() digest { return 14695981039346656037 }

func (d *digest) add(x uint64) { *d = (*d ^ digest(x)) * 1099511628211; *d ^= *d >> 29 }

func (d *digest) event(e *event) {
	d.add(uint64(e.at))
	d.add(uint64(e.kind)<<32 | e.seq<<8 | uint64(e.dir))
	if e.s != nil {
		d.add(uint64(e.s.number)<<32 | uint64(uint32(e.life)))
	}
	if m := e.msg; m != nil {
		d.add(uint64(m.Type)<<48 ^ m.CurrentEpoch<<24 ^ m.ConfigEpoch ^ m.Offset<<7 ^ uint64(m.Flags)<<32 ^ uint64(len(m.Gossip))<<8)
		d.add(uint64(m.Sender[0]) | uint64(m.Sender[1])<<8 | uint64(m.Sender[2])<<16 | uint64(m.Sender[3])<<24 |
			uint64(m.SlaveOf[0])<<32 | uint64(m.SlaveOf[1])<<40)
	}
}
