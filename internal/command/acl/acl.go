// Package acl says who may connect and who may run what.
//
// A node has one Accounts, the set of its users. There is always the user
// "default", which connections are before they authenticate: it is enabled,
// needs no password until requirepass gives it one, and may do everything.
//
//	AUTH [user] password ──> Accounts.Authenticate ──> *User, kept by the session
//	each command ──> User.Restricted (one atomic load) ──no──> run
//	                      └─yes─> User.Check ──error──> -NOPERM …
//
// A User's parts are replaced as a whole, never changed in place, so that loops
// read them without locks while another connection changes the user.
package acl

import (
	"sync"

	"github.com/skeindb/skein/internal/command"
)

// DefaultName is the user that a connection is without AUTH.
const DefaultName = "default"

// What AUTH and HELLO answer, in redis's words.
const (
	// ErrWrongPass: no such user, a wrong password or a disabled user.
	ErrWrongPass command.Error = "WRONGPASS invalid username-password pair or user is disabled."
	// ErrNoPassword: AUTH with a password only, though the default user has none.
	ErrNoPassword command.Error = "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
)

// Accounts are the users of a node.
type Accounts struct {
	mu    sync.RWMutex
	users map[string]*User
	first *User // the default one
	super *User
}

// New returns the accounts of a node that has only the default user.
func New() *Accounts {
	first := newUser(DefaultName)
	first.login.Store(&login{enabled: true, open: true})
	return &Accounts{users: map[string]*User{DefaultName: first}, first: first, super: newUser("(superuser)")}
}

// Superuser is who may do everything and cannot log in: the link to a master.
func (a *Accounts) Superuser() *User { return a.super }

// Default is the default user.
func (a *Accounts) Default() *User { return a.first }

// User finds a user by name, or nil.
func (a *Accounts) User(name []byte) *User {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.users[string(name)]
}

// Open tells whether a new connection is the default user without AUTH.
func (a *Accounts) Open() bool {
	l := a.first.login.Load()
	return l.enabled && l.open
}

// SetPassword is requirepass: it makes password the only one of the default
// user; "" means that it needs none.
func (a *Accounts) SetPassword(password string) {
	l := &login{enabled: a.first.login.Load().enabled, open: password == ""}
	if password != "" {
		l.passwords = []hash{hashOf([]byte(password))}
	}
	a.first.login.Store(l)
}

// Authenticate returns the user of that name if the password is right and the
// user enabled, else nil.
func (a *Accounts) Authenticate(name, password []byte) *User {
	a.mu.RLock()
	u := a.users[string(name)]
	a.mu.RUnlock()
	if u == nil || !u.login.Load().accepts(password) {
		return nil
	}
	return u
}
