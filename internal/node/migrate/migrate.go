// Package migrate moves keys to another instance: the MIGRATE command.
//
// # The way of a key
//
//	handler, under the stripes    look the keys up, note their values and deadlines
//	                              shut their slots, park the client, return
//	worker                        connect, or take a connection kept from before
//	                              [AUTH] [SELECT] RESTORE key ttl dump … all in one go
//	                              read the answers
//	worker, under the stripes     delete the keys that were answered +OK, log DEL
//	                              reopen the slots, answer the client
//
// From the moment its value is read until it is deleted here, a key cannot be
// reached by anybody else: who asks for its slot is parked and goes on behind.
// Everything else of the node runs, and the value, which is frozen, is written out
// without any lock. Nothing is deleted that the target has not
// confirmed, so that a failure at any point may double a key but never lose it.
//
// Inside EXEC and scripts, where a client cannot be parked, the same is done on
// the spot, under the locks.
package migrate

import (
	"net"
	"sync"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/store/rdb"
)

// Options are what a Migrator is made with.
type Options struct {
	Keyspace *keyspace.Keyspace
	// Dial connects to a target; the connection of tls-cluster is one over TLS.
	// Nil means plain TCP.
	Dial func(address string, timeout time.Duration) (net.Conn, error)
}

// Migrator runs MIGRATE. It is safe for concurrent use.
type Migrator struct {
	Options
	pool     pool
	encoders sync.Pool
	workers  sync.WaitGroup
	closing  chan struct{}
}

// New returns a Migrator without connections.
func New(o Options) *Migrator {
	if o.Dial == nil {
		o.Dial = func(address string, timeout time.Duration) (net.Conn, error) {
			return net.DialTimeout("tcp", address, timeout)
		}
	}
	return &Migrator{
		Options:  o,
		encoders: sync.Pool{New: func() any { return new(rdb.Encoder) }},
		closing:  make(chan struct{}),
	}
}

// Connections is the number of idle connections to targets, for INFO's
// migrate_cached_sockets.
func (m *Migrator) Connections() int { return m.pool.len() }

// Close closes all connections, which ends what is on its way with an error,
// and waits for that end. No MIGRATE may begin any more.
func (m *Migrator) Close() {
	close(m.closing)
	m.pool.close()
	m.workers.Wait()
}

// Replies of MIGRATE beside OK and what the target says.
const (
	errConnect  command.Error = "IOERR error or timeout connecting to the client"
	errWriting  command.Error = "IOERR error or timeout writing to target instance"
	errReading  command.Error = "IOERR error or timeout reading to target instance"
	errDemoted  command.Error = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
	errStopping command.Error = "ERR the node is stopping"
)

func (m *Migrator) migrate(c *command.Call, tx *keyspace.WriteTx) {
	j, err := readJob(c)
	if err == nil {
		err = j.load(tx, c.Now)
	}
	if err != nil {
		c.Fail(err)
		return
	}
	if len(j.items) == 0 {
		c.Out.SimpleString("NOKEY")
		return
	}
	if resume, ok := c.Client.Park(); ok {
		m.background(j, c.Client.Proto(), resume)
		return
	}
	reply(c.Out, m.transfer(j), func() error { j.drop(tx); return nil })
}

// background goes on with j when the handler has returned.
func (m *Migrator) background(j *job, proto int, resume func([]byte)) {
	owner := &keyspace.Owner{What: "MIGRATE"}
	var hold keyspace.Hold
	hold.Reset(m.Keyspace)
	j.addStripes(&hold)
	m.Keyspace.Shut(&hold, owner)
	hold.As(owner)
	m.workers.Go(func() {
		out := resp.Writer{Proto: proto}
		err := m.transfer(j)
		reply(&out, err, func() error { return m.dropOwned(j, &hold) })
		m.Keyspace.Reopen(owner)
		resume(out.Buf)
	})
}

// reply drops the keys that the target has, and answers.
func reply(out *resp.Writer, err error, drop func() error) {
	if dropErr := drop(); err == nil {
		err = dropErr
	}
	if err != nil {
		out.Error(err.Error())
		return
	}
	out.OK()
}

// frozenPause is the time between two looks while nothing may enter the log.
const frozenPause = 10 * time.Millisecond

// dropOwned deletes what the target confirmed, in a transaction of its own. It
// waits until writing is allowed. A node that became a replica meanwhile deletes
// nothing: that is for its master to do.
func (m *Migrator) dropOwned(j *job, hold *keyspace.Hold) error {
	if !j.deletes() {
		return nil
	}
	ks := m.Keyspace
	for acquire(ks, hold); ks.Frozen.Load(); acquire(ks, hold) {
		ks.Release(hold)
		select {
		case <-time.After(frozenPause):
		case <-m.closing:
			return errStopping
		}
	}
	defer ks.Release(hold)
	if ks.Replica.Load() {
		return errDemoted
	}
	var tx keyspace.WriteTx
	tx.Begin(ks, hold, j.db, time.Now().UnixMilli(), keyspace.SeeExpired|keyspace.NoTouch)
	j.drop(&tx)
	tx.Commit(nil)
	return nil
}

// acquire waits for the stripes of hold, which other slots' long work may own.
func acquire(ks *keyspace.Keyspace, hold *keyspace.Hold) {
	woken := make(bell, 1)
	for !ks.Acquire(hold, woken) {
		<-woken
	}
}

// bell is a keyspace.Waker for a goroutine of its own.
type bell chan struct{}

// Wake implements keyspace.Waker. Who is queued once is woken once.
func (b bell) Wake() { b <- struct{}{} }
