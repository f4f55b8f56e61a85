package clusterd

import (
	crand "crypto/rand"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/cluster/nodesconf"
)

// Driver owns the core of one node. New makes it, Start opens its port, Stop ends it.
type Driver struct {
	opt   Options
	log   *slog.Logger
	store file
	epoch core.Millis // Unix ms at start
	start time.Time

	mu        sync.Mutex // the core's mutex; what follows is guarded by it
	node      *core.Node
	out       core.Effects   // of the Step in hand
	queue     []core.Effects // of earlier Steps, waiting for the stripes
	links     map[core.Link]*link
	inbound   core.Link // links ever accepted
	saves     saves
	armed     core.Millis // when the ticker will wake up
	stopped   bool
	history   ring[core.Record]
	flight    ring[flown]
	recording recording
	filter    packetFilter
	scratch   []core.Link

	nodeTimeout atomic.Int64 // ms
	sendLimit   atomic.Int64
	awaited     atomic.Int64 // replication offset that a manual failover waits for, or nobodyWaits
	unsent      atomic.Bool  // published messages wait on links for Send
	wake        chan struct{}
	quit        chan struct{}
	chronicle   mailbox[chapter]
	sweeps      mailbox[uint16]

	listeners []net.Listener
	done      sync.WaitGroup
}

const nobodyWaits = -1

// file is what becomes of the core's State: a *nodesconf.Store.
type file interface {
	Save(*nodesconf.State) error
	Close() error
}

// How much the Driver remembers of what happened.
const (
	historyLen = 1000
	flightLen  = 1024
)

// New locks and reads nodes.conf, or makes a new node with a random id, and publishes the first view. The errors are
// those of package nodesconf: another process has the file, a line of it is damaged, it cannot be written.
func New(o Options) (*Driver, error) {
	store, err := nodesconf.Open(o.File)
	if err != nil {
		return nil, err
	}
	saved, found, err := store.Load(o.Config.TLSCluster)
	if err != nil {
		store.Close()
		return nil, err
	}
	seed := newSeed()
	d := &Driver{
		opt: o, log: o.Log, store: store,
		epoch: core.Millis(time.Now().UnixMilli()), start: time.Now(),
		node:    core.New(o.Config, saved, rand.New(rand.NewPCG(seed[0], seed[1]))),
		links:   map[core.Link]*link{},
		history: newRing[core.Record](historyLen),
		flight:  newRing[flown](flightLen),
		filter:  packetFilter{drop: -1},
		wake:    make(chan struct{}, 1),
		quit:    make(chan struct{}),
	}
	d.awaited.Store(nobodyWaits)
	d.sendLimit.Store(o.SendLimit)
	d.nodeTimeout.Store(int64(o.Config.NodeTimeout))
	d.saves.bell = make(chan struct{}, 1)
	d.chronicle.init()
	d.sweeps.init()
	if err := d.beginRecording(seed, saved); err != nil {
		store.Close()
		return nil, err
	}
	if err := d.begin(); err != nil {
		store.Close()
		return nil, err
	}
	if found {
		d.logf(core.Notice, "Node configuration loaded, I'm %s", d.me().ID)
	} else {
		d.logf(core.Notice, "No cluster configuration found, I'm %s", d.me().ID)
	}
	return d, nil
}

// begin gives the core its first event, one that changes nothing, and writes what it wants to have saved, so that
// a new node keeps the id under which it is first heard. Nobody else is there yet: no lock is needed, and no stripe.
func (d *Driver) begin() error {
	if _, err := d.step(core.ConfigChanged{Config: d.opt.Config}, true); err != nil {
		return err
	}
	if d.saves.asked == 0 {
		return nil
	}
	state, seq := d.node.State()
	if err := d.store.Save(&state); err != nil {
		return err
	}
	d.saves.durable = seq
	_, err := d.step(core.Saved{Seq: seq}, true)
	return err
}

// Start opens the bus port and lets time pass. The data set is loaded by then: keys in slots of nobody make the
// slots ours, keys in another's make them importing.
func (d *Driver) Start() error {
	if err := d.listen(); err != nil {
		return err
	}
	found := d.slotsWithKeys()
	for _, run := range []func(){d.tick, d.save, d.write, d.sweep} {
		d.done.Go(run)
	}
	d.happen(core.KeysFound{Slots: found})
	for _, ln := range d.listeners {
		d.done.Go(func() { d.accept(ln) })
	}
	return nil
}

// Stop closes all links, writes what is still to be saved, and gives nodes.conf free. It waits. Nobody else may
// use the Driver any more.
func (d *Driver) Stop() error {
	d.mu.Lock()
	again := d.stopped
	d.stopped = true
	for id, l := range d.links {
		delete(d.links, id)
		l.close()
	}
	d.mu.Unlock()
	if again {
		return nil
	}
	close(d.quit)
	for _, ln := range d.listeners {
		ln.Close()
	}
	d.chronicle.close()
	d.sweeps.close()
	d.done.Wait()
	d.endRecording()
	return d.store.Close()
}

// now is the time of an event: Unix ms as the clock showed it at start, carried on by the monotonic clock.
func (d *Driver) now() core.Millis { return d.epoch + core.Millis(time.Since(d.start).Milliseconds()) }

// newSeed is the only randomness of a core.
func newSeed() [2]uint64 {
	var seed [16]byte
	crand.Read(seed[:]) // never fails
	return [2]uint64{binary.LittleEndian.Uint64(seed[:]), binary.LittleEndian.Uint64(seed[8:])}
}
