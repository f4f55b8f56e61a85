// Package acl says who may run what.
package acl

import (
	"crypto/sha256"
	"crypto/subtle"
	"sync"

	"github.com/skeindb/skein/internal/command"
)

// User is an account. A session keeps a pointer to its own.
type User struct {
	Name string

	restricted bool
}

// Restricted tells whether Check has to be asked at all: nearly always not.
func (u *User) Restricted() bool { return u.restricted }

// Check tells whether the user may run the command; the error is redis's NOPERM text.
func (u *User) Check(spec *command.Spec, argv [][]byte) error { return nil }

// Accounts are the users of a node: for now the default one, whose password is
// requirepass.
type Accounts struct {
	mu        sync.Mutex
	byDefault *User
	password  *[sha256.Size]byte // nil: the default user needs none
}

// New returns the accounts of a node without passwords.
func New() *Accounts { return &Accounts{byDefault: &User{Name: "default"}} }

// Default is the default user.
func (a *Accounts) Default() *User { return a.byDefault }

// Open tells whether a new connection is the default user without AUTH.
func (a *Accounts) Open() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.password == nil
}

// SetPassword is CONFIG SET requirepass; "" takes the password away.
func (a *Accounts) SetPassword(password string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.password = nil
	if password != "" {
		sum := sha256.Sum256([]byte(password))
		a.password = &sum
	}
}

// Authenticate returns the user whom the words are right for, or nil.
func (a *Accounts) Authenticate(name, password []byte) *User {
	a.mu.Lock()
	defer a.mu.Unlock()
	if string(name) != a.byDefault.Name {
		return nil
	}
	if a.password == nil {
		return a.byDefault
	}
	sum := sha256.Sum256(password)
	if subtle.ConstantTimeCompare(sum[:], a.password[:]) != 1 {
		return nil
	}
	return a.byDefault
}
