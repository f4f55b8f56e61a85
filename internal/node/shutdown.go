package node

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/skeindb/skein/internal/node/admin"
	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/persist"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// A node ends in peace like this:
//
//	writes are paused, until every replica has acknowledged all, or shutdown-timeout
//	the data set is saved; from here on nobody reads or changes a key
//	Asked is closed, and whoever runs the node calls Stop
//
// If the data cannot be saved it lives on, and everything goes on.

// ending is the attempt to end that is under way, if there is one.
type ending struct {
	mu sync.Mutex
	at *attempt
}

// attempt is one try to end. Who wants the same meanwhile waits for its outcome.
type attempt struct {
	admin.Shutdown
	bySignal bool
	untilMs  atomic.Int64  // Unix ms until which replicas are waited for; 0: they are not
	aborted  chan struct{} // closed by SHUTDOWN ABORT
	resume   func()        // gives the keys free again, if they are not
	decided  bool          // it is too late to abort it; guarded by ending.mu
	done     chan struct{} // closed when err is known
	err      error
}

// Finish does what must be done before a node ends in peace: replicas get all there
// is, and the data set is saved if save points are configured or how says so. After it
// nobody changes or reads a key any more, and Stop is to follow. An error means that
// the node goes on, because the data could not be saved; how.Force makes that no error.
func (n *Node) Finish(how admin.Shutdown) error {
	return n.finish(&attempt{Shutdown: how})
}

func (n *Node) finish(a *attempt) error {
	a.aborted, a.done = make(chan struct{}), make(chan struct{})
	n.ending.mu.Lock()
	if other := n.ending.at; other != nil {
		n.ending.mu.Unlock()
		<-other.done
		return other.err
	}
	n.ending.at = a
	n.ending.mu.Unlock()

	a.err = n.decide(a, n.try(a))
	if a.err != nil {
		n.engine.Unpause(exec.ByShutdown)
		if a.resume != nil {
			a.resume()
		}
		n.tellWhy(a.err)
	}
	close(a.done)
	return a.err
}

// decide is the end of an attempt that came to err: it cannot be aborted any more.
func (n *Node) decide(a *attempt, err error) error {
	n.ending.mu.Lock()
	defer n.ending.mu.Unlock()
	a.decided = true
	select {
	case <-a.aborted:
		err = errAborted
	default:
	}
	if err != nil {
		n.ending.at = nil
	}
	return err
}

// errAborted: SHUTDOWN ABORT came in time.
var errAborted = errors.New("the shutdown was aborted")

func (n *Node) tellWhy(err error) {
	if errors.Is(err, errAborted) {
		n.slog.Info("Shutdown manually aborted.")
		return
	}
	n.slog.Warn("Errors trying to shut down the server. Check the logs for more information.")
}

func (n *Node) try(a *attempt) error {
	if n.gates.Loading.Load() { // what was read so far must not replace the file
		a.Save, a.NoSave = false, true
	}
	for a.bySignal && n.cron.paused.Load() { // signals are work that follows the clock
		if !a.rest() {
			return errAborted
		}
	}
	n.slog.Info("User requested shutdown...")
	if err := n.awaitReplicas(a); err != nil {
		return err
	}
	return n.saveFinally(a)
}

// rest waits a little. It tells whether the attempt goes on.
func (a *attempt) rest() bool {
	select {
	case <-a.aborted:
		return false
	case <-time.After(cronEvery):
		return true
	}
}

// awaitReplicas pauses writes and waits until the replicas have everything, for as
// long as shutdown-timeout says.
func (n *Node) awaitReplicas(a *attempt) error {
	timeout := int64(config.ShutdownTimeout.Get(n.cfg.Values())) * 1000
	if all, _ := n.repl.Lags(n.repl.Offset()); all == 0 {
		return nil
	}
	if a.Now || timeout == 0 {
		n.tellLags(n.repl.Offset())
		return nil
	}
	offset := n.pauseWrites()
	_, behind := n.repl.Lags(offset)
	if len(behind) > 0 {
		n.slog.Info("Waiting for replicas before shutting down.")
		a.untilMs.Store(time.Now().UnixMilli() + timeout)
		defer a.untilMs.Store(0)
	}
	for len(behind) > 0 && time.Now().UnixMilli() < a.untilMs.Load() {
		if !a.rest() {
			return errAborted
		}
		_, behind = n.repl.Lags(offset)
	}
	n.tellLags(offset)
	return nil
}

