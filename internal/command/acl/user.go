package acl

import (
	"crypto/sha256"
	"crypto/subtle"
	"sync/atomic"

	"github.com/skeindb/skein/internal/command"
)

// User is an account. A session keeps a pointer to its own.
type User struct {
	Name string

	login atomic.Pointer[login]
	rules atomic.Pointer[Rules]
}

// newUser is a user that may do everything and cannot log in.
func newUser(name string) *User {
	u := &User{Name: name}
	u.login.Store(&login{})
	return u
}

// Rules decide what a restricted user may run. It returns nil, or the error to
// reply. argv has the number of words that spec asks for.
type Rules func(spec *command.Spec, argv [][]byte) error

// Restrict makes rules decide from now on; nil lets the user do everything.
func (u *User) Restrict(rules Rules) {
	if rules == nil {
		u.rules.Store(nil)
		return
	}
	u.rules.Store(&rules)
}

// Restricted tells whether Check has to be asked at all: nearly always not.
func (u *User) Restricted() bool { return u.rules.Load() != nil }

// Check tells whether the user may run the command; the error is the reply.
func (u *User) Check(spec *command.Spec, argv [][]byte) error {
	rules := u.rules.Load()
	if rules == nil {
		return nil
	}
	return (*rules)(spec, argv)
}

// hash is the SHA-256 of a password. Passwords themselves are not kept.
type hash [sha256.Size]byte

func hashOf(password []byte) hash { return sha256.Sum256(password) }

// login is how a user gets in. It does not change once stored.
type login struct {
	enabled   bool
	open      bool   // any password is right
	passwords []hash // one of these is needed
}

// accepts tells whether the password is right. How long that takes does not
// depend on how much of it is.
func (l *login) accepts(password []byte) bool {
	if !l.enabled || l.open {
		return l.enabled
	}
	given, right := hashOf(password), 0
	for i := range l.passwords {
		right |= subtle.ConstantTimeCompare(given[:], l.passwords[i][:])
	}
	return right == 1
}
