package config

import (
	"sync"
	"sync/atomic"
)

// Values is one immutable assignment of every directive. Read it with a handle:
// MaxClients.Get(v).
type Values struct{ slots []any }

// defaults is redis without a configuration file, started in dir.
func defaults(dir string) *Values {
	v := &Values{make([]any, len(all.rows))}
	for i, d := range all.rows {
		v.slots[i] = d.initial
	}
	v.slots[Dir.index] = dir
	return v
}

func (v *Values) clone() *Values { return &Values{append([]any(nil), v.slots...)} }

// show returns the value of d as CONFIG GET has it.
func (v *Values) show(d *Directive) string { return d.show(v.slots[d.index]) }

// Config is the configuration of one node. Values, Get and File may be called at
// any time; Set, Put and Rewrite wait for each other.
type Config struct {
	values atomic.Pointer[Values]

	mu    sync.Mutex // held by Set, Put and Rewrite
	hooks []hook

	// What only a file or the command line can say. Load fills it.
	file    string
	users   [][]string
	modules [][]string
	renames []Rename

	journal journal
}

// Rename is a rename-command line. An empty To disables the command.
type Rename struct{ From, To string }

// Values returns the current assignment.
func (c *Config) Values() *Values { return c.values.Load() }

// File is the absolute name of the configuration file, "" without one.
func (c *Config) File() string { return c.file }

// Users returns the words of every `user` line after the first: a name, then
// its rules.
func (c *Config) Users() [][]string { return c.users }

// Renames returns the rename-command lines in order.
func (c *Config) Renames() []Rename { return c.renames }

// Modules returns the words of every loadmodule line after the first: a path,
// then its arguments. Skein loads none of them.
func (c *Config) Modules() [][]string { return c.modules }
