package acl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// CheckLine tells what is wrong with a `user` line of the configuration file, as far as that
// can be told without knowing the commands. words are a name and rules. The error's text
// is redis's, behind "Error in user declaration".
func CheckLine(words []string) error {
	// Redis says which word is wrong by its place among the rules, but counts from the
	// beginning of the line.
	wrong := func(i int, err error) error {
		line := append([]string{"user"}, words...)
		return fmt.Errorf("'%s': %w", line[i], err)
	}
	rules, open, ok := mergeSelectors(words[1:])
	if !ok {
		return wrong(open, errFormat)
	}
	e, r := &editing{catalog: &catalog{}}, ofNew(false)
	for i, rule := range rules {
		if err := e.apply(r, rule); err != nil && err != errUnknown {
			return wrong(i, err)
		}
	}
	return nil
}

// LoadLines makes the users of the configuration file, each a name and rules. The error is
// the line for the log.
func (a *Accounts) LoadLines(lines [][]string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.editing()
	for _, words := range lines {
		name := words[0]
		if hasSpaces(name) {
			return errors.New("Spaces not allowed in ACL usernames")
		}
		r := ofNew(e.allChannels)
		rules, _, _ := mergeSelectors(words[1:])
		for _, rule := range rules {
			if err := e.apply(r, rule); err != nil {
				return fmt.Errorf("Error loading ACL rule '%s' for the user named '%s': %w", rule, name, err)
			}
		}
		if !r.on {
			a.say(slog.LevelInfo, "The user '"+name+"' is disabled (there is no 'on' modifier in the user description). "+
				"Make sure this is not a configuration error.")
		}
		a.put(name, r)
	}
	return nil
}

// put gives the user called name the rights r, and makes it if need be. a.mu is held.
func (a *Accounts) put(name string, r *rights) {
	if u := a.users[name]; u != nil {
		u.set(r)
		return
	}
	a.users[name] = newUser(name, r)
}

func (a *Accounts) say(level slog.Level, text string) {
	if a.opt.Log != nil {
		a.opt.Log.Log(context.Background(), level, text)
	}
}
