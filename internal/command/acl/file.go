package acl

import (
	"errors"
	"fmt"
	"strings"

	"github.com/skeindb/skein/internal/base/vfs"
	"github.com/skeindb/skein/internal/command"
)

// reading is an aclfile while it is read: each line is
//
//	user name rule rule …
//
// with single spaces between. All that is wrong is told at once, and then none of it
// is used.
type reading struct {
	editing
	name  string // of the file
	users map[string]*rights
	wrong strings.Builder
}

// errNothingChanged ends the list of what is wrong with an aclfile.
const errNothingChanged = "WARNING: ACL errors detected, no change to the previously active ACL rules was performed"

// readFile reads the text of an aclfile. The error's text is redis's, in one line.
func (e *editing) readFile(name, text string) (map[string]*rights, error) {
	r := &reading{editing: *e, name: name, users: map[string]*rights{}}
	for i, line := range strings.Split(text, "\n") {
		if line = strings.Trim(line, " \t\r\n"); line != "" {
			r.line(i+1, strings.Split(line, " "))
		}
	}
	if r.wrong.Len() > 0 {
		return nil, errors.New(r.wrong.String() + errNothingChanged)
	}
	return r.users, nil
}

func (r *reading) fail(format string, a ...any) { fmt.Fprintf(&r.wrong, format, a...) }

func (r *reading) line(n int, words []string) {
	if words[0] != "user" || len(words) < 2 {
		r.fail("%s:%d should start with user keyword followed by the username. ", r.name, n)
		return
	}
	name := words[1]
	switch {
	case hasSpaces(name):
		r.fail("'%s:%d: username '%s' contains invalid characters. ", r.name, n, cString(name))
		return
	case r.users[name] != nil:
		r.fail("WARNING: Duplicate user '%s' found on line %d. ", name, n)
		return
	}
	made := ofNew(r.allChannels)
	r.users[name] = made
	rules, _, ok := mergeSelectors(words[2:])
	if !ok {
		r.fail("%s:%d: Unmatched parenthesis in selector definition.", r.name, n)
		return
	}
	r.rules(n, made, rules)
}

// rules applies the rules of a line. Of those that are misspelt, only the first is told,
// and not shown: it may hold a password.
func (r *reading) rules(n int, made *rights, rules []string) {
	told := false
	for _, rule := range rules {
		rule = strings.Trim(rule, "\t\r\n")
		switch err := r.apply(made, rule); {
		case err == errUnknown:
			r.fail("%s:%d: Error in applying operation '%s': %s. ", r.name, n, cString(rule), err)
		case err != nil && !told:
			r.fail("%s:%d: %s. ", r.name, n, err)
			told = true
		}
	}
}

// Load reads the aclfile, if there is one, and makes its users the users of the node. An
// error changes nothing. c is the caller of ACL LOAD, nil at start.
func (a *Accounts) Load(c *command.Call) error {
	text, err := vfs.ReadFile(a.opt.FS, a.opt.File)
	if err != nil {
		return fmt.Errorf("Error loading ACLs, opening file '%s': %s", a.opt.FileName, vfs.Reason(err))
	}
	a.mu.Lock()
	users, err := a.editing().readFile(a.opt.FileName, string(text))
	if err != nil {
		a.mu.Unlock()
		return err
	}
	gone := a.replace(users)
	a.mu.Unlock()
	a.removed(c, gone)
	return nil
}

// replace makes users the users of the node, and returns those that were: all but the
// default one, which stays itself and gets new rights.
func (a *Accounts) replace(users map[string]*rights) (gone []*User) {
	for _, u := range a.users {
		if u != a.first {
			u.set(&rights{})
			gone = append(gone, u)
		}
	}
	if users[DefaultName] == nil {
		users[DefaultName] = ofDefault()
	}
	a.users = map[string]*User{}
	for name, r := range users {
		if name == DefaultName {
			a.first.set(r)
			a.users[name] = a.first
		} else {
			a.users[name] = newUser(name, r)
		}
	}
	return gone
}

func (a *Accounts) removed(c *command.Call, gone []*User) {
	if len(gone) > 0 && a.opt.Removed != nil && c != nil {
		a.opt.Removed(c, gone)
	}
}

// save writes all users into the aclfile.
func (a *Accounts) save() error {
	var text strings.Builder
	for _, line := range a.Lines() {
		text.WriteString("user " + line + "\n")
	}
	return vfs.WriteAtomic(a.opt.FS, a.opt.File, []byte(text.String()), 0o644)
}
