package acl

import (
	"github.com/skeindb/skein/internal/base/glob"
	"github.com/skeindb/skein/internal/command"
)

// futureBit is set by +@all and cleared by -@all only: it tells on which of them a
// selector is built, and so whether it allows commands that come later.
const futureBit = 1023

// bits has a bit for each command and subcommand, by its ID.
type bits [(futureBit + 1) / 64]uint64

func (b *bits) has(id int) bool { return b[id/64]&(1<<(id%64)) != 0 }

func (b *bits) put(id int, on bool) {
	if on {
		b[id/64] |= 1 << (id % 64)
	} else {
		b[id/64] &^= 1 << (id % 64)
	}
}

// catalog is the commands that rules may name, by the names they were declared with:
// rename-command does not touch rules. The zero value has none.
type catalog struct {
	table  *command.Table
	all    []*command.Spec
	byName map[string]*command.Spec // by full name
}

func newCatalog(t *command.Table) *catalog {
	c := &catalog{table: t, all: t.All(), byName: map[string]*command.Spec{}}
	for _, s := range c.all {
		c.byName[s.FullName()] = s
	}
	return c
}

// find finds a command by its full name in any case, or nil.
func (c *catalog) find(name string) *command.Spec { return c.byName[glob.LowerString(name)] }