// pauseWrites returns the end of the log, behind which only replication itself says
// something from now on: at first, if need be, it asks the replicas what they have.
func (n *Node) pauseWrites() (offset int64) {
	var h keyspace.Hold
	n.keyspace.AcquireAll(&h)
	defer n.keyspace.Release(&h)
	offset = n.repl.Offset()
	if _, behind := n.repl.Lags(offset); len(behind) > 0 { // else the offset stays what others saw
		n.repl.Inject([][]byte{[]byte("REPLCONF"), []byte("GETACK"), []byte("*")})
	}
	n.engine.Pause(exec.ByShutdown, exec.PauseWrite, math.MaxInt64)
	return offset
}

func (n *Node) tellLags(offset int64) {
	all, behind := n.repl.Lags(offset)
	for _, l := range behind {
		n.slog.Info(fmt.Sprintf("Lagging replica %s reported offset %d behind master, lag=%d, state=%s.", l.Name, l.Bytes, l.Seconds, l.State))
	}
	n.slog.Info(fmt.Sprintf("%d of %d replicas are in sync when shutting down.", all-len(behind), all))
}

// saveFinally saves the data set if that is wanted.
func (n *Node) saveFinally(a *attempt) error {
	select {
	case <-a.aborted:
		return errAborted
	default:
	}
	if points := len(config.Save.Get(n.cfg.Values())) > 0; !a.Save && (a.NoSave || !points) {
		return nil
	}
	n.slog.Info("Saving the final RDB snapshot before exiting.")
	resume, err := n.persist.Final()
	switch {
	case err == nil:
		a.resume = resume
		return nil
	case errors.Is(err, persist.ErrAborted):
		return errAborted
	case a.Force:
		n.slog.Warn("Error trying to save the DB. Exit anyway.")
		return nil
	default:
		n.slog.Warn("Error trying to save the DB, can't exit.")
		return err
	}
}

// Finishing tells whether the node is about to end, or has done all for it.
func (n *Node) Finishing() bool {
	n.ending.mu.Lock()
	defer n.ending.mu.Unlock()
	return n.ending.at != nil
}

// shutdownIn is for how many ms more replicas are waited for at the most.
func (n *Node) shutdownIn() (ms int64, waiting bool) {
	n.ending.mu.Lock()
	defer n.ending.mu.Unlock()
	if n.ending.at == nil || n.ending.at.untilMs.Load() == 0 {
		return 0, false
	}
	return max(n.ending.at.untilMs.Load()-time.Now().UnixMilli(), 0), true
}

// shutdown is SHUTDOWN: failed is called if the node lives on.
func (n *Node) shutdown(how admin.Shutdown, failed func()) {
	go func() {
		if n.Finish(how) != nil {
			failed()
			return
		}
		n.Ask()
	}()
}

// abortShutdown ends an attempt to end, and tells whether there was one.
func (n *Node) abortShutdown() bool {
	n.ending.mu.Lock()
	defer n.ending.mu.Unlock()
	a := n.ending.at
	if a == nil || a.decided {
		return false
	}
	select {
	case <-a.aborted: // by another
	default:
		close(a.aborted)
		n.persist.Abort()
	}
	return true
}

// Signalled begins what a signal asks for: the end of the node, in the manner of
// shutdown-on-sigint or shutdown-on-sigterm. Asked is closed if it comes to that.
func (n *Node) Signalled(s os.Signal) {
	word, flags := "SIGTERM", config.ShutdownOnSigterm
	if s == syscall.SIGINT {
		word, flags = "SIGINT", config.ShutdownOnSigint
	}
	n.slog.Warn("Received " + word + " scheduling shutdown...")
	set := flags.Get(n.cfg.Values())
	a := &attempt{bySignal: true, Shutdown: admin.Shutdown{
		NoSave: slices.Contains(set, "nosave"),
		Save:   slices.Contains(set, "save"),
		Now:    slices.Contains(set, "now"),
		Force:  slices.Contains(set, "force"),
	}}
	go func() {
		if n.finish(a) == nil {
			n.Ask()
		}
	}()
}

// Forsake removes the unfinished file of a save, for a process that is about to end
// without waiting for anything.
func (n *Node) Forsake() { n.persist.Close() }
