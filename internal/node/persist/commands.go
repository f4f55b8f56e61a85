package persist

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// Specs are SAVE, BGSAVE and LASTSAVE.
func (p *Persist) Specs() []*command.Spec {
	const saves = command.NoAsyncLoading | command.Admin | command.NoScript | command.Whole
	return []*command.Spec{
		{Name: "save", Group: "server", Since: "1.0.0", Arity: 1,
			Summary:    "Saves the data set to disk and answers when that is done.",
			Complexity: "O(N) where N is the total number of keys in all databases",
			Flags:      saves | command.NoMulti,
			Service:    p.saveCommand},
		{Name: "bgsave", Group: "server", Since: "1.0.0", Arity: -1,
			Summary:    "Begins to save the data set to disk.",
			Complexity: "O(1)",
			Flags:      saves, Usage: "[SCHEDULE@3.2.2]",
			History: [][2]string{{"3.2.2", "`SCHEDULE` came."}},
			Service: p.bgsaveCommand},
		{Name: "lastsave", Group: "server", Since: "1.0.0", Arity: 1,
			Summary:    "Tells when the data set was saved last, in Unix seconds.",
			Complexity: "O(1)",
			Flags:      command.Loading | command.Stale | command.Fast, Categories: []string{"admin", "dangerous"},
			Tips:    []string{"nondeterministic_output"},
			Service: p.lastsaveCommand},
	}
}

const errSaving = "ERR Background save already in progress"

func (p *Persist) saveCommand(c *command.Call) {
	resume, ok := c.Client.Park()
	if !ok {
		c.Out.Error("ERR SAVE is not possible here: nobody can wait for it")
		return
	}
	err := p.begin(func(err error) {
		if err != nil {
			resume(resp.AppendError(nil, "ERR "+err.Error()))
			return
		}
		resume([]byte("+OK\r\n"))
	})
	if err != nil {
		resume(resp.AppendError(nil, errSaving))
	}
}

func (p *Persist) bgsaveCommand(c *command.Call) {
	schedule := false
	if a := c.Parse(1); a.More() {
		if schedule = a.Is("SCHEDULE"); !schedule || a.More() {
			c.Out.Error(command.ErrSyntax)
			return
		}
	}
	switch {
	case p.busy():
		c.Out.Error(errSaving)
	case c.Client.InMulti(): // the transaction is half done: its snapshot would be too
		p.mu.Lock()
		p.wanted = true
		p.mu.Unlock()
		c.Out.SimpleString("Background saving scheduled")
	case p.background() != nil:
		c.Out.Error(errSaving)
	default:
		c.Out.SimpleString("Background saving started")
	}
}

// busy tells whether a snapshot is being written.
func (p *Persist) busy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current != nil || p.saving
}

func (p *Persist) lastsaveCommand(c *command.Call) {
	p.mu.Lock()
	at := p.status.lastSave
	p.mu.Unlock()
	c.Out.Int(at)
}
