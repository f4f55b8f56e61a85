package config

import (
	"errors"
	"fmt"
	"slices"
)

// Change is what a hook is asked to bring about.
type Change struct{ Old, New *Values }

// Of reports whether the value of h is among what changes.
func (ch Change) Of(h Handle) bool {
	d := h.row()
	return ch.Old.show(d) != ch.New.show(d)
}

// hook is what must happen when one of its directives changes.
type hook struct {
	apply      func(Change) error
	directives []*Directive
}

// OnApply registers apply, which makes a changed value of one of directives true:
// it opens the listener, resizes the backlog. It gets the values before and after,
// may look at more than its own directives, and is called once for a CONFIG SET,
// before others can see the new values. An error undoes the whole CONFIG SET; its
// text is the reason that the client reads. To undo, apply is called again with
// old and new exchanged. It must not call Set, Put or Rewrite.
//
// Register everything before the first Set.
func (c *Config) OnApply(apply func(Change) error, directives ...Handle) {
	h := hook{apply: apply}
	for _, d := range directives {
		h.directives = append(h.directives, d.row())
	}
	c.hooks = append(c.hooks, h)
}

// Caller is what CONFIG SET must know about who asks, and when.
type Caller struct {
	Local   bool // the client came over the loopback interface or a unix socket
	Loading bool // the node is loading its data set
}

// Set answers CONFIG SET. Either all pairs take effect or none: they are checked
// in turn, parsed in turn, and then every hook that is concerned is asked. The
// error's text is the reply without its code ERR; ErrLoading has a code of its own.
func (c *Config) Set(pairs []Setting, from Caller) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	names, err := c.settable(pairs, from)
	if err != nil {
		return err
	}
	old := c.Values()
	next := old.clone()
	s := &scope{values: next, log: c.journal.log}
	var changed []entry
	for i, e := range names {
		value, err := e.parse(s, next.slots[e.index], e.words(pairs[i].Value))
		if err != nil {
			return setFailed(e.name, err)
		}
		before := next.show(e.Directive)
		next.slots[e.index] = value
		if e.Has(Volatile) || next.show(e.Directive) != before {
			changed = append(changed, e)
		}
	}
	if err := c.apply(Change{old, next}, changed); err != nil {
		return err
	}
	c.values.Store(next)
	return nil
}

// settable looks the pairs up and refuses what must not be set, or not now.
func (c *Config) settable(pairs []Setting, from Caller) ([]entry, error) {
	var found []entry
	for _, p := range pairs {
		e, ok := lookup(p.Name)
		switch {
		case !ok:
			return nil, fmt.Errorf("Unknown option or number of arguments for CONFIG SET - '%s'", p.Name)
		case e.Has(Immutable):
			return nil, setFailed(p.Name, errors.New("can't set immutable config"))
		case e.Has(Protected) && !allowed(EnableProtectedConfigs.Get(c.Values()), from):
			return nil, setFailed(p.Name, errors.New("can't set protected config"))
		case e.Has(DenyLoading) && from.Loading:
			return nil, ErrLoading
		case slices.Contains(found, e):
			return nil, setFailed(p.Name, errors.New("duplicate parameter"))
		}
		found = append(found, e)
	}
	return found, nil
}

// allowed decides the three answers of the enable-… directives.
func allowed(protectedAction string, from Caller) bool {
	return protectedAction == "yes" || protectedAction == "local" && from.Local
}

func setFailed(name string, reason error) error {
	return fmt.Errorf("CONFIG SET failed (possibly related to argument '%s') - %w", name, reason)
}

// words splits the value of a CONFIG SET: at every single space, and only where
// the directive takes several words.
func (e entry) words(value string) []string {
	if !e.Has(MultiArg) {
		return []string{value}
	}
	return splitAtSpaces(value)
}

// apply asks the hooks of the changed directives, each once and in the order of
// the directives, and undoes the change with those that were asked when one refuses.
func (c *Config) apply(change Change, changed []entry) error {
	var asked []int
	for _, e := range changed {
		for i, h := range c.hooks {
			if slices.Contains(asked, i) || !slices.Contains(h.directives, e.Directive) {
				continue
			}
			asked = append(asked, i)
			if err := h.apply(change); err != nil {
				c.journal.log(Warning, fmt.Sprintf("Failed applying new configuration. Possibly related to new %s setting. Restoring previous settings.", e.name))
				c.undo(change, asked)
				return setFailed(e.name, err)
			}
		}
	}
	return nil
}

func (c *Config) undo(change Change, asked []int) {
	back := Change{Old: change.New, New: change.Old}
	for _, i := range asked {
		if err := c.hooks[i].apply(back); err != nil {
			c.journal.log(Warning, "Failed applying restored failed CONFIG SET command: "+err.Error())
		}
	}
}
