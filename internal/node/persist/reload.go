package persist

import (
	"fmt"
	"os"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// Reload says what DEBUG RELOAD does.
type Reload struct {
	Save  bool // the file is written before
	Flush bool // what is not in the file goes
	Merge bool // without Flush: keys of the file replace those that are there
}

// Reload saves the data set and loads it again. The caller holds all stripes; until
// the reply nobody else gets them.
func (p *Persist) Reload(c *command.Call, how Reload) {
	resume, ok := c.Client.Park()
	if !ok {
		c.Out.Error("ERR DEBUG RELOAD is not possible inside a transaction")
		return
	}
	ks, h := p.opt.Keyspace, p.everything()
	owner := &keyspace.Owner{What: "DEBUG RELOAD"}
	saved := make(chan error, 1)
	if !how.Save {
		saved <- nil
	} else if err := p.begin(func(err error) { saved <- err }); err != nil {
		saved <- err
	}
	ks.Claim(h, owner)
	h.As(owner)
	p.savers.Go(func() {
		err := <-saved
		if err == nil {
			err = p.reload(h, how)
		}
		ks.Disown(owner)
		if err != nil {
			resume(resp.AppendError(nil, "ERR Error trying to load the RDB dump, check server logs. "+err.Error()))
			return
		}
		p.opt.Log.Info("DB reloaded by DEBUG RELOAD")
		resume([]byte("+OK\r\n"))
	})
}

// reload loads the file; the stripes of h are ours.
func (p *Persist) reload(h *keyspace.Hold, how Reload) error {
	ks := p.opt.Keyspace
	if !how.Flush {
		ks.Acquire(h, nil)
		defer ks.Release(h)
		return p.merge(how.Merge)
	}
	d, err := p.LoadFile(p.atReload())
	if err != nil {
		return err
	}
	if d == nil {
		return fmt.Errorf("%s: %w", p.tuning.Load().File, os.ErrNotExist)
	}
	ks.Acquire(h, nil)
	defer ks.Release(h)
	d.Install()
	return nil
}

// atReload: a master leaves out what is past its deadline, as at its start.
func (p *Persist) atReload() (s Start) {
	if !p.opt.Keyspace.Replica.Load() {
		s.Expired = func(int, []byte) {}
	}
	return s
}

// merge loads the file into the live data set; all stripes are held. Without replace
// a key or a library that is there already is an error.
func (p *Persist) merge(replace bool) error {
	f, err := p.opt.FS.OpenFile(p.tuning.Load().File, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	now := time.Now().UnixMilli()
	var tx keyspace.WriteTx
	start := p.atReload()
	l := &loader{p: p, d: &Dataset{p: p}, nowMs: now, start: &start}
	l.put = func(it *keyspace.Item) error {
		if it.DB >= p.opt.Keyspace.Databases() {
			return keyspace.ErrNoDatabase
		}
		tx.Begin(p.opt.Keyspace, nil, it.DB, now, keyspace.SeeExpired|keyspace.Applied)
		defer tx.Commit(nil)
		return put(&tx, it, replace)
	}
	before := p.opt.Keyspace.Stats().Changes
	defer p.unchanged(before)
	if err := l.read(f, new(loadState)); err != nil {
		return err
	}
	return p.opt.Libraries.Merge(l.d.functions, replace)
}

// unchanged takes the changes since before, which came from a file, for none.
func (p *Persist) unchanged(before int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.base += p.opt.Keyspace.Stats().Changes - before
}

func put(tx *keyspace.WriteTx, it *keyspace.Item, replace bool) error {
	old, found := tx.Peek(it.Key)
	if found && !replace {
		return keyspace.ErrExists
	}
	if it.Object != nil {
		return tx.SetObjectAt(&old, it.Key, it.Object, it.ExpiryMs)
	}
	return tx.SetStrAt(&old, it.Key, it.Bytes, it.ExpiryMs)
}
