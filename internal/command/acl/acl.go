// Package acl says who may connect and who may run what: redis 7.2's users, rules,
// ACL command and ACL LOG.
//
// A node has one Accounts, the set of its users. There is always the user
// "default", which connections are before they authenticate.
//
//	AUTH [user] password ──> Accounts.Authenticate ──> *User, kept by the session
//	each command ──> User.Restricted (one atomic load) ──no──> run
//	                      └─yes─> User.Check ──Denial──> Accounts.Denied: -NOPERM …
//
// What a user may do is a rights: flags, hashes of passwords and selectors. A command
// is allowed if one selector allows all of it: the command by its bit, its keys by
// patterns with read and write permissions, its channels by patterns. The first
// selector, the root, is written without parentheses:
//
//	user bob on #5e88… ~in:* %R~out:* resetchannels -@all +@read +set (~tmp:* … +del)
//	         flags  passwords  keys of the root  channels   commands   another selector
//
// A rights is never changed once a User has it: it is copied, edited and replaced as a
// whole, so that loops read it without locks while another connection changes the user.
package acl

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/skeindb/skein/internal/base/vfs"
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

// Options are what the node gives its Accounts. The zero value will do for tests.
type Options struct {
	// File is the path of the aclfile, "" without one; FileName is what the
	// configuration calls it.
	File, FileName string
	FS             vfs.FS // nil: the system's
	Log            *slog.Logger

	// Describe is the line of CLIENT LIST about the caller of c, for ACL LOG.
	Describe func(c *command.Call) string
	// Removed is told, by the caller of c, of users that are no more: their
	// connections must be closed.
	Removed func(c *command.Call, gone []*User)
	// Narrowed is told of a user who has lost channels: its subscribers that have
	// one which may refuses must be closed.
	Narrowed func(c *command.Call, u *User, may func(name []byte, pattern bool) bool)
}

// Tuning is what may change while the node runs.
type Tuning struct {
	LogMax      int  // acllog-max-len
	AllChannels bool // acl-pubsub-default allchannels
}

// Accounts are the users of a node.
type Accounts struct {
	opt     Options
	catalog atomic.Pointer[catalog]
	tuning  atomic.Pointer[Tuning]

	mu    sync.RWMutex // held while users are changed
	users map[string]*User

	first *User // the default one
	super *User
	log   securityLog
}

// New returns the accounts of a node that has only the default user, who may do
// everything without a password.
func New(o Options) *Accounts {
	o.FS = cmp.Or[vfs.FS](o.FS, vfs.OS{})
	a := &Accounts{opt: o, first: newUser(DefaultName, ofDefault()), super: newUser("(superuser)", ofDefault())}
	a.users = map[string]*User{DefaultName: a.first}
	a.catalog.Store(&catalog{})
	a.Tune(Tuning{LogMax: 128})
	return a
}

// Use makes table the commands that rules speak of. It is called once, before there
// are other users.
func (a *Accounts) Use(table *command.Table) error {
	if table.Len() >= futureBit {
		return fmt.Errorf("acl: %d commands, but there is room for %d", table.Len(), futureBit)
	}
	a.catalog.Store(newCatalog(table))
	return nil
}

// Tune changes what may change while the node runs.
func (a *Accounts) Tune(t Tuning) { a.tuning.Store(&t) }

// editing is what rules need to know to be applied.
func (a *Accounts) editing() *editing {
	return &editing{catalog: a.catalog.Load(), allChannels: a.tuning.Load().AllChannels}
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

// sorted are all users by name.
func (a *Accounts) sorted() []*User {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.sortedLocked()
}

func (a *Accounts) sortedLocked() []*User {
	list := make([]*User, 0, len(a.users))
	for _, name := range slices.Sorted(maps.Keys(a.users)) {
		list = append(list, a.users[name])
	}
	return list
}

// Open tells whether a new connection is the default user without AUTH.
func (a *Accounts) Open() bool {
	r := a.first.rights.Load()
	return r.on && r.noPass
}

// Nobody is who may act for a connection that has not authenticated: the default
// user, or nil.
func (a *Accounts) Nobody() *User {
	if a.Open() {
		return a.first
	}
	return nil
}

// SetPassword is requirepass: it makes password the only one of the default
// user; "" means that it needs none.
func (a *Accounts) SetPassword(password string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.first.rights.Load().clone()
	r.passwords, r.noPass = nil, password == ""
	if password != "" {
		r.passwords = []hash{hashOf([]byte(password))}
	}
	a.first.set(r)
}

// Authenticate returns the user of that name if the password is right and the
// user enabled, else nil.
func (a *Accounts) Authenticate(name, password []byte) *User {
	u := a.User(name)
	if u == nil || !u.rights.Load().accepts(password) {
		return nil
	}
	return u
}
